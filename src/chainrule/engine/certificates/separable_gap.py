r"""The duality gap of an elastic net, for any convex loss of one score.

Let P = sum_j P_j be the penalty, l1_j |w_j| + l2_j w_j^2 / 2 within bounds, g the gradient of the
losses in the coefficients at (w, b), and let their derivative in the intercept be 0. The losses
are convex, so for the optimum w*

    f(w) - f* <= sum_j P_j(w_j) + g_j w_j - (P_j(w*_j) + g_j w*_j)
              <= sum_j P_j(w_j) + P_j^*(-g_j) + g_j w_j,

Fenchel's inequality, with conjugates P_j^*. Where l2_j > 0, or with finite bounds, P_j^* is
finite. For l1 alone it is finite only if |g_j| <= l1_j; scaling the dual point until that holds
for all columns costs at most

    max_j (|g_j| - l1_j)_+ / l1_j  times  (f(w) - sum of the least losses),

since l1_j |w*_j| add up to no more than what f is above the least losses.

**The intercept, and columns without penalty.** Their derivatives vanish only up to rounding and the
solver's tolerance. A lower bound of the curvature says how far away they would, and by how much f
and the other derivatives change on the way: the intercept by the argument of `strong_convexity`,
several columns by the Newton decrement of self-concordant losses (see `certificate`).

**Some columns, by second order.** P_j(v) >= P_j(w_j) + p_j (v - w_j) + l2_j (v - w_j)^2 / 2 for
every subgradient p_j. Where that stands for P_j, f only falls, and becomes smooth in these columns:
like columns without penalty, they are moved to their best. With the p_j nearest to -g_j, what is
left is the violation of the conditions for an optimum, and it enters squared. The columns of a
Hessian that is known anyway are taken, or those that are not 0. Only others, most of them far
from their strength, may need the scaling above.

How far the derivatives in other columns change on the way is bounded in `smooth_drop`.

Rounding of the gradient enters as an interval around each g_j.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray, IntArray, accumulated
from chainrule.engine.certificates.certificate import Certificate, claim
from chainrule.engine.certificates.rounding import (
    Rounding,
    SumRounding,
    bound_rounding,
    bound_sums,
    measure_rounding,
)
from chainrule.engine.certificates.smooth_drop import Look, drop_to_best
from chainrule.engine.certificates.strong_convexity import best_intercept
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.gram import Snapshot, gram
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome, Stop

_SLACK: Final[float] = 1.000001

_FAR: Final[float] = 4.0
"""The drift of the logarithm of the curvature up to which a Hessian is used: 1 / 55 of it counts,
which is enough where steps were exact."""

_MOST: Final[int] = 1000
"""Columns up to which the Hessian of the support is formed for a proof."""


SCALED: Final = "a dual point, scaled until it is feasible, lies that far below"
TANGENTS: Final = "with tangents in place of the penalty's kinks, a dual point lies that far below"
_COLLINEAR: Final = "the columns without penalty are collinear, or not yet at their best"


def certify_elastic_net(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    *,
    enough: float = 0.0,
    known: Snapshot | None = None,
    reading: bool = True,
    forming: bool = True,
    scaling: bool = True,
    stop: Stop = "converged",
) -> Certificate:
    """Prove how far a point is from the optimum of the losses and an elastic net.

    Parameters
    ----------
    objective : Objective
        Of the losses alone.
    penalty : ElasticNet
    evaluation : Evaluation
        Of the objective.
    enough : float
        A relative bound at which X is not read for a narrower bound of the rounding.
    known : Snapshot, optional
        A Hessian taken nearby, which saves forming one.
    reading : bool
        Whether X may be read at all.
    forming : bool
        Whether a Hessian may be formed where `known` does not serve.
    scaling : bool
        Whether a dual point that is scaled may suffice: it is tried before Hessians.
    stop : str
        Why the solver stopped.
    """
    w, outcome = evaluation.point.coef[:, 0], _whole(penalty, evaluation, stop)
    violation = outcome.evaluation.gradient.coef[:, 0]
    if not objective.loss.facts.convex:
        rounding = bound_rounding(objective, evaluation)
        why = "the loss is not convex"
        return claim(objective, outcome, rounding, "none", np.inf, np.inf, why)
    scaled = None
    if scaling and (violation <= 0.5 * enough * penalty.l1).all() and not penalty.free.any():
        sums = bound_sums(objective, evaluation)  # scaling the dual point costs little
        bound, because = _scaled_bound(objective, penalty, evaluation, sums)
        scaled = _claimed(objective, penalty, outcome, sums, bound, because)
        if scaled.relative_bound <= enough:
            return scaled
    if known is not None and not curvature_drift(objective, known, evaluation) < _FAR:
        known = None
    ways, found = _sets_to_smooth(objective, w, violation, known, forming=forming), scaled
    for look in (bound_rounding, measure_rounding)[: 1 + reading]:
        left = ways
        if look is measure_rounding:
            found = None
        elif scaled is not None:
            left = ways[:-1]  # the last is the scaling
        if not left:
            continue
        rounding = look(objective, evaluation)
        for smoothed in left:
            bound, because = _bound(
                objective, penalty, evaluation, rounding, look, smoothed, known, forming
            )
            if found is None or bound < found.suboptimality_bound:
                found = _claimed(objective, penalty, outcome, rounding, bound, because)
            if found.relative_bound <= enough:
                return found
    assert found is not None
    return found


def curvature_drift(objective: Objective, known: Snapshot, evaluation: Evaluation) -> float:
    """Bound by how much the logarithm of any curvature has changed since a Hessian was taken."""
    constant = objective.loss.facts.self_concordance
    return np.inf if constant is None else constant * known.drift(evaluation.raw_prediction)


def _whole(penalty: ElasticNet, evaluation: Evaluation, stop: Stop) -> Outcome:
    """Return a point of the losses as that of the objective, its violation as the gradient."""
    w = evaluation.point.coef[:, 0]
    violation = penalty.violation(w, evaluation.gradient.coef[:, 0])
    whole = replace(
        evaluation,
        value=evaluation.value + penalty.value(w),
        gradient=Point(violation[:, None], evaluation.gradient.intercept),
    )
    return Outcome(whole, stop)


def _sets_to_smooth(
    objective: Objective,
    w: FloatArray,
    violation: FloatArray,
    known: Snapshot | None,
    *,
    forming: bool,
) -> list[BoolArray]:
    """Return sets of columns to move to their best, in the order in which to try them.

    The last one is empty.
    """
    none, wanted = np.zeros(len(w), dtype=bool), (w != 0) | (violation > 0)
    if objective.loss.facts.self_concordance is None or not wanted.any():
        return [none]
    found = [wanted] if forming and wanted.sum() <= _MOST else []
    if known is not None:
        near = none.copy()
        near[known.columns] = True
        if not (wanted & ~near).any():
            found = [wanted] if wanted.sum() <= _MOST else []
            fits = near.sum() <= min(_MOST, objective.source.n_samples)
            if fits and (near & ~wanted).any():
                found.insert(0, near)
    return [*found, none]


def _claimed(
    objective: Objective,
    penalty: ElasticNet,
    outcome: Outcome,
    rounding: SumRounding,
    bound: float,
    because: str,
) -> Certificate:
    """Return a claim, with a bound on |coef - coef*| where every column has a square."""
    least = float((penalty.l2 * objective.source.column_scale**2).min(initial=np.inf))
    distance = float(np.sqrt(2 * bound / least)) if 0 < least < np.inf else np.inf
    return claim(objective, outcome, rounding, "duality gap", bound, distance, because)


def _bound(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    rounding: Rounding,
    look: Look,
    smoothed: BoolArray,
    known: Snapshot | None,
    forming: bool,
) -> tuple[float, str]:
    """Bound f - f*, with some columns moved to their best as if their penalty were smooth."""
    w, slope = evaluation.point.coef[:, 0], evaluation.gradient.coef[:, 0]
    doubt = rounding.gradient.coef[:, 0]
    open_ended = _open_ended(penalty, slope, doubt) | smoothed
    if not open_ended.any():
        return _scaled_bound(objective, penalty, evaluation, rounding)
    price, moved, why = _without_kinks(
        objective, penalty, evaluation, rounding, look, open_ended, known, forming
    )
    if not np.isfinite(price):
        return np.inf, why
    bound, why = fenchel_bound(
        objective, penalty, evaluation, rounding, (w, slope, doubt + moved), ~open_ended
    )
    because = TANGENTS if smoothed.any() else SCALED
    return (_SLACK * (price + bound), because) if np.isfinite(bound) else (np.inf, why)


def _scaled_bound(
    objective: Objective, penalty: ElasticNet, evaluation: Evaluation, rounding: SumRounding
) -> tuple[float, str]:
    """Bound f - f* without a Hessian, where a penalty holds every column back."""
    w, slope = evaluation.point.coef[:, 0], evaluation.gradient.coef[:, 0]
    price, doubt = 0.0, rounding.gradient.coef[:, 0]
    if objective.fit_intercept:
        level = float(np.abs(evaluation.gradient.intercept)[0] + rounding.gradient.intercept[0])
        shift, steepest = best_intercept(objective, evaluation, rounding, level)
        price, doubt = level * shift, doubt + shift * steepest * objective.source.column_bounds
        if not np.isfinite(price):
            return np.inf, "the curvature is too flat to say where the intercept is best"
    bound, why = fenchel_bound(
        objective, penalty, evaluation, rounding, (w, slope, doubt), np.ones(len(w), dtype=bool)
    )
    return (_SLACK * (price + bound), SCALED) if np.isfinite(bound) else (np.inf, why)


def fenchel_bound(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    rounding: SumRounding,
    point: tuple[FloatArray, FloatArray, FloatArray],
    held: BoolArray,
) -> tuple[float, str]:
    """Bound what some coefficients add to f - f*, by Fenchel's inequality.

    Parameters
    ----------
    objective : Objective
        Of the losses alone.
    penalty : ElasticNet
    evaluation : Evaluation
    rounding : SumRounding
    point : tuple of ndarray
        Coefficients, the derivatives of the losses, and bounds on the errors of these.
    held : ndarray of bool
        Which coefficients are counted.

    Returns
    -------
    bound : float
        inf where nothing is proven.
    because : str
    """
    w, slope, doubt = point
    above = evaluation.excess + penalty.value(w) * (1 + accumulated(len(w) + 8)) + rounding.value
    # a coefficient of 0 whose derivative is no steeper than its strength adds exactly 0
    counted = np.flatnonzero(held & ((w != 0) | ~(np.abs(slope) + doubt <= penalty.l1)))
    part = penalty.of(counted)
    bound, scaled = fenchel_terms(
        part,
        w[counted],
        slope[counted],
        doubt[counted],
        np.ones(len(counted), dtype=bool),
        np.asarray(above),
    )
    if scaled.any():
        if not objective.loss.facts.has_least:
            return np.inf, "no least value of the loss is proven, from which a dual point is scaled"
        if (part.l1[scaled] == 0).any():
            return np.inf, "a coefficient without penalty is not proven to be at its best"
    return float(bound), ""


def fenchel_terms(
    penalty: ElasticNet,
    w: FloatArray,
    slope: FloatArray,
    doubt: FloatArray,
    held: BoolArray,
    above: FloatArray,
) -> tuple[FloatArray, BoolArray]:
    """Return what Fenchel's inequality bounds, for one point or a stack of them.

    Parameters
    ----------
    penalty : ElasticNet
    w, slope, doubt : ndarray of shape (..., n_features)
        Coefficients, the derivatives of the losses, and bounds on the errors of these.
    held : ndarray of bool, of shape (..., n_features)
        Which coefficients are counted.
    above : ndarray of shape (...)
        How far f is above the least losses, rounding included.

    Returns
    -------
    bound : ndarray of shape (...)
        inf where a column without absolute values would have to be scaled.
    scaled : ndarray of bool, of shape (..., n_features)
        The columns for which the dual point was scaled.
    """
    size = penalty.l1 * np.abs(w) + 0.5 * penalty.l2 * w * w
    conjugate = np.maximum(penalty.conjugate(-slope + doubt), penalty.conjugate(-slope - doubt))
    scaled = np.isinf(conjugate) & held
    counted = np.where(scaled | ~held, 0.0, conjugate)
    terms = size + slope * w + counted
    errors = doubt * np.abs(w)
    errors = errors + accumulated(w.shape[-1] + 8) * (size + np.abs(slope * w) + np.abs(counted))
    bound = np.maximum(np.where(held, terms, 0.0).sum(axis=-1), 0.0)
    bound = bound + np.where(held, errors, 0.0).sum(axis=-1)
    if scaled.any():
        over = np.abs(slope) + doubt - penalty.l1
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(scaled, over / penalty.l1, 0.0).max(axis=-1) * (1 + 8 * UNIT)
        # a share of 0 is that of points without scaled columns
        bound = bound + np.where(share > 0, share * above, 0.0)
    return bound, scaled


def _open_ended(penalty: ElasticNet, slope: FloatArray, doubt: FloatArray) -> BoolArray:
    """Return the columns that no penalty holds back: their derivatives must vanish."""
    free = penalty.free
    if not free.any():
        return free
    held_down = np.isfinite(penalty.upper) | (-slope + doubt <= 0)
    held_up = np.isfinite(penalty.lower) | (-slope - doubt >= 0)
    return free & ~(held_down & held_up)


def _without_kinks(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    rounding: Rounding,
    look: Look,
    moving: BoolArray,
    known: Snapshot | None,
    forming: bool,
) -> tuple[float, FloatArray, str]:
    """Bound what f falls to its best in some columns and the intercept, the others held.

    Returns
    -------
    drop : float
        inf where nothing is proven.
    moved : ndarray of shape (n_features,)
        Bounds the change of the other derivatives.
    because : str
    """
    if objective.loss.facts.self_concordance is None:
        why = "columns without penalty need a self-concordant loss, which this is not proven to be"
        return np.inf, np.zeros(1), why
    columns = np.flatnonzero(moving)
    places, drift = None if known is None else known.places(columns), 0.0
    if known is None or places is None:
        if not forming:
            return np.inf, np.zeros(1), "no Hessian from nearby is at hand"
        hessian = gram(objective, evaluation, columns, bound=None)
        curvature, corner = _factored(objective, hessian, penalty.l2[columns]), hessian[-1, -1]
    else:
        drift = curvature_drift(objective, known, evaluation)
        curvature = curvature_of(objective, known, places, penalty.l2[columns])
        corner = known.hessian[-1, -1]
    w, slope = evaluation.point.coef[columns, 0], evaluation.gradient.coef[columns, 0]
    part = penalty.of(columns)
    terms = np.abs(slope) + part.l2 * np.abs(w) + np.where(w != 0, part.l1, 0.0)
    doubt = rounding.gradient.coef[columns, 0] + 4 * UNIT * terms
    found = drop_to_best(
        objective,
        evaluation,
        rounding,
        look,
        columns,
        (curvature, corner),
        (part.residual(w, slope), doubt),
        drift=drift,
    )
    return (np.inf, np.zeros(1), _COLLINEAR) if found is None else (*found, "")


def curvature_of(
    objective: Objective, known: Snapshot, places: IntArray, l2: FloatArray
) -> Curvature:
    """Return the curvature of the losses and squares in some columns of a Hessian."""
    # a lower bound of the squares serves as well, and for the next strength too
    squares = _power_below(l2)
    name = places.tobytes() + squares.tobytes()
    if name not in known.factored:
        known.factored.clear()
        known.factored[name] = _factored(objective, known.part(places), squares)
    found: Curvature = known.factored[name]
    return found


def _power_below(values: FloatArray) -> FloatArray:
    """Return the largest powers of two that are not above some numbers; 0 for 0."""
    fractions, exponents = np.frexp(values)
    return np.where(fractions > 0, np.ldexp(0.5, exponents), 0.0)


def _factored(objective: Objective, hessian: FloatArray, l2: FloatArray) -> Curvature:
    """Return the curvature of the losses and squares, without the intercept if none is fitted."""
    last = len(hessian) - int(not objective.fit_intercept)
    hessian.flat[: len(hessian) * len(l2) : len(hessian) + 1] += l2
    return Curvature(hessian[:last, :last], 1)
