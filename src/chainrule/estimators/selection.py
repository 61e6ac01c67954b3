"""Choice of a point of a grid by the scores of its folds: the best mean, or one standard error off.

NumPy alone: the estimators and the command line choose by the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.errors import DataError

Rule = Literal["best", "min", "1se"]
RULES: Final[tuple[str, ...]] = get_args(Rule)


@dataclass(frozen=True)
class Selection:
    """Scores of folds over a grid of penalties, and the points that the rules choose.

    Attributes
    ----------
    scores : ndarray of shape (n_folds, n_l1_ratios, n_strengths)
        Higher is better.
    weights : ndarray of shape (n_folds,)
        Total weight of the held-out rows of each fold.
    order : ndarray of int, shape (n_strengths,)
        The places of the strengths, from the strongest penalty to the weakest.
    n_mixtures : int
        How many rows of the grid share an ``l1_ratio``: mixtures with refits, side by side, those
        with the most of the penalised fit first.

    Notes
    -----
    'best' is scikit-learn's rule: the highest sum of the scores, folds counting alike; on a tie the
    first point of the grid. 'min' and '1se' are those of R's glmnet (``lambda.min``,
    ``lambda.1se``): folds count by their weight, and a tie goes to the stronger penalty. '1se' is
    the strongest penalty whose mean is within one standard error of the best mean, at the best
    ``l1_ratio``. Among mixtures at one strength, a tie goes to the most of the penalised fit. A
    score of -inf excludes a point.
    """

    scores: FloatArray
    weights: FloatArray
    order: IntArray
    n_mixtures: int = 1

    def __post_init__(self) -> None:
        """Refuse scores that cannot be compared."""
        excluded = np.isneginf(self.scores).all(axis=0)
        bad = np.argwhere(~np.isfinite(self.scores) & ~excluded)
        if excluded.all():
            raise DataError(
                "no refit of chosen columns is finite in all folds, so no penalty can be chosen: "
                "have 1.0 among the gammas of relax, or omit relax"
            )
        if len(bad):
            fold, _, point = (int(place) for place in bad[0])
            found = self.scores[tuple(bad[0])]
            raise DataError(
                f"the score of fold {fold} is {found} at point {point} of the grid, so no "
                "penalty can be chosen. Use fewer folds, or another scoring."
            )

    @property
    def mean(self) -> FloatArray:
        """Mean of the folds by their weight, shape (n_l1_ratios, n_strengths)."""
        return np.asarray(np.average(self.scores, axis=0, weights=self.weights))

    @property
    def std_error(self) -> FloatArray:
        """Standard error of `mean`, as glmnet's ``cvsd``; NaN for a single fold."""
        n_folds = len(self.scores)
        if n_folds < 2:
            return np.full(self.scores.shape[1:], np.nan)
        with np.errstate(invalid="ignore"):  # NaN where a point is excluded
            squares = (self.scores - self.mean) ** 2
        return np.sqrt(np.average(squares, axis=0, weights=self.weights) / (n_folds - 1))

    def index(self, rule: str) -> tuple[int, int]:
        """Return the places of l1_ratio and strength that a rule chooses."""
        if rule == "best":
            sums = self.scores.sum(axis=0).T  # scikit-learn's order: the strength first
            strength, ratio = divmod(int(np.argmax(sums)), sums.shape[1])
            return int(ratio), int(strength)
        means = self.mean[:, self.order]
        first = int(np.argmax(means)) // (means.shape[1] * self.n_mixtures) * self.n_mixtures
        # of one l1_ratio: by strength, and then by mixture
        rows = slice(first, first + self.n_mixtures)
        of_ratio = means[rows].T.ravel()
        best = int(np.argmax(of_ratio))
        if rule == "1se":
            if len(self.scores) < 2:
                raise DataError("rule='1se' needs at least two folds, and there is one")
            std_error = self.std_error[rows][:, self.order].T.ravel()[best]
            best = int(np.flatnonzero(of_ratio >= of_ratio[best] - std_error)[0])
        place, mixture = divmod(best, self.n_mixtures)
        return first + mixture, int(self.order[place])


def check_rule(rule: object) -> None:
    """Raise ValueError if this is not the name of a rule."""
    if rule not in RULES:
        raise ValueError(f"rule must be one of {', '.join(RULES)}, not {rule!r}")
