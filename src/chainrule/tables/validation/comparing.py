"""Comparison of two models on the same rows: paired tests and intervals of differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import special

from chainrule.errors import DataError
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.fingerprint import Overlap
from chainrule.tables.metrics import predicted_codes
from chainrule.tables.model import TableModel
from chainrule.tables.validation.bootstrap import mean_intervals, replicates
from chainrule.tables.validation.class_areas import ClassAreas
from chainrule.tables.validation.delong import areas, normal_interval, two_sided
from chainrule.tables.validation.quality import (
    LEVEL,
    Estimate,
    bootstrapped,
    estimates,
    every_class_occurs,
    has_bootstrap,
    per_row,
)
from chainrule.tables.validation.scored import ScoredRows, score_file
from chainrule.tables.weighting import frequencies

Floats = NDArray[np.float64]

_ALL: Final = 0.995


@dataclass(frozen=True)
class McNemar:
    """McNemar's exact test of two models' right and wrong rows.

    Attributes
    ----------
    first_alone, second_alone : float
        Weight of the rows that only the first, or only the second model gets right.
    p : float
        Two-sided: by the binomial distribution; where rows come in clusters by the normal one, from
        the differences of the clusters.
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
    cluster_column : str
        The column whose rows of one value depend on each other, or ''.
    n_clusters : int
    notes : tuple of str
        Notes for the user.
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
    cluster_column: str = ""
    n_clusters: int = 0
    notes: tuple[str, ...] = ()


def compare_models(
    first: TableModel,
    second: TableModel,
    path: str | Path,
    *,
    clusters: str | None = None,
    seed: int = 0,
    options: ReadOptions | None = None,
) -> Comparison:
    """Compare two models on a file that holds their target.

    Parameters
    ----------
    first, second : TableModel
    path : str or Path
    clusters : str, optional
        Column whose rows of one value depend on each other; by default that of the first fit that
        had one, if the file has it.
    seed : int
    options : ReadOptions, optional

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
    (one, share_of_one), (two, share_of_two) = (
        _scored(model, path, clusters, options) for model in (first, second)
    )
    related = two.clusters if one.clusters is None else one.clusters
    order = [second.classes.index(label) for label in first.classes]
    threshold = second.threshold
    if threshold is not None and order == [1, 0]:
        threshold = 1 - threshold  # of the other class
    usable = ~(np.isnan(one.proba[:, 0]) | np.isnan(two.proba[:, 0]))
    usable &= one.counted > 0
    if not usable.any():
        raise DataError(f"{path}: no row can be predicted by both models.")
    n_all, one = one.n_rows, replace(one, clusters=related).take(usable)
    two = replace(one, proba=two.proba[usable][:, order])
    found = compare_rows(
        one, two, (first.threshold, threshold), n_left_out=n_all - one.n_rows, seed=seed
    )
    return replace(found, notes=tuple(in_sample_notes(path, share_of_one, share_of_two)))


def _scored(
    model: TableModel, path: str | Path, clusters: str | None, options: ReadOptions | None
) -> tuple[ScoredRows, float | None]:
    """Return the rows of a file, and the share of them that the model was fitted to, if known."""
    if model.trained_on is None:
        return score_file(model, path, clusters=clusters, options=options), None
    overlap = Overlap(model.trained_on.fingerprint, model.input_columns)
    scored = score_file(model, path, clusters=clusters, options=options, each=overlap.add)
    return scored, overlap.share


def in_sample_notes(path: str | Path, first: float | None, second: float | None) -> Iterator[str]:
    """Yield a note where rows that models are compared on are those of their fits.

    Parameters
    ----------
    path : str or Path
    first, second : float or None
        The share of the rows that each model was fitted to; None where there are none.
    """
    named = {"the first model": first, "the second model": second}
    shares = {name: share for name, share in named.items() if share is not None}
    if not shares:
        return
    said = [f"{name} was fitted to {_share(share)}" for name, share in shares.items()]
    yield (
        f"{' and '.join(said)} of the rows of {Path(path).name}: figures on rows of the fit are "
        "in-sample and optimistic. Compare on rows that neither model was fitted to."
    )


def _share(share: float) -> str:
    return "all" if share > _ALL else f"about {share:.0%}"


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
    clusters = one.cluster_codes
    low, high = mean_intervals(steps, one.weights, clusters=clusters, seed=seed, level=LEVEL)
    differences = {
        name: Estimate(float(means[k]), float(low[k]), float(high[k]))
        if clusters is None or has_bootstrap(one)
        else Estimate(float(means[k]))
        for k, name in enumerate(values[0])
    }
    auc_p = None
    weights = one.counted
    if every_class_occurs(one) and one.proba.shape[1] > 2:
        ranked = [ClassAreas(scored.codes, scored.proba) for scored in (one, two)]
        differences["auc"] = bootstrapped(
            lambda times: ranked[0].mean_area(times) - ranked[1].mean_area(times), one, seed
        )
    elif every_class_occurs(one):
        scores = [one.proba[:, 1], two.proba[:, 1]]
        step, variance = areas(one.codes == 1, scores, one.weights, clusters).difference()
        differences["auc"] = Estimate(step, *normal_interval(step, variance, LEVEL, (-1.0, 1.0)))
        auc_p = two_sided(step, variance)
    right = [
        predicted_codes(scored.proba, at) == one.codes
        for scored, at in zip((one, two), thresholds, strict=True)
    ]
    times = frequencies(weights)
    alone = float(times @ (right[0] & ~right[1])), float(times @ (right[1] & ~right[0]))
    if clusters is None:
        p = mcnemar_p(*alone)
    else:
        p = clustered_mcnemar_p(times * (right[0].astype(np.float64) - right[1]), clusters)
    return Comparison(
        n_rows=one.n_rows,
        n_left_out=n_left_out,
        first=estimates(one, thresholds[0], seed),
        second=estimates(two, thresholds[1], seed),
        differences=differences,
        auc_p=auc_p,
        mcnemar=McNemar(*alone, p),
        level=LEVEL,
        n_replicates=replicates(round(float(times.sum()))),
        cluster_column="" if one.clusters is None else one.clusters.name,
        n_clusters=one.n_clusters,
    )


def clustered_mcnemar_p(steps: Floats, clusters: NDArray[np.int64]) -> float:
    """Return the two-sided p-value of McNemar's test of rows in clusters.

    The sum of the steps over its standard deviation, were the sign of each cluster's sum random,
    is compared with the normal distribution (Yang, Sun and Hardin 2010).

    Parameters
    ----------
    steps : ndarray of shape (n_samples,)
        1 where only the first model is right, -1 where only the second is, else 0.
    clusters : ndarray of int, shape (n_samples,)
    """
    sums = np.bincount(np.unique(clusters, return_inverse=True)[1], steps)
    size = float(np.sqrt(sums @ sums))
    return 1.0 if size == 0 else float(2 * special.ndtr(-abs(float(sums.sum())) / size))


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
