"""Compiled proximal Newton steps, against the general method."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.table import find_loss
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.blocks import DenseBlock
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.solvers import compiled_proximal
from chainrule.engine.solvers.compiled_proximal import CompiledProximal
from chainrule.engine.solvers.proximal_newton import proximal_newton
from chainrule.engine.whole_paths import geometric, path_of

CASES: dict[str, dict[str, Any]] = {
    "lasso": {},
    "elastic net": {"l1_ratio": 0.3},
    "squares": {"l1_ratio": 0.0},
    "positive": {"positive": True},
    "bounds": {"l1_ratio": 0.5, "bounds": (-0.1, 0.2)},
    "bounds alone": {"l1_ratio": 0.0, "bounds": (-0.05, np.inf)},
    "factors": {"penalty_factor": [0.0, 1.0, 3.0, 0.5, 1.0, 1.0, 0.2, 1.0]},
    "no intercept": {"fit_intercept": False},
    "weights and offset": {"weighted": True},
    "poisson": {"loss": "poisson"},
}


def _rows(loss: str = "logistic", seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(150, 8)) + 0.7 * rng.normal(size=(150, 1))
    score = X[:, :4] @ np.array([1.0, -0.8, 0.5, 0.3])
    if loss == "poisson":
        return X, rng.poisson(np.exp(np.clip(0.4 * score, -3, 3))).astype(float)
    return X, (score + rng.logistic(size=150) > 0).astype(float)


def _solver(case: dict[str, Any], *, compiled: bool, data: Any = None) -> PathSolver:
    case = dict(case)
    loss, fit_intercept = case.pop("loss", "logistic"), case.pop("fit_intercept", True)
    weighted = case.pop("weighted", False)
    X, y = _rows(loss) if data is None else data
    rng = np.random.default_rng(1)
    source = InMemorySource(
        X,
        y,
        rng.integers(1, 4, size=len(y)).astype(float) if weighted else None,
        offset=rng.normal(size=(len(y), 1)) if weighted else None,
        compiled=True,  # a loss other than the logistic has a kernel then
    )
    shape = Shape.checked(X.shape[1], **case)
    row = None if loss == "logistic" else find_loss(loss)
    with pytest.MonkeyPatch.context() as patch:
        if not compiled:
            patch.setattr(compiled_proximal, "MOST_ENTRIES", 0)
        solver = PathSolver(source, row, shape, fit_intercept=fit_intercept)
    assert solver._steps.are_compiled == compiled
    return solver


@pytest.mark.parametrize("name", CASES)
def test_same_optimum_as_the_general_method(name: str) -> None:
    fast, slow = (_solver(CASES[name], compiled=kind) for kind in (True, False))
    largest = slow.largest
    assert fast.largest == pytest.approx(largest, rel=1e-9)
    largest = largest or 100.0  # squares alone hold no coefficient at 0
    for share in (0.6, 0.2, 0.03, 0.3):  # back up, too: a model from elsewhere
        one = fast.solve(share * largest, tol=1e-11, max_iter=100)
        other = slow.solve(share * largest, tol=1e-11, max_iter=100)
        assert one.met
        assert abs(one.value - other.value) <= 2e-11 * other.value
        np.testing.assert_allclose(one.point.coef, other.point.coef, atol=2e-5)
        np.testing.assert_array_equal(one.point.coef == 0, other.point.coef == 0)


@pytest.mark.parametrize("seed", [0, 1])
def test_nearly_collinear_columns(seed: int) -> None:
    X, y = _rows(seed=seed)
    rng = np.random.default_rng(seed)
    X = np.column_stack([X, X[:, :3], X[:, 3:6] + 1e-7 * rng.normal(size=(150, 3)), np.zeros(150)])
    fast, slow = (_solver({}, compiled=kind, data=(X, y)) for kind in (True, False))
    for strength in geometric(slow.largest, 8, 0.01):
        one, other = (s.solve(strength, tol=1e-9, max_iter=100) for s in (fast, slow))
        assert one.met
        assert abs(one.value - other.value) <= 2e-9 * other.value


def test_a_path_is_proven_and_every_bound_holds() -> None:
    solver = _solver({"l1_ratio": 0.8}, compiled=True)
    points, _ = path_of(solver, geometric(solver.largest, 30, 1e-3), tol=1e-7, max_iter=100)
    assert all(point.met for point in points)
    fine = _solver({"l1_ratio": 0.8}, compiled=True)
    for point in points[::5]:
        best = fine.solve(point.strength, tol=1e-13, max_iter=100)
        assert point.value - best.value <= point.certificate.suboptimality_bound + 1e-12


def test_steps_are_counted_and_logged() -> None:
    solver = _solver({}, compiled=True)
    found = solver.solve(0.05 * solver.largest, tol=1e-10, max_iter=100)
    values = [record.objective for record in found.history]
    assert found.n_iter == len(values) > 2
    assert (np.diff(values) <= 1e-12 * values[0]).all()
    stopped = solver.solve(0.01 * solver.largest, tol=1e-10, max_iter=1)
    assert (stopped.stop, stopped.n_iter, stopped.met) == ("max_iter", 1, False)


def test_more_columns_than_rows() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(30, 60))
    y = (X[:, 0] - X[:, 1] + rng.logistic(size=30) > 0).astype(float)
    solver = _solver({}, compiled=True, data=(X, y))
    objective: Objective = solver.objective
    rows = compiled_proximal.contiguous_rows(solver.source)
    penalty = solver.shape.penalty(0.1 * solver.largest, solver.source.column_scale)
    unit = np.full(60, 0.1 * solver.largest)
    one = CompiledProximal(objective, rows).solve(
        penalty, solver.start, unit, tolerance=1e-10, max_iter=100
    )
    other = proximal_newton(objective, penalty, solver.start, unit, tolerance=1e-10, max_iter=100)
    assert one.stop == "converged"
    assert one.value == pytest.approx(other.value, rel=1e-12)
    np.testing.assert_allclose(one.evaluation.point.coef, other.evaluation.point.coef, atol=1e-6)


@pytest.mark.parametrize("case", [{}, {"l1_ratio": 0.7, "bounds": (-0.3, 0.2)}])
def test_many_columns_up_and_down_a_path(case: dict[str, Any]) -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(400, 180)) + 0.8 * rng.normal(size=(400, 1))
    score = X @ (rng.normal(size=180) * (rng.random(180) < 0.6)) / 10
    data = X, (score + rng.logistic(size=400) > 0).astype(float)
    fast, slow = (_solver(case, compiled=kind, data=data) for kind in (True, False))
    most = 0
    for share in (0.1, 0.08, 0.06, 0.05, 0.02, 0.05):
        one, other = (s.solve(share * slow.largest, tol=1e-10, max_iter=100) for s in (fast, slow))
        assert one.met
        assert abs(one.value - other.value) <= 2e-10 * other.value
        np.testing.assert_array_equal(one.point.coef == 0, other.point.coef == 0)
        most = max(most, int((one.point.coef != 0).sum()))
    assert most > 100


@pytest.mark.parametrize("compiled", [True, False])
def test_a_hessian_formed_for_a_proof_is_the_next_model(compiled: bool) -> None:
    solver = _solver({}, compiled=compiled)
    largest = solver.largest
    solver.solve(0.3 * largest, tol=1e-6, max_iter=100, ample=0.1)
    model, here = solver._model, solver._here
    assert model is not None
    assert model.snapshot is not None
    far = replace(model.snapshot, raw_prediction=here.raw_prediction + 9.0)
    solver._model = replace(model, snapshot=far)  # as if it came from far away
    certificate = solver._certified(solver._penalty(0.3 * largest), 1e-8, "converged")
    assert certificate.relative_bound <= 1e-8
    model = solver._model
    assert model is not None
    assert model.is_exact
    bend = solver.objective.loss.pointwise_hessian(here.raw_prediction, solver.source.labels(0)[1])
    block = solver.source.block(0).X
    assert isinstance(block, DenseBlock | FusedBlock)
    X = block.values
    expected = X[:, model.columns].T @ (bend[:, 0] * X[:, model.columns])
    np.testing.assert_allclose(model.matrix[:-1, :-1], expected, rtol=1e-10, atol=1e-12)
