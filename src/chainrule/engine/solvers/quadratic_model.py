"""A quadratic model of the losses, minimised together with an elastic net.

Coordinate descent finds which coefficients are 0; a system of equations for the others finishes
where descent along single coordinates is slow, as for nearly collinear columns.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.runtime.lapack import lapack
from chainrule.engine.runtime.native import NativeModule, can_compile

_SWEEPS: Final[int] = 60
_ROUNDS: Final[int] = 40
_RIDGE: Final[float] = 1e-13

_kernels = NativeModule("coordinate_descent")


def minimise(
    matrix: FloatArray,
    slope: FloatArray,
    w: FloatArray,
    penalty: ElasticNet,
    unit: FloatArray,
    tolerance: float,
) -> FloatArray:
    """Return the minimiser of slope^T (v - w) + (v - w)^T matrix (v - w) / 2 + P(v).

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        Positive semi-definite.
    slope : ndarray of shape (k,)
        The derivative of the losses at w.
    w : ndarray of shape (k,)
    penalty : ElasticNet
        Of these k columns.
    unit : ndarray of shape (k,)
    tolerance : float
        The largest violation of the conditions for a minimum, in these units.
    """
    if penalty.l2.any():
        matrix = matrix.copy()
        matrix.flat[:: len(matrix) + 1] += penalty.l2
    matrix = np.ascontiguousarray(matrix)
    slope, w = slope + penalty.l2 * w, w.copy()
    if penalty.is_smooth:
        step = _solved(matrix, slope)
        if step is not None:
            return np.asarray(w + step)
    room = np.empty(len(w), dtype=np.int64)
    most = min(_SWEEPS, max(8, 4_000_000 // max(1, len(w)) ** 2))
    for _ in range(_ROUNDS):
        limits = (penalty.l1, penalty.lower, penalty.upper, unit)
        if can_compile():
            n_sweeps, _ = _kernels.descend(matrix, slope, w, *limits, tolerance, most, room)
        else:
            n_sweeps = _descend(matrix, slope, w, *limits, tolerance, most)
        if n_sweeps < most:
            break
        _solve(matrix, slope, w, penalty)
    return w


def with_rank(matrix: FloatArray, u: FloatArray, a: float) -> FloatArray:
    """Return matrix + a u u^T."""
    return with_two_ranks(matrix, u, a, u, 0.0)


def with_two_ranks(
    matrix: FloatArray, u: FloatArray, a: float, v: FloatArray, b: float
) -> FloatArray:
    """Return matrix + a u u^T + b v v^T, for a symmetric matrix."""
    if not can_compile():
        return matrix + np.outer(u, a * u) + np.outer(v, b * v)
    found = np.empty(matrix.shape)
    vectors = (np.ascontiguousarray(vector) for vector in (u, v))
    if not matrix.flags.c_contiguous:
        matrix = matrix.copy()
    first, second = vectors
    _kernels.add_two_ranks(matrix, first, float(a), second, float(b), found)
    return found


def _solved(matrix: FloatArray, slope: FloatArray) -> FloatArray | None:
    """Return the solution of matrix step = -slope, by Cholesky's method where that works."""
    if not len(slope):
        return slope
    _, step, info = lapack().dposv(matrix.T, -slope)
    if info:
        try:
            step = -np.linalg.solve(matrix, slope)
        except np.linalg.LinAlgError:
            return None
    return step if np.isfinite(step).all() else None


def _solve(matrix: FloatArray, slope: FloatArray, w: FloatArray, penalty: ElasticNet) -> None:
    """Solve for the coefficients that are neither 0 nor at a bound, in place.

    Where one of them would change its sign or leave its bounds, it stops there and is left out.
    """
    inside = (w > penalty.lower) & (w < penalty.upper)
    moving = np.flatnonzero(inside & ((w != 0) | (penalty.l1 == 0)))
    while len(moving):
        rows = matrix[moving]
        part = rows[:, moving]
        part.flat[:: len(part) + 1] *= 1 + _RIDGE
        here = w[moving]
        step = _solved(part, slope[moving] + penalty.l1[moving] * np.sign(here))
        if step is None:
            return
        signed = penalty.l1[moving] > 0
        low = np.where(signed & (here > 0), 0.0, penalty.lower[moving])
        high = np.where(signed & (here < 0), 0.0, penalty.upper[moving])
        low, high = np.maximum(low, penalty.lower[moving]), np.minimum(high, penalty.upper[moving])
        with np.errstate(divide="ignore", invalid="ignore"):
            room = np.where(step > 0, (high - here) / step, (low - here) / step)
        room = np.where(step == 0, np.inf, room)
        first = int(np.argmin(room))
        length = min(1.0, float(room[first]))
        moved = here + length * step
        if length < 1:
            moved[first] = high[first] if step[first] > 0 else low[first]
        w[moving] = moved
        slope += (moved - here) @ rows
        if length == 1:
            return
        moving = np.delete(moving, first)


def _descend(
    matrix: FloatArray,
    slope: FloatArray,
    w: FloatArray,
    l1: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    unit: FloatArray,
    tolerance: float,
    max_sweeps: int,
) -> int:
    """Do what `kernels.coordinate_descent.descend` does, without a compiler."""
    bends = matrix.diagonal()
    every = list(range(len(w)))
    active, over_all = every, True
    for sweep in range(max_sweeps):
        largest = 0.0
        for j in active:
            new = 0.0
            if bends[j] > 0:
                target = bends[j] * w[j] - slope[j]
                new = float(np.sign(target)) * max(abs(target) - l1[j], 0.0) / bends[j]
            if w[j] == 0 and abs(slope[j]) <= l1[j] + 0.5 * tolerance * unit[j]:
                new = 0.0
            new = min(max(new, lower[j]), upper[j])
            change = new - w[j]
            if change != 0:
                w[j] = new
                slope += change * matrix[j]
                largest = max(largest, abs(change) * bends[j] / unit[j])
        if largest <= tolerance and over_all:
            return sweep + 1
        over_all = largest <= tolerance
        active = every if over_all else np.flatnonzero(w).tolist()
    return max_sweeps
