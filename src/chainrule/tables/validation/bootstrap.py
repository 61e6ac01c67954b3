"""Bootstrap intervals: of means over rows, such as log-loss, and of other statistics.

Each replicate has a counter-based generator keyed by seed and replicate, so the intervals are the
same for any order or number of processes. Where rows come in clusters, such as the visits of one
patient, whole clusters are drawn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.runtime.executors import map_in_order
from chainrule.tables.weighting import frequencies

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

_MOST: Final = 1000
_LEAST: Final = 200
_DRAWS: Final = 20_000_000
"""About how many rows are drawn at most, beyond the least number of replicates."""

_MOST_THREADS: Final = 8

_DEFINED: Final = 0.9
"""Share of replicates that must have a value; with fewer there is no interval."""


def replicates(n_rows: int) -> int:
    """Return how many replicates are drawn for so many rows: 1000, fewer for very many rows.

    >>> replicates(500), replicates(50_000)
    (1000, 400)
    """
    return int(np.clip(_DRAWS // max(1, n_rows), _LEAST, _MOST))


@dataclass(frozen=True, eq=False)
class Resampling:
    """The replicates of some rows; iterate for the weight of each row in each of them.

    Parameters
    ----------
    n_rows : int
    weights : ndarray of shape (n_samples,), optional
        A weight of k counts as k repetitions: so many rows are drawn, each by its weight. Of
        weights that are not whole, the effective number of rows is drawn.
    clusters : ndarray of int, shape (n_samples,), optional
        The cluster of each row. Clusters are drawn with equal probability, each with all its rows
        and their weights.
    seed : int
    """

    n_rows: int
    weights: Floats | None = None
    clusters: Codes | None = None
    seed: int = 0

    @property
    def n_replicates(self) -> int:
        """How many replicates there are."""
        return replicates(self._n_drawn)

    @property
    def _n_drawn(self) -> int:
        if self.weights is None:
            return self.n_rows
        return max(1, round(float(frequencies(self.weights).sum())))

    def __iter__(self) -> Iterator[Floats]:
        yield from map(self.drawing(), range(self.n_replicates))

    def drawing(self) -> Callable[[int], Floats]:
        """Return what returns the weight of each row in a replicate."""
        draw = self._rows() if self.clusters is None else self._clusters(self.clusters)
        return lambda replicate: draw(
            np.random.Generator(np.random.Philox(key=[self.seed, replicate]))
        )

    def _rows(self) -> Callable[[np.random.Generator], Floats]:
        n_rows, n_drawn, edges = self.n_rows, self._n_drawn, None
        dtype = np.int32 if n_rows < 2**31 else np.int64  # the same numbers, in less time
        if self.weights is not None:
            edges = np.cumsum(frequencies(self.weights))
            edges /= edges[-1]

        def draw(random: np.random.Generator) -> Floats:
            if edges is None:
                drawn = random.integers(0, n_rows, size=n_drawn, dtype=dtype)
            else:
                drawn = np.searchsorted(edges, random.random(n_drawn), side="right")
            return np.bincount(drawn, minlength=n_rows).astype(np.float64)

        return draw

    def _clusters(self, clusters: Codes) -> Callable[[np.random.Generator], Floats]:
        distinct, of_row = np.unique(clusters, return_inverse=True)
        weights = 1.0 if self.weights is None else self.weights

        def draw(random: np.random.Generator) -> Floats:
            drawn = random.integers(0, len(distinct), size=len(distinct))
            times = np.bincount(drawn, minlength=len(distinct))
            return np.asarray(times[of_row] * weights, dtype=np.float64)

        return draw


def intervals(
    statistic: Callable[[Floats], Floats], resampling: Resampling, level: float
) -> tuple[Floats, Floats] | None:
    """Return the ends of percentile intervals of statistics.

    Parameters
    ----------
    statistic : callable
        From the weight of each row to statistics; NaN where they have no value.
    resampling : Resampling
    level : float

    Returns
    -------
    tuple of ndarray of shape (n_statistics,), or None
        None where more than a tenth of the replicates have no value.
    """
    drawn = resampling.drawing()
    threads = min(os.cpu_count() or 1, _MOST_THREADS)
    replicates_of = map_in_order(lambda k: statistic(drawn(k)), resampling.n_replicates, threads)
    found = np.array(list(replicates_of))
    defined = ~np.isnan(found).any(axis=1)
    if defined.mean() < _DEFINED:
        return None
    low, high = np.quantile(found[defined], [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high


def mean_intervals(
    values: Floats,
    weights: Floats | None = None,
    *,
    clusters: Codes | None = None,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Return the ends of percentile intervals of means.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_means)
        One number per row for each mean.
    weights, clusters, seed
        As of `Resampling`.
    level : float

    Returns
    -------
    tuple of ndarray of shape (n_means,)
        Lower and upper ends.
    """
    found = intervals(
        lambda times: times @ values / times.sum(),
        Resampling(len(values), weights, clusters, seed),
        level,
    )
    if found is None:  # a value is infinite or NaN
        nothing = np.full(values.shape[1], np.nan)
        return nothing, nothing
    return found
