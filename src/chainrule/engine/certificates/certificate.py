r"""Certificates: the proven bounds of a fit, in numbers and in one sentence.

Theorems, each valid at any point, for weights and intercept alike. Each needs facts of the loss
and is offered where they are proven (`losses.facts`).

**Duality gap** (penalised, classes). Let r be any residuals with y_i + r_i a distribution and, when
there is an intercept, sum_i s_i r_i = 0. Fenchel duality gives for every (coef, intercept)

    f - f* <= sum_i s_i KL(y_i + r_i || p_i) + |strength coef + X^T S r|^2 / (2 strength).

With r_i = p_i - y_i the first sum vanishes and the second is |gradient|^2 / (2 strength); only the
intercept's condition may fail, by rho = sum_i s_i (p_i - y_i). Mixing p_i with one fixed
distribution q, r_i = (1-t) p_i + t q - y_i, mends it exactly when
q_k = ybar_k - (1-t)/t rho_k / S; q is a distribution, and q_k <= 2 ybar_k, as soon as
t / (1-t) >= max_k |rho_k| / (S ybar_k). By convexity KL <= t KL(q || p_i); and no KL exceeds the
chi-square distance, here t^2 (sum_k q_k^2 / p_ik - 1), by Jensen. Hence the price

    sum_i s_i KL(...) <= sum_i s_i min(2 t loss(z_i, ybar), 4 t^2 sum_k ybar_k^2 / p_ik),

of second order in rho except for rows whose class is all but certain.

**Strong convexity** (penalised, one score, convex). Let f_b be the slope of f in the intercept, and
H > 0 a lower bound of the curvature in it while it moves by up to d, with |f_b| <= H d. Then f has
its minimum over the intercept within t = |f_b| / H; moving there lowers f by at most |f_b| t, and
changes the gradient by at most t sum_i s_i h_i |x_i| for upper bounds h_i of the curvatures. There
the strong convexity of the penalty gives

    f - f* <= |f_b| t + sum_j (|gradient_j| + change_j)^2 / (2 strength_j).

**Least value** (losses bounded from below). f* >= sum_i s_i min l_i, since no penalty is negative.

**Newton decrement** (any penalty, 0 < B <= H). Self-concordant losses, whose third derivative is at
most M times the second, satisfy |D^3 f(w)[u, v, v]| <= spread(u) D^2 f(w)[v, v] with spread(u) =
M max_i |u^T x_i|; for the softmax, the largest range of scores (Bach 2010).
Let N = |gradient|_{B^-1}, R >= spread(u) for every |u|_B = 1, v = R N < 1. Along every such u,
f'' >= exp(-R t), so f increases beyond t* = -log(1 - v) / R: a minimiser exists within it, and

    |w - w*|_B <= t*,   f - f* <= (v + (1 - v) log(1 - v)) / R^2 = N^2/2 + O(N^3).

B may be the Hessian H itself, or what some of the rows add to it: every row adds a positive
semi-definite part. A sixteenth of the rows so proves a bound, sixteen times as wide, that needs no
more than the gradient; taken nearby, B shrinks by what the scores of these rows have moved.

**Local strong convexity** (any loss). Let B > 0 bound the Hessian from below wherever no score has
moved by more than r, N = |gradient|_{B^-1}, and R >= |u^T x_i| for every |u|_B = 1. If N R <= r, f
has a local minimiser within |w - w*|_B <= N, and f - f* <= N^2 / 2 there: if f is convex, overall.

**Separation** (no penalty). A direction u along which every row's true class leads every other by
>= 0, and some row's leads some other by > 0: f decreases along it for ever, no minimiser exists,
and the least losses bound f - inf f.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from chainrule.display import DisplayedAsPage
from chainrule.engine.arrays import UNIT, FloatArray, norm
from chainrule.engine.certificates.decrement import growth
from chainrule.engine.certificates.duality_gap import (
    UNDERFLOW,
    bound_of_gap,
    norm_of_gradient,
    price_of_moving,
    relative_bound,
)
from chainrule.engine.certificates.rounding import (
    Rounding,
    SumRounding,
    bound_rounding,
    measure_rounding,
)
from chainrule.engine.certificates.strong_convexity import penalty_gap
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome

_FEW_ROWS: Final[int] = 10_000
_LEAST_ERROR: Final[float] = 64 * UNIT
"""How far above its least value f may seem to be, relative to f at zero coefficients."""

Kind = Literal[
    "duality gap",
    "strong convexity",
    "Newton decrement",
    "local strong convexity",
    "least value",
    "separation",
    "none",
]


@dataclass(frozen=True)
class Certificate(DisplayedAsPage):
    """A claim about a fit and whether it is proven; `str()` is the sentence to read.

    Attributes
    ----------
    kind : str
        Which theorem proves it: "duality gap", "strong convexity", "Newton decrement", "local
        strong convexity", "least value", "separation" (that there is no optimum), or "none".
    suboptimality_bound : float
        f - f* is at most this; inf if nothing is known.
    relative_bound : float
        (f - f*) / f* is at most this, f* counted from the sum of the least losses, which is 0 for
        classes; inf if nothing is known or that is 0. Where no least loss is proven, it is
        counted from f at zero coefficients, downwards. Where f has come down to its least value,
        as far as rounding shows, it is (f - f*) / f at zero coefficients: f* may be 0.
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
    is_local : bool
        Whether the loss is not convex, and the bounds are theorems about a local minimum near it;
        then nothing is proven about the optimum.
    columns : tuple of str
        The columns concerned: those whose coefficients run off, or the collinear ones.
    is_relative_to_zero : bool
        Whether `relative_bound` is relative to f at zero coefficients: f* may be the least value.
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
    is_local: bool = False
    is_relative_to_zero: bool = False

    def __str__(self) -> str:
        residue = f"The gradient is {self.gradient_norm:.2g}, rounding {self.gradient_rounding:.2g}"
        if self.kind == "separation":
            opening = "Proven" if self.proven else "Not proven, but indicated"
            return f"{opening}: there is no finite optimum, since {self.because}."
        if self.kind == "none":
            return f"Nothing is proven: {self.because}. {residue}."
        opening = "Proven" if self.proven else "Not proven in full"
        where = "f_local" if self.is_local else "f*"
        whole = "f at zero coefficients" if self.is_relative_to_zero else where
        share = (
            f" ({self.relative_bound:.2g} of {whole})" if np.isfinite(self.relative_bound) else ""
        )
        reach = (
            f", |coef - coef*| <= {self.distance_bound:.2g}"
            if np.isfinite(self.distance_bound)
            else ""
        )
        if self.is_local:
            opening = (
                "Nothing is proven about a global optimum, since the loss is not convex. A local "
                "minimum is near"
            )
        return (
            f"{opening}: f - {where} <= {self.suboptimality_bound:.2g}{share}{reach}, by "
            f"{'' if self.kind.endswith('convexity') else 'the '}{self.kind}; "
            f"{self.because}. {residue}."
        )


def certify(
    objective: Objective, outcome: Outcome, *, enough: float = 0.0, reading: bool = True
) -> Certificate:
    """Prove what can be proven about the point where a solver stopped.

    Parameters
    ----------
    objective : Objective
    outcome : Outcome
        Its curvature, if there is one, serves the Newton decrement.
    enough : float
        A relative bound at which to stop looking for a lower one. X is read, for what rounding does
        to its numbers, only where bounds without a read are too wide for that.
    reading : bool
        Whether X may be read at all.
    """
    evaluation, curvature = outcome.evaluation, outcome.curvature
    weights = None if curvature is None else objective.unpack(1 / curvature.scale)
    claims: list[Certificate] = []
    for look in (bound_rounding, measure_rounding)[: 1 + reading]:
        rounding = look(objective, evaluation, other=outcome.reference, weights=weights)
        claims = []
        for found in _claims(objective, outcome, rounding, enough):
            if found.relative_bound <= enough:
                return found
            claims.append(found)
    if not claims:
        return claim(
            objective,
            outcome,
            rounding,
            "none",
            np.inf,
            np.inf,
            _nothing(objective, outcome),
        )
    return min(claims, key=lambda found: found.suboptimality_bound)


def _claims(
    objective: Objective, outcome: Outcome, rounding: Rounding, enough: float
) -> Iterator[Certificate]:
    facts, some_held = objective.loss.facts, objective.columns
    if some_held is not None:  # a least value is that of all columns; other claims are of some
        yield from _least_value_reached(objective, outcome, rounding)
    if outcome.curvature is not None and facts.convex and facts.self_concordance is not None:
        yield _newton_decrement(objective, outcome, outcome.curvature, rounding)
    if not objective.penalty.is_none and facts.convex:
        if facts.of_classes:
            yield _duality_gap(objective, outcome, rounding, enough)
        else:
            bound, because = penalty_gap(objective, outcome.evaluation, rounding)
            yield claim(objective, outcome, rounding, "strong convexity", bound, np.inf, because)
    if facts.has_least and not objective.penalty.is_none:
        yield least_value(objective, outcome, rounding)
    elif some_held is None:
        yield from _least_value_reached(objective, outcome, rounding)


def _nothing(objective: Objective, outcome: Outcome) -> str:
    """Say why no theorem applies."""
    facts = objective.loss.facts
    if not facts.convex:
        return "the loss is not convex, and its curvature here proves no local minimum"
    if facts.self_concordance is None:
        return "the curvature of the loss changes too fast around this point"
    if outcome.curvature is None:
        return "without a penalty the curvature is needed, and it is too large to be formed"
    return "nothing is proven of the loss that a bound could use"


def _duality_gap(
    objective: Objective, outcome: Outcome, rounding: Rounding, enough: float
) -> Certificate:
    evaluation = outcome.evaluation
    because = "a dual point that is feasible for the intercept too lies that far below"

    def found(*, exactly: bool) -> Certificate:
        bound = bound_of_gap(objective, evaluation, rounding, exactly=exactly)
        return claim(objective, outcome, rounding, "duality gap", bound, np.inf, because)

    if objective.source.n_samples > _FEW_ROWS:
        quick = found(exactly=False)
        if quick.relative_bound <= enough:
            return quick
    return found(exactly=True)


def least_value(objective: Objective, outcome: Outcome, rounding: Rounding) -> Certificate:
    """Claim that f - f* is at most f, counted from the least losses, if these are proven."""
    has_least = objective.loss.facts.has_least
    value = outcome.evaluation.excess + rounding.value if has_least else np.inf
    penalty = "" if objective.penalty.is_none else ", and no penalty negative"
    return claim(
        objective,
        outcome,
        rounding,
        "least value",
        1.000001 * value,
        np.inf,
        f"no loss is below its least value{penalty}",
    )


def _least_value_reached(
    objective: Objective, outcome: Outcome, rounding: Rounding
) -> Iterator[Certificate]:
    """Claim that the least value of all losses is reached, as far as rounding shows."""
    facts = objective.loss.facts
    if facts.of_classes or not facts.has_least or not objective.penalty.is_none:
        return
    origin = objective.value_at_origin - objective.floor(objective.value_at_origin)
    if not outcome.evaluation.excess <= max(rounding.value, _LEAST_ERROR * origin) or origin == 0:
        return

    def one(_: FloatArray, y: FloatArray, s: FloatArray) -> tuple[FloatArray]:
        return (np.asarray(np.sum(s[~objective.loss.has_share(y).all(axis=1)])),)

    # a row whose loss falls for ever comes close to a least value that it does not have
    (endless,) = objective.sum_over_vectors(one, np.empty((objective.source.n_samples, 0)))
    if endless == 0:
        found = least_value(objective, outcome, rounding)
        share = found.suboptimality_bound / origin
        yield replace(found, relative_bound=share, is_relative_to_zero=True)


def _newton_decrement(
    objective: Objective, outcome: Outcome, curvature: Curvature, rounding: Rounding
) -> Certificate:
    size, n_outputs = len(curvature.scale), objective.loss.n_outputs
    smallest = curvature.smallest
    lost = size * rounding.summation + rounding.hessian + curvature.eigenvalue_error
    trust = (1 - rounding.curvature) * (1 - lost / smallest) if smallest > lost else 0.0
    constant = objective.loss.facts.self_concordance
    assert constant is not None
    moved = 4 * max(1.0, constant) * rounding.raw_prediction
    trust *= np.exp(-1.000001 * outcome.drift - moved)
    if not trust > 0.01:
        reason = (
            "the last step changed the curvature too much"
            if smallest > lost
            else "the curvature is singular to working precision"
        )
        return claim(objective, outcome, rounding, "none", np.inf, np.inf, reason)
    gradient = objective.pack(outcome.evaluation.gradient)
    decrement = curvature.dual_norm(gradient) + curvature.largest_norm(
        objective.pack(rounding.of_sums)
    )
    decrement = 1.000001 * decrement / np.sqrt(trust) + rounding.of_scores
    reach = _longest_row(objective, curvature, rounding) / np.sqrt(trust)
    ratio = decrement * reach
    if ratio >= 1:
        return claim(
            objective,
            outcome,
            rounding,
            "none",
            np.inf,
            np.inf,
            "the Newton decrement is not yet small enough for the theorem",
        )
    bound = decrement**2 * growth(ratio)
    bound += _off_centre(objective, outcome)
    radius = -np.log1p(-ratio) / reach if reach > 0 else decrement
    units = np.repeat(1 / objective.source.column_scale[:, None], n_outputs, axis=1)
    keep = objective.pack(Point(units, np.zeros(n_outputs)))
    distance = radius * curvature.inverse_root_trace(keep) / float(np.sqrt(trust))
    if n_outputs > 1:
        shared = outcome.evaluation.point.coef.mean(axis=1) / objective.source.column_scale
        distance += float(np.sqrt(n_outputs)) * norm(shared)
    return claim(
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
    constant = objective.loss.facts.self_concordance
    assert constant is not None
    pairs, factor = (1.0, constant) if objective.loss.n_outputs == 1 else (np.sqrt(2.0), 1.0)
    longest = float(pairs * rounding.longest_row / np.sqrt(curvature.smallest))
    return factor * min(longest, curvature.widest_spread(objective.row_bounds))


def _off_centre(objective: Objective, outcome: Outcome) -> float:
    """Return what the penalty charges for the part of coef that all outputs share."""
    if objective.loss.n_outputs == 1 or objective.penalty.is_none:
        return 0.0
    mean = outcome.evaluation.point.coef.mean(axis=1)
    return 1.01 * objective.loss.n_outputs * objective.penalty.value(mean[:, None])


def claim(
    objective: Objective,
    outcome: Outcome,
    rounding: SumRounding,
    kind: Kind,
    bound: float,
    distance: float,
    because: str,
) -> Certificate:
    """Return a claim, with what follows from its bound, and from none if it is infinite."""
    evaluation, scale = outcome.evaluation, objective.source.column_scale
    value = evaluation.value
    bound += UNDERFLOW
    if not np.isfinite(bound):
        kind, bound = "none", np.inf
    if not objective.penalty.is_none and kind != "none":
        # Minimised over the intercept, f is strongly convex in coef.
        strength = float((objective.penalty.strength * scale**2).min())
        if strength > UNDERFLOW:  # else it has lost digits, or all of them
            distance = min(distance, float(np.sqrt(2 * bound / strength)))
    # where no least loss is proven: relative to how far f has come down from zero coefficients
    above = (
        evaluation.excess if objective.loss.facts.has_least else objective.value_at_origin - value
    )
    is_local = kind == "local strong convexity" and not objective.loss.facts.convex
    return Certificate(
        kind=kind,
        suboptimality_bound=float(bound),
        relative_bound=relative_bound(bound, above, rounding.value),
        distance_bound=float(distance),
        gradient_norm=norm_of_gradient(objective, evaluation.gradient),
        gradient_rounding=norm_of_gradient(objective, rounding.gradient),
        proven=kind != "none" and not is_local,
        because=because,
        is_local=is_local,
    )


def with_rounded_intercept(
    certificate: Certificate, objective: Objective, evaluation: Evaluation
) -> Certificate:
    """Return the certificate of the point as it is handed back, for columns that were moved.

    Moving them back changes the intercept by one rounded product; f by as much as its slope and
    bend there allow.
    """
    if not objective.source.is_moved or certificate.kind == "none":
        return certificate
    extra = price_of_moving(objective, evaluation, certificate.gradient_rounding)
    below = evaluation.excess - certificate.suboptimality_bound
    return replace(
        certificate,
        suboptimality_bound=certificate.suboptimality_bound + extra,
        relative_bound=certificate.relative_bound + extra / below if below > 0 else np.inf,
    )
