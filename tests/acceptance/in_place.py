"""A pytest plugin that puts chainrule's class in the place of scikit-learn's.

Loaded with ``-p in_place`` by `test_scikit_learn_files`, for runs of test files that scikit-learn
ships: what they import as ``LogisticRegression`` is ours, and the binomial model of the file on
generalised linear models fits through our door for proportions. A test of the file on logistic
regression that never fits our class fails, because it would show nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sklearn.linear_model

from chainrule import LogisticRegression

STOPS_EARLY = (
    "test_logistic_regression_callback_support",
    "test_logistic_regression_callback_fitted_estimator",
)
"""Tests that stop after a few iterations on purpose: there our warning is right."""

NEVER_FITS = ("test_get_default_scorer",)
"""Tests of what an estimator is before it is fitted."""

L1 = "L1 and elastic net come later"
CV = "it is about LogisticRegressionCV, or the private path behind it"
WORDS = "it asks for what another solver cannot do, or for its words"
DTYPE = "coefficients keep the digits of float64, whatever the type of the data"

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")

LEFT: dict[str, str] = {
    **{f"test_logistic_regression_sample_weights[42-{solver}-cv]": CV for solver in SOLVERS},
    "test_LogisticRegression_elastic_net_objective": L1,
    "test_elastic_net_coeffs": L1,
    "test_elastic_net_l1_l2_equivalence": L1,
    "test_elastic_net_versus_sgd": L1,
    "test_elastic_net_vs_l1_l2": L1,
    "test_l1_ratio_None_deprecated": L1,
    "test_l1_ratio_non_elasticnet": L1,
    "test_liblinear_not_stuck": L1,
    "test_logreg_l1": L1,
    "test_lr_penalty_l1ratio_incompatible": L1,
    "test_sample_and_class_weight_equivalence_liblinear": L1,
    "test_saga_vs_liblinear[42-csr_matrix-1]": L1,
    "test_saga_vs_liblinear[42-csr_array-1]": L1,
    "test_logisticregression_liblinear_sample_weight[42-params0]": L1,
    "test_LogisticRegressionCV_GridSearchCV_elastic_net": CV,
    "test_LogisticRegressionCV_elasticnet_attribute_shapes": CV,
    "test_LogisticRegressionCV_no_refit": CV,
    "test_LogisticRegressionCV_on_folds": CV,
    "test_check_solver_option[LogisticRegressionCV]": CV,
    "test_elasticnet_l1_ratio_err_helpful[LogisticRegressionCV-l1_ratios]": CV,
    "test_liblinear_multiclass_raises[LogisticRegressionCV]": CV,
    "test_logistic_cv": CV,
    "test_logistic_cv_folds_with_classes_missing": CV,
    "test_logistic_cv_mock_scorer": CV,
    "test_logistic_cv_multinomial_score": CV,
    "test_logistic_cv_refit_false_non_elasticnet": CV,
    "test_logistic_cv_sparse": CV,
    "test_logistic_regression_cv_refit": CV,
    "test_logistic_regression_path_coefs_multinomial": CV,
    "test_logistic_regression_path_convergence_fail": CV,
    "test_logistic_regression_path_init_coefs": CV,
    "test_logistic_regressioncv_class_weights": CV,
    "test_logisticregressioncv_warns_with_use_legacy_attributes": CV,
    "test_lr_cv_scores_differ_when_sample_weight_is_requested": CV,
    "test_lr_cv_scores_without_enabling_metadata_routing": CV,
    "test_lr_scoring_warns": CV,
    "test_multinomial_cv_iris": CV,
    "test_passing_params_without_enabling_metadata_routing": CV,
    "test_penalty_deprecated[LogisticRegressionCV]": CV,
    "test_scores_attribute_layout_elasticnet": CV,
    "test_check_solver_option[LogisticRegression]": WORDS,
    "test_large_sparse_matrix": "it wants 64-bit indices refused by three of the solvers",
    "test_liblinear_dual_random_state": "it wants the answer to depend on the seed",
    "test_liblinear_multiclass_raises[LogisticRegression]": WORDS,
    "test_liblinear_with_large_values": WORDS,
    "test_logistic_regression_callback_support_warning": "our callbacks work with any solver",
    "test_logisticregression_warns_with_n_jobs": "n_jobs has a meaning here",
    "test_logreg_predict_proba_multinomial": "it calls a private method",
    "test_max_iter": WORDS,
    "test_newton_cholesky_fallback_to_lbfgs": WORDS,
    "test_penalty_deprecated[LogisticRegression]": "penalty is not deprecated here",
    "test_dtype_match": DTYPE,
}
"""Tests of scikit-learn's that are left out, each with the reason."""


def reason_to_leave(name: str) -> str | None:
    """Return why a test is left out, by its full name or the name of its function."""
    return LEFT.get(name) or LEFT.get(name.partition("[")[0])


class Fits:
    """Counts the fits of our class."""

    count = 0


_FIT = LogisticRegression.fit


def _counted(self: Any, *args: Any, **kwargs: Any) -> Any:
    Fits.count += 1
    return _FIT(self, *args, **kwargs)


def _fit_proportions(self: Any, X: Any, y: Any, sample_weight: Any = None) -> Any:
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
    Fits.count += 1
    return self


def pytest_configure() -> None:
    """Put our class in place, before any test file is imported."""
    sklearn.linear_model.LogisticRegression = LogisticRegression
    LogisticRegression.fit = _counted  # type: ignore[method-assign]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is listed, let early stops warn, and put our fit into the binomial model."""
    names = {item.name for item in items} | {item.name.partition("[")[0] for item in items}
    if "test_logistic_glmnet" in names and set(LEFT) - names:
        raise pytest.UsageError(f"left out, but not in scikit-learn's file: {set(LEFT) - names}")
    left = [item for item in items if reason_to_leave(item.name)]
    items[:] = [item for item in items if not reason_to_leave(item.name)]
    config.hook.pytest_deselected(items=left)
    for item in items:
        if item.name.partition("[")[0] in STOPS_EARLY:
            item.add_marker(
                pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
            )
        module = getattr(item, "module", None)
        if isinstance(module, ModuleType) and hasattr(module, "BinomialRegressor"):
            module.BinomialRegressor.fit = _fit_proportions


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a test that passes without ever fitting our class."""
    before = Fits.count
    answer = yield
    if Fits.count == before and item.name.partition("[")[0] not in NEVER_FITS:
        pytest.fail("this test never fits chainrule's class: it shows nothing")
    return answer
