"""Intervals where rows come in clusters, and areas of several classes, against references."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from chainrule.tables.table import TextColumn
from chainrule.tables.validation.bins import calibration_bins, effective_rows
from chainrule.tables.validation.bootstrap import mean_intervals
from chainrule.tables.validation.class_areas import ClassAreas
from chainrule.tables.validation.comparing import clustered_mcnemar_p, compare_rows
from chainrule.tables.validation.delong import areas
from chainrule.tables.validation.quality import validate
from chainrule.tables.validation.scored import ScoredRows

Array = np.ndarray[Any, np.dtype[Any]]


def clustered(seed: int, n_clusters: int, n_classes: int = 2) -> tuple[ScoredRows, ScoredRows]:
    """Return rows of clusters of different sizes as two models score them."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 9, size=n_clusters)
    codes = np.repeat(np.arange(n_clusters), sizes)
    shared = rng.normal(size=(n_clusters, n_classes))[codes]
    truth = (shared + rng.gumbel(size=(len(codes), n_classes))).argmax(axis=1)
    column = TextColumn("clinic", codes, tuple(f"c{k}" for k in range(n_clusters)))
    found = []
    for noise in (0.5, 1.5):
        z = shared + noise * rng.normal(size=shared.shape)
        proba = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        found.append(ScoredRows(truth, proba, None, None, np.arange(len(codes)), column))
    return found[0], found[1]


def obuchowski(positive: Array, scores: list[Array], clusters: Array) -> Any:
    """Return areas and their covariance by the formulas of the paper, at 50 digits."""
    with mpmath.workdps(50):
        pos, neg = (np.flatnonzero(rows).tolist() for rows in (positive, ~positive))
        m, n = len(pos), len(neg)
        placed: list[dict[int, Any]] = []
        for score in scores:
            psi = {
                (i, j): mpmath.mpf(int(score[i] > score[j]) + int(score[i] >= score[j])) / 2
                for i in pos
                for j in neg
            }
            of_pos = {i: mpmath.fsum(psi[i, j] for j in neg) / n for i in pos}
            placed.append(of_pos | {j: mpmath.fsum(psi[i, j] for i in pos) / m for j in neg})
        theta = [mpmath.fsum(values[i] for i in pos) / m for values in placed]
        names = np.unique(clusters)

        def sums(k: int, rows: list[int]) -> list[Any]:
            return [
                mpmath.fsum(placed[k][i] - theta[k] for i in rows if clusters[i] == c)
                for c in names
            ]

        found = mpmath.matrix(len(scores), len(scores))
        i10, i01, both = len(set(clusters[pos])), len(set(clusters[neg])), len(names)
        for a in range(len(scores)):
            for b in range(len(scores)):
                x, y = sums(a, pos), sums(a, neg)
                u, v = sums(b, pos), sums(b, neg)
                s10 = mpmath.fdot(x, u) * i10 / ((i10 - 1) * mpmath.mpf(m))
                s01 = mpmath.fdot(y, v) * i01 / ((i01 - 1) * mpmath.mpf(n))
                s11 = (mpmath.fdot(x, v) + mpmath.fdot(y, u)) * both / mpmath.mpf(both - 1)
                found[a, b] = s10 / m + s01 / n + s11 / (m * n)
        return theta, found


def test_covariance_of_areas_is_obuchowskis_at_50_digits() -> None:
    one, two = clustered(1, 14)
    positive, codes = one.codes == 1, one.clusters.codes  # type: ignore[union-attr]
    scores = [np.round(rows.proba[:, 1], 1) for rows in (one, two)]
    theta, covariance = obuchowski(positive, scores, codes)
    found = areas(positive, scores, None, codes)
    np.testing.assert_allclose(found.auc, [float(t) for t in theta], rtol=1e-13)
    expected = [[float(covariance[a, b]) for b in (0, 1)] for a in (0, 1)]
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-12)


def test_clusters_of_one_row_are_delong_and_copies_add_nothing() -> None:
    one, two = clustered(2, 30)
    positive = one.codes == 1
    scores = [one.proba[:, 1], two.proba[:, 1]]
    plain = areas(positive, scores)
    single = np.arange(len(positive))
    np.testing.assert_allclose(
        areas(positive, scores, None, single).covariance, plain.covariance, rtol=1e-12
    )
    copied = areas(np.tile(positive, 5), [np.tile(s, 5) for s in scores], None, np.tile(single, 5))
    np.testing.assert_allclose(copied.covariance, plain.covariance, rtol=1e-12)
    lost = areas(positive, scores, None, np.where(positive, 0, single))
    assert np.isnan(lost.covariance).all()


def test_means_of_copied_rows_have_the_intervals_of_the_rows() -> None:
    values = np.random.default_rng(0).normal(size=(60, 2))
    low, high = mean_intervals(values, seed=3)
    copied = np.repeat(values, 8, axis=0)
    clusters = np.repeat(np.arange(60), 8)
    ends = mean_intervals(copied, clusters=clusters, seed=3)
    np.testing.assert_allclose(ends, (low, high), rtol=1e-12)
    naive = mean_intervals(copied, seed=3)
    assert (naive[1] - naive[0] < 0.5 * (high - low)).all()
    doubled = mean_intervals(copied, np.full(480, 2.0), clusters=clusters, seed=3)
    np.testing.assert_allclose(doubled, (low, high), rtol=1e-12)


@pytest.mark.slow
def test_spread_of_all_metrics_is_that_of_new_clusters() -> None:
    """The width of the intervals follows the spread over fresh samples of clusters."""
    found = [validate(clustered(seed, 60)[0], "rows").estimates for seed in range(40)]
    for name in ("log_loss", "accuracy", "auc"):
        values = [estimates[name].value for estimates in found]
        widths = [(e[name].high or 0) - (e[name].low or 0) for e in found]
        assert np.mean(widths) == pytest.approx(2 * 1.96 * np.std(values, ddof=1), rel=0.35)
        inside = [(e[name].low or 0) <= np.mean(values) <= (e[name].high or 0) for e in found]
        assert np.mean(inside) >= 0.85


def test_few_clusters_have_no_bootstrap_interval() -> None:
    found = validate(clustered(3, 8)[0], "rows")
    assert (found.cluster_column, found.n_clusters) == ("clinic", 8)
    assert found.estimates["log_loss"].low is None
    assert found.estimates["accuracy"].low is None
    assert found.estimates["auc"].low is not None


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [3, 5])
def test_area_of_several_classes_is_that_of_scikit_learn(n_classes: int) -> None:
    one, two = clustered(4, 40, n_classes)
    weights = np.asarray(np.random.default_rng(1).integers(0, 4, len(one.codes)), dtype=float)
    ranked = ClassAreas(one.codes, np.round(one.proba, 1))
    rounded = np.round(one.proba, 1)
    expected = np.mean(
        [
            roc_auc_score(one.codes == k, rounded[:, k], sample_weight=weights)
            for k in range(n_classes)
        ]
    )
    assert ranked.mean_area(weights) == pytest.approx(expected, rel=1e-12)
    assert np.isnan(ranked.mean_area(np.where(one.codes == 1, 0.0, 1.0)))
    estimate = validate(one, "rows").estimates["auc"]
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low < estimate.value < estimate.high
    found = compare_rows(one, two)
    step = found.first["auc"].value - found.second["auc"].value
    assert found.differences["auc"].value == pytest.approx(step)
    assert found.auc_p is None


def test_mcnemar_of_clusters_takes_copies_for_one() -> None:
    steps = np.array([1.0, 1, 1, 1, -1, 0, 1, 1, -1, 1])
    alone = np.arange(10)
    once = clustered_mcnemar_p(steps, alone)
    assert once == pytest.approx(2 * stats.norm.sf(5 / 3))
    assert clustered_mcnemar_p(np.tile(steps, 6), np.tile(alone, 6)) == pytest.approx(once)
    assert clustered_mcnemar_p(np.zeros(4), np.arange(4)) == 1.0
    one, two = clustered(5, 30)
    assert compare_rows(one, two).mcnemar.p > 0


def test_calibration_bins_of_copies_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(6)
    score = np.repeat([0.2, 0.7], 50)
    positive = rng.random(100) < score
    plain = calibration_bins(positive, score, np.ones(100), n_bins=2)
    copied = calibration_bins(
        np.tile(positive, 4),
        np.tile(score, 4),
        np.ones(400),
        n_bins=2,
        clusters=np.arange(400) % 100,
    )
    for a, b in zip(plain, copied, strict=True):
        # 49/50: the variance of 50 clusters is estimated with n - 1
        assert b.high - b.low == pytest.approx(a.high - a.low, rel=0.02)
    assert effective_rows(np.ones(6, dtype=bool), np.ones(6), np.array([0, 0, 0, 1, 1, 1])) == 2
