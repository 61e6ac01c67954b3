"""Comparison of two values, and whether a claim is off by a slip."""

from __future__ import annotations

import numpy as np

from chainrule.teaching.marking.by_value.environments import environments
from chainrule.teaching.marking.by_value.functions import NoValueError, Value
from chainrule.teaching.marking.by_value.openness import is_of_slopes
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.terms import Constant, Term
from chainrule.teaching.marking.by_value.values import World

CLOSE = 2e-6
"""The relative difference below which two values agree."""

NOTHING = 1e-9
"""The size below which a difference quotient is zero."""

SLIPS = (-1.0, 2.0, 0.5, -2.0, -0.5)
"""The ratios of two sides that differ by a sign, a factor of two, or both."""


def difference(left: Value, right: Value) -> tuple[float, float] | None:
    """Return two numbers that differ; None where the values agree.

    Raises
    ------
    NoValueError
        When the shapes differ, or a value is not finite.
    """
    one, other = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    if one.shape != other.shape:
        if one.ndim == 2 and one.shape == other.shape[::-1]:
            other = other.T
        elif one.ndim == 0 or other.ndim == 0:
            constant = one if one.ndim == 0 else other
            if float(constant) != 0.0:
                raise NoValueError("a number on one side, a matrix on the other")
        else:
            one, other = _as_diagonals(one, other)
    if not (np.isfinite(one).all() and np.isfinite(other).all()):
        raise NoValueError("a value that is not finite")
    one, other = np.broadcast_arrays(one, other)
    far = np.abs(one - other) > CLOSE * (1e-2 + np.maximum(np.abs(one), np.abs(other)))
    if one.ndim == 2 and one.shape[0] == one.shape[1] and far.any() and one.shape == other.shape:
        pass
    if not far.any():
        return None
    place = np.unravel_index(int(np.argmax(np.abs(one - other))), one.shape)
    return float(one[place]), float(other[place])


def _as_diagonals(
    one: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    other: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], ...]:
    """Compare a diagonal Jacobian with the vector of its diagonal."""
    for matrix, vector, first in ((one, other, True), (other, one, False)):
        square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
        if square and 1 in vector.shape and np.allclose(matrix, np.diag(np.diag(matrix))):
            diagonal = np.diag(matrix).reshape(vector.shape)
            return (diagonal, vector) if first else (vector, diagonal)
    raise NoValueError("two sides of different shapes")


def is_nothing(
    world: World, pairs: list[tuple[Term | None, Term | None]], environments: list[dict[str, int]]
) -> bool:
    """Whether all sides are zero, and none is written so."""
    sides = [side for pair in pairs for side in pair]
    if any(side == Constant(0.0) for side in sides):
        return False
    return not any(
        np.any(np.abs(world.value(side, env)) > NOTHING)
        for side in sides
        if side is not None
        for env in environments
    )


def slip_of(reader: Reader, claim: Claim, sign: int, worlds: list[World]) -> float | None:
    """Return the ratio of two sides where it is that of a slip at every point; else None."""
    left, right = claim.sides[sign - 1], claim.sides[sign]
    if left is None or right is None or not is_of_slopes(reader, claim):
        return None
    found = set(SLIPS)
    some = False
    for env in environments(reader, claim)[:4]:
        for world in worlds:
            world.order, world.spent = claim.order, 0
            try:
                one, other = world.value(left, env), world.value(right, env)
                found = {r for r in found if difference(one, r * other) is None}
            except (NoValueError, ArithmeticError, ValueError, np.linalg.LinAlgError):
                return None
            some = some or bool(np.any(other))
            if not found:
                return None
    return found.pop() if some and len(found) == 1 else None


def said_of(ratio: float | None) -> str:
    """Return a slip in words."""
    return "the other sign" if ratio == -1.0 else f"the factor {ratio:g} more"
