"""Few passes: solve on a random sample first, then step on all rows with the sample's curvature.

For many more rows than parameters, a sixteenth of the rows knows the curvature to within a few
per cent; an eighth or a quarter of fewer rows knows it less well, in twice as many steps. A step on
all rows then costs one gradient, a single read of X, and removes all but a few per cent of the
error; limited-memory updates (Liu and Nocedal 1989) learn the rest. The same curvature proves how
far the optimum can be: no row takes away what the sample's rows add to the Hessian.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.rows import largest_sample
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.class_newton import class_newton, fixed_hessian_descent
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.limits import FRACTIONS, ROWS_PER_PARAMETER, sample_fraction
from chainrule.engine.solvers.newton import newton
from chainrule.engine.solvers.newton_cg import estimated_gap, newton_cg
from chainrule.engine.solvers.quasi_newton import Inverse, quasi_newton
from chainrule.engine.solvers.steps import IterationRecord, Monitor, Outcome, no_op_monitor

_PRODUCTS_FROM: Final[int] = 150
_PROVABLE: Final[float] = 0.9
"""Below 1, the theorem behind the certificate holds; a bit below, for what rounding adds."""

_FAR: Final[float] = 4.0
_SLOW: Final[float] = 0.2
_ROUGH: Final[float] = 1e-4
_FINE: Final[float] = 1e-8


def sampled_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor = no_op_monitor,
) -> Outcome:
    """Minimise by steps on all rows whose curvature is that of a random sample.

    Where the steps shrink the error too slowly for that, full Newton takes over: columns that are
    hardly ever non-zero can be missing from the sample.

    Parameters
    ----------
    objective : Objective
    start : Point
    tolerance : float
        Relative to f: stop when strong convexity, or the curvature of the sample, puts f - f* below
        twice as much.
    max_iter : int
        Largest number of steps on all rows.
    monitor : callable
        Called with each evaluation on all rows; True stops the solver.
    """
    sketch = _from_samples(objective, start)
    evaluation = objective.evaluate(sketch.point, keep=False)
    known = objective.value_at_origin
    if start.coef.any():
        warm = objective.evaluate(start)
        known = min(known, warm.value)
        evaluation = warm if warm.value <= evaluation.value else evaluation
    if not evaluation.value <= known:  # the sample misled: it may lack what holds coef back
        return _without_samples(
            objective, start, [], tolerance=tolerance, max_iter=max_iter, monitor=monitor
        )
    if monitor(evaluation):
        return Outcome(evaluation, "interrupted")
    course = _Course(objective, sketch, tolerance)
    outcome = quasi_newton(
        objective,
        evaluation,
        course.solve,
        has_converged=course.is_over,
        max_iter=max_iter,
        monitor=monitor,
        keep=False,
    )
    if course.is_slow:
        return _without_samples(
            objective,
            outcome.evaluation.point,
            outcome.history,
            tolerance=tolerance,
            max_iter=max_iter,
            monitor=monitor,
        )
    return course.proven(outcome)


class _Course:
    """The steps on all rows: with which curvature, and when no more of them are to be taken.

    Attributes
    ----------
    is_slow : bool
        Whether they were given up: the sample's curvature is not that of all rows.
    """

    def __init__(self, objective: Objective, sketch: _Sketch, tolerance: float) -> None:
        self._objective = objective
        self._sketch = sketch
        self._tolerance = tolerance
        self._inverse = sketch.inverse
        self._drift: float | None = None
        self._expected = np.inf
        self._slow_steps = 0

    @property
    def is_slow(self) -> bool:
        return self._slow_steps > 1

    def solve(self, vector: FloatArray) -> FloatArray:
        """Return the inverse Hessian of all rows times a vector, about."""
        return self._inverse(vector)

    def is_over(self, evaluation: Evaluation, expected: float) -> bool:
        """Tell whether the answer is good enough, or no step here will be."""
        if self._is_proven(evaluation):
            return True
        # a step that matters so little will not help the proof either
        if expected <= _ROUGH * min(self._tolerance, _FINE) * evaluation.excess:
            return True
        if _has_converged(self._objective, evaluation, self._tolerance):
            return True
        self._slow_steps = self._slow_steps + 1 if expected > _SLOW * self._expected else 0
        self._expected = expected
        return self.is_slow

    def proven(self, outcome: Outcome) -> Outcome:
        """Return where the steps ended, with the curvature that proves it."""
        sketch = self._sketch
        drift = self._drift
        if drift is None:
            drift = sketch.drift(outcome.evaluation.point)
        return replace(outcome, curvature=sketch.curvature, reference=sketch.reference, drift=drift)

    def _is_proven(self, evaluation: Evaluation) -> bool:
        gradient = self._objective.pack(evaluation.gradient)
        enough = 3 * self._tolerance * evaluation.excess
        if self._sketch.provable_gap(gradient) > enough:
            return False
        drift = self._sketch.drift(evaluation.point)
        if drift > _FAR:  # to make up for it, steps would cost more than a curvature from here
            self._sketch, drift = self._sketch.renewed(evaluation.point), 0.0
            self._inverse = self._sketch.inverse
        if self._sketch.provable_gap(gradient, drift) > enough:
            return False
        self._drift = drift
        return True


@dataclass(frozen=True)
class _Sketch:
    """Objective and curvature of a sample of the rows.

    Attributes
    ----------
    point : Point
        Where the sample's own objective is about least.
    curvature : Curvature
        What these rows, and their share of the penalty, add to the Hessian of all: a lower bound.
    reference : Point
        Where the curvature was taken.
    share : float
        The weight of these rows in that of all.
    small : Objective
        Of these rows.
    """

    point: Point
    curvature: Curvature
    reference: Point
    share: float
    small: Objective

    @cached_property
    def inverse(self) -> Inverse:
        """The inverse Hessian of all rows, about: a packed vector -> its product."""
        return self.curvature.times(1 / self.share).solve

    def renewed(self, reference: Point) -> _Sketch:
        """Return the same with the curvature at another point."""
        hessian = self.small.evaluate(reference, with_hessian=True, keep=False).hessian
        assert hessian is not None
        curvature = Curvature(hessian, self.small.loss.n_outputs)
        return replace(self, curvature=curvature, reference=reference)

    def drift(self, point: Point) -> float:
        """Bound |log| of what the curvature has changed by between the reference and a point."""
        moved = self.small.raw_direction(point.moved(-1.0, self.reference))
        return float(self.small.loss.log_curvature_change(moved).max())

    def provable_gap(self, gradient: FloatArray, drift: float = 0.0) -> float:
        """Estimate which bound on f - f* the certificate will prove here; inf for none as yet."""
        squared = float(gradient @ self.curvature.solve(gradient)) * float(np.exp(drift))
        spread = self.curvature.widest_spread(self.small.row_bounds)
        ratio = float(np.sqrt(max(squared, 0.0) * np.exp(drift))) * spread
        return 0.5 * squared * (1 + ratio) if ratio < _PROVABLE else np.inf


def _from_samples(objective: Objective, start: Point) -> _Sketch:
    """Solve on a small sample, then take a step on each larger one; return what the last knows.

    A Newton step about squares the error, and what a sample cannot know of the optimum is little
    more than what one four times as large cannot.
    """
    source, n_parameters = objective.source, objective.n_parameters
    fraction = sample_fraction(source, n_parameters) or FRACTIONS[-1]
    largest = largest_sample(source.n_samples, fraction)
    if source.is_stored:  # one read for all samples, of which the larger hold the smaller
        source = source.take_rows(largest, copied=False)
        largest = np.arange(len(largest))
    samples = [largest[:: one // FRACTIONS[-1]] for one in FRACTIONS]
    least = ROWS_PER_PARAMETER * n_parameters
    samples = [rows for rows in samples[:-1] if len(rows) >= least] + samples[-1:]
    if objective.loss.n_outputs > 1:
        samples = samples[-1:]  # their Hessians are dear
    # a large sample is copied where it is read again and again, for want of smaller ones
    copied = len(samples) == 1 and not objective.source.is_stored
    point = _solved(objective, start, source.take_rows(samples[0], copied=copied))
    sketch: _Sketch | None = None
    for rows in (
        samples if _is_wide(objective) else samples[1:] or samples
    ):  # read once each, and therefore left where they are
        sample = source.take_rows(rows, copied=False)
        small = objective.on_rows(sample)
        share = sample.total_weight / objective.source.total_weight
        sketch = _after_a_step(small, point, share)
        point = sketch.point
        objective.passes += small.passes * len(rows) / objective.source.n_samples
    assert sketch is not None
    return sketch


def _solved(objective: Objective, start: Point, sample: InMemorySource) -> Point:
    """Return about where the objective of some rows is least."""
    n_samples = sample.n_samples
    small, known = objective.on_rows(sample), objective.n_parameters / n_samples
    begun: Outcome | None = None
    if objective.loss.n_outputs > 1:
        begun = fixed_hessian_descent(small, start, tolerance=known / 8, max_iter=40)
    elif _is_wide(objective):
        # far from the optimum, products with the Hessian cost less than forming it
        begun = newton_cg(small, start, tolerance=known, max_iter=4, max_inner=16)
        start = begun.evaluation.point
    if begun is None or (objective.loss.n_outputs == 1 and begun.stop != "converged"):
        begun = newton(small, start, tolerance=known, max_iter=15)
    objective.passes += small.passes * n_samples / objective.source.n_samples
    return begun.evaluation.point


def _is_wide(objective: Objective) -> bool:
    """Tell whether a Hessian costs so much that a sample is first solved without."""
    return objective.loss.n_outputs > 1 or objective.n_parameters >= _PRODUCTS_FROM


def _after_a_step(small: Objective, point: Point, share: float) -> _Sketch:
    evaluation = small.evaluate(point, with_hessian=True, keep=False)
    assert evaluation.hessian is not None
    curvature = Curvature(evaluation.hessian, small.loss.n_outputs)
    step = small.unpack(curvature.solve(small.pack(evaluation.gradient)))
    return _Sketch(small.centred(point.moved(-1.0, step)), curvature, point, share, small)


def _has_converged(objective: Objective, evaluation: Evaluation, tolerance: float) -> bool:
    if objective.penalty.is_none:
        return False
    return estimated_gap(objective, evaluation) <= tolerance * evaluation.excess


def _without_samples(
    objective: Objective,
    start: Point,
    done: list[IterationRecord],
    *,
    tolerance: float,
    max_iter: int,
    monitor: Monitor,
) -> Outcome:
    """Go on from a point with Hessians of all rows."""
    solve = newton if objective.loss.n_outputs == 1 else class_newton
    left = max_iter - len(done)
    outcome = solve(objective, start, tolerance=tolerance, max_iter=left, monitor=monitor)
    return replace(outcome, history=done + outcome.history)
