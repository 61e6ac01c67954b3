"""The area under the ROC curve of several classes: the mean of each class against the rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.metrics import Codes

Floats = NDArray[np.float64]


class ClassAreas:
    """Ranks of the probabilities of each class, from which areas follow for any weights of rows.

    Parameters
    ----------
    codes : ndarray of int, shape (n_samples,)
        The class of each row.
    proba : ndarray of shape (n_samples, n_classes)
    """

    def __init__(self, codes: Codes, proba: Floats) -> None:
        self._codes = codes
        self._ranks = [np.unique(column, return_inverse=True)[1] for column in proba.T]

    def mean_area(self, weights: Floats) -> float:
        """Return the mean area, equal probabilities counted half; NaN where a class has no row."""
        areas = []
        for k, ranks in enumerate(self._ranks):
            positive = self._codes == k
            hits = np.bincount(ranks, weights * positive)
            others = np.bincount(ranks, weights * ~positive)
            pairs = hits.sum() * others.sum()
            if not pairs > 0:
                return float("nan")
            below = np.cumsum(others) - others / 2
            areas.append(float(hits @ below / pairs))
        return float(np.mean(areas))
