"""Many fits in one call: each is the fit that the general method and scikit-learn find."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Sklearn
from sklearn.linear_model import PoissonRegressor as SklearnPoisson

from chainrule import fit_many
from chainrule.errors import DataError

RNG = np.random.default_rng(8)
X = RNG.normal(size=(240, 4)) * [1.0, 3.0, 0.2, 1.0]
SCORES = X @ [1.0, -0.3, 2.0, 0.0] + 0.4
Y = SCORES + RNG.logistic(size=240) > 0


def optimum(X: Any, y: Any, weight: Any = None, C: float = 1.0) -> tuple[Any, Any]:
    model = Sklearn(C=C, solver="newton-cholesky", tol=1e-12, max_iter=200).fit(X, y, weight)
    return model.coef_[0], model.intercept_[0]


@pytest.mark.slow
@pytest.mark.parametrize("C", [0.1, 1.0, 1e4])
def test_a_bootstrap_is_one_weighted_fit_a_row(C: float) -> None:
    drawn = RNG.multinomial(240, np.full(240, 1 / 240), size=12)
    fits = fit_many(X, Y, sample_weight=drawn, C=C)
    assert len(fits) == 12
    for k, weight in enumerate(drawn):
        coef, intercept = optimum(X, Y, weight, C)
        np.testing.assert_allclose(fits.coef[k], coef, rtol=1e-6, atol=1e-8)
        assert fits.intercept[k] == pytest.approx(intercept, rel=1e-6, abs=1e-8)
        assert fits.expected_gap[k] <= 1e-8 * fits.objective[k]
    assert fits.certificate(3).proven
    assert fits.certificate(3).relative_bound <= 1e-8


@pytest.mark.parametrize("loss", ["logistic", "poisson"])
@pytest.mark.parametrize("tol", [0.3, 1e-3])
def test_a_certificate_is_of_the_coefficients_handed_back(tol: float, loss: str) -> None:
    weights = 10.0 ** RNG.uniform(-2, 2, size=(4, 240))
    y = Y if loss == "logistic" else RNG.poisson(1 + np.exp(SCORES / 2))
    found = fit_many(X, y, sample_weight=weights, tol=tol, loss=loss)
    best = fit_many(X, y, sample_weight=weights, tol=1e-14, loss=loss)
    rough = replace(found, coef=found.coef + 1e-3)  # as a solver might that stops early

    def objective(fits: Any, k: int) -> float:
        raw = X @ fits.coef[k] + fits.intercept[k]
        losses = (np.logaddexp(0, raw) if loss == "logistic" else np.exp(raw)) - y * raw
        return float(weights[k] @ losses + 0.5 * fits.coef[k] @ fits.coef[k])

    for k in range(-1, 3):
        assert found.certificate(k).relative_bound <= tol
        certificate = rough.certificate(k)
        gap = objective(rough, k) - objective(best, k)
        assert 0 < gap <= certificate.suboptimality_bound
        distance = np.linalg.norm(rough.coef[k] - best.coef[k])
        assert distance <= certificate.distance_bound + 1e-12


def test_several_targets_share_their_rows() -> None:
    classes = np.digitize(SCORES, [-1, 1])
    fits = fit_many(X, np.equal.outer(np.arange(3), classes))
    for k in range(3):
        coef, intercept = optimum(X, classes == k)
        np.testing.assert_allclose(fits.coef[k], coef, rtol=1e-6, atol=1e-8)
        assert fits.intercept[k] == pytest.approx(intercept, rel=1e-6)


def test_groups_come_sorted_with_their_names() -> None:
    groups = RNG.choice(["south", "north", "east"], 240)
    fits = fit_many(X, Y, groups=groups)
    assert fits.names.tolist() == ["east", "north", "south"]
    for k, name in enumerate(fits.names):
        coef, _ = optimum(X[groups == name], Y[groups == name])
        np.testing.assert_allclose(fits.coef[k], coef, rtol=1e-6, atol=1e-8)


def test_any_loss_with_an_offset() -> None:
    offset = RNG.normal(size=240) * 0.1
    counts = RNG.poisson(np.exp(0.3 * SCORES + offset))
    shifted = fit_many(X, counts, offset=offset, loss="poisson", C=2.0)
    exposure = np.exp(offset)
    rates = SklearnPoisson(alpha=1 / 2.0 / exposure.sum(), solver="newton-cholesky", tol=1e-12)
    rates.fit(X, counts / exposure, exposure)
    np.testing.assert_allclose(shifted.coef[0], rates.coef_, rtol=1e-6, atol=1e-9)


def test_without_an_intercept_and_on_any_number_of_threads() -> None:
    drawn = RNG.integers(0, 3, size=(9, 240))
    fits = [fit_many(X, Y, sample_weight=drawn, fit_intercept=False, n_jobs=n) for n in (1, 2, 5)]
    assert not fits[0].intercept.any()
    for other in fits[1:]:
        np.testing.assert_array_equal(other.coef, fits[0].coef)


@pytest.mark.filterwarnings("ignore")
def test_what_has_no_optimum_is_left_to_the_general_method_which_proves_it() -> None:
    groups = np.arange(240) < 200
    y = np.where(groups, Y, X[:, 0] > 0)
    fits = fit_many(X, y, groups=groups, C=np.inf)
    assert fits.one_by_one.tolist() == [0]
    assert fits.certificate(0).kind == "separation"
    assert fits.certificate(1).kind == "Newton decrement"
    twice = np.column_stack([X, X[:, 0]])  # collinear: the optimum of least norm
    halves = fit_many(twice, Y, C=np.inf).coef[0]
    assert halves[0] == pytest.approx(halves[4], rel=1e-6)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": Y[:5]}, r"y has shape \(5,\); X has 240 rows"),
        ({"y": Y + 1.0}, "y is 2 in row"),
        ({"X": np.where(np.arange(4) == 2, np.nan, X)}, r"X contains nan at \[0, 2\]"),
        ({"X": [["a"] * 4] * 240}, "X must hold numbers"),
        ({"sample_weight": -np.ones(240)}, "negative number"),
        ({"sample_weight": np.zeros((2, 240))}, "fit 0 has no row with a positive weight"),
        ({"groups": np.arange(3)}, "one name per row"),
        ({"y": np.tile(Y, (3, 1)), "sample_weight": np.ones((2, 240))}, "the other for 3"),
    ],
)
def test_what_cannot_be_fitted_is_named(change: dict[str, Any], said: str) -> None:
    given: dict[str, Any] = {"X": X, "y": Y} | change
    with pytest.raises(DataError, match=said):
        fit_many(given.pop("X"), given.pop("y"), **given)
