"""Validation of a model of classes: metrics with intervals, thresholds, calibration, gain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.metrics import Codes, predicted_codes
from chainrule.tables.validation.bins import (
    CalibrationBin,
    GainRow,
    calibration_bins,
    gain_rows,
    wilson,
)
from chainrule.tables.validation.bootstrap import Resampling, intervals, mean_intervals
from chainrule.tables.validation.class_areas import ClassAreas
from chainrule.tables.validation.delong import areas
from chainrule.tables.validation.scored import ScoredRows
from chainrule.tables.validation.thresholds import Costs, ThresholdRow, threshold_rows
from chainrule.tables.weighting import frequencies

Floats = NDArray[np.float64]

LEVEL = 0.95

_FEWEST: Final = 10
"""Rows, or clusters, below which there is no bootstrap: of fewer it is far too narrow."""


@dataclass(frozen=True)
class Estimate:
    """A metric with its interval; None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class GroupQuality:
    """The quality on the rows of one value of a column.

    Attributes
    ----------
    value : str
        The value; empty where it is missing.
    n_rows : int
    shares : tuple of float
        The share of each class.
    estimates : mapping of str to Estimate
        Without 'auc' where a class has no row.
    """

    value: str
    n_rows: int
    shares: tuple[float, ...]
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, eq=False)
class Validation:
    """Quality of a model on the rows it was measured on.

    Attributes
    ----------
    rows : str
        Which rows these are.
    n_rows : int
    level : float
        Of the intervals.
    n_replicates : int
        Bootstrap replicates behind the intervals of log-loss and Brier score.
    estimates : mapping of str to Estimate
        By 'log_loss', 'brier', 'accuracy', 'auc' (where all classes are present: of two by DeLong,
        of more the mean of one against the rest, by bootstrap).
    cluster_column : str
        The column whose rows of one value depend on each other, or ''.
    n_clusters : int
        How many such clusters there are; 0 where each row stands for itself.
    by : str
        The column of the groups, or ''.
    groups : tuple of GroupQuality
    threshold : float or None
        Chosen, and stored with the model.
    threshold_rows : str
        The rows that it was chosen on, or ''.
    thresholds : tuple of ThresholdRow
    gains : tuple of GainRow
    calibration : tuple of CalibrationBin
        The last three for two classes.
    """

    rows: str
    n_rows: int
    level: float
    n_replicates: int
    estimates: Mapping[str, Estimate]
    by: str = ""
    groups: tuple[GroupQuality, ...] = ()
    threshold: float | None = None
    threshold_rows: str = ""
    thresholds: tuple[ThresholdRow, ...] = ()
    gains: tuple[GainRow, ...] = ()
    calibration: tuple[CalibrationBin, ...] = ()
    cluster_column: str = ""
    n_clusters: int = 0


def validate(
    scored: ScoredRows,
    rows: str,
    *,
    threshold: float | None = None,
    chosen_on: str = "",
    costs: Costs | None = None,
    seed: int = 0,
) -> Validation:
    """Measure a model on rows.

    Parameters
    ----------
    scored : ScoredRows
        Usable ones.
    rows : str
        Which rows these are, in words.
    threshold : float, optional
        Of the probability of the second of two classes; by default 1/2.
    chosen_on : str
        Which rows it was chosen on.
    costs : Costs, optional
    seed : int
        Of the bootstrap.
    """
    weights = scored.counted
    two = scored.proba.shape[1] == 2
    both = two and all((weights[scored.codes == k] > 0).any() for k in (0, 1))
    curves = {}
    if both:
        positive, score = scored.codes == 1, scored.proba[:, 1]
        curves = {
            "thresholds": threshold_rows(threshold, positive, score, weights, costs or Costs()),
            "gains": gain_rows(positive, score, weights),
            "calibration": calibration_bins(
                positive, score, frequencies(weights), level=LEVEL, clusters=scored.cluster_codes
            ),
        }
    return Validation(
        rows=rows,
        n_rows=scored.n_rows,
        level=LEVEL,
        n_replicates=_resampling(scored, seed).n_replicates,
        estimates=estimates(scored, threshold, seed),
        by="" if scored.groups is None else scored.groups.name,
        groups=tuple(_groups(scored, threshold, seed)),
        threshold=threshold,
        threshold_rows=chosen_on,
        cluster_column="" if scored.clusters is None else scored.clusters.name,
        n_clusters=scored.n_clusters,
        **curves,  # type: ignore[arg-type]
    )


def estimates(scored: ScoredRows, threshold: float | None, seed: int) -> dict[str, Estimate]:
    """Return the metrics of rows with their intervals."""
    values = per_row(scored.codes, scored.proba, threshold)
    columns = np.stack(list(values.values()), axis=1)
    means = np.average(columns, axis=0, weights=scored.weights)
    weights, clusters = scored.counted, scored.cluster_codes
    low, high = mean_intervals(columns, scored.weights, clusters=clusters, seed=seed, level=LEVEL)
    n_rows = float(frequencies(weights).sum())
    found = {
        name: Estimate(float(means[k]), float(low[k]), float(high[k]))
        if has_bootstrap(scored)
        else Estimate(float(means[k]))
        for k, name in enumerate(values)
    }
    right = found["accuracy"].value
    if clusters is None:
        found["accuracy"] = Estimate(right, *wilson(right * n_rows, n_rows, LEVEL))
    if not every_class_occurs(scored):
        return found
    if scored.proba.shape[1] == 2:
        area = areas(scored.codes == 1, [scored.proba[:, 1]], scored.weights, clusters)
        found["auc"] = Estimate(float(area.auc[0]), *area.interval(0, LEVEL))
    else:
        ranked = ClassAreas(scored.codes, scored.proba)
        found["auc"] = bootstrapped(ranked.mean_area, scored, seed)
    return found


def bootstrapped(statistic: Callable[[Floats], float], scored: ScoredRows, seed: int) -> Estimate:
    """Return a statistic of weighted rows with its bootstrap interval, where it has one."""
    value = statistic(scored.counted)
    if not has_bootstrap(scored):
        return Estimate(value)
    ends = intervals(lambda w: np.array([statistic(w)]), _resampling(scored, seed), LEVEL)
    return (
        Estimate(value) if ends is None else Estimate(value, float(ends[0][0]), float(ends[1][0]))
    )


def has_bootstrap(scored: ScoredRows) -> bool:
    """Whether there are rows enough, or clusters, for intervals by the bootstrap."""
    if scored.clusters is not None:
        return scored.n_clusters >= _FEWEST
    return float(frequencies(scored.counted).sum()) >= _FEWEST


def every_class_occurs(scored: ScoredRows) -> bool:
    """Whether each class has a row that counts."""
    n_classes = scored.proba.shape[1]
    return bool((np.bincount(scored.codes, scored.counted, minlength=n_classes) > 0).all())


def _resampling(scored: ScoredRows, seed: int) -> Resampling:
    return Resampling(len(scored.codes), scored.weights, scored.cluster_codes, seed)


def per_row(codes: Codes, proba: Floats, threshold: float | None) -> dict[str, Floats]:
    """Return what each row adds to the means: log-loss, Brier score, accuracy."""
    happened = np.maximum(proba[np.arange(len(codes)), codes], np.finfo(np.float64).tiny)
    squares = ((proba - np.eye(proba.shape[1])[codes]) ** 2).sum(axis=1)
    return {
        "log_loss": -np.log(happened),
        "brier": squares / 2 if proba.shape[1] == 2 else squares,
        "accuracy": (predicted_codes(proba, threshold) == codes).astype(np.float64),
    }


def _groups(scored: ScoredRows, threshold: float | None, seed: int) -> Iterator[GroupQuality]:
    if scored.groups is None:
        return
    words = [word for word, n in zip(scored.groups.words, scored.groups.counts(), strict=True) if n]
    order = {word: place for place, word in enumerate(scored.groups.words)}
    for word in [*sorted(words), ""]:
        rows = scored.groups.codes == order.get(word, -1)
        rows &= scored.counted > 0
        if not rows.any() or (word == "" and "" in order):
            continue
        part = scored.take(rows)
        n_classes = part.proba.shape[1]
        shares = np.bincount(part.codes, part.counted, minlength=n_classes) / part.counted.sum()
        yield GroupQuality(
            word, part.n_rows, tuple(shares.tolist()), estimates(part, threshold, seed)
        )
