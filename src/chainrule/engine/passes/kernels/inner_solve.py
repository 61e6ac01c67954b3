"""Compiled: all conjugate gradient iterations of a Newton step on condensed rows, in one call.

Where a product with the Hessian takes less than a millisecond, the way from Python to a kernel and
back, several times an iteration, takes as long.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact, summing
from chainrule.engine.passes.kernels.condensed import column_pass, row_pass
from chainrule.engine.passes.kernels.vectors import advance, turn

Array = npt.NDArray[Any]


@summing
def correct(
    part: Array, residual: Vector, diagonal: Vector, n_columns: int, conditioned: Vector
) -> float:
    """Put part @ residual into the leading entries and those after the columns.

    Returns how much that adds to residual @ conditioned.
    """
    leading, gained = part.shape[0] - (residual.shape[0] - n_columns), 0.0
    for a in range(part.shape[0]):
        found = 0.0
        for b in range(leading):
            found += part[a, b] * residual[b]
        for b in range(leading, part.shape[0]):
            found += part[a, b] * residual[n_columns + b - leading]
        place = a if a < leading else n_columns + a - leading
        gained += residual[place] * (found - residual[place] / diagonal[place])
        conditioned[place] = found
    return gained


@exact
def inner_solve(
    rows: tuple[Array, Array, Array],
    columns: tuple[Array, Array, Array],
    curvature: Vector,
    strength: Vector,
    diagonal: Vector,
    part: Array,
    in_gap: Vector,
    forcing: float,
    enough: float,
    max_inner: int,
    room: Array,
    scores: Vector,
    pull: Vector,
    solution: Vector,
    travelled: Vector,
) -> int:
    """Solve about H solution = -gradient; return the number of products with H.

    Parameters
    ----------
    rows, columns : tuple of ndarray
        The condensed rows: values, places, begins.
    curvature : ndarray of shape (n_samples,)
    strength : ndarray of shape (n_columns,)
    diagonal : ndarray of shape (n_packed,)
        A preconditioner.
    part : ndarray of shape (k, k)
        The inverse of it for the leading columns and the intercept; no rows where there is none.
    in_gap, forcing, enough, max_inner
        As in `solvers.conjugate_gradients`.
    room : ndarray of shape (4, n_packed)
        Its first row holds the residual: minus the gradient.
    scores, pull : ndarray of shape (n_samples,)
        Room; `scores` comes as zeros.
    solution, travelled : ndarray
        Come as zeros; X solution is put into the second.
    """
    residual, conditioned, direction, product = room[0], room[1], room[2], room[3]
    n_columns, n_rows, energy = strength.shape[0], curvature.shape[0], 0.0
    has_level = residual.shape[0] > n_columns
    for j in range(residual.shape[0]):
        conditioned[j] = residual[j] / diagonal[j]
        energy += residual[j] * conditioned[j]
    if part.shape[0]:
        energy += correct(part, residual, diagonal, n_columns, conditioned)
    for j in range(residual.shape[0]):
        direction[j] = conditioned[j]
    model, step, done = 0.0, 0.0, 0
    while done < max_inner and energy > 0:
        level = direction[n_columns] if has_level else 0.0
        bent = row_pass(
            rows[0], rows[1], rows[2], 0, n_rows, direction, level, curvature, step, scores,
            travelled, pull,
        )  # fmt: skip
        product[n_columns:] = bent
        bent *= level
        bent += column_pass(
            columns[0], columns[1], columns[2], 0, n_columns, pull, strength, direction, product
        )
        done += 1
        if not bent > 0:  # what is left has underflowed
            step = 0.0
            break
        step = energy / bent
        fresh, left = advance(
            step, direction, product, diagonal, in_gap, solution, residual, conditioned
        )
        if part.shape[0]:
            fresh += correct(part, residual, diagonal, n_columns, conditioned)
        gain = 0.5 * step * energy
        model += gain
        if (enough > 0 and left <= enough) or done * gain <= forcing * model:
            break
        turn(direction, conditioned, fresh / energy)
        energy = fresh
    for i in range(n_rows):
        travelled[i] += step * scores[i]
    return done
