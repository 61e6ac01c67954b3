"""Comparison of two models on the same rows: paired tests and intervals of differences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chainrule.errors import DataError
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.metrics import predicted_codes
from chainrule.tables.model import TableModel
from chainrule.tables.validation.bootstrap import mean_intervals, replicates
from chainrule.tables.validation.delong import areas, normal_interval, two_sided
from chainrule.tables.validation.quality import LEVEL, Estimate, estimates, per_row
from chainrule.tables.validation.scored import ScoredRows, score_file
from chainrule.tables.weighting import frequencies


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test of two models' right and wrong rows.

    Attributes
    ----------
    first_alone, second_alone : float
        Weight of the rows that only the first, or only the second model gets right.
    p : float
        Two-sided, by the binomial distribution.
    """

    first_alone: float
    second_alone: float
    p: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two models on the same rows.

    Attributes
    ----------
    n_rows, n_left_out : int
        Rows that both predict, and others.
    first, second : mapping of str to Estimate
    differences : mapping of str to Estimate
        First minus second: 'log_loss', 'brier', 'accuracy' by paired bootstrap, 'auc' by DeLong.
    auc_p : float or None
        DeLong's paired test.
    mcnemar : McNemar
    level : float
    n_replicates : int
    """

    n_rows: int
    n_left_out: int
    first: Mapping[str, Estimate]
    second: Mapping[str, Estimate]
    differences: Mapping[str, Estimate]
    auc_p: float | None
    mcnemar: McNemar
    level: float
    n_replicates: int


def compare_models(
    first: TableModel,
    second: TableModel,
    path: str | Path,
    *,
    seed: int = 0,
    options: ReadOptions | None = None,
) -> Comparison:
    """Compare two models on a file that holds their target.

    Raises
    ------
    DataError
        When the models predict different targets or labels, or no row can be predicted by both.
    """
    if first.target != second.target:
        raise DataError(
            f"the models predict different targets, {first.target!r} and {second.target!r}. "
            "Compare models of the same target."
        )
    if set(first.classes) != set(second.classes):
        raise DataError(
            f"the models have different labels of {first.target!r}: {', '.join(first.classes)}, "
            f"and {', '.join(second.classes)}. Fit both on the same labels."
        )
    for role in ("weights", "trials"):
        if first.reading.roles.get(role) != second.reading.roles.get(role):
            raise DataError(f"one model has --{role} and the other has not, or another column.")
    one, two = (score_file(model, path, options=options) for model in (first, second))
    order = [second.classes.index(label) for label in first.classes]
    threshold = second.threshold
    if threshold is not None and order == [1, 0]:
        threshold = 1 - threshold  # of the other class
    usable = ~(np.isnan(one.proba[:, 0]) | np.isnan(two.proba[:, 0]))
    usable &= one.counted > 0
    if not usable.any():
        raise DataError(f"{path}: no row can be predicted by both models.")
    n_all, one = one.n_rows, one.take(usable)
    two = ScoredRows(one.codes, two.proba[usable][:, order], one.weights, None, one.numbers)
    return compare_rows(
        one, two, (first.threshold, threshold), n_left_out=n_all - one.n_rows, seed=seed
    )


def compare_rows(
    one: ScoredRows,
    two: ScoredRows,
    thresholds: tuple[float | None, float | None] = (None, None),
    *,
    n_left_out: int = 0,
    seed: int = 0,
) -> Comparison:
    """Compare the probabilities that two models give the same rows."""
    values = [
        per_row(scored.codes, scored.proba, at)
        for scored, at in zip((one, two), thresholds, strict=True)
    ]
    steps = np.stack([values[0][name] - values[1][name] for name in values[0]], axis=1)
    means = np.average(steps, axis=0, weights=one.weights)
    low, high = mean_intervals(steps, one.weights, seed=seed, level=LEVEL)
    differences = {
        name: Estimate(float(means[k]), float(low[k]), float(high[k]))
        for k, name in enumerate(values[0])
    }
    auc_p = None
    weights = one.counted
    if one.proba.shape[1] == 2 and all((weights[one.codes == k] > 0).any() for k in (0, 1)):
        scores = [one.proba[:, 1], two.proba[:, 1]]
        step, variance = areas(one.codes == 1, scores, one.weights).difference()
        differences["auc"] = Estimate(step, *normal_interval(step, variance, LEVEL, (-1.0, 1.0)))
        auc_p = two_sided(step, variance)
    right = [
        predicted_codes(scored.proba, at) == one.codes
        for scored, at in zip((one, two), thresholds, strict=True)
    ]
    times = frequencies(weights)
    alone = float(times @ (right[0] & ~right[1])), float(times @ (right[1] & ~right[0]))
    return Comparison(
        n_rows=one.n_rows,
        n_left_out=n_left_out,
        first=estimates(one, thresholds[0], seed),
        second=estimates(two, thresholds[1], seed),
        differences=differences,
        auc_p=auc_p,
        mcnemar=McNemar(*alone, mcnemar_p(*alone)),
        level=LEVEL,
        n_replicates=replicates(round(float(times.sum()))),
    )


def mcnemar_p(first_alone: float, second_alone: float) -> float:
    """Return the two-sided p-value of McNemar's exact test.

    >>> mcnemar_p(1, 5)
    0.21875
    """
    n = round(first_alone + second_alone)
    if n == 0:
        return 1.0
    from scipy.stats import binomtest  # its import takes longer than a comparison

    return float(binomtest(round(first_alone), n, 0.5).pvalue)
