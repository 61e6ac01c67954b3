"""Compiled: proximal Newton steps on dense rows, from one strength to the next.

There is no line of Python between two steps. The loss enters through the address of its kernel.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels.coordinate_descent import add_two_ranks
from chainrule.engine.passes.kernels.elastic_net import penalty_of, worst_violation
from chainrule.engine.passes.kernels.quadratic import minimise
from chainrule.engine.passes.kernels.template import score_pass
from chainrule.engine.passes.kernels.vectors import leading_dot

Matrix = npt.NDArray[Any]

MAX_ITER: Final = 0
CONVERGED: Final = 1
STALLED: Final = 2
"""How a call of `solve` ends."""

NO_MODEL: Final = 0
CORRECTED: Final = 1
EXACT: Final = 2
"""The state of the model: none, corrected since its Hessian, or the Hessian at this point."""

_FEW: Final = 64
"""Columns up to which all take part in every step."""

_NEAR: Final = 0.8
"""The share of the strength from which a slope lets its column take part."""

_NEARLY_ALL: Final = 0.75
"""The share of the columns from which all of them take part: none has to be picked out then."""

_EASY: Final = 0.03
"""How exactly a model is minimised where a gain is asked for, relative to the root of that gain."""

_SLOW: Final = 0.3
_NOISE: Final = 1e-13
_SHORTEST: Final = 1e-12
_INEXACT: Final = 1e-2


@exact
def _far(raw: Vector, reference: Vector, stale: float) -> bool:
    """Tell whether some score has moved by more than `stale`."""
    farthest = 0.0
    for i in range(raw.shape[0]):
        farthest = max(farthest, abs(raw[i] - reference[i]))
    return not farthest <= stale


@exact
def solve(
    kernel: int,
    X: Matrix,
    y: Vector,
    weight: Vector,
    offset: Vector,
    limits: Matrix,
    fit_intercept: bool,
    is_smooth: bool,
    state: int,
    tolerance: float,
    enough: float,
    floor: float,
    floor_size: float,
    stale: float,
    max_iter: int,
    point: Matrix,
    numbers: Vector,
    raw: Vector,
    model: Matrix,
    snapshot: Matrix,
    reference: Vector,
    log: Matrix,
    fresh_raw: Vector,
    hessian: Matrix,
    room_of_square: Matrix,
    factor: Matrix,
    vectors: Matrix,
    parts: Matrix,
    playing: Matrix,
    moving: Matrix,
    room: Matrix,
    lines: Matrix,
) -> tuple[int, int, float, int, int, int]:
    """Minimise the losses and an elastic net: see `solvers.proximal_newton`.

    Parameters
    ----------
    kernel : int
        The address of the loss.
    X : ndarray of shape (n_rows, k)
    y, weight : ndarray of shape (n_rows,)
    offset : ndarray of shape (n_rows,)
        Without entries where there is none.
    limits : ndarray of shape (5, k)
        l1, l2, lower and upper bounds, and what violations are measured in.
    fit_intercept, is_smooth : bool
        `is_smooth` where there are neither absolute values nor bounds.
    state : int
        That of the model.
    tolerance, enough : float
        As in `proximal_newton`.
    floor, floor_size : float
        The sum of the least losses, and the size of its rounding.
    stale : float
        The change of a score from which the Hessian is formed anew.
    max_iter : int
    point : ndarray of shape (2, k)
        Where to start, and the gradient of the losses there; where it ends.
    numbers : ndarray of shape (3,)
        The same: the losses, the intercept and the gradient in it.
    raw : ndarray of shape (n_rows,)
        The same: raw predictions.
    model, snapshot : ndarray of shape (k + 1, k + 1)
        The quadratic model, and the last Hessian that it began with.
    reference : ndarray of shape (n_rows,)
        Raw predictions where that was formed.
    log : ndarray of shape (max_iter, 3)
        For each step: the objective and the violation before it, and its length.
    fresh_raw, hessian, room_of_square, factor, vectors, parts, playing, moving, room, lines
        Room: (n_rows,), three of (k, k), (9, k + 1), (5, k), k integers twice, and as in
        `template.score_pass`.

    Returns
    -------
    stop : int
    n_steps : int
    worst : float
        The violation where it ends.
    state : int
        That of the model there.
    n_passes, n_hessians : int
    """
    size = X.shape[1]
    w, gradient = point[0], point[1]
    trial, fresh, slope = vectors[0, :size], vectors[1, :size], vectors[2, :size]
    border, move, bent = vectors[3, :size], vectors[4], vectors[5]
    product, solving = vectors[6], vectors[7:9, :size]
    nothing = raw[:0]
    none = hessian[:0]
    l2, lower, upper = limits[1], limits[2], limits[3]
    value = numbers[0] + penalty_of(w, limits)
    _, worst = worst_violation(w, gradient, numbers[2], limits)
    if state != NO_MODEL and _far(raw, reference, stale):
        state = NO_MODEL
    stop, steps, passes, hessians = MAX_ITER, 0, 0, 0
    while True:
        if worst <= tolerance:
            stop = CONVERGED
            break
        if steps == max_iter:
            break
        is_found, length, loss, level = False, 1.0, 0.0, 0.0
        while not is_found:
            if state == NO_MODEL:
                _, _, corner = score_pass(
                    kernel,
                    X,
                    y,
                    weight,
                    offset,
                    w,
                    numbers[1],
                    fresh_raw,
                    nothing,
                    fresh,
                    hessian,
                    border,
                    room,
                    lines,
                )
                hessians += 1
                for i in range(size):
                    for j in range(size):
                        model[i, j] = snapshot[i, j] = hessian[i, j]
                    model[i, size] = snapshot[i, size] = border[i]
                    model[size, i] = snapshot[size, i] = border[i]
                model[size, size] = snapshot[size, size] = corner
                for i in range(raw.shape[0]):
                    reference[i] = raw[i]
                state = EXACT
            corner = float(model[size, size])
            moves_level = fit_intercept and corner > 0
            share = 1 / corner if moves_level else 0.0
            count = 0
            for j in range(size):
                move[j] = 0.0
                pull = abs(gradient[j])
                if size <= _FEW or w[j] != 0 or limits[0, j] == 0 or pull >= _NEAR * limits[0, j]:
                    playing[count] = j
                    count += 1
            if count > _NEARLY_ALL * size:
                count = size
                for j in range(size):
                    playing[j] = j
            square, last = room_of_square[:count], model[size]
            for a in range(count):
                # the intercept is at its best for any coefficients
                i = playing[a]
                row, pull = model[i], model[i, size] * share
                if count == size:  # numbers side by side take a fraction of the time
                    for b in range(size):
                        square[a, b] = row[b] - pull * last[b]
                else:
                    for b in range(count):
                        square[a, b] = row[playing[b]] - pull * last[playing[b]]
                square[a, a] += l2[i]
                fresh[a] = gradient[i] - pull * numbers[2]
                slope[a] = fresh[a] + l2[i] * w[i]
                trial[a] = w[i]
                for k in range(5):
                    parts[k, a] = limits[k, i]
            aim = max(_INEXACT * worst * min(worst, 1.0), 0.05 * tolerance)
            if enough > 0:
                aim = max(aim, _EASY * np.sqrt(enough))
            minimise(
                square,
                slope[:count],
                trial[:count],
                parts,
                is_smooth,
                aim,
                moving,
                factor,
                solving,
            )
            predicted, along = penalty_of(trial[:count], parts) - penalty_of(w, limits), 0.0
            for a in range(count - 1, -1, -1):  # places only move up
                j = playing[a]
                move[j] = trial[a] - w[j]
                predicted += fresh[a] * move[j]
                along += model[size, j] * move[j]
                trial[j] = trial[a]
            place = 0
            for j in range(size):
                if place < count and playing[place] == j:
                    place += 1
                else:
                    trial[j] = w[j]
            move[size] = 0.0
            if moves_level:
                move[size] = -(numbers[2] + along) * share
                predicted -= numbers[2] * numbers[2] * share
            if enough > 0 and 0 <= -predicted <= enough * (value - floor):
                stop = CONVERGED
                break
            noise = _NOISE * (abs(value) + floor_size)
            length = 1.0
            while length > _SHORTEST:
                level = numbers[1] + length * move[size]
                loss, bent[size], _ = score_pass(
                    kernel,
                    X,
                    y,
                    weight,
                    offset,
                    trial,
                    level,
                    fresh_raw,
                    nothing,
                    fresh,
                    none,
                    nothing,
                    room,
                    lines,
                )
                passes += 1
                if not fit_intercept:
                    bent[size] = 0.0
                if loss + penalty_of(trial, limits) <= value + 1e-4 * length * predicted + noise:
                    is_found = True
                    break
                length *= 0.25
                for j in range(size):
                    trial[j] = min(max(w[j] + length * move[j], lower[j]), upper[j])
            if not is_found:
                if state == EXACT:
                    break
                state = NO_MODEL
        if not is_found:
            if stop != CONVERGED:
                stop = STALLED
            break
        there = loss + penalty_of(trial, limits)
        if log.shape[0] > steps:
            log[steps, 0], log[steps, 1], log[steps, 2] = value, worst, length
        steps += 1
        in_model, left = worst_violation(trial, fresh, bent[size], limits)
        if there >= value and left >= worst:
            stop = STALLED  # rounding: neither the objective nor the violation can be lowered
            break
        level_slope = bent[size]
        state = CORRECTED
        if length < 1 or in_model > max(_SLOW * worst, tolerance):
            state = NO_MODEL
        else:
            moved, curvature = 0.0, 0.0
            for j in range(size):
                move[j] = trial[j] - w[j]
                bent[j] = fresh[j] - gradient[j]
            move[size] = level - numbers[1] if fit_intercept else 0.0
            bent[size] = level_slope - numbers[2]
            for i in range(size + 1):
                product[i] = leading_dot(model[i], move, size + 1)
            moved = leading_dot(product, move, size + 1)
            curvature = leading_dot(bent, move, size + 1)
            if moved > 0 and curvature > 1e-8 * moved:
                add_two_ranks(model, product, -1 / moved, bent, 1 / curvature, model)
        for j in range(size):
            w[j], gradient[j] = trial[j], fresh[j]
        numbers[0], numbers[1], numbers[2] = loss, level, level_slope
        for i in range(raw.shape[0]):
            raw[i] = fresh_raw[i]
        value, worst = there, left
    return stop, steps, worst, state, passes, hessians


@exact
def walk(
    kernel: int,
    X: Matrix,
    y: Vector,
    weight: Vector,
    offset: Vector,
    limits: Matrix,
    fit_intercept: bool,
    is_smooth: bool,
    state: int,
    tolerance: float,
    enough: float,
    floor: float,
    floor_size: float,
    stale: float,
    max_iter: int,
    points: Matrix,
    numbers: Matrix,
    raws: Matrix,
    model: Matrix,
    snapshots: Matrix,
    references: Matrix,
    logs: Matrix,
    told: Matrix,
    fresh_raw: Vector,
    hessian: Matrix,
    room_of_square: Matrix,
    factor: Matrix,
    vectors: Matrix,
    parts: Matrix,
    playing: Matrix,
    moving: Matrix,
    room: Matrix,
    lines: Matrix,
) -> int:
    """Solve for one penalty after the other, each from where the last one ended.

    Parameters
    ----------
    limits : ndarray of shape (n, 5, k)
        Those of every penalty.
    points, numbers, raws : ndarray of shape (n + 1, ...)
        `point`, `numbers` and `raw` of `solve`: where to start, then where each penalty ends.
    snapshots : ndarray of shape (n, k + 1, k + 1)
        The last Hessian of every penalty that formed one.
    references : ndarray of shape (n + 1, n_rows)
        Raw predictions where the last Hessian was formed, at the start and for every penalty.
    logs : ndarray of shape (n, max_iter, 3)
    told : ndarray of shape (n, 6)
        What `solve` returns.
    kernel, X, y, weight, offset, fit_intercept, is_smooth, state, tolerance, enough, floor
        As in `solve`.
    floor_size, stale, max_iter, model, fresh_raw, hessian, room_of_square, factor, vectors, parts
        The same.
    playing, moving, room, lines
        The same.

    Returns
    -------
    n_done : int
        The last of them may have stalled.
    """
    for t in range(len(limits)):
        for j in range(points.shape[2]):
            points[t + 1, 0, j], points[t + 1, 1, j] = points[t, 0, j], points[t, 1, j]
        for j in range(numbers.shape[1]):
            numbers[t + 1, j] = numbers[t, j]
        for i in range(raws.shape[1]):
            raws[t + 1, i], references[t + 1, i] = raws[t, i], references[t, i]
        stop, steps, worst, state, passes, hessians = solve(
            kernel,
            X,
            y,
            weight,
            offset,
            limits[t],
            fit_intercept,
            is_smooth,
            state,
            tolerance,
            enough,
            floor,
            floor_size,
            stale,
            max_iter,
            points[t + 1],
            numbers[t + 1],
            raws[t + 1],
            model,
            snapshots[t],
            references[t + 1],
            logs[t],
            fresh_raw,
            hessian,
            room_of_square,
            factor,
            vectors,
            parts,
            playing,
            moving,
            room,
            lines,
        )
        told[t, 0], told[t, 1], told[t, 2] = stop, steps, worst
        told[t, 3], told[t, 4], told[t, 5] = state, passes, hessians
        if stop == STALLED:
            return t + 1
    return len(limits)
