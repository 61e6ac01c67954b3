"""Rows that inference takes: shares, rows without weight, clusters; and terms by their names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.errors import DataError

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
RNG = np.random.default_rng(6)
X = RNG.normal(size=(120, 2))
Y = (X @ [1, -0.5] + RNG.logistic(size=120) > 0).astype(int)
WEIGHT = (np.arange(120) % 6 > 0).astype(float)
KEPT = np.flatnonzero(WEIGHT)
LABELS = np.array(["a", "b", "c", "d", "e", "f", "g"])[np.arange(120) % 7]


def infer(X: Any, y: Any, weight: Any = None, **more: Any) -> Any:
    return LogisticRegression(C=np.inf, tol=1e-12).fit(X, y, weight).inference(X, y, weight, **more)


def test_shares_are_accepted_after_a_fit_to_shares() -> None:
    trials = RNG.integers(3, 9, 120).astype(float)
    shares = RNG.binomial(trials.astype(int), 0.4) / trials
    model = LogisticRegression(C=np.inf, tol=1e-12).fit_proportions(X, shares, trials)
    found = model.inference(X, shares, trials)
    right = model.inference(X, shares, trials, proportions=True)
    np.testing.assert_array_equal(found.std_errors, right.std_errors)
    both = np.stack([1 - shares, shares], axis=1)
    np.testing.assert_allclose(model.inference(X, both, trials).std_errors, right.std_errors)
    with pytest.raises(DataError, match=r"in \[0, 1\], but row 1"):
        model.inference(X[:2], [0.5, 1.5])


def test_influence_has_a_row_for_each_row_given() -> None:
    """As in R, a row without weight has leverage, residual, distance and change 0."""
    found, right = infer(X, Y, WEIGHT).influence(), infer(X[KEPT], Y[KEPT]).influence()
    for name in ("leverage", "pearson_residual", "cooks_distance", "dfbeta"):
        values = getattr(found, name)
        assert len(values) == 120
        assert not values[WEIGHT == 0].any()
        np.testing.assert_allclose(values[KEPT], getattr(right, name), rtol=1e-6, atol=1e-12)


def test_a_bootstrap_takes_the_clusters_of_all_rows_given() -> None:
    found = infer(X, Y, WEIGHT).bootstrap(np.int64(5), clusters=LABELS, seed=np.int32(3))
    right = infer(X[KEPT], Y[KEPT]).bootstrap(5, clusters=LABELS[KEPT], seed=3)
    np.testing.assert_allclose(found.replicates, right.replicates, rtol=1e-6)
    with pytest.raises(DataError, match=r"shape \(119,\), expected \(120,\)"):
        infer(X, Y, WEIGHT).bootstrap(5, clusters=LABELS[:119])


def test_terms_of_a_formula_are_tested_by_name() -> None:
    pytest.importorskip("formulaic")
    data = pd.DataFrame(
        {"a": X[:, 0], "b": X[:, 1], "y": Y, "race": RNG.choice(["u", "v", "w"], 120)}
    )

    def fit(formula: str) -> Any:
        model = LogisticRegression.from_formula(formula, data, C=np.inf, tol=1e-12)
        return model.inference(data, data.y)

    found = fit("y ~ a*C(race, ref='v') + bs(b, df=4)")
    for names, smaller, df in (
        (["a:race", "race:a"], "y ~ a + C(race, ref='v') + bs(b, df=4)", 2),
        (["bs(b, df=4)", "bs(b,df=4)"], "y ~ a*C(race, ref='v')", 4),
    ):
        right = 2 * (found.glance().log_likelihood - fit(smaller).glance().log_likelihood)
        for name in names:
            test = found.lr(name)
            assert test.df == df
            assert test.statistic == pytest.approx(right, rel=1e-7)
    with pytest.raises(DataError, match=r"known are .*a:race, bs"):
        found.wald("a:b")


def test_few_clusters_are_remarked_on() -> None:
    few = infer(X, Y, cov="CR1", clusters=LABELS)
    assert "7 clusters" in few.note
    assert "7 clusters" in few.summary()
    many = infer(X, Y, cov="CR1", clusters=np.arange(120) % 60)
    assert "clusters" not in many.note


def test_tests_by_the_likelihood_say_that_they_are_of_the_model() -> None:
    robust, plain = infer(X, Y, cov="HC1"), infer(X, Y)
    for test in (robust.lr("x0"), robust.score("x0")):
        assert "not of cov='HC1'" in str(test)
    for text in (str(robust.wald("x0")), str(plain.lr("x0"))):
        assert "cov=" not in text
    assert "wald()" in robust.summary()
    counts = PoissonRegressor(alpha=0).fit(X, Y).inference(X, Y)
    assert "wald()" not in counts.summary()
