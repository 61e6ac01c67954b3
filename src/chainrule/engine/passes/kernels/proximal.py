"""Compiled: proximal Newton steps on dense rows, from one strength to the next.

There is no line of Python between two steps. The loss enters through the address of its kernel.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact, summing
from chainrule.engine.passes.kernels.coordinate_descent import add_two_ranks, descend
from chainrule.engine.passes.kernels.template import score_pass

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

_EASY: Final = 0.03
"""How exactly a model is minimised where a gain is asked for, relative to the root of that gain."""

_SLOW: Final = 0.3
_NOISE: Final = 1e-13
_SHORTEST: Final = 1e-12
_INEXACT: Final = 1e-2
_SWEEPS: Final = 60
_ROUNDS: Final = 40
_RIDGE: Final = 1e-13
_PIVOT: Final = 1e-15
_CHANGES: Final = 4_000_000


@summing
def _dot(left: Vector, right: Vector, size: int) -> float:
    total = 0.0
    for k in range(size):
        total += left[k] * right[k]
    return total


@exact
def _violation(w: float, slope: float, l1: float, l2: float, lower: float, upper: float) -> float:
    """Do what `ElasticNet.violation` does, for one coefficient."""
    pull = slope + l2 * w
    if w <= lower:
        if w >= upper:
            return 0.0
        return max(-(pull + (-l1 if w < 0 else l1)), 0.0)
    if w >= upper:
        return max(pull - (-l1 if w > 0 else l1), 0.0)
    if w == 0:
        return max(abs(pull) - l1, 0.0)
    return abs(pull + (l1 if w > 0 else -l1))


@exact
def _worst(w: Vector, slope: Vector, level: float, limits: Matrix) -> tuple[float, float]:
    """Return the largest violation in its unit, without and with that of the intercept."""
    found, largest = 0.0, 0.0
    for j in range(w.shape[0]):
        off = _violation(w[j], slope[j], limits[0, j], limits[1, j], limits[2, j], limits[3, j])
        found = max(found, off / limits[4, j])
        largest = max(largest, limits[4, j])
    return found, max(found, abs(level) / largest)


@exact
def _penalty(w: Vector, limits: Matrix) -> float:
    total = 0.0
    for j in range(w.shape[0]):
        if w[j] != 0:
            total += limits[0, j] * abs(w[j]) + 0.5 * limits[1, j] * w[j] * w[j]
    return total


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
            total = row[moving[b]] / scale[a] / scale[b] - _dot(factor[a], factor[b], b)
            factor[a, b] = total / factor[b, b]
        rest = 1.0 + _RIDGE - _dot(factor[a], factor[a], a)
        if not rest > _PIVOT:
            return False
        factor[a, a] = np.sqrt(rest)
    for a in range(count):
        solution[a] = (solution[a] / scale[a] - _dot(factor[a], solution, a)) / factor[a, a]
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
def _minimise(
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
    value = numbers[0] + _penalty(w, limits)
    _, worst = _worst(w, gradient, numbers[2], limits)
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
            square = room_of_square[:count]
            for a in range(count):
                # the intercept is at its best for any coefficients
                i = playing[a]
                row, pull = model[i], model[i, size] * share
                for b in range(count):
                    square[a, b] = row[playing[b]] - pull * model[size, playing[b]]
                square[a, a] += l2[i]
                fresh[a] = gradient[i] - pull * numbers[2]
                slope[a] = fresh[a] + l2[i] * w[i]
                trial[a] = w[i]
                for k in range(5):
                    parts[k, a] = limits[k, i]
            aim = max(_INEXACT * worst * min(worst, 1.0), 0.05 * tolerance)
            if enough > 0:
                aim = max(aim, _EASY * np.sqrt(enough))
            _minimise(
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
            predicted, along = _penalty(trial[:count], parts) - _penalty(w, limits), 0.0
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
                if loss + _penalty(trial, limits) <= value + 1e-4 * length * predicted + noise:
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
        there = loss + _penalty(trial, limits)
        if log.shape[0] > steps:
            log[steps, 0], log[steps, 1], log[steps, 2] = value, worst, length
        steps += 1
        in_model, left = _worst(trial, fresh, bent[size], limits)
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
                product[i] = _dot(model[i], move, size + 1)
            moved = _dot(product, move, size + 1)
            curvature = _dot(bent, move, size + 1)
            if moved > 0 and curvature > 1e-8 * moved:
                add_two_ranks(model, product, -1 / moved, bent, 1 / curvature, model)
        for j in range(size):
            w[j], gradient[j] = trial[j], fresh[j]
        numbers[0], numbers[1], numbers[2] = loss, level, level_slope
        for i in range(raw.shape[0]):
            raw[i] = fresh_raw[i]
        value, worst = there, left
    return stop, steps, worst, state, passes, hessians
