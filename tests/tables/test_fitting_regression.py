"""Fitting tables with losses of numbers, held to scikit-learn, SciPy and explicit formulas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import optimize, special
from sklearn.linear_model import GammaRegressor, PoissonRegressor, TweedieRegressor
from sklearn.metrics import d2_tweedie_score, mean_absolute_error, root_mean_squared_error
from tests.tables.claims import claims, encoded, written

from chainrule.errors import DataError
from chainrule.tables.fitting_regression import FittedRegression, fit_regression_file
from chainrule.tables.losses import choose_loss
from chainrule.tables.options import FitOptions
from chainrule.tables.predicting import load_model
from chainrule.tables.reading import read_table
from chainrule.tables.regression import TableRegression
from chainrule.tables.splitting import hold_out

Floats = npt.NDArray[np.float64]
UNUSED = ("years", "n", "cost", "gain")
TIGHT = {"tol": 1e-12, "max_iter": 10_000, "solver": "newton-cholesky"}


def fit(
    path: Path, target: str, loss: str, constants: dict[str, float] | None = None, **choices: Any
) -> FittedRegression:
    kept = {target, choices.get("offset"), choices.get("exposure")}
    ignore = tuple(name for name in UNUSED if name not in kept)
    given = FitOptions(target, ignore=ignore, **{"holdout": 0.0, **choices})
    return fit_regression_file(path, given, choose_loss(loss, constants))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return written(tmp_path / "claims.csv")


@pytest.mark.parametrize(
    ("loss", "constants", "theirs", "target"),
    [
        ("poisson", {}, PoissonRegressor, "n"),
        ("gamma", {}, GammaRegressor, "cost"),
        ("tweedie", {"p": 1.25}, lambda **k: TweedieRegressor(power=1.25, **k), "n"),
        ("tweedie", {}, lambda **k: TweedieRegressor(power=1.5, **k), "cost"),
    ],
)
@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0])
def test_the_regressors_of_scikit_learn_find_the_same_optimum(
    path: Path,
    loss: str,
    constants: dict[str, float],
    theirs: Callable[..., Any],
    target: str,
    alpha: float,
) -> None:
    columns = claims()
    model = fit(path, target, loss, constants, alpha=alpha).model
    peer = theirs(alpha=alpha, **TIGHT).fit(encoded(columns), columns[target])
    np.testing.assert_allclose(model.coef[0], peer.coef_, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(model.intercept[0], peer.intercept_, rtol=1e-6)
    np.testing.assert_allclose(
        model.predict(read_table(path)), peer.predict(encoded(columns)), rtol=1e-6
    )
    assert model.certificate.facts["proven"] is True


def test_an_exposure_is_a_weight_on_rates(path: Path) -> None:
    columns = claims()
    years = np.asarray(columns["years"], dtype=np.float64)
    model = fit(path, "n", "poisson", alpha=0.0, exposure="years").model
    peer = PoissonRegressor(alpha=0.0, **TIGHT)
    peer.fit(
        encoded(columns), np.asarray(columns["n"], dtype=np.float64) / years, sample_weight=years
    )
    np.testing.assert_allclose(model.coef[0], peer.coef_, rtol=1e-6)
    np.testing.assert_allclose(
        model.predict(read_table(path)), peer.predict(encoded(columns)) * years, rtol=1e-6
    )


def test_an_offset_is_the_logarithm_of_an_exposure(tmp_path: Path) -> None:
    columns = claims()
    columns["logged"] = np.log(np.asarray(columns["years"], dtype=np.float64))
    path = written(tmp_path / "claims.csv", columns)
    by_exposure = fit(path, "n", "poisson", exposure="years", holdout=0.3)
    ignore = ("years", "cost", "gain")
    choices = FitOptions("n", ignore=ignore, offset="logged", holdout=0.3)
    by_offset = fit_regression_file(path, choices, choose_loss("poisson"))
    again = FitOptions("n", ignore=("logged", "cost", "gain"), exposure="years", holdout=0.3)
    by_exposure = fit_regression_file(path, again, choose_loss("poisson"))
    np.testing.assert_allclose(by_offset.model.coef, by_exposure.model.coef, rtol=1e-7)
    assert by_offset.metrics is not None
    assert by_exposure.metrics is not None
    assert by_offset.metrics.deviance_explained == pytest.approx(
        by_exposure.metrics.deviance_explained, abs=1e-9
    )


def huber(r: Floats) -> Floats:
    return np.asarray(special.huber(1.35, r))


def log_cosh(r: Floats) -> Floats:
    return np.asarray(np.logaddexp(r, -r) - np.log(2))


def smoothed_check(r: Floats) -> Floats:
    """Of r = z - y, at tau = 0.9 and width = 0.2."""
    return np.asarray(-0.9 * r + 0.2 * np.logaddexp(0, r / 0.2))


@pytest.mark.parametrize(
    ("loss", "constants", "formula"),
    [
        ("huber", {}, huber),
        ("log_cosh", {}, log_cosh),
        ("log(cosh(z - y))", {}, log_cosh),
        ("quantile", {"tau": 0.9, "width": 0.2}, smoothed_check),
        ("squared", {}, lambda r: r**2 / 2),
        ("sqrt(1 + (z - y)^2/d) - 1", {"d": 0.5}, lambda r: np.sqrt(1 + r**2 / 0.5) - 1),
    ],
)
def test_the_objective_is_the_least_that_scipy_finds(
    path: Path, loss: str, constants: dict[str, float], formula: Callable[[Floats], Floats]
) -> None:
    columns = claims()
    X, y = encoded(columns), np.asarray(columns["gain"], dtype=np.float64)
    model = fit(path, "gain", loss, constants, C=2.0).model

    def objective(w: Floats) -> float:
        return float(formula(X @ w[:-1] + w[-1] - y).sum() + (w[:-1] ** 2).sum() / 4)

    ours = np.append(model.coef[0], model.intercept)
    assert model.training.objective == pytest.approx(objective(ours), rel=1e-12)
    found = optimize.minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-6})
    assert model.training.objective <= found.fun * (1 + 1e-9)
    np.testing.assert_allclose(ours, found.x, atol=1e-4)


@pytest.mark.parametrize(
    ("loss", "power", "target"), [("poisson", 1, "n"), ("gamma", 2, "cost"), ("tweedie", 1.5, "n")]
)
def test_the_measures_are_those_of_scikit_learn(
    path: Path, loss: str, power: float, target: str
) -> None:
    columns = claims()
    fitted = fit(path, target, loss, holdout=0.25, seed=5)
    _, held = hold_out(np.zeros(400, dtype=np.int64), 0.25, 5)
    y = np.asarray(columns[target], dtype=np.float64)[held]
    mean = fitted.model.predict(read_table(path).take(held))
    metrics = fitted.metrics
    assert metrics is not None
    assert metrics.n_rows == 100
    assert metrics.deviance_explained == pytest.approx(
        d2_tweedie_score(y, mean, power=power), abs=1e-10
    )
    assert metrics.rmse == pytest.approx(root_mean_squared_error(y, mean))
    assert metrics.mae == pytest.approx(mean_absolute_error(y, mean))
    assert metrics.mean_actual == pytest.approx(y.mean())
    assert metrics.mean_predicted == pytest.approx(mean.mean())
    assert metrics.groups.weight is not None
    assert metrics.groups.weight.sum() == 100
    assert (np.diff(metrics.groups.x) > 0).all()
    np.testing.assert_allclose(metrics.groups.y @ metrics.groups.weight, y.sum())


def test_no_deviance_where_no_lower_bound_is_proven(path: Path) -> None:
    # without a range of targets, exp(z) - y z falls for ever for y < 0
    fitted = fit(path, "n", "exp(z) - y z", holdout=0.2)
    assert fitted.metrics is not None
    assert fitted.metrics.deviance_explained is None
    assert fitted.model.training.metrics["deviance_explained"] is None


def test_a_loss_that_is_not_convex_claims_no_global_optimum(path: Path) -> None:
    sentence = fit(path, "gain", "cauchy").model.certificate.sentence
    assert "Nothing is proven about a global optimum" in sentence


@pytest.mark.parametrize(
    ("loss", "constants", "target", "exposure"),
    [
        ("poisson", {}, "n", "years"),
        ("tweedie", {"p": 1.75}, "cost", None),
        ("log(cosh(z - y))", {}, "gain", None),
        ("sqrt(1 + (z - y)^2/d) - 1", {"d": 0.1}, "gain", None),
    ],
)
def test_a_saved_model_predicts_the_same_bits(
    tmp_path: Path,
    path: Path,
    loss: str,
    constants: dict[str, float],
    target: str,
    exposure: str | None,
) -> None:
    model = fit(path, target, loss, constants, exposure=exposure).model
    model.save(tmp_path / "model.json")
    back = load_model(tmp_path / "model.json")
    assert isinstance(back, TableRegression)
    table = read_table(path)
    assert back.predict(table).tobytes() == model.predict(table).tobytes()
    assert back.loss.text == model.loss.text
    assert back.loss.row.facts == model.loss.row.facts
    assert back.training == model.training


REFUSED: dict[str, tuple[dict[str, Any], str, str, dict[str, Any], str]] = {
    "a negative count": (
        {"n": (7, "-1")},
        "n",
        "poisson",
        {},
        "the target 'n', row 7: -1 is out of range: the loss poisson takes numbers >= 0. Correct",
    ),
    "an amount of zero": (
        {"cost": (2, "0.0")},
        "cost",
        "gamma",
        {},
        "the target 'cost', row 2: 0 is out of range: the loss gamma takes numbers > 0",
    ),
    "a text": ({}, "area", "poisson", {}, "'B' is not a number, and the loss poisson takes"),
    "an infinite target": (
        {"n": (4, "inf")},
        "n",
        "poisson",
        {},
        "column 'n', row 4: the value is infinite",
    ),
    "a missing target": (
        {"n": (4, "")},
        "n",
        "poisson",
        {"missing": "mean"},
        "the target 'n' is missing in 1 rows, and a target cannot be filled in",
    ),
    "an exposure of zero": (
        {"years": (9, "0.0")},
        "n",
        "poisson",
        {"exposure": "years"},
        "the exposure 'years', row 9: 0 is not above 0",
    ),
    "a missing exposure": (
        {"years": (9, "")},
        "n",
        "poisson",
        {"exposure": "years", "missing": "mean"},
        "the exposure 'years', row 9: the value is missing, and it cannot be filled in",
    ),
    "an exposure of text": (
        {},
        "n",
        "poisson",
        {"exposure": "area"},
        "column 'area' holds numbers, but row 1 says 'B'",
    ),
    "an exposure without a log link": (
        {},
        "n",
        "squared",
        {"exposure": "years"},
        "--exposure multiplies the mean, which takes a log link; the loss squared has the identity",
    ),
    "an unknown offset": ({}, "n", "poisson", {"offset": "yeers"}, "no column is named 'yeers'"),
    "the target as offset": (
        {},
        "n",
        "poisson",
        {"offset": "n"},
        "column 'n' is the target and the offset",
    ),
    "one column as both": (
        {},
        "n",
        "poisson",
        {"offset": "years", "exposure": "years"},
        "'years' is the offset and the exposure: it would count twice",
    ),
    "a negative alpha": ({}, "n", "poisson", {"alpha": -1.0}, "--alpha is the weight"),
    "a positive label": (
        {},
        "n",
        "poisson",
        {"positive": "1"},
        "--positive names one of two labels, and the loss poisson takes numbers",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_input_is_named(tmp_path: Path, case: str) -> None:
    cells, target, loss, choices, said = REFUSED[case]
    path = written(tmp_path / "claims.csv", **cells)
    with pytest.raises(DataError) as caught:
        fit(path, target, loss, **choices)
    assert said in str(caught.value)


def test_a_constant_target_is_refused(tmp_path: Path) -> None:
    columns = claims()
    columns["n"] = np.full(400, 3)
    with pytest.raises(DataError, match="is 3 in every row"):
        fit(written(tmp_path / "claims.csv", columns), "n", "poisson")


def test_incomplete_rows_are_dropped_as_chosen(tmp_path: Path) -> None:
    path = written(tmp_path / "claims.csv", n=(4, ""), years=(9, ""))
    fitted = fit(path, "n", "poisson", exposure="years", missing="drop")
    assert fitted.model.training.rows == 398
    assert fitted.model.training.dropped == 2
    assert 4 not in fitted.rows
    assert 9 not in fitted.rows


def test_advice_where_the_tolerance_is_not_proven(tmp_path: Path) -> None:
    columns = claims()
    columns["gain"] = np.asarray(columns["gain"], dtype=np.float64) * 1e6
    columns["n"] = np.where(columns["area"] == "C", 0, columns["n"])
    path = written(tmp_path / "claims.csv", columns)
    (*_, said) = fit(path, "gain", "huber").notes
    assert "change its unit, or set --constant delta=VALUE" in said
    notes = " ".join(fit(path, "n", "poisson", C=np.inf).notes)
    assert "finite" in notes
    assert "with a finite -C" in notes
    assert fit(path, "n", "poisson").notes == ()
