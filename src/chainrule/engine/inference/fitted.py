"""A fit at its rows: likelihood, information and how far the coefficients may be from the optimum.

**Distance to the optimum, proven.** Let H be the information, g the gradient, N = |g|_{H^-1} and
R = M max_i |x_i|_{H^-1} for the self-concordance constant M of the loss. If v = R N < 1, the
optimum lies within |w - w*|_H <= t = -log(1 - v) / R (see `certificates.certificate`), so each
coefficient is within t of its standard error's length, and H changes on the way by a factor between
exp(-R t) and exp(R t): so do the variances.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray, IntArray, accumulated
from chainrule.engine.inference.covariance import (
    clustered_squares,
    corrected_squares,
    leverages,
    small_sample_factor,
)
from chainrule.engine.inference.design import Design, Piece
from chainrule.engine.inference.families import Family
from chainrule.engine.inference.inverses import Inverse, invert
from chainrule.engine.inference.likelihoods import Likelihood
from chainrule.engine.inference.moments import Estimate, grams
from chainrule.engine.runtime.executors import Partial

_KERNEL: Final[float] = 32 * UNIT
"""A bound on the relative error of a kernel's derivatives, relative to the terms in them."""


@dataclass(frozen=True)
class Moments:
    """Sums over all rows, in the parameters of the design, flattened output by output.

    Attributes
    ----------
    weight, n_rows, loss : float
    gradient : ndarray of shape (n_parameters,)
    information : ndarray of shape (n_parameters, n_parameters)
    """

    weight: float
    n_rows: int
    loss: float
    gradient: FloatArray
    information: FloatArray


@dataclass(frozen=True)
class FittedModel:
    """A fit, its rows, and what follows from them.

    Attributes
    ----------
    estimate : Estimate
    family : Family or None
    penalty : ndarray of shape (n_parameters, n_parameters) or None
        The Hessian of the penalty in the parameters of the design; None where there is none.
    self_concordance : float or None
    zero : ndarray
        The first to leave out where columns are aliased: reference levels.
    is_posterior : bool
        Whether the penalty is a prior, and the covariance that of the posterior.
    """

    estimate: Estimate
    family: Family | None
    penalty: FloatArray | None
    self_concordance: float | None
    zero: IntArray
    is_posterior: bool = False

    @property
    def design(self) -> Design:
        """The design matrix."""
        return self.estimate.design

    @property
    def likelihood(self) -> Likelihood:
        """The loss as inference uses it."""
        return self.estimate.likelihood

    @cached_property
    def has_shares(self) -> bool:
        """Whether targets are shares of trials: some row has successes and failures."""
        if self.family is None or self.family.name != "binomial":
            return False
        source, given = self.design.source, self.estimate.targets
        every = (source.labels(index)[1] for index in range(source.n_blocks))
        return any(bool(((y > 0) & (y < 1)).any()) for y in (every if given is None else (given,)))

    @property
    def n_parameters(self) -> int:
        """Coefficients and intercepts that are not aliased."""
        return len(self.inverse.kept)

    @cached_property
    def moments(self) -> Moments:
        """One read of the rows."""
        sizes, gradient, information = self.estimate.sums_of(_moments)
        table = (information + information.T) / 2
        return Moments(float(sizes[0]), int(sizes[1]), float(sizes[2]), gradient, table)

    @cached_property
    def score_squares(self) -> FloatArray:
        """The sum of score score^T over all rows, (n_parameters, n_parameters)."""
        return self.estimate.sums_of(_score_squares)[0]

    @cached_property
    def pearson(self) -> float:
        """Pearson's statistic: the sum of (y - mu)^2 / V."""
        assert self.family is not None
        return float(self.estimate.sums_of(_pearson, self.family)[0][0])

    @property
    def roundings(self) -> float:
        """How much the sums may err, relative to the sums of sizes."""
        source = self.design.source
        rows = min(source.rows_per_block, source.n_samples) + source.n_blocks
        return accumulated(rows + self.design.n_terms + 4) + _KERNEL  # 4: see `gram`

    @cached_property
    def inverse(self) -> Inverse:
        """The inverse of the information, penalty included."""
        information = self.moments.information
        whole = information if self.penalty is None else information + self.penalty
        return invert(whole, last=self.zero, roundings=self.roundings)

    def with_references(self) -> FittedModel:
        """Return the same predictions with aliased parameters at zero, as reference levels are.

        An aliased column is D_kept A; what its coefficient said, the others say then.
        """
        kept = self.inverse.kept
        aliased = np.setdiff1d(np.arange(len(self.moments.gradient)), kept)
        flat = self.estimate.parameters.T.ravel()
        if not flat[aliased].any():
            return self
        table = self.moments.information[np.ix_(kept, aliased)]
        moved = np.zeros_like(flat)
        moved[kept] = flat[kept] + self.inverse.matrix @ (table @ flat[aliased])
        parameters = moved.reshape(self.estimate.parameters.shape[::-1]).T
        return replace(self, estimate=replace(self.estimate, parameters=parameters))

    @cached_property
    def dispersion(self) -> float:
        """The dispersion: Pearson's statistic over the degrees of freedom, or 1 where known."""
        if self.family is None or not self.family.has_dispersion:
            return 1.0
        return self.pearson / (self.moments.weight - self.n_parameters)

    def covariance(self, kind: str, clusters: IntArray | None, n_clusters: int) -> FloatArray:
        """Return the covariance of the parameters that are kept, in units of the design."""
        inverse, kept = self.inverse, self.inverse.kept
        here = np.ix_(kept, kept)
        if kind == "model":
            if self.penalty is None or self.is_posterior:
                return inverse.matrix * self.dispersion
            meat = self.moments.information[here] * self.dispersion
        elif kind in ("HC0", "HC1"):
            meat = self.score_squares[here]
        elif kind in ("HC2", "HC3"):
            root = np.zeros((len(self.moments.gradient), len(kept)))
            root[kept] = inverse.root
            meat = corrected_squares(self.estimate, root, 1 if kind == "HC2" else 2)[here]
        else:
            assert clusters is not None
            full = np.zeros_like(self.moments.information)
            full[here] = inverse.matrix
            meat = clustered_squares(self.estimate, clusters, n_clusters, full, kind)[here]
        factor = small_sample_factor(kind, self.moments.weight, len(kept), n_clusters)
        return np.asarray(factor * (inverse.matrix @ meat @ inverse.matrix))

    @cached_property
    def distance(self) -> tuple[float, float]:
        """Bounds: of |w - w*| in the norm of H, and of the log of how far H may change.

        Infinite where nothing is proven: for losses without a self-concordance constant, under a
        penalty, or with aliased columns.
        """
        nothing = (float("inf"), float("inf"))
        constant = self.self_concordance
        kept, inverse = self.inverse.kept, self.inverse
        if constant is None or self.penalty is not None or len(kept) < len(self.moments.gradient):
            return nothing
        if self.family is not None and not self.family.is_canonical:
            return nothing
        gradient = self.moments.gradient[kept]
        sizes, score_error = self._sizes()
        error = sizes[kept] * self.roundings
        error = error + score_error * np.sqrt(np.diag(self.moments.information)[kept])
        lengths = np.sqrt(np.diag(inverse.matrix))
        decrement = float(np.linalg.norm(inverse.root.T @ gradient) + lengths @ error)
        decrement *= 1 + inverse.relative_error
        reach = constant * self._longest_row() * (1 + inverse.relative_error)
        v = reach * decrement
        if not v < 1 or not np.isfinite(v):
            return nothing
        t = -np.log1p(-v) / reach if reach > 0 else decrement
        return float(t), float(reach * t)

    def _longest_row(self) -> float:
        """Return max_i |x_i|_{H^-1}, over rows and outputs; twice that for several outputs."""
        n_terms, n_outputs = self.design.n_terms, self.likelihood.n_outputs
        roots = self.inverse.root.reshape(n_outputs, n_terms, -1)
        longest = 0.0
        for piece in self.estimate.pieces():
            ones = np.ones(len(piece.weight))
            for root in roots:
                squares = leverages(piece, ones, root)
                longest = max(longest, float(squares.max(initial=0.0)))
        return float(np.sqrt(longest)) * (1.0 if n_outputs == 1 else 2.0)

    def _sizes(self) -> tuple[FloatArray, float]:
        """Return what rounding of the gradient is relative to.

        These are the sums of the sizes of what is added up, and sqrt(sum_i s_i l''_i dz_i^2) for
        the rounding dz of the scores, which bounds what that adds to the gradient.
        """
        sizes = np.abs(self.estimate.parameters)

        def part(piece: Piece) -> Partial:
            terms, design = self.estimate.terms(piece), np.abs(piece.design)
            slope = np.abs(terms.slope) * piece.weight[:, None]
            dz = accumulated(self.design.n_terms + 2) * (design @ sizes).max(axis=1)
            bend = np.abs(terms.curvature).max(axis=(1, 2))
            return (slope.T @ design).ravel(), np.array([piece.weight @ (bend * dz**2)])

        gradient, score = self.estimate.sums(part)
        return gradient, float(np.sqrt(score[0]))


def _moments(estimate: Estimate, piece: Piece) -> Partial:
    terms = estimate.terms(piece)
    weight, design = piece.weight, piece.design
    slope = terms.slope * weight[:, None]
    sizes = np.array([weight.sum(), len(weight), weight @ terms.loss])
    table = grams(design, terms.curvature * weight[:, None, None])
    return sizes, (slope.T @ design).ravel(), table


def _score_squares(estimate: Estimate, piece: Piece) -> Partial:
    square = estimate.terms(piece).slope_square
    return (grams(piece.design, square * piece.weight[:, None, None]),)


def _pearson(estimate: Estimate, piece: Piece, family: Family) -> Partial:
    z = estimate.scores(piece)[:, 0]
    square = (piece.y - family.mean(z)) ** 2 / family.variance(z)
    return (np.array([piece.weight @ square]),)
