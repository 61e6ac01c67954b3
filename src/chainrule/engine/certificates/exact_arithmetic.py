"""Arithmetic that cannot round: fractions, for proofs of separation and of collinearity.

Every float64 is a fraction, so what holds for the fractions holds for the data as they are stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray

_LARGEST: Final[int] = 10**6

Vector = list[Fraction]


def exactly(values: FloatArray) -> Vector:
    """Return floats as the fractions that they are."""
    return [Fraction(float(value)) for value in values]


def whole_numbers(values: FloatArray, denominator: int) -> FloatArray | None:
    """Return a multiple of the nearest fractions with denominators up to this, all whole.

    Returns
    -------
    ndarray or None
        None if the common denominator is large.
    """
    fractions = [Fraction(float(value)).limit_denominator(denominator) for value in values]
    common = 1
    for fraction in fractions:
        common = int(np.lcm(common, fraction.denominator))
        if common > _LARGEST:
            return None
    return np.array([float(fraction * common) for fraction in fractions])


def dot(left: Vector, right: Vector) -> Fraction:
    """Return the sum of products."""
    return sum((a * b for a, b in zip(left, right, strict=True) if a and b), Fraction(0))


def null_vector(rows: Sequence[Vector], near: Vector) -> Vector | None:
    """Return a vector that every row takes to zero, as `near` as its free entries allow.

    Gauss-Jordan elimination; the largest entry of a row is its pivot. The entries without a pivot
    are those of `near`.

    Returns
    -------
    list of Fraction or None
        None if only the zero vector will do.
    """
    reduced: dict[int, Vector] = {}
    for row in rows:
        left = list(row)
        for pivot, other in reduced.items():
            if left[pivot]:
                left = _less(left, left[pivot], other)
        top = max(range(len(left)), key=lambda j: abs(left[j]))
        if not left[top]:
            continue
        left = [a / left[top] if a else a for a in left]
        for pivot, other in reduced.items():
            if other[top]:
                factor = other[top]
                reduced[pivot] = [
                    a - factor * b if b else a for a, b in zip(other, left, strict=True)
                ]
        reduced[top] = left
    answer = [Fraction(0) if j in reduced else value for j, value in enumerate(near)]
    if not any(answer):
        return None
    for pivot, row in reduced.items():
        answer[pivot] = -dot(row, answer)
    return answer


def _less(row: Vector, factor: Fraction, other: Vector) -> Vector:
    return [a - factor * b if b else a for a, b in zip(row, other, strict=True)]
