"""Unpenalised fits: separation and collinearity are recognised, proven and named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import linprog
from tests.engine.conftest import Problem

from chainrule.engine.certificates import collinearity, separation
from chainrule.engine.certificates.collinearity import find_relations
from chainrule.engine.certificates.existence import has_optimum
from chainrule.engine.certificates.separation import check_direction, find_separation
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty


def plain(X: Any, y: Any, n_classes: int = 2, *, fit_intercept: bool = True) -> Objective:
    source = InMemorySource(X, np.asarray(y), n_classes=n_classes)
    loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
    return Objective(source, loss, L2Penalty(np.zeros(X.shape[1])), fit_intercept=fit_intercept)


def noise(seed: int, n_samples: int = 120, n_features: int = 3) -> Any:
    return np.random.default_rng(seed).normal(size=(n_samples, n_features))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [1.0, 1e-40, 1e60])
def test_complete_separation_is_proven(seed: int, n_classes: int, scale: float) -> None:
    X = noise(seed)
    y = np.argmax(X @ noise(seed + 50, 3, n_classes), axis=1)
    fit = fit_linear_model(InMemorySource(X * scale, y, n_classes=n_classes), C=np.inf)
    assert fit.certificate.kind == "separation"
    assert fit.certificate.proven
    assert not fit.met
    assert len(fit.history) < 40
    assert np.isfinite(fit.point.coef).all()
    assert fit.value < fit.certificate.suboptimality_bound < 1.001 * fit.value


@pytest.mark.parametrize(
    ("X", "y"),
    [
        ([[0.0], [1.0]], [0, 1]),
        ([[0.3, 0.0], [0.4, -2.0], [0.7, 1.0]], [0, 0, 1]),
        ([[2020.125], [2021.25], [2023.5], [2024.75]], [1, 1, 0, 0]),  # moved to its middle
        ([[1e9 + 1, 3.0], [1e9 + 2, 1.0], [1e9 + 5, 7.0]], [0, 0, 1]),
    ],
)
@pytest.mark.parametrize("weight", [1.0, 3e-7, 1e9])
def test_the_bound_of_separated_classes_covers_rounding(X: Any, y: Any, weight: float) -> None:
    data, labels, weights = np.array(X), np.array(y), np.full(len(y), weight)
    fit = fit_linear_model(InMemorySource(data, labels, sample_weight=weights), C=np.inf)
    assert fit.certificate.kind == "separation"
    exact = Problem(data, labels, weights, np.inf, fit_intercept=True, n_classes=2)
    assert exact.value(fit.point.coef, fit.point.intercept) <= fit.certificate.suboptimality_bound


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_a_rare_dummy_that_separates_is_named(n_classes: int, form: Any) -> None:
    rng = np.random.default_rng(0)
    X = noise(1)
    dummy = (rng.random(120) < 0.1).astype(float)
    y = rng.integers(0, n_classes, 120)
    y[dummy == 1] = 1
    source = InMemorySource(
        form(np.c_[X, dummy]), y, n_classes=n_classes, column_names=["a", "b", "c", "rare"]
    )
    fit = fit_linear_model(source, C=np.inf)
    assert fit.certificate.kind == "separation"
    assert fit.certificate.proven
    assert fit.certificate.columns == ("column 'rare'",)
    assert "'rare'" in str(fit.certificate)


def test_a_combination_on_the_boundary_is_verified_exactly() -> None:
    rng = np.random.default_rng(4)
    levels = rng.integers(0, 4, size=(200, 2)).astype(float)
    gap = levels[:, 0] - levels[:, 1]
    y = np.where(gap > 0, 1, np.where(gap < 0, 0, rng.integers(0, 2, 200)))
    objective = plain(levels, y)
    found = find_separation(objective)
    assert found is not None
    assert found.proven
    assert not found.complete
    raw = levels @ found.direction.coef[:, 0] + found.direction.intercept[0]
    assert ((2 * y - 1) * raw >= 0).all()
    assert np.abs(raw).max() > 0


def independent_verdict(X: Any, y: Any, n_classes: int) -> bool:
    """One linear programme over all pairs of classes, written from the definition."""
    rows = []
    for x, label in zip(np.c_[X, np.ones(len(X))], y, strict=True):
        for other in range(n_classes):
            if other != label:
                row = np.zeros((n_classes, len(x)))
                row[label] += x
                row[other] -= x
                rows.append(row.ravel())
    A = np.array(rows)
    answer = linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(len(A)), bounds=(-1, 1))
    return bool(-answer.fun > 1e-7)


@pytest.mark.parametrize("seed", range(120))
def test_the_verdict_on_small_tables_is_right_and_proven(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n_classes, n_samples = int(rng.integers(2, 4)), int(rng.integers(6, 40))
    X = rng.integers(0, rng.integers(2, 6), size=(n_samples, rng.integers(1, 5))).astype(float)
    if seed % 3 == 0:
        X = np.c_[X, rng.normal(size=n_samples)]
    truth = rng.normal(size=(X.shape[1], n_classes)) * (seed % 2)
    y = np.argmax(X @ truth + rng.gumbel(size=(n_samples, n_classes)), axis=1)
    y[:n_classes] = np.arange(n_classes)
    fit = fit_linear_model(InMemorySource(X, y, n_classes=n_classes), C=np.inf)
    assert fit.certificate.proven, str(fit.certificate)
    assert (fit.certificate.kind == "separation") == independent_verdict(X, y, n_classes)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_overlap_is_not_taken_for_separation(n_classes: int) -> None:
    y = np.random.default_rng(0).integers(0, n_classes, 120)
    assert find_separation(plain(noise(3), y, n_classes)) is None


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_few_rows_prove_an_optimum_only_where_there_is_one(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    X = np.round(rng.normal(size=(4000, 2)) * 2)
    scores = X @ rng.normal(size=(2, n_classes))
    y = np.argmax(scores + rng.gumbel(size=scores.shape) * (seed % 2), axis=1)
    objective = plain(X, y, n_classes)
    assert has_optimum(objective, objective.origin()) == (seed % 2 == 1)
    rare = np.where(rng.random(4000) < 0.01, 1.0, 0.0)
    y[rare == 1] = 1  # this column separates, and most of the rows do not know of it
    whole = plain(np.column_stack([X, rare]), y, n_classes)
    assert not has_optimum(whole, whole.origin())


@pytest.mark.parametrize("n_classes", [2, 3])
def test_large_scores_alone_start_no_linear_programme(
    n_classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    X = noise(5, 10_000)
    y = np.argmax(X @ noise(6, 3, n_classes) * 12 + rng.gumbel(size=(10_000, n_classes)), axis=1)
    monkeypatch.setattr(separation, "find_separation", None)
    fit = fit_linear_model(InMemorySource(X, y, n_classes=n_classes), C=np.inf)
    assert np.abs(X @ fit.point.coef).max() > 12
    assert fit.met


def test_a_rare_class_that_few_rows_miss_is_asked_after_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []

    def counted(*args: Any) -> Any:
        asked.append(args)
        return check_direction(*args)

    monkeypatch.setattr(separation, "check_direction", counted)
    X = noise(11, 20_000)
    y = np.zeros(20_000, dtype=int)
    y[np.random.default_rng(12).choice(20_000, 6, replace=False)] = 1
    fit = fit_linear_model(InMemorySource(X, y), C=np.inf)
    assert fit.met
    assert len(fit.history) > 6  # the intercept takes that many steps
    assert len(asked) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("rows", [40, 400])
def test_what_separates_a_few_of_many_rows_is_found_early(rows: int) -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([noise(7, 10_000), np.zeros(10_000)])
    y = (X[:, 0] + rng.logistic(size=10_000) > 0).astype(int)
    X[rng.choice(np.flatnonzero(y), rows, replace=False), 3] = 1.0
    for compiled in (False, True):
        fit = fit_linear_model(InMemorySource(X, y, compiled=compiled), C=np.inf)
        assert fit.certificate.kind == "separation"
        assert fit.certificate.proven
        assert fit.certificate.columns == ("column 3",)
        assert len(fit.history) < 20


@pytest.mark.parametrize("n_classes", [2, 3])
def test_steps_that_go_on_prove_separation_themselves(
    n_classes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(3)
    X = np.column_stack([noise(7, 10_000), np.arange(10_000) == 77])  # one row has its own column
    y = rng.integers(0, n_classes, 10_000)
    monkeypatch.setattr(separation, "find_separation", lambda _: None)
    fit = fit_linear_model(InMemorySource(X.astype(float), y, n_classes=n_classes), C=np.inf)
    assert fit.certificate.kind == "separation"
    assert fit.certificate.proven
    assert fit.certificate.columns == ("column 3",)
    assert len(fit.history) < 30


def test_a_direction_is_believed_only_if_every_row_agrees() -> None:
    X = np.array([[-1.0], [-2.0], [1.0], [2.0]])
    up = Point(np.array([[1.0]]), np.zeros(1))
    found = check_direction(plain(X, [0, 0, 1, 1]), up)
    assert found is not None
    assert found.complete
    assert check_direction(plain(X, [0, 1, 1, 1]), up) is None
    assert check_direction(plain(X, [0, 0, 1, 1]), Point(np.zeros((1, 1)), np.zeros(1))) is None


def test_a_margin_that_only_rounding_hides_is_refused() -> None:
    # 0.1 + 0.2 - 0.3 is 5.6e-17 in exact arithmetic on these floats: the row lies on the wrong side
    X = np.array([[0.1, 0.2, 0.3], [5.0, 0.0, 0.0], [-5.0, 0.0, 0.0]])
    along = Point(np.array([[1.0], [1.0], [-1.0]]), np.zeros(1))
    right = check_direction(plain(X, [1, 1, 0], fit_intercept=False), along)
    wrong = check_direction(plain(X, [0, 1, 0], fit_intercept=False), along)
    assert right is not None
    assert right.proven
    assert wrong is None or not wrong.proven


def test_separation_by_the_intercept_is_seen_in_the_columns() -> None:
    # one class per level of a full set of dummies
    X = np.eye(3)[np.arange(60) % 3]
    y = (np.arange(60) % 3 == 0).astype(int)
    fit = fit_linear_model(InMemorySource(X, y), C=np.inf)
    assert fit.certificate.kind == "separation"
    assert fit.certificate.proven


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_exactly_collinear_columns_get_the_least_norm_optimum(fit_intercept: bool) -> None:
    rng = np.random.default_rng(2)
    X = noise(2)
    y = (X[:, 0] + 2 * rng.normal(size=120) > 0).astype(int)
    dummies = np.eye(3)[rng.integers(0, 3, 120)]
    constant = np.full(120, 3.7 if fit_intercept else 2.0)
    wide = np.c_[X, X[:, 1], 4 * X[:, 2], constant, dummies, np.zeros(120)]
    source = InMemorySource(wide, y)
    fit = fit_linear_model(source, C=np.inf, fit_intercept=fit_intercept)
    assert fit.met, str(fit.certificate)
    assert "collinear" in str(fit.certificate)
    # scipy's least-norm solution of the same predictions, intercept free
    raw = wide @ fit.point.coef[:, 0] + fit.point.intercept[0]
    centre = wide.mean(axis=0) if fit_intercept else 0.0
    target = raw - (raw.mean() if fit_intercept else 0.0)
    least = np.linalg.lstsq(wide - centre, target, rcond=1e-10)[0]
    np.testing.assert_allclose(fit.point.coef[:, 0], least, atol=1e-8)


def test_columns_collinear_only_to_working_precision_are_named_and_not_claimed() -> None:
    X = noise(6)
    y = np.random.default_rng(1).integers(0, 2, 120)
    fit = fit_linear_model(
        InMemorySource(np.c_[X, X @ [0.1, 0.7, -0.3]], y, column_names=["a", "b", "c", "sum"]),
        C=np.inf,
    )
    assert not fit.certificate.proven
    assert not fit.met
    assert "'sum'" in str(fit.certificate)
    assert "working precision" in str(fit.certificate)


def test_relations_reproduce_the_dropped_columns() -> None:
    X = noise(9, 50, 4)
    wide = np.c_[X, X[:, 0] - 2 * X[:, 3] + 5, np.ones(50)]
    relations = find_relations(InMemorySource(wide, np.zeros(50)), fit_intercept=True)
    assert len(relations.kept) == 4
    rebuilt = wide[:, relations.kept] @ relations.coef + relations.intercept
    np.testing.assert_allclose(rebuilt, wide[:, relations.dropped], atol=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize("form", [np.ascontiguousarray, np.asfortranarray, sparse.csr_array])
@pytest.mark.parametrize("compiled", [False, True])
def test_relations_between_whole_numbers_are_exact_whichever_column_goes(
    form: Any, compiled: bool
) -> None:
    rng = np.random.default_rng(2)
    hour, minute, day = rng.integers(0, 24, 3000), rng.integers(0, 60, 3000), rng.random(3000)
    time = 100.0 * hour + minute
    for order in ([0, 1, 2, 3], [2, 1, 3, 0], [1, 3, 2, 0]):
        X = np.column_stack([hour, minute, time, day])[:, order]
        for off, n_dropped, exact in ((0.0, 1, True), (2.0**-30, 1, False), (1.0, 0, False)):
            X[1234, order.index(2)] = time[1234] + off  # one row of all knows better
            source = InMemorySource(form(X), np.zeros(3000), compiled=compiled)
            relations = find_relations(source, fit_intercept=True)
            assert len(relations.dropped) == n_dropped
            assert relations.exact == exact


@pytest.mark.parametrize("compiled", [False, True])
def test_what_rounding_hides_is_not_called_exact(compiled: bool) -> None:
    X = noise(5, 3000)
    doubtful = np.column_stack([X, X[:, 0] + X[:, 1]])  # rounded sums
    scaled = np.column_stack([X, 8 * X[:, 0], np.full(3000, 0.3)])
    for table, exact in ((doubtful, False), (scaled, True)):
        source = InMemorySource(table, np.zeros(3000), compiled=compiled)
        relations = find_relations(source, fit_intercept=True)
        assert len(relations.dropped) == table.shape[1] - 3
        assert relations.exact == exact


def test_nearly_collinear_columns_are_kept() -> None:
    X = noise(9, 50, 2)
    wide = np.c_[X, X[:, 0] + 1e-6 * noise(10, 50, 1)[:, 0]]
    relations = find_relations(InMemorySource(wide, np.zeros(50)), fit_intercept=True)
    assert len(relations.dropped) == 0


def test_more_features_than_rows_ends_with_a_proof() -> None:
    X = noise(3, 10, 30)
    y = np.arange(10) % 2
    fit = fit_linear_model(InMemorySource(X, y), C=np.inf)
    assert fit.certificate.kind == "separation"
    assert fit.certificate.proven


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
@pytest.mark.parametrize("rows", [3, 5000])
@pytest.mark.parametrize("rounds", [0, 8])
def test_a_sample_decides_only_where_its_columns_are_independent(
    form: Any, rows: int, rounds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collinearity, "_ROUNDS", rounds)
    # a column that is zero in nearly every row is missing from any sample, but not dependent
    X = noise(8, 5000, 4)
    X[rows:, 1] = 0.0
    whole = np.column_stack([X, X[:, 2] - X[:, 3]])
    independent = find_relations(InMemorySource(form(X), np.zeros(5000)), fit_intercept=True)
    dependent = find_relations(InMemorySource(form(whole), np.zeros(5000)), fit_intercept=True)
    assert len(independent.dropped) == 0
    assert len(dependent.dropped) == 1
    c, kept = dependent.dropped[0], dependent.kept
    made = whole[:, kept] @ dependent.coef[:, 0] + dependent.intercept[0]
    np.testing.assert_allclose(made, whole[:, c], atol=1e-10)
