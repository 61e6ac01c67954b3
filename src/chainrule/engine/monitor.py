"""Solver monitor: progress, the best iterate so far, early detection of separation.

The proofs of separation are imported at the first sign of it: with a penalty there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray, norm
from chainrule.engine.data.rows import stratified_rows
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.steps import IterationRecord

if TYPE_CHECKING:
    from chainrule.engine.certificates.separation import Separation

_WATCHED: Final[int] = 2000
_OF_EACH_CLASS: Final[int] = 20
_SEED: Final[int] = 33_023
_PATIENCE: Final[int] = 6
_LONG_PATIENCE: Final[int] = 10
_STRIDE: Final[float] = 0.5
_NOISE: Final[float] = 1e-6
_CONFIDENT: Final[float] = 12.0
_SATURATED: Final[float] = 36.0


@dataclass(frozen=True)
class Progress:
    """Where a fit stands; what `on_iteration` is told.

    Attributes
    ----------
    iteration : int
        How many iterations on all rows lie behind.
    objective : float
    gradient_norm : float
    passes : float
        How many times X has been read so far.
    expected_passes : float
        How many were expected in all.
    point : callable
        Returns coefficients and intercept in the units of the data.
    """

    iteration: int
    objective: float
    gradient_norm: float
    passes: float
    expected_passes: float
    point: Callable[[], Point]


OnIteration = Callable[[Progress], bool | None]
"""Told the progress of a fit; True ends the fit where it stands."""


class FitMonitor:
    """Called with each evaluation of a solver; returns whether to stop.

    Parameters
    ----------
    objective : Objective
    on_iteration : callable, optional
    search : bool
        Whether separation may be searched for.
    expected_passes : float
    negligible : float
        An objective so small that the fit may stop, however near f* = 0 is.
    restore : callable
        Takes a point of the objective to the units of the data.
    patience : float
        The reads of X after which another solver takes over.

    Attributes
    ----------
    separation : Separation or None
    best : Evaluation or None
        The lowest so far.
    patience : float
        As given; inf once it is exhausted.
    exhausted_after : float
        The reads of X after which the patience was exhausted; 0 before.
    records : list of IterationRecord
        One for every iterate that another followed; the steps are not known here.
    """

    def __init__(
        self,
        objective: Objective,
        on_iteration: OnIteration | None = None,
        *,
        search: bool,
        expected_passes: float = 0.0,
        negligible: float = 0.0,
        restore: Callable[[Point], Point] = lambda point: point,
        patience: float = np.inf,
    ) -> None:
        self.objective = objective
        self.separation: Separation | None = None
        self.best: Evaluation | None = None
        self.records: list[IterationRecord] = []
        self._on_iteration = on_iteration
        self._expected = expected_passes
        self._negligible = negligible
        self._restore = restore
        self.patience, self.exhausted_after = patience, 0.0
        self._search = self._is_small = search
        self._exists = False
        self._last: Evaluation | None = None
        self._known: tuple[float, float] | None = None
        self._is_stopped = False
        self._step = objective.origin()
        self._clock = perf_counter()

    def notice(self, value: float, gradient_norm: float, point: Callable[[], Point]) -> bool:
        """Take note of an iterate of a solver on the way to its first evaluation.

        Returns whether whoever is told the progress wants to stop; from then on, so do calls.
        """
        self._note(value, gradient_norm)
        self._is_stopped = self._told(value, point)
        return self._is_stopped

    def __call__(self, evaluation: Evaluation) -> bool:
        """Return whether to stop: by request, or on proof that no optimum exists."""
        known = self._last is not None and self._last.point is evaluation.point
        if not known:
            self._record(evaluation)
        if self.best is None or evaluation.value <= self.best.value:
            self.best = evaluation
        if self._is_stopped or (
            not known and self._told(evaluation.value, lambda: evaluation.point)
        ):
            return True
        if self.objective.passes > self.patience and evaluation.excess > self._negligible:
            self.patience, self.exhausted_after = np.inf, self.objective.passes
            return True
        if not self.objective.penalty.is_none:
            return evaluation.excess <= self._negligible
        return self._separates(evaluation)

    def search(self, point: Point) -> None:
        """Search for separation, once: unless a few rows prove an optimum, by linear programme."""
        if self._search:
            from chainrule.engine.certificates.existence import has_optimum
            from chainrule.engine.certificates.separation import find_separation

            self._search = False
            self._exists = has_optimum(self.objective, point)
            if not self._exists:
                self.separation = find_separation(self.objective)

    def _record(self, evaluation: Evaluation) -> None:
        if self._last is not None:
            self._step = evaluation.point.moved(-1.0, self._last.point)
        self._last = evaluation
        self._note(evaluation.value, norm(evaluation.gradient.coef, evaluation.gradient.intercept))

    def _note(self, value: float, gradient_norm: float) -> None:
        now = perf_counter()
        if self._known is not None:
            self.records.append(IterationRecord(*self._known, np.nan, now - self._clock))
        self._known, self._clock = (value, gradient_norm), now

    def _told(self, value: float, point: Callable[[], Point]) -> bool:
        """Tell whoever wants to know; return whether to stop."""
        if self._on_iteration is None or self._known is None:
            return False
        progress = Progress(
            len(self.records),
            value,
            self._known[1],
            self.objective.passes,
            self._expected,
            lambda: self._restore(point()),
        )
        return bool(self._on_iteration(progress))

    def _separates(self, evaluation: Evaluation) -> bool:
        if self._exists:
            return False
        scores = self._scores(evaluation)
        if self._least_margin(scores) > 0 and self._proves(evaluation.point):
            return True
        # steps shrink towards an optimum; along a separating direction they go on and on
        going_on = self._step if self._reach(self._step) > _STRIDE else None
        has_gone_on = going_on is not None and len(self.records) >= _PATIENCE
        if has_gone_on and self._is_small and self._runs_off(self._step):
            return True
        largest = float(np.abs(scores).max())
        if largest > _CONFIDENT or (going_on is not None and len(self.records) >= _LONG_PATIENCE):
            self.search(evaluation.point)
        if self.separation is None:
            return False
        return self.separation.proven or largest > _SATURATED

    def _proves(self, direction: Point) -> bool:
        """Whether a direction is proven to separate."""
        from chainrule.engine.certificates.separation import check_direction

        found = check_direction(self.objective, direction)
        self.separation = found or self.separation
        return found is not None and found.proven

    def _runs_off(self, step: Point) -> bool:
        """Whether a step separates, up to noise: along all else, steps shrink."""
        from chainrule.engine.certificates.linear_programme import without_noise

        for direction in without_noise(self.objective, step):
            noise = _NOISE * self._reach(direction)
            if self._least_margin(self._few.raw_direction(direction)) < -noise:
                continue
            if self._proves(direction):
                return True
        return False

    @cached_property
    def _few(self) -> Objective:
        """Some rows of every class, or all: where signs of separation are looked for."""
        source = self.objective.source
        if source.n_samples <= 2 * _WATCHED:
            return self.objective
        drawn = stratified_rows(source.n_samples, _WATCHED, _SEED)
        rows = np.unique(np.concatenate([drawn, *self._first_of_each_class()]))
        return self.objective.on_rows(source.take_rows(rows))

    def _first_of_each_class(self) -> Iterator[IntArray]:
        """Yield the first rows in which each class has a share, a block at a time."""
        source, loss = self.objective.source, self.objective.loss
        missing = np.full(source.n_classes, _OF_EACH_CLASS)
        for index in range(source.n_blocks):
            rows, y, _ = source.labels(index)
            shares = loss.has_share(y)
            for k in np.flatnonzero(missing):
                first = np.flatnonzero(shares[:, k])[: missing[k]]
                missing[k] -= len(first)
                yield rows.start + first
            if not missing.any():
                return

    def _scores(self, evaluation: Evaluation) -> FloatArray:
        """Return the raw predictions of these rows."""
        if self._few is self.objective:
            return evaluation.raw_prediction
        return self._few.raw_predictions(evaluation.point)

    def _least_margin(self, scores: FloatArray) -> float:
        """Return by how much the true class leads in these rows, at least."""
        source, loss = self._few.source, self.objective.loss
        margins = (source.labels(index)[:2] for index in range(source.n_blocks))
        return min(float(loss.margin(scores[rows], y).min()) for rows, y in margins)

    def _reach(self, step: Point) -> float:
        """Bound by how much a step changes any raw prediction."""
        change = self.objective.source.column_bounds @ np.abs(step.coef) + np.abs(step.intercept)
        return float(change.max())
