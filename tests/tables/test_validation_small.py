"""Validation on few rows and odd weights: no interval and no p-value that the rows do not give."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from chainrule.tables.table import TextColumn
from chainrule.tables.validation.bootstrap import mean_intervals
from chainrule.tables.validation.comparing import compare_rows
from chainrule.tables.validation.delong import areas
from chainrule.tables.validation.quality import validate
from chainrule.tables.validation.scored import ScoredRows


def rows(p: Any, y: Any, weights: Any = None, groups: TextColumn | None = None) -> ScoredRows:
    p = np.asarray(p, dtype=np.float64)
    return ScoredRows(
        np.asarray(y, dtype=np.int64),
        np.column_stack([1 - p, p]),
        weights,
        groups,
        np.arange(len(p)),
    )


def drawn(n: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.05, 0.95, n)
    return p, (rng.random(n) < p).astype(np.int64)


@pytest.mark.parametrize("scale", [1e-3, 0.37, 2.5])
def test_equal_weights_give_the_intervals_of_rows_without_weights(scale: float) -> None:
    p, y = drawn(60)
    plain, other = areas(y == 1, [p]), areas(y == 1, [p], np.full(60, scale))
    np.testing.assert_allclose(other.covariance, plain.covariance, rtol=1e-12)
    values = np.column_stack([p])
    low, high = mean_intervals(values, np.full(60, scale), seed=1)
    expected = 2 * stats.norm.ppf(0.975) * p.std() / np.sqrt(60)
    assert (high - low)[0] == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("n_of_class", [1, 2, 30])
def test_a_class_of_one_row_has_no_interval_of_the_area(n_of_class: int) -> None:
    p, _ = drawn(40)
    y = (np.arange(40) < n_of_class).astype(np.int64)
    found = areas(y == 1, [p]).interval(0, 0.95)
    assert (found == (None, None)) == (n_of_class < 2)
    compared = compare_rows(rows(p, y), rows(p[::-1], y))
    assert (compared.auc_p is None) == (n_of_class < 2)
    assert (compared.differences["auc"].low is None) == (n_of_class < 2)


def test_areas_without_spread_have_no_interval_and_no_p() -> None:
    y = [1, 1, 0, 0]
    compared = compare_rows(rows([0.9, 0.8, 0.2, 0.1], y), rows([0.5] * 4, y))
    assert compared.auc_p is None
    assert compared.differences["auc"].low is None
    assert validate(rows([0.9, 0.8, 0.2, 0.1], y), "rows").estimates["auc"].low is None


def test_few_rows_of_a_group_have_an_interval_of_the_accuracy_alone() -> None:
    p, y = drawn(60)
    sizes = np.where(np.arange(60) < 3, 0, 1)
    found = validate(rows(p, y, groups=TextColumn("region", sizes, ("few", "many"))), "rows")
    few, many = found.groups
    assert few.estimates["log_loss"].low is few.estimates["brier"].high is None
    assert many.estimates["log_loss"].low is not None
    for group, part in ((few, slice(3)), (many, slice(3, None))):
        right = ((p >= 0.5) == y)[part]
        wilson = stats.binomtest(int(right.sum()), len(right)).proportion_ci(method="wilson")
        accuracy = group.estimates["accuracy"]
        assert (accuracy.low, accuracy.high) == pytest.approx(tuple(wilson), abs=1e-12)


def test_rows_with_trials_count_once() -> None:
    p, _ = drawn(12)
    both = rows(np.tile(p, 2), np.repeat([0, 1], 12), np.tile([3.0, 4.0], 12))
    both = ScoredRows(both.codes, both.proba, both.weights, None, np.tile(np.arange(12), 2))
    assert validate(both, "rows").n_rows == compare_rows(both, both).n_rows == 12
