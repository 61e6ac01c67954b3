"""Functions on numbers and matrices, with smooth stand-ins for functions without a name."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Value = float | npt.NDArray[np.float64]
"""A number, or a matrix; vectors are matrices with one column or one row."""


class NoValueError(Exception):
    """Shapes that do not meet, or a value that is not defined."""


def elementwise(function: Callable[[npt.ArrayLike], object]) -> Callable[[Value], Value]:
    """Return a function on values from a NumPy function."""

    def applied(value: Value) -> Value:
        with np.errstate(all="ignore"):
            found = function(value)
        return float(found) if np.ndim(found) == 0 else np.asarray(found)  # type: ignore[arg-type]

    return applied


def _softmax(value: Value) -> Value:
    if isinstance(value, float):
        raise NoValueError("the softmax of a number")
    axis = 0 if value.shape[1] == 1 else 1
    power = np.exp(value - value.max(axis=axis, keepdims=True))
    return np.asarray(power / power.sum(axis=axis, keepdims=True))


def _square(value: Value) -> npt.NDArray[np.float64]:
    if isinstance(value, float):
        return np.full((1, 1), value)
    if value.shape[0] != value.shape[1]:
        raise NoValueError("a matrix that is not square")
    return value


def _diag(value: Value) -> Value:
    if isinstance(value, float):
        return value
    return np.diag(value.ravel()) if 1 in value.shape else np.diag(value)[:, None].copy()


def _logdet(value: Value) -> Value:
    sign, found = np.linalg.slogdet(_square(value))
    if sign <= 0:
        raise NoValueError("a determinant that is not positive")
    return float(found)


def _bars(value: Value) -> Value:
    """Return the determinant of a square matrix, the length of a vector, or an absolute value."""
    if isinstance(value, float):
        return abs(value)
    return float(np.linalg.det(value)) if 1 not in value.shape else float(np.linalg.norm(value))


FUNCTIONS: dict[str, Callable[[Value], Value]] = {
    "log": elementwise(np.log),
    "exp": elementwise(np.exp),
    "tanh": elementwise(np.tanh),
    "sin": elementwise(np.sin),
    "cos": elementwise(np.cos),
    "sinh": elementwise(np.sinh),
    "cosh": elementwise(np.cosh),
    "sqrt": elementwise(np.sqrt),
    "factorial": elementwise(lambda u: np.vectorize(math.gamma)(np.asarray(u) + 1.0)),
    "abs": elementwise(np.abs),
    "sign": elementwise(np.sign),
    "sigmoid": elementwise(lambda u: 1 / (1 + np.exp(-np.asarray(u)))),
    "relu": elementwise(lambda u: np.maximum(np.asarray(u), 0)),
    "softplus": elementwise(lambda u: np.log1p(np.exp(u))),
    "softmax": _softmax,
    "sum": lambda value: float(np.sum(value)),
    "rowsum": lambda value: value if isinstance(value, float) else value.sum(axis=1, keepdims=True),
    "colsum": lambda value: value if isinstance(value, float) else value.sum(axis=0, keepdims=True),
    "mean": lambda value: float(np.mean(value)),
    "sym": lambda value: value if isinstance(value, float) else (value + value.T) / 2,
    "tr": lambda value: float(np.trace(_square(value))),
    "det": lambda value: float(np.linalg.det(_square(value))),
    "logdet": _logdet,
    "bars": _bars,
    "diag": _diag,
    "norm": lambda value: float(np.linalg.norm(value)),
    "norm1": lambda value: float(np.abs(value).sum()),
    "vec": lambda value: value if isinstance(value, float) else value.reshape(-1, 1, order="F"),
}
"""The functions by name; those of one argument."""


def gaussian(at: Value, mean: Value, variance: Value) -> float:
    """Return the density of a normal distribution; the variance is a number or a matrix."""
    apart = np.ravel(np.subtract(at, mean))
    spread = np.asarray(variance, dtype=float)
    matrix = spread * np.eye(len(apart)) if spread.ndim == 0 else spread
    if matrix.shape != (len(apart), len(apart)):
        raise NoValueError("a variance in another shape than the mean")
    scale = np.linalg.det(2 * np.pi * matrix)
    if scale <= 0:
        raise NoValueError("a variance that is not positive")
    return float(np.exp(-apart @ np.linalg.solve(matrix, apart) / 2) / np.sqrt(scale))


def joined(parts: list[Value]) -> Value:
    """Return a vector for a list of vectors, each of which goes into it by a matrix of its own.

    Every vector has the same number of entries here, the joined one too, so that any matrix may
    be multiplied with it. What holds for it where it stands as a whole holds for every vector.
    """
    total: Value | None = None
    for number, part in enumerate(parts):
        if isinstance(part, float) or 1 not in part.shape:
            raise NoValueError("a list with a part that is not a vector")
        size = part.size
        places = np.arange(size * size, dtype=float).reshape(size, size)
        spread = np.cos(1.3 * places + number) + np.eye(size)
        column = part.shape[1] == 1
        found = spread @ part if column else part @ spread.T
        total = found if total is None else together(total, found, np.add)
    if total is None:
        raise NoValueError("an empty list")
    return total


def stand_in(name: str) -> Callable[[Value], Value]:
    """Return a smooth function for a name that the text does not define."""
    number = zlib.crc32(name.encode())
    shift, slope = (number % 97) / 97, 0.7 + (number // 97 % 89) / 89
    return elementwise(
        lambda u: (
            np.sin(slope * np.asarray(u) + shift)
            + 0.3 * np.asarray(u) ** 2
            + 1.5 * np.asarray(u)
            + 0.4
        )
    )


def product(left: Value, right: Value, meet: str) -> Value:
    """Return the product of two values; `meet` says how vectors of one shape are multiplied."""
    if isinstance(left, float) or isinstance(right, float):
        return left * right
    if left.shape[1] == right.shape[0]:
        found = left @ right
        return float(found[0, 0]) if found.shape == (1, 1) else found
    if meet == "inner" and left.shape == right.shape and left.shape[1] == 1:
        return float(np.sum(left * right))
    if meet == "entries" and (left.shape == right.shape or 1 in left.shape + right.shape):
        return together(left, right, np.multiply)
    if meet == "inner" and left.shape == (1, right.shape[1]) == right.shape[::-1]:
        return float(np.sum(left * right))
    raise NoValueError("factors whose shapes do not meet")


def together(left: Value, right: Value, operation: Callable[..., object]) -> Value:
    """Apply an operation entry by entry, a row or a column repeated where the other is a matrix."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray) and left.shape != right.shape:
        both = {left.shape, right.shape}
        if not any(1 not in shape for shape in both):
            raise NoValueError("terms whose shapes do not meet")
    found = operation(left, right)
    return float(found) if np.ndim(found) == 0 else np.asarray(found)  # type: ignore[arg-type]


def power(base: Value, exponent: Value) -> Value:
    """Return a power: of a square matrix by whole numbers, of other values entry by entry."""
    if isinstance(exponent, np.ndarray):
        raise NoValueError("a power that is not a number")
    if isinstance(base, np.ndarray) and 1 not in base.shape:
        if exponent == round(exponent):
            return np.asarray(np.linalg.matrix_power(base, round(exponent)))
        raise NoValueError("a broken power of a matrix")
    if isinstance(base, np.ndarray) and exponent == -1:
        raise NoValueError("the inverse of a vector")
    with np.errstate(all="ignore"):
        found = np.power(np.asarray(base, dtype=float), exponent)
    return float(found) if found.ndim == 0 else found
