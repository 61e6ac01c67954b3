r"""The duality gap of an elastic net at many points at once.

These are the theorems of `separable_gap`, in one computation for a whole stack of points: a path of
a small table takes less time than the proofs of its points one by one. Either dual points are
scaled, which serves where the conditions of an optimum hold up to the tolerance itself; or tangents
take the place of the penalty's kinks, with one factor of a Hessian for all points that share it,
which serves where they hold up to its root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray, IntArray, accumulated
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.certificates.decrement import newton_drops
from chainrule.engine.certificates.duality_gap import UNDERFLOW
from chainrule.engine.certificates.rounding import stacked_rounding
from chainrule.engine.certificates.separable_gap import (
    SCALED,
    TANGENTS,
    curvature_of,
    fenchel_terms,
)
from chainrule.engine.certificates.smooth_drop import derivative_changes
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
    known : Snapshot or None
        That Hessian.
    """

    penalty: ElasticNet
    evaluation: Evaluation
    corner: float
    moved: float
    known: Snapshot | None = None

    @classmethod
    def of(cls, penalty: ElasticNet, here: Evaluation, known: Snapshot | None) -> Candidate:
        """Return a point with a Hessian from elsewhere."""
        if known is None:
            return cls(penalty, here, 0.0, np.inf)
        drift = known.drift(here.raw_prediction)
        return cls(penalty, here, float(known.hessian[-1, -1]), drift, known)

    def with_corner(self, objective: Objective) -> Candidate:
        """Return the same point with the sum of all curvatures there, or very near to it."""
        if self.moved <= _CLOSE:
            return self
        corner = sum_of_curvatures(objective, self.evaluation)
        return replace(self, corner=corner, moved=0.0, known=None)


class Stack:
    """Points to be proven together.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, self-concordant ones of one score with a proven least value.
    candidates : sequence of Candidate
        With penalties of the same bounds of coefficients.
    """

    def __init__(self, objective: Objective, candidates: Sequence[Candidate]) -> None:
        self._objective, self._candidates = objective, candidates
        points = [candidate.evaluation for candidate in candidates]
        first = candidates[0].penalty
        l1 = np.stack([candidate.penalty.l1 for candidate in candidates])
        l2 = np.stack([candidate.penalty.l2 for candidate in candidates])
        self._penalty = ElasticNet(l1, l2, first.lower, first.upper)
        self._w = np.stack([point.point.coef[:, 0] for point in points])
        self._slope = np.stack([point.gradient.coef[:, 0] for point in points])
        self._level = np.array([float(point.gradient.intercept[0]) for point in points])
        self._left = _residuals(self._penalty, self._w, self._slope)
        self._moved = np.array([candidate.moved for candidate in candidates])
        self.rounding = stacked_rounding(objective, points, self._w, self._slope)
        size = (l1 * np.abs(self._w) + 0.5 * l2 * self._w * self._w).sum(axis=1)
        self._losses = np.array([point.excess for point in points])
        self._size = size * (1 + accumulated(self._w.shape[1] + 8))
        self._values = self._losses + size

    @property
    def _above(self) -> FloatArray:
        """How far every point is above the least losses, rounding included."""
        return np.asarray(self._losses + self._size + self.rounding.value)

    def scaled_bounds(self) -> FloatArray:
        """Bound f - f* at every point by scaling dual points; inf where nothing is proven."""
        price, steepest = self._intercepts()
        doubt = self.rounding.coef + steepest[:, None] * self._objective.source.column_bounds
        bound, _ = fenchel_terms(
            self._penalty,
            self._w,
            self._slope,
            np.where(np.isfinite(doubt), doubt, 0.0),
            np.ones(self._w.shape, dtype=bool),
            self._above,
        )
        bound = _SLACK * (price + bound)
        return np.where(np.isfinite(bound), bound, np.inf)

    def bounds(self, enough: float) -> tuple[FloatArray, BoolArray]:
        """Bound f - f* at every point; inf where nothing is proven.

        Parameters
        ----------
        enough : float
            A relative bound at which no other way is tried.

        Returns
        -------
        bounds : ndarray of shape (n,)
        by_tangents : ndarray of bool, of shape (n,)
            Which of them are by second order.
        """
        found, by_tangents = self.tangent_bounds(enough), np.zeros(len(self._w), dtype=bool)
        by_tangents |= np.isfinite(found)
        open_ones = np.flatnonzero(found > enough * self._losses)
        if len(open_ones):
            corners = [self._candidates[k].with_corner(self._objective) for k in open_ones.tolist()]
            bounds = Stack(self._objective, corners).scaled_bounds()
            by_tangents[open_ones] &= found[open_ones] <= bounds
            found[open_ones] = np.minimum(found[open_ones], bounds)
        return found, by_tangents

    def tangent_bounds(self, enough: float = 0.0) -> FloatArray:
        """Bound f - f* at every point by second order; inf where nothing is proven.

        All columns that the Hessian curves are moved to their best, or those that take part at one
        of the points that share it: what served last is tried first.
        """
        found = np.full(len(self._w), np.inf)
        facts = self._objective.loss.facts
        if facts.self_concordance is None or self.rounding.has_hessian:
            return found
        ways = [self._curved, self._taking_part]
        for known, members in self._by_hessian():
            left = members
            for k, way in enumerate(tuple(ways)):
                moving = way(known, left)
                if way == self._curved and 2 * moving.sum() > self._objective.source.n_samples:
                    continue  # their Hessian is nearly singular, or singular
                bounds = self._with_tangents(known, left, moving)
                found[left] = np.minimum(found[left], bounds)
                left = members[found[members] > enough * self._losses[members]]
                if not len(left):
                    ways = ways[k:] + ways[:k]
                    break
        return found

    def _curved(self, known: Snapshot, _: IntArray) -> BoolArray:
        """Return the columns in which a Hessian is not 0."""
        found = np.zeros(self._w.shape[1], dtype=bool)
        found[known.columns] = known.hessian.diagonal()[:-1] > 0
        return found

    def _taking_part(self, known: Snapshot, members: IntArray) -> BoolArray:
        """Return the columns that are not at rest at 0, at one of some points."""
        off = np.zeros(self._w.shape, dtype=bool)[members]
        off[:, known.columns] = self._left[members][:, known.columns] != 0
        found = off | (self._w[members] != 0) | (self._penalty.l1[members] == 0)
        return np.asarray(found.any(axis=0))

    def certificates(self, bounds: FloatArray, by_tangents: BoolArray) -> list[Certificate]:
        """Return claims of what `bounds` found, with what follows from them."""
        scale = self._objective.source.column_scale
        bounds = bounds + UNDERFLOW
        below = self._values - self.rounding.value - bounds
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(below > 0, bounds / below, np.inf)
            least = (self._penalty.l2 * scale**2).min(axis=1, initial=np.inf)
            distance = np.where((least > 0) & (least < np.inf), np.sqrt(2 * bounds / least), np.inf)
        slopes = _norms(self._left * scale, self._level)
        errors = _norms(self.rounding.coef * scale, self.rounding.intercept)
        ways = np.where(by_tangents, TANGENTS, SCALED).tolist()
        nothing = "no Hessian from nearby is at hand"
        return [
            Certificate(
                kind="duality gap" if bound < np.inf else "none",
                suboptimality_bound=bound,
                relative_bound=share,
                distance_bound=far,
                gradient_norm=slope,
                gradient_rounding=error,
                proven=bound < np.inf,
                because=way if bound < np.inf else nothing,
            )
            for bound, share, far, slope, error, way in zip(
                bounds.tolist(),
                relative.tolist(),
                distance.tolist(),
                slopes.tolist(),
                errors.tolist(),
                ways,
                strict=True,
            )
        ]

    def _by_hessian(self) -> list[tuple[Snapshot, IntArray]]:
        """Return the Hessians, and the points that share each of them."""
        found = dict[int, tuple[Snapshot, list[int]]]()
        for place, candidate in enumerate(self._candidates):
            if candidate.known is not None:
                found.setdefault(id(candidate.known), (candidate.known, []))[1].append(place)
        return [(known, np.array(members)) for known, members in found.values()]

    def _with_tangents(self, known: Snapshot, members: IntArray, moving: BoolArray) -> FloatArray:
        """Bound f - f* at points that share a Hessian, with some columns moved to their best."""
        objective, rounding = self._objective, self.rounding
        constant = objective.loss.facts.self_concordance
        columns, nothing = np.flatnonzero(moving), np.full(len(members), np.inf)
        places, tops = known.places(columns), objective.source.column_bounds
        if constant is None or places is None:
            return nothing
        l1, l2 = self._penalty.l1[members], self._penalty.l2[members]
        w, slope = self._w[members], self._slope[members]
        curvature = curvature_of(objective, known, places, l2[:, columns].min(axis=0))
        if not curvature.is_definite:
            return nothing
        terms = np.abs(slope) + l2 * np.abs(w) + np.where(w != 0, l1, 0.0)
        doubt = rounding.coef[members] + 4 * UNIT * terms
        last = len(curvature.scale)
        drift = constant * self._moved[members]
        drop, reach, length = newton_drops(
            curvature,
            np.column_stack([self._left[members][:, columns], self._level[members]])[:, :last],
            np.column_stack([doubt[:, columns], rounding.intercept[members]])[:, :last],
            np.append(tops[columns], 1.0)[:last],
            constant,
            lost=last * rounding.summation + curvature.eigenvalue_error,
            unsure=rounding.curvature[members]
            + 4 * max(1.0, constant) * rounding.raw_prediction[members],
            drift=drift,
        )
        others = np.flatnonzero(~moving)
        if not len(others):
            return np.asarray(_SLACK * drop)
        met = np.isfinite(drop)
        reach, length = np.where(met, reach, 0.0), np.where(met, length, 0.0)
        changed = drift + constant * reach + rounding.curvature[members]
        changed += 2 * rounding.raw_prediction[members]
        corner = float(known.hessian[-1, -1])
        squares = corner * tops**2
        squares[known.columns] = known.hessian.diagonal()[:-1]
        change = derivative_changes(
            corner, squares[others], tops[others], constant, reach, length, changed
        )
        lower, upper = self._penalty.lower, self._penalty.upper
        bound, _ = fenchel_terms(
            ElasticNet(l1[:, others], l2[:, others], lower[others], upper[others]),
            w[:, others],
            slope[:, others],
            rounding.coef[members][:, others] + change,
            np.ones((len(members), len(others)), dtype=bool),
            self._above[members],
        )
        return np.where(met & np.isfinite(bound), _SLACK * (drop + bound), np.inf)

    def _intercepts(self) -> tuple[FloatArray, FloatArray]:
        """Bound what f falls to its best intercept, and the change of the sum of all derivatives.

        By the curvatures there or nearby: self-concordant losses change them by no more than
        a factor exp(M) for each unit that scores have moved.
        """
        if not self._objective.fit_intercept:
            nothing = np.zeros(len(self._w))
            return nothing, nothing
        constant = max(1.0, self._objective.loss.facts.self_concordance or 0.0)
        corner = np.array([candidate.corner for candidate in self._candidates])
        drift = constant * (self._moved + 4 * self.rounding.raw_prediction)
        drift += self.rounding.curvature
        level = np.abs(self._level) + self.rounding.intercept
        low = 0.999 * corner * np.exp(-drift)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            width = 2 * level / low
            low *= np.exp(-constant * width)
            shift = np.where((low > 0) & (level <= low * width), level / low, np.inf)
            high = 1.001 * corner * np.exp(drift + constant * width)
            shift[level == 0] = 0.0
            price = np.where(np.isfinite(shift), level * shift, np.inf)
            return price, np.where(shift > 0, shift * high, 0.0)


def _residuals(penalty: ElasticNet, w: FloatArray, slope: FloatArray) -> FloatArray:
    """Return what is left of the conditions for an optimum at a stack of points."""
    count = len(w)
    lower, upper = np.tile(penalty.lower, count), np.tile(penalty.upper, count)
    flat = ElasticNet(penalty.l1.ravel(), penalty.l2.ravel(), lower, upper)
    return np.asarray(flat.residual(w.ravel(), slope.ravel()).reshape(w.shape))


def _norms(table: FloatArray, last: FloatArray) -> FloatArray:
    """Return the Euclidean norm of every row of a table and a number beside it."""
    top = np.maximum(np.abs(table).max(axis=1, initial=0.0), np.abs(last))
    unit = np.where((top > 0) & (top < np.inf), top, 1.0)
    squares = ((table / unit[:, None]) ** 2).sum(axis=1) + (last / unit) ** 2
    return np.asarray(unit * np.sqrt(squares))
