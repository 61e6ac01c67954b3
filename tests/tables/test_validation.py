"""Validation: DeLong against R's pROC, bootstrap, thresholds and bins against brute force."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from chainrule.errors import DataError
from chainrule.tables.fitting import FittedTable, fit_table
from chainrule.tables.formula import with_formula
from chainrule.tables.metrics import Codes
from chainrule.tables.model import TableModel
from chainrule.tables.options import FitOptions
from chainrule.tables.splitting import fold_rows
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn
from chainrule.tables.validation.bins import calibration_bins, gain_rows, wilson
from chainrule.tables.validation.bootstrap import mean_intervals
from chainrule.tables.validation.comparing import compare_rows, mcnemar_p
from chainrule.tables.validation.delong import areas, two_sided
from chainrule.tables.validation.options import ValidationOptions
from chainrule.tables.validation.quality import validate
from chainrule.tables.validation.scored import ScoredRows
from chainrule.tables.validation.thresholds import Costs, choose_threshold, threshold_rows

RECORDED = json.loads((Path(__file__).parent / "recorded" / "delong.json").read_text())


def data(n: int, digits: int) -> tuple[Codes, Any, Any]:
    """Return the rows of recorded/delong.R."""
    i = np.arange(1, n + 1)
    y = ((i * 7919) % 13 < 5).astype(int)
    a = np.round(np.sin(i * 1.7) + 0.8 * y, digits)
    return y, a, np.round(np.cos(i * 2.3) + 0.5 * y + 0.3 * np.sin(i * 1.7), digits)


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["name"])
def test_delong_is_that_of_proc(case: dict[str, Any]) -> None:
    y, a, b = data(case["n"], case["digits"])
    found = areas(y == 1, [a, b])
    np.testing.assert_allclose(found.auc, case["auc"], rtol=1e-12)
    np.testing.assert_allclose(np.diag(found.covariance), case["variance"], rtol=1e-10)
    np.testing.assert_allclose(found.covariance[0, 1], case["covariance"], rtol=1e-10)
    assert found.interval(0, 0.95) == pytest.approx(tuple(case["interval"]), rel=1e-10)
    assert two_sided(*found.difference()) == pytest.approx(case["p"], rel=1e-9)


def test_delong_at_50_digits_with_weights() -> None:
    y, a, _ = data(23, 1)
    weights = np.asarray(1.0 + np.arange(23) % 3, dtype=np.float64)
    found = areas(y == 1, [a], weights)
    rows = np.repeat(np.arange(23), weights.astype(int))
    with mpmath.workdps(50):
        pos = [mpmath.mpf(float(a[i])) for i in rows if y[i] == 1]
        neg = [mpmath.mpf(float(a[i])) for i in rows if y[i] == 0]
        psi = [[mpmath.mpf((p > q) + (p >= q)) / 2 for q in neg] for p in pos]
        auc = mpmath.fsum(mpmath.fsum(line) for line in psi) / (len(pos) * len(neg))
        v10 = [mpmath.fsum(line) / len(neg) for line in psi]
        v01 = [mpmath.fsum(line[j] for line in psi) / len(pos) for j in range(len(neg))]
        variance = sum(
            mpmath.fsum((v - auc) ** 2 for v in part) / (len(part) - 1) / len(part)
            for part in (v10, v01)
        )
    assert found.auc[0] == pytest.approx(float(auc), rel=1e-14)
    assert found.covariance[0, 0] == pytest.approx(float(variance), rel=1e-13)


def test_bootstrap_intervals_near_the_normal_ones_and_the_same_again() -> None:
    values = np.random.default_rng(0).normal(3, 2, size=(2000, 2))
    low, high = mean_intervals(values, seed=4)
    half = stats.norm.ppf(0.975) * values.std(axis=0) / np.sqrt(2000)
    np.testing.assert_allclose(low, values.mean(axis=0) - half, atol=0.02)
    np.testing.assert_allclose(high, values.mean(axis=0) + half, atol=0.02)
    np.testing.assert_array_equal(mean_intervals(values, seed=4)[0], low)
    assert (mean_intervals(values, seed=5)[0] != low).all()
    doubled = mean_intervals(values, np.full(2000, 2.0), seed=4)
    np.testing.assert_allclose(doubled[1] - doubled[0], (high - low) / np.sqrt(2), rtol=0.1)


@pytest.mark.parametrize(("k", "n"), [(0, 5), (3, 10), (40, 41)])
def test_wilson_is_that_of_scipy(k: int, n: int) -> None:
    expected = stats.binomtest(k, n).proportion_ci(0.9, method="wilson")
    np.testing.assert_allclose(wilson(k, n, 0.9), expected, atol=1e-12)


@pytest.mark.parametrize("costs", [(1.0, 1.0), (1.0, 9.0), (5.0, 0.5)])
def test_threshold_of_least_cost_by_brute_force(costs: tuple[float, float]) -> None:
    rng = np.random.default_rng(3)
    score = np.asarray(np.round(rng.beta(2, 2, 60), 2), dtype=np.float64)
    positive = rng.random(60) < score
    weights = np.asarray(1.0 + np.arange(60) % 2, dtype=np.float64)

    def cost(threshold: float) -> float:
        called = score >= threshold
        false_positive, false_negative = called & ~positive, ~called & positive
        return float(costs[0] * weights @ false_positive + costs[1] * weights @ false_negative)

    chosen = choose_threshold("cost", positive, score, weights, Costs(*costs))
    assert cost(chosen) == pytest.approx(min(cost(t) for t in np.linspace(0, 1.01, 1011)))
    row = next(
        r for r in threshold_rows(chosen, positive, score, weights, Costs(*costs)) if r.is_chosen
    )
    assert row.cost * weights.sum() == pytest.approx(cost(chosen))
    best = choose_threshold("best", positive, score, weights, Costs())
    youden = [
        weights @ ((score >= t) & positive) / (weights @ positive)
        - weights @ ((score >= t) & ~positive) / (weights @ ~positive)
        for t in (best, *np.linspace(0, 1.01, 1011))
    ]
    assert youden[0] == pytest.approx(max(youden))


def test_gain_and_calibration_by_counting() -> None:
    rng = np.random.default_rng(8)
    score = rng.permutation(np.linspace(0.01, 0.99, 200))
    positive = rng.random(200) < score
    order = np.argsort(-score)
    gains = gain_rows(positive, score, np.ones(200))
    for k, row in enumerate(gains, 1):
        top = order[: 20 * k]
        assert row.gain == pytest.approx(positive[top].sum() / positive.sum())
        assert row.lift == pytest.approx(positive[top].mean() / positive.mean())
        assert row.threshold == pytest.approx(score[top].min())
    bins = calibration_bins(positive, score, np.ones(200))
    assert [part.n_rows for part in bins] == [20] * 10
    assert bins[0].observed == pytest.approx(positive[order[-20:]].mean())
    constant = calibration_bins(positive, np.full(200, 0.5), np.ones(200))
    assert len(constant) == 1


def scored(seed: int = 0, n: int = 200) -> ScoredRows:
    rng = np.random.default_rng(seed)
    codes = (np.arange(n) % 3 == 0).astype(np.int64)
    p = 1 / (1 + np.exp(-rng.normal(size=n) - codes))
    groups = TextColumn("region", np.arange(n) % 4 - 1, ("east", "north", "west"))
    return ScoredRows(codes, np.column_stack([1 - p, p]), None, groups, np.arange(n))


def test_metrics_are_those_of_scikit_learn_per_group_too() -> None:
    rows = scored()
    found = validate(rows, "rows", threshold=0.3)
    assert [group.value for group in found.groups] == ["east", "north", "west", ""]
    for group, part in (
        (found, np.full(200, True)),
        (found.groups[1], np.arange(200) % 4 == 2),
    ):
        y, p = rows.codes[part], rows.proba[part, 1]
        expected = {
            "log_loss": log_loss(y, p),
            "brier": brier_score_loss(y, p),
            "accuracy": accuracy_score(y, p >= 0.3),
            "auc": roc_auc_score(y, p),
        }
        for name, value in expected.items():
            estimate = group.estimates[name]
            assert estimate.value == pytest.approx(value)
            assert (estimate.low or 0) < value < (estimate.high or 0)


def test_comparison_of_a_model_with_itself_and_with_a_worse_one() -> None:
    one = scored()
    same = compare_rows(one, one)
    assert same.auc_p == same.mcnemar.p == 1.0
    assert all(
        step.value == 0 and not step.low and not step.high for step in same.differences.values()
    )
    worse = ScoredRows(one.codes, one.proba[np.roll(np.arange(200), 7)], None, None, one.numbers)
    other = compare_rows(one, worse)
    assert (other.differences["log_loss"].high or 0) < 0 < (other.differences["auc"].low or 0)
    assert other.auc_p is not None
    assert other.auc_p < 1e-3
    right = [(part.proba.argmax(axis=1) == one.codes) for part in (one, worse)]
    b, c = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    assert (other.mcnemar.first_alone, other.mcnemar.second_alone) == (b, c)
    by_hand = 2 * sum(stats.binom.pmf(k, b + c, 0.5) for k in range(min(b, c) + 1))
    assert mcnemar_p(b, c) == pytest.approx(by_hand)


def number(name: str, values: Any) -> NumberColumn:
    """Return a column of numbers, NaN for missing ones."""
    return NumberColumn(name, values, np.isnan(values))


def table(n: int = 240, seed: int = 1) -> Table:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    y = (x + rng.logistic(size=n) > 0.3).astype(np.int64)
    columns: dict[str, Column] = {
        "y": TextColumn("y", y, ("no", "yes")),
        "x": number("x", x),
        "z": number("z", z),
        "kind": TextColumn("kind", np.arange(n) % 3, ("a", "b", "c")),
        "patient": TextColumn("patient", np.arange(n) // 12, tuple(map(str, range(n // 12)))),
        "day": number("day", np.arange(n) // 2.0),
    }
    return Table("made.csv", columns, np.arange(1, n + 1))


def fit(made: Table, **options: Any) -> FittedTable:
    validation = ValidationOptions(**options.pop("validation", {}))
    formula = options.pop("formula", None)
    choices = FitOptions("y", validation=validation, **options)
    return fit_table(made, choices if formula is None else with_formula(choices, formula))


CURVED = "y ~ bs(x, df=4) + z + C(kind, ref='c')"
"""A formula whose knots and reference level each fold learns anew."""


@pytest.mark.parametrize(
    ("formula", "penalty"),
    [
        (None, {}),
        (None, {"l1_ratio": 0.5}),
        (None, {"l1_ratio": 1.0}),
        (CURVED, {}),
        (CURVED, {"l1_ratio": 1.0, "groups": "levels", "adaptive": True}),
    ],
)
def test_the_curve_is_that_of_single_fits(formula: str | None, penalty: dict[str, Any]) -> None:
    made = table()
    options: dict[str, Any] = {"holdout": 0.0, "formula": formula, **penalty}
    options["ignore"] = ("patient", "day")
    found = fit(made, validation={"folds": 3, "grid": (0.01, 1.0)}, **options).penalty_curve
    assert found is not None
    folds = fold_rows(made, np.arange(240), FitOptions("y"), made.column("y").as_text().codes, 3)
    assert {len(test) for _, test in folds} == {80}
    for C, mean in zip(found.Cs, found.mean_loss, strict=True):
        losses = []
        for train, test in folds:
            one = fit(made.take(train), C=C, **options).model
            held = made.take(test)
            losses.append(log_loss(held.column("y").as_text().codes, one.predict_proba(held)))
        assert mean == pytest.approx(np.mean(losses), rel=1e-6)
    assert found.n_proven == found.n_fits == 6


@pytest.mark.parametrize(("role", "how"), [("group", "whole groups"), ("time", "forward in time")])
def test_folds_by_group_and_time(role: str, how: str) -> None:
    made = table()
    column = {"group": "patient", "time": "day"}[role]
    other = {"group": "day", "time": "patient"}[role]
    choices: dict[str, Any] = {
        role: column,
        "ignore": (other,),
        "validation": {"folds": 4, "rule": "1se"},
    }
    curve = fit(made, **choices).penalty_curve
    assert curve is not None
    assert how in curve.folds
    options = FitOptions(
        "y", group=column if role == "group" else None, time="day" if role == "time" else None
    )
    for train, test in fold_rows(
        made, np.arange(240), options, made.column("y").as_text().codes, 4
    ):
        values = made.column(column)
        codes = values.codes if isinstance(values, TextColumn) else values.values
        assert not set(codes[train]) & set(codes[test])
        assert role == "group" or codes[train].max() < codes[test].min()


def test_a_threshold_is_stored_and_used(tmp_path: Path) -> None:
    made = table()
    options: dict[str, Any] = {
        "ignore": ("patient", "day"),
        "validation": {"folds": 3, "threshold": "best"},
    }
    found = fit(made, **options)
    threshold = found.model.threshold
    assert threshold is not None
    assert found.validation is not None
    assert found.metrics is not None
    assert "by a fold without it" in found.validation.threshold_rows
    found.model.save(tmp_path / "model.json")
    again = TableModel.load(tmp_path / "model.json")
    assert again.threshold == threshold
    proba = again.predict_proba(made)
    np.testing.assert_array_equal(again.label_codes(proba), proba[:, 1] >= threshold)
    assert found.metrics.accuracy == pytest.approx(found.validation.estimates["accuracy"].value)
    broken = json.loads((tmp_path / "model.json").read_text()) | {"threshold": 1.5}
    (tmp_path / "broken.json").write_text(json.dumps(broken))
    with pytest.raises(DataError, match=r"threshold.*not between 0 and 1"):
        TableModel.load(tmp_path / "broken.json")


def test_groups_may_be_columns_that_are_no_features() -> None:
    found = fit(table(), ignore=("patient", "day", "kind"), validation={"by": "kind"})
    assert "kind" not in {spec.name for spec in found.model.specs}
    assert found.validation is not None
    assert [group.value for group in found.validation.groups] == ["a", "b", "c"]


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "cost": ({"validation": {"costs": Costs(1.0, -2.0)}}, "--cost-fn is the cost"),
    "cost of 0": ({"validation": {"costs": Costs(0.0, 1.0)}}, "--cost-fp is the cost"),
    "threshold": ({"validation": {"threshold": "highest"}}, "--threshold is 'best', 'cost' or"),
    "threshold of 1": ({"validation": {"threshold": "1"}}, "between 0 and 1, not '1'"),
    "no rows": ({"holdout": 0.0, "validation": {"threshold": "best"}}, "--cv, --test or a larger"),
    "one fold": ({"validation": {"folds": 1}}, "--cv is a number of folds"),
    "grid": ({"validation": {"grid": (1.0, 0.0)}}, "--grid holds values of C, above 0"),
    "groups": ({"group": "kind", "holdout": 0.0, "validation": {"folds": 4}}, "3 values in 240"),
    "many groups": ({"validation": {"by": "x"}}, "--by x has 240 values"),
    "no column": ({"validation": {"by": "nobody"}}, "no column is named 'nobody'"),
    "the target": ({"validation": {"by": "y"}}, "--by y is the target"),
}


@pytest.mark.parametrize(("options", "said"), WRONG.values(), ids=WRONG)
def test_wrong_options(options: dict[str, Any], said: str) -> None:
    options = {"ignore": ("patient", "day"), **options}
    with pytest.raises(DataError, match=said):
        fit(table(), **options)


def test_a_class_lost_in_a_fold_is_named() -> None:
    made = table()
    rows = np.arange(240)
    late: dict[str, Column] = {
        **made.columns,
        "y": TextColumn("y", (rows >= 150).astype(np.int64), ("no", "yes")),
    }
    made = Table("made.csv", late, rows + 1)
    with pytest.raises(DataError, match="'yes' in no training row of fold 1 of 3"):
        fit(made, time="day", ignore=("patient",), validation={"folds": 3})


def test_missing_times_are_named() -> None:
    made = table()
    day = np.arange(240) / 2.0
    day[10] = np.nan
    broken = Table("made.csv", {**made.columns, "day": number("day", day)}, np.arange(1, 241))
    with pytest.raises(DataError, match="values are missing: 'day' in 1 of 240 rows"):
        fit(broken, time="day", ignore=("patient",), validation={"folds": 3})


@pytest.mark.parametrize(("n", "k"), list(product([7, 100], [2, 5])))
def test_folds_keep_the_shares_of_the_classes(n: int, k: int) -> None:
    codes = (np.arange(n) % 3 == 0).astype(np.int64)
    made = Table("made.csv", {"y": TextColumn("y", codes, ("a", "b"))}, np.arange(n))
    folds = fold_rows(made, np.arange(n), FitOptions("y"), codes, k)
    np.testing.assert_array_equal(np.sort(np.concatenate([t for _, t in folds])), np.arange(n))
    for label in (0, 1):
        counts = [int((codes[test] == label).sum()) for _, test in folds]
        assert max(counts) - min(counts) <= 1
