"""A certificate's bound is never below the true error: against 40-digit optima."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.engine.arrays import FloatArray
from chainrule.engine.certificates.certificate import Certificate, certify
from chainrule.engine.certificates.duality_gap import balanced_intercepts, relative_gap
from chainrule.engine.certificates.rounding import Rounding, bound_rounding, measure_rounding
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.newton import newton
from chainrule.engine.solvers.starting import class_weights
from chainrule.engine.solvers.steps import Outcome

SLOW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def objective_of(p: Any) -> Objective:
    source = InMemorySource(p.X, p.y, p.weights, n_classes=p.n_classes)
    loss: Loss = BinaryLoss() if p.n_classes == 2 else SoftmaxLoss(p.n_classes)
    penalty = L2Penalty.from_inverse(p.C, source.column_scale)
    return Objective(source, loss, penalty, fit_intercept=p.fit_intercept)


def true_error(p: Any, best: Any, point: Point) -> float:
    with mpmath.workdps(40):
        return float(p.value(point.coef, point.intercept) - best)


def hold(p: Any, best: Any, coef: Any, point: Point, certificate: Certificate) -> None:
    assert true_error(p, best, point) <= certificate.suboptimality_bound
    distance = float(np.linalg.norm(point.coef - coef))
    assert distance <= certificate.distance_bound * (1 + 1e-12) + 1e-15
    if np.isfinite(certificate.relative_bound):
        assert true_error(p, best, point) <= certificate.relative_bound * float(best)


@pytest.mark.slow
@SLOW
@given(
    seed=st.integers(0, 10**6),
    n_classes=st.sampled_from([2, 2, 3]),
    C=st.sampled_from([1e-3, 1.0, 100.0]),
    fit_intercept=st.booleans(),
    weighted=st.booleans(),
    noise=st.sampled_from([1e-9, 1e-4, 0.03, 1.0, 20.0]),
)
def test_bounds_hold_near_and_far_from_the_optimum(
    problem: Callable[..., Any],
    seed: int,
    n_classes: int,
    C: float,
    fit_intercept: bool,
    weighted: bool,
    noise: float,
) -> None:
    p = problem(
        seed,
        n_samples=14,
        n_features=2,
        n_classes=n_classes,
        C=C,
        fit_intercept=fit_intercept,
        weighted=weighted,
    )
    best, coef, intercept = p.solve()
    rng = np.random.default_rng(seed)
    objective = objective_of(p)
    shift = noise * rng.normal(size=intercept.shape) * fit_intercept
    point = Point(coef + noise * rng.normal(size=coef.shape), intercept + shift)
    evaluation = objective.evaluate(point, with_hessian=True)
    assert evaluation.hessian is not None
    gap = certify(objective, Outcome(evaluation, "max_iter"))
    assert gap.kind in ("duality gap", "least value")
    assert gap.proven
    share = relative_gap(objective, evaluation)
    assert np.isinf(share) or true_error(p, best, point) <= share * float(best)
    hold(p, best, coef, point, gap)
    curvature = Curvature(evaluation.hessian, objective.loss.n_outputs)
    both = certify(objective, Outcome(evaluation, "max_iter", [], curvature, point))
    assert both.suboptimality_bound <= gap.suboptimality_bound
    hold(p, best, coef, point, both)


@pytest.mark.slow
@SLOW
@given(
    seed=st.integers(0, 10**6),
    n_classes=st.sampled_from([2, 3]),
    noise=st.sampled_from([1e-10, 1e-5, 1e-2, 0.1, 0.3]),
    decades=st.sampled_from([0, 3, 8]),
)
def test_the_newton_decrement_bound_holds_without_a_penalty(
    problem: Callable[..., Any], seed: int, n_classes: int, noise: float, decades: int
) -> None:
    scales = np.array([1.0, 10.0**-decades])
    p = problem(seed, n_samples=16, n_features=2, n_classes=n_classes, C=np.inf, scales=scales)
    if fit_linear_model(
        InMemorySource(p.X, p.y, n_classes=n_classes), C=np.inf
    ).certificate.kind != ("Newton decrement"):
        return  # separable: no optimum to compare with
    best, coef, intercept = p.solve()
    rng = np.random.default_rng(seed)
    objective = objective_of(p)
    point = Point(
        coef + noise * rng.normal(size=coef.shape) / scales[:, None],
        intercept + noise * rng.normal(size=intercept.shape),
    )
    point = objective.centred(point)
    evaluation = objective.evaluate(point, with_hessian=True)
    assert evaluation.hessian is not None
    curvature = Curvature(evaluation.hessian, objective.loss.n_outputs)
    certificate = certify(objective, Outcome(evaluation, "max_iter", [], curvature, point))
    if noise < 1e-3:
        assert certificate.kind == "Newton decrement"
    hold(p, best, coef, point, certificate)
    # and with the curvature of the step before, as a solver that saves a pass hands it over
    outcome = newton(objective, point, tolerance=1e-6, max_iter=30)
    assert outcome.drift > 0 or outcome.stop != "converged"
    after = certify(objective, outcome)
    assert after.kind == "Newton decrement"
    hold(p, best, coef, outcome.evaluation.point, after)


@pytest.mark.slow
@SLOW
@given(
    seed=st.integers(0, 10**6),
    n_classes=st.sampled_from([2, 3]),
    C=st.sampled_from([0.01, 1.0, 100.0]),
    tol=st.sampled_from([1e-2, 1e-5, 1e-8, 1e-12]),
    method=st.sampled_from(["newton-cholesky", "newton-cg"]),
)
def test_a_fit_that_claims_the_tolerance_has_it(
    problem: Callable[..., Any], seed: int, n_classes: int, C: float, tol: float, method: Any
) -> None:
    p = problem(seed, n_samples=15, n_features=2, n_classes=n_classes, C=C)
    best, coef, _ = p.solve()
    source = InMemorySource(p.X, p.y, n_classes=n_classes)
    fit = fit_linear_model(source, C=C, tol=tol, method=method)
    assert fit.met, str(fit.certificate)
    assert true_error(p, best, fit.point) <= tol * float(best)
    hold(p, best, coef, fit.point, fit.certificate)


@pytest.mark.slow
@SLOW
@given(
    seed=st.integers(0, 10**6),
    n_classes=st.sampled_from([2, 2, 3]),
    C=st.sampled_from([1e-2, 1.0, 1e4, np.inf]),
    fit_intercept=st.booleans(),
    part=st.sampled_from([0.4, 0.7]),
    noise=st.sampled_from([1e-9, 1e-4, 1e-2, 0.1]),
    away=st.sampled_from([0.0, 1e-3, 0.2]),
)
def test_the_curvature_of_some_rows_proves_a_bound_for_all(
    problem: Callable[..., Any],
    seed: int,
    n_classes: int,
    C: float,
    fit_intercept: bool,
    part: float,
    noise: float,
    away: float,
) -> None:
    p = problem(
        seed, n_samples=30, n_features=2, n_classes=n_classes, C=C, fit_intercept=fit_intercept
    )
    if np.isinf(C) and fit_linear_model(
        InMemorySource(p.X, p.y, n_classes=n_classes), C=C, fit_intercept=fit_intercept
    ).certificate.kind != ("Newton decrement"):
        return  # separable: no optimum to compare with
    best, coef, intercept = p.solve()
    rng = np.random.default_rng(seed)
    objective = objective_of(p)

    def near(size: float) -> Point:
        shift = size * rng.normal(size=intercept.shape) * fit_intercept
        moved = Point(coef + size * rng.normal(size=coef.shape), intercept + shift)
        return objective.centred(moved)

    point, reference = near(noise), near(away)
    assert isinstance(objective.source, InMemorySource)
    some = objective.source.take_rows(np.flatnonzero(rng.random(30) < part))
    penalty = L2Penalty(part * objective.penalty.strength)
    small = Objective(some, objective.loss, penalty, fit_intercept=fit_intercept)
    hessian = small.evaluate(reference, with_hessian=True).hessian
    assert hessian is not None
    moved = small.raw_direction(point.moved(-1.0, reference))
    drift = float(objective.loss.log_curvature_change(moved).max())
    curvature = Curvature(hessian, objective.loss.n_outputs)
    evaluation = objective.evaluate(point)
    outcome = Outcome(evaluation, "converged", [], curvature, reference, drift)
    for enough in (0.0, 1e-1):
        certificate = certify(objective, outcome, enough=enough)
        hold(p, best, coef, point, certificate)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("scale", [1.0, 1e6])
@pytest.mark.parametrize("look", [measure_rounding, bound_rounding])
def test_the_gradient_rounding_bound_covers_the_true_error(
    problem: Callable[..., Any], n_classes: int, scale: float, look: Callable[..., Rounding]
) -> None:
    p = problem(5, n_samples=60, n_classes=n_classes, weighted=True, C=3.0)
    objective = objective_of(p)
    rng = np.random.default_rng(2)
    coef, intercept = rng.normal(size=(3, p.n_outputs)) * 4, rng.normal(size=p.n_outputs) * scale
    point = Point(coef, intercept)
    evaluation = objective.evaluate(point)
    rounding = look(objective, evaluation)
    with mpmath.workdps(50):
        k, first = p.n_outputs, p.n_classes - p.n_outputs
        table = [[mpmath.mpf(float(v)) for v in row] for row in coef.T]
        shift = [mpmath.mpf(float(v)) for v in intercept]
        true = [[w / mpmath.mpf(3) for w in row] + [mpmath.mpf(0)] for row in table]
        for i in range(60):
            scores = p._scores(i, table, shift)
            top = max(scores)
            e = [mpmath.exp(s - top) for s in scores]
            for c in range(k):
                a = e[c + first] / mpmath.fsum(e) - int(p.y[i] == c + first)
                for j in range(3):
                    true[c][j] += mpmath.mpf(float(p.weights[i])) * a * mpmath.mpf(float(p.X[i, j]))
                true[c][3] += mpmath.mpf(float(p.weights[i])) * a
        for c in range(k):
            for j in range(3):
                error = abs(float(evaluation.gradient.coef[j, c] - true[c][j]))
                assert error <= rounding.gradient.coef[j, c]
            error = abs(float(evaluation.gradient.intercept[c] - true[c][3]))
            assert error <= rounding.gradient.intercept[c]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("pure", [True, False])
def test_no_bound_without_a_read_is_below_the_measured_one(n_classes: int, pure: bool) -> None:
    rng = np.random.default_rng(4)
    X = rng.normal(size=(50, 3)) * [1.0, 100.0, 1e-3]
    shares = np.eye(n_classes)[rng.integers(n_classes, size=50)]
    if not pure:
        shares = rng.dirichlet(np.ones(n_classes), size=50)
    y = shares[:, 1] if n_classes == 2 else shares
    source = InMemorySource(X, y, rng.random(50), n_classes=n_classes)
    loss: Loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
    objective = Objective(source, loss, L2Penalty(np.ones(3)))
    for size in (0.0, 1e-3, 0.1, 3.0):
        coef = size * rng.normal(size=(3, loss.n_outputs))
        evaluation = objective.evaluate(Point(coef, rng.normal(size=loss.n_outputs)))
        weights = objective.unpack(np.tile(rng.random(4) + 0.1, loss.n_outputs))
        measured = measure_rounding(objective, evaluation, weights=weights)
        bounded = bound_rounding(objective, evaluation, weights=weights)
        for name in ("gradient", "of_sums"):
            low, high = getattr(measured, name), getattr(bounded, name)
            assert (low.coef <= high.coef).all()
            assert (low.intercept <= high.intercept).all()
        for name in ("of_scores", "value", "raw_prediction", "hessian", "longest_row", "largest"):
            assert getattr(measured, name) <= getattr(bounded, name), name
        assert (measured.reach <= bounded.reach).all()


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("size", [0.1, 3.0, 40.0, 900.0])
@pytest.mark.parametrize("residue", [1e-13, 1e-6, 0.2])
def test_a_residual_of_the_intercept_costs_no_less_than_the_gap_it_leaves(
    n_classes: int, size: float, residue: float
) -> None:
    rng = np.random.default_rng(7)
    X, y = rng.normal(size=(60, 2)), rng.permutation(np.arange(60) % n_classes)
    source = InMemorySource(X, y, 0.5 + rng.random(60), n_classes=n_classes)
    loss: Loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
    objective = Objective(source, loss, L2Penalty(np.ones(2)))
    coef = size * rng.normal(size=(2, loss.n_outputs))
    at = objective.evaluate(Point(coef, np.zeros(loss.n_outputs)))
    residual = residue * rng.uniform(-1, 1, n_classes)
    residual = residual[1:] if n_classes == 2 else residual - residual.mean()
    at = replace(at, gradient=Point(at.gradient.coef, residual))
    mixed, price = balanced_intercepts(objective, at, bound_rounding(objective, at), exactly=True)
    gap = _gap_of_mixing(objective, at.raw_prediction, residual, mixed)
    assert gap <= price
    if size < 1:  # of second order
        assert price <= 1e3 * residue**2 + 1e-24


def _gap_of_mixing(
    objective: Objective, raw: FloatArray, residual: FloatArray, mixed: float
) -> float:
    """Return sum_i s_i KL((1-t) p_i + t q || p_i), for the q that cancels the residuals."""
    per_class = class_weights(objective)
    whole = np.array([-residual[0], residual[0]]) if len(residual) == 1 else residual
    with mpmath.workdps(60):
        t, weight = mpmath.mpf(mixed), mpmath.mpf(float(per_class.sum()))
        q = [
            mpmath.mpf(n) / weight - (1 - t) / t * mpmath.mpf(r) / weight
            for n, r in zip(per_class.tolist(), whole.tolist(), strict=True)
        ]
        assert all(
            0 <= a <= 2 * mpmath.mpf(n) / weight for a, n in zip(q, per_class.tolist(), strict=True)
        )
        total = mpmath.mpf(0)
        for scores, s in zip(raw.tolist(), objective.source.weights(slice(0, 60)), strict=True):
            odds = [mpmath.exp(z) for z in ([0.0, *scores] if len(scores) == 1 else scores)]
            p = [o / mpmath.fsum(odds) for o in odds]
            mix = [(1 - t) * a + t * b for a, b in zip(p, q, strict=True)]
            total += mpmath.mpf(float(s)) * mpmath.fsum(
                m * mpmath.log(m / a) for m, a in zip(mix, p, strict=True)
            )
        return float(total)


def test_rounding_of_residuals_hardly_widens_the_gap_of_sure_classes() -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(1500, 60))
    y = (X @ rng.normal(size=(60, 4)) + rng.gumbel(size=(1500, 4))).argmax(axis=1)
    source = InMemorySource(X, y, n_classes=4)
    proven = fit_linear_model(source, tol=1e-10, method="newton-blocks").certificate
    assert proven.kind == "duality gap"
    assert proven.relative_bound <= 1e-11  # of first order in rounding, it was 9e-11


def test_class_weights_are_sums_of_weights() -> None:
    source = InMemorySource(np.ones((4, 1)), np.array([0, 2, 1, 2]), np.arange(4.0), n_classes=3)
    objective = Objective(source, SoftmaxLoss(3), L2Penalty(np.ones(1)))
    np.testing.assert_array_equal(class_weights(objective), [0, 2, 4])


def test_the_certificate_is_the_sentence_to_read(problem: Callable[..., Any]) -> None:
    p = problem(1)
    proven = fit_linear_model(InMemorySource(p.X, p.y)).certificate
    assert str(proven).startswith("Proven: f - f* <= ")
    assert "of f*" in str(proven)
    assert "rounding" in str(proven)
    early = fit_linear_model(InMemorySource(p.X, p.y), C=np.inf, max_iter=0).certificate
    assert not early.proven
    assert str(early).startswith("Nothing is proven: ")
    separable = fit_linear_model(
        InMemorySource(p.X, (p.X[:, 0] > 0).astype(int)), C=np.inf
    ).certificate
    assert str(separable).startswith("Proven: there is no finite optimum")
