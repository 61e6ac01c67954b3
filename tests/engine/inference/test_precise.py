"""Errors held to fifty digits, and enclosures that hold the exact optimum's numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule import LogisticRegression, PoissonRegressor

DIGITS = 50


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


MEANS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "logistic": (_sigmoid, lambda z: _sigmoid(z) * (1 - _sigmoid(z))),
    "poisson": (mpmath.exp, mpmath.exp),
}


class Exact:
    """The unpenalised optimum of a canonical model, with its covariances, in fifty digits."""

    def __init__(self, name: str, X: Any, y: Any, weight: Any) -> None:
        mean, slope = MEANS[name]
        with mpmath.workdps(DIGITS):
            D = mpmath.matrix([[1, *map(float, row)] for row in X])
            target, s = ([mpmath.mpf(float(v)) for v in part] for part in (y, weight))
            beta = mpmath.matrix(D.cols, 1)
            for _ in range(60):
                z = D * beta
                residual = [mean(z[i]) - target[i] for i in range(D.rows)]
                gradient = D.T * mpmath.matrix([s[i] * residual[i] for i in range(D.rows)])
                H = self._sandwich(D, [s[i] * slope(z[i]) for i in range(D.rows)])
                step = mpmath.lu_solve(H, gradient)
                beta -= step
                if mpmath.norm(step) < mpmath.mpf(10) ** -40:
                    break
            inverse = H**-1
            meat = self._sandwich(D, [s[i] * residual[i] ** 2 for i in range(D.rows)])
            robust = inverse * meat * inverse
            self.coef = list(beta)
            self.errors = [mpmath.sqrt(inverse[j, j]) for j in range(D.cols)]
            self.robust = [mpmath.sqrt(robust[j, j]) for j in range(D.cols)]
            self.p = [
                mpmath.erfc(abs(b / e) / mpmath.sqrt(2))
                for b, e in zip(self.coef, self.errors, strict=True)
            ]

    @staticmethod
    def _sandwich(D: Any, weights: list[Any]) -> Any:
        scaled = D.copy()
        for i in range(D.rows):
            for j in range(D.cols):
                scaled[i, j] *= weights[i]
        return D.T * scaled


def problem(seed: int, name: str, shift: float) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(60, 3)) * [1, 10, 0.1] + shift
    z = 0.5 * (X[:, 0] - shift) - 0.05 * (X[:, 1] - shift)
    y = rng.random(60) < 1 / (1 + np.exp(-z)) if name == "logistic" else rng.poisson(np.exp(z / 2))
    return X, y.astype(float), rng.integers(1, 4, 60).astype(float)


@pytest.mark.parametrize("shift", [0.0, 1e3])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", MEANS)
def test_errors_and_enclosures(name: str, seed: int, shift: float) -> None:
    X, y, weight = problem(seed, name, shift)
    exact = Exact(name, X, y, weight)
    model: Any = (
        LogisticRegression(C=np.inf, tol=1e-14)
        if name == "logistic"
        else PoissonRegressor(alpha=0, tol=1e-14)
    )
    model.fit(X, y, weight)
    found = model.inference(X, y, weight)
    tolerance = 1e-12 if shift == 0 else 1e-9
    np.testing.assert_allclose(found.std_errors, [float(e) for e in exact.errors], rtol=tolerance)
    robust = model.inference(X, y, weight, cov="HC0")
    np.testing.assert_allclose(robust.std_errors, [float(e) for e in exact.robust], rtol=tolerance)
    bounds = found.enclosures()
    assert np.isfinite(bounds["estimate.low"]).all(), "nothing is proven of an easy problem"
    for j in range(4):
        assert bounds["estimate.low"][j] <= exact.coef[j] <= bounds["estimate.high"][j]
        assert bounds["std.error.low"][j] <= exact.errors[j] <= bounds["std.error.high"][j]
        assert bounds["p.value.low"][j] <= exact.p[j] <= bounds["p.value.high"][j]


@pytest.mark.parametrize("name", MEANS)
def test_an_early_stop_widens_the_enclosures_and_they_still_hold(name: str) -> None:
    X, y, weight = problem(11, name, 0.0)
    exact = Exact(name, X, y, weight)
    model: Any = (
        LogisticRegression(C=np.inf, tol=1e-4)
        if name == "logistic"
        else PoissonRegressor(alpha=0, tol=1e-4)
    )
    model.fit(X, y, weight)
    model.coef_ = model.coef_ * (1 + 1e-3)  # a worse point than any solver's
    bounds = model.inference(X, y, weight).enclosures()
    width = bounds["estimate.high"] - bounds["estimate.low"]
    assert (width > 1e-6).all()
    for j in range(4):
        assert bounds["estimate.low"][j] <= exact.coef[j] <= bounds["estimate.high"][j]
        assert bounds["std.error.low"][j] <= exact.errors[j] <= bounds["std.error.high"][j]
