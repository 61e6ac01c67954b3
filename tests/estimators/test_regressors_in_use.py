"""The regressors in use: searches, interrupts, callbacks, warnings, large data."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from chainrule import GammaRegressor, LinearModel, PoissonRegressor, TweedieRegressor
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.errors import DataError


def counts(n_samples: int = 300, n_features: int = 4) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    return X, rng.poisson(np.exp(0.4 * X[:, 0] - 0.3 * X[:, 1] + 0.5)).astype(float)


@pytest.mark.slow
def test_searches_and_pipelines() -> None:
    X, y = counts()
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LinearModel("poisson")),
        {"linearmodel__loss": ["poisson", "log(cosh(z - y))"], "linearmodel__C": [0.1, 10.0]},
        error_score="raise",
        scoring="neg_mean_squared_error",
    ).fit(X, y)
    assert search.best_params_["linearmodel__loss"] == "poisson"
    scores = cross_val_score(TweedieRegressor(power=1.3, alpha=0.01), X, y)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg"])
def test_an_interrupt_leaves_the_best_iterate_and_its_certificate(
    monkeypatch: pytest.MonkeyPatch, solver: str
) -> None:
    X, y = counts()
    evaluate, calls = Objective.evaluate, 0

    def until(self: Any, point: Point, **how: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise KeyboardInterrupt
        return evaluate(self, point, **how)

    monkeypatch.setattr(Objective, "evaluate", until)
    model = PoissonRegressor(alpha=0.01, solver=solver)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    monkeypatch.undo()
    best = PoissonRegressor(alpha=0.01, tol=1e-14).fit(X, y)
    gap = model.objective_ - best.objective_
    assert 0 <= gap <= model.certificate_.suboptimality_bound < np.inf
    assert model.predict(X).shape == (len(X),)


def test_an_interrupt_before_the_first_iterate_leaves_the_model_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X, y = counts()
    model = LinearModel("poisson").fit(X, y)
    before = model.predict(X)

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Objective, "evaluate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        model.set_params(loss="squared").fit(X, y)
    np.testing.assert_array_equal(model.predict(X), before)


def test_too_few_iterations_warn_where_the_fit_is_called() -> None:
    X, y = counts()
    with pytest.warns(ConvergenceWarning, match=r"max_iter=1 iterations were too few") as caught:
        PoissonRegressor(alpha=1e-3, max_iter=1, tol=1e-12).fit(X, y)
    assert caught[0].filename == __file__


def test_callbacks_are_told_of_each_iteration() -> None:
    pytest.importorskip("sklearn.callback")
    from sklearn.callback import ProgressBar

    X, y = counts()
    model = PoissonRegressor(alpha=0.01)
    model.set_callbacks(ProgressBar())
    model.fit(X, y)
    assert model.certificate_.proven


@pytest.mark.parametrize("method", ["predict", "linear_predictor"])
def test_an_unfitted_model_says_so(method: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(LinearModel(), method)([[1.0]])


def test_parameters_changed_after_a_fit_do_not_change_its_predictions() -> None:
    X, y = counts()
    model = LinearModel("poisson").fit(X, y)
    before = model.predict(X)
    model.set_params(loss="squared")
    np.testing.assert_array_equal(model.predict(X), before)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["float64", "float32", "csr"])
def test_compiled_passes_reach_the_optimum_of_plain_ones(form: str) -> None:
    pytest.importorskip("numba")
    X, y = counts(130_000, 20)
    X[np.abs(X) < 0.8] = 0.0
    X = X.astype(np.float32).astype(np.float64)
    given = {
        "float64": lambda: X,
        "float32": lambda: X.astype(np.float32),
        "csr": lambda: sparse.csr_array(X),
    }[form]()
    model = PoissonRegressor(alpha=1e-3, tol=1e-13).fit(given, y)
    own = LinearModel("exp(z) - y z", link="log", alpha=1e-3, tol=1e-13).fit(given, y)
    # the gradient at the optimum, by NumPy alone
    residual = model.predict(X) - y
    slope = X.T @ residual / len(y) + 1e-3 * model.coef_
    assert np.abs(slope).max() < 1e-7  # tol bounds f - f*, which grows with its square
    assert abs(residual.mean()) < 1e-7
    np.testing.assert_allclose(own.coef_, model.coef_, rtol=1e-6, atol=1e-7)


def test_more_columns_than_rows() -> None:
    X, y = counts(60, 400)
    model = GammaRegressor(alpha=0.1, tol=1e-12).fit(X, y + 0.5)
    assert model.certificate_.proven
    mean = model.predict(X)
    slope = X.T @ (1 - (y + 0.5) / mean) / len(y) + 0.1 * model.coef_
    assert np.abs(slope).max() < 1e-8


def test_a_loss_that_is_not_convex_claims_a_local_minimum_alone() -> None:
    X, y = counts()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = TweedieRegressor(power=3, alpha=0.1).fit(X, y + 1.0)
    assert not model.facts_.convex
    assert model.certificate_.is_local or not model.certificate_.proven
    with pytest.raises(DataError, match="row 0"):
        model.fit(X, np.zeros(len(y)))
