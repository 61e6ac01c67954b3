"""Cross-validated refits against ``cv.glmnet(relax = TRUE)`` (`glmnet/relaxed_folds.R`)."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from chainrule import LinearModelCV, LogisticRegression, LogisticRegressionCV, PoissonRegressorCV
from chainrule.errors import DataError

RECORDED = json.loads((Path(__file__).parent / "glmnet" / "relaxed_folds.json").read_text())
STEPS = np.arange(1, 121)
X = np.column_stack(
    [np.sin(STEPS * j * 0.7) * j + np.cos(STEPS * (j + 1)) + STEPS / 120 for j in range(1, 7)]
)
Z = np.sin(STEPS * 0.9) * 2 + X[:, 1] / 2 - X[:, 3] / 6 + X[:, 4] / 9
Y = (Z > 0.3).astype(int)
COUNTS = np.floor(np.exp(0.4 * np.sin(STEPS * 0.9) + X[:, 1] / 5) * (1 + np.cos(STEPS * 3.1) ** 2))
LAMBDAS = [0.3, 0.15, 0.07, 0.03, 0.01]
FOLDS = [(np.flatnonzero(k != STEPS % 4), np.flatnonzero(k == STEPS % 4)) for k in range(4)]
COMMON: dict[str, Any] = {"alphas": LAMBDAS, "l1_ratios": (1.0,), "cv": FOLDS, "relax": True}


def fitted(family: str, **choices: Any) -> Any:
    if family == "binomial":
        return LogisticRegressionCV(**COMMON | choices).fit(X, Y)
    return PoissonRegressorCV(**COMMON | choices).fit(X, COUNTS)


@pytest.mark.parametrize("family", ["binomial", "poisson"])
def test_scores_and_choices_are_those_of_glmnet(family: str) -> None:
    recorded = RECORDED[family]
    model = fitted(family, rule="min")
    assert model.gammas_.tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert model.scores_.shape == model.certificates_.shape == (4, 1, 5, 5)
    # glmnet counts deviances, twice the loss, and gammas upwards
    np.testing.assert_allclose(-2 * model.mean_score_[0], recorded["cvm"][::-1], rtol=2e-5)
    np.testing.assert_allclose(2 * model.std_error_[0], recorded["cvsd"][::-1], rtol=2e-4)
    np.testing.assert_allclose([model.alpha_, model.gamma_], recorded["min"])
    strongest = fitted(family, rule="1se")
    np.testing.assert_allclose([strongest.alpha_, strongest.gamma_], recorded["1se"])
    found = np.append(strongest.intercept_, np.ravel(strongest.coef_))
    np.testing.assert_allclose(found, recorded["coef_1se"], atol=2e-5)
    assert all(certificate.proven for certificate in model.certificates_.flat)


def test_the_last_fit_is_the_mixture_and_predicts() -> None:
    model = fitted("binomial", rule="min", relax=(0.5,))
    penalised = LogisticRegression(C=model.C_, l1_ratio=1).fit(X, Y)
    chosen = np.flatnonzero(penalised.coef_[0])
    refit = LogisticRegression(C=np.inf).fit(X[:, chosen], Y)
    expected = 0.5 * penalised.coef_[0]
    expected[chosen] += 0.5 * refit.coef_[0]
    np.testing.assert_allclose(model.coef_[0], expected, atol=1e-5)
    assert model.gamma_ == 0.5
    assert model.relaxed_certificate_.relative_bound <= 1e-8
    assert model.certificate_.relative_bound <= 1e-8
    raw = X @ model.coef_[0] + model.intercept_
    np.testing.assert_allclose(model.decision_function(X), raw)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


@pytest.mark.parametrize("kind", ["classes", "frame", "loss"])
def test_classes_categories_and_other_losses(kind: str) -> None:
    if kind == "classes":
        labels = np.digitize(Z, [-1.0, 1.0])
        model: Any = LogisticRegressionCV(**COMMON).fit(X, labels)
        assert model.coefs_paths_.shape == (4, 1, 5, 5, 3, 7)
    elif kind == "frame":
        pd = pytest.importorskip("pandas")
        kinds = pd.Categorical(np.array(["u", "v", "w"])[STEPS % 3])
        model = LogisticRegressionCV(**COMMON).fit(pd.DataFrame({"a": X[:, 1], "kind": kinds}), Y)
    else:
        model = LinearModelCV("squared", **COMMON).fit(X, Z)
    assert model.gamma_ in model.gammas_
    assert np.isfinite(model.scores_).all()
    j, i = np.argwhere(model.scores_.sum(axis=0)[0] == model.scores_.sum(axis=0).max())[0]
    assert (model.gamma_, model.alpha_) == (model.gammas_[j], pytest.approx(LAMBDAS[i]))


def test_points_with_separated_refits_are_told_of_and_never_chosen() -> None:
    separating = np.column_stack([X, Z - 0.3])
    with pytest.warns(ConvergenceWarning, match="no finite refit"):
        model = LogisticRegressionCV(**COMMON | {"relax": True}).fit(separating, Y)
    assert np.isneginf(model.scores_[:, 0, 1:, -1]).all()
    assert np.isfinite(model.scores_[:, 0, 0]).all()
    assert np.isfinite(model.coef_).all()
    assert model.gamma_ == 1.0
    only = LogisticRegressionCV(**COMMON | {"relax": (0.0,), "alphas": [0.01]})
    with (
        pytest.warns(ConvergenceWarning, match="no finite refit"),
        pytest.raises(DataError, match=r"have 1\.0 among the gammas"),
    ):
        only.fit(separating, Y)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"relax": "yes"}, "relax must be"),
        ({"relax": (2.0,)}, "gammas from 0 to 1"),
        ({"relax": ()}, "relax must be"),
        ({"l1_ratios": (0.0, 1.0)}, "choose none"),
        ({"refit": False}, "refit=True"),
    ],
)
def test_refusals(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fitted("binomial", **choices)
