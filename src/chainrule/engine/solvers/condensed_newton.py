"""Truncated Newton on condensed rows: the way to the optimum of sparse data, at a lower price.

What it ends at is a point like any other: `newton_cg` goes on from there on the data as given, and
the certificate is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray, norm
from chainrule.engine.objective.accumulators import SparseObjective
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.condensed import CondensedEvaluation, CondensedObjective
from chainrule.engine.objective.condensed_classes import CondensedClassObjective
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.condensed_rows import ONE_CALL
from chainrule.engine.solvers.conjugate_gradients import conjugate_gradients
from chainrule.engine.solvers.leading_columns import NONE, Condensed, LeadingColumns, corrected
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.newton_cg import FINE, expected_forcing, mixed_diagonal
from chainrule.engine.solvers.starting import balance_intercept
from chainrule.engine.solvers.steps import IterationRecord

_MARGIN: Final[float] = 0.5
"""The part of the tolerance to be reached: what is left is for rounding on the way back."""

_DEEP: Final[float] = 0.02
"""How exact an inner solve is where a better preconditioner may be worth its price."""

_WORTH: Final[float] = 4.0
"""How many times its price products have taken where one is formed."""

_NEAR: Final[float] = 100.0
"""How many times the tolerance a gap is that a few products do away with."""

Notice = Callable[[float, float, Callable[[], Point]], bool]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, and the best point so far."""

    def __init__(self, point: Point) -> None:
        super().__init__()
        self.point = point


def condensed_newton(
    objective: Objective,
    start: Point,
    *,
    tolerance: float,
    max_iter: int,
    notice: Notice = lambda *_: False,
    patience: float = np.inf,
    max_inner: int = 1000,
) -> tuple[Point, list[IterationRecord]]:
    """Return a point near the optimum, and the steps that led there.

    Parameters
    ----------
    objective : Objective
        One that `can_condense`.
    start : Point
        Its intercept is where to start; coefficients start at zero.
    tolerance : float
        Relative to f: stop when strong convexity or the Newton decrement puts f - f* below.
    max_iter : int
        Largest number of outer steps.
    notice : callable
        Told f, the norm of the gradient, and how to get the point; True stops the solver.
    patience : float
        The reads of X after which to stop.
    max_inner : int
        Largest number of conjugate gradient iterations per step.
    """
    condensed = _condensed(objective)
    history: list[IterationRecord] = []
    evaluation = condensed.evaluate(condensed.start(start.intercept))
    stiffness = condensed.stiffness
    leading, part, spent, is_last = LeadingColumns(condensed), NONE, 0.0, False
    try:
        while not is_last and len(history) < max_iter and objective.passes <= patience:
            allowed = tolerance * evaluation.excess
            if evaluation.gap <= _MARGIN * allowed and _is_balanced(condensed, evaluation, allowed):
                break
            size = norm(evaluation.gradient, evaluation.pushed)
            here = partial(condensed.whole_point, evaluation.point)
            if notice(evaluation.value, size, here):
                break
            clock = perf_counter()
            diagonal = np.where(evaluation.diagonal > 0, evaluation.diagonal, 1.0)
            forcing = expected_forcing(evaluation.condensed, diagonal, evaluation.excess)
            is_near = evaluation.gap <= _NEAR * allowed
            if forcing < _DEEP and spent >= _WORTH * leading.price and not is_near:
                part, spent = leading.inverse(evaluation), 0.0
            before = condensed.reads
            packed, travelled = _inner(
                condensed,
                evaluation,
                mixed_diagonal(diagonal, stiffness),
                part,
                (forcing, allowed / 4 if tolerance > FINE else 0.0, max_inner),
            )
            spent += condensed.reads - before
            direction, slope, decrement = condensed.direction(evaluation, packed, travelled)
            if not slope < 0:
                break
            expected = decrement - 0.5 * float(evaluation.condensed @ packed)
            is_last = forcing < 0.05 and expected <= allowed / 8
            along = condensed.along(evaluation, direction)
            step = line_search(along, evaluation.value, slope, evaluation.magnitude)
            if step == 0.0 or -slope <= 4 * UNIT**2 * evaluation.excess:
                break
            reached = condensed.evaluate(evaluation.point.moved(step, direction))
            if reached.value > evaluation.value + 64 * UNIT * evaluation.magnitude:
                break
            history.append(IterationRecord(evaluation.value, size, step, perf_counter() - clock))
            evaluation = reached
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_whole(condensed, evaluation)) from interrupt
    return _whole(condensed, evaluation), history


def _is_balanced(condensed: Condensed, at: CondensedEvaluation, allowed: float) -> bool:
    """Tell whether the tolerance is met where the intercept alone is minimised over."""
    residual = 4 * float(np.abs(condensed.levels(at.gradient)).sum())
    if at.gap + residual <= _MARGIN * allowed:
        return True
    return condensed.balanced_gap(at) <= _MARGIN * allowed


def _inner(
    condensed: Condensed,
    at: CondensedEvaluation,
    diagonal: FloatArray,
    part: FloatArray,
    limits: tuple[float, float, int],
) -> tuple[FloatArray, FloatArray]:
    """Return about -H^-1 gradient, and how far it moves the scores."""
    stiffness = condensed.stiffness
    in_gap = np.divide(0.5, stiffness, where=stiffness > 0, out=np.zeros_like(stiffness))
    forcing, enough, max_inner = limits
    if isinstance(condensed, CondensedObjective) and condensed.rows.n_entries <= ONE_CALL:
        whole = part[0] if len(part) else np.empty((0, 0))
        vectors = at.curvature, condensed.strength, at.condensed, diagonal, whole, in_gap
        n_products, packed, travelled = condensed.rows.inner_solve(*vectors, *limits)
        condensed.count(n_products)
        return packed, travelled
    products = condensed.products(at)
    packed = conjugate_gradients(
        products,
        at.condensed,
        corrected(part, diagonal, condensed.rows.n_columns, condensed.places)
        if len(part)
        else diagonal,
        forcing,
        max_inner,
        in_gap,
        enough,
    )
    return packed, products.travelled()


def _condensed(objective: Objective) -> Condensed:
    """Return the objective on rewritten rows."""
    if isinstance(objective, ClassObjective):
        return CondensedClassObjective(objective)
    assert isinstance(objective, SparseObjective)
    return CondensedObjective(objective)


def _whole(condensed: Condensed, evaluation: CondensedEvaluation) -> Point:
    """Return the point on the data as given, its intercept balanced."""
    point = condensed.whole_point(evaluation.point)
    if condensed.whole.fit_intercept:
        point = balance_intercept(condensed.whole, point, condensed.raw_table(evaluation.point))
    return point
