"""Few passes: solve on a random sample first, then step on all rows with the sample's curvature.

For many more rows than parameters, a sixteenth of the rows knows the curvature to within a few
per cent. A step on all rows then costs one gradient, a single read of X, and removes all but a few
per cent of the error; limited-memory updates (Liu and Nocedal 1989) learn the rest. The same
curvature proves how far the optimum can be: no row takes away what the sample's rows add to the
Hessian.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.training.arrays import FloatArray, IntArray, norm
from chainrule.training.objective import Evaluation, Objective, Point
from chainrule.training.rows import spread_rows
from chainrule.training.solvers.class_newton import level_descent
from chainrule.training.solvers.curvature import Curvature
from chainrule.training.solvers.line_search import line_search
from chainrule.training.solvers.newton import newton
from chainrule.training.solvers.newton_cg import estimated_gap, newton_cg
from chainrule.training.solvers.quasi_newton import MEMORY, Pairs, is_accepted, two_loops
from chainrule.training.solvers.steps import IterationRecord, Outcome, Stop, Watch, never
from chainrule.training.sources import InMemorySource

ROWS_PER_PARAMETER: Final[int] = 20
"""Rows that the smallest sample has for each parameter, at least."""

FRACTIONS: Final[tuple[int, ...]] = (1024, 256, 64, 16)
"""One row in so many is drawn, sample after sample; the last gives the curvature."""

_PRODUCTS_FROM: Final[int] = 150
_PROVABLE: Final[float] = 0.9
"""Below 1, the theorem behind the certificate holds; a bit below, for what rounding adds."""

_SEED: Final[int] = 20_260
_FAR: Final[float] = 4.0
_SLOW: Final[float] = 0.2
_ROUGH: Final[float] = 1e-4
_FINE: Final[float] = 1e-8


def pays(source: InMemorySource, n_parameters: int) -> bool:
    """Tell whether a problem has rows enough for samples to know its curvature."""
    if not (source.is_dense or source.is_fused):
        return False
    if source.n_classes == 2 and not source.is_fused:
        return False
    return source.n_samples >= FRACTIONS[-1] * ROWS_PER_PARAMETER * n_parameters


def sampled_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    watch: Watch = never,
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
    watch : callable
        Called with each evaluation on all rows; True stops the solver.
    """
    sketch = _from_samples(objective, start)
    evaluation, history = objective.evaluate(sketch.point, keep=False), list[IterationRecord]()
    known = objective.value_at_origin()
    if start.coef.any():
        warm = objective.evaluate(start)
        known = min(known, warm.value)
        evaluation = warm if warm.value <= evaluation.value else evaluation
    if not evaluation.value <= known:  # the sample misled: it may lack what holds coef back
        return newton(objective, start, tolerance=tolerance, max_iter=max_iter, watch=watch)
    inverse = sketch.curvature.times(1 / sketch.share)
    pairs: Pairs = deque(maxlen=MEMORY)
    stop: Stop = "max_iter"
    last, slow = np.inf, 0
    while True:
        if watch(evaluation):
            stop = "interrupted"
            break
        gradient = objective.pack(evaluation.gradient)
        enough = 3 * tolerance * evaluation.value
        if sketch.provable_gap(gradient) <= enough:
            drift = sketch.drift(evaluation.point)
            if drift > _FAR:  # to make up for it, steps would cost more than a curvature from here
                sketch, drift = sketch.renewed(evaluation.point), 0.0
                inverse = sketch.curvature.times(1 / sketch.share)
            if sketch.provable_gap(gradient, drift) <= enough:
                return Outcome(
                    evaluation, "converged", history, sketch.curvature, sketch.reference, drift
                )
        vector = -two_loops(gradient, pairs, inverse.solve)
        slope = float(gradient @ vector)
        if not slope < 0:
            stop = "converged" if not gradient.any() else "stalled"
            break
        # a step that matters so little will not help the proof either
        negligible = -slope <= _ROUGH * min(tolerance, _FINE) * evaluation.value
        if negligible or _has_converged(objective, evaluation, tolerance):
            stop = "converged"
            break
        if len(history) >= max_iter:
            break
        slow = slow + 1 if -slope > _SLOW * last else 0
        if slow > 1:
            return _handed_over(objective, evaluation, history, tolerance, max_iter, watch)
        last = -slope
        clock = perf_counter()
        direction = objective.unpack(vector)
        reached = objective.evaluate(evaluation.point.moved(1.0, direction), keep=False)
        step = 1.0
        if not is_accepted(
            evaluation.value, slope, reached, objective.pack(reached.gradient), vector
        ):
            raw_direction = objective.raw_direction(direction)
            along = objective.along(evaluation, direction, raw_direction)
            step = line_search(along, evaluation.value, slope)
            if step == 0.0:
                stop = "stalled"
                break
            reached = objective.evaluate(evaluation.point.moved(step, direction), keep=False)
        history.append(
            IterationRecord(evaluation.value, norm(gradient), step, perf_counter() - clock)
        )
        change = objective.pack(reached.gradient) - gradient
        if float(change @ vector) > 0:
            pairs.append((step * vector, change))
        evaluation = reached
    return Outcome(
        evaluation,
        stop,
        history,
        sketch.curvature,
        sketch.reference,
        sketch.drift(evaluation.point),
    )


@dataclass(frozen=True)
class _Sketch:
    """What a sample of the rows knows.

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

    def renewed(self, reference: Point) -> _Sketch:
        """Return the same with the curvature at another point."""
        hessian = self.small.evaluate(reference, with_hessian=True, keep=False).hessian
        assert hessian is not None
        curvature = Curvature(hessian, self.small.loss.n_outputs)
        return replace(self, curvature=curvature, reference=reference)

    def drift(self, point: Point) -> float:
        """Bound |log| of what the curvature has changed by between the reference and a point."""
        moved = self.small.raw_direction(point.moved(-1.0, self.reference))
        return float(self.small.loss.spread(moved).max())

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
    largest = spread_rows(source.n_samples, source.n_samples // FRACTIONS[-1], _SEED)
    samples = [largest[:: fraction // FRACTIONS[-1]] for fraction in FRACTIONS]
    samples = [rows for rows in samples if len(rows) >= ROWS_PER_PARAMETER * n_parameters]
    if objective.loss.n_outputs > 1:
        samples = samples[-1:]  # their Hessians are dear
    point = _solved(objective, start, samples[0])
    sketch: _Sketch | None = None
    for rows in (
        samples if _is_wide(objective) else samples[1:] or samples
    ):  # read once each, and therefore left where they are
        sample = source.take_rows(rows, copied=False)
        small = objective.on_rows(sample)
        sketch = _after_a_step(small, point, sample.total_weight / source.total_weight)
        point = sketch.point
        objective.passes += small.passes * len(rows) / source.n_samples
    assert sketch is not None
    return sketch


def _solved(objective: Objective, start: Point, rows: IntArray) -> Point:
    """Return about where the objective of some rows is least."""
    source, n_parameters = objective.source, objective.n_parameters
    sample = source.take_rows(rows, n_threads=objective.n_threads)
    small, known = objective.on_rows(sample), n_parameters / len(rows)
    begun: Outcome | None = None
    if objective.loss.n_outputs > 1:
        begun = level_descent(small, start, tolerance=known / 8, max_iter=40)
    elif _is_wide(objective):
        # far from the optimum, products with the Hessian cost less than forming it
        begun = newton_cg(small, start, tolerance=known, max_iter=4, max_inner=16)
        start = begun.evaluation.point
    if begun is None or (objective.loss.n_outputs == 1 and begun.stop != "converged"):
        begun = newton(small, start, tolerance=known, max_iter=15)
    objective.passes += small.passes * len(rows) / source.n_samples
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
    return estimated_gap(objective, evaluation) <= tolerance * evaluation.value


def _handed_over(
    objective: Objective,
    evaluation: Evaluation,
    history: list[IterationRecord],
    tolerance: float,
    max_iter: int,
    watch: Watch,
) -> Outcome:
    outcome = newton(
        objective,
        evaluation.point,
        tolerance=tolerance,
        max_iter=max_iter - len(history),
        watch=watch,
    )
    outcome.history[:0] = history
    return outcome
