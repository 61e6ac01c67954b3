"""Five hundred random fits, hostile ones among them: no bound is ever below the true error.

The truth is Newton's method in forty digits, begun at the engine's answer: where it ends does not
depend on where it began.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model


@pytest.mark.slow
@settings(
    max_examples=500,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    seed=st.integers(0, 10**9),
    n_samples=st.integers(5, 12),
    n_features=st.integers(1, 2),
    n_classes=st.sampled_from([2, 2, 2, 3]),
    C=st.sampled_from([1e-4, 1.0, 1.0, 1e3, 1e7]),
    fit_intercept=st.booleans(),
    weighted=st.booleans(),
    decades=st.integers(-6, 6),
    far=st.sampled_from([0.0, 0.0, 100.0, 2000.0]),
    tol=st.sampled_from([1e-1, 1e-4, 1e-8, 1e-13]),
    max_iter=st.sampled_from([1, 3, 100, 100, 100]),
    method=st.sampled_from(["auto", "newton-cg", "newton-rows"]),
)
def test_no_bound_is_below_the_true_error(
    problem: Callable[..., Any],
    seed: int,
    n_samples: int,
    n_features: int,
    n_classes: int,
    C: float,
    fit_intercept: bool,
    weighted: bool,
    decades: int,
    far: float,
    tol: float,
    max_iter: int,
    method: Any,
) -> None:
    p = problem(
        seed,
        n_samples=n_samples,
        n_features=n_features,
        n_classes=n_classes,
        C=C,
        fit_intercept=fit_intercept,
        weighted=weighted,
        scales=10.0 ** np.linspace(0, decades, n_features),
    )
    p.X[:] += far
    source = InMemorySource(p.X, p.y, p.weights, n_classes=n_classes, center=fit_intercept)
    fit = fit_linear_model(
        source, C=C, fit_intercept=fit_intercept, tol=tol, max_iter=max_iter, method=method
    )
    certificate = fit.certificate
    assert certificate.proven
    best, coef, _ = p.solve(start=fit.point)
    with mpmath.workdps(40):
        error = p.value(fit.point.coef, fit.point.intercept) - best
    # forty digits know f* to thirty
    slack = mpmath.mpf(10) ** -30 * best
    assert error <= certificate.suboptimality_bound + slack
    if np.isfinite(certificate.relative_bound):
        assert error <= certificate.relative_bound * best + slack
    distance = float(np.linalg.norm(fit.point.coef - coef))
    assert distance <= certificate.distance_bound * (1 + 1e-9) + 1e-15 * float(np.abs(coef).max())
    if fit.met:
        negligible = tol * 2.0**-52 * p.value(0 * fit.point.coef, 0 * fit.point.intercept)
        assert error <= max(tol * best, negligible) + slack
