"""The plugin for scikit-learn's tests of generalised linear models, for `pytest -p`.

`PoissonRegressor`, `GammaRegressor` and `TweedieRegressor` are replaced by ours as far as they
exist; the binomial model that the file defines fits by our `fit_proportions`.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sklearn.linear_model
from tests.acceptance.in_place import InPlace

import chainrule
from chainrule import LogisticRegression

REGRESSORS = ("PoissonRegressor", "GammaRegressor", "TweedieRegressor")

NEVER_FITS = ("test_tags",)

BASE = "it fits the private base class, which is not replaced"
PRIVATE = "it reads the private attribute _base_loss"
WORDS = "it asks for the words of another solver"
POWER = "TweedieRegressor(power=4.5) is refused: nothing is proven of its loss"
IDENTITY = "a linear score may be negative, and the mean must not be: refused in words"

LEFT: dict[str, str] = {
    "test_sample_weights_validation": BASE,
    "test_glm_identity_regression": BASE,
    "test_normal_ridge_comparison": BASE,
    "test_convergence_warning": BASE,
    "test_newton_solver_verbosity": BASE,
    **{
        f"test_glm_sample_weight_consistency[_GeneralizedLinearRegressor-{alpha}-{intercept}]": BASE
        for alpha in ("0.0", "1.0")
        for intercept in ("False", "True")
    },
    "test_tweedie_link_argument": PRIVATE,
    "test_tweedie_link_auto": PRIVATE,
    "test_linalg_warning_with_newton_solver": WORDS,
    "test_glm_wrong_y_range": f"{WORDS}; tests/estimators/test_wrong_input.py reads ours",
    **{
        f"test_glm_log_regression[estimator5-{intercept}-{solver}]": POWER
        for intercept in ("True", "False")
        for solver in ("lbfgs", "newton-cholesky")
    },
    **{f"test_tweedie_score[identity-{power}]": IDENTITY for power in ("1", "1.5", "2", "3")},
}
"""Tests of scikit-learn's that are left out, each with the reason."""


def ours() -> dict[str, type]:
    """Return which regressors chainrule has."""
    return {name: getattr(chainrule, name) for name in REGRESSORS if name in chainrule.__all__}


def _lend_loss(name: str, estimator: type) -> None:
    """Give our class scikit-learn's private `_get_loss`, with which the tests build their data."""
    theirs = getattr(sklearn.linear_model, name)

    def get_loss(self: Any, *args: Any, **kwargs: Any) -> Any:
        known = theirs().get_params()
        shared = {key: value for key, value in self.get_params().items() if key in known}
        return theirs(**shared)._get_loss(*args, **kwargs)

    estimator._get_loss = get_loss  # type: ignore[attr-defined]


def fit_proportions(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
    """Fit scikit-learn's binomial model, a mean of losses, through ours, a sum of losses."""
    weight = np.ones(len(y)) if sample_weight is None else np.asarray(sample_weight, dtype=float)
    model = LogisticRegression(
        C=1 / (self.alpha * weight.sum()) if self.alpha else np.inf,
        fit_intercept=self.fit_intercept,
        tol=1e-14,
        warm_start=self.warm_start,
    )
    if hasattr(self, "coef_"):
        model.classes_ = np.array([0, 1])
        model.coef_, model.intercept_ = self.coef_[None, :], np.array([self.intercept_])
    model.fit_proportions(X, y, weight)
    self.n_features_in_ = model.n_features_in_
    self.coef_, self.intercept_ = model.coef_[0], float(model.intercept_[0])
    self.n_iter_, self._base_loss = int(model.n_iter_[0]), self._get_loss()
    return self


def pytest_configure(config: pytest.Config) -> None:
    """Put our classes in place."""

    def adapt(module: ModuleType) -> None:
        module.BinomialRegressor.fit = plugin.counted(fit_proportions)

    plugin = InPlace(ours(), LEFT, never_fits=NEVER_FITS, adapt=adapt)
    for name, estimator in plugin.estimators.items():
        _lend_loss(name, estimator)
    plugin.put()
    config.pluginmanager.register(plugin, "in_place")
