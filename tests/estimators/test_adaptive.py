"""Adaptive weights: Zou's factors from a pilot, by hand, and the optimum in 50 digits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from tests.engine.elastic_net_oracle import Oracle

from chainrule import (
    LinearModel,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
    logistic_path,
)

RNG = np.random.default_rng(5)
X = RNG.normal(size=(120, 5)) * [1.0, 3.0, 0.2, 1.0, 1.0]
Z = X[:, 0] - 0.4 * X[:, 1]
Y = (Z + RNG.logistic(size=120) > 0).astype(int)
COUNTS = RNG.poisson(np.exp(0.3 * Z))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize(("given", "gamma"), [(True, 1.0), (2.0, 2.0), (0.5, 0.5)])
def test_factors_are_those_of_a_pilot_with_an_l2_penalty(
    form: Any, given: bool | float, gamma: float
) -> None:
    own = np.array([1.0, 2.0, 1.0, 0.5, 1.0])
    model = LogisticRegression(l1_ratio=1, C=0.3, penalty_factor=own, adaptive=given)
    model.fit(form(X), Y)
    pilot = LogisticRegression(C=1.0, tol=1e-12).fit(X, Y).coef_[0]
    np.testing.assert_allclose(model.penalty_factor_, own / np.abs(pilot) ** gamma, rtol=1e-3)
    by_hand = LogisticRegression(l1_ratio=1, C=0.3, penalty_factor=model.penalty_factor_)
    np.testing.assert_allclose(model.coef_, by_hand.fit(X, Y).coef_, atol=1e-4)
    assert model.certificate_.relative_bound <= 1e-8


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
def test_optimum_in_fifty_digits(l1_ratio: float) -> None:
    few = slice(0, 40)
    model = LogisticRegression(l1_ratio=l1_ratio, C=0.5, adaptive=True, tol=1e-12)
    model.fit(X[few], Y[few])
    l1 = l1_ratio * model.penalty_factor_ / 0.5
    # the squares keep their own factors (Zou and Zhang 2009)
    oracle = Oracle(X[few], Y[few].astype(float), l1, np.full(5, (1 - l1_ratio) / 0.5))
    best, coef, intercept = oracle.solve()
    excess = float(oracle.value(model.coef_[0], float(model.intercept_[0])) - best)
    assert excess <= 1e-12 * float(best)
    np.testing.assert_array_equal(model.coef_[0] != 0, coef != 0)
    assert 0 < np.count_nonzero(coef) < 5
    np.testing.assert_allclose(model.intercept_, intercept, atol=1e-5)


def test_a_path_of_standardised_columns_does_not_depend_on_their_units() -> None:
    units = np.array([1.0, 1e3, 1e-3, 7.0, 1e5])
    paths = [
        logistic_path(table, Y, n_lambdas=8, adaptive=True, standardize=True, tol=1e-10)
        for table in (X, X * units)
    ]
    np.testing.assert_allclose(paths[0].lambdas, paths[1].lambdas, rtol=1e-5)
    np.testing.assert_allclose(paths[0].coef, paths[1].coef * units, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(paths[0].penalty_factor, paths[1].penalty_factor, rtol=1e-3)
    assert paths[1].proven.all()
    strong = [entry.index for entry in paths[0].entered()[:2]]
    assert sorted(strong) == [0, 1]


def test_a_column_whose_pilot_is_zero_stays_at_zero_and_a_free_one_stays_free() -> None:
    wide = np.column_stack([X, np.full(120, 3.0)])
    path = logistic_path(wide, Y, n_lambdas=6, adaptive=True, penalty_factor=[0, 1, 1, 1, 1, 1])
    assert path.penalty_factor[0] == 0
    assert path.penalty_factor[-1] == np.inf
    assert (path.coef[:, -1] == 0).all()
    assert (path.coef[:, 0] != 0).all()
    assert path.proven.all()


def test_weights_over_many_powers_of_ten_are_proven() -> None:
    rng = np.random.default_rng(2)
    wide = rng.normal(size=(200, 12)) * 10.0 ** np.linspace(-3, 3, 12)
    labels = (wide[:, 6] + rng.logistic(size=200) > 0).astype(int)
    path = logistic_path(wide, labels, n_lambdas=15, adaptive=2.0, penalty_factor=[0] + [1] * 11)
    assert path.penalty_factor.max() / path.penalty_factor[1:].min() > 1e6
    assert path.proven.all()


def test_several_classes_share_the_norm_of_a_column() -> None:
    kinds = np.digitize(Z, [-1.0, 1.0])
    model = LogisticRegression(l1_ratio=1, C=0.5, adaptive=True).fit(X, kinds)
    pilot = LogisticRegression(C=1.0, tol=1e-12).fit(X, kinds).coef_
    np.testing.assert_allclose(model.penalty_factor_, 1 / np.linalg.norm(pilot, axis=0), rtol=1e-3)
    assert model.certificate_.relative_bound <= 1e-8


@pytest.mark.parametrize(
    "model",
    [
        PoissonRegressor(alpha=0.05, l1_ratio=1, adaptive=True),
        TweedieRegressor(power=1, alpha=0.05, l1_ratio=1, adaptive=True),
        LinearModel("poisson", alpha=0.05, l1_ratio=1, adaptive=True),
        PoissonRegressorCV(alphas=[0.05], l1_ratios=(1.0,), adaptive=True),
    ],
)
def test_regressors_weight_by_the_pilot_on_the_sum_of_the_losses(model: Any) -> None:
    model.fit(X, COUNTS)
    pilot = PoissonRegressor(alpha=1 / 120, tol=1e-12).fit(X, COUNTS).coef_
    np.testing.assert_allclose(model.penalty_factor_, 1 / np.abs(pilot), rtol=1e-3)
    expected = PoissonRegressor(alpha=0.05, l1_ratio=1, penalty_factor=model.penalty_factor_)
    np.testing.assert_allclose(model.coef_, expected.fit(X, COUNTS).coef_, atol=1e-4)


def test_every_fold_has_a_pilot_of_its_own() -> None:
    train, test = np.arange(80), np.arange(80, 120)
    choices: dict[str, Any] = {"Cs": [0.3], "l1_ratios": (1.0,), "adaptive": True}
    model = LogisticRegressionCV(cv=[(train, test)], **choices).fit(X, Y)
    alone = LogisticRegression(l1_ratio=1, C=0.3, adaptive=True).fit(X[train], Y[train])
    np.testing.assert_allclose(model.coefs_paths_[0, 0, 0, 0, :-1], alone.coef_[0], atol=1e-4)
    assert not np.allclose(model.penalty_factor_, alone.penalty_factor_, rtol=1e-2)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"adaptive": "yes"}, "adaptive must be"),
        ({"adaptive": -1.0}, "adaptive must be"),
        ({"adaptive": True, "l1_ratio": 0.0}, "l1_ratio=0"),
    ],
)
def test_refusals(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LogisticRegression(**{"l1_ratio": 1.0, **choices}).fit(X, Y)
    with pytest.raises(ValueError, match=message):
        logistic_path(X, Y, **{"n_lambdas": 3, **choices})
