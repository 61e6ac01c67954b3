"""Compiled passes over condensed sparse rows: each number is kept by row and by column.

So X coef and X^T u are both gathered, row by row and column by column: no sums are scattered, none
are added up afterwards, and the bits do not depend on who computes which. Columns with one entry
are not there: `own` stands for those of each row (`passes.condensed_rows`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.pointwise import call_kernel
from chainrule.engine.losses.vectorised import Vector, exact, summing

Array = npt.NDArray[Any]

LARGEST_BYTE: Final = 255.0


@exact
def count_entries(data: Array, indices: Array, indptr: Array, counts: Array) -> bool:
    """Add the number of entries of each column; tell whether a byte holds every value."""
    large = 0
    for e in range(indptr[0], indptr[-1]):
        counts[indices[e]] += 1
        value = np.float64(data[e])
        large += not (0.0 <= value <= LARGEST_BYTE and value == np.rint(value))
    return large == 0


@exact
def condense(
    data: Array,
    indices: Array,
    indptr: Array,
    places: Array,
    reach: Vector,
    first_row: int,
    at: int,
    values: Array,
    columns: Array,
    begins: Array,
    own: Vector,
) -> int:
    """Put entries of columns that have a place into new rows; return where they end.

    Parameters
    ----------
    data, indices, indptr : ndarray
        Some rows, from `first_row` on.
    places : ndarray of shape (n_features,)
        Where a column goes; negative for one that has a single entry.
    reach : ndarray of shape (n_features,)
        1 / strength of the penalty.
    first_row, at : int
        Where these rows, and their entries, begin among all.
    values, columns, begins : ndarray
        The new rows.
    own : ndarray of shape (n_samples,)
        Receives the sum of value^2 / strength over the columns that a row has for itself.
    """
    for i in range(indptr.shape[0] - 1):
        alone = 0.0
        for e in range(indptr[i], indptr[i + 1]):
            value, place = np.float64(data[e]), places[indices[e]]
            if place < 0:
                alone += value * value * reach[indices[e]]
            else:
                values[at] = data[e]
                columns[at] = place
                at += 1
        own[first_row + i] = alone
        begins[first_row + i + 1] = at
    return at


@exact
def turn(
    values: Array, columns: Array, begins: Array, starts: Array, turned: Array, rows: Array
) -> None:
    """Put rows into columns; `starts` says where each begins, and afterwards where it ends."""
    one = starts.dtype.type(1)
    for i in range(begins.shape[0] - 1):
        for e in range(begins[i], begins[i + 1]):
            at = starts[columns[e]]
            turned[at] = values[e]
            rows[at] = i
            starts[columns[e]] = at + one


@exact
def spread(
    data: Array,
    indices: Array,
    indptr: Array,
    places: Array,
    reach: Vector,
    alone: Vector,
    first_row: int,
    coef: Vector,
) -> None:
    """Fill in coef_j = alone_i x_ij / strength_j for columns j that have one entry, in row i."""
    for i in range(indptr.shape[0] - 1):
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            if places[j] < 0:
                coef[j] = alone[first_row + i] * data[e] * reach[j]


@summing
def row_pass(
    values: Array,
    columns: Array,
    begins: Array,
    start: int,
    stop: int,
    coef: Vector,
    intercept: float,
    bend: Vector,
    step: float,
    scores: Vector,
    travelled: Vector,
    pull: Vector,
) -> float:
    """Fill in scores = X coef + intercept and pull = bend * scores; return the sum of pull.

    What was in `scores` before, times `step`, is added to `travelled`.
    """
    level = 0.0
    for i in range(start, stop):
        travelled[i] += step * scores[i]
        score = 0.0
        for e in range(begins[i], begins[i + 1]):
            score += values[e] * coef[columns[e]]
        scores[i] = score + intercept
        pull[i] = bend[i] * scores[i]
        level += pull[i]
    return level


@summing
def column_pass(
    values: Array,
    rows: Array,
    begins: Array,
    start: int,
    stop: int,
    pull: Vector,
    strength: Vector,
    coef: Vector,
    total: Vector,
) -> float:
    """Fill in total = X^T pull + strength * coef; return coef @ total."""
    bent = 0.0
    for j in range(start, stop):
        found = 0.0
        for e in range(begins[j], begins[j + 1]):
            found += values[e] * pull[rows[e]]
        found += strength[j] * coef[j]
        total[j] = found
        bent += found * coef[j]
    return bent


@summing
def gradient_pass(
    values: Array,
    rows: Array,
    begins: Array,
    start: int,
    stop: int,
    examples: Array,
    strength: Vector,
    coef: Vector,
    gradient: Vector,
    condensed: Vector,
    diagonal: Vector,
) -> tuple[float, float]:
    """Fill in two gradients and the diagonal of the condensed Hessian, of some columns.

    Parameters
    ----------
    values, rows, begins, start, stop
        The columns, and which of them.
    examples : ndarray of shape (n_samples, 3)
        Residuals, condensed residuals, condensed curvatures.
    strength, coef : ndarray of shape (n_columns,)
    gradient, condensed, diagonal : ndarray of shape (n_columns,)
        Filled in.

    Returns
    -------
    gap, penalty : float
        The sums of gradient^2 / (2 strength), which bounds f - f*, and of strength coef^2 / 2.
    """
    gap, penalty = 0.0, 0.0
    for j in range(start, stop):
        plain, left, curve = 0.0, 0.0, 0.0
        for e in range(begins[j], begins[j + 1]):
            value, row = np.float64(values[e]), examples[rows[e]]
            plain += value * row[0]
            left += value * row[1]
            curve += value * value * row[2]
        level = strength[j] * coef[j]
        gradient[j] = plain + level
        condensed[j] = left + level
        diagonal[j] = curve + strength[j]
        gap += gradient[j] * gradient[j] / (2 * strength[j])
        penalty += 0.5 * level * coef[j]
    return gap, penalty


@exact
def example_pass(
    kernel: int,
    raw: Vector,
    y: Vector,
    weight: Vector,
    own: Vector,
    alone: Vector,
    examples: Array,
    pushed: Vector,
    bend: Vector,
    room: Array,
) -> tuple[float, float, float, float, float]:
    """Evaluate the losses, and condense what each row has for itself.

    Parameters
    ----------
    kernel : int
        The address of the loss.
    raw, y, weight : ndarray of shape (n_samples,)
    own, alone : ndarray of shape (n_samples,)
        The size of each row's own column, and its coefficient.
    examples : ndarray of shape (n_samples, 3)
        Receives residuals, condensed residuals and condensed curvatures.
    pushed, bend : ndarray of shape (n_samples,)
        Receive the gradients w.r.t. `alone`, and the curvatures.
    room : ndarray of shape (3, n)
        For the examples that are worked on at a time.

    Returns
    -------
    value, slope, condensed, corner, gap : float
        The sums of losses and alone^2 / 2, of residuals, condensed residuals, condensed curvatures,
        and of pushed^2 / 2.
    """
    value, slope, condensed, corner, gap = 0.0, 0.0, 0.0, 0.0, 0.0
    losses, residual, curve = room[0], room[1], room[2]
    for start in range(0, raw.shape[0], room.shape[1]):
        stop = min(start + room.shape[1], raw.shape[0])
        vectors = raw[start:stop], y[start:stop], weight[start:stop], losses, residual, curve
        call_kernel(kernel, vectors)
        for k in range(stop - start):
            i = start + k
            size, r, h = own[i], residual[k], curve[k]
            push, stiff = size * r + alone[i], 1.0 + size * size * h
            examples[i, 0] = r
            examples[i, 1] = r - h * size * push / stiff
            examples[i, 2] = h / stiff
            pushed[i], bend[i] = push, h
            value += losses[k] + 0.5 * alone[i] * alone[i]
            slope += r
            condensed += examples[i, 1]
            corner += examples[i, 2]
            gap += 0.5 * push * push
    return value, slope, condensed, corner, gap


@exact
def own_steps(
    own: Vector, bend: Vector, pushed: Vector, travelled: Vector, steps: Vector
) -> tuple[float, float]:
    """Fill in the step of each row's own coefficient, and add what it moves to `travelled`.

    Returns the sums of pushed * steps and of pushed^2 / (2 stiffness), the decrement of these.
    """
    slope, decrement = 0.0, 0.0
    for i in range(own.shape[0]):
        stiff = 1.0 + own[i] * own[i] * bend[i]
        steps[i] = -(pushed[i] + own[i] * bend[i] * travelled[i]) / stiff
        travelled[i] += own[i] * steps[i]
        slope += pushed[i] * steps[i]
        decrement += 0.5 * pushed[i] * pushed[i] / stiff
    return slope, decrement


@exact
def leading_gram(
    values: Array,
    columns: Array,
    begins: Array,
    curvature: Vector,
    found: Array,
    places: Array,
    scaled: Vector,
) -> None:
    """Fill in the lower half of X^T D X for the first columns and, last, a column of ones.

    Parameters
    ----------
    values, columns, begins : ndarray
        The rows.
    curvature : ndarray of shape (n_samples,)
        The diagonal of D.
    found : ndarray of shape (k + 1, k + 1)
    places, scaled : ndarray of shape (k,)
        Room for the entries of a row in these columns.
    """
    k = found.shape[0] - 1
    found[:] = 0.0
    for i in range(begins.shape[0] - 1):
        size = 0
        for e in range(begins[i], begins[i + 1]):
            if columns[e] < k:
                places[size], scaled[size] = columns[e], values[e]
                size += 1
        bend = curvature[i]
        found[k, k] += bend
        for a in range(size):
            here, pull = places[a], bend * scaled[a]
            found[k, here] += pull
            for b in range(a + 1):
                other = places[b]
                found[max(here, other), min(here, other)] += pull * scaled[b]
