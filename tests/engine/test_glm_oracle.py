"""The fifty-digit oracle of generalised linear models, held to what is outside of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from tests.engine.glm_oracle import GlmProblem, fixed_problems, random_problem, repeated
from tests.loss_definitions import LOSSES, LossDefinition

SCORES = (-9.0, -2.3, -0.4, 0.3, 1.7, 6.0)
TARGETS = {
    "real": (-3.1, 0.0, 2.2),
    "positive": (0.01, 1.0, 7.5),
    "non-negative": (0.0, 0.4, 6.0),
    "0/1": (0.0, 1.0),
    "-1/1": (-1.0, 1.0),
}
every_loss = pytest.mark.parametrize("loss", LOSSES.values(), ids=str)


@every_loss
def test_derivatives_are_those_of_the_value(loss: LossDefinition) -> None:
    with mpmath.workdps(50):
        for y in map(mpmath.mpf, TARGETS[loss.targets]):
            for z in map(mpmath.mpf, SCORES):
                slope = mpmath.diff(lambda t, y=y: loss.value(t, y), z)
                bend = mpmath.diff(lambda t, y=y: loss.first(t, y), z)
                assert abs(loss.first(z, y) - slope) <= 1e-20 * (1 + abs(slope))
                assert abs(loss.second(z, y) - bend) <= 1e-20 * (1 + abs(bend))


@pytest.mark.slow
@every_loss
def test_least_is_the_infimum(loss: LossDefinition) -> None:
    for y in TARGETS[loss.targets]:
        least = float(loss.least(mpmath.mpf(y)))
        values = [
            float(loss.value(mpmath.mpf(float(z)), mpmath.mpf(y)))
            for z in np.linspace(-40, 40, 4001)
        ]
        assert least <= min(values) + 1e-14 * (1 + abs(least))
        assert min(values) - least <= 1e-3 * (1 + abs(least))


@every_loss
def test_convexity_is_as_declared(loss: LossDefinition) -> None:
    bends = [
        loss.second(mpmath.mpf(float(z)), mpmath.mpf(y))
        for y in TARGETS[loss.targets]
        for z in np.linspace(-12, 12, 97)
    ]
    assert (min(bends) >= 0) is loss.convex


def _log_likelihoods() -> list[tuple[str, Any, tuple[float, ...]]]:
    """Of each likelihood its density in SciPy, as a function of mean and target."""
    return [
        ("poisson", lambda mu, y: stats.poisson.logpmf(y, mu), (0.0, 1.0, 6.0)),
        ("gamma", lambda mu, y: stats.gamma.logpdf(y, 1.0, scale=mu), (0.1, 1.0, 7.5)),
        (
            "negative_binomial(alpha=0.5)",
            lambda mu, y: stats.nbinom.logpmf(y, 2, 2 / (2 + mu)),
            (0.0, 1.0, 6.0),
        ),
        (
            "inverse_gaussian",
            lambda mu, y: stats.invgauss.logpdf(y, mu, scale=1.0),
            (0.1, 1.0, 7.5),
        ),
    ]


@pytest.mark.parametrize(("name", "log_density", "targets"), _log_likelihoods())
def test_likelihoods_are_those_of_scipy(name: str, log_density: Any, targets: Any) -> None:
    loss = LOSSES[name]
    for y in targets:
        for z in (-1.5, 0.7):
            ours = float(loss.value(mpmath.mpf(z), mpmath.mpf(y)) - loss.value(0, mpmath.mpf(y)))
            theirs = log_density(1.0, y) - log_density(np.exp(z), y)
            assert ours == pytest.approx(theirs, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "mean"),
    [
        ("probit", stats.norm.cdf),
        ("cloglog", lambda z: -np.expm1(-np.exp(z))),
    ],
)
def test_binary_likelihoods_are_those_of_their_link(name: str, mean: Any) -> None:
    for z in (-2.0, 0.1, 1.4):
        for y in (0, 1):
            ours = float(LOSSES[name].value(mpmath.mpf(z), mpmath.mpf(y)))
            assert ours == pytest.approx(-stats.bernoulli.logpmf(y, mean(z)), rel=1e-12)


PEERS: list[tuple[str, Any]] = [
    ("squared", TweedieRegressor(power=0)),
    ("poisson", PoissonRegressor()),
    ("gamma", GammaRegressor()),
    ("tweedie(p=1.5)", TweedieRegressor(power=1.5)),
    ("tweedie(p=1.2)", TweedieRegressor(power=1.2)),
]


# it warns where rounding leaves its line search nothing to find; the gap is asserted below
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("name", "peer"), PEERS)
@pytest.mark.parametrize("which", range(8))
def test_the_optimum_is_that_of_scikit_learn(name: str, peer: Any, which: int) -> None:
    problem = fixed_problems(LOSSES[name])[which]
    problem = replace(problem, offset=np.zeros(len(problem.y)))  # scikit-learn takes none
    peer.set_params(
        alpha=problem.alpha,
        solver="newton-cholesky",
        tol=1e-13,
        max_iter=1000,
        fit_intercept=problem.fit_intercept,
    ).fit(problem.X, problem.y, problem.weights)
    best = problem.solve()
    gap = problem.value(peer.coef_, peer.intercept_) - best.value
    assert 0 <= gap <= 1e-15 * best.excess
    np.testing.assert_allclose(peer.coef_, np.array(best.coef, float), rtol=1e-8, atol=1e-9)
    assert peer.intercept_ == pytest.approx(float(best.intercept), rel=1e-8, abs=1e-9)


@every_loss
@pytest.mark.parametrize("which", range(8))
def test_an_optimum_has_no_gradient_and_no_lower_neighbour(
    loss: LossDefinition, which: int
) -> None:
    problem = fixed_problems(loss)[which]
    best = problem.solve()
    assert best.excess >= 0
    coef = np.array(best.coef, float)
    slopes = [float(g) for g in problem.gradient(coef, float(best.intercept))]
    # the point is rounded to double precision before its gradient is taken
    size = np.abs(problem.X).sum() + len(problem.y)
    assert np.abs(slopes).max() <= 1e-13 * size * (1 + np.abs(problem.X).max())
    rng = np.random.default_rng(which)
    for _ in range(5):
        step = 1e-4 * rng.normal(size=coef.shape) / (1 + np.abs(problem.X).max(axis=0))
        near = float(best.intercept) + 1e-4 * rng.normal() * problem.fit_intercept
        assert problem.value(coef + step, near) > best.value


@every_loss
def test_the_optimum_does_not_depend_on_the_start(loss: LossDefinition) -> None:
    problem = fixed_problems(loss)[0]
    one = problem.solve()
    near = problem.solve(np.array(one.coef, float) + 0.01, float(one.intercept))
    with mpmath.workdps(60):
        assert abs(one.value - near.value) <= mpmath.mpf(10) ** -50 * (1 + abs(one.value))
        assert max(abs(a - b) for a, b in zip(one.coef, near.coef, strict=True)) <= 1e-25


@every_loss
def test_scipy_finds_nothing_lower(loss: LossDefinition) -> None:
    problem = fixed_problems(loss)[3]
    best = problem.solve()

    def objective(theta: Any) -> float:
        return float(problem.value(theta[:-1], theta[-1]))

    start = np.append(np.array(best.coef, float), float(best.intercept)) + 0.05
    found = optimize.minimize(objective, start, method="BFGS", options={"gtol": 1e-5})
    assert found.fun == pytest.approx(float(best.value), rel=1e-8, abs=1e-8)


@every_loss
def test_a_whole_weight_is_a_repetition(loss: LossDefinition) -> None:
    problem = random_problem(loss, 5)
    weights = np.arange(len(problem.y)) % 3 + 1.0
    weighted: GlmProblem = replace(problem, weights=weights)
    one, other = weighted.solve(), repeated(weighted).solve()
    assert abs(one.value - other.value) <= 1e-45 * (1 + abs(one.value))


@every_loss
def test_targets_are_in_range_and_columns_are_not_collinear(loss: LossDefinition) -> None:
    for problem in fixed_problems(loss):
        low = {"positive": 1e-9, "non-negative": 0.0, "counts": 0.0}.get(loss.targets, -np.inf)
        assert problem.y.min() >= low
        if loss.is_binary:
            assert set(problem.y) == set(TARGETS[loss.targets])
        used = problem.X[problem.weights > 0]
        ones = np.ones((len(used), int(problem.fit_intercept)))
        scaled = np.hstack([used / np.abs(used).max(axis=0), ones])
        assert np.linalg.cond(scaled) < 1e4
