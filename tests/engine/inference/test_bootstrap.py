"""The bootstrap: replicates are fits of their weights, intervals are SciPy's, bits are the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from chainrule import LinearModel, LogisticRegression
from chainrule.engine.inference.bootstrap import Bootstrap, drawn_weights
from chainrule.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(11)
X = RNG.normal(size=(150, 3)) * [1, 5, 0.2] + [0, 30, 1]
SCORE = X @ [1, 0.1, 2] - 5
TWO = (SCORE + RNG.logistic(size=150) > 0).astype(int)
THREE = np.argmax(np.outer(SCORE, [0, 0.5, 1]) + RNG.gumbel(size=(150, 3)), axis=1)
COUNTS = RNG.poisson(np.exp(SCORE / 6))
GROUPS = RNG.integers(0, 20, 150)
TIMES = RNG.integers(1, 4, 150).astype(float)


def inference(y: Any, weights: Any = None, model: Any = None, **more: Any) -> Any:
    found = (model or LogisticRegression(C=np.inf)).fit(X, y, weights)
    return found.inference(X, y, weights, **more)


def refitted(y: Any, weights: Any, model: Any = None) -> Any:
    kept = weights > 0
    found = (model or LogisticRegression(C=np.inf)).fit(X[kept], y[kept], weights[kept])
    coef, intercept = np.atleast_2d(found.coef_), np.atleast_1d(found.intercept_)
    if len(intercept) > 1:  # against the first class
        coef, intercept = coef[1:] - coef[0], intercept[1:] - intercept[0]
    return np.hstack([intercept[:, None], coef]).ravel()


@pytest.mark.parametrize(
    ("y", "weights", "clusters"),
    [(TWO, None, None), (TWO, TIMES, None), (TWO, TIMES, GROUPS), (THREE, None, None)],
)
def test_a_replicate_is_a_fit_of_its_weights(y: Any, weights: Any, clusters: Any) -> None:
    found = inference(y, weights).bootstrap(4, seed=3, clusters=clusters)
    own = np.ones(150) if weights is None else weights
    for number in (0, 3):
        drawn = drawn_weights(own, 3, number, clusters)
        np.testing.assert_allclose(found.replicates[number], refitted(y, drawn), rtol=1e-6)


def test_regressors_too() -> None:
    model = LinearModel(loss="poisson", C=np.inf)
    found = inference(COUNTS, model=model).bootstrap(2)
    drawn = drawn_weights(np.ones(150), 0, 1)
    np.testing.assert_allclose(found.replicates[1], refitted(COUNTS, drawn, model), rtol=1e-6)


def test_draws_are_multinomial() -> None:
    counts = np.array([drawn_weights(TIMES, 1, b) for b in range(2000)])
    assert set(counts.sum(axis=1)) == {TIMES.sum()}
    share = TIMES / TIMES.sum()
    expected, variance = TIMES, TIMES.sum() * share * (1 - share)
    z = (counts.mean(axis=0) - expected) / np.sqrt(variance / 2000)
    assert np.abs(z).max() < 4.5
    np.testing.assert_allclose(counts.var(axis=0).mean(), variance.mean(), rtol=0.03)
    whole = drawn_weights(np.ones(150), 1, 0, GROUPS)
    assert all(len(set(whole[g == GROUPS])) == 1 for g in range(20))


def test_the_numbers_do_not_depend_on_threads_or_on_how_many_there_are() -> None:
    few = inference(TWO).bootstrap(5, seed=9).replicates
    more = inference(TWO, model=LogisticRegression(C=np.inf, n_jobs=3)).bootstrap(8, seed=9)
    assert few.tobytes() == more.replicates[:5].tobytes()
    assert (few != inference(TWO).bootstrap(5, seed=10).replicates).all()


def test_intervals_are_those_of_scipy() -> None:
    """The mean is a least-squares fit without columns, whose jackknife is exact."""
    y = RNG.exponential(size=80)
    model = LinearModel(loss="squared", C=np.inf).fit(np.zeros((80, 1)), y)
    found = model.inference(np.zeros((80, 1)), y).bootstrap(400)
    assert found.names[0] == "(Intercept)"
    means = [np.average(y, weights=drawn_weights(np.ones(80), 0, b)) for b in range(400)]
    np.testing.assert_allclose(found.replicates[:, 0], means, rtol=1e-12)
    result = stats.bootstrap((y,), np.mean, n_resamples=50)
    result.bootstrap_distribution = np.array(means)
    for method, (low, high) in {"percentile": found.percentile(), "BCa": found.bca()}.items():
        right = stats.bootstrap(
            (y,), np.mean, n_resamples=0, bootstrap_result=result, method=method
        ).confidence_interval
        np.testing.assert_allclose([low[0], high[0]], right, rtol=1e-8)


def test_replicates_without_an_optimum_are_counted() -> None:
    """Three events in one group: one draw in twenty has none of them, and is separated."""
    group = (np.arange(60) < 12).astype(float)[:, None]
    y = np.arange(60) % 4 == 0
    found = LogisticRegression(C=np.inf).fit(group, y).inference(group, y).bootstrap(100)
    lost = [
        b
        for b in range(100)
        for drawn in [drawn_weights(np.ones(60), 0, b)]
        if len(set(y[(drawn > 0) & (group[:, 0] == 1)])) < 2
    ]
    assert np.flatnonzero(np.isnan(found.replicates[:, 0])).tolist() == lost
    assert found.n_without_optimum == len(lost) > 0
    assert f"{len(lost)} of them without a finite optimum" in str(found)
    assert np.isfinite(found.tidy["bca.high"]).all()


def test_what_is_refused() -> None:
    penalised = LogisticRegression().fit(X, TWO).inference(X, TWO, penalised="bayes")
    with pytest.raises(DataError, match="C=inf"):
        penalised.bootstrap(10)
    whole = inference(TWO)
    for arguments, said in (
        ({"n": 1}, "2 or more"),
        ({"seed": -1}, "non-negative"),
        ({"clusters": [1, 2]}, "expected \\(150,\\)"),
    ):
        with pytest.raises(DataError, match=said):
            whole.bootstrap(**arguments)
    assert isinstance(whole.bootstrap(3, level=0.5), Bootstrap)
