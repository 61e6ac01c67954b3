"""Bootstrap of a fit: rows or clusters drawn with replacement, each replicate fitted from the fit.

Draw i of replicate b is the number at place i of a Philox stream whose key is the seed and whose
counter begins at b, so that chunks and threads change nothing, and every replicate can be computed
alone. Of shares of trials, single trials are drawn. The intervals are those of percentiles, and BCa
(Efron 1987), whose acceleration is that of the infinitesimal jackknife: one step of Newton's method
for leaving out each row or cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from scipy import linalg, special

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.constrained import at, flat
from chainrule.engine.inference.design import Piece
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.moments import cluster_sums, scores_of
from chainrule.engine.inference.tables import Table

_STEPS: Final[int] = 60
_LAST: Final[float] = 1e-5
"""A step of Newton's method this short, in standard errors, is the last: the next is its square."""
_FLAT: Final[float] = 1e-7
"""Where the information in some direction falls to this share, the coefficients run off in it."""


@dataclass(frozen=True)
class Bootstrap:
    """Coefficients of bootstrap replicates, and intervals from them.

    Attributes
    ----------
    names : tuple of str
        The coefficients, output by output.
    estimate : ndarray of shape (n_coefficients,)
        Of the fit.
    replicates : ndarray of shape (n_replicates, n_coefficients)
        NaN in a row whose replicate has no finite optimum.
    acceleration : ndarray of shape (n_coefficients,)
        Of the BCa intervals.
    level : float
    """

    names: tuple[str, ...]
    estimate: FloatArray
    replicates: FloatArray
    acceleration: FloatArray
    level: float

    @cached_property
    def finite(self) -> FloatArray:
        """The replicates that have an optimum."""
        return self.replicates[np.isfinite(self.replicates).any(axis=1)]

    @property
    def n_without_optimum(self) -> int:
        """The number of replicates without a finite optimum: the draw is separated."""
        return len(self.replicates) - len(self.finite)

    @property
    def std_errors(self) -> FloatArray:
        """The standard deviations of the replicates."""
        return np.asarray(self.finite.std(axis=0, ddof=1))

    def percentile(self) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the intervals of percentiles."""
        outside = (1 - self.level) / 2
        low, high = np.quantile(self.finite, [outside, 1 - outside], axis=0)
        return low, high

    def bca(self) -> tuple[FloatArray, FloatArray]:
        """Return both ends of the BCa intervals: corrected for bias and for skewness."""
        finite = self.finite
        below = (finite < self.estimate).mean(axis=0) + (finite == self.estimate).mean(axis=0) / 2
        shift = special.ndtri(below)
        ends = []
        for probability in ((1 - self.level) / 2, (1 + self.level) / 2):
            z = shift + special.ndtri(probability)
            moved = special.ndtr(shift + z / (1 - self.acceleration * z))
            ends.append(
                np.array(
                    [
                        np.quantile(finite[:, j], p) if np.isfinite(p) else np.nan
                        for j, p in enumerate(moved)
                    ]
                )
            )
        return ends[0], ends[1]

    @cached_property
    def tidy(self) -> Table:
        """The table: estimates, bias, errors, and the intervals of both kinds."""
        low, high = self.percentile()
        bca_low, bca_high = self.bca()
        return Table(
            {
                "term": np.array(self.names),
                "estimate": self.estimate,
                "bias": self.finite.mean(axis=0) - self.estimate,
                "std.error": self.std_errors,
                "conf.low": low,
                "conf.high": high,
                "bca.low": bca_low,
                "bca.high": bca_high,
            }
        )

    def __str__(self) -> str:
        lost = self.n_without_optimum
        said = f"Bootstrap: {len(self.replicates)} replicates"
        if lost:
            said += f", {lost} of them without a finite optimum and left out"
        return f"{said}; {100 * self.level:g}% intervals of percentiles, and BCa.\n\n{self.tidy}"


def bootstrap(
    model: FittedModel,
    to_data: FloatArray,
    names: tuple[str, ...],
    estimate: FloatArray,
    *,
    n_replicates: int,
    seed: int,
    level: float,
    clusters: IntArray | None,
) -> Bootstrap:
    """Return bootstrap replicates of a fit.

    Parameters
    ----------
    model : FittedModel
        At its optimum, without a penalty.
    to_data : ndarray of shape (n_coefficients, n_kept)
        From the parameters that are kept to the coefficients of the data.
    names : tuple of str
    estimate : ndarray of shape (n_coefficients,)
    n_replicates, seed : int
    level : float
    clusters : ndarray or None
        The number of each row's cluster, if clusters are drawn and not rows.
    """
    weight = np.concatenate([piece.weight for piece in model.estimate.pieces()])
    shares = None if clusters is not None else _shares(model)
    kept, start = model.inverse.kept, flat(model)[model.inverse.kept]
    replicates = np.full((n_replicates, len(estimate)), np.nan)
    for number in range(n_replicates):
        if shares is None:
            drawn, targets = drawn_weights(weight, seed, number, clusters), None
        else:
            drawn, targets = drawn_shares(weight, shares, seed, number)
        found = _fit(model, drawn, targets)
        if found is not None:
            replicates[number] = estimate + to_data @ (found[kept] - start)
    return Bootstrap(
        names, estimate, replicates, _acceleration(model, to_data, clusters, shares), level
    )


def uniforms(seed: int, replicate: int, count: int) -> FloatArray:
    """Return the first uniform numbers of a replicate, from its place in a Philox stream.

    >>> uniforms(3, 7, 4)[:2] == uniforms(3, 7, 2)
    array([ True,  True])
    """
    stream = np.random.Philox(key=seed, counter=[0, 0, replicate, 0])
    return np.asarray((stream.random_raw(count) >> np.uint64(11)) * 2.0**-53)


def drawn_weights(
    weight: FloatArray, seed: int, replicate: int, clusters: IntArray | None = None
) -> FloatArray:
    """Return the weights of a replicate: how often each row is drawn.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        A row of weight k is k rows, each of which may be drawn.
    seed, replicate : int
    clusters : ndarray, optional
        Draw whole clusters, as many as there are, whose rows keep their weights.
    """
    if clusters is not None:
        count = int(clusters.max()) + 1
        picked = (uniforms(seed, replicate, count) * count).astype(np.intp)
        return np.asarray(weight * np.bincount(picked, minlength=count)[clusters])
    ends = np.cumsum(weight)
    n_draws = max(1, round(float(ends[-1])))
    picked = np.searchsorted(ends, uniforms(seed, replicate, n_draws) * ends[-1], side="right")
    times = np.bincount(np.minimum(picked, len(weight) - 1), minlength=len(weight))
    return np.asarray(times * (ends[-1] / n_draws))


def drawn_shares(
    weight: FloatArray, shares: FloatArray, seed: int, replicate: int
) -> tuple[FloatArray, FloatArray]:
    """Return the weights and the shares of a replicate whose single trials are drawn.

    The draws are those of the rows with one trial each, class by class within a row.

    Parameters
    ----------
    weight : ndarray of shape (n_rows,)
        The number of trials.
    shares : ndarray of shape (n_rows, n_classes)
    seed, replicate : int
    """
    trials = np.round(weight[:, None] * shares, 9)  # 7 * (2 / 7) is 2
    drawn = drawn_weights(trials.ravel(), seed, replicate).reshape(shares.shape)
    total = drawn.sum(axis=1)
    found = np.divide(drawn, total[:, None], out=shares.copy(), where=total[:, None] > 0)
    return total, found


def _shares(model: FittedModel) -> FloatArray | None:
    """Return the share of each class in each row; None where rows hold labels."""
    y = np.concatenate([piece.y for piece in model.estimate.pieces()])
    if y.ndim == 1:
        return np.stack([1 - y, y], axis=1) if model.has_shares else None
    return y if ((y > 0) & (y < 1)).any() else None


def _fit(model: FittedModel, weights: FloatArray, shares: FloatArray | None) -> FloatArray | None:
    """Return the parameters of a fit with other weights, and other shares of classes.

    None where it has no finite optimum.
    """
    kept = model.inverse.kept
    targets = shares
    if shares is not None and model.family is not None:
        targets = shares[:, 1]
    here = replace(model, estimate=replace(model.estimate, weights=weights, targets=targets))
    parameters = flat(here)
    loss, halvings, inner = np.inf, 0, np.ix_(kept, kept)
    step = np.zeros(len(kept))
    for _ in range(_STEPS):
        moments = at(here, parameters).moments
        if not moments.loss <= loss + 1e-10 * abs(loss) and halvings < 30:
            step, halvings = step / 2, halvings + 1
            parameters[kept] += step
            continue
        loss, halvings = moments.loss, 0
        gradient, table = moments.gradient[kept], moments.information[inner]
        if not np.isfinite(loss):
            return None
        try:
            factor = linalg.cho_factor(table)
        except linalg.LinAlgError:
            return None
        step = linalg.cho_solve(factor, gradient)
        length = float(np.sqrt(max(gradient @ step, 0.0)))
        parameters[kept] -= step
        if length < _LAST:
            least = linalg.eigh(
                table, model.moments.information[inner], eigvals_only=True, subset_by_index=[0, 0]
            )
            return parameters if least[0] > _FLAT else None
    return None


def _acceleration(
    model: FittedModel,
    to_data: FloatArray,
    clusters: IntArray | None,
    shares: FloatArray | None,
) -> FloatArray:
    """Return sum d^3 / (6 (sum d^2)^1.5) for the changes d by leaving out each row or cluster.

    Of shares, each trial is left out by itself.
    """
    kept = model.inverse.kept
    back = -(to_data @ model.inverse.matrix)
    squares, cubes = np.zeros(len(to_data)), np.zeros(len(to_data))
    if clusters is not None:
        sums = cluster_sums(model.estimate, clusters, int(clusters.max()) + 1)[:, kept]
        change = sums @ back.T
        squares, cubes = (change**2).sum(axis=0), (change**3).sum(axis=0)
    else:
        for piece in model.estimate.pieces():
            for weight, y in _trials(piece, shares):
                slope = model.likelihood.terms(model.estimate.scores(piece), y).slope
                change = scores_of(piece.design, slope)[:, kept] @ back.T
                squares += weight @ change**2
                cubes += weight @ change**3
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(cubes / (6 * squares**1.5))


def _trials(piece: Piece, shares: FloatArray | None) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield weights and targets of the trials of each class; of labels, those of the rows."""
    if shares is None:
        yield piece.weight, piece.y
        return
    for k, share in enumerate(shares[piece.rows].T):
        y = np.full(len(share), float(k))
        if piece.y.ndim > 1:
            y = np.tile(np.eye(shares.shape[1])[k], (len(share), 1))
        yield piece.weight * share, y
