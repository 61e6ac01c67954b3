"""Metrics against sklearn.metrics."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as oracle
from sklearn.calibration import calibration_curve as oracle_calibration

from chainrule.tables.metrics import calibration_curve, measure
from chainrule.tables.splitting import hold_out

CLASSES = ("no", "yes")


def example(n_rows: int, n_classes: int, seed: int, ties: bool) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    actual = np.append(np.arange(n_classes), random.integers(0, n_classes, n_rows - n_classes))
    scores = random.normal(size=(n_rows, n_classes)) + 1.5 * np.eye(n_classes)[actual]
    proba = np.exp(scores)
    if ties:
        # Eighths are exact: near-ties are another matter.
        proba = np.full((n_rows, 2), 0.5)
        proba[:, 1] = np.clip(np.round(4 + 2 * scores[:, 1]), 1, 7) / 8
        proba[:, 0] = 1 - proba[:, 1]
    return actual, proba / proba.sum(axis=1, keepdims=True)


@given(n_rows=st.integers(2, 60), seed=st.integers(0, 10_000), ties=st.booleans())
def test_two_classes(n_rows: int, seed: int, ties: bool) -> None:
    actual, proba = example(n_rows, 2, seed, ties)
    found = measure(actual, proba, CLASSES)
    p = proba[:, 1]
    assert found.log_loss == pytest.approx(oracle.log_loss(actual, proba), rel=1e-12)
    assert found.accuracy == oracle.accuracy_score(actual, proba.argmax(axis=1))
    assert found.brier == pytest.approx(oracle.brier_score_loss(actual, p), rel=1e-12)
    assert found.auc == pytest.approx(oracle.roc_auc_score(actual, p), rel=1e-12)
    assert found.average_precision == pytest.approx(
        oracle.average_precision_score(actual, p), rel=1e-12
    )
    np.testing.assert_array_equal(
        found.confusion, oracle.confusion_matrix(actual, proba.argmax(axis=1))
    )
    assert found.roc is not None
    x, y, _ = oracle.roc_curve(actual, p, drop_intermediate=False)
    np.testing.assert_allclose(found.roc.x, x)
    np.testing.assert_allclose(found.roc.y, y)
    assert found.precision_recall is not None
    precision, recall, _ = oracle.precision_recall_curve(actual, p)
    np.testing.assert_allclose(found.precision_recall.y, precision[::-1])
    np.testing.assert_allclose(found.precision_recall.x, recall[::-1])


@given(seed=st.integers(0, 10_000))
def test_three_classes(seed: int) -> None:
    actual, proba = example(40, 3, seed, ties=False)
    found = measure(actual, proba, ("a", "b", "c"))
    assert found.log_loss == pytest.approx(oracle.log_loss(actual, proba), rel=1e-12)
    assert found.auc == pytest.approx(
        oracle.roc_auc_score(actual, proba, multi_class="ovr"), rel=1e-12
    )
    assert found.brier == pytest.approx(
        np.mean([np.sum((row - np.eye(3)[k]) ** 2) for row, k in zip(proba, actual, strict=True)])
    )
    assert found.roc is None
    assert found.calibration is None


def test_calibration() -> None:
    actual, proba = example(500, 2, 3, ties=False)
    curve = calibration_curve(actual == 1, proba[:, 1])
    happened, predicted = oracle_calibration(actual, proba[:, 1], n_bins=10)
    np.testing.assert_allclose(curve.x, predicted)
    np.testing.assert_allclose(curve.y, happened)
    assert curve.weight is not None
    assert curve.weight.sum() == 500


def test_the_shares_alone_lose_their_entropy() -> None:
    actual, proba = np.array([0, 0, 0, 1]), np.full((4, 2), 0.5)
    found = measure(actual, proba, CLASSES)
    assert found.log_loss_of_shares == pytest.approx(
        oracle.log_loss(actual, np.tile([0.75, 0.25], (4, 1)))
    )


def test_a_class_that_does_not_occur_has_no_area() -> None:
    found = measure(np.array([1, 1]), np.array([[0.2, 0.8], [0.6, 0.4]]), CLASSES)
    assert found.auc is None
    assert found.roc is None
    assert found.accuracy == 0.5


def test_a_probability_of_zero_stays_finite() -> None:
    found = measure(np.array([0, 1]), np.array([[0.0, 1.0], [0.5, 0.5]]), CLASSES)
    assert np.isfinite(found.log_loss)
    assert found.log_loss > 300


@given(
    counts=st.lists(st.integers(1, 40), min_size=2, max_size=4),
    share=st.floats(0, 0.99),
    seed=st.integers(0, 100),
)
def test_the_split_is_seeded_stratified_and_complete(
    counts: list[int], share: float, seed: int
) -> None:
    actual = np.random.default_rng(1).permutation(np.repeat(np.arange(len(counts)), counts))
    training, held = hold_out(actual, share, seed)
    np.testing.assert_array_equal(np.sort(np.append(training, held)), np.arange(len(actual)))
    again, _ = hold_out(actual, share, seed)
    np.testing.assert_array_equal(training, again)
    for label, count in enumerate(counts):
        n_held = int((actual[held] == label).sum())
        assert n_held == min(round(share * count), count - 1)
