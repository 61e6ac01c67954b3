"""Bootstrap intervals of means over rows: log-loss, Brier score, accuracy, and differences of them.

Each replicate has a counter-based generator keyed by seed and replicate, so the intervals are the
same for any order or number of processes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.weighting import frequencies

Floats = NDArray[np.float64]

_MOST: Final = 1000
_LEAST: Final = 200
_DRAWS: Final = 20_000_000
"""About how many rows are drawn at most, beyond the least number of replicates."""


def replicates(n_rows: int) -> int:
    """Return how many replicates are drawn for so many rows: 1000, fewer for very many rows.

    >>> replicates(500), replicates(50_000)
    (1000, 400)
    """
    return int(np.clip(_DRAWS // max(1, n_rows), _LEAST, _MOST))


def mean_intervals(
    values: Floats,
    weights: Floats | None = None,
    *,
    seed: int = 0,
    level: float = 0.95,
) -> tuple[Floats, Floats]:
    """Return the ends of percentile intervals of means.

    Parameters
    ----------
    values : ndarray of shape (n_samples, n_means)
        One number per row for each mean.
    weights : ndarray of shape (n_samples,), optional
        A weight of k counts as k repetitions: so many rows are drawn, each by its weight. Of
        weights that are not whole, the effective number of rows is drawn.
    seed : int
    level : float

    Returns
    -------
    tuple of ndarray of shape (n_means,)
        Lower and upper ends.
    """
    n_rows = len(values)
    if weights is None:
        n_drawn, edges = n_rows, None
    else:
        edges = np.cumsum(frequencies(weights))
        n_drawn = max(1, round(float(edges[-1])))
        edges /= edges[-1]
    n_replicates = replicates(n_drawn)
    means = np.empty((n_replicates, values.shape[1]))
    for replicate in range(n_replicates):
        random = np.random.Generator(np.random.Philox(key=[seed, replicate]))
        if edges is None:
            drawn = random.integers(0, n_rows, size=n_drawn)
        else:
            drawn = np.searchsorted(edges, random.random(n_drawn), side="right")
        counts = np.bincount(drawn, minlength=n_rows)
        means[replicate] = counts @ values / n_drawn
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return low, high
