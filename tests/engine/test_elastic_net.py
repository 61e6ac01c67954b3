"""Fits with an elastic net, against 50 digits; certificates against true distances."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tests.engine.elastic_net_oracle import Oracle

from chainrule.engine.data.coded_rows import CodedColumn, CodedRows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.losses.table import find_loss
from chainrule.engine.null_points import deviance_ratio
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.gram import gram
from chainrule.engine.objective.objective import Objective
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import ElasticNet, Shape
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import PathPoint
from chainrule.engine.whole_paths import geometric, path_of
from chainrule.errors import DataError


def _data(
    seed: int, n_samples: int, n_features: int, loss: str = "logistic"
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) + rng.normal(size=(n_samples, 1)) * 0.5
    score = X @ (rng.normal(size=n_features) * (rng.random(n_features) < 0.6))
    if loss == "logistic":
        return X, (score + rng.logistic(size=n_samples) > 0).astype(float)
    if loss == "poisson":
        return X, rng.poisson(np.exp(np.clip(0.5 * score, -3, 3))).astype(float)
    return X, rng.gamma(2.0, np.exp(np.clip(0.5 * score, -3, 3)))


def _fit(
    X: Any, y: Any, shape: Shape, share: float, *, loss: str = "logistic", **keywords: Any
) -> tuple[PathSolver, PathPoint]:
    source_keywords = {k: keywords.pop(k) for k in ("sample_weight", "offset") if k in keywords}
    tol = keywords.pop("tol", 1e-10)
    source = InMemorySource(X, y, **source_keywords)
    row = None if loss == "logistic" else find_loss(loss)
    solver = PathSolver(source, row, shape, **keywords)
    return solver, solver.solve(share * solver.largest, tol=tol, max_iter=100)


CASES: dict[str, dict[str, Any]] = {
    "lasso": {},
    "elastic net": {"l1_ratio": 0.4},
    "no intercept": {"fit_intercept": False},
    "weights and offset": {"weighted": True},
    "factors": {"penalty_factor": [0.0, 1.0, 2.0, 0.5, 1.0]},
    "positive": {"positive": True},
    "poisson": {"loss": "poisson"},
    "gamma": {"loss": "gamma", "l1_ratio": 0.7},
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("share", [0.5, 0.03])
def test_optimum_in_fifty_digits(name: str, share: float) -> None:
    case = dict(CASES[name])
    loss, fit_intercept = case.pop("loss", "logistic"), case.pop("fit_intercept", True)
    rng = np.random.default_rng(5)
    weighted: Any = case.pop("weighted", False)
    X, y = _data(3, 22, 5, str(loss))
    weights = rng.integers(1, 4, size=22).astype(float) if weighted else None
    offset = rng.normal(size=22) if weighted else None
    shape = Shape.checked(5, **case)
    solver, found = _fit(
        X,
        y,
        shape,
        share,
        loss=str(loss),
        fit_intercept=fit_intercept,
        sample_weight=weights,
        offset=None if offset is None else offset[:, None],
    )
    penalty = shape.penalty(found.strength, np.ones(5))
    oracle = Oracle(
        X, y, penalty.l1, penalty.l2, str(loss), weights, offset, bool(fit_intercept), shape.lower
    )
    best, coef, intercept = oracle.solve()
    w = found.point.coef[:, 0]
    excess = float(oracle.value(w, float(found.point.intercept[0])) - best)
    assert excess <= 1e-14 * abs(float(best))
    np.testing.assert_array_equal(w != 0, coef != 0)
    np.testing.assert_allclose(w, coef, atol=1e-7)
    assert found.point.intercept[0] == pytest.approx(intercept, abs=1e-7)
    assert found.met
    assert excess <= found.certificate.suboptimality_bound
    assert deviance_ratio(solver.null_and_least, found.loss) <= 1


@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-6])
@pytest.mark.parametrize("seed", range(8))
def test_gap_is_never_below_the_truth(seed: int, tol: float) -> None:
    rng = np.random.default_rng(seed)
    loss = ["logistic", "poisson"][seed % 2]
    X, y = _data(seed, 60, int(rng.integers(2, 90)), loss)
    shape = Shape.checked(X.shape[1], l1_ratio=[1.0, 0.3][seed // 2 % 2])
    share = float(10 ** rng.uniform(-2, 0))
    _, rough = _fit(X, y, shape, share, loss=loss, tol=tol)
    _, fine = _fit(X, y, shape, share, loss=loss, tol=1e-13)
    rounding = 1e-14 * abs(fine.value) * 60
    assert rough.value - fine.value <= rough.certificate.suboptimality_bound + rounding
    assert rough.certificate.relative_bound <= tol


PATHS: dict[str, dict[str, Any]] = {
    "lasso": {},
    "ridge": {"l1_ratio": 0.0},
    "elastic net": {"l1_ratio": 0.4},
    "bounds": {"bounds": (-0.2, 0.3)},
    "positive": {"positive": True},
    "factors": {"factors": True},
    "poisson": {"loss": "poisson"},
    "twins": {"twins": True},
    "wide": {"n_features": 260},
}


@pytest.mark.parametrize("tol", [1e-2, 1e-5])
@pytest.mark.parametrize("name", PATHS)
def test_points_of_a_path_are_as_near_as_their_gaps_say(name: str, tol: float) -> None:
    case = dict(PATHS[name])
    loss, n_features = case.pop("loss", "logistic"), case.pop("n_features", 30)
    X, y = _data(len(name), 90, n_features, loss)
    if case.pop("twins", False):
        X = np.column_stack([X, X[:, :3] + 1e-7, X[:, 3:6]])
    if case.pop("factors", False):
        case["penalty_factor"] = np.arange(n_features) % 3
    shape = Shape.checked(X.shape[1], **case)
    row = None if loss == "logistic" else find_loss(loss)
    rough, fine = (PathSolver(InMemorySource(X, y), row, shape) for _ in range(2))
    largest = rough.largest or 20.0
    for strength in geometric(0.9 * largest, 8, 0.03).tolist():
        found = rough.solve(strength, tol=tol, max_iter=100, ample=0.1)
        best = fine.solve(strength, tol=1e-12, max_iter=200).value
        assert found.value - best <= found.certificate.suboptimality_bound + 1e-12 * abs(best)
        assert found.met, found.certificate


def test_weights_are_repetitions() -> None:
    X, y = _data(0, 50, 8)
    counts = np.random.default_rng(1).integers(1, 4, size=50)
    shape = Shape.checked(8)
    _, weighted = _fit(X, y, shape, 0.1, sample_weight=counts.astype(float), tol=1e-12)
    _, repeated = _fit(np.repeat(X, counts, axis=0), np.repeat(y, counts), shape, 0.1, tol=1e-12)
    np.testing.assert_allclose(weighted.point.coef, repeated.point.coef, atol=1e-9)


@pytest.mark.parametrize("n_features", [12, 400])
def test_order_of_columns_and_kind_of_rows_do_not_matter(n_features: int) -> None:
    X, y = _data(2, 80, n_features)
    X[np.abs(X) < 0.8] = 0.0
    shape = Shape.checked(n_features)
    _, dense = _fit(X, y, shape, 0.1, tol=1e-11)
    turned = np.random.default_rng(0).permutation(n_features)
    others = {
        "permuted": _fit(np.ascontiguousarray(X[:, turned]), y, shape, 0.1, tol=1e-11)[1],
        "csr": _fit(sparse.csr_array(X), y, shape, 0.1, tol=1e-11)[1],
        "csc": _fit(sparse.csc_array(X), y, shape, 0.1, tol=1e-11)[1],
    }
    for name, other in others.items():
        coef = dense.point.coef[turned] if name == "permuted" else dense.point.coef
        np.testing.assert_allclose(other.point.coef, coef, atol=1e-8, err_msg=name)
        np.testing.assert_array_equal(other.point.coef != 0, coef != 0, err_msg=name)


def test_codes_are_one_hot_columns() -> None:
    rng = np.random.default_rng(4)
    codes = rng.integers(0, 5, size=120).astype(np.int8)
    number = rng.normal(size=120)
    y = (number + 0.8 * (codes == 2) - 0.5 * (codes == 4) + rng.logistic(size=120) > 0) * 1.0
    places = np.arange(5, dtype=np.int32)
    rows = CodedRows([CodedColumn("a", codes, np.arange(5), places), CodedColumn("b", number)])
    one_hot = np.column_stack([codes[:, None] == np.arange(5), number]).astype(float)
    shape = Shape.checked(6)
    _, coded = _fit(rows, y, shape, 0.1, tol=1e-12)
    _, plain = _fit(one_hot, y, shape, 0.1, tol=1e-12)
    np.testing.assert_allclose(coded.point.coef, plain.point.coef, atol=1e-9)


def test_same_bits_for_any_number_of_threads() -> None:
    X, y = _data(6, 2000, 60)  # more entries than compiled passes need
    shape = Shape.checked(60)
    points = [_fit(X, y, shape, 0.05, n_threads=n)[1].point for n in (1, 3)]
    np.testing.assert_array_equal(points[0].coef, points[1].coef)
    np.testing.assert_array_equal(points[0].intercept, points[1].intercept)


def test_collinear_columns_cost_neither_proof_nor_bits() -> None:
    X, y = _data(7, 60, 4)
    twice = np.column_stack([X, X[:, :2], np.zeros(60)])
    _, once = _fit(X, y, Shape.checked(4), 0.1, tol=1e-12)
    _, found = _fit(twice, y, Shape.checked(7), 0.1, tol=1e-12)
    _, again = _fit(twice, y, Shape.checked(7), 0.1, tol=1e-12)
    assert found.met
    assert found.point.coef[6] == 0
    np.testing.assert_array_equal(found.point.coef, again.point.coef)
    np.testing.assert_allclose(twice @ found.point.coef, X @ once.point.coef, atol=1e-8)


def test_path_starts_at_zero_and_is_proven_throughout() -> None:
    X, y = _data(8, 90, 150)
    solver = PathSolver(InMemorySource(X, y), None, Shape.checked(150))
    points, _ = path_of(solver, geometric(solver.largest, 40, 1e-2), tol=1e-8, max_iter=100)
    assert not points[0].point.coef.any()
    assert points[1].point.coef.any()
    assert all(point.met for point in points)
    assert np.all(np.diff([point.loss for point in points]) < 0)
    for point in points[::13]:  # a warm start changes nothing
        alone = PathSolver(InMemorySource(X, y), None, Shape.checked(150))
        again = alone.solve(point.strength, tol=1e-8, max_iter=100)
        assert abs(again.value - point.value) <= 2e-8 * point.value


@pytest.mark.parametrize(
    ("l1", "l2", "lower", "upper"),
    [(0.7, 0.0, -2.0, 3.0), (0.7, 0.4, -np.inf, np.inf), (0.0, 1.5, 0.0, np.inf)],
)
def test_conjugate_is_a_supremum(l1: float, l2: float, lower: float, upper: float) -> None:
    penalty = ElasticNet(*(np.array([value]) for value in (l1, l2, lower, upper)))
    grid = np.linspace(max(lower, -40), min(upper, 40), 400_001)
    values = l1 * np.abs(grid) + 0.5 * l2 * grid**2
    for u in (-1.3, -0.5, 0.0, 0.9, 2.0):
        found = float(penalty.conjugate(np.array([u]))[0])
        assert found == pytest.approx(float((u * grid - values).max()), abs=1e-6)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"l1_ratio": 1.5}, "l1_ratio must be a number from 0 to 1"),
        ({"penalty_factor": [1.0, -1.0, 1.0]}, "penalty_factor must be finite and >= 0"),
        ({"penalty_factor": [1.0]}, "expected \\(3,\\)"),
        ({"bounds": (1.0, 2.0)}, "bounds must hold 0"),
        ({"bounds": 3.0}, "pair"),
    ],
)
def test_refusals_name_the_parameter(keywords: Any, message: str) -> None:
    with pytest.raises((DataError, ValueError), match=message):
        Shape.checked(3, **keywords)


def test_losses_that_are_not_convex_are_refused() -> None:
    X, y = _data(0, 30, 3)
    with pytest.raises(DataError, match="not proven convex"):
        PathSolver(InMemorySource(X, y), find_loss("cauchy"), Shape.checked(3))


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_proof_does_not_depend_on_the_unit_of_the_weights(fit_intercept: bool) -> None:
    X, y = _data(0, 60, 4, "poisson")
    shape = Shape.checked(4, penalty_factor=[0.0, 0.0, 1.0, 1.0])
    found = []
    for weight in (2.0**-40, 1.0, 2.0**40):
        _, point = _fit(
            X,
            y,
            shape,
            0.1,
            loss="poisson",
            fit_intercept=fit_intercept,
            sample_weight=np.full(60, weight),
            tol=1e-8,
        )
        found.append(point.certificate.relative_bound)
    assert max(found) < 1e-8
    np.testing.assert_allclose(found, found[1], rtol=0.01)


@pytest.mark.parametrize("share", [0.02, 0.15, 0.6])
@pytest.mark.parametrize("columns", [[0, 1, 2, 3, 4, 5, 6, 7], [1, 4, 6], []])
@pytest.mark.parametrize("index_type", [np.int32, np.int64])
def test_the_hessian_of_sparse_columns_is_that_of_dense_ones(
    share: float, columns: list[int], index_type: Any
) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(400, 8)) * (rng.random((400, 8)) < share)
    y, weight = (rng.random(400) < 0.4).astype(np.int64), rng.uniform(0.5, 2.0, size=400)
    rows = sparse.csr_matrix(X)
    rows.indices, rows.indptr = rows.indices.astype(index_type), rows.indptr.astype(index_type)
    source = InMemorySource(rows, y, weight, compiled=True)
    objective = Objective(source, BinaryLoss(), L2Penalty(np.zeros(8)))
    coef, chosen = rng.normal(size=(8, 1)), np.array(columns, dtype=np.intp)
    here = objective.evaluate(Point(coef, np.array([0.3])))
    found = gram(objective, here, chosen, bound=None)
    proba = 1 / (1 + np.exp(-(X @ coef + 0.3)))
    table = np.hstack([X[:, chosen], np.ones((400, 1))])
    expected = table.T @ (weight[:, None] * proba * (1 - proba) * table)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-13)
