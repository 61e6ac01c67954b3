"""Compiled passes over condensed sparse rows of several classes: see `condensed` for one score.

Tables have one row per example or per column, and the numbers of its classes side by side, in a
multiple of four places; those beyond the last class stay 0. The own coefficients u_i of row i, one
per class, are eliminated: with H = diag(q) - q q^T / sum(q), q the weighted probabilities, and s_i
the entry of the own column, H (I + s_i^2 H)^-1 = diag(t) - t t^T / sum(t), t = q / (1 + s_i^2 q).
So the condensed Hessian is a softmax's, of other probabilities, t / sum(t), and another weight.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.gathered import add_rows, add_squares
from chainrule.engine.passes.kernels.softmax import drift_part, pull_of, residuals

Array = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]


@exact
def _pulls(share: Vector, heft: float, n_classes: int, moved: Vector, found: Vector) -> None:
    """Put (diag(t) - t t^T / sum(t)) moved into `found`, for t = heft * share."""
    top = 0
    for k in range(1, n_classes):
        if share[k] > share[top]:
            top = k
    level, drift = moved[top], 0.0
    for k in range(n_classes):
        drift += drift_part(share[k], 0.0, moved[k] - level)
    for k in range(n_classes):
        found[k] = heft * pull_of(share[k], 0.0, moved[k] - level, drift)
    for k in range(n_classes, found.shape[0]):
        found[k] = 0.0


@exact
def row_pass(
    values: Array,
    columns: Array,
    begins: Array,
    start: int,
    stop: int,
    coef: Array,
    level: Vector,
    scores: Array,
) -> None:
    """Fill in scores = X coef + level for some rows."""
    for i in range(start, stop):
        for k in range(scores.shape[1]):
            scores[i, k] = level[k]
        first, last = np.int64(begins[i]), np.int64(begins[i + 1])
        add_rows(values, columns, coef, scores, first, last, i)


@exact
def pull_pass(
    start: int,
    stop: int,
    n_classes: int,
    share: Array,
    heft: Vector,
    scores: Array,
    pull: Array,
    total: Vector,
) -> None:
    """Fill in the condensed curvature of some rows times their scores, and the sum over them."""
    total[:] = 0.0
    for i in range(start, stop):
        _pulls(share[i], heft[i], n_classes, scores[i], pull[i])
        for k in range(n_classes):
            total[k] += pull[i, k]


@exact
def column_pass(
    values: Array,
    rows: Array,
    begins: Array,
    start: int,
    stop: int,
    pull: Array,
    strength: Vector,
    coef: Array,
    total: Array,
) -> None:
    """Fill in total = X^T pull + strength * coef for some columns."""
    for j in range(start, stop):
        for k in range(total.shape[1]):
            total[j, k] = strength[j] * coef[j, k]
        first, last = np.int64(begins[j]), np.int64(begins[j + 1])
        add_rows(values, rows, pull, total, first, last, j)


@exact
def gradient_pass(
    values: Array,
    rows: Array,
    begins: Array,
    start: int,
    stop: int,
    residual: Array,
    condensed_residual: Array,
    curvature: Array,
    strength: Vector,
    coef: Array,
    gradient: Array,
    condensed: Array,
    diagonal: Array,
) -> tuple[float, float]:
    """Fill in two gradients and the diagonal of the condensed Hessian, for some columns.

    Returns the sums of gradient^2 / (2 strength), which bounds f - f*, and of strength coef^2 / 2.
    """
    gap, penalty = 0.0, 0.0
    for j in range(start, stop):
        stiff = strength[j]
        for k in range(gradient.shape[1]):
            level = stiff * coef[j, k]
            gradient[j, k], condensed[j, k], diagonal[j, k] = level, level, stiff
            penalty += 0.5 * level * coef[j, k]
        first, last = np.int64(begins[j]), np.int64(begins[j + 1])
        add_rows(values, rows, residual, gradient, first, last, j)
        add_rows(values, rows, condensed_residual, condensed, first, last, j)
        add_squares(values, rows, curvature, diagonal, first, last, j)
        for k in range(gradient.shape[1]):
            gap += gradient[j, k] * gradient[j, k] / (2 * stiff)
    return gap, penalty


@exact
def example_pass(
    raw: Array,
    codes: Codes,
    weight: Vector,
    own: Vector,
    alone: Array,
    n_classes: int,
    residual: Array,
    condensed: Array,
    curvature: Array,
    pushed: Array,
    share: Array,
    heft: Vector,
    sums: Array,
    room: Array,
    lines: Array,
    best: Codes,
) -> tuple[float, float]:
    """Evaluate the losses, and condense the own coefficients of each row.

    Parameters
    ----------
    raw : ndarray of shape (n_samples, places)
    codes, weight, own : ndarray of shape (n_samples,)
        Class, weight and the size of the own column.
    alone : ndarray of shape (n_samples, places)
        The own coefficients.
    n_classes : int
    residual, condensed, curvature : ndarray of shape (n_samples, places)
        Receive residuals, condensed residuals, and the diagonal of the condensed curvature.
    pushed : ndarray of shape (n_samples, places)
        Receives the gradients w.r.t. own coefficients.
    share : ndarray of shape (n_samples, places)
        Receives t / sum(t), as does `heft`, (n_samples,), sum(t).
    sums : ndarray of shape (3, places)
        Receives the sums of residuals, condensed residuals and condensed curvatures.
    room : ndarray of shape (2, n_classes, step)
    lines : ndarray of shape (5, step)
    best : ndarray of shape (step,)

    Returns
    -------
    value, gap : float
        The sums of losses and |alone|^2 / 2, and of |pushed|^2 / 2.
    """
    n_rows, step, value, gap = raw.shape[0], lines.shape[1], 0.0, 0.0
    scores, table = room[0], room[1]
    sums[:] = 0.0
    for first in range(0, n_rows, step):
        stop = min(first + step, n_rows)
        for i in range(first, stop):
            for k in range(n_classes):
                scores[k, i - first] = raw[i, k]
        labels, weights = codes[first:stop], weight[first:stop]
        value += residuals(scores, 0, labels, weights, table, lines, best)
        for i in range(first, stop):
            size, total = own[i], 0.0
            for k in range(residual.shape[1]):
                residual[i, k], pushed[i, k], share[i, k] = 0.0, 0.0, 0.0
            for k in range(n_classes):
                r = table[k, i - first]
                chance = max(r + weight[i], 0.0) if k == codes[i] else r
                push = size * r + alone[i, k]
                residual[i, k], pushed[i, k] = r, push
                share[i, k] = chance / (1.0 + size * size * chance)
                total += share[i, k]
                value += 0.5 * alone[i, k] * alone[i, k]
                gap += 0.5 * push * push
            heft[i] = total
            for k in range(n_classes):
                share[i, k] = share[i, k] / total if total > 0 else 0.0
            _pulls(share[i], total, n_classes, pushed[i], condensed[i])
            for k in range(residual.shape[1]):
                condensed[i, k] = residual[i, k] - size * condensed[i, k]
                curvature[i, k] = total * share[i, k] * (1.0 - share[i, k])
                sums[0, k] += residual[i, k]
                sums[1, k] += condensed[i, k]
                sums[2, k] += curvature[i, k]
    return value, gap


@exact
def own_steps(
    own: Vector,
    share: Array,
    heft: Vector,
    n_classes: int,
    pushed: Array,
    travelled: Array,
    steps: Array,
    room: Array,
) -> tuple[float, float]:
    """Fill in the steps of own coefficients, and add what they move to `travelled`.

    Returns the sums of pushed * steps, and of how far these alone lower the quadratic model.
    """
    slope, decrement = 0.0, 0.0
    moved, found = room[0], room[1]
    for i in range(own.shape[0]):
        size = own[i]
        _pulls(share[i], heft[i], n_classes, pushed[i], found)
        for k in range(n_classes):
            decrement += 0.5 * pushed[i, k] * (pushed[i, k] - size * size * found[k])
            moved[k] = travelled[i, k] - size * pushed[i, k]
        _pulls(share[i], heft[i], n_classes, moved, found)
        for k in range(n_classes):
            steps[i, k] = -(pushed[i, k] + size * found[k])
            travelled[i, k] += size * steps[i, k]
            slope += pushed[i, k] * steps[i, k]
    return slope, decrement
