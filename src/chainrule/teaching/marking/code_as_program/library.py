"""The functions of NumPy and of Python that interpreted programs may call.

Each is a row of a table; what has no row here is unknown. Nothing here reads files or runs code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from chainrule.teaching.marking.code_as_program.sizes import MOST_ENTRIES, is_too_large
from chainrule.teaching.marking.code_as_program.values import (
    RESHAPED,
    CannotRun,
    Library,
    Misshapen,
    Unknown,
    Value,
)

Call = Callable[..., Any]

_NAMES = (
    "exp log log1p log2 log10 expm1 tanh sinh cosh sin cos tan arctan sqrt abs absolute "
    "square maximum minimum where clip sum mean prod max min amax amin var std argmax argmin "
    "cumsum dot matmul outer inner vdot tensordot einsum kron transpose swapaxes moveaxis "
    "reshape ravel squeeze expand_dims concatenate hstack vstack stack column_stack append "
    "tile repeat roll flip eye identity diag trace zeros_like ones_like empty_like full_like "
    "arange linspace unique isnan isinf isfinite logical_and logical_or logical_not sign "
    "floor ceil round power multiply add subtract divide true_divide negative reciprocal "
    "atleast_2d atleast_1d broadcast_to pad triu tril triu_indices tril_indices argsort sort "
    "any all array_equal allclose isclose nan_to_num greater less greater_equal less_equal "
    "equal not_equal bincount count_nonzero split array_split take copy size shape ndim "
    "interp meshgrid flatnonzero nonzero add.at subtract.at c_ r_ linalg.norm linalg.inv "
    "linalg.solve logaddexp heaviside mod float64 rot90 flipud fliplr ix_ put_along_axis "
    "take_along_axis "
)
_SAME = _NAMES.split()
"""Functions that are those of NumPy of the same name."""


def _size(shape: Value) -> None:
    count = math.prod(shape) if isinstance(shape, tuple | list) else shape
    if not isinstance(count, int | np.integer) or not 0 <= int(count) <= MOST_ENTRIES:
        raise CannotRun("an array of a size that is not read")


def _shape(given: Sequence[Value]) -> tuple[int, ...]:
    shape = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
    found = tuple(int(one) for one in shape)
    _size(found)
    return found


def _array(value: Value, *_: Value, **__: Value) -> np.ndarray:
    if isinstance(value, Unknown):
        raise CannotRun(f"{value.why} is not read")
    if isinstance(value, str):  # np.matrix("1 2; 3 4")
        rows = [row.replace(",", " ").split() for row in value.split(";")]
        value = [[float(one) for one in row] for row in rows]
    found = np.array(value)
    if (found.dtype.kind == "i" and found.ndim > 1) or (found.dtype.kind == "b" and found.ndim > 1):
        return found.astype(float)
    if found.dtype.kind not in "fib":
        raise CannotRun("an array of other things than numbers")
    return found


def _filled(number: float) -> Call:
    def make(shape: Value = (), *_: Value, **keys: Value) -> np.ndarray:
        shape = keys.get("shape", shape)
        size = _shape([shape])
        found: np.ndarray = np.full(size, number)
        return found

    return make


def _like(number: float) -> Call:
    return lambda value, *_, **__: np.full(np.shape(value), number)


def _full(shape: Value, number: Value, *_: Value, **__: Value) -> np.ndarray:
    found: np.ndarray = np.full(_shape([shape]), float(number))
    return found


def _plain(value: Value, *_: Value, **__: Value) -> np.ndarray:
    return _array(value) if not isinstance(value, np.ndarray) else value


def _whole(value: Value) -> np.ndarray:
    found: np.ndarray = np.array(value, dtype=int)
    return found


def _reshaped(value: Value, *shape: Value, **_: Value) -> np.ndarray:
    whole = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    whole = tuple(int(one) for one in whole)
    array: np.ndarray = np.asarray(value)
    try:
        found: np.ndarray = np.reshape(array, whole)
    except ValueError as error:
        raise Misshapen(array.shape, whole, RESHAPED) from error
    return found


def _sigmoid(value: Value) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-np.asarray(value, dtype=float)))
    return found


def _sigmoid_slope(value: Value) -> np.ndarray:
    of = _sigmoid(value)
    found: np.ndarray = of * (1 - of)
    return found


def _softmax(value: Value, axis: int | None = -1) -> np.ndarray:
    powers = np.exp(value - np.max(value, axis=axis, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=axis, keepdims=True))


def _logsumexp(value: Value, axis: int | None = None, keepdims: bool = False) -> np.ndarray:
    return np.asarray(np.log(np.sum(np.exp(value), axis=axis, keepdims=keepdims)))


def _numpy(name: str) -> Call:
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


NUMPY: Mapping[str, Call] = {
    **{name: _numpy(name) for name in _SAME if name not in ("c_", "r_")},
    "array": _array, "asarray": _plain, "asanyarray": _plain, "ascontiguousarray": _plain,
    "asmatrix": _plain, "matrix": _array, "mat": _plain,
    "zeros": _filled(0.0), "ones": _filled(1.0), "empty": _filled(0.0),
    "zeros_like": _like(0.0), "ones_like": _like(1.0), "empty_like": _like(0.0), "full": _full,
    "reshape": _reshaped, "float32": np.float64, "int64": _whole,
    "int32": _whole,
    "relu": lambda value: np.maximum(value, 0.0), "sigmoid_slope": _sigmoid_slope,
    "vectorize": lambda function: function, "expit": _sigmoid, "special.expit": _sigmoid,
    "special.softmax": _softmax, "softmax": _softmax, "logsumexp": _logsumexp,
    "special.logsumexp": _logsumexp, "atleast_2d": np.atleast_2d,
    "random.seed": lambda *_, **__: None, "seterr": lambda *_, **__: None,
}  # fmt: skip
"""The functions by their names below ``np``."""

CONSTANTS: Mapping[str, Value] = {
    "pi": math.pi, "e": math.e, "inf": math.inf, "newaxis": None, "nan": math.nan,
    "float64": float, "float32": float, "int64": int, "int32": int, "float": float, "int": int,
    "bool_": bool, "uint8": int, "ndarray": Unknown("np.ndarray"),
}  # fmt: skip


class Draws:
    """Random numbers of an interpreted program, the same in every run.

    Parameters
    ----------
    seed : int
        Another one gives other numbers.
    """

    def __init__(self, seed: int = 0) -> None:
        self.source = np.random.default_rng(20 + seed)

    def drawn(self, name: str, args: Sequence[Value], keys: Mapping[str, Value]) -> Value:
        """Return what a function of ``np.random`` gives; its shape is all that counts."""
        if any(isinstance(one, Unknown) for one in (*args, *keys.values())):
            raise CannotRun("random numbers whose shape is open")
        size = keys.get("size")
        if name in ("randn", "rand"):
            shape: Value = tuple(args)
        elif name in ("random", "random_sample", "standard_normal", "ranf"):
            shape = size if size is not None else (args[0] if args else ())
        elif name in ("normal", "uniform", "truncated_normal", "binomial", "laplace"):
            shape = size if size is not None else (args[2] if len(args) > 2 else ())
        elif name in ("randint", "integers"):
            top = int(args[1] if len(args) > 1 and args[1] is not None else args[0])
            low = int(args[0]) if len(args) > 1 and args[1] is not None else 0
            shape = size if size is not None else (args[2] if len(args) > 2 else ())
            place = self.source.integers(low, max(top, low + 1), size=_tuple(shape))
            return int(place) if np.ndim(place) == 0 else place
        elif name in ("permutation",):
            return self.permuted(args[0])
        elif name == "choice":
            return self.chosen(args, keys)
        elif name in ("seed", "shuffle"):
            return None
        elif name in ("default_rng", "RandomState", "Generator"):
            return Library("np.random")
        else:
            raise CannotRun(f"np.random.{name} is not read")
        shape = _tuple(shape)
        _size(shape)
        if name in ("rand", "random", "random_sample", "uniform", "binomial"):
            found: Value = self.source.uniform(0.05, 0.95, shape)
            if name == "binomial":
                found = np.array(found < 0.7, dtype=float)
            if name == "uniform" and len(args) > 1:
                found = float(args[0]) + (float(args[1]) - float(args[0])) * found
        else:
            found = self.source.standard_normal(shape)
        return float(found) if shape == () else found

    def permuted(self, of: Value) -> np.ndarray:
        """Return places in their own order: a shuffle changes no gradient."""
        return np.arange(int(of)) if isinstance(of, int | np.integer) else np.array(of)

    def chosen(self, args: Sequence[Value], keys: Mapping[str, Value]) -> Value:
        """Return the first places of a choice."""
        of = np.arange(int(args[0])) if isinstance(args[0], int | np.integer) else np.array(args[0])
        size = keys.get("size", args[1] if len(args) > 1 else None)
        return of[0] if size is None else of[: int(size)]


def _tuple(shape: Value) -> tuple[int, ...]:
    if shape is None:
        return ()
    return tuple(int(n) for n in shape) if isinstance(shape, tuple | list) else (int(shape),)


def applied(call: Call, name: str, args: Sequence[Value], keys: Mapping[str, Value]) -> Value:
    """Return the value of a function of the table; what it cannot do is an error in words."""
    if any(isinstance(one, Unknown) for one in (*args, *keys.values())):
        why = next(o.why for o in (*args, *keys.values()) if isinstance(o, Unknown))
        return Unknown(why)
    keys = {key: one for key, one in keys.items() if key not in ("dtype", "copy", "out", "order")}
    if is_too_large(name.rpartition(".")[2], args, keys):
        raise CannotRun("a value of a size that is not read")
    try:
        with np.errstate(all="ignore"):
            found = call(*args, **keys)
    except CannotRun:
        raise
    except (
        ValueError,
        TypeError,
        IndexError,
        KeyError,
        AttributeError,
        MemoryError,
        np.linalg.LinAlgError,
    ) as e:
        shapes = [np.shape(one) for one in args[:2] if isinstance(one, np.ndarray | float)]
        if len(shapes) == 2 and isinstance(e, ValueError):
            raise Misshapen(
                shapes[0], shapes[1], f"{name} of shapes {shapes[0]} and {shapes[1]}"
            ) from e
        raise CannotRun(f"{name} fails here") from e
    if isinstance(found, np.ndarray) and found.size > MOST_ENTRIES:
        raise CannotRun("an array of a size that is not read")
    if isinstance(found, np.floating):
        return float(found)
    return int(found) if isinstance(found, np.integer) else found


__all__ = ["CONSTANTS", "MOST_ENTRIES", "NUMPY", "Draws", "applied"]
