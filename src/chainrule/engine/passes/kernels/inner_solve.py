"""Compiled: all conjugate gradient iterations of a Newton step on condensed rows, in one call.

Where a product with the Hessian takes a millisecond, the way from Python to a kernel and back,
several times an iteration, takes as long. Other threads take chunks of its two passes meanwhile.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from chainrule.engine.losses.vectorised import Vector, exact, summing
from chainrule.engine.passes.kernels.condensed import column_pass, row_pass
from chainrule.engine.passes.kernels.sharing import (
    OVER,
    Board,
    await_all,
    await_chunk,
    begin,
    end,
    take,
    tell,
)
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
def _part(
    number: int,
    chunk: int,
    rows: tuple[Array, Array, Array, Array],
    columns: tuple[Array, Array, Array, Array],
    curvature: Vector,
    strength: Vector,
    room: Array,
    of_rows: Array,
    sums: Vector,
    levels: Vector,
) -> None:
    """Compute a chunk of a pass: over rows where its number is odd, over columns where it is not.

    Its sum is put into `sums`. `levels` holds the intercept of the direction and the last step.
    """
    direction, product = room[2], room[3]
    scores, pull, travelled = of_rows[0], of_rows[1], of_rows[2]
    if number % 2:
        start, stop = rows[3][chunk], rows[3][chunk + 1]
        sums[chunk] = row_pass(
            rows[0], rows[1], rows[2], start, stop, direction, levels[0], curvature, levels[1],
            scores, travelled, pull,
        )  # fmt: skip
    else:
        start, stop = columns[3][chunk], columns[3][chunk + 1]
        sums[chunk] = column_pass(
            columns[0], columns[1], columns[2], start, stop, pull, strength, direction, product
        )


@exact
def help_solve(
    board: Board,
    rows: tuple[Array, Array, Array, Array],
    columns: tuple[Array, Array, Array, Array],
    curvature: Vector,
    strength: Vector,
    room: Array,
    of_rows: Array,
    sums: Vector,
    levels: Vector,
) -> None:
    """Take chunks of an `inner_solve` under way in another thread, until it is over.

    The arguments are those of that call.
    """
    number, chunk = await_chunk(board)
    while number != OVER:
        _part(number, chunk, rows, columns, curvature, strength, room, of_rows, sums, levels)
        tell(board)
        number, chunk = await_chunk(board)


@exact
def inner_solve(
    board: Board,
    rows: tuple[Array, Array, Array, Array],
    columns: tuple[Array, Array, Array, Array],
    curvature: Vector,
    strength: Vector,
    room: Array,
    of_rows: Array,
    sums: Vector,
    levels: Vector,
    diagonal: Vector,
    part: Array,
    in_gap: Vector,
    forcing: float,
    enough: float,
    max_inner: int,
    solution: Vector,
) -> int:
    """Solve about H solution = -gradient; return the number of products with H.

    Parameters
    ----------
    board : ndarray of int64
        Zeros: see `kernels.sharing`.
    rows, columns : tuple of ndarray
        The condensed rows: values, places, begins, and where chunks of them begin and end.
    curvature : ndarray of shape (n_samples,)
    strength : ndarray of shape (n_columns,)
    room : ndarray of shape (4, n_packed)
        Its first row holds the residual: minus the gradient.
    of_rows : ndarray of shape (3, n_samples)
        Room for scores and their pull; X solution is put into the third. Comes as zeros.
    sums : ndarray
        Room, as long as there are chunks.
    levels : ndarray of shape (2,)
        Room.
    diagonal : ndarray of shape (n_packed,)
        A preconditioner.
    part : ndarray of shape (k, k)
        The inverse of it for the leading columns and the intercept; no rows where there is none.
    in_gap, forcing, enough, max_inner
        As in `solvers.conjugate_gradients`.
    solution : ndarray of shape (n_packed,)
        Comes as zeros.
    """
    residual, conditioned, direction, product = room[0], room[1], room[2], room[3]
    n_columns, energy = strength.shape[0], 0.0
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
        levels[0] = direction[n_columns] if has_level else 0.0
        levels[1] = step
        bent = 0.0
        for number in range(2 * done + 1, 2 * done + 3):
            n_chunks = (rows[3] if number % 2 else columns[3]).shape[0] - 1
            begin(board, number, n_chunks)
            mine, chunk = take(board)
            while mine == number:
                _part(
                    number, chunk, rows, columns, curvature, strength, room, of_rows, sums, levels
                )
                tell(board)
                mine, chunk = take(board)
            await_all(board, n_chunks)
            total = 0.0
            for k in range(n_chunks):
                total += sums[k]
            if number % 2:
                product[n_columns:] = total
                bent = total * levels[0]
            else:
                bent += total
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
    end(board)
    for i in range(of_rows.shape[1]):
        of_rows[2, i] += step * of_rows[0, i]
    return done
