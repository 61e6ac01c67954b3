"""Labels and weights are looked at a few rows at a time, with the answers of the whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression
from chainrule.estimators import inputs, labels

pd = pytest.importorskip("pandas")
RNG = np.random.default_rng(3)
KINDS: dict[str, Any] = {
    "two integers": RNG.integers(0, 2, 500) * 7 - 3,
    "many integers": RNG.integers(0, 300, 500),
    "floats": RNG.integers(0, 4, 500) * 2.0,
    "words": np.array(["b", "a", "long word"])[RNG.integers(0, 3, 500)],
    "objects": np.array(["b", "a"], dtype=object)[RNG.integers(0, 2, 500)],
    "booleans": RNG.random(500) < 0.5,
    "bytes from end to end": RNG.integers(-128, 128, 500).astype(np.int8),
    "integers beyond int64": np.uint64(2**64 - 9) + RNG.integers(0, 9, 500).astype(np.uint64),
    "integers far apart": np.array([-(2**63), 5, 2**63 - 1])[RNG.integers(0, 3, 500)],
    "sorted": np.repeat([1, 2, 3], [300, 199, 1]),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("few", [16, 64, 1000])
def test_distinct_labels_and_codes_are_those_of_numpy(
    kind: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_FEW", few)
    labels = KINDS[kind]
    classes, codes = np.unique(labels, return_inverse=True)
    found = inputs.distinct(labels)
    np.testing.assert_array_equal(found, classes)
    assert found.dtype == classes.dtype
    np.testing.assert_array_equal(inputs.codes_of(labels, classes), codes)


@pytest.mark.parametrize("kind", ["two integers", "words", "floats"])
def test_many_rows_get_the_same_fit(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = RNG.normal(size=(500, 2)), KINDS[kind]
    plain = LogisticRegression().fit(X, y)
    monkeypatch.setattr(labels, "_MANY_LABELS", 100)
    monkeypatch.setattr(inputs, "_FEW", 64)
    again = LogisticRegression().fit(X, y)
    np.testing.assert_array_equal(again.classes_, plain.classes_)
    np.testing.assert_array_equal(again.coef_, plain.coef_)


def test_a_plain_array_and_the_same_numbers_in_lists_are_one_to_fit_and_predict() -> None:
    X, y = RNG.normal(size=(60, 2)), RNG.integers(0, 3, 60)
    plain, listed = LogisticRegression().fit(X, y), LogisticRegression().fit(X.tolist(), y.tolist())
    np.testing.assert_array_equal(plain.coef_, listed.coef_)
    assert plain.n_features_in_ == listed.n_features_in_ == 2
    np.testing.assert_array_equal(plain.predict(X), listed.predict(X.tolist()))
    with pytest.raises(ValueError, match="expecting 2 features"):
        plain.predict(X[:, :1])


def test_names_of_columns_are_forgotten_by_a_fit_without_them() -> None:
    X, y = RNG.normal(size=(60, 2)), RNG.integers(0, 2, 60)
    model = LogisticRegression().fit(pd.DataFrame(X, columns=["a", "b"]), y)
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(X)
    assert not hasattr(model.fit(X, y), "feature_names_in_")


def test_more_classes_than_half_the_rows_are_told_to_look_like_a_regression() -> None:
    with pytest.warns(UserWarning, match="number of unique classes"):
        LogisticRegression().fit(RNG.normal(size=(30, 1)), np.arange(30) % 25)


def test_measurements_are_no_labels_however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "_MANY_LABELS", 100)
    with pytest.raises(ValueError, match="continuous"):
        LogisticRegression().fit(RNG.normal(size=(500, 1)), RNG.integers(0, 3, 500) + 0.25)


def test_ones_that_nobody_gave_take_no_memory_and_change_nothing() -> None:
    weights = inputs.as_weights(None, 10**9)
    assert inputs.are_implied(weights)
    assert inputs.positive(weights) is None
    X, y = RNG.normal(size=(60, 2)), RNG.integers(0, 2, 60)
    with_ones = LogisticRegression().fit(X, y, sample_weight=np.ones(60))
    np.testing.assert_array_equal(with_ones.coef_, LogisticRegression().fit(X, y).coef_)
