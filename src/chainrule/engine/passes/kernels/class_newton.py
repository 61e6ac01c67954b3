"""Compiled: Newton's method for one small dense problem of several classes.

There is no line of Python between two steps. Rows lie column by column, with a column of ones for
the intercepts, so that every product with them runs over many examples at once. Parameters are in
the order of `Objective.pack`: class by class, the intercept last.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses import _emitted_classes as formulas
from chainrule.engine.losses.vectorised import (
    Vector,
    exact,
    exp_nonpositive,
    inlined,
    log1p_nonnegative,
    with_functions,
)
from chainrule.engine.passes.kernels.cholesky import factor, solve
from chainrule.engine.passes.kernels.columns import add_column_sums, column_scores
from chainrule.engine.passes.kernels.newton import KEPT, STALLED
from chainrule.engine.passes.kernels.softmax import Codes, residuals, shares

Matrix = npt.NDArray[Any]
Tables = npt.NDArray[Any]

_BACKWARD = 30

_pair: Any = inlined(
    with_functions(formulas.softmax_pair, exp=exp_nonpositive, log1p=log1p_nonnegative)
)


@exact
def _copy(source: Vector, target: Vector) -> None:
    """Copy one number after the other: an assignment of arrays may need memory."""
    for i in range(source.shape[0]):
        target[i] = source[i]


@exact
def _value_pass(
    X: Matrix,
    codes: Codes,
    weight: Vector,
    strength: Vector,
    point: Vector,
    raw: Matrix,
    gradient: Vector,
    table: Matrix,
    lines: Matrix,
    best: Codes,
) -> float:
    """Fill in raw predictions and gradient at a point; return f."""
    n_rows, size, step = X.shape[0], X.shape[1], table.shape[1]
    gradient[:] = 0.0
    value = 0.0
    for first in range(0, n_rows, step):
        stop = min(first + step, n_rows)
        count = stop - first
        for k in range(raw.shape[0]):
            of_class = point[k * size : (k + 1) * size]
            column_scores(X, first, stop, of_class, 0.0, raw[k, first:stop])
        value += residuals(raw, first, codes[first:stop], weight[first:stop], table, lines, best)
        for k in range(raw.shape[0]):
            total = gradient[k * size : (k + 1) * size]
            add_column_sums(X, first, stop, table[k, :count], total)
    for k in range(raw.shape[0]):
        for j in range(size):
            place = k * size + j
            value += 0.5 * strength[j] * point[place] * point[place]
            gradient[place] += strength[j] * point[place]
    return value


@exact
def _hessian_pass(
    X: Matrix,
    weight: Vector,
    strength: Vector,
    raw: Matrix,
    hessian: Matrix,
    halves: Tables,
    table: Matrix,
    lines: Matrix,
    best: Codes,
) -> None:
    """Fill in the Hessian of f where the raw predictions are given.

    What two classes do to each other is summed; what a class does to itself follows, as in
    `class_tables.class_hessian`.
    """
    n_rows, size, step = X.shape[0], X.shape[1], table.shape[1]
    n_classes, others, pairs, part = raw.shape[0], lines[1], lines[5], lines[6]
    halves[:] = 0.0
    for first in range(0, n_rows, step):
        stop = min(first + step, n_rows)
        count = stop - first
        shares(raw, first, count, table, lines, best)
        number = 0
        for k in range(n_classes):
            for other in range(k + 1, n_classes):
                one, two = table[k], table[other]
                for i in range(count):
                    pairs[i] = weight[first + i] * _pair(one[i], two[i], others[i])
                for j in range(size):
                    for i in range(count):
                        part[i] = pairs[i] * X[first + i, j]
                    add_column_sums(X[:, : j + 1], first, stop, part[:count], halves[number, j])
                number += 1
    hessian[:] = 0.0
    number = 0
    for k in range(n_classes):
        for other in range(k + 1, n_classes):
            for i in range(size):
                for j in range(size):
                    found = halves[number, max(i, j), min(i, j)]
                    hessian[k * size + i, other * size + j] = found
                    hessian[other * size + i, k * size + j] = found
                    hessian[k * size + i, k * size + j] -= found
                    hessian[other * size + i, other * size + j] -= found
            number += 1
    for k in range(n_classes):
        for j in range(size):
            hessian[k * size + j, k * size + j] += strength[j]


@exact
def _factored(hessian: Matrix, n_classes: int, matrix: Matrix, scale: Vector) -> bool:
    """Factor the Hessian, completed where adding a number to all classes changes nothing.

    Gradients have no part there, and neither do steps.
    """
    size = matrix.shape[0] // n_classes
    for j in range(size):
        peak = 0.0
        for k in range(n_classes):
            peak = max(peak, hessian[k * size + j, k * size + j])
        for k in range(n_classes):
            scale[k * size + j] = np.sqrt(peak) if peak > 0 else 1.0
    for i in range(matrix.shape[0]):
        for j in range(i + 1):
            matrix[i, j] = hessian[i, j] / scale[i] / scale[j]
        for j in range(i % size, i + 1, size):
            matrix[i, j] += 1.0 / n_classes
    return factor(matrix)


@exact
def _unproven(gradient: Vector, strength: Vector, per_class: Vector) -> float:
    """Return what a gradient leaves unproven, about: what the penalty and the intercepts allow.

    The intercepts' part is that of `duality_gap.balanced_intercepts`, for losses near 1.
    """
    size, odds, total, weight = strength.shape[0], 0.0, 0.0, 0.0
    for k in range(per_class.shape[0]):
        weight += per_class[k]
        for j in range(size):
            slope = abs(gradient[k * size + j])
            if strength[j] > 0:
                total += 0.5 * slope * slope / strength[j]
            elif slope > 0:
                odds = max(odds, slope / per_class[k])
    return total + odds * weight


@exact
def fit(
    X: Matrix,
    codes: Codes,
    weight: Vector,
    strength: Vector,
    per_class: Vector,
    tolerance: float,
    max_iter: int,
    point: Vector,
    gradient: Vector,
    raw: Matrix,
    curvature: Matrix,
    reference: Vector,
    held: Matrix,
    log: Matrix,
    vectors: Matrix,
    matrix: Matrix,
    halves: Tables,
    table: Matrix,
    lines: Matrix,
    best: Codes,
) -> tuple[int, float]:
    """Minimise sum_i s_i loss_i + sum_j strength_j |coef_j|^2 / 2 for several classes.

    A Hessian serves as long as the squared Newton decrement falls fast with it, as in `newton`.
    Near the optimum, steps with the last one go on until a proof by the penalty alone will do.

    Parameters
    ----------
    X : ndarray of shape (n_rows, size), in Fortran order
        The last column is one where there are intercepts.
    codes : ndarray of shape (n_rows,)
        The number of each row's class.
    weight : ndarray of shape (n_rows,)
    strength : ndarray of shape (size,)
        0 for the intercept.
    per_class : ndarray of shape (n_classes,)
        The weight of each class.
    tolerance : float
        Relative to the objective.
    max_iter : int
    point : ndarray of shape (p,)
        Where to start, its classes adding up to nothing; where it ended, p = n_classes * size.
    gradient : ndarray of shape (p,)
        Filled in, as are the next ones: what is known where it ended.
    raw : ndarray of shape (n_classes, n_rows)
    curvature : ndarray of shape (p, p)
        The last Hessian.
    reference, held : ndarray
        Where it was formed: the parameters and the raw predictions.
    log : ndarray of shape (max_iter, 3)
        For each step: the objective and the norm of the gradient before it, and its length.
    vectors, matrix, halves, table, lines, best
        Room: (4, p); (p, p); (pairs of classes, size, size); (n_classes, step); (7, step); (step,).

    Returns
    -------
    steps : int
        -1 where the optimum was not reached.
    value : float
        The objective where it ended.
    """
    n_classes = raw.shape[0]
    scale, step, trial, fresh = vectors[0], vectors[1], vectors[2], vectors[3]
    _copy(point, trial)
    known, slope, length, backward, steps = np.inf, 0.0, 1.0, 0, 0
    is_formed, previous, near, done = False, 0.0, False, False
    while True:
        value = _value_pass(X, codes, weight, strength, trial, raw, fresh, table, lines, best)
        allowed = 1e-13 * abs(known) if near else 1e-4 * length * slope
        if not value <= known + allowed:
            backward += 1
            if backward > _BACKWARD or done:
                return -1, known
            length *= 0.5
            for j in range(point.shape[0]):
                trial[j] = point[j] + length * step[j]
            continue
        if steps > 0:
            log[steps - 1, 2] = length
        known = value
        _copy(trial, point)
        _copy(fresh, gradient)
        if done:
            return steps, known
        if steps == max_iter:
            return -1, known
        decrement = solve(matrix, scale, gradient, step) if is_formed else 0.0
        serves = is_formed and backward == 0 and decrement <= KEPT * previous
        if is_formed and backward == 0 and decrement > STALLED * previous:
            # near the optimum no other Hessian would do better
            serves = serves or 0.5 * decrement <= tolerance * known
        before = previous if is_formed else 0.0
        if not serves:
            _hessian_pass(X, weight, strength, raw, curvature, halves, table, lines, best)
            _copy(point, reference)
            for k in range(n_classes):
                _copy(raw[k], held[k])
            if not _factored(curvature, n_classes, matrix, scale):
                return -1, known
            decrement = solve(matrix, scale, gradient, step)
        is_formed, backward, length, previous = True, 0, 1.0, decrement
        if not decrement > 0:
            return (steps if decrement == 0 else -1), known
        slope = -decrement
        near = 0.5 * decrement <= tolerance * known
        if near:
            # gradients fall as fast as they did, which is the root of the decrement's fall; with a
            # fresh Hessian by about the root of the decrement, since the loss is self-concordant
            fall = np.sqrt(decrement / before) if before > decrement else 1.0
            if not serves:
                fall = min(fall, np.sqrt(decrement))
            left = fall * _unproven(gradient, strength, per_class)
            done = left <= tolerance * known or (before > 0 and decrement > STALLED * before)
        total = 0.0
        for j in range(point.shape[0]):
            total += gradient[j] * gradient[j]
            step[j] = -step[j]
            trial[j] = point[j] + step[j]
        log[steps, 0], log[steps, 1] = known, np.sqrt(total)
        steps += 1
