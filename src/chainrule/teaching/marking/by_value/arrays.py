"""Entries, transposes and slopes of values."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from chainrule.teaching.marking.by_value.functions import (
    NoValueError,
    Value,
)

SIZE = 3
"""The length of every vector, and the number of values of every index."""

FIXED = 2
"""The value of an index that a definition leaves open."""

STEP = 1e-3
STENCIL = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
"""Steps and weights of a difference of fourth order."""


def squeezed(value: Value) -> npt.NDArray[np.float64]:
    """Return a value without axes of length 1."""
    return np.squeeze(np.asarray(value, dtype=float))


def turned(value: Value) -> Value:
    """Return the transpose."""
    return value if isinstance(value, float) else value.T


def diagonal_of(value: Value, other: Value) -> Value:
    """Return the diagonal of a diagonal matrix that meets a vector entry by entry."""
    if np.ndim(value) == 2 and np.ndim(other) == 2 and np.shape(value) != np.shape(other):
        matrix = np.asarray(value)
        if matrix.shape == (SIZE, SIZE) and np.allclose(matrix, np.diag(np.diag(matrix))):
            return np.diag(matrix).reshape(np.shape(other)).copy()
    return value


def entry(value: Value, places: tuple[int, ...]) -> Value:
    """Return an entry of a vector or a matrix, or a row of a matrix as a column."""
    if isinstance(value, float):
        raise NoValueError("an entry of a number")
    if any(at < 1 or at > SIZE for at in places):
        raise NoValueError("an index out of its range")
    if len(places) == 1 and 1 in value.shape:
        return float(value.ravel()[places[0] - 1])
    if len(places) == 1:
        return np.array(value[places[0] - 1, :], dtype=float).reshape(-1, 1)
    if len(places) == 2 and 1 not in value.shape:
        return float(value[places[0] - 1, places[1] - 1])
    raise NoValueError("more indices than the value has")


def place(shape: tuple[int, ...], rest: tuple[int, ...]) -> tuple[int, ...]:
    """Return where an entry with these indices stands in an array."""
    if len(rest) == 1 and 1 in shape:
        return (rest[0] - 1, 0) if shape[1] == 1 else (0, rest[0] - 1)
    if len(rest) == 2 and len(shape) == 2:
        return rest[0] - 1, rest[1] - 1
    raise NoValueError("an entry that the value does not have")


def sloped(function: Callable[[Value], Value], at: Value, order: int) -> Value:
    """Return the slope of a function that acts elementwise."""
    if order == 0:
        return function(at)
    if order > 2:
        raise NoValueError("a slope of high order")
    total: Value | None = None
    for steps, weight in STENCIL:
        value = sloped(function, at + steps * STEP, order - 1)
        if np.shape(value) != np.shape(at):
            raise NoValueError("the slope of a function that is not taken entry by entry")
        total = weight * value if total is None else total + weight * value
    assert total is not None
    found = total / STEP
    return float(found) if np.ndim(found) == 0 else np.asarray(found)


def jacobian(function: Callable[[Value], Value], at: npt.NDArray[np.float64]) -> Value:
    """Return the Jacobian of a function of a vector; its diagonal where it acts entry by entry."""
    columns = []
    for place_of in np.ndindex(*at.shape):
        total: npt.NDArray[np.float64] | None = None
        for steps, weight in STENCIL:
            moved = at.copy()
            moved[place_of] += steps * STEP
            value = weight * squeezed(function(moved))
            total = value if total is None else total + value
        assert total is not None
        columns.append(total / STEP)
    found = np.array(columns).T
    if found.ndim == 1:
        return found[None, :]
    if found.ndim > 2:
        raise NoValueError("a derivative with more than two indices")
    diagonal = found.shape[0] == found.shape[1] and np.allclose(found, np.diag(np.diag(found)))
    return np.diag(found).reshape(at.shape).copy() if diagonal else found
