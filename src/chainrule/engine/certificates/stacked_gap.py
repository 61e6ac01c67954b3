r"""The duality gap of an elastic net at many points at once: dual points are scaled.

It is the theorem of `separable_gap` without a Hessian in any column, in one computation for a whole
stack of points: a path of a small table takes less time than the proofs of its points one by one.
It serves where the conditions of an optimum hold up to the tolerance itself, not to its root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, accumulated
from chainrule.engine.certificates.rounding import SumRounding, bound_sums
from chainrule.engine.certificates.separable_gap import fenchel_terms
from chainrule.engine.certificates.strong_convexity import sum_of_curvatures
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.objective.gram import Snapshot
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet

_SLACK: Final[float] = 1.000001

_CLOSE: Final[float] = 0.1
"""Up to how far scores may have moved since a Hessian whose corner stands for that at a point."""


@dataclass(frozen=True)
class Candidate:
    """A point to be proven.

    Attributes
    ----------
    penalty : ElasticNet
    evaluation : Evaluation
        Of the losses alone.
    corner : float
        The sum of all curvatures, there or where a Hessian was taken.
    moved : float
        How far any score has moved since.
    """

    penalty: ElasticNet
    evaluation: Evaluation
    corner: float
    moved: float

    @classmethod
    def of(
        cls,
        objective: Objective,
        penalty: ElasticNet,
        here: Evaluation,
        known: Snapshot | None,
    ) -> Candidate:
        """Return a point, with the curvatures of a Hessian from nearby or its own."""
        moved = np.inf if known is None else known.drift(here.raw_prediction)
        if known is not None and moved <= _CLOSE:
            return cls(penalty, here, float(known.hessian[-1, -1]), moved)
        return cls(penalty, here, sum_of_curvatures(objective, here), 0.0)


def stacked_bounds(
    objective: Objective, candidates: Sequence[Candidate]
) -> list[tuple[float, SumRounding]]:
    """Bound f - f* at every point, with bounds on the rounding there; inf for what is not proven.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, self-concordant ones of one score with a proven least value.
    candidates : sequence of Candidate
        With penalties of the same bounds of coefficients.
    """
    found = [bound_sums(objective, candidate.evaluation) for candidate in candidates]
    points = [candidate.evaluation for candidate in candidates]
    first = candidates[0].penalty
    l1 = np.stack([candidate.penalty.l1 for candidate in candidates])
    l2 = np.stack([candidate.penalty.l2 for candidate in candidates])
    w = np.stack([point.point.coef[:, 0] for point in points])
    slope = np.stack([point.gradient.coef[:, 0] for point in points])
    doubt = np.stack([rounding.gradient.coef[:, 0] for rounding in found])
    price, steepest = _intercepts(objective, candidates, found)
    doubt = doubt + steepest[:, None] * objective.source.column_bounds
    size = (l1 * np.abs(w) + 0.5 * l2 * w * w).sum(axis=1) * (1 + accumulated(w.shape[1] + 8))
    above = size + np.array([point.excess for point in points])
    above += np.array([rounding.value for rounding in found])
    bound, _ = fenchel_terms(
        ElasticNet(l1, l2, first.lower, first.upper),
        w,
        slope,
        np.where(np.isfinite(doubt), doubt, 0.0),
        np.ones(w.shape, dtype=bool),
        above,
    )
    bound = _SLACK * (price + bound)
    bound = np.where(np.isfinite(bound), bound, np.inf)
    return list(zip(bound.tolist(), found, strict=True))


def _intercepts(
    objective: Objective, candidates: Sequence[Candidate], found: Sequence[SumRounding]
) -> tuple[FloatArray, FloatArray]:
    """Bound what f falls to its best intercept, and the change of the sum of all derivatives.

    By the curvatures there or nearby: self-concordant losses change them by no more than
    a factor exp(M) for each unit that scores have moved.
    """
    count = len(candidates)
    if not objective.fit_intercept:
        return np.zeros(count), np.zeros(count)
    constant = max(1.0, objective.loss.facts.self_concordance or 0.0)
    corner = np.array([candidate.corner for candidate in candidates])
    error = np.array([rounding.raw_prediction for rounding in found])
    unsure = np.array([objective.loss.curvature_error(one) for one in error.tolist()])
    drift = constant * (np.array([candidate.moved for candidate in candidates]) + 4 * error)
    drift += unsure
    level = np.array(
        [
            abs(float(candidate.evaluation.gradient.intercept[0]))
            + float(rounding.gradient.intercept[0])
            for candidate, rounding in zip(candidates, found, strict=True)
        ]
    )
    low = 0.999 * corner * np.exp(-drift)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        width = 2 * level / low
        low *= np.exp(-constant * width)
        shift = np.where((low > 0) & (level <= low * width), level / low, np.inf)
        high = 1.001 * corner * np.exp(drift + constant * width)
        shift[level == 0] = 0.0
        price = np.where(np.isfinite(shift), level * shift, np.inf)
        return price, np.where(shift > 0, shift * high, 0.0)
