"""Directions along which a loss only falls: without a penalty they prove that no optimum exists.

A direction u separates when along it every class with a share in a row leads every other by >= 0,
and in some row one leads by > 0. Along it the loss falls for ever (Albert and Anderson 1984). For
other losses, such as Poisson's, the facts name the targets at which a row's loss falls without end
(a count of 0, as the score decreases); the scores of all other rows must stay. A direction is
found by linear programme (`programme`) and believed only after a check: rows that rounding leaves
in doubt are judged in exact arithmetic, and if need be the direction itself is made exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray, accumulated
from chainrule.engine.certificates.exact_arithmetic import Vector, dot, exactly, null_vector
from chainrule.engine.certificates.linear_programme import find_directions
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.blocks import MatrixBlock
from chainrule.engine.runtime.executors import Partial

_EXACT_PRODUCTS: Final[int] = 200_000
_EXACT_EQUATIONS: Final[int] = 300_000
_ON_BOUNDARY: Final[float] = 1e-6
_ROUNDS: Final[int] = 4
_SMALLEST: Final[Fraction] = Fraction(1, 2**900)


@dataclass(frozen=True)
class Separation:
    """A direction along which the loss falls for ever.

    Attributes
    ----------
    direction : Point
    complete : bool
        Whether every row has a positive margin (else some lie on the boundary).
    proven : bool
        Whether all margins were verified, exactly where needed.
    """

    direction: Point
    complete: bool
    proven: bool


def find_separation(objective: Objective) -> Separation | None:
    """Search for a separating direction.

    Returns
    -------
    Separation or None
        None if there is none, or if the problem is too large to be searched.
    """
    best: Separation | None = None
    candidates = find_directions(objective)
    for direction in candidates:
        found = check_direction(objective, direction)
        if found is not None and found.proven:
            return found
        best = best or found
    for direction in candidates:
        found = _made_exact(objective, direction)
        if found is not None:
            return found
    return best


def check_direction(objective: Objective, direction: Point) -> Separation | None:
    """Return the separation that `direction` proves; None if it does not separate."""
    per_row = accumulated(objective.source.n_features + 4)
    loss = objective.loss

    def one(block: RowBlock) -> Partial:
        raw = block.X.matvec(direction.coef) + direction.intercept
        size = _reach(block.X, direction)
        margin = loss.margin(raw, block.y)
        doubt = 2.000001 * per_row * size.max(axis=1)
        wrong = int((margin < -doubt).sum())
        unclear = int(((margin <= doubt) & (size.max(axis=1) > 0)).sum())
        level = int((size.max(axis=1) == 0).sum())
        sure = int((loss.widest_lead(raw, block.y) > doubt).sum())
        return (np.array([wrong, unclear, level, sure], dtype=np.float64),)

    (counts,) = objective.sum_over_blocks(one)
    wrong, unclear, level, sure = (int(count) for count in counts)
    if wrong or not sure:
        return None
    if not unclear:
        return Separation(direction, complete=level == 0, proven=True)
    n_terms = unclear * (1 + int((direction.coef != 0).sum()))
    if n_terms > 50 * _EXACT_PRODUCTS:
        return Separation(direction, complete=False, proven=False)
    active = np.flatnonzero((direction.coef != 0).any(axis=1))
    boundary = _leads_in_doubt(objective, direction, active, 2.000001 * per_row)
    if boundary is None:
        return Separation(direction, complete=False, proven=False)
    exact = _packed(objective, direction, active)
    amounts = [dot(lead, exact) for lead in boundary]
    return Separation(
        direction,
        complete=level == 0 and all(amount > 0 for amount in amounts),
        proven=all(amount >= 0 for amount in amounts),
    )


def _made_exact(objective: Objective, direction: Point) -> Separation | None:
    """Turn a direction that separates up to rounding into one that separates exactly.

    The leads that are zero up to rounding are made zero in fractions; what the direction is off by
    then, once rounded to float64 again, is covered by the doubt of the other rows.
    """
    per_row = accumulated(objective.source.n_features + 4)
    active = np.flatnonzero((direction.coef != 0).any(axis=1))
    boundary = _leads_in_doubt(objective, direction, active, _ON_BOUNDARY)
    for _ in range(_ROUNDS):
        if not boundary:
            return None
        size = len(boundary[0])
        if len(boundary) * size * min(len(boundary), size) > _EXACT_EQUATIONS:
            return None
        exact = null_vector(boundary, _packed(objective, direction, active))
        if exact is None:
            return None
        if not all(_SMALLEST < abs(value) < 1 / _SMALLEST for value in exact if value):
            return None  # float64 would round it by more than one unit
        rounded = _unpacked(objective, exact, active)
        # one unit more than rounding: the fractions and their floats differ by that
        in_doubt = _leads_in_doubt(objective, rounded, active, 3 * per_row)
        if in_doubt is None:
            return None
        fresh = [lead for lead in in_doubt if dot(lead, exact) < 0]
        if not fresh:
            break
        boundary = boundary + fresh
    else:
        return None
    (sure,) = objective.sum_over_blocks(lambda block: _sure(objective, block, rounded, per_row))
    if not float(sure):
        return None
    return Separation(rounded, complete=False, proven=True)


def _sure(objective: Objective, block: RowBlock, direction: Point, per_row: float) -> Partial:
    raw = block.X.matvec(direction.coef) + direction.intercept
    doubt = 3 * per_row * _reach(block.X, direction).max(axis=1)
    return (np.asarray(float((objective.loss.widest_lead(raw, block.y) > doubt).sum())),)


def _packed(objective: Objective, direction: Point, active: IntArray) -> Vector:
    """Return a direction on some columns: output by output, the intercept last in each."""
    table = direction.coef[active]
    if objective.fit_intercept:
        table = np.vstack([table, direction.intercept])
    return exactly(table.T.ravel())


def _unpacked(objective: Objective, vector: Vector, active: IntArray) -> Point:
    """Invert `_packed`, up to rounding."""
    table = np.array([float(value) for value in vector]).reshape(objective.loss.n_outputs, -1).T
    direction = objective.origin()
    direction.coef[active] = table[: len(active)]
    if objective.fit_intercept:
        direction.intercept[:] = table[-1]
    return direction


def _leads_in_doubt(
    objective: Objective, direction: Point, active: IntArray, tolerance: float
) -> list[Vector] | None:
    """Return the leads that are zero within the tolerance or negative, as exact linear functions.

    Parameters
    ----------
    objective : Objective
    direction : Point
    active : ndarray
        The columns that it moves.
    tolerance : float
        Relative to what the raw prediction of a row could be with all terms of one sign.

    Returns
    -------
    list of Vector or None
        One vector for each distinct lead, in the order of `_packed`; None if too many.
    """
    loss, found = objective.loss, dict[bytes, Vector]()
    for index in range(objective.source.n_blocks):
        block = objective.source.block(index)
        raw = block.X.matvec(direction.coef) + direction.intercept
        bound = tolerance * _reach(block.X, direction).max(axis=1)
        unclear = np.flatnonzero(loss.margin(raw, block.y) <= bound)
        if not len(unclear):
            continue
        shares = loss.has_share(block.y)
        for i, row in _chosen_rows(block, unclear):
            x = row[active]
            scores = np.array([0.0, raw[i, 0]]) if loss.n_outputs == 1 else raw[i]
            for k in np.flatnonzero(shares[i]):
                for other in np.flatnonzero(scores[k] - scores <= bound[i]):
                    key = x.tobytes() + f" {k} {other}".encode()
                    if other == k or key in found:
                        continue
                    if (len(found) + 1) * (1 + len(x)) > _EXACT_PRODUCTS:
                        return None
                    found[key] = _lead(objective, exactly(x), int(k), int(other))
    return list(found.values())


def _lead(objective: Objective, x: Vector, ahead: int, behind: int) -> Vector:
    """Return the lead of one class over another in a row, as a linear function of directions."""
    row = [*x, Fraction(1)] if objective.fit_intercept else x
    n_outputs = objective.loss.n_outputs
    if n_outputs == 1:
        return row if ahead == 1 else [-value for value in row]
    parts = [[Fraction(0)] * len(row)] * n_outputs
    parts[ahead], parts[behind] = row, [-value for value in row]
    return [value for part in parts for value in part]


def _chosen_rows(block: RowBlock, chosen: IntArray) -> Iterator[tuple[int, FloatArray]]:
    start = 0
    for rows in block.X.dense_rows():
        for i in chosen[(chosen >= start) & (chosen < start + len(rows))]:
            yield int(i), rows[int(i) - start]
        start += len(rows)


def _reach(X: MatrixBlock, direction: Point) -> FloatArray:
    """Return |X| |coef| + |intercept|: what rounding errors of raw predictions scale with."""
    reach, _ = X.row_sizes(np.abs(direction.coef), np.ones(X.shape[1]))
    return reach + np.abs(direction.intercept)
