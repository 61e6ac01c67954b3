"""Validation of a model of classes: metrics with intervals, thresholds, calibration, gain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from chainrule.tables.validation.bootstrap import mean_intervals, replicates
from chainrule.tables.validation.delong import areas
from chainrule.tables.validation.scored import ScoredRows
from chainrule.tables.validation.thresholds import Costs, ThresholdRow, threshold_rows
from chainrule.tables.weighting import frequencies

Floats = NDArray[np.float64]

LEVEL = 0.95

_FEWEST: Final = 10
"""Rows below which means have no interval: a bootstrap of fewer is far too narrow."""


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
        By 'log_loss', 'brier', 'accuracy', 'auc' (two classes, both present; by DeLong).
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
            "calibration": calibration_bins(positive, score, frequencies(weights), level=LEVEL),
        }
    return Validation(
        rows=rows,
        n_rows=scored.n_rows,
        level=LEVEL,
        n_replicates=replicates(round(float(frequencies(weights).sum()))),
        estimates=estimates(scored, threshold, seed),
        by="" if scored.groups is None else scored.groups.name,
        groups=tuple(_groups(scored, threshold, seed)),
        threshold=threshold,
        threshold_rows=chosen_on,
        **curves,  # type: ignore[arg-type]
    )


def estimates(scored: ScoredRows, threshold: float | None, seed: int) -> dict[str, Estimate]:
    """Return the metrics of rows with their intervals."""
    values = per_row(scored.codes, scored.proba, threshold)
    columns = np.stack(list(values.values()), axis=1)
    means = np.average(columns, axis=0, weights=scored.weights)
    low, high = mean_intervals(columns, scored.weights, seed=seed, level=LEVEL)
    weights = scored.counted
    n_rows = float(frequencies(weights).sum())
    found = {
        name: Estimate(float(means[k]), float(low[k]), float(high[k]))
        if n_rows >= _FEWEST
        else Estimate(float(means[k]))
        for k, name in enumerate(values)
    }
    right = found["accuracy"].value
    found["accuracy"] = Estimate(right, *wilson(right * n_rows, n_rows, LEVEL))
    if scored.proba.shape[1] == 2 and all((weights[scored.codes == k] > 0).any() for k in (0, 1)):
        area = areas(scored.codes == 1, [scored.proba[:, 1]], scored.weights)
        found["auc"] = Estimate(float(area.auc[0]), *area.interval(0, LEVEL))
    return found


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
