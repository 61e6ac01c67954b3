r"""What is proven about a fit, in numbers and in one sentence.

Four theorems, each valid at any point, for weights, intercept and softmax alike.

**Duality gap** (penalised). Let r be any residuals with y_i + r_i a distribution and, when there is
an intercept, sum_i s_i r_i = 0. Fenchel duality gives for every (coef, intercept)

    f - f* <= sum_i s_i KL(y_i + r_i || p_i) + |strength coef + X^T S r|^2 / (2 strength).

With r_i = p_i - y_i the first sum vanishes and the second is |gradient|^2 / (2 strength); only the
intercept's condition may fail, by rho = sum_i s_i (p_i - y_i). Mixing p_i with one fixed
distribution q, r_i = (1-t) p_i + t q - y_i, mends it exactly when
q_k = ybar_k - (1-t)/t rho_k / S; q is a distribution, and q_k <= 2 ybar_k, as soon as
t / (1-t) >= max_k |rho_k| / (S ybar_k). By convexity KL <= t KL(q || p_i), hence the price

    sum_i s_i KL(...) <= 2 t sum_i s_i loss(z_i, ybar).

**Sign** (penalised). f* >= 0, since no loss and no penalty is negative: f - f* <= f.

**Newton decrement** (any penalty, 0 < B <= H). Losses of logistic type satisfy
|D^3 f(w)[u, v, v]| <= spread(u) D^2 f(w)[v, v] with spread(u) = max_i spread(u^T x_i) (Bach 2010).
Let N = |gradient|_{B^-1}, R >= spread(u) for every |u|_B = 1, v = R N < 1. Along every such u,
f'' >= exp(-R t), so f increases beyond t* = -log(1 - v) / R: a minimiser exists within it, and

    |w - w*|_B <= t*,   f - f* <= (v + (1 - v) log(1 - v)) / R^2 = N^2/2 + O(N^3).

B may be the Hessian H itself, or what some of the rows add to it: every row adds a positive
semi-definite part. A sixteenth of the rows so proves a bound, sixteen times as wide, that needs no
more than the gradient; taken nearby, B shrinks by what the scores of these rows have moved.

**Separation** (no penalty). A direction u along which every row's true class leads every other by
>= 0, and some row's leads some other by > 0: f decreases along it for ever, no minimiser exists,
and f >= 0 bounds f - inf f by f.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from chainrule.engine.arrays import FloatArray, accumulated, norm
from chainrule.engine.certificates.rounding import Rounding, bound_rounding, measure_rounding
from chainrule.engine.objective.objective import Evaluation, Objective, Point
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome

_FEW_ROWS: Final[int] = 10_000

Kind = Literal["duality gap", "Newton decrement", "sign", "separation", "none"]


@dataclass(frozen=True)
class Certificate:
    """A claim about a fit and whether it is proven; `str()` is the sentence to read.

    Attributes
    ----------
    kind : {'duality gap', 'Newton decrement', 'sign', 'separation', 'none'}
        Which theorem proves it; 'sign' is f* >= 0.
    suboptimality_bound : float
        f - f* is at most this; inf if nothing is known.
    relative_bound : float
        (f - f*) / f* is at most this; inf if nothing is known or f* is 0.
    distance_bound : float
        Euclidean |coef - coef*| is at most this; inf if nothing is known.
    gradient_norm : float
        Euclidean norm of the computed gradient, intercept included.
    gradient_rounding : float
        The true gradient differs from the computed one by at most this, in the same norm.
    proven : bool
        Whether the bounds are theorems about this very data. False if a premise could not be
        verified; `because` says which.
    because : str
        What proves it, or what is in the way.
    columns : tuple of str
        The columns concerned: those whose coefficients run off, or the collinear ones.
    """

    kind: Kind
    suboptimality_bound: float
    relative_bound: float
    distance_bound: float
    gradient_norm: float
    gradient_rounding: float
    proven: bool
    because: str
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        residue = f"The gradient is {self.gradient_norm:.2g}, rounding {self.gradient_rounding:.2g}"
        if self.kind == "separation":
            opening = "Proven" if self.proven else "Not proven, but indicated"
            return f"{opening}: there is no finite optimum, since {self.because}."
        if self.kind == "none":
            return f"Nothing is proven: {self.because}. {residue}."
        opening = "Proven" if self.proven else "Not proven in full"
        share = f" ({self.relative_bound:.2g} of f*)" if np.isfinite(self.relative_bound) else ""
        reach = (
            f", |coef - coef*| <= {self.distance_bound:.2g}"
            if np.isfinite(self.distance_bound)
            else ""
        )
        return (
            f"{opening}: f - f* <= {self.suboptimality_bound:.2g}{share}{reach}, by the "
            f"{'sign of f*' if self.kind == 'sign' else self.kind}; "
            f"{self.because}. {residue}."
        )


def certify(objective: Objective, outcome: Outcome, *, enough: float = 0.0) -> Certificate:
    """Prove what can be proven about the point where a solver stopped.

    Parameters
    ----------
    objective : Objective
    outcome : Outcome
        Its curvature, if there is one, serves the Newton decrement.
    enough : float
        A relative bound at which to stop looking for a lower one. X is read, for what rounding does
        to its numbers, only where bounds without a read are too wide for that.
    """
    evaluation, curvature = outcome.evaluation, outcome.curvature
    weights = None if curvature is None else objective.unpack(1 / curvature.scale)
    claims: list[Certificate] = []
    for look in (bound_rounding, measure_rounding):
        rounding = look(objective, evaluation, other=outcome.reference, weights=weights)
        claims = []
        for claim in _claims(objective, outcome, rounding, thorough=look is measure_rounding):
            if claim.relative_bound <= enough:
                return claim
            claims.append(claim)
    if not claims:
        return _claim(
            objective,
            outcome,
            rounding,
            "none",
            np.inf,
            np.inf,
            "without a penalty the curvature is needed, and it is too large to be formed",
        )
    return min(claims, key=lambda claim: claim.suboptimality_bound)


def _claims(
    objective: Objective, outcome: Outcome, rounding: Rounding, *, thorough: bool
) -> Iterator[Certificate]:
    if outcome.curvature is not None:
        yield _newton_decrement(objective, outcome, outcome.curvature, rounding)
    if not objective.penalty.is_none:
        yield _duality_gap(objective, outcome, rounding, thorough=thorough)
        yield _sign(objective, outcome, rounding)


def _duality_gap(
    objective: Objective, outcome: Outcome, rounding: Rounding, *, thorough: bool
) -> Certificate:
    evaluation, penalty = outcome.evaluation, objective.penalty
    strength = penalty.strength[:, None]
    gradient = np.abs(evaluation.gradient.coef) + rounding.gradient.coef
    price = 0.0
    if objective.fit_intercept:
        residual = np.abs(evaluation.gradient.intercept) + rounding.gradient.intercept
        per_class = class_weights(objective)
        share = per_class / per_class.sum()
        odds = 1.001 * float((residual / per_class).max())
        mixed = odds / (1 + odds)
        weight = float(per_class.sum())
        if thorough or objective.source.n_samples <= _FEW_ROWS:
            cost = _cost_of_constant(objective, evaluation.raw_prediction, share)
            cost += 2 * rounding.raw_prediction * weight
        else:
            cost = weight * (np.log(len(share)) + 2 * rounding.largest)
        price = 2 * mixed * cost
        gradient = gradient + mixed * (
            np.abs(penalty.gradient(evaluation.point.coef)) + rounding.reach[:, None]
        )
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        terms = np.where(gradient > 0, gradient**2 / (2 * strength), 0.0)
    bound = 1.000001 * (price + float(terms.sum()))
    return _claim(
        objective,
        outcome,
        rounding,
        "duality gap",
        bound,
        np.inf,
        "a dual point that is feasible for the intercept too lies that far below",
    )


def _sign(objective: Objective, outcome: Outcome, rounding: Rounding) -> Certificate:
    value = outcome.evaluation.value + rounding.value
    return _claim(
        objective,
        outcome,
        rounding,
        "sign",
        1.000001 * value,
        np.inf,
        "no loss is negative",
    )


def _newton_decrement(
    objective: Objective, outcome: Outcome, curvature: Curvature, rounding: Rounding
) -> Certificate:
    size, n_outputs = len(curvature.scale), objective.loss.n_outputs
    smallest = curvature.smallest
    lost = size * rounding.summation + rounding.hessian + curvature.eigenvalue_error
    trust = (1 - rounding.curvature) * (1 - lost / smallest) if smallest > lost else 0.0
    trust *= np.exp(-1.000001 * outcome.drift - 4 * rounding.raw_prediction)
    if not trust > 0.01:
        reason = (
            "the last step changed the curvature too much"
            if smallest > lost
            else "the curvature is singular to working precision"
        )
        return _claim(objective, outcome, rounding, "none", np.inf, np.inf, reason)
    gradient = objective.pack(outcome.evaluation.gradient)
    decrement = curvature.dual_norm(gradient) + curvature.largest_norm(
        objective.pack(rounding.of_sums)
    )
    decrement = 1.000001 * decrement / np.sqrt(trust) + rounding.of_scores
    reach = _longest_row(objective, curvature, rounding) / np.sqrt(trust)
    ratio = decrement * reach
    if ratio >= 1:
        return _claim(
            objective,
            outcome,
            rounding,
            "none",
            np.inf,
            np.inf,
            "the Newton decrement is not yet small enough for the theorem",
        )
    bound = decrement**2 * _growth(ratio)
    bound += _off_centre(objective, outcome)
    radius = -np.log1p(-ratio) / reach if reach > 0 else decrement
    units = np.repeat(1 / objective.source.column_scale[:, None], n_outputs, axis=1)
    keep = objective.pack(Point(units, np.zeros(n_outputs)))
    distance = radius * curvature.inverse_root_trace(keep) / float(np.sqrt(trust))
    if n_outputs > 1:
        shared = outcome.evaluation.point.coef.mean(axis=1) / objective.source.column_scale
        distance += float(np.sqrt(n_outputs)) * norm(shared)
    return _claim(
        objective,
        outcome,
        rounding,
        "Newton decrement",
        bound,
        1.000001 * distance,
        "the loss is self-concordant and its curvature positive",
    )


def _longest_row(objective: Objective, curvature: Curvature, rounding: Rounding) -> float:
    """Bound spread(u) over |u|_H = 1: by the longest row, or by the bounds of all columns."""
    pairs = np.sqrt(2.0) if objective.loss.n_outputs > 1 else 1.0
    longest = float(pairs * rounding.longest_row / np.sqrt(curvature.smallest))
    return min(longest, curvature.widest_spread(objective.row_bounds))


def _growth(ratio: float) -> float:
    """Return (v + (1 - v) log(1 - v)) / v^2, which grows from 1/2 at 0 to 1 at 1, from above."""
    if ratio < 1e-3:
        return 0.5 + ratio
    return float(1.000001 * (ratio + (1 - ratio) * np.log1p(-ratio)) / ratio**2)


def _off_centre(objective: Objective, outcome: Outcome) -> float:
    """Return what the penalty charges for the part of coef that all outputs share."""
    if objective.loss.n_outputs == 1 or objective.penalty.is_none:
        return 0.0
    mean = outcome.evaluation.point.coef.mean(axis=1)
    return 1.01 * objective.loss.n_outputs * objective.penalty.value(mean[:, None])


def _claim(
    objective: Objective,
    outcome: Outcome,
    rounding: Rounding,
    kind: Kind,
    bound: float,
    distance: float,
    because: str,
) -> Certificate:
    evaluation, scale = outcome.evaluation, objective.source.column_scale
    value = evaluation.value
    if not np.isfinite(bound):
        kind, bound = "none", np.inf
    if not objective.penalty.is_none and kind != "none":
        # Minimised over the intercept, f is strongly convex in coef.
        strength = float((objective.penalty.strength * scale**2).min())
        distance = min(distance, float(np.sqrt(2 * bound / strength)))
    below = value - rounding.value - bound
    return Certificate(
        kind=kind,
        suboptimality_bound=float(bound),
        relative_bound=float(bound / below) if below > 0 else np.inf,
        distance_bound=float(distance),
        gradient_norm=norm(
            evaluation.gradient.coef * scale[:, None], evaluation.gradient.intercept
        ),
        gradient_rounding=norm(
            rounding.gradient.coef * scale[:, None], rounding.gradient.intercept
        ),
        proven=kind != "none",
        because=because,
    )


def with_rounded_intercept(
    certificate: Certificate, objective: Objective, evaluation: Evaluation
) -> Certificate:
    """Return the certificate of the point as it is handed back, for columns that were moved.

    Moving them back changes the intercept by one rounded product; f by as much as its slope and
    bend there allow.
    """
    source, point = objective.source, evaluation.point
    if not source.column_shift.any() or certificate.kind in ("none", "separation"):
        return certificate
    part = np.abs(source.column_shift / source.column_scale) @ np.abs(point.coef)
    moved = accumulated(source.n_features + 4) * (part + np.abs(point.intercept))
    slope = np.abs(evaluation.gradient.intercept) + certificate.gradient_rounding
    total = class_weights(objective).sum()
    extra = 1.001 * float(slope @ moved + total * (moved @ moved) / 4)
    bound = certificate.suboptimality_bound + extra
    below = evaluation.value - certificate.suboptimality_bound
    return replace(
        certificate,
        suboptimality_bound=bound,
        relative_bound=certificate.relative_bound + extra / below if below > 0 else np.inf,
    )


def class_weights(objective: Objective) -> FloatArray:
    """Return sum_i s_i y_ik for each class, shape (n_classes,)."""
    empty = np.empty((objective.source.n_samples, 0))
    (per_class,) = objective.sum_over_vectors(
        lambda _, y, s: (s @ (np.stack([1 - y, y], axis=1) if y.ndim == 1 else y),), empty
    )
    return per_class


def _cost_of_constant(objective: Objective, raw_prediction: FloatArray, share: FloatArray) -> float:
    """Return sum_i s_i loss(z_i, share)."""
    loss = objective.loss

    def one(raw: FloatArray, y: FloatArray, s: FloatArray) -> tuple[FloatArray]:
        label = np.full(len(y), share[1]) if y.ndim == 1 else np.tile(share, (len(y), 1))
        return (np.asarray(s @ loss.pointwise_loss(raw, label)),)

    (cost,) = objective.sum_over_vectors(one, raw_prediction)
    return float(cost)
