"""Random numbers for the values of code, with one of them moved for a difference quotient."""

from __future__ import annotations

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
    Size,
)
from chainrule.teaching.marking.code_by_value.shapes import Dim, Shaped

Array = npt.NDArray[np.float64]

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
    "where": lambda m, a, b: np.where(np.asarray(m) != 0, a, b),
    "nothing": np.zeros_like,
    "slope of sigmoid": lambda u: _sigmoid(u) * (1 - _sigmoid(u)),
    "slope of tanh": lambda u: 1 - np.tanh(u) ** 2,
    "slope of relu": _relu_slope,
}  # fmt: skip
"""The functions of entries."""

_REDUCED: dict[str, Callable[..., object]] = {
    "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod,
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
    """

    shapes: Mapping[str, Shaped]
    sizes: Mapping[Dim, int]
    seed: int = 0
    labels: str = "free"
    counts: Mapping[str, int] = field(default_factory=dict)
    label_names: tuple[str, ...] = ()
    moved: int = -1
    way: Array | None = None
    inputs: dict[str, Array] = field(default_factory=dict)
    count: int = 0
    seen: list[tuple[str, Array]] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)

    def _noted(self, name: str, value: Array) -> Array:
        value = np.asarray(value, dtype=float)
        if value.size > MOST_ENTRIES or value.ndim > 3:
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

    def unknown(self, name: str) -> Array:
        """Return the value of a name that the code does not define."""
        if name in self.inputs:
            return self.inputs[name]
        if name in self.counts:
            self.inputs[name] = np.array(float(self.counts[name]))
            return self.inputs[name]
        shape = self._shape(name)
        random = np.random.default_rng([self.seed, zlib.crc32(name.encode())])
        shaped = self.shapes[name]
        if shaped.classes is not None:
            value: Array = random.integers(0, self._length(shaped.classes), shape).astype(float)
        elif name in self.label_names or not shape or _POSITIVE.fullmatch(name):
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

    def size(self, of: Array, axis: int) -> Size:
        """Return the length of an axis."""
        if not -of.ndim <= axis < of.ndim:
            raise Misfit("an axis that the value does not have")
        return Size(of.shape[axis])

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
            return np.asarray(np.dot(one, other))
        except ValueError as error:
            raise Mismatch("factors whose shapes do not meet") from error

    def outer(self, one: Array, other: Array) -> Array:
        """Return the outer product."""
        return np.asarray(np.outer(one, other))

    def turned(self, value: Array) -> Array:
        """Return the transpose."""
        return value.T

    def reduced(self, kind: str, value: Array, axis: int | None, *, keeps: bool) -> Array:
        """Return a sum, a mean or an extremum."""
        if axis is not None and not -value.ndim <= axis < value.ndim:
            raise Misfit("an axis that the value does not have")
        return np.asarray(_REDUCED[kind](value, axis=axis, keepdims=keeps), dtype=float)

    def reshaped(self, value: Array, sizes: tuple[object, ...]) -> Array:
        """Return a vector in another shape."""
        whole = [s.dim if isinstance(s, Size) else s for s in sizes]
        shape = tuple(int(s) if isinstance(s, int) else -1 for s in whole)
        try:
            return value.reshape(shape)
        except ValueError as error:
            raise Misfit("a new shape that does not fit") from error

    def picked(self, value: Array, labels: Array) -> Array:
        """Return one entry per row, at the place that its label gives."""
        rows, columns = self._pick(value, labels)
        return value[rows, columns]

    def _pick(
        self, value: Array, labels: Array
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        columns = labels.astype(np.int64).ravel()
        if value.ndim != 2 or len(columns) != len(value) or (columns >= value.shape[1]).any():
            raise Misfit("labels that do not fit")
        return np.arange(len(value)), columns

    def picked_added(self, value: Array, labels: Array, amount: Array) -> Array:
        """Return a matrix with an amount added at the places of the labels."""
        found = value.copy()
        found[self._pick(value, labels)] += amount
        return found

    def _at(self, value: Array, places: tuple[int | Label | None, ...]) -> tuple[int | slice, ...]:
        found: list[int | slice] = []
        for axis, place in enumerate(places):
            if axis >= value.ndim:
                raise Misfit("more indices than the value has")
            if place is None:
                found.append(slice(None))
                continue
            if isinstance(place, Label):
                place = zlib.crc32(place.name.encode()) % value.shape[axis]
            if not -value.shape[axis] <= place < value.shape[axis]:
                raise Misfit("an index out of range")
            found.append(place)
        return tuple(found)

    def entry(self, value: Array, places: tuple[int | Label | None, ...]) -> Array:
        """Return an entry, a row or a column."""
        return np.asarray(value[self._at(value, places)])

    def entry_added(
        self, value: Array, places: tuple[int | Label | None, ...], amount: Array
    ) -> Array:
        """Return a value with an amount added at a place."""
        found = value.copy()
        found[self._at(value, places)] += amount
        return found

    def masked(self, value: Array, mask: Array) -> Array:
        """Return a value with zeros where the mask holds."""
        try:
            return np.where(mask != 0, 0.0, value)
        except ValueError as error:
            raise Misfit("a mask that does not fit") from error

    def widened(self, value: Array, axis: int) -> Array:
        """Return a value with one more axis of length 1."""
        return np.expand_dims(value, axis)

    def kept(self, name: str, value: Array) -> Array:
        """Note that a name has a value, and return it with what is added to it."""
        return self._noted(name, value)

    def argument(self, value: Array) -> Array:
        """Note a value without a name, the argument of a function, and return it."""
        return self._noted("", value)


__all__ = ["Array", "Numbers"]
