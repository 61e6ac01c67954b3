"""Random numbers for the values of code, with one of them moved for a difference quotient."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from chainrule.teaching.marking.code_by_value.algebra import (
    Algebra,
    Label,
    Misfit,
    Mismatch,
    NewAxis,
    Part,
    Place,
    Rows,
    Size,
)
from chainrule.teaching.marking.code_by_value.lengths import Dim
from chainrule.teaching.marking.code_by_value.shaped import Shaped

Array = npt.NDArray[np.float64]

COUNTS = frozenset({"m", "n", "N", "M", "num_examples", "batch_size", "n_samples", "num_samples",
                    "num_train", "B", "batch", "n_examples", "size", "examples"})  # fmt: skip
"""Names of the number of examples."""

_LEAK = 0.01
_POSITIVE = re.compile(r"(?i)(?:\w*_)?mask\w*|drop\w*|D\d+|keep\w*|eps\w*")
"""Names of masks and of small numbers, which are not negative."""
MOST_ENTRIES = 4096


def _relu_slope(u: Array) -> Array:
    return (u > 0).astype(float)


def _sigmoid(u: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-u)))


_ELEMENTWISE: dict[str, Callable[..., object]] = {
    "exp": np.exp, "log": np.log, "log1p": np.log1p, "tanh": np.tanh, "sqrt": np.sqrt,
    "abs": np.abs, "sin": np.sin, "cos": np.cos, "square": np.square, "sigmoid": _sigmoid,
    "relu": lambda u: np.maximum(u, 0), "negative": np.negative, "sign": np.sign,
    "softplus": lambda u: np.log1p(np.exp(u)), "leaky": lambda u: np.where(u > 0, u, _LEAK * u),
    "add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide,
    "power": np.power, "maximum": np.maximum, "minimum": np.minimum,
    "greater": lambda a, b: np.greater(a, b).astype(float),
    "greater_equal": lambda a, b: np.greater_equal(a, b).astype(float),
    "less": lambda a, b: np.less(a, b).astype(float),
    "less_equal": lambda a, b: np.less_equal(a, b).astype(float),
    "equal": lambda a, b: np.equal(a, b).astype(float),
    "not_equal": lambda a, b: np.not_equal(a, b).astype(float),
    "logical_not": lambda a: np.equal(a, 0).astype(float),
    "floor_divide": np.floor_divide, "remainder": np.remainder, "expm1": np.expm1,
    "reciprocal": lambda u: 1 / u, "rsqrt": lambda u: 1 / np.sqrt(u),
    "log_sigmoid": lambda u: -np.log1p(np.exp(-u)), "silu": lambda u: u * _sigmoid(u),
    "gelu": lambda u: 0.5 * u * (1 + np.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3))),
    "logaddexp": np.logaddexp,
    "tril": np.tril, "triu": np.triu,
    "where": lambda m, a, b: np.where(np.asarray(m) != 0, a, b),
    "nothing": np.zeros_like,
    "slope of sigmoid": lambda u: _sigmoid(u) * (1 - _sigmoid(u)),
    "slope of tanh": lambda u: 1 - np.tanh(u) ** 2,
    "slope of relu": _relu_slope,
    "slope of sigmoid by output": lambda a: a * (1 - a),
    "slope of tanh by output": lambda a: 1 - a**2,
    "slope of relu by output": _relu_slope,
}  # fmt: skip
"""The functions of entries."""

_REDUCED: dict[str, Callable[..., object]] = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod,
    "var": np.var, "std": np.std,
}  # fmt: skip


@dataclass
class Numbers(Algebra[Array]):
    """Values at one random point.

    Parameters
    ----------
    shapes : mapping
        The shape of every input.
    sizes : mapping
        The length of every axis.
    seed : int
        The number of the point.
    labels : str
        ``free``, or ``shares 0`` and ``shares 1``: labels that sum to 1 along this axis.
    counts : mapping
        The numbers of examples, where they are not free.
    label_names : tuple of str
        The names of the labels.
    moved : int
        The number of the value that is moved; -1 for none.
    way : ndarray or None
        What is added to it.
    positive : frozenset of str
        The names whose logarithm is taken.
    """

    shapes: Mapping[str, Shaped]
    sizes: Mapping[Dim, int]
    seed: int = 0
    labels: str = "free"
    counts: Mapping[str, int] = field(default_factory=dict)
    label_names: tuple[str, ...] = ()
    moved: int = -1
    way: Array | None = None
    positive: frozenset[str] = frozenset()
    inputs: dict[str, Array] = field(default_factory=dict)
    count: int = 0
    seen: list[tuple[str, Array]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    idle: int = 0  # how often the code counts or sums along an axis of length 1

    def _noted(self, name: str, value: Array) -> Array:
        value = np.asarray(value, dtype=float)
        if value.size > MOST_ENTRIES or value.ndim > 5:
            raise Misfit("an array that is too large")
        if self.count == self.moved and self.way is not None:
            value = value + self.way
        if name:
            self.places[name] = self.count
        self.seen.append((name, value))
        self.count += 1
        return value

    def _shape(self, name: str) -> tuple[int, ...]:
        shaped = self.shapes.get(name)
        if shaped is None or shaped.dims is None:
            raise Misfit(f"the shape of {name} is open")
        return tuple(self._length(dim) for dim in shaped.dims)

    def _length(self, dim: Dim) -> int:
        root = dim.root()
        return root.size if root.size is not None else self.sizes[root]

    def has(self, name: str) -> bool:
        """Whether a value of a name that the code does not define was used."""
        return name in self.inputs

    def unknown(self, name: str) -> Array:
        """Return the value of a name that the code does not define."""
        if name in self.inputs:
            return self.inputs[name]
        if name in self.counts:
            self.inputs[name] = np.array(float(self.counts[name]))
            return self.inputs[name]
        shape = self._shape(name)
        if not shape and f"{name} as a length" in self.shapes:
            self.inputs[name] = np.array(float(self._shape(f"{name} as a length")[0]))
            return self.inputs[name]
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        shaped = self.shapes[name]
        if shaped.classes is not None:
            value: Array = random.integers(0, self._length(shaped.classes), shape).astype(float)
        elif not shape and name in COUNTS:
            value = random.uniform(2.2, 4.8, shape)
        elif (
            name in self.label_names
            or not shape
            or name in self.positive
            or (_POSITIVE.fullmatch(name))
        ):
            value = random.uniform(0.15, 0.85, shape)
            if self.labels != "free" and len(shape) == 2 and name in self.label_names:
                value = value / value.sum(axis=int(self.labels[-1]), keepdims=True)
        else:
            value = random.normal(0.0, 0.8, shape)
        self.inputs[name] = self._noted(name, value)
        return self.inputs[name]

    def number(self, value: float) -> Array:
        """Return a number."""
        return np.array(value)

    def drawn(self, name: str, sizes: tuple[object, ...]) -> Array:
        """Return the value of a name that the code initialises with these lengths."""
        del sizes
        self.inputs.pop(name, None)
        return self.unknown(name)

    def length(self, name: str) -> Size:
        """Return a length that the code gives by a name only."""
        return Size(self._shape(f"{name} as a length")[0])

    def size(self, of: Array, axis: int, rank: int = 2) -> Size:
        """Return the length of an axis."""
        del rank
        if not -of.ndim <= axis < of.ndim:
            raise Misfit("an axis that the value does not have")
        self.idle += of.shape[axis] == 1
        return Size(of.shape[axis])

    def total(self, of: Array) -> Size:
        """Return the number of all entries."""
        return Size(of.size)

    def length_of(self, sign: str, one: object, other: object) -> Size:
        """Return the sum, the difference or the product of two lengths."""
        left = one.dim if isinstance(one, Size) else one
        right = other.dim if isinstance(other, Size) else other
        if not (isinstance(left, int) and isinstance(right, int)):
            raise Misfit("a length that is not read")
        if sign == "add":
            return Size(left + right)
        if sign == "subtract":
            return Size(left - right)
        if sign == "multiply":
            return Size(left * right)
        raise Misfit("a length that is not read")

    def rank(self, value: Array, least: int) -> int:
        """Return the number of axes of a value."""
        del least
        return value.ndim

    def is_column(self, value: Array) -> bool:
        """Whether a matrix has one column."""
        return value.ndim == 2 and value.shape[1] == 1 < value.shape[0]

    def is_vector(self, value: Array) -> bool:
        """Whether a matrix has one row or one column."""
        return 1 in value.shape

    def decided(self, sign: str, one: Array, other: Array) -> bool | None:
        """Return whether a comparison holds; None where it is one of several numbers."""
        if one.size > 1 or other.size > 1:
            return None
        return bool(np.ravel(self.elementwise(sign, one, other))[0])

    def elementwise(self, name: str, *values: Array) -> Array:
        """Return a function of the entries."""
        function = _ELEMENTWISE.get(name)
        if function is None:
            raise Misfit(f"the function {name} has no value here")
        try:
            with np.errstate(all="ignore"):
                found = np.asarray(function(*values), dtype=float)
        except (ValueError, TypeError) as error:
            raise Mismatch("terms whose shapes do not meet") from error
        if found.size > MOST_ENTRIES:
            raise Misfit("an array that is too large")
        return found

    def dot(self, one: Array, other: Array) -> Array:
        """Return the matrix product."""
        try:
            if min(one.ndim, other.ndim) >= 1 and max(one.ndim, other.ndim) > 2:
                return np.asarray(np.matmul(one, other))
            return np.asarray(np.dot(one, other))
        except ValueError as error:
            raise Mismatch("factors whose shapes do not meet") from error

    def outer(self, one: Array, other: Array) -> Array:
        """Return the outer product."""
        return np.asarray(np.outer(one, other))

    def turned(self, value: Array) -> Array:
        """Return the transpose."""
        return value.T

    def permuted(self, value: Array, axes: tuple[int, ...]) -> Array:
        """Return a value with its axes in another order."""
        try:
            return np.transpose(value, axes)
        except ValueError as error:
            raise Misfit("axes that the value does not have") from error

    def reduced(
        self, kind: str, value: Array, axes: tuple[int, ...] | None, *, keeps: bool
    ) -> Array:
        """Return a sum, a mean or an extremum."""
        if axes is not None and any(not -value.ndim <= axis < value.ndim for axis in axes):
            raise Misfit("an axis that the value does not have")
        self.idle += any(value.shape[axis] == 1 for axis in axes or ())
        return np.asarray(_REDUCED[kind](value, axis=axes, keepdims=keeps), dtype=float)

    def einsum(self, signature: str, values: tuple[Array, ...]) -> Array:
        """Return a sum over the indices that a signature names."""
        try:
            return np.asarray(np.einsum(signature, *values))
        except ValueError as error:
            raise Mismatch("factors whose shapes do not meet") from error

    def joined(self, values: tuple[Array, ...], axis: int, *, new: bool) -> Array:
        """Return several values one after another along an axis, or along a new one."""
        try:
            return np.stack(values, axis) if new else np.concatenate(values, axis)
        except (ValueError, IndexError) as error:
            raise Mismatch("parts whose shapes do not meet") from error

    def filled(self, number: float, sizes: tuple[object, ...]) -> Array:
        """Return an array of one number."""
        shape = _whole_sizes(sizes)
        if np.prod(shape, dtype=float) > MOST_ENTRIES:
            raise Misfit("an array that is too large")
        return np.full(shape, number)

    def noise(self, like: Array, key: str) -> Array:
        """Return random numbers between 0 and 1 in the shape of a value."""
        random = np.random.default_rng([self.seed, zlib.crc32(key.encode())])
        return random.uniform(size=like.shape)

    def identity(self, size: object) -> Array:
        """Return the identity matrix."""
        (rows,) = _whole_sizes((size,))
        if rows * rows > MOST_ENTRIES:
            raise Misfit("an array that is too large")
        return np.eye(rows)

    def reshaped(self, value: Array, sizes: tuple[object, ...]) -> Array:
        """Return a value in another shape."""
        whole = [s.dim if isinstance(s, Size) else s for s in sizes]
        shape = tuple(int(s) if isinstance(s, int) else -1 for s in whole)
        try:
            return value.reshape(shape)
        except ValueError as error:
            kept = len(shape) == 2 and value.ndim > 2
            if kept and (shape[0] in (-1, len(value))):
                return value.reshape(len(value), -1)
            raise Misfit("a new shape that does not fit") from error

    def reshaped_as(self, value: Array, other: Array) -> Array:
        """Return a value in the shape of another one."""
        try:
            return value.reshape(other.shape)
        except ValueError as error:
            raise Mismatch("a new shape that does not fit") from error

    def _index(self, value: Array, places: tuple[Place[Array], ...]) -> tuple[object, ...]:
        """Return an index for NumPy."""
        found: list[object] = []
        axis = 0
        for place in places:
            if isinstance(place, NewAxis):
                found.append(None)
                continue
            if axis >= value.ndim:
                raise Misfit("more indices than the value has")
            length = value.shape[axis]
            if not length:
                raise Misfit("an index into nothing")
            axis += 1
            match place:
                case Part():
                    found.append(slice(_bound(place.first), _bound(place.last)))
                case Rows():
                    found.append(np.arange(length))
                case Label():
                    found.append(zlib.crc32(place.name.encode()) % length)
                case int():
                    found.append(place)
                case _:
                    at = place.by != 0 if place.mask else place.by.astype(np.int64) % length
                    found.append(at)
        return tuple(found)

    def entry(self, value: Array, places: tuple[Place[Array], ...]) -> Array:
        """Return the entries at an index."""
        try:
            entries: Array = value[self._index(value, places)]  # type: ignore[index]
        except IndexError as error:
            raise Misfit("an index that does not fit") from error
        return np.asarray(entries, dtype=np.float64)

    def entry_changed(
        self, value: Array, places: tuple[Place[Array], ...], operation: str, amount: Array
    ) -> Array:
        """Return a value with its entries at an index changed by an operation, or set."""
        found = np.array(value, dtype=float)
        index = self._index(value, places)
        try:
            if operation == "=":
                found[index] = amount  # type: ignore[index]
            elif operation in ("+=", "-="):  # a place that comes twice counts twice
                np.add.at(found, index, amount if operation == "+=" else -amount)  # type: ignore[arg-type]
            else:
                times = amount if operation == "*=" else 1 / amount
                found[index] *= times  # type: ignore[index]
        except (IndexError, ValueError) as error:
            raise Misfit("an index that does not fit") from error
        return found

    def kept(self, name: str, value: Array) -> Array:
        """Note that a name has a value, and return it with what is added to it."""
        return self._noted(name, value)

    def argument(self, value: Array) -> Array:
        """Note a value without a name, the argument of a function, and return it."""
        return self._noted("", value)


def _bound(value: object) -> int | None:
    if isinstance(value, Size):
        value = value.dim
    if value is None or isinstance(value, int):
        return value
    raise Misfit("a part of an axis that is not read")


def _whole_sizes(sizes: tuple[object, ...]) -> tuple[int, ...]:
    whole = [size.dim if isinstance(size, Size) else size for size in sizes]
    if any(not isinstance(size, int) or size < 0 for size in whole):
        raise Misfit("a length that is not read")
    return tuple(size for size in whole if isinstance(size, int))


__all__ = ["COUNTS", "Array", "Numbers"]
