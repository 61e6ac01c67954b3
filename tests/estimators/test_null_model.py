"""The null model: the best constant score, by formulas that give it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import GammaRegressor, PoissonRegressor
from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.null_model import null_score
from chainrule.engine.losses.table import find_loss
from chainrule.estimators.losses import resolve_loss


@pytest.mark.slow
@pytest.mark.parametrize(
    ("loss", "constants", "y", "score"),
    [
        ("quantile", {"tau": 0.25, "width": 1e-6}, np.arange(1.0, 100.0), 25.0),
        ("squared", {}, np.array([1.0, 2.0, 6.0]), 3.0),
        ("poisson", {}, np.array([1.0, 2.0, 6.0]), np.log(3.0)),
        ("gamma", {}, np.array([1.0, 2.0, 6.0]), np.log(3.0)),
        ("huber", {"delta": 1e-3}, np.array([1.0, 2.0, 60.0]), 2.0),
        ("exp(z) - y z", {}, np.array([100.0, 300.0, 800.0]), np.log(400.0)),
    ],
)
def test_the_null_model_is_the_best_constant(
    loss: str, constants: dict[str, float], y: FloatArray, score: float
) -> None:
    found = null_score(resolve_loss(loss, constants), y, offset=np.full(len(y), 7.0))
    np.testing.assert_allclose(found, score, atol=2e-3)


def test_the_null_model_of_no_events_is_far_out() -> None:
    found = null_score(find_loss("poisson"), np.zeros(3))
    assert np.exp(found).max() < 1e-300


def test_weights_are_repetitions() -> None:
    y, repeats = np.array([1.0, 2.0, 6.0]), np.array([3, 1, 2])
    row = find_loss("log_cosh")
    found = null_score(row, y, repeats.astype(np.float64))
    np.testing.assert_allclose(found[0], null_score(row, np.repeat(y, repeats))[0], rtol=1e-12)


@pytest.mark.parametrize("model", [PoissonRegressor, GammaRegressor])
@pytest.mark.parametrize("seed", range(4))
def test_lasso_fits_leave_a_null_model_that_one_row_dominates(model: Any, seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, offset = rng.normal(size=(200, 25)), 25 * rng.normal(size=200)
    y = rng.poisson(np.exp(X[:, 0])) + 0.1
    fit = model(alpha=0.003, l1_ratio=1.0).fit(X, y, offset=offset)
    assert fit.certificate_.relative_bound <= fit.tol
