"""Targets far from where a loss is curved, or from where a fit starts: the optimum is reached."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.exceptions import ConvergenceWarning

from chainrule import LinearModel

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 3))
NOISY = X @ [1.0, 2.0, -1.0] + 3 + 0.3 * RNG.standard_t(2, size=300)
COUNTS = RNG.poisson(80 * np.exp(0.1 * X[:, 0])).astype(float)

LOSSES: dict[str, Any] = {
    "huber": lambda r: np.where(abs(r) <= 1.35, r * r / 2, 1.35 * (abs(r) - 1.35 / 2)),
    "log_cosh": lambda r: abs(r) + np.log1p(np.exp(-2 * abs(r))) - np.log(2),
    "quantile": lambda r: 0.1 * np.logaddexp(0, r / 0.1) - r / 2,
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("scale", [1.0, 1e2, 1e3])
def test_a_loss_of_fixed_width_fits_targets_of_any_scale(name: str, scale: float) -> None:
    y = scale * NOISY
    model = LinearModel(loss=name, C=1e12).fit(X, y)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-8

    def objective(w: Any) -> float:
        return float(LOSSES[name](X @ w[:3] + w[3] - y).sum()) + float(w[:3] @ w[:3]) / 2e12

    least_squares = np.linalg.lstsq(np.c_[X, np.ones(300)], y, rcond=None)[0]
    found = minimize(objective, least_squares, method="BFGS", options={"gtol": 1e-9})
    assert model.objective_ <= objective(found.x) + 1e-8 * abs(found.fun)
    here = objective(np.append(model.coef_, model.intercept_))
    assert here == pytest.approx(model.objective_, rel=1e-9, abs=1e-9 * 300 * scale)


def test_a_loss_without_a_least_value_may_become_negative() -> None:
    own = LinearModel(loss="exp(z) - y z").fit(X, COUNTS)
    shipped = LinearModel(loss="poisson").fit(X, COUNTS)
    assert own.certificate_.proven
    np.testing.assert_allclose(own.coef_, shipped.coef_, atol=1e-8)
    assert own.objective_ < 0


def test_an_objective_without_a_lower_bound_is_no_answer() -> None:
    with pytest.warns(ConvergenceWarning, match="the loss is not convex"):
        model = LinearModel(loss="y exp(-z) + z", C=np.inf).fit(X, -np.ones(300))
    assert not model.certificate_.proven
    assert np.isfinite(model.coef_).all()
