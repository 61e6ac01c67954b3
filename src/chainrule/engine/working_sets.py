"""Steps that read a copy of the columns that take part, where columns are many."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import engine_loss
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.accumulators import objective_for
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.gram import Snapshot
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import Partial, sum_over_chunks
from chainrule.engine.solvers.proximal_newton import Model, Solution
from chainrule.engine.solvers.proximal_steps import ProximalSteps
from chainrule.engine.solvers.steps import IterationRecord

_SHARE: Final[float] = 0.25
_LARGE_SHARE: Final[float] = 0.6
"""The share of the columns up to which steps read a copy of them; of data that are large."""

_LARGE: Final[float] = 4e5
"""Entries from which data are large here: a copy takes less time than the steps that it saves."""

_COPY_SHARE: Final[float] = 0.05
_COPY_BYTES: Final[float] = 1e8
"""What the copy of columns may take beside X: a share of X, and bytes."""

_MANY_COPIES: Final[int] = 3
"""The copy from which sparse columns are taken from a table that lies column after column."""

_ENTRIES: Final[float] = 2.5e5
"""Entries for which a product takes longer than Python does to ask for it."""

_NEXT: Final[float] = 0.8
_PART: Final[int] = 8
"""The share of the strength from which columns are copied beforehand; the part that they are."""

_SOON: Final[float] = 0.9
"""The share of the last strength of a stretch from which its columns are copied."""

_FRESH: Final[int] = 100
"""Columns that may always be added to those that take part."""


class WorkingSet:
    """A copy of some columns, kept until others are needed.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, for all columns.
    objective_of : callable
        Returns that of some columns.
    compiled : bool
        Whether steps may be compiled.
    looks_ahead : bool
        Whether strengths to come will need more columns, which are copied beforehand.
    """

    def __init__(
        self,
        objective: Objective,
        objective_of: Callable[[InMemorySource], Objective],
        *,
        compiled: bool,
        looks_ahead: bool,
    ) -> None:
        self._objective, self._objective_of = objective, objective_of
        self._may_compile, self._looks_ahead = compiled, looks_ahead
        self._columns: IntArray | None = None
        self._steps: ProximalSteps | None = None
        self._n_copies, self._turned = 0, None

    def is_worth(self, n_columns: int) -> bool:
        """Tell whether a copy of so many columns repays its memory."""
        source = self._objective.source
        share = n_columns / source.n_features
        most = _LARGE_SHARE if source.n_entries > _LARGE else _SHARE
        room = _COPY_SHARE * source.n_bytes + _COPY_BYTES
        return share <= most and 8 * share * source.n_entries <= room

    def solve(
        self,
        columns: IntArray,
        penalty: ElasticNet,
        here: Evaluation,
        unit: FloatArray,
        model: Model | None,
        *,
        tolerance: float,
        max_iter: int,
        enough: float,
    ) -> Solution:
        """Solve with all other columns held; the gradient of all columns comes with the answer.

        Parameters
        ----------
        columns : ndarray of int
            In ascending order. Others that were needed before may take part.
        penalty, here, unit, model, tolerance, max_iter, enough
            As in `proximal_newton`, for all columns.
        """
        if self._looks_ahead and not self._holds(columns):
            columns = _with_next(columns, here, penalty)
        columns, steps = self._copied(columns)
        start, model = _narrowed(here, columns), _narrowed_model(model, columns)
        found = steps.solve(
            penalty.of(columns),
            start,
            unit[columns],
            model,
            tolerance=tolerance,
            max_iter=max_iter,
            enough=enough,
        )
        self._count(steps, columns)
        model = None if found.model is None else found.model.moved_to(columns[found.model.columns])
        whole = here
        if found.history:
            (whole,) = self._with_all_columns([found.evaluation], columns)
        return replace(found, evaluation=whole, model=model)

    def walk(
        self,
        wanted: BoolArray,
        penalties: ElasticNet,
        here: Evaluation,
        units: FloatArray,
        model: Model | None,
        *,
        tolerance: float,
        max_iter: int,
        enough: float,
    ) -> list[Solution]:
        """Solve for several penalties, all other columns read once for all of them.

        Where a column turns out to be missing, those from there on are solved for again.

        Parameters
        ----------
        wanted : ndarray of bool
            The columns that take part.
        penalties, here, units, model, tolerance, max_iter, enough
            As in `CompiledProximal.walk`, for all columns.

        Returns
        -------
        list of Solution
            Fewer than asked for where the copy would be too large, or one has stalled.
        """
        found, history = list[Solution](), list[IterationRecord]()
        while len(found) < len(units):
            columns, rest = np.flatnonzero(wanted), slice(len(found), None)
            if not self._holds(columns):
                columns = _with_next(columns, here, penalties.at(-1))
            if not self.is_worth(len(columns)):
                return found
            columns, steps = self._copied(columns)
            solutions = steps.walk(
                penalties.at(rest).of(columns),
                _narrowed(here, columns),
                np.ascontiguousarray(units[rest][:, columns]),
                _narrowed_model(model, columns),
                tolerance=tolerance,
                max_iter=max_iter,
                enough=enough,
            )
            self._count(steps, columns)
            wholes = self._with_all_columns([one.evaluation for one in solutions], columns)
            models = _widened_models(solutions, columns)
            wanted = wanted.copy()
            wanted[columns] = True
            for solution, whole, model in zip(solutions, wholes, models, strict=True):
                here, penalty = whole, penalties.at(len(found))
                slope = here.gradient.coef[:, 0]
                violation = penalty.violation(here.point.coef[:, 0], slope) / units[len(found)]
                missing = (violation > tolerance) & ~wanted
                history = [*history, *solution.history]
                if missing.any():
                    wanted = wanted | missing | stretch_columns(here, penalties.at(-1))
                    break
                found.append(replace(solution, evaluation=whole, model=model, history=history))
                history = []
            if solutions[-1].stop == "stalled":
                return found
        return found

    def _count(self, steps: ProximalSteps, columns: IntArray) -> None:
        """Count the passes over a copy as parts of passes over all columns."""
        part, share = steps.objective, len(columns) / self._objective.source.n_features
        self._objective.passes += part.passes * share
        part.passes = 0.0

    def _holds(self, columns: IntArray) -> bool:
        """Tell whether the last copy has these columns."""
        if self._columns is None:
            return False
        return bool(np.isin(columns, self._columns, assume_unique=True).all())

    @property
    def _rows_at_once(self) -> int:
        """Rows of a product with all columns: a block, or several that have few entries."""
        source = self._objective.source
        n_blocks = max(1, int(source.n_entries / _ENTRIES))
        return source.rows_per_block * max(1, source.n_blocks // n_blocks)

    def _copied(self, columns: IntArray) -> tuple[IntArray, ProximalSteps]:
        """Return columns, with those asked for among them, and the steps on a copy of them."""
        if self._columns is None or self._steps is None or not self._holds(columns):
            source = self._objective.source
            self._n_copies += 1
            if self._n_copies == _MANY_COPIES and source.n_bytes <= _COPY_BYTES:
                self._turned = source.turned()
            self._steps = None  # not two copies at a time
            part = self._objective_of(source.take_columns(columns, self._turned))
            self._columns = columns
            self._steps = ProximalSteps(part, compiled=self._may_compile)
            row, total, sandwich = part.source.longest_sums
            whole = source.matrix_of(slice(0, min(self._rows_at_once, source.n_samples)))
            longer = row, max(total, whole.longest_sum), sandwich
            self._objective.source = source.with_sums_of(longer)
        return self._columns, self._steps

    def _with_all_columns(
        self, evaluations: Sequence[Evaluation], columns: IntArray
    ) -> list[Evaluation]:
        """Return evaluations on some columns as ones of all, whose coefficients are 0."""
        objective = self._objective
        residual = np.hstack([objective.residual(at.raw_prediction) for at in evaluations])

        source, step = objective.source, self._rows_at_once

        def one(index: int) -> Partial:
            rows = slice(index * step, min((index + 1) * step, source.n_samples))
            return source.matrix_of(rows).rmatvec(residual[rows]), residual[rows].sum(axis=0)

        coef, intercept = sum_over_chunks(one, -(-source.n_samples // step), objective.n_threads)
        objective.passes += 0.5
        found = list[Evaluation]()
        for k, at in enumerate(evaluations):
            point = objective.origin()
            point.coef[columns] = at.point.coef
            point.intercept[:] = at.point.intercept
            gradient = objective.freed(Point(coef[:, k : k + 1], intercept[k : k + 1]))
            scores = partial(_same, at.raw_prediction)
            found.append(replace(at, point=point, gradient=gradient, scores=scores))
        return found


def _same(numbers: FloatArray) -> FloatArray:
    return numbers


def _narrowed(here: Evaluation, columns: IntArray) -> Evaluation:
    """Return an evaluation on some columns, all others being 0."""
    coef, slope = here.point.coef[columns], here.gradient.coef[columns]
    point, gradient = Point(coef, here.point.intercept), Point(slope, here.gradient.intercept)
    return replace(here, point=point, gradient=gradient)


def _narrowed_model(model: Model | None, columns: IntArray) -> Model | None:
    """Return what a model says of some columns, by their places among them."""
    if model is not None:
        model = model.without(~np.isin(model.columns, columns, assume_unique=True))
    return None if model is None else model.moved_to(np.searchsorted(columns, model.columns))


def _widened_models(solutions: Sequence[Solution], columns: IntArray) -> list[Model | None]:
    """Return models of some columns by their places among all; a shared Hessian stays shared."""
    known = dict[int, Snapshot]()
    found = list[Model | None]()
    for solution in solutions:
        model = solution.model
        if model is None:
            found.append(None)
            continue
        moved = model.moved_to(columns[model.columns])
        if moved.snapshot is not None:
            moved.snapshot = known.setdefault(id(model.snapshot), moved.snapshot)
        found.append(moved)
    return found


def _with_next(columns: IntArray, here: Evaluation, penalty: ElasticNet) -> IntArray:
    """Return columns and some that strengths to come will need: they are copied once."""
    wanted = np.zeros(len(penalty.l1), dtype=bool)
    wanted[columns] = True
    slope = np.abs(here.gradient.coef[:, 0])
    near = np.flatnonzero(~wanted & (slope >= _NEXT * penalty.l1))
    most = len(columns) // _PART
    if len(near) > most:
        pull = slope[near] / np.maximum(penalty.l1[near], 1e-300)
        near = near[np.argsort(-pull, kind="stable")[:most]]
    wanted[near] = True
    return np.flatnonzero(wanted)


def stretch_columns(here: Evaluation, penalty: ElasticNet) -> BoolArray:
    """Return the columns to begin a stretch with, up to a strength not far from here."""
    taking_part, slope = here.point.coef[:, 0] != 0, np.abs(here.gradient.coef[:, 0])
    near = ~taking_part & (slope >= _SOON * penalty.l1)
    pull = slope / np.maximum(penalty.l1, 1e-300)
    return np.asarray(taking_part | steepest(near, pull, int(taking_part.sum()) // 2))


def first_columns(
    ever: BoolArray, here: Evaluation, penalty: ElasticNet, unit: FloatArray, fall: float
) -> BoolArray:
    """Return the columns to begin with at a strength, from a point of the one before.

    Parameters
    ----------
    ever : ndarray of bool
        The columns that took part before.
    here : Evaluation
    penalty : ElasticNet
        At the new strength.
    unit : ndarray of shape (n_features,)
        What slopes are measured in.
    fall : float
        The new strength, divided by the one before.
    """
    w, slope = here.point.coef[:, 0], np.abs(here.gradient.coef[:, 0])
    # a slope hardly changes by more than the strength does (Tibshirani and others 2012)
    strong = penalty.l1 * (max(2 - 1 / fall, 0.5) if fall > 0 else 0.5)
    wanted: BoolArray = ever | (w != 0) | (penalty.l1 == 0)
    pull = slope / unit
    wanted |= steepest((slope >= strong) & ~wanted, pull, int(wanted.sum()))
    wanted[int(np.argmax(pull))] = True
    return wanted


def steepest(wanted: BoolArray, pull: FloatArray, n_others: int) -> BoolArray:
    """Return those of some columns that pull the most: about as many as take part already.

    After a long stride very many are wanted, and few of them are needed.
    """
    most = max(_FRESH, int(n_others))
    if wanted.sum() <= most:
        return wanted
    order = np.argsort(-np.where(wanted, pull, 0.0), kind="stable")
    kept = np.zeros(len(wanted), dtype=bool)
    kept[order[:most]] = True
    return kept


def widened(wanted: BoolArray, missing: BoolArray, slope: FloatArray, l1: FloatArray) -> BoolArray:
    """Return the columns to go on with: those that are missing, or about to be."""
    near = ~wanted & (slope >= 0.95 * l1)
    most = max(_FRESH, int(wanted.sum()))
    order = np.argsort(-np.where(near, slope / np.maximum(l1, 1e-300), 0.0), kind="stable")
    near[order[most:]] = False
    return wanted | near | missing if near.sum() < most else wanted | near


def losses_alone(
    row: LossRow | None, fit_intercept: bool, n_threads: int, source: InMemorySource
) -> Objective:
    """Return the objective of the losses alone."""
    return objective_for(
        source,
        engine_loss(source, row),
        L2Penalty(np.zeros(source.n_features)),
        fit_intercept=fit_intercept,
        n_threads=n_threads,
    )
