"""Inference held to R: glm, sandwich, clubSandwich, nnet and car, on rows that are stored here.

R's vcov of a glm belongs to the last step but one, so errors agree to 1e-7, not to all digits;
`test_precise` has the digits.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from chainrule import GammaRegressor, LinearModel, LogisticRegression, PoissonRegressor
from chainrule.engine.inference.results import Inference

STORED = json.loads((Path(__file__).parent / "r_values.json").read_text())
DATA = {name: np.array(values) for name, values in STORED["data"].items()}
X = np.stack([DATA[name] for name in ("x1", "x2", "x3", "x4")], axis=1)

MODELS: dict[str, tuple[Any, str]] = {
    "logistic": (LogisticRegression(C=np.inf, tol=1e-13), "yb"),
    "poisson": (PoissonRegressor(alpha=0, tol=1e-13), "yc"),
    "gamma": (GammaRegressor(alpha=0, tol=1e-13), "ya"),
    "squared": (LinearModel("squared", C=np.inf, tol=1e-13), "yr"),
    "probit": (LinearModel("probit", C=np.inf, tol=1e-13), "yb"),
    "inverse_gaussian": (LinearModel("inverse_gaussian", C=np.inf, tol=1e-13), "ya"),
}


def inference(name: str, **options: Any) -> Inference:
    model, target = MODELS[name]
    y = DATA[target]
    found: Inference = model.fit(X, y).inference(X, y, **options)
    return found


def close(found: Any, expected: Any, tolerance: float = 1e-7) -> bool:
    """Tell whether numbers agree, each relative to itself or to the largest."""
    found, expected = np.ravel(found), np.ravel(np.array(expected, dtype=float))
    slack = tolerance * abs(expected).max()
    return bool(np.allclose(found, expected, rtol=tolerance, atol=slack))


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", MODELS)
class TestOneScore:
    def test_table(self, name: str) -> None:
        found, expected = inference(name), STORED["results"][name]
        assert close(found.tidy["estimate"], expected["coef"])
        assert close(found.tidy["std.error"], expected["se"])
        assert close(found.tidy["p.value"], expected["p"], 1e-6)
        assert list(found.tidy["term"]) == ["(Intercept)", "x0", "x1", "x2", "x3"]

    def test_statistics_of_the_fit(self, name: str) -> None:
        found, expected = inference(name).glance(), STORED["results"][name]
        names = {"logLik": "logLik", "AIC": "aic", "BIC": "bic", "deviance": "deviance"}
        names |= {"null.deviance": "null", "df.residual": "dfres"}
        for ours, theirs in names.items():
            assert close(found[ours], expected[theirs], 1e-10)
        assert close(found.dispersion, expected["dispersion"])

    @pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3"])
    def test_robust(self, name: str, kind: str) -> None:
        assert close(inference(name, cov=kind).std_errors, STORED["results"][name][kind])

    @pytest.mark.parametrize("kind", ["CR0", "CR1", "CR1S", "CR2", "CR3"])
    def test_clustered(self, name: str, kind: str) -> None:
        found = inference(name, cov=kind, clusters=DATA["g"])
        assert close(found.std_errors, STORED["results"][name][kind])

    def test_influence(self, name: str) -> None:
        found, expected = inference(name).influence(), STORED["results"][name]
        assert close(found.leverage[:20], expected["hat"])
        assert close(found.cooks_distance[:20], expected["cook"])


def test_profile_intervals_solve_what_r_interpolates() -> None:
    found = inference("logistic")
    limits = [found.profile(term) for term in found.terms.names]
    np.testing.assert_allclose(limits, STORED["results"]["profile"], atol=4e-5)


def test_inflation_factors() -> None:
    assert close(inference("logistic").vif()["gvif"], STORED["results"]["vif"])


def test_several_classes() -> None:
    y, columns = DATA["yk"].astype(int), X[:, :2]
    model = LogisticRegression(C=np.inf, tol=1e-13).fit(columns, y)
    found, expected = model.inference(columns, y), STORED["results"]["multinomial"]
    assert close(found.coefficients, expected["coef"], 2e-7)
    assert close(found.std_errors, expected["se"], 2e-7)
    assert close(found.glance().log_likelihood, expected["logLik"], 1e-12)


def with_factor() -> Inference:
    levels = pd.Categorical(DATA["yk"].astype(int).astype(str))
    frame = pd.DataFrame({"x1": DATA["x1"], "x2": DATA["x2"], "f": levels})
    return (
        LogisticRegression(C=np.inf, tol=1e-13).fit(frame, DATA["yb"]).inference(frame, DATA["yb"])
    )


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
class TestFactor:
    expected = STORED["results"]["factor"]

    def test_the_first_level_is_the_reference(self) -> None:
        found = with_factor()
        assert list(found.terms.names) == ["(Intercept)", "x1", "x2", "f_0", "f_1", "f_2"]
        assert found.coefficients[0, 3] == 0
        assert np.isnan(found.std_errors[3])
        assert close(np.delete(found.coefficients[0], 3), self.expected["coef"])
        assert close(np.delete(found.std_errors, 3), self.expected["coefse"])

    @pytest.mark.parametrize("adjust", ["tukey", "holm"])
    def test_pairs(self, adjust: Any) -> None:
        found = with_factor().contrast("f", adjust=adjust)
        assert list(found["contrast"]) == ["0 - 1", "0 - 2", "1 - 2"]
        assert close(found["estimate"], self.expected["estimate"])
        assert close(found["std.error"], self.expected["se"])
        assert close(found["p.value"], self.expected[adjust], 1e-6)
        if adjust == "tukey":
            assert close(found["conf.low"], self.expected["low"], 1e-6)
            assert close(found["conf.high"], self.expected["high"], 1e-6)

    def test_predictions(self) -> None:
        frame = pd.DataFrame({"x1": DATA["x1"], "x2": DATA["x2"]})
        frame["f"] = pd.Categorical(DATA["yk"].astype(int).astype(str))
        found = with_factor().predict(frame.iloc[:10])
        score = np.log(found["fitted"] / (1 - found["fitted"]))
        assert close(score, self.expected["fit"])
        assert close(found["std.error"], self.expected["sefit"])
