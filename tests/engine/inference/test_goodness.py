"""Tests of a fit as a whole, held to the regressions that define them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from chainrule import LogisticRegression, PoissonRegressor
from chainrule.errors import DataError

RNG = np.random.default_rng(21)
X = RNG.normal(size=(400, 3)) * [1, 4, 1] + [0, 20, 2]
Y = (X @ [1, 0.2, -0.5] - 3 + RNG.logistic(size=400) > 0).astype(int)
TIMES = RNG.integers(1, 4, 400)


@pytest.mark.parametrize("weighted", [False, True])
def test_sum_of_squares(weighted: bool) -> None:
    """As rms::residuals(fit, "gof") of R: a weighted regression of 1 - 2p on the columns."""
    weights = TIMES.astype(float) if weighted else None
    model = LogisticRegression(C=np.inf).fit(X, Y, weights)
    found, _ = model.inference(X, Y, weights).goodness()
    rows = np.repeat(np.arange(400), TIMES if weighted else 1)
    p, y = model.predict_proba(X[rows])[:, 1], Y[rows]
    root = np.sqrt(p * (1 - p))
    design = np.column_stack([np.ones(len(rows)), X[rows]])
    turn = 1 - 2 * p
    beta = np.linalg.lstsq(design * root[:, None], turn * root, rcond=None)[0]
    error = np.sqrt((((turn - design @ beta) * root) ** 2).sum())
    squares, expected = ((y - p) ** 2).sum(), (p * (1 - p)).sum()
    z = (squares - expected) / error
    assert found.sum_of_squares == pytest.approx(squares, rel=1e-10)
    assert found.expected == pytest.approx(expected, rel=1e-10)
    assert found.statistic == pytest.approx(z, rel=1e-6)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-6)
    assert "le Cessie" in str(found)


def test_stukel_is_the_score_test_of_two_more_columns() -> None:
    model = LogisticRegression(C=np.inf).fit(X, Y)
    _, found = model.inference(X, Y).goodness()
    z = model.decision_function(X)
    more = np.column_stack([X, z**2 * (z >= 0) / 2, -(z**2) * (z < 0) / 2])
    wide = LogisticRegression(C=np.inf).fit(more, Y).inference(more, Y)
    right = wide.score(["x3", "x4"])
    assert found.df == 2
    assert found.statistic == pytest.approx(right.statistic, rel=1e-6)
    assert found.p_value == pytest.approx(right.p_value, rel=1e-6)


def test_the_wrong_link_is_found() -> None:
    random = np.random.default_rng(2)
    x = random.normal(size=(4000, 1)) * 2
    heavy = (random.standard_cauchy(4000) < x[:, 0]).astype(int)
    right = (random.logistic(size=4000) < x[:, 0]).astype(int)
    for y, is_wrong in ((heavy, True), (right, False)):
        _, found = LogisticRegression(C=np.inf).fit(x, y).inference(x, y).goodness()
        assert (found.p_value < 1e-4) == is_wrong


def test_one_side_of_a_half_leaves_one_degree_of_freedom() -> None:
    random = np.random.default_rng(3)
    x = random.normal(size=(300, 1)) / 4
    y = (random.random(300) < 0.1).astype(int)
    _, found = LogisticRegression(C=np.inf).fit(x, y).inference(x, y).goodness()
    assert found.df == 1


def test_what_is_refused() -> None:
    counts: Any = RNG.poisson(2, 400)
    inference = PoissonRegressor(alpha=0).fit(X, counts).inference(X, counts)
    with pytest.raises(DataError, match="logistic fit of two classes"):
        inference.goodness()
    penalised = LogisticRegression().fit(X, Y).inference(X, Y, penalised="bayes")
    with pytest.raises(DataError, match="unpenalised"):
        penalised.goodness()
