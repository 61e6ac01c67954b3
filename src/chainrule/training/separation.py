"""Directions that separate the classes: without a penalty they prove that no optimum exists.

A direction u separates when along it every row's true class leads every other by >= 0, and some
row's leads some other by > 0. Along it the loss falls for ever (Albert and Anderson 1984). It is
found by linear programme (Konis 2007) over a growing set of rows, and believed only after an exact
check.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from chainrule.training.arrays import FloatArray, IntArray, accumulated
from chainrule.training.blocks import MatrixBlock
from chainrule.training.executors import Partial
from chainrule.training.objective import Objective, Point
from chainrule.training.sources import RowBlock

_FIRST_ROWS: Final[int] = 1000
_ROUNDS: Final[int] = 12
_ENTRIES: Final[float] = 2e7
_EXACT_PRODUCTS: Final[int] = 200_000
_LP_TOLERANCE: Final[float] = 1e-6


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
    proven = _unclear_rows_hold(objective, direction, per_row)
    return Separation(direction, complete=False, proven=proven)


def find_separation(objective: Objective) -> Separation | None:
    """Search for a separating direction by linear programme.

    Returns
    -------
    Separation or None
        None if there is none, or if the problem is too large to be searched.
    """
    source, n_outputs = objective.source, objective.loss.n_outputs
    maxima = np.zeros(source.n_features)
    for index in range(source.n_blocks):
        np.maximum(maxima, source.block(index).X.column_maxima(), out=maxima)
    unit = np.exp2(np.floor(np.log2(np.where(maxima > 0, maxima, 1.0))))
    gain = _total_margin(objective) / _per_parameter(objective, unit)
    gain = gain / max(float(np.abs(gain).sum()), 1e-300)
    chosen: IntArray = np.unique(
        np.linspace(0, source.n_samples - 1, min(_FIRST_ROWS, source.n_samples)).astype(np.intp)
    )
    for _ in range(_ROUNDS):
        if len(chosen) * objective.n_parameters * max(1, n_outputs - 1) > _ENTRIES:
            return None
        rows = _margin_rows(objective, chosen, unit)
        answer = _solve(gain, rows, objective)
        if answer is None or gain @ answer <= _LP_TOLERANCE:
            return None
        margins = _margins(objective, _as_point(objective, answer, unit))
        broken = np.flatnonzero(margins < -_LP_TOLERANCE)
        fresh = np.setdiff1d(broken[np.argsort(margins[broken])][:_FIRST_ROWS], chosen)
        if not len(fresh):
            break
        chosen = np.union1d(chosen, fresh)
    else:
        return None
    widest = _solve_widest(rows, objective)
    best: Separation | None = None
    for vector in (widest, answer):
        if vector is None:
            continue
        for candidate in _simplified(vector):
            found = check_direction(objective, _as_point(objective, candidate, unit))
            if found is not None and found.proven:
                return found
            best = best or found
    return best


def _unclear_rows_hold(objective: Objective, direction: Point, per_row: float) -> bool:
    loss = objective.loss
    active = np.flatnonzero((direction.coef != 0).any(axis=1))
    coef = [[Fraction(float(c)) for c in row] for row in direction.coef[active]]
    intercept = [Fraction(float(c)) for c in direction.intercept]
    seen: set[bytes] = set()
    for index in range(objective.source.n_blocks):
        block = objective.source.block(index)
        raw = block.X.matvec(direction.coef) + direction.intercept
        size = _reach(block.X, direction)
        unclear = loss.margin(raw, block.y) <= 2.000001 * per_row * size.max(axis=1)
        if not unclear.any():
            continue
        columns = block.X.take_columns(active)
        start = 0
        for rows in columns.dense_rows():
            for i in np.flatnonzero(unclear[start : start + len(rows)]):
                y = np.atleast_1d(block.y[start + i])
                key = rows[i].tobytes() + y.tobytes()
                if key in seen:
                    continue
                seen.add(key)
                if len(seen) * len(active) > _EXACT_PRODUCTS:
                    return False
                x = [Fraction(float(value)) for value in rows[i]]
                scores = [
                    sum((x_j * c[k] for x_j, c in zip(x, coef, strict=True)), intercept[k])
                    for k in range(loss.n_outputs)
                ]
                if not _leads(scores, y):
                    return False
            start += len(rows)
    return True


def _leads(scores: list[Fraction], y: FloatArray) -> bool:
    if len(scores) == 1:
        return scores[0] >= 0 if y[0] == 1 else scores[0] <= 0
    return scores[int(np.argmax(y))] >= max(scores)


def _per_parameter(objective: Objective, unit: FloatArray) -> FloatArray:
    full = np.append(unit, 1.0) if objective.fit_intercept else unit
    return np.tile(full, objective.loss.n_outputs)


def _as_point(objective: Objective, vector: FloatArray, unit: FloatArray) -> Point:
    return objective.unpack(vector / _per_parameter(objective, unit))


def _total_margin(objective: Objective) -> FloatArray:
    """Return the sum over rows of all the leads of the true class, as a linear function."""

    def one(block: RowBlock) -> Partial:
        y = block.y[:, None] if block.y.ndim == 1 else block.y
        sign = max(2, objective.loss.n_outputs) * y - 1
        return block.X.rmatvec(sign), sign.sum(axis=0)

    coef, intercept = objective.sum_over_blocks(one)
    return objective.pack(Point(coef, intercept))


def _margins(objective: Objective, direction: Point) -> FloatArray:
    margins = np.empty(objective.source.n_samples)
    raw = objective.raw_direction(direction)
    for index in range(objective.source.n_blocks):
        rows, y, _ = objective.source.labels(index)
        margins[rows] = objective.loss.margin(raw[rows], y)
    return margins


def _margin_rows(objective: Objective, chosen: IntArray, unit: FloatArray) -> sparse.csr_array:
    """Return the matrix whose product with a packed direction is the leads of chosen rows."""
    source, n_outputs = objective.source, objective.loss.n_outputs
    parts = []
    for index in range(source.n_blocks):
        block = source.block(index)
        within = chosen[(chosen >= block.rows.start) & (chosen < block.rows.stop)]
        within = within - block.rows.start
        if not len(within):
            continue
        start = 0
        for dense in block.X.dense_rows():
            local = within[(within >= start) & (within < start + len(dense))]
            x = dense[local - start] / unit
            if objective.fit_intercept:
                x = np.hstack([x, np.ones((len(x), 1))])
            y = block.y[local]
            start += len(dense)
            if n_outputs == 1:
                parts.append(sparse.csr_array((2 * y - 1)[:, None] * x))
                continue
            true = np.argmax(y, axis=1)
            for other in range(n_outputs):
                use = true != other
                pieces = [np.zeros_like(x[use]) for _ in range(n_outputs)]
                for k in range(n_outputs):
                    pieces[k][true[use] == k] = x[use][true[use] == k]
                pieces[other] = -x[use]
                parts.append(sparse.csr_array(np.hstack(pieces)))
    return sparse.csr_array(sparse.vstack(parts))


def _bounds(objective: Objective) -> list[tuple[float, float]]:
    size, n_outputs = objective.n_rows_of_hessian, objective.loss.n_outputs
    bounds = [(-1.0, 1.0)] * (size * n_outputs)
    if n_outputs > 1:  # only differences between classes matter
        bounds[:size] = [(0.0, 0.0)] * size
    return bounds


def _solve(gain: FloatArray, rows: sparse.csr_array, objective: Objective) -> FloatArray | None:
    answer = linprog(
        -gain, A_ub=-rows, b_ub=np.zeros(rows.shape[0]), bounds=_bounds(objective), method="highs"
    )
    return np.asarray(answer.x) if answer.status == 0 else None


def _solve_widest(rows: sparse.csr_array, objective: Objective) -> FloatArray | None:
    """Give as many rows as possible a margin that rounding cannot touch."""
    n_rows, n_parameters = rows.shape
    cap = 1e-3
    answer = linprog(
        np.concatenate([np.zeros(n_parameters), -np.ones(n_rows)]),
        A_ub=sparse.hstack([-rows, sparse.eye_array(n_rows)], format="csr"),
        b_ub=np.zeros(n_rows),
        bounds=_bounds(objective) + [(0.0, cap)] * n_rows,
        method="highs",
    )
    return np.asarray(answer.x[:n_parameters]) if answer.status == 0 else None


def _simplified(vector: FloatArray) -> list[FloatArray]:
    """Return the vector with its noise snapped to zero, and as small whole numbers."""
    top = float(np.abs(vector).max())
    snapped = np.where(np.abs(vector) > 1e-7 * top, vector, 0.0)
    candidates = []
    sizes = np.abs(snapped[snapped != 0])
    for unit in (sizes.min(), sizes.max()):
        fractions = [Fraction(float(v / unit)).limit_denominator(24) for v in snapped]
        common = 1
        for fraction in fractions:
            common = int(np.lcm(common, fraction.denominator))
            if common > 10**6:
                break
        else:
            candidates.append(np.array([float(fraction * common) for fraction in fractions]))
    return [*candidates, snapped]


def _reach(X: MatrixBlock, direction: Point) -> FloatArray:
    """Return |X| |coef| + |intercept|: what rounding errors of raw predictions scale with."""
    reach, _ = X.row_sizes(np.abs(direction.coef), np.ones(X.shape[1]))
    return reach + np.abs(direction.intercept)
