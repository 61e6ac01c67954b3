"""What looks over a solver's shoulder: progress, the best iterate so far, signs of separation.

What proves separation is imported at the first sign of it: with a penalty there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.training.arrays import norm
from chainrule.training.objective import Evaluation, Objective, Point
from chainrule.training.solvers.steps import IterationRecord

if TYPE_CHECKING:
    from chainrule.training.separation import Separation

_PATIENCE: Final[int] = 6
_CONFIDENT: Final[float] = 12.0
_SATURATED: Final[float] = 36.0
_GROWTH: Final[float] = 1.02


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


class Watch:
    """Called with each evaluation of a solver; returns whether to stop.

    Parameters
    ----------
    objective : Objective
    on_iteration : callable, optional
    search : bool
        Whether separation may be looked for by linear programme.
    expected_passes : float
    negligible : float
        An objective so small that the fit may stop, however near f* = 0 is.
    restore : callable
        Takes a point of the objective to the units of the data.

    Attributes
    ----------
    separation : Separation or None
    best : Evaluation or None
        The lowest so far.
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
    ) -> None:
        self.objective = objective
        self.separation: Separation | None = None
        self.best: Evaluation | None = None
        self.records: list[IterationRecord] = []
        self._on_iteration = on_iteration
        self._expected = expected_passes
        self._negligible = negligible
        self._restore = restore
        self._search = search
        self._last: Evaluation | None = None
        self._gradient_norm = 0.0
        self._largest = 0.0
        self._clock = perf_counter()

    def __call__(self, evaluation: Evaluation) -> bool:
        """Return whether to stop: by request, or on proof that no optimum exists."""
        known = self._last is not None and self._last.point is evaluation.point
        if not known:
            self._record(evaluation)
        if self.best is None or evaluation.value <= self.best.value:
            self.best = evaluation
        if not known and self._on_iteration is not None:
            progress = Progress(
                len(self.records),
                evaluation.value,
                self._gradient_norm,
                self.objective.passes,
                self._expected,
                lambda: self._restore(evaluation.point),
            )
            if self._on_iteration(progress):
                return True
        if not self.objective.penalty.is_none:
            return evaluation.value <= self._negligible
        return self._separates(evaluation)

    def search(self) -> None:
        """Run the linear programme, once."""
        if self._search:
            from chainrule.training.separation import find_separation

            self._search = False
            self.separation = find_separation(self.objective)

    def _record(self, evaluation: Evaluation) -> None:
        now = perf_counter()
        if self._last is not None:
            known = self._last.value, self._gradient_norm
            self.records.append(IterationRecord(*known, np.nan, now - self._clock))
        self._last, self._clock = evaluation, now
        self._gradient_norm = norm(evaluation.gradient.coef, evaluation.gradient.intercept)

    def _separates(self, evaluation: Evaluation) -> bool:
        if self._leads_everywhere(evaluation):
            from chainrule.training.separation import check_direction

            self.separation = check_direction(self.objective, evaluation.point)
            if self.separation is not None and self.separation.proven:
                return True
        largest = float(np.abs(evaluation.raw_prediction).max())
        # predictions that settle tell of an optimum; along a separating direction they grow on
        grows, self._largest = largest > _GROWTH * self._largest, largest
        if self._search and (largest > _CONFIDENT or (grows and len(self.records) >= _PATIENCE)):
            self.search()
        if self.separation is None:
            return False
        return self.separation.proven or largest > _SATURATED

    def _leads_everywhere(self, evaluation: Evaluation) -> bool:
        source, loss = self.objective.source, self.objective.loss
        for index in range(source.n_blocks):
            rows, y, _ = source.labels(index)
            if not (loss.margin(evaluation.raw_prediction[rows], y) > 0).all():
                return False
        return True
