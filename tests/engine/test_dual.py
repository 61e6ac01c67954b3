"""One unknown a row, for more columns than rows: the same optimum as on the columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression


def wide(seed: int, n_samples: int = 60, n_features: int = 400) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    return X, X[:, 0] + 0.3 * rng.logistic(size=n_samples) > 0


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_it_reaches_the_optimum_on_the_columns(C: float, fit_intercept: bool, form: Any) -> None:
    X, y = wide(1)
    weight = np.random.default_rng(2).random(len(y)) + 0.1
    common: dict[str, Any] = {"C": C, "fit_intercept": fit_intercept, "tol": 1e-10}
    solver = "auto" if form is np.asarray else "newton-rows"
    model = LogisticRegression(solver=solver, **common).fit(form(X), y, weight)
    other = LogisticRegression(solver="newton-cholesky", **common).fit(X, y, weight)
    assert model.solver_ == "newton-rows"
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-10
    np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-4, atol=1e-6)


def test_repeated_rows_and_wild_scales_do_no_harm() -> None:
    X, y = wide(3)
    X = np.vstack([X, X]) * 10.0 ** np.linspace(-3, 3, X.shape[1])
    X[:, 5] *= 1e60
    y = np.concatenate([y, ~y[:5], y[5:]])
    model = LogisticRegression().fit(X, y)
    assert model.solver_ == "newton-rows"
    assert model.certificate_.proven


def test_a_warm_start_is_not_made_worse() -> None:
    X, y = wide(4)
    model = LogisticRegression(warm_start=True, tol=1e-10).fit(X, y)
    value = model.objective_
    assert model.fit(X, y).objective_ <= value * (1 + 1e-10)


def test_it_gives_way_where_it_does_not_apply() -> None:
    X, y = wide(5, n_samples=30, n_features=40)
    labels = y.astype(int) + (X[:, 1] > 1)
    model = LogisticRegression(solver="newton-rows").fit(X, labels)
    assert model.solver_ == "newton-cg"
    assert "needs a penalty" in model.explain()
