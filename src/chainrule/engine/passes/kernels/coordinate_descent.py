"""Compiled: coordinate descent on a quadratic model, and corrections of the model."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact

Matrix = npt.NDArray[Any]


@exact
def descend(
    matrix: Matrix,
    slope: Vector,
    w: Vector,
    l1: Vector,
    lower: Vector,
    upper: Vector,
    unit: Vector,
    tolerance: float,
    max_sweeps: int,
    active: Matrix,
) -> tuple[int, float]:
    """Minimise slope^T d + d^T matrix d / 2 + sum_j l1_j |w_j| over w within bounds, in place.

    Columns are visited in their order, so ties and collinear columns go to the first. Between two
    sweeps over all columns, those that are not 0 are visited until they settle.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
    slope : ndarray of shape (k,)
        The derivative of the quadratic part at w; kept up to date.
    w, l1, lower, upper : ndarray of shape (k,)
    unit : ndarray of shape (k,)
        What changes of the slope are measured in.
    tolerance : float
        The largest change of a sweep over all columns at which to stop.
    max_sweeps : int
    active : ndarray of int64, shape (k,)
        Room for column numbers.

    Returns
    -------
    n_sweeps : int
    largest : float
        The largest change of the last sweep.
    """
    size = w.shape[0]
    n_active = size
    for j in range(size):
        active[j] = j
    over_all, largest = True, 0.0
    for sweep in range(max_sweeps):
        largest = 0.0
        for place in range(n_active):
            j = active[place]
            bend, old = matrix[j, j], w[j]
            new = 0.0
            if bend > 0:
                target = bend * old - slope[j]
                if target > l1[j]:
                    new = (target - l1[j]) / bend
                elif target < -l1[j]:
                    new = (target + l1[j]) / bend
            if old == 0 and abs(slope[j]) <= l1[j] + 0.5 * tolerance * unit[j]:
                new = 0.0  # within the tolerance: a twin of another column stays out
            new = min(max(new, lower[j]), upper[j])
            change = new - old
            if change != 0:
                w[j] = new
                for i in range(size):
                    slope[i] += change * matrix[j, i]
                moved = abs(change) * bend / unit[j]
                largest = max(largest, moved)
        if largest <= tolerance:
            if over_all:
                return sweep + 1, largest
            over_all, n_active = True, size
            for j in range(size):
                active[j] = j
        elif over_all:
            over_all, n_active = False, 0
            for j in range(size):
                if w[j] != 0:
                    active[n_active] = j
                    n_active += 1
    return max_sweeps, largest


@exact
def add_two_ranks(matrix: Matrix, u: Vector, a: float, v: Vector, b: float, out: Matrix) -> None:
    """Put matrix + a u u^T + b v v^T into `out`."""
    size = u.shape[0]
    for i in range(size):
        left, right = a * u[i], b * v[i]
        for j in range(size):
            out[i, j] = matrix[i, j] + (left * u[j] + right * v[j])
