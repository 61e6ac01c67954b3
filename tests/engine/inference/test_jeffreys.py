"""Firth's logistic regression, held to R's brglm2 and to the definition of its likelihood."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats
from tests.engine.inference.test_against_r import DATA, STORED, X, close

from chainrule import LogisticRegression
from chainrule.errors import DataError

ROWS = slice(0, 60)
S = (DATA["x1"][ROWS] > 0.6).astype(float)
DESIGN = np.column_stack([X[ROWS, :2], S])
Y = np.maximum(DATA["yb"][ROWS], S).astype(int)
"""Separated by the third column."""
SEARCH: dict[str, Any] = {"fatol": 1e-12, "xatol": 1e-9, "maxiter": 4000}


def penalised(beta: Any, X: Any = DESIGN, y: Any = Y, weight: Any = None) -> float:
    """The loss less half the log-determinant, from its definition."""
    D = np.column_stack([np.ones(len(X)), X])
    s = np.ones(len(y)) if weight is None else weight
    z = D @ beta
    p = 1 / (1 + np.exp(-z))
    loss = s @ (np.logaddexp(0, z) - y * z)
    return float(loss - np.linalg.slogdet(D.T @ (D * (s * p * (1 - p))[:, None]))[1] / 2)


def fitted(penalty: str = "jeffreys", **options: Any) -> LogisticRegression:
    return LogisticRegression(penalty=penalty).fit(DESIGN, Y, **options)


def test_coefficients_and_errors_of_separated_data_are_those_of_r() -> None:
    expected = STORED["results"]["firth"]
    model = fitted()
    found = model.inference(DESIGN, Y)
    assert close(found.coefficients, expected["coef"], 1e-9)
    assert close(found.std_errors, expected["se"], 1e-9)
    assert not model.certificate_.proven
    assert "Jeffreys" in str(found)


def test_the_optimum_is_that_of_the_definition() -> None:
    weight = np.random.default_rng(0).integers(1, 4, len(Y)).astype(float)
    model = fitted(sample_weight=weight)
    beta = np.concatenate([model.intercept_, model.coef_[0]])
    assert model.objective_ == pytest.approx(penalised(beta, weight=weight), rel=1e-12)
    gradient = optimize.approx_fprime(beta, lambda b: penalised(b, weight=weight), 1e-6)
    assert np.abs(gradient).max() < 1e-4
    many = np.repeat(np.arange(len(Y)), weight.astype(int))
    long = LogisticRegression(penalty="jeffreys").fit(DESIGN[many], Y[many])
    np.testing.assert_allclose(long.coef_, model.coef_, rtol=1e-9)


@pytest.mark.parametrize("term", ["x0", "x2", "(Intercept)"])
def test_profile_limits_solve_the_equation_of_the_penalised_likelihood(term: str) -> None:
    found = fitted().inference(DESIGN, Y)
    place = list(found.terms.names).index(term)
    least = penalised(found.coefficients[0])
    for limit in found.profile(term):

        def held(rest: Any, limit: float = limit) -> float:
            return penalised(np.insert(rest, place, limit))

        start = np.delete(found.coefficients[0], place)
        best = optimize.minimize(held, start, method="Nelder-Mead", options=SEARCH)
        assert best.fun - least == pytest.approx(stats.chi2.ppf(0.95, 1) / 2, rel=1e-6)


def test_the_penalised_likelihood_ratio() -> None:
    found = fitted().inference(DESIGN, Y)

    def held(rest: Any) -> float:
        return penalised(np.append(rest, 0.0))

    best = optimize.minimize(held, np.zeros(3), method="Nelder-Mead", options=SEARCH)
    statistic = 2 * (best.fun - penalised(found.coefficients[0]))
    assert found.lr("x2").statistic == pytest.approx(statistic, rel=1e-6)


@pytest.mark.parametrize("penalty", ["jeffreys-flic", "jeffreys-flac"])
def test_corrections_make_predictions_agree_on_average(penalty: str) -> None:
    model = fitted(penalty)
    mean = model.predict_proba(DESIGN)[:, 1].mean()
    assert mean == pytest.approx(Y.mean(), abs=1e-9)
    assert fitted().predict_proba(DESIGN)[:, 1].mean() != pytest.approx(Y.mean(), abs=1e-4)
    if penalty.endswith("flic"):
        np.testing.assert_allclose(model.coef_, fitted().coef_, rtol=1e-12)
    with pytest.raises(DataError, match="penalty='jeffreys'"):
        model.inference(DESIGN, Y)


def test_refusals() -> None:
    with pytest.raises(DataError, match="two classes"):
        LogisticRegression(penalty="jeffreys").fit(DESIGN, np.arange(60) % 3)
    with pytest.raises(ValueError, match="jeffreys"):
        LogisticRegression(penalty="firth").fit(DESIGN, Y)
    with pytest.raises(DataError, match="stationary"):
        fitted().inference(DESIGN, Y).proven()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        LogisticRegression(penalty="jeffreys", max_iter=1).fit(DESIGN, Y)
    assert "too few" in str(caught[0].message)
