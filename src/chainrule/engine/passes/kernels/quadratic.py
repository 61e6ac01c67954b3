"""Compiled: the minimum of a quadratic model and an elastic net within bounds.

Coordinate descent finds which coefficients are 0 or at a bound; where it is slow, a system of
equations finds the others.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.coordinate_descent import descend
from chainrule.engine.passes.kernels.vectors import leading_dot

Matrix = npt.NDArray[Any]

_SWEEPS: Final = 60
_ROUNDS: Final = 40
_RIDGE: Final = 1e-13
_PIVOT: Final = 1e-15
_CHANGES: Final = 1_000_000
"""Multiplications after which the system of equations takes the place of coordinate descent."""


@exact
def _solved(matrix: Matrix, moving: Matrix, count: int, factor: Matrix, vectors: Matrix) -> bool:
    """Put the solution of a part of the equations into vectors[0], given the right side there.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
    moving : ndarray of int64
        Which rows and columns take part: the first `count` entries.
    factor : ndarray of shape (k, k)
        Room for Cholesky's factor of the scaled part.
    vectors : ndarray of shape (2, k)
    """
    solution, scale = vectors[0], vectors[1]
    for a in range(count):
        bend = matrix[moving[a], moving[a]]
        if not bend > 0:
            return False
        scale[a] = np.sqrt(bend)
    for a in range(count):
        row = matrix[moving[a]]
        for b in range(a):
            total = row[moving[b]] / scale[a] / scale[b] - leading_dot(factor[a], factor[b], b)
            factor[a, b] = total / factor[b, b]
        rest = 1.0 + _RIDGE - leading_dot(factor[a], factor[a], a)
        if not rest > _PIVOT:
            return False
        factor[a, a] = np.sqrt(rest)
    for a in range(count):
        solution[a] = (solution[a] / scale[a] - leading_dot(factor[a], solution, a)) / factor[a, a]
    for a in range(count - 1, -1, -1):
        solution[a] /= factor[a, a]
        for b in range(a):
            solution[b] -= factor[a, b] * solution[a]
    for a in range(count):
        solution[a] /= scale[a]
        if not np.isfinite(solution[a]):
            return False
    return True


@exact
def _finish(
    matrix: Matrix,
    slope: Vector,
    w: Vector,
    limits: Matrix,
    moving: Matrix,
    factor: Matrix,
    vectors: Matrix,
) -> None:
    """Solve for the coefficients that are neither 0 nor at a bound, in place.

    Where one of them would change its sign or leave its bounds, it stops there and is left out.
    """
    size, count, step = w.shape[0], 0, vectors[0]
    l1, lower, upper = limits[0], limits[2], limits[3]
    for j in range(size):
        if lower[j] < w[j] < upper[j] and (w[j] != 0 or l1[j] == 0):
            moving[count] = j
            count += 1
    while count > 0:
        for a in range(count):
            j = moving[a]
            step[a] = -slope[j]
            if w[j] != 0:
                step[a] -= l1[j] if w[j] > 0 else -l1[j]
        if not _solved(matrix, moving, count, factor, vectors):
            return
        length, first = 1.0, -1
        for a in range(count):
            j = moving[a]
            low, high = lower[j], upper[j]
            if l1[j] > 0 and w[j] > 0:
                low = max(low, 0.0)
            if l1[j] > 0 and w[j] < 0:
                high = min(high, 0.0)
            if step[a] != 0:
                room = ((high if step[a] > 0 else low) - w[j]) / step[a]
                if room < length:
                    length, first = room, a
        kept = 0
        for a in range(count):
            j = moving[a]
            old = w[j]
            w[j] = old + length * step[a]
            if a == first:
                w[j] = 0.0
                if step[a] > 0 and not (l1[j] > 0 and old < 0 and upper[j] > 0):
                    w[j] = upper[j]
                if step[a] < 0 and not (l1[j] > 0 and old > 0 and lower[j] < 0):
                    w[j] = lower[j]
            change = w[j] - old
            row = matrix[j]
            for i in range(size):
                slope[i] += change * row[i]
            if a != first:
                moving[kept] = j
                kept += 1
        if first < 0:
            return
        count = kept


@exact
def minimise(
    matrix: Matrix,
    slope: Vector,
    w: Vector,
    limits: Matrix,
    is_smooth: bool,
    tolerance: float,
    moving: Matrix,
    factor: Matrix,
    vectors: Matrix,
) -> None:
    """Minimise a quadratic model and the penalty, in place; the squares are in the model."""
    size = w.shape[0]
    if is_smooth:
        for j in range(size):
            moving[j] = j
            vectors[0, j] = -slope[j]
        if _solved(matrix, moving, size, factor, vectors):
            for j in range(size):
                w[j] += vectors[0, j]
            return
    most = min(_SWEEPS, max(8, _CHANGES // max(1, size * size)))
    for _ in range(_ROUNDS):
        sweeps, _ = descend(
            matrix,
            slope,
            w,
            limits[0],
            limits[2],
            limits[3],
            limits[4],
            tolerance,
            most,
            moving,
        )
        if sweeps < most:
            return
        _finish(matrix, slope, w, limits, moving, factor, vectors)
