"""Several classes in compiled passes, and Newton steps preconditioned class by class."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.special import logsumexp, softmax
from sklearn.linear_model import LogisticRegression as Reference

pytest.importorskip("numba")

from chainrule import LogisticRegression
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import SoftmaxLoss
from chainrule.engine.objective.accumulators import objective_for
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.products import products
from chainrule.engine.passes import fused_blocks
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.solvers import class_blocks

FORMS = ["C", "F", "C float32", "sparse", "sparse float32"]


def formed(X: Any, form: str) -> Any:
    kind, _, dtype = form.partition(" ")
    numbers = np.asarray(X, dtype=dtype or "float64")
    if kind == "sparse":
        return sparse.csr_array(np.where(np.abs(numbers) > 0.8, numbers, 0).astype(numbers.dtype))
    return np.asfortranarray(numbers) if kind == "F" else np.ascontiguousarray(numbers)


def drawn(seed: int, n: int, p: int, k: int, strength: float = 1.5) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) @ (np.eye(p) + 0.3 * rng.normal(size=(p, p)) / np.sqrt(p))
    scores = strength * X @ rng.normal(size=(p, k)) / np.sqrt(p)
    y = (scores + rng.gumbel(size=scores.shape)).argmax(axis=1)
    y[:k] = np.arange(k)
    return X, y


def problem(X: Any, y: Any, weight: Any = None, n_threads: int = 1, C: float = 1.0) -> Any:
    n_classes = int(y.max()) + 1
    source = InMemorySource(X, y, weight, n_classes=n_classes, compiled=True)
    penalty = L2Penalty.from_inverse(C, source.column_scale)
    found = objective_for(source, SoftmaxLoss(n_classes), penalty, n_threads=n_threads)
    assert isinstance(found, ClassObjective)
    return found


def dense_of(X: Any) -> Any:
    return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64)


def value(X: Any, y: Any, coef: Any, intercept: Any, lam: float, weight: Any = 1.0) -> float:
    raw = X @ coef + intercept
    losses = logsumexp(raw, axis=1) - raw[np.arange(len(y)), y]
    return float((weight * losses).sum() + lam / 2 * (coef**2).sum())


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("n", "p", "k"), [(700, 7, 3), (2100, 40, 10), (300, 150, 6), (900, 3, 33)]
)
@pytest.mark.parametrize("weighted", [True, False])
def test_a_pass_agrees_with_scipy(form: str, n: int, p: int, k: int, weighted: bool) -> None:
    rng = np.random.default_rng(n + k)
    X, y = drawn(1, n, p, k)
    X = formed(X, form)
    weight = rng.random(n) + 0.5 if weighted else None
    objective = problem(X, y, weight)
    at = Point(rng.normal(size=(p, k)) / np.sqrt(p), rng.normal(size=k))
    found = objective.evaluate(at)
    plain, s = dense_of(X), np.ones(n) if weight is None else weight
    assert found.value == pytest.approx(value(plain, y, at.coef, at.intercept, 1.0, s), rel=1e-12)
    raw = plain @ at.coef + at.intercept
    slope = s[:, None] * (softmax(raw, axis=1) - np.eye(k)[y])
    close: Any = {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(found.raw_prediction, raw, **close)
    np.testing.assert_allclose(found.gradient.coef, plain.T @ slope + at.coef, **close)
    np.testing.assert_allclose(found.gradient.intercept, slope.sum(axis=0), **close)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("p", "k"), [(5, 3), (30, 9)])
def test_products_with_the_hessian_are_differences_of_gradients(form: str, p: int, k: int) -> None:
    rng = np.random.default_rng(3)
    X, y = drawn(2, 900, p, k)
    objective = problem(formed(X, form), y, rng.random(900) + 0.5)
    at = Point(rng.normal(size=(p, k)) / np.sqrt(p), rng.normal(size=k))
    along = Point(rng.normal(size=(p, k)), rng.normal(size=k))
    ahead, behind = (objective.evaluate(at.moved(t, along)).gradient for t in (1e-5, -1e-5))
    curvature = products(objective, objective.evaluate(at))
    found = objective.unpack(curvature.times(objective.pack(along)))
    near: Any = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(found.coef, (ahead.coef - behind.coef) / 2e-5, **near)
    np.testing.assert_allclose(found.intercept, (ahead.intercept - behind.intercept) / 2e-5, **near)
    diagonal = curvature.diagonal()
    for place in (0, p, len(diagonal) - 1):
        unit = np.zeros(len(diagonal))
        unit[place] = 1.0
        assert curvature.times(unit)[place] == pytest.approx(diagonal[place], rel=1e-10)


def test_lines_and_shifted_intercepts_agree_with_scipy() -> None:
    X, y = drawn(4, 1500, 6, 5)
    rng = np.random.default_rng(5)
    objective = problem(X, y, rng.random(1500) + 0.5)
    at = objective.evaluate(Point(rng.normal(size=(6, 5)), rng.normal(size=5)))
    step = Point(rng.normal(size=(6, 5)), rng.normal(size=5))
    along = objective.along(at, step, objective.raw_direction(step))
    for t in (0.0, 0.3, 1.0):
        there = objective.evaluate(at.point.moved(t, step))
        rise = objective.pack(there.gradient) @ objective.pack(step)
        assert along(t)[0] == pytest.approx(there.value, rel=1e-12)
        assert along(t)[1] == pytest.approx(rise, rel=1e-9)
    shift = rng.normal(size=5)
    loss, slope, bend = objective.intercept_sums(at.raw_prediction, shift)
    proba = softmax(at.raw_prediction + shift, axis=1)
    source = objective.source
    s = np.concatenate([source.weights(source.rows(i)) for i in range(source.n_blocks)])
    moved = Point(at.point.coef, at.point.intercept + shift)
    there = objective.evaluate(moved)
    assert loss == pytest.approx(there.value - objective.penalty.value(moved.coef), rel=1e-12)
    np.testing.assert_allclose(slope, there.gradient.intercept, rtol=1e-9, atol=1e-9)
    wanted = np.diag(s @ proba) - proba.T @ (s[:, None] * proba)
    np.testing.assert_allclose(bend, wanted, rtol=1e-10, atol=1e-10)


PROBLEMS = [
    # rows, columns, classes, strength, lambda
    (1500, 12, 3, 1.5, 1.0),
    (2500, 20, 30, 3.0, 1.0),
    (900, 130, 5, 4.0, 1.0),
    (200, 260, 4, 2.0, 1.0),
    (4000, 25, 6, 8.0, 1e-3),
    (3000, 110, 3, 1.0, 1e3),
]


@pytest.mark.parametrize(("n", "p", "k", "strength", "lam"), PROBLEMS)
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_blocks_reach_the_optimum_of_scikit_learn(
    n: int, p: int, k: int, strength: float, lam: float, fit_intercept: bool
) -> None:
    X, y = drawn(6, n, p, k, strength)
    source = InMemorySource(X, y, n_classes=k, compiled=True)
    found = fit_linear_model(
        source, C=1 / lam, fit_intercept=fit_intercept, method="newton-blocks", tol=1e-9
    )
    assert found.plan.method == "newton-blocks"
    assert found.met
    common: Any = {"C": 1 / lam, "fit_intercept": fit_intercept, "tol": 1e-11, "max_iter": 20_000}
    other = Reference(solver="newton-cg", **common).fit(X, y)
    best = value(X, y, other.coef_.T, other.intercept_, lam)
    assert value(X, y, found.point.coef, found.point.intercept, lam) <= best * (1 + 1e-10)
    np.testing.assert_allclose(found.point.coef.sum(axis=1), 0.0, atol=1e-7)


@pytest.mark.parametrize("k", [3, 8])
@pytest.mark.parametrize("lam", [1.0, 0.01])
def test_sparse_classes_reach_the_optimum_of_scikit_learn(k: int, lam: float) -> None:
    X, y = drawn(7, 1200, 50, k)
    X = formed(X, "sparse")
    source = InMemorySource(X, y, n_classes=k, compiled=True)
    found = fit_linear_model(source, C=1 / lam, method="newton-cg", tol=1e-9)
    assert found.met
    other = Reference(solver="newton-cg", C=1 / lam, tol=1e-11, max_iter=20_000).fit(X, y)
    plain = X.toarray()
    best = value(plain, y, other.coef_.T, other.intercept_, lam)
    assert value(plain, y, found.point.coef, found.point.intercept, lam) <= best * (1 + 1e-10)


@pytest.mark.parametrize("form", ["C", "sparse"])
def test_any_number_of_threads_gives_the_same_bits(form: str) -> None:
    X, y = drawn(8, 5000, 30, 4)
    method: Any = "newton-blocks" if form == "C" else "newton-cg"
    source = InMemorySource(formed(X, form), y, n_classes=4, compiled=True)
    one, three = (fit_linear_model(source, method=method, n_threads=t) for t in (1, 3))
    np.testing.assert_array_equal(one.point.coef, three.point.coef)
    assert one.value == three.value


def test_the_classifier_takes_blocks_for_many_parameters(monkeypatch: Any) -> None:
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)
    X, y = drawn(9, 1000, 60, 12)
    model = LogisticRegression().fit(X, y)
    assert model.solver_ == "newton-blocks"
    assert model.certificate_.proven
    assert "each class's own part" in model.explain()
    share = LogisticRegression(solver="newton-blocks").fit(X[:90, :4], y[:90] % 2)
    assert share.solver_ == "newton-cg"  # two classes have no blocks


@pytest.mark.parametrize("n_rows", [50, 400, 1500])
def test_drawn_rows_stand_for_all(n_rows: int) -> None:
    d = np.random.default_rng(10).lognormal(0, 2, 2000)
    rows, weight = class_blocks._drawn(d, n_rows)
    assert 0.98 * n_rows <= len(rows) <= n_rows + 1
    assert weight.sum() == pytest.approx(d.sum(), rel=2 / n_rows)
    assert (weight >= d[rows] - 1e-12).all()


def test_blocks_are_those_of_the_hessian() -> None:
    X, y = drawn(11, 800, 6, 3)
    objective = problem(X, y)
    at = objective.evaluate(objective.unpack(np.linspace(-0.5, 0.5, 21)))
    proba = objective.probabilities(at)
    curvature = products(objective, at)
    hessian = np.stack([curvature.times(unit) for unit in np.eye(21)])
    apply = class_blocks.blocks_inverse(objective, proba)
    vector = np.random.default_rng(12).normal(size=(3, 7))
    vector -= vector.mean(axis=0)
    parts = [slice(7 * k, 7 * k + 7) for k in range(3)]
    wanted = np.stack(
        [np.linalg.solve(hessian[p, p], v) for p, v in zip(parts, vector, strict=True)]
    )
    wanted -= wanted.mean(axis=0)
    np.testing.assert_allclose(apply(vector.ravel()).reshape(3, 7), wanted, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize("rank", [6, 3])
def test_many_small_blocks_are_inverted_in_few_calls(rank: int) -> None:
    rng = np.random.default_rng(16)
    factors = rng.normal(size=(5, 6, rank)) * 10.0 ** np.arange(6)[:, None]
    strength = np.full(6, 1.0 if rank == 6 else 0.0)
    blocks = factors @ factors.transpose(0, 2, 1)
    scales, inverses = class_blocks._inverted_together(blocks, strength)
    assert np.isfinite(inverses).all()
    np.testing.assert_array_equal(inverses, inverses.transpose(0, 2, 1))
    if rank == 6:
        found = scales[:, :, None] * inverses * scales[:, None, :]
        identity = found @ (blocks + np.diag(strength))
        np.testing.assert_allclose(identity, np.tile(np.eye(6), (5, 1, 1)), atol=1e-6)
