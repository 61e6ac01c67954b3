"""Solvers against 40-digit Newton, SciPy and problems whose optimum is known by construction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy.optimize import minimize

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.line_search import line_search
from chainrule.engine.solvers.newton import newton
from chainrule.engine.solvers.newton_cg import newton_cg
from chainrule.engine.solvers.starting import balance_intercept

METHODS: list[Any] = ["newton-cholesky", "newton-cg"]


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("C", "fit_intercept"), [(1.0, True), (0.01, False), (np.inf, True)])
def test_fit_agrees_with_40_digits(
    problem: Callable[..., Any], method: Any, n_classes: int, C: float, fit_intercept: bool
) -> None:
    p = problem(11, n_classes=n_classes, C=C, fit_intercept=fit_intercept, weighted=True)
    best, coef, intercept = p.solve()
    source = InMemorySource(p.X, p.y, p.weights, n_classes=n_classes)
    fit = fit_linear_model(source, C=C, fit_intercept=fit_intercept, tol=1e-13, method=method)
    assert fit.met, str(fit.certificate)
    assert fit.value == pytest.approx(float(best), rel=1e-12)
    np.testing.assert_allclose(fit.point.coef, coef, atol=1e-6)
    np.testing.assert_allclose(
        fit.point.intercept - fit.point.intercept.mean(),
        intercept - intercept.mean(),
        atol=1e-6,
    )
    assert np.linalg.norm(fit.point.coef - coef) <= fit.certificate.distance_bound + 1e-15


def construct(n_classes: int, C: float, seed: int) -> tuple[Objective, Any]:
    """Choose soft labels so that the gradient is zero at a point chosen beforehand."""
    rng = np.random.default_rng(seed)
    n_samples, n_features = 80, 4
    X = rng.normal(size=(n_samples, n_features))
    k = 1 if n_classes == 2 else n_classes
    coef = rng.normal(size=(n_features, k)) * 0.3
    intercept = rng.normal(size=k) * 0.1
    if k > 1:
        coef -= coef.mean(axis=1, keepdims=True)
        intercept -= intercept.mean()
    loss: BinaryLoss | SoftmaxLoss = BinaryLoss() if k == 1 else SoftmaxLoss(k)
    # X^T (p - y) + coef / C = 0 and sum (p - y) = 0, solved for r = p - y by least squares
    raw = X @ coef + intercept
    design = np.hstack([X, np.ones((n_samples, 1))])
    strength = 1 / C if np.isfinite(C) else 0.0
    target = np.vstack([-strength * coef, np.zeros((1, k))])
    residual = np.linalg.lstsq(design.T, target, rcond=None)[0]
    p = loss.proba(raw)
    y = p[:, 1] - residual[:, 0] if k == 1 else p - residual
    assert y.min() > 0
    assert y.max() < 1
    source = InMemorySource(X, y, n_classes=n_classes)
    objective = Objective(source, loss, L2Penalty.from_inverse(C, source.column_scale))
    return objective, (coef, intercept)


@pytest.mark.parametrize("solver", [newton, newton_cg])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("C", [1.0, 50.0, np.inf])
def test_an_optimum_known_by_construction_is_found(
    solver: Callable[..., Any], n_classes: int, C: float
) -> None:
    objective, (coef, intercept) = construct(n_classes, C, seed=2)
    outcome = solver(objective, objective.origin(), tolerance=1e-15, max_iter=60)
    np.testing.assert_allclose(outcome.evaluation.point.coef, coef, atol=1e-6)
    np.testing.assert_allclose(outcome.evaluation.point.intercept, intercept, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scipy_finds_no_better_value(n_classes: int) -> None:
    objective, _ = construct(n_classes, 1.0, seed=4)

    def value(vector: Any) -> tuple[float, Any]:
        evaluation = objective.evaluate(objective.unpack(vector))
        return evaluation.value, objective.pack(evaluation.gradient)

    answer = minimize(
        value, np.zeros(objective.n_parameters), jac=True, method="BFGS", options={"gtol": 1e-9}
    )
    outcome = newton(objective, objective.origin(), tolerance=1e-12, max_iter=50)
    assert outcome.evaluation.value <= answer.fun * (1 + 1e-14)
    assert outcome.evaluation.value == pytest.approx(answer.fun, rel=1e-12)


def test_each_recorded_step_decreases_the_objective() -> None:
    objective, _ = construct(3, 10.0, seed=9)
    outcome = newton(objective, objective.origin(), tolerance=1e-12, max_iter=50)
    values = [record.objective for record in outcome.history]
    assert values == sorted(values, reverse=True)
    assert all(0 < record.step <= 1 and record.seconds >= 0 for record in outcome.history)
    assert outcome.history[-1].gradient_norm < outcome.history[0].gradient_norm


def test_newton_does_not_see_the_units_of_the_features() -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(300, 4)), rng.integers(0, 2, 300)
    units = 10.0 ** np.array([-25, 0, 9, 27])
    plain, scaled = (
        fit_linear_model(InMemorySource(X * unit, y), C=np.inf) for unit in (np.ones(4), units)
    )
    assert scaled.met
    assert len(scaled.history) == len(plain.history)
    np.testing.assert_allclose(scaled.point.coef[:, 0] * units, plain.point.coef[:, 0], rtol=1e-7)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_the_intercept_alone_can_be_balanced(n_classes: int) -> None:
    objective, _ = construct(n_classes, 1.0, seed=3)
    rng = np.random.default_rng(0)
    point = objective.centred(objective.unpack(rng.normal(size=objective.n_parameters) * 3))
    raw = objective.evaluate(point).raw_prediction
    balanced = balance_intercept(objective, point, raw)
    after = objective.evaluate(balanced)
    assert np.abs(after.gradient.intercept).max() < 1e-10
    np.testing.assert_array_equal(balanced.coef, point.coef)


def test_line_search_finds_a_decrease_or_says_there_is_none() -> None:
    step = line_search(lambda t: ((10 * t - 1) ** 2, 20 * (10 * t - 1)), 1.0, -20.0)
    assert 0 < step < 0.2
    assert line_search(lambda t: (1.0 + t, 1.0), 1.0, -1.0) == 0.0


def test_curvature_solves_and_measures_as_numpy_does() -> None:
    rng = np.random.default_rng(8)
    root = rng.normal(size=(9, 6)) * 10.0 ** rng.integers(-3, 4, size=6)
    hessian, vector = root.T @ root, rng.normal(size=6)
    curvature = Curvature(hessian, 1)
    solution = np.linalg.solve(hessian, vector)
    np.testing.assert_allclose(curvature.solve(vector), solution, rtol=1e-6)
    assert curvature.dual_norm(vector) == pytest.approx(np.sqrt(vector @ solution), rel=1e-6)
    trace = np.sqrt(np.trace(np.linalg.inv(hessian)))
    assert curvature.inverse_root_trace(np.ones(6)) == pytest.approx(trace, rel=1e-6)
    assert 0 < curvature.smallest <= 1


@pytest.mark.parametrize("decades", [0, 3, 6, 12])
@pytest.mark.parametrize("size", [1, 2, 20])
def test_what_curvature_bounds_is_bounded(decades: int, size: int) -> None:
    rng = np.random.default_rng(decades)
    turned = np.linalg.qr(rng.normal(size=(size, size)))[0]
    root = turned * 10.0 ** (-np.arange(size) * decades / max(1, size - 1) / 2)
    hessian = root @ root.T
    curvature = Curvature(hessian, 1)
    with mpmath.workdps(50):
        exact = mpmath.matrix((hessian / curvature.scale / curvature.scale[:, None]).tolist())
        true = min(mpmath.eigsy(exact, eigvals_only=True))
        assert curvature.smallest <= true
        for _ in range(5):
            vector = rng.normal(size=size) * 10.0 ** rng.integers(-3, 3, size=size)
            column = mpmath.matrix((vector / curvature.scale).tolist())
            length = mpmath.sqrt((column.T * mpmath.lu_solve(exact, column))[0])
            # the certificate adds a millionth to what is computed here
            assert float(length) <= curvature.dual_norm(vector) * 1.000001
            assert float(length) <= curvature.largest_norm(np.abs(vector)) * 1.000001
            assert curvature.dual_norm(vector) <= 1.01 * float(length)


def test_curvature_of_a_singular_matrix_still_gives_a_descent_direction() -> None:
    hessian = np.array([[2.0, 2.0], [2.0, 2.0]])
    gradient = np.array([1.0, 1.0])
    step = -Curvature(hessian, 1).solve(gradient)
    assert np.isfinite(step).all()
    np.testing.assert_allclose(step, [-0.25, -0.25], rtol=1e-9)
