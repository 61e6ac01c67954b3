"""Compiled: Newton's method for one small dense problem after the other.

What `solvers.newton` does for one problem, without a line of Python between two steps. What this
does not solve, it says so of, and the general method takes over.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.template import score_pass

Matrix = npt.NDArray[Any]


@exact
def _factor(matrix: Matrix) -> bool:
    """Put Cholesky's factor L into the lower half; tell whether the matrix is safely definite."""
    size = matrix.shape[0]
    for j in range(size):
        for i in range(j, size):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i == j:
                if not total > 1e-12:  # of a matrix with ones on its diagonal
                    return False
                matrix[j, j] = np.sqrt(total)
            else:
                matrix[i, j] = total / matrix[j, j]
    return True


@exact
def _solve(factor: Matrix, vector: Vector) -> None:
    """Solve L L^T x = vector, in place."""
    size = factor.shape[0]
    for i in range(size):
        total = vector[i]
        for k in range(i):
            total -= factor[i, k] * vector[k]
        vector[i] = total / factor[i, i]
    for i in range(size - 1, -1, -1):
        total = vector[i]
        for k in range(i + 1, size):
            total -= factor[k, i] * vector[k]
        vector[i] = total / factor[i, i]


@exact
def fit_each(
    kernel: int,
    X: Matrix,
    targets: Matrix,
    weights: Matrix,
    offset: Vector,
    which: Matrix,
    strength: Vector,
    floors: Vector,
    has_intercept: bool,
    tolerance: float,
    max_iter: int,
    coef: Matrix,
    intercept: Vector,
    value: Vector,
    gap: Vector,
    n_iter: Matrix,
    curvature: Matrix,
    log: Matrix,
    raw: Vector,
    matrix: Matrix,
    hessian: Matrix,
    vectors: Matrix,
    room: Matrix,
    lines: Matrix,
) -> None:
    """Minimise sum_i s_i loss_i + sum_j strength_j coef_j^2 / 2 for several sets of examples.

    Parameters
    ----------
    kernel : int
        The address of the loss.
    X : ndarray of shape (n_samples, n_features)
    targets, weights : ndarray of shape (n_tables, n_samples)
    offset : ndarray of shape (n_samples,)
        Without entries where there is none.
    which : ndarray of int64, shape (n_fits, 4)
        First row, row after the last, row of `targets`, row of `weights`.
    strength : ndarray of shape (n_features,)
    floors : ndarray of shape (n_fits,)
        The sums of the least losses: tolerances are relative to what is above.
    coef : ndarray of shape (n_fits, n_features)
        Where to start; where each fit ended.
    intercept, value, gap : ndarray of shape (n_fits,)
        The same; the objective there; half the squared Newton decrement there.
    n_iter : ndarray of int64, shape (n_fits,)
        Steps; -1 where the optimum was not reached.
    curvature : ndarray of shape (p, p)
        The Hessian where the last fit ended, for p parameters; without entries where nobody asks.
    log : ndarray of shape (max_iter, 3)
        For each step of the last fit: the objective and the norm of the gradient before it, and its
        length; without entries where nobody asks.
    raw, matrix, hessian, vectors, room, lines
        Room: the rows of the largest set; (p, p) and (n_features, n_features);
        (6, p); the last two as in `template.score_pass`.
    """
    n_features = X.shape[1]
    size = matrix.shape[0]
    scale, step, gradient = vectors[0], vectors[1], vectors[2]
    border, trial, fresh = vectors[3][:n_features], vectors[4], vectors[5]
    for k in range(which.shape[0]):
        first, last = which[k, 0], which[k, 1]
        rows, y, weight = X[first:last], targets[which[k, 2], first:last], weights[which[k, 3]]
        weight = weight[first:last]
        shift = offset[first:last] if offset.shape[0] else offset
        scores = raw[: last - first]
        for j in range(n_features):
            trial[j] = coef[k, j]
        level = intercept[k]
        known, slope, length, done, backward = np.inf, 0.0, 1.0, False, 0
        n_iter[k] = -1
        steps = 0
        while True:
            loss, pull, corner = score_pass(
                kernel,
                rows,
                y,
                weight,
                shift,
                trial[:n_features],
                level,
                scores,
                raw[:0],
                fresh[:n_features],
                hessian,
                border,
                room,
                lines,
            )
            penalty = 0.0
            for j in range(n_features):
                penalty += 0.5 * strength[j] * trial[j] * trial[j]
                fresh[j] += strength[j] * trial[j]
            loss += penalty
            if has_intercept:
                fresh[size - 1] = pull
            allowed = 1e-4 * length * slope
            if done:  # a decrease this small drowns in the rounding of f
                allowed = 1e-13 * abs(known)
            if not loss <= known + allowed:
                backward += 1
                if backward > 30:
                    break
                length *= 0.5
                for j in range(n_features):
                    trial[j] = coef[k, j] + length * step[j]
                if has_intercept:
                    level = intercept[k] + length * step[size - 1]
                continue
            if steps > 0 and log.shape[0]:
                log[steps - 1, 2] = length
            known, backward, length = loss, 0, 1.0
            for j in range(n_features):
                coef[k, j] = trial[j]
            intercept[k], value[k] = level, known
            for j in range(size):
                gradient[j] = fresh[j]
            if done:  # the last step was taken with this factor
                for j in range(size):
                    step[j] = gradient[j] / scale[j]
                _solve(matrix, step)
                found = 0.0
                for j in range(size):
                    found += step[j] * gradient[j] / scale[j]
                gap[k], n_iter[k] = 0.5 * found, steps
                if curvature.shape[0]:
                    for i in range(n_features):
                        for j in range(n_features):
                            curvature[i, j] = hessian[i, j]
                        curvature[i, i] += strength[i]
                        if has_intercept:
                            curvature[i, size - 1] = curvature[size - 1, i] = border[i]
                    if has_intercept:
                        curvature[size - 1, size - 1] = corner
                break
            if steps == max_iter:
                break
            for j in range(n_features):
                scale[j] = np.sqrt(hessian[j, j] + strength[j])
            if has_intercept:
                scale[size - 1] = np.sqrt(corner)
            for j in range(size):
                scale[j] = scale[j] if scale[j] > 0 else 1.0
            for j in range(n_features):
                for i in range(j, n_features):
                    matrix[i, j] = hessian[i, j] / scale[i] / scale[j]
                matrix[j, j] = 1.0
                if has_intercept:
                    matrix[size - 1, j] = border[j] / scale[size - 1] / scale[j]
            if has_intercept:
                matrix[size - 1, size - 1] = 1.0
            if not _factor(matrix):
                break
            for j in range(size):
                step[j] = gradient[j] / scale[j]
            _solve(matrix, step)
            slope = 0.0
            for j in range(size):
                step[j] = -step[j] / scale[j]
                slope += step[j] * gradient[j]
            if not slope < 0:
                if slope == 0:
                    gap[k], n_iter[k] = 0.0, steps
                break
            done = -0.5 * slope <= tolerance * max(known - floors[k], 0.0)
            for j in range(n_features):
                trial[j] = coef[k, j] + step[j]
            if has_intercept:
                level = intercept[k] + step[size - 1]
            if log.shape[0]:
                total = 0.0
                for j in range(size):
                    total += gradient[j] * gradient[j]
                log[steps, 0], log[steps, 1] = known, np.sqrt(total)
            steps += 1
