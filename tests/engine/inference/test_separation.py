"""Separated data: what runs off is named, and the rest is the limit of maximum likelihood."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize, stats

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def separated(seed: int) -> tuple[Any, Any, Any]:
    """Return rows in which a 0/1 column has ones only where y is 1."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(200, 3)).round(2)
    y = (rng.random(200) < 1 / (1 + np.exp(-X[:, 0] + 0.3))).astype(int)
    group = rng.random(200) < 0.2
    y[group] = 1
    return np.column_stack([X, group]), y, group


@pytest.mark.parametrize("seed", range(4))
def test_the_limit_is_the_fit_to_the_undecided_rows(seed: int) -> None:
    X, y, group = separated(seed)
    found = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
    rest = LogisticRegression(C=np.inf).fit(X[~group, :3], y[~group])
    expected = rest.inference(X[~group, :3], y[~group])
    np.testing.assert_allclose(found.coefficients[0, :4], expected.coefficients[0], rtol=1e-6)
    assert found.coefficients[0, 4] == np.inf
    np.testing.assert_allclose(found.std_errors[:4], expected.std_errors, rtol=1e-6)
    assert np.isnan(found.std_errors[4])
    assert found.glance()["logLik"] == pytest.approx(expected.glance()["logLik"], abs=1e-6)
    assert found.glance()["nobs"] == 200
    assert found.glance()["df.residual"] == 195
    assert "x3 to +inf" in str(found)


@pytest.mark.parametrize("seed", range(4))
def test_likelihood_ratios_are_those_of_the_suprema(seed: int) -> None:
    X, y, group = separated(seed)
    found = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
    rest = LogisticRegression(C=np.inf).fit(X[~group, :3], y[~group])
    null = LogisticRegression(C=np.inf).fit(X[:, :3], y)
    test = found.lr("x3")
    assert test.statistic == pytest.approx(2 * (null.objective_ - rest.objective_), rel=1e-6)
    assert test.p_value == pytest.approx(stats.chi2.sf(test.statistic, 1))
    without = LogisticRegression(C=np.inf).fit(X[~group][:, [1, 2]], y[~group])
    assert found.lr("x0").statistic == pytest.approx(
        2 * (without.objective_ - rest.objective_), rel=1e-6
    )


def test_separation_within_what_separation_leaves() -> None:
    X, y, group = separated(7)
    second = (~group) & (np.arange(200) % 5 == 0)
    y[second] = 0
    X = np.column_stack([X, second])
    found = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
    assert found.coefficients[0, 4] == np.inf
    assert found.coefficients[0, 5] == -np.inf
    left = ~(group | second)
    rest = LogisticRegression(C=np.inf).fit(X[left, :3], y[left])
    np.testing.assert_allclose(found.coefficients[0, 1:4], rest.coef_[0], rtol=1e-6)


def test_counts_that_are_all_zero_in_a_group() -> None:
    rng = np.random.default_rng(2)
    X = np.column_stack([rng.normal(size=(150, 2)), rng.random(150) < 0.2])
    y = rng.poisson(np.exp(0.4 * X[:, 0]))
    y[X[:, 2] == 1] = 0
    found = PoissonRegressor(alpha=0).fit(X, y).inference(X, y)
    left = X[:, 2] == 0
    rest = PoissonRegressor(alpha=0).fit(X[left, :2], y[left])
    assert found.coefficients[0, 3] == -np.inf
    np.testing.assert_allclose(found.coefficients[0, 1:3], rest.coef_, rtol=1e-6)


def test_what_needs_an_optimum_says_so() -> None:
    X, y, _ = separated(0)
    found = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
    for ask in (
        found.calibration,
        found.goodness,
        found.bootstrap,
        found.ame,
        found.influence,
        lambda: found.score("x0"),
    ):
        with pytest.raises(DataError, match="separated"):
            ask()
    line = np.arange(20.0)[:, None]
    model = LogisticRegression(C=np.inf).fit(line, line[:, 0] > 9)
    with pytest.raises(DataError, match="No row is undecided"):
        model.inference(line, line[:, 0] > 9)


def test_profiles_of_the_others_are_those_of_the_undecided_rows() -> None:
    X, y, group = separated(1)
    found = LogisticRegression(C=np.inf).fit(X, y).inference(X, y)
    rest = LogisticRegression(C=np.inf).fit(X[~group, :3], y[~group])
    expected = rest.inference(X[~group, :3], y[~group]).profile("x0")
    np.testing.assert_allclose(found.profile("x0"), expected, rtol=1e-6)


@pytest.mark.parametrize(("n_group", "level"), [(10, 0.95), (25, 0.99), (1, 0.95)])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_end_of_the_interval_of_what_runs_off_is_finite(
    n_group: int, level: float, sign: int
) -> None:
    """Two binomial groups, one of them without a failure: the profile is a sum of two terms."""
    group = np.repeat([0.0, 1.0], [40, n_group])
    y = np.concatenate([np.arange(40) % 4 == 0, np.ones(n_group)]).astype(bool)
    target = y if sign > 0 else ~y
    model = LogisticRegression(C=np.inf).fit(group[:, None], target)
    low, high = model.inference(group[:, None], target, level=level).profile("x0")
    rise = stats.chi2.ppf(level, 1) / 2

    def profile(beta: float) -> float:
        def loss(alpha: float) -> float:
            return float(
                10 * np.logaddexp(0, -alpha)
                + 30 * np.logaddexp(0, alpha)
                + n_group * np.logaddexp(0, -alpha - beta)
            )

        return float(optimize.minimize_scalar(loss, (-5, 5), tol=1e-12).fun)

    infimum = 10 * np.log(4) + 30 * np.log(4 / 3)
    right = optimize.brentq(lambda beta: profile(beta) - infimum - rise, -30, 30)
    finite, endless = (low, high) if sign > 0 else (high, low)
    assert finite == pytest.approx(sign * right, abs=1e-5)
    assert endless == sign * np.inf


def test_the_separated_columns_of_several_classes_are_named() -> None:
    X, y, group = separated(2)
    several = np.where(group, 2, y)
    model = LogisticRegression(C=np.inf).fit(X, several)
    with pytest.raises(DataError, match="column 3 separates the classes"):
        model.inference(X, several)


def test_several_classes_are_refused_by_column_and_class() -> None:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(240, 2))
    y = np.array(["low", "middle", "high"])[rng.integers(0, 3, 240)]
    flag = (y != "low") & (rng.random(240) < 0.4)
    data = np.column_stack([X, flag])
    model = LogisticRegression(C=np.inf).fit(data, y)
    with pytest.raises(DataError) as refused:
        model.inference(data, y)
    said = str(refused.value)
    assert "column 2 (up for" in said
    assert "down for 'low')" in said
    assert "merge the classes" in said
    held = LogisticRegression(C=1.0).fit(data, y)
    assert len(held.inference(data, y, penalised="bayes").tidy["term"]) == 8
