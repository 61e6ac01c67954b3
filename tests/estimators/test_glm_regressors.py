"""The regressors of generalised linear models: scikit-learn's meaning, exact optima."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import pytest
import sklearn.linear_model
from sklearn.metrics import d2_tweedie_score
from tests.engine.glm_oracle import GlmProblem, fixed_problems
from tests.loss_definitions import LOSSES

import chainrule

FACES: Final[dict[str, tuple[str, float]]] = {
    "squared": ("TweedieRegressor", 0.0),
    "poisson": ("PoissonRegressor", 1.0),
    "gamma": ("GammaRegressor", 2.0),
    "tweedie(p=1.5)": ("TweedieRegressor", 1.5),
    "tweedie(p=1.2)": ("TweedieRegressor", 1.2),
}
MISSING: Final = {name for name, _ in FACES.values()} - set(chainrule.__all__)

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"chainrule does not have {', '.join(sorted(MISSING))} yet"
)
every_face = pytest.mark.parametrize("name", FACES)
every_set = pytest.mark.parametrize("which", range(8))


def model_of(name: str, problem: GlmProblem, module: Any = chainrule) -> Any:
    face, power = FACES[name]
    options = {"power": power} if face == "TweedieRegressor" else {}
    return getattr(module, face)(
        alpha=problem.alpha,
        fit_intercept=problem.fit_intercept,
        tol=1e-13,
        max_iter=1000,
        **options,
    )


def problem_of(name: str, which: int) -> GlmProblem:
    """One of the fixed sets without its offset, which scikit-learn does not take."""
    problem = fixed_problems(LOSSES[name])[which]
    return replace(problem, offset=np.zeros(len(problem.y)))


@every_face
@every_set
def test_alpha_weighs_the_mean_of_the_losses(name: str, which: int) -> None:
    problem = problem_of(name, which)
    model = model_of(name, problem).fit(problem.X, problem.y, problem.weights)
    best = problem.solve()
    gap = problem.value(model.coef_, model.intercept_) - best.value
    assert 0 <= gap <= 1e-13 * best.excess
    np.testing.assert_allclose(model.coef_, np.array(best.coef, float), rtol=1e-7, atol=1e-8)
    assert model.coef_.shape == (problem.n_features,)
    assert np.ndim(model.intercept_) == 0


@every_face
def test_predictions_are_means_and_the_score_is_d2(name: str) -> None:
    problem = problem_of(name, 2)
    model = model_of(name, problem).fit(problem.X, problem.y, problem.weights)
    z = problem.X @ model.coef_ + model.intercept_
    mean = z if name == "squared" else np.exp(z)
    np.testing.assert_allclose(model.predict(problem.X), mean, rtol=1e-12)
    expected = d2_tweedie_score(
        problem.y, mean, sample_weight=problem.weights, power=FACES[name][1]
    )
    found = model.score(problem.X, problem.y, sample_weight=problem.weights)
    assert found == pytest.approx(expected, rel=1e-10)


@every_face
def test_only_the_proportions_of_weights_count(name: str) -> None:
    problem = problem_of(name, 2)
    one = model_of(name, problem).fit(problem.X, problem.y, problem.weights)
    other = model_of(name, problem).fit(problem.X, problem.y, 4 * problem.weights)
    np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-7, atol=1e-9)


@every_face
def test_defaults_are_those_of_scikit_learn(name: str) -> None:
    face = FACES[name][0]
    theirs = getattr(sklearn.linear_model, face)().get_params()
    ours = getattr(chainrule, face)().get_params()
    assert set(theirs) <= set(ours)
    for parameter in ("alpha", "fit_intercept", "max_iter", "warm_start", "power", "link"):
        assert ours.get(parameter) == theirs.get(parameter)


def test_tweedie_takes_the_penalties_that_it_is_given() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(80, 4))
    y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    given: dict[str, Any] = {"alpha": 0.1, "l1_ratio": 1.0, "penalty_factor": [1.0, 2.0, 1.0, 1.0]}
    ours = chainrule.TweedieRegressor(power=1, bounds=(-1.0, 0.2), **given).fit(X, y)
    same = chainrule.PoissonRegressor(bounds=(-1.0, 0.2), **given).fit(X, y)
    np.testing.assert_allclose(ours.coef_, same.coef_, atol=1e-6)
    assert chainrule.TweedieRegressor(positive=True).positive
