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

NEVER_FITS = ("test_get_default_scorer",)
"""Tests of what an estimator is before it is fitted."""

PATH = "it calls a private function of scikit-learn's"
DEFAULT = "the defaults are those that scikit-learn announces for its next releases"
WORDS = "it asks for what another solver cannot do, or for its words"
RATIO = "0.0 and 'l2' are the defaults here, with which the other of the two is at its word"
DTYPE = "coefficients keep the digits of float64, whatever the type of the data"

LEFT: dict[str, str] = {
    "test_logistic_cv_multinomial_score": PATH,
    "test_logistic_regression_path_coefs_multinomial": PATH,
    "test_logistic_regression_path_convergence_fail": PATH,
    "test_logistic_regression_path_init_coefs": PATH,
    "test_get_default_scorer": DEFAULT,
    "test_logisticregressioncv_warns_with_use_legacy_attributes": DEFAULT,
    "test_lr_scoring_warns": DEFAULT,
    "test_l1_ratio_None_deprecated": "l1_ratio=None is not deprecated here",
    "test_lr_penalty_l1ratio_incompatible[l1-0.0]": RATIO,
    "test_lr_penalty_l1ratio_incompatible[l2-1.0]": RATIO,
    "test_check_solver_option": WORDS,
    "test_penalty_deprecated": "penalty is not deprecated here",
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
