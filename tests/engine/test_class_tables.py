"""Passes class by class, plain and compiled, against oracles from outside."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression as Reference

from chainrule import LogisticRegression
from chainrule.engine.arrays import UNIT
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses import vectorised
from chainrule.engine.losses.classes import SoftmaxLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes import class_rows, class_tables, fused_blocks
from chainrule.engine.passes.blocks import DenseBlock
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.solvers.class_newton import class_newton, fixed_hessian_descent

RNG = np.random.default_rng(23)
FORMS = ["C", "F", "C float32", "F float32"]
BLOCKS: list[Callable[[Any], DenseBlock | FusedBlock]] = [
    lambda X: DenseBlock(X.astype(np.float64)),
    FusedBlock,
]
SCORES = np.array(
    [
        [0.0, 0.0, 0.0],
        [1.0, -2.0, 0.5],
        [40.0, 0.0, -3.0],
        [-18.0, 18.0, 17.9],
        [-1e4, -1e4, -1e4],
        [700.0, -700.0, 699.0],
        [3.0, 3.0, -60.0],
    ]
)


@njit(error_model="numpy")
def log1p_of(x: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        out[i] = vectorised.log1p_nonnegative(x[i])


def formed(X: Any, form: str) -> Any:
    order, _, dtype = form.partition(" ")
    numbers = np.asarray(X, dtype=dtype or "float64")
    return np.asfortranarray(numbers) if order == "F" else np.ascontiguousarray(numbers)


def problem(n_samples: int, n_features: int, n_classes: int, **more: Any) -> Objective:
    X = RNG.normal(size=(n_samples, n_features))
    scores = X @ RNG.normal(size=(n_features, n_classes)) + RNG.gumbel(size=(n_samples, n_classes))
    source = InMemorySource(X, scores.argmax(axis=1), n_classes=n_classes, **more)
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    return Objective(source, SoftmaxLoss(n_classes), penalty)


def test_log1p_keeps_its_digits_beyond_one() -> None:
    points = np.concatenate([np.logspace(-300, 6, 3000), [0.0, 1.0, 1 + 1e-15, 3.0, 9.0]])
    found = np.empty(len(points))
    log1p_of(points, found)
    with mpmath.workdps(50):
        for x, computed in zip(points, found, strict=True):
            true = mpmath.log1p(mpmath.mpf(float(x)))
            assert abs(mpmath.mpf(float(computed)) - true) <= 4 * UNIT * true, x


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("label", [0, 1, 2])
def test_single_rows_err_no_more_than_the_certificate_allows(block: Any, label: int) -> None:
    loss, y = SoftmaxLoss(3), np.eye(3)[[label]]
    for scores in SCORES:
        raw = np.empty((3, 1))
        found = block(np.ones((1, 1))).class_pass(
            np.array([label]), None, scores[None, :].copy(), np.zeros(3), raw
        )
        np.testing.assert_array_equal(raw[:, 0], scores)
        with mpmath.workdps(50):
            e = [mpmath.exp(mpmath.mpf(float(z)) - mpmath.mpf(float(max(scores)))) for z in scores]
            true_loss = mpmath.log(sum(e) / e[label])
            others = [sum(e) - e[label] if k == label else e[k] for k in range(3)]
            true = [(-1 if k == label else 1) * others[k] / sum(e) for k in range(3)]
        assert abs(found[0] - true_loss) <= loss.loss_error(scores[None, :], y)[0] + 1e-300
        allowed = loss.gradient_error(scores[None, :], y)[0] + 1e-300
        for k in range(3):
            assert abs(mpmath.mpf(float(found[1][0, k])) - true[k]) <= allowed[k], (scores, k)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_classes", [3, 10, 33])
@pytest.mark.parametrize("is_weighted", [True, False])
def test_a_pass_agrees_with_scipy(block: Any, form: str, n_classes: int, is_weighted: bool) -> None:
    X = formed(RNG.normal(size=(1500, 7)), form)
    codes = RNG.integers(0, n_classes, 1500)
    weight = RNG.random(1500) if is_weighted else None
    coef, intercept = RNG.normal(size=(7, n_classes)), RNG.normal(size=n_classes)
    raw = np.empty((n_classes, 1500))
    value, gradient, residual = block(X).class_pass(codes, weight, coef, intercept, raw)
    scores = X.astype(np.float64) @ coef + intercept
    s = np.ones(1500) if weight is None else weight
    losses = logsumexp(scores, axis=1) - scores[np.arange(1500), codes]
    slope = s[:, None] * (softmax(scores, axis=1) - np.eye(n_classes)[codes])
    close: Any = {"rtol": 1e-11, "atol": 1e-10}
    np.testing.assert_allclose(raw.T, scores, **close)
    assert value == pytest.approx(s @ losses, rel=1e-13)
    np.testing.assert_allclose(gradient, X.astype(np.float64).T @ slope, **close)
    np.testing.assert_allclose(residual, slope.sum(axis=0), **close)
    again = block(X).class_pass(codes, weight, coef, intercept, None)
    np.testing.assert_array_equal(again[1], gradient)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [3, 5])
def test_the_hessian_is_the_slope_of_the_gradient(fit_intercept: bool, n_classes: int) -> None:
    X, codes = RNG.normal(size=(700, 9)), RNG.integers(0, n_classes, 700)
    weight = RNG.random(700) + 0.5
    size = 9 + fit_intercept
    at = RNG.normal(size=(size, n_classes))

    def slope(table: Any) -> Any:
        intercept = table[9] if fit_intercept else np.zeros(n_classes)
        _, coef, total = class_tables.class_pass(X, codes, weight, table[:9], intercept, None)
        return np.vstack([coef, total]) if fit_intercept else coef

    raw = (X @ at[:9] + (at[9] if fit_intercept else 0.0)).T.copy()
    halves = class_tables.class_pairs(X, weight, raw, fit_intercept=fit_intercept)
    hessian = class_tables.class_hessian(halves, n_classes)
    for k in range(n_classes):
        for j in range(size):
            unit = np.zeros_like(at)
            unit[j, k] = 1e-5
            along = (slope(at + unit) - slope(at - unit)) / 2e-5
            np.testing.assert_allclose(hessian[k, j], along.T, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("compiled", [True, False])
def test_labels_stay_codes(compiled: bool) -> None:
    objective = problem(60_000, 4, 12, compiled=compiled)
    objective.evaluate(objective.origin(), keep=False)
    tracemalloc.start()
    objective.evaluate(objective.origin(), keep=False)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 60_000 * 12 * 8 / 3  # a table of labels or scores of all rows is not held


def test_level_scores_lead_near_the_optimum_without_a_hessian() -> None:
    objective = problem(3000, 6, 4)
    outcome = fixed_hessian_descent(objective, objective.origin(), tolerance=1e-9, max_iter=100)
    assert outcome.stop == "converged"
    best = class_newton(objective, objective.origin(), tolerance=1e-14, max_iter=100)
    assert outcome.evaluation.value == pytest.approx(best.evaluation.value, rel=1e-7)
    assert len(outcome.history) < 40


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("C", [0.1, 10.0])
def test_few_hessians_reach_the_optimum_of_scikit_learn(fit_intercept: bool, C: float) -> None:
    X = RNG.normal(size=(600, 8)) * 10.0 ** np.arange(-2, 6)
    y = np.argmax(X[:, 1:4] / X[:, 1:4].std(axis=0) + RNG.gumbel(size=(600, 3)), axis=1)
    X /= X.std(axis=0)
    common: Any = {"C": C, "fit_intercept": fit_intercept}
    model = LogisticRegression(tol=1e-12, solver="newton-classes", **common).fit(X, y)
    other = Reference(solver="newton-cholesky", tol=1e-12, max_iter=1000, **common).fit(X, y)
    assert model.solver_ == "newton-classes"
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-12
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.coef_.sum(axis=0), 0.0, atol=1e-9)


@pytest.mark.parametrize("C", [1.0, np.inf])
def test_a_sample_of_many_rows_reaches_the_same_optimum(C: float) -> None:
    X = RNG.normal(size=(30_000, 5))
    y = np.argmax(X[:, :3] + RNG.gumbel(size=(30_000, 3)), axis=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_blocks, "FUSED_FROM", 0)
        compiled = LogisticRegression(C=C, tol=1e-11).fit(X, y)
    plain = LogisticRegression(C=C, tol=1e-11, solver="newton-cholesky").fit(X, y)
    for model in (compiled, plain):
        assert model.certificate_.relative_bound <= 1e-11
    assert compiled.solver_ == "newton-sampled"
    np.testing.assert_allclose(compiled.coef_, plain.coef_, atol=1e-6)


def test_a_point_keeps_its_value_when_its_outputs_are_centred() -> None:
    objective = problem(500, 4, 3)
    point = Point(RNG.normal(size=(4, 3)), RNG.normal(size=3))
    moved = objective.centred(point)
    lower, value = (objective.evaluate(at).value for at in (moved, point))
    assert lower <= value


@pytest.mark.parametrize("n_features", [1, 7, 50, 100, 500, 3000])
@pytest.mark.parametrize("n_rows", [300, 4096, 8192])
def test_rounding_is_told_of_the_longest_sums_that_passes_take(
    n_features: int, n_rows: int
) -> None:
    X = np.zeros((n_rows, n_features))
    inner = class_rows.rows_per_step(n_features, 3)
    pairs = min(class_tables.PAIR_ROWS, n_rows) + n_rows // class_tables.PAIR_ROWS
    table = next(class_tables.steps(n_rows, 3))
    fused, dense = FusedBlock(X), DenseBlock(X)
    assert fused.longest_sum >= min(inner, n_rows) + n_rows // inner
    assert dense.longest_sum >= table.stop + n_rows // table.stop - 1
    assert min(fused.longest_sandwich, dense.longest_sandwich) >= pairs
