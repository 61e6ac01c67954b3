"""The linear programme behind `separation`: directions along which no true class falls back.

Konis (2007), over a growing set of rows, each column divided by a power of two near its largest
value. What it finds holds to working precision; `separation` checks it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.certificates.exact_arithmetic import whole_numbers
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.executors import Partial

_FIRST_ROWS: Final[int] = 1000
_ROUNDS: Final[int] = 12
_ENTRIES: Final[float] = 2e7
_TOLERANCE: Final[float] = 1e-6


def find_directions(objective: Objective) -> list[Point]:
    """Return directions that separate to working precision, the simplest to read first.

    Returns
    -------
    list of Point
        Empty if there is none, or if the problem is too large to be searched.
    """
    source, n_outputs, unit = objective.source, objective.loss.n_outputs, _units(objective)
    gain = _total_lead(objective) / _per_parameter(objective, unit)
    gain = gain / max(float(np.abs(gain).sum()), 1e-300)
    chosen: IntArray = np.unique(
        np.linspace(0, source.n_samples - 1, min(_FIRST_ROWS, source.n_samples)).astype(np.intp)
    )
    for _ in range(_ROUNDS):
        if len(chosen) * objective.n_parameters * max(1, n_outputs - 1) > _ENTRIES:
            return []
        leads = _lead_rows(objective, chosen, unit)
        answer = _solve(gain, leads, objective)
        if answer is None or gain @ answer <= _TOLERANCE:
            return []
        margins = _margins(objective, _as_point(objective, answer, unit))
        broken = np.flatnonzero(margins < -_TOLERANCE)
        fresh = np.setdiff1d(broken[np.argsort(margins[broken])][:_FIRST_ROWS], chosen)
        if not len(fresh):
            break
        chosen = np.union1d(chosen, fresh)
    else:
        return []
    widest = _solve_widest(leads, objective)
    vectors = [answer] if widest is None else [widest, answer]
    return [
        _as_point(objective, candidate, unit)
        for vector in vectors
        for candidate in _simplified(vector)
    ]


def without_noise(objective: Objective, direction: Point) -> list[Point]:
    """Return a direction with what is next to zero left out, and in small whole numbers."""
    scale = _per_parameter(objective, _units(objective))
    simple = _simplified(objective.pack(direction) * scale)
    return [objective.unpack(vector / scale) for vector in simple]


def _units(objective: Objective) -> FloatArray:
    """Return a power of two near the largest value of each column."""
    bounds = objective.source.column_bounds
    return np.asarray(np.exp2(np.floor(np.log2(np.where(bounds > 0, bounds, 1.0)))))


def _per_parameter(objective: Objective, unit: FloatArray) -> FloatArray:
    n_outputs = objective.loss.n_outputs
    return objective.pack(Point(np.repeat(unit[:, None], n_outputs, axis=1), np.ones(n_outputs)))


def _as_point(objective: Objective, vector: FloatArray, unit: FloatArray) -> Point:
    return objective.unpack(vector / _per_parameter(objective, unit))


def _total_lead(objective: Objective) -> FloatArray:
    """Return the sum over rows of all the leads of classes with a share, as a linear function."""
    loss = objective.loss

    def one(block: RowBlock) -> Partial:
        shares = loss.has_share(block.y).astype(np.float64)
        if loss.n_outputs == 1:
            signs = shares[:, 1:] - shares[:, :1]
        else:
            signs = loss.n_outputs * shares - shares.sum(axis=1, keepdims=True)
        return block.X.rmatvec(signs), signs.sum(axis=0)

    coef, intercept = objective.sum_over_blocks(one)
    return objective.pack(Point(coef, intercept))


def _margins(objective: Objective, direction: Point) -> FloatArray:
    margins = np.empty(objective.source.n_samples)
    raw = objective.raw_direction(direction)
    for index in range(objective.source.n_blocks):
        rows, y, _ = objective.source.labels(index)
        margins[rows] = objective.loss.margin(raw[rows], y)
    return margins


def _lead_rows(objective: Objective, chosen: IntArray, unit: FloatArray) -> sparse.csr_array:
    """Return the matrix whose product with a packed direction is the leads in chosen rows."""
    source, n_outputs = objective.source, objective.loss.n_outputs
    parts = []
    for index in range(source.n_blocks):
        block = source.block(index)
        within = chosen[(chosen >= block.rows.start) & (chosen < block.rows.stop)]
        within = within - block.rows.start
        if not len(within):
            continue
        shares = objective.loss.has_share(block.y)
        start = 0
        for dense in block.X.dense_rows():
            local = within[(within >= start) & (within < start + len(dense))]
            x = (dense[local - start] / unit)[:, objective.free]
            start += len(dense)
            if objective.fit_intercept:
                x = np.hstack([x, np.ones((len(x), 1))])
            share = shares[local]
            if n_outputs == 1:
                parts += [sparse.csr_array(x[share[:, 1]]), sparse.csr_array(-x[share[:, 0]])]
                continue
            for k in range(n_outputs):
                mine = x[share[:, k]]
                for other in range(n_outputs):
                    if other == k:
                        continue
                    pieces = [np.zeros_like(mine) for _ in range(n_outputs)]
                    pieces[k], pieces[other] = mine, -mine
                    parts.append(sparse.csr_array(np.hstack(pieces)))
    return sparse.csr_array(sparse.vstack(parts))


def _bounds(objective: Objective) -> list[tuple[float, float]]:
    size, n_outputs = objective.n_rows_of_hessian, objective.loss.n_outputs
    bounds = [(-1.0, 1.0)] * (size * n_outputs)
    if n_outputs > 1:  # only differences between classes matter
        bounds[:size] = [(0.0, 0.0)] * size
    return bounds


def _solve(gain: FloatArray, leads: sparse.csr_array, objective: Objective) -> FloatArray | None:
    answer = linprog(
        -gain, A_ub=-leads, b_ub=np.zeros(leads.shape[0]), bounds=_bounds(objective), method="highs"
    )
    return np.asarray(answer.x) if answer.status == 0 else None


def _solve_widest(leads: sparse.csr_array, objective: Objective) -> FloatArray | None:
    """Give as many leads as possible a size that rounding cannot touch."""
    n_rows, n_parameters = leads.shape
    cap = 1e-3
    answer = linprog(
        np.concatenate([np.zeros(n_parameters), -np.ones(n_rows)]),
        A_ub=sparse.hstack([-leads, sparse.eye_array(n_rows)], format="csr"),
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
        whole = whole_numbers(snapped / unit, 24)
        if whole is not None:
            candidates.append(whole)
    return [*candidates, snapped]
