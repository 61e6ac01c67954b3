"""Unpenalised fits that reach the least value of every loss: optimal, whatever is collinear."""

from __future__ import annotations

import warnings
from typing import Any

import mpmath
import numpy as np
import pytest
from tests.loss_definitions import DEFINITIONS

from chainrule import LinearModel

LOSSES = ("squared", "huber", "log_cosh", "quantile", "gamma", "poisson", "squared_hinge")


def problem(loss: str, n_samples: int = 12, n_features: int = 30) -> tuple[Any, Any]:
    """Return more columns than rows, and targets that the loss takes."""
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_samples, n_features))
    y = X @ rng.normal(size=n_features) + 1
    if DEFINITIONS[loss].targets in ("positive", "non-negative"):
        y = np.abs(y) + 0.1
    return X, np.sign(y) if loss == "squared_hinge" else y


def excess(model: Any, X: Any, y: Any, loss: str) -> Any:
    """f less the sum of the least losses, in 50 digits."""
    definition, total = DEFINITIONS[loss], mpmath.mpf(0)
    with mpmath.workdps(50):
        number = np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])
        scores = number(X) @ number(np.ravel(model.coef_)) + number(model.intercept_)
        for z, target in zip(scores.ravel(), number(y), strict=True):
            total += definition.value(z, target) - definition.least(target)
    return total


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("repeated", [False, True])
def test_a_fit_that_reaches_the_least_value_is_proven_optimal(loss: str, repeated: bool) -> None:
    X, y = problem(loss)
    X = np.column_stack([X, X[:, :2]]) if repeated else X
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = LinearModel(loss=loss, C=np.inf).fit(X, y)
    certificate = model.certificate_
    assert certificate.proven
    assert certificate.kind == "least value"
    assert certificate.relative_bound <= 1e-8
    assert "of f at zero coefficients" in str(certificate)
    # f* is the sum of the least losses or above it
    assert excess(model, X, y, loss) <= certificate.suboptimality_bound


@pytest.mark.parametrize("loss", ["squared", "log_cosh", "poisson"])
def test_a_fit_above_the_least_value_does_not_claim_it(loss: str) -> None:
    X, y = problem(loss, n_samples=40, n_features=3)
    y = y + np.arange(40) % 3  # no combination of the columns
    certificate = LinearModel(loss=loss, C=np.inf).fit(X, y).certificate_
    assert certificate.kind != "least value"
    assert "zero coefficients" not in str(certificate)


def test_counts_of_zero_have_a_least_value_that_is_not_reached() -> None:
    X, y = problem("poisson")
    y[0] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        certificate = LinearModel(loss="poisson", C=np.inf).fit(X, y).certificate_
    assert certificate.kind != "least value"
