"""The plugin for scikit-learn's tests of logistic regression, for `pytest -p`."""

from __future__ import annotations

import pytest
from tests.acceptance.in_place import InPlace

from chainrule import LogisticRegression

STOPS_EARLY = (
    "test_logistic_regression_callback_support",
    "test_logistic_regression_callback_fitted_estimator",
)
"""Tests that stop after a few iterations on purpose: there our warning is right."""

NEVER_FITS = ("test_get_default_scorer",)
"""Tests of what an estimator is before it is fitted."""

CV = "it is about LogisticRegressionCV, or the private path behind it"
WORDS = "it asks for what another solver cannot do, or for its words"
RATIO = "0.0 and 'l2' are the defaults here, with which the other of the two is at its word"
DTYPE = "coefficients keep the digits of float64, whatever the type of the data"

SOLVERS = ("lbfgs", "liblinear", "newton-cg", "newton-cholesky", "sag", "saga")

LEFT: dict[str, str] = {
    **{f"test_logistic_regression_sample_weights[42-{solver}-cv]": CV for solver in SOLVERS},
    "test_l1_ratio_None_deprecated": "l1_ratio=None is not deprecated here",
    "test_lr_penalty_l1ratio_incompatible[l1-0.0]": RATIO,
    "test_lr_penalty_l1ratio_incompatible[l2-1.0]": RATIO,
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


def pytest_configure(config: pytest.Config) -> None:
    """Put our class in place."""
    plugin = InPlace(
        {"LogisticRegression": LogisticRegression},
        LEFT,
        stops_early=STOPS_EARLY,
        never_fits=NEVER_FITS,
    )
    plugin.put()
    config.pluginmanager.register(plugin, "in_place")
