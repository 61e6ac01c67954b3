"""Compiled: Newton's method for one small dense problem after the other.

There is no line of Python between two steps, and Hessians are few. What this does not solve, it
says so of, and the general method takes over.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.pointwise import call_kernel
from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.cholesky import factor, solve
from chainrule.engine.passes.kernels.template import score_pass

Matrix = npt.NDArray[Any]

KEPT: Final = 0.02
"""A Hessian is kept where the squared Newton decrement falls to this part from step to step."""

SLOW: Final = 0.4
"""That of a sample is given up where it does not fall to this part."""

EXACT: Final = 1e-9
"""Steps that cost a gradient alone go on to this part of the tolerance."""

STALLED: Final = 0.25
"""A decrement that does not fall to this part any more is rounding."""

ROUGH: Final = 1e-3
"""So near the optimum, relative to f, all rows are asked for the Hessian."""


@exact
def _factored(
    hessian: Matrix,
    border: Vector,
    corner: float,
    share: float,
    strength: Vector,
    matrix: Matrix,
    scale: Vector,
) -> bool:
    """Factor the Hessian of f, given that of the losses of a share of the examples."""
    n_features, size = hessian.shape[0], matrix.shape[0]
    for j in range(n_features):
        scale[j] = np.sqrt(hessian[j, j] / share + strength[j])
    if size > n_features:
        scale[n_features] = np.sqrt(corner / share)
    for j in range(size):
        scale[j] = scale[j] if scale[j] > 0 else 1.0
    for i in range(n_features):
        for j in range(i):
            matrix[i, j] = hessian[i, j] / share / scale[i] / scale[j]
        matrix[i, i] = 1.0
    if size > n_features:
        for j in range(n_features):
            matrix[n_features, j] = border[j] / share / scale[n_features] / scale[j]
        matrix[n_features, n_features] = 1.0
    return factor(matrix)


@exact
def _keep_curvature(
    hessian: Matrix, border: Vector, corner: float, strength: Vector, curvature: Matrix
) -> None:
    """Put the Hessian of f into one table."""
    n_features, size = hessian.shape[0], curvature.shape[0]
    for i in range(n_features):
        for j in range(n_features):
            curvature[i, j] = hessian[i, j]
        curvature[i, i] += strength[i]
        if size > n_features:
            curvature[i, n_features] = curvature[n_features, i] = border[i]
    if size > n_features:
        curvature[n_features, n_features] = corner


@exact
def _draw(
    rows: Matrix,
    y: Vector,
    weight: Vector,
    offset: Vector,
    stride: int,
    sample: Matrix,
    examples: Matrix,
) -> float:
    """Copy one in so many rows, with target, weight and offset; return their share of the weight.

    Which one of each `stride` it is changes from one to the next, so that rows in a cycle are all
    met.
    """
    n_rows, drawn, whole = rows.shape[0], 0.0, 0.0
    for i in range(n_rows):
        whole += weight[i]
    for place in range((n_rows + stride - 1) // stride):
        i = min(stride * place + (5 * place + place // stride) % stride, n_rows - 1)
        for j in range(rows.shape[1]):
            sample[place, j] = rows[i, j]
        examples[0, place], examples[1, place] = y[i], weight[i]
        if offset.shape[0]:
            examples[2, place] = offset[i]
        drawn += weight[i]
    return drawn / whole if drawn > 0 else 1.0


@exact
def _balanced(kernel: int, raw: Vector, y: Vector, weight: Vector, lines: Matrix) -> float:
    """Return what to add to the intercept near its optimum, so that the residuals sum to nothing.

    Proofs by the penalty alone know nothing of the intercept: they want it where it is best.
    """
    n_rows, inner = raw.shape[0], lines.shape[1]
    trial, losses, residual, bend = lines[3], lines[0], lines[1], lines[2]
    shift = 0.0
    for _ in range(2):
        pull, curve = 0.0, 0.0
        for start in range(0, n_rows, inner):
            stop = min(start + inner, n_rows)
            count = stop - start
            for i in range(count):
                trial[i] = raw[start + i] + shift
            part = trial[:count]
            call_kernel(kernel, (part, y[start:stop], weight[start:stop], losses, residual, bend))
            pull += residual[:count].sum()
            curve += bend[:count].sum()
        if not curve > 0:
            break
        shift -= pull / curve
    return shift


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
    tolerance: float,
    max_iter: int,
    coef: Matrix,
    intercept: Vector,
    value: Vector,
    gap: Vector,
    n_iter: Matrix,
    stride: int,
    curvature: Matrix,
    reference: Matrix,
    log: Matrix,
    raw: Vector,
    matrix: Matrix,
    hessian: Matrix,
    vectors: Matrix,
    sample: Matrix,
    examples: Matrix,
    room: Matrix,
    lines: Matrix,
) -> None:
    """Minimise sum_i s_i loss_i + sum_j strength_j coef_j^2 / 2 for several sets of examples.

    A Hessian costs many times what a gradient does, so each serves as long as the squared Newton
    decrement falls fast with it (Shamanskii 1967). Far from the optimum, those of every so many
    rows do (Byrd, Chin, Neveitt and Nocedal 2011).

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
    stride : int
        Early Hessians are those of one in so many rows.
    curvature : ndarray of shape (p, p)
        The last Hessian of all rows of the last fit, for p parameters; without entries where nobody
        asks.
    reference : ndarray of shape (2, max(p, n_rows))
        Where it was formed: coef and intercept, and raw predictions; without rows likewise.
    log : ndarray of shape (max_iter, 3)
        For each step of the last fit: the objective and the norm of the gradient before it, and its
        length; without entries where nobody asks.
    raw, matrix, hessian, vectors, sample, examples, room, lines
        Room: the rows of the largest set; (p, p) and (n_features, n_features); (6, p);
        (n_rows / stride, n_features) and four lines as long, for the rows drawn;
        the last two as in `template.score_pass`, with a line more.
    """
    n_features, size = X.shape[1], matrix.shape[0]
    scale, step, gradient = vectors[0], vectors[1], vectors[2]
    border, trial, fresh = vectors[3][:n_features], vectors[4], vectors[5]
    nothing = raw[:0]
    for k in range(which.shape[0]):
        first, last = which[k, 0], which[k, 1]
        rows, y, weight = X[first:last], targets[which[k, 2], first:last], weights[which[k, 3]]
        weight = weight[first:last]
        shift = offset[first:last] if offset.shape[0] else offset
        scores = raw[: last - first]
        n_drawn, drawn, share = 0, shift, 1.0
        if stride > 1:
            n_drawn = (last - first + stride - 1) // stride
            share = _draw(rows, y, weight, shift, stride, sample, examples)
            drawn = examples[2, : n_drawn if offset.shape[0] else 0]
        for j in range(n_features):
            trial[j] = coef[k, j]
        level = intercept[k]
        known, slope, length, backward, steps = np.inf, 0.0, 1.0, 0, 0
        # the Hessian at hand: whether there is one, of which rows, how well it serves
        is_formed, of_sample, is_eager, previous, corner = False, stride > 1, stride == 1, 0.0, 0.0
        near, done, is_balanced = False, False, False
        n_iter[k] = -1
        while True:
            with_hessian = is_eager and not done
            loss, pull, bend = score_pass(
                kernel,
                rows,
                y,
                weight,
                shift,
                trial[:n_features],
                level,
                scores,
                nothing,
                fresh[:n_features],
                hessian[: n_features if with_hessian else 0],
                border[: n_features if with_hessian else 0],
                room,
                lines,
            )
            for j in range(n_features):
                loss += 0.5 * strength[j] * trial[j] * trial[j]
                fresh[j] += strength[j] * trial[j]
            if size > n_features:
                fresh[n_features] = pull
            allowed = 1e-4 * length * slope
            if near:  # a decrease this small drowns in the rounding of f
                allowed = 1e-13 * abs(known)
            if not (loss <= known + allowed or is_balanced):
                backward += 1
                if backward > 30:
                    break
                length *= 0.5
                for j in range(n_features):
                    trial[j] = coef[k, j] + length * step[j]
                if size > n_features:
                    level = intercept[k] + length * step[n_features]
                continue
            if steps > 0 and log.shape[0]:
                log[steps - 1, 2] = length
            known = loss
            for j in range(n_features):
                coef[k, j] = trial[j]
            intercept[k], value[k] = level, known
            for j in range(size):
                gradient[j] = fresh[j]
            decrement = 0.0
            if is_formed:
                decrement = solve(matrix, scale, gradient, step)
            if done:
                gap[k], n_iter[k] = 0.5 * decrement, steps
                if size == n_features or is_balanced:
                    break
                level += _balanced(kernel, scores, y, weight, lines)
                is_balanced = True
                continue
            if steps == max_iter:
                break
            serves = is_formed and backward == 0 and decrement <= KEPT * previous
            if is_formed and not of_sample and backward == 0 and decrement > STALLED * previous:
                # near the optimum no other Hessian would do better
                serves = serves or 0.5 * decrement <= tolerance * max(known - floors[k], 0.0)
            is_eager, was_sample, is_fresh = is_eager and not serves, of_sample, not serves
            if of_sample and is_formed:
                slow = backward > 0 or not decrement <= SLOW * previous
                if slow or 0.5 * decrement <= ROUGH * max(known - floors[k], 0.0):
                    of_sample = serves = False
                    is_fresh = True
            while not serves:
                if of_sample:
                    _, _, corner = score_pass(
                        kernel,
                        sample[:n_drawn],
                        examples[0, :n_drawn],
                        examples[1, :n_drawn],
                        drawn,
                        trial[:n_features],
                        level,
                        examples[3, :n_drawn],
                        nothing,
                        fresh[:n_features],
                        hessian,
                        border,
                        room,
                        lines,
                    )
                else:
                    if with_hessian:
                        corner = bend
                    else:
                        _, _, corner = score_pass(
                            kernel,
                            rows,
                            y,
                            weight,
                            shift,
                            trial[:n_features],
                            level,
                            scores,
                            nothing,
                            fresh[:n_features],
                            hessian,
                            border,
                            room,
                            lines,
                        )
                    # with this one the decrement falls by about the square of the last factor
                    near = was_sample or (is_formed and decrement**2 <= KEPT * previous**2)
                    is_eager = not near
                    if curvature.shape[0]:
                        _keep_curvature(hessian, border, corner, strength, curvature)
                        for j in range(n_features):
                            reference[0, j] = trial[j]
                        if size > n_features:
                            reference[0, n_features] = level
                        for i in range(scores.shape[0]):
                            reference[1, i] = scores[i]
                part = share if of_sample else 1.0
                serves = _factored(hessian, border, corner, part, strength, matrix, scale)
                if serves:
                    decrement = solve(matrix, scale, gradient, step)
                    serves = decrement > 0 or not of_sample
                if not serves:
                    if not of_sample:
                        break
                    of_sample = with_hessian = False
            if not serves:
                break
            before, is_formed, backward = previous if is_formed else np.inf, True, 0
            length, previous = 1.0, decrement
            if not decrement > 0:
                if decrement == 0:
                    gap[k], n_iter[k] = 0.0, steps
                break
            slope = -decrement
            # on to where a fresh Hessian leads at once: coefficients are as exact as f allows
            enough = tolerance * max(known - floors[k], 0.0)
            near = not of_sample and 0.5 * decrement <= enough
            is_last = 0.5 * decrement <= EXACT * enough or decrement > STALLED * before
            done = near and (is_fresh or is_last)
            for j in range(size):
                step[j] = -step[j]
            for j in range(n_features):
                trial[j] = coef[k, j] + step[j]
            if size > n_features:
                level = intercept[k] + step[n_features]
            if log.shape[0]:
                total = 0.0
                for j in range(size):
                    total += gradient[j] * gradient[j]
                log[steps, 0], log[steps, 1] = known, np.sqrt(total)
            steps += 1
