"""Random fits of every loss: no certified bound is below the true error, known to fifty digits.

A dozen fits per loss belong to the suite; `make bounds` tries three hundred.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, replace
from typing import Any, Final

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.glm_oracle import DIGITS, GlmProblem, fixed_problems, random_problem
from tests.loss_definitions import LOSSES, POISSON, LossDefinition

import chainrule

Array = npt.NDArray[Any]

EXAMPLES: Final = int(os.environ.get("CHAINRULE_BOUND_EXAMPLES", "12"))
IS_OPEN: Final = "LinearModel" in chainrule.__all__

needs_the_engine = pytest.mark.skipif(not IS_OPEN, reason="chainrule has no LinearModel yet")
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=str)
every_convex_loss = pytest.mark.parametrize(
    "loss", [loss for loss in LOSSES.values() if loss.convex], ids=str
)


@dataclass(frozen=True)
class Claim:
    """A point and what a certificate claims of it."""

    coef: Array
    intercept: float
    suboptimality_bound: float
    relative_bound: float = np.inf
    distance_bound: float = np.inf
    proven: bool = True


def assert_true(problem: GlmProblem, claim: Claim) -> None:
    """Fail where a bound that is called proven is below the error."""
    best = problem.solve(claim.coef, claim.intercept)
    if not problem.loss.convex:
        best = min(best, problem.solve(), key=lambda optimum: optimum.value)
    if not claim.proven:
        return
    with mpmath.workdps(DIGITS):
        error = problem.value(claim.coef, claim.intercept) - best.value
        slack = mpmath.mpf(10) ** (5 - DIGITS) * (1 + abs(best.value))
        assert error <= claim.suboptimality_bound + slack
        if np.isfinite(claim.relative_bound):
            assert error <= claim.relative_bound * best.excess + slack
        if np.isfinite(claim.distance_bound):
            # a norm of rounded numbers is compared
            reach = claim.distance_bound * (1 + mpmath.mpf(10) ** -12)
            assert best.distance(claim.coef) <= reach + slack


def fit(problem: GlmProblem, *, tol: float = 1e-8, max_iter: int = 100) -> Any:
    """Fit with `LinearModel`; warnings of fits that are stopped early are not the subject."""
    model = chainrule.LinearModel(
        loss=problem.loss.name,
        C=problem.C,
        tol=tol,
        max_iter=max_iter,
        fit_intercept=problem.fit_intercept,
        constants=dict(problem.loss.constants) or None,
    )
    offset = problem.offset if np.any(problem.offset) else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(problem.X, problem.y, problem.weights, offset=offset)


def claim_of(model: Any) -> Claim:
    certificate = model.certificate_
    return Claim(
        np.ravel(model.coef_),
        float(np.ravel(model.intercept_)[0]),
        certificate.suboptimality_bound,
        certificate.relative_bound,
        certificate.distance_bound,
        certificate.proven,
    )


@pytest.mark.slow
@needs_the_engine
@every_loss
def test_no_bound_is_below_the_true_error(loss: LossDefinition) -> None:
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(
        seed=st.integers(0, 10**9),
        n_samples=st.integers(6, 12),
        n_features=st.integers(1, 2),
        C=st.sampled_from([1e-4, 1.0, 1.0, 1e3, 1e7, np.inf]),
        fit_intercept=st.booleans(),
        weighted=st.booleans(),
        with_offset=st.booleans(),
        decades=st.integers(-4, 4),
        tol=st.sampled_from([1e-1, 1e-4, 1e-8, 1e-13]),
        max_iter=st.sampled_from([1, 3, 100, 100, 100]),
    )
    def check(tol: float, max_iter: int, C: float, seed: int, **options: Any) -> None:
        if not loss.convex:
            C = min(C, 1e3)
        elif loss.jumps:  # without a penalty a whole segment may be optimal
            C = min(C, 1e7)
        problem = random_problem(loss, seed, C=C, **options)
        claim = claim_of(fit(problem, tol=tol, max_iter=max_iter))
        assert_true(problem, claim)
        if loss.convex and np.isfinite(C):
            assert claim.proven
            assert np.isfinite(claim.suboptimality_bound)

    check()


@needs_the_engine
@every_loss
@pytest.mark.parametrize("which", range(8))
def test_a_fit_ends_at_the_optimum(loss: LossDefinition, which: int) -> None:
    problem = fixed_problems(loss)[which]
    model = fit(problem, tol=1e-13)
    claim = claim_of(model)
    assert_true(problem, claim)
    best = problem.solve(claim.coef, claim.intercept)
    error = problem.value(claim.coef, claim.intercept) - best.value
    assert error <= 1e-13 * best.excess
    if not loss.convex:
        assert not claim.proven
        assert "not convex" in str(model.certificate_).lower()
    elif np.isfinite(problem.C) or loss.self_concordance is not None:
        # without a self-concordance constant, only a penalty proves a bound
        assert claim.proven
        assert claim.relative_bound <= 1e-12


# What follows holds the check itself to account: it must reject a bound that is too small.


def ridge_claim(problem: GlmProblem, coef: Array, intercept: float) -> Claim:
    """The bounds of strong convexity, |gradient|^2 C / 2 and |gradient| C, without an intercept."""
    norm = mpmath.norm(problem.gradient(coef, intercept))
    bound = norm**2 * problem.C / 2
    least = problem.excess(coef, intercept) - bound
    relative = float(bound / least) if least > 0 else np.inf
    return Claim(coef, intercept, float(bound), relative * 1.001, float(norm * problem.C))


@pytest.mark.parametrize("seed", range(4))
@every_convex_loss
def test_the_check_accepts_the_bound_of_strong_convexity(loss: LossDefinition, seed: int) -> None:
    problem = random_problem(loss, seed, C=0.1, fit_intercept=False, weighted=True)
    near = np.array(problem.solve().coef, float) + 1e-4
    assert_true(problem, ridge_claim(problem, near, 0.0))


@pytest.mark.parametrize("field", ["suboptimality_bound", "relative_bound", "distance_bound"])
@pytest.mark.parametrize("share", [0.99, 1e-9])
def test_the_check_rejects_a_bound_that_is_too_small(field: str, share: float) -> None:
    problem = random_problem(POISSON, 3, C=1.0, with_offset=True)
    best = problem.solve()
    coef, intercept = np.array(best.coef, float) + 1e-3, float(best.intercept)
    error = problem.value(coef, intercept) - best.value
    exact = Claim(
        coef,
        intercept,
        float(error * 1.0001),
        float(error / best.excess * 1.0001),
        float(best.distance(coef) * 1.0001),
    )
    assert_true(problem, exact)
    with pytest.raises(AssertionError):
        assert_true(problem, replace(exact, **{field: share * getattr(exact, field)}))
