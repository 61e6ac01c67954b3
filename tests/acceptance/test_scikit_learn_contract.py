"""scikit-learn's own contract for estimators, with no expected failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from chainrule import (
    GammaRegressor,
    GammaRegressorCV,
    LinearModel,
    LinearModelCV,
    LogisticRegression,
    LogisticRegressionCV,
    PoissonRegressor,
    PoissonRegressorCV,
    TweedieRegressor,
    TweedieRegressorCV,
)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        LogisticRegression(),
        LogisticRegression(solver="newton-cg", C=0.1),
        LogisticRegression(solver="newton-rows", C=3.0, tol=1e-10),
        LogisticRegression(solver="newton-cholesky", tol=1e-12),
        LogisticRegression(C=np.inf, n_jobs=2),
        LogisticRegression(C=10.0, class_weight="balanced", warm_start=True),
        LogisticRegression(C=1e6, verbose=0),
        LinearModel(),
        LinearModel(C=10.0, solver="newton-cg"),
        LinearModel(loss="log_cosh", alpha=0.01),
        LinearModel(loss="huber", constants={"delta": 2.0}, warm_start=True),
        LinearModel(loss="poisson", C=np.inf),
        PoissonRegressor(),
        GammaRegressor(alpha=0.1, solver="lbfgs"),
        TweedieRegressor(),
        TweedieRegressor(power=1.5, alpha=0.0),
        LogisticRegressionCV(Cs=2, cv=2),
        LogisticRegressionCV(alphas=[0.1], cv=2, rule="1se", scoring="accuracy"),
        LinearModelCV(Cs=2, cv=2),
        PoissonRegressorCV(alphas=[0.1, 1.0], cv=2),
        GammaRegressorCV(alphas=[0.1], cv=2),
        TweedieRegressorCV(alphas=[0.1], cv=2),
    ]
)
def test_scikit_learn_contract(estimator: Any, check: Callable[[Any], None]) -> None:
    check(estimator)
