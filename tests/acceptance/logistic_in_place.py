"""The plugin for scikit-learn's tests of logistic regression, for `pytest -p`."""

from __future__ import annotations

import pytest
from tests.acceptance.in_place import InPlace

from chainrule import LogisticRegression, LogisticRegressionCV

STOPS_EARLY = (
    "test_logistic_regression_callback_support",
    "test_logistic_regression_callback_fitted_estimator",
)
"""Tests that stop after a few iterations on purpose: there our warning is right."""

L1 = "L1 and elastic net come later"
PATH = "it calls a private function of scikit-learn's"
DEFAULT = "the defaults are those that scikit-learn announces for its next releases"
WORDS = "it asks for what another solver cannot do, or for its words"
DTYPE = "coefficients keep the digits of float64, whatever the type of the data"

LEFT: dict[str, str] = {
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
    "test_logistic_regression_cv_refit[42-1]": L1,
    "test_LogisticRegressionCV_GridSearchCV_elastic_net": L1,
    "test_LogisticRegressionCV_elasticnet_attribute_shapes": L1,
    "test_LogisticRegressionCV_no_refit[2-l1_ratios1]": L1,
    "test_LogisticRegressionCV_no_refit[3-l1_ratios1]": L1,
    "test_scores_attribute_layout_elasticnet": L1,
    "test_logistic_cv_multinomial_score": PATH,
    "test_logistic_regression_path_coefs_multinomial": PATH,
    "test_logistic_regression_path_convergence_fail": PATH,
    "test_logistic_regression_path_init_coefs": PATH,
    "test_get_default_scorer": DEFAULT,
    "test_logisticregressioncv_warns_with_use_legacy_attributes": DEFAULT,
    "test_lr_scoring_warns": DEFAULT,
    "test_penalty_deprecated": "penalty is not deprecated here",
    "test_check_solver_option": WORDS,
    "test_large_sparse_matrix": "it wants 64-bit indices refused by three of the solvers",
    "test_liblinear_dual_random_state": "it wants the answer to depend on the seed",
    "test_liblinear_multiclass_raises": WORDS,
    "test_liblinear_with_large_values": WORDS,
    "test_logistic_regression_callback_support_warning": "our callbacks work with any solver",
    "test_logisticregression_warns_with_n_jobs": "n_jobs has a meaning here",
    "test_logreg_predict_proba_multinomial": "it calls a private method",
    "test_max_iter": WORDS,
    "test_newton_cholesky_fallback_to_lbfgs": WORDS,
    "test_dtype_match": DTYPE,
}
"""Tests of scikit-learn's that are left out, each with the reason."""


def pytest_configure(config: pytest.Config) -> None:
    """Put our class in place."""
    plugin = InPlace(
        {"LogisticRegression": LogisticRegression, "LogisticRegressionCV": LogisticRegressionCV},
        LEFT,
        stops_early=STOPS_EARLY,
    )
    plugin.put()
    config.pluginmanager.register(plugin, "in_place")
