"""The regressors against scikit-learn's at their tightest, and the meaning of what a fit takes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from scipy.optimize import minimize
from sklearn import linear_model as theirs
from sklearn.base import clone

from chainrule import (
    GammaRegressor,
    LinearModel,
    LogisticRegression,
    PoissonRegressor,
    TweedieRegressor,
)
from chainrule.engine.losses.table import find_loss
from chainrule.errors import DataError

pd = pytest.importorskip("pandas")

Array = npt.NDArray[Any]


def problem(kind: str, n_samples: int = 300, seed: int = 0) -> tuple[Array, Array]:
    """Return rows and targets drawn from the model of a loss."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4))
    score = X @ [0.3, -0.2, 0.5, 0.0] + 0.5
    mean = np.exp(score)
    drawn: dict[str, Callable[[], Array]] = {
        "normal": lambda: score + rng.normal(size=n_samples),
        "poisson": lambda: rng.poisson(mean).astype(float),
        "gamma": lambda: rng.gamma(2.0, mean / 2),
        "compound": lambda: rng.poisson(mean) * rng.gamma(2.0, 0.7, n_samples),
        "share": lambda: (rng.random(n_samples) < 1 / (1 + np.exp(-score))).astype(float),
    }
    return X, drawn[kind]()


FAMILIES: list[tuple[str, Any, Any]] = [
    ("poisson", PoissonRegressor(), theirs.PoissonRegressor()),
    ("gamma", GammaRegressor(), theirs.GammaRegressor()),
    ("normal", TweedieRegressor(), theirs.TweedieRegressor()),
    ("poisson", TweedieRegressor(power=1), theirs.TweedieRegressor(power=1)),
    ("compound", TweedieRegressor(power=1.5), theirs.TweedieRegressor(power=1.5)),
    ("compound", TweedieRegressor(power=1.25), theirs.TweedieRegressor(power=1.25)),
    ("gamma", TweedieRegressor(power=2), theirs.TweedieRegressor(power=2)),
]


def mean_objective(model: Any, X: Array, y: Array, weight: Array) -> float:
    """Return scikit-learn's objective by its own loss: mean half deviance plus the penalty."""
    reference = theirs.TweedieRegressor(power=POWERS[type(model).__name__, _power(model)])
    loss = reference._get_loss()
    raw = X @ model.coef_ + model.intercept_
    values = loss.loss(y_true=y, raw_prediction=raw) + loss.constant_to_optimal_zero(y)
    return float(np.average(values, weights=weight) + model.alpha / 2 * model.coef_ @ model.coef_)


def _power(model: Any) -> float | None:
    return getattr(model, "power", None)


POWERS: dict[tuple[str, float | None], float] = {
    ("PoissonRegressor", None): 1,
    ("GammaRegressor", None): 2,
    **{("TweedieRegressor", power): power for power in (0.0, 1, 1.25, 1.5, 2)},
}


@pytest.mark.parametrize("solver", ["lbfgs", "newton-cholesky"])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("alpha", [0.0, 0.01, 1.0])
@pytest.mark.parametrize(("kind", "ours", "reference"), FAMILIES, ids=[str(f[1]) for f in FAMILIES])
def test_the_optimum_is_scikit_learns(
    kind: str, ours: Any, reference: Any, alpha: float, fit_intercept: bool, solver: str
) -> None:
    X, y = problem(kind)
    weight = np.random.default_rng(1).uniform(0.2, 2.0, len(y))
    shared = {"alpha": alpha, "fit_intercept": fit_intercept, "solver": solver}
    model = clone(ours).set_params(tol=1e-13, **shared).fit(X, y, weight)
    other = clone(reference).set_params(tol=1e-12, max_iter=10_000, **shared).fit(X, y, weight)
    found, known = (mean_objective(m, X, y, weight) for m in (model, other))
    assert found <= known * (1 + 1e-12)
    assert known == pytest.approx(found, rel=1e-10)
    if solver == "newton-cholesky":
        np.testing.assert_allclose(model.coef_, other.coef_, rtol=1e-8, atol=1e-10)
        assert model.intercept_ == pytest.approx(other.intercept_, rel=1e-8, abs=1e-10)
        assert model.score(X, y) == pytest.approx(other.score(X, y), rel=1e-8)
        assert model.score(X, y, weight) == pytest.approx(other.score(X, y, weight), rel=1e-8)
        np.testing.assert_allclose(model.predict(X), other.predict(X), rtol=1e-8)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-13
    assert model.coef_.shape == other.coef_.shape
    assert isinstance(model.intercept_, float)
    assert isinstance(model.n_iter_, int)


@pytest.mark.parametrize("alpha", [0.0, 0.5])
@pytest.mark.parametrize(("kind", "model"), [(f[0], f[1]) for f in FAMILIES], ids=str)
def test_weights_are_repetitions_and_zero_is_absence(kind: str, model: Any, alpha: float) -> None:
    X, y = problem(kind, 80)
    times = np.random.default_rng(3).integers(0, 4, 80)
    y[times == 0] = 7.0
    weighted = clone(model).set_params(alpha=alpha, tol=1e-12).fit(X, y, times)
    repeated = clone(weighted).fit(np.repeat(X, times, axis=0), np.repeat(y, times))
    np.testing.assert_allclose(weighted.coef_, repeated.coef_, rtol=1e-8, atol=1e-10)
    assert weighted.intercept_ == pytest.approx(repeated.intercept_, rel=1e-8)
    assert weighted.objective_ == pytest.approx(repeated.objective_, rel=1e-12)
    assert weighted.score(X, y, times) == pytest.approx(
        repeated.score(np.repeat(X, times, axis=0), np.repeat(y, times)), rel=1e-10
    )


@pytest.mark.parametrize("alpha", [0.0, 0.1])
def test_an_offset_of_log_exposure_fits_rates(alpha: float) -> None:
    # with mean = exposure exp(z), counts with an offset and rates with weights have one likelihood
    X, _ = problem("poisson")
    rng = np.random.default_rng(5)
    exposure = rng.uniform(0.1, 3.0, len(X))
    counts = rng.poisson(exposure * np.exp(X @ [0.3, -0.2, 0.5, 0.0])).astype(float)
    alpha_of_counts = alpha * exposure.sum() / len(X)
    rates = PoissonRegressor(alpha=alpha, tol=1e-13).fit(X, counts / exposure, exposure)
    model = PoissonRegressor(alpha=alpha_of_counts, tol=1e-13)
    model.fit(X, counts, offset=np.log(exposure))
    np.testing.assert_allclose(model.coef_, rates.coef_, rtol=1e-9, atol=1e-11)
    assert model.intercept_ == pytest.approx(rates.intercept_, rel=1e-9)
    np.testing.assert_allclose(model.predict(X, offset=0), rates.predict(X), rtol=1e-9)
    with pytest.raises(DataError, match="fitted with an offset, so predictions need one"):
        model.predict(X)
    np.testing.assert_allclose(
        model.predict(X, offset=np.log(exposure)), exposure * rates.predict(X), rtol=1e-9
    )
    # the null model has the offset too: its rate is total count / total exposure
    null = exposure * counts.sum() / exposure.sum()
    mean = model.predict(X, offset=np.log(exposure))

    def deviance(mu: Array) -> float:
        positive = np.where(counts > 0, counts, 1.0)
        return float((counts * np.log(positive / mu) * (counts > 0) - counts + mu).sum())

    found = model.score(X, counts, offset=np.log(exposure))
    assert found == pytest.approx(1 - deviance(mean) / deviance(null), rel=1e-9)


def test_the_logistic_loss_is_the_classifiers() -> None:
    X, y = problem("share")
    model = LinearModel(loss="logistic", C=0.7, tol=1e-13).fit(X, y)
    other = LogisticRegression(C=0.7, tol=1e-13).fit(X, y)
    np.testing.assert_allclose(model.coef_, other.coef_[0], rtol=1e-9)
    np.testing.assert_allclose(model.predict(X), other.predict_proba(X)[:, 1], rtol=1e-9)
    np.testing.assert_allclose(model.linear_predictor(X), other.decision_function(X), rtol=1e-9)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_the_squared_loss_is_ridge_regression(fit_intercept: bool) -> None:
    X, y = problem("normal")
    model = LinearModel(C=0.5, fit_intercept=fit_intercept, tol=1e-13).fit(X, y)
    ridge = theirs.Ridge(alpha=2.0, fit_intercept=fit_intercept, solver="cholesky").fit(X, y)
    np.testing.assert_allclose(model.coef_, ridge.coef_, rtol=1e-10)
    np.testing.assert_allclose(model.predict(X), ridge.predict(X), rtol=1e-10)
    if fit_intercept:
        assert model.score(X, y) == pytest.approx(ridge.score(X, y), rel=1e-10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "loss"),
    [
        ("log(cosh(z - y))", lambda r: np.logaddexp(r, -r) - np.log(2)),
        ("sqrt(1 + (z - y)^2) - 1", lambda r: np.sqrt(1 + r * r) - 1),
    ],
)
def test_a_loss_of_ones_own_reaches_scipys_optimum(
    text: str, loss: Callable[[Array], Array]
) -> None:
    X, y = problem("normal", 100)
    model = LinearModel(text, C=2.0, tol=1e-12).fit(X, y)

    def objective(beta: Array) -> float:
        return float(loss(X @ beta[:4] + beta[4] - y).sum() + beta[:4] @ beta[:4] / 4)

    best = minimize(objective, np.zeros(5), method="BFGS", options={"gtol": 1e-9}).fun
    assert model.objective_ <= best * (1 + 1e-12)
    assert model.objective_ == pytest.approx(best, rel=1e-10)


def test_a_forward_pass_from_a_file_is_the_same_loss(tmp_path: Any) -> None:
    path = tmp_path / "counts.cr"
    path.write_text("Z, Y : (1, m)\nJ = sum(exp(Z) - Y .* Z)\n", encoding="utf-8")
    X, y = problem("poisson")
    model = LinearModel(path, link="log", C=3.0, tol=1e-12).fit(X, y)
    named = LinearModel("poisson", C=3.0, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, named.coef_, rtol=1e-8)
    np.testing.assert_allclose(model.predict(X), named.predict(X), rtol=1e-8)


def test_alpha_is_a_penalty_on_the_mean_loss() -> None:
    X, y = problem("poisson")
    weight = np.random.default_rng(2).uniform(0.5, 2.0, len(y))
    by_alpha = LinearModel("poisson", alpha=0.03).fit(X, y, weight)
    by_C = LinearModel("poisson", C=1 / (0.03 * weight.sum())).fit(X, y, weight)
    np.testing.assert_array_equal(by_alpha.coef_, by_C.coef_)
    np.testing.assert_array_equal(
        by_alpha.coef_, PoissonRegressor(alpha=0.03).fit(X, y, weight).coef_
    )


@pytest.mark.parametrize("form", ["csr", "csc", "float32", "frame", "list", "fortran"])
def test_the_form_of_x_does_not_matter(form: str) -> None:
    X, y = problem("poisson")
    X = X.astype(np.float32).astype(np.float64)
    forms: dict[str, Callable[[], Any]] = {
        "csr": lambda: sparse.csr_array(X),
        "csc": lambda: sparse.csc_matrix(X),
        "float32": lambda: X.astype(np.float32),
        "frame": lambda: pd.DataFrame(X, columns=list("abcd")),
        "list": X.tolist,
        "fortran": lambda: np.asfortranarray(X),
    }
    given = forms[form]()
    model = PoissonRegressor(alpha=0.1, tol=1e-12).fit(given, y)
    plain = PoissonRegressor(alpha=0.1, tol=1e-12).fit(X, y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.predict(given), plain.predict(X), rtol=1e-9)


def test_categories_are_one_hot_columns() -> None:
    rng = np.random.default_rng(0)
    region = rng.choice(["north", "south", "west"], 200)
    age = rng.normal(size=200)
    mean = np.exp(0.3 * age + np.where(region == "west", 1.0, 0.0))
    y = rng.poisson(mean).astype(float)
    frame = pd.DataFrame({"region": pd.Categorical(region), "age": age})
    model = PoissonRegressor(alpha=0.1, tol=1e-12).fit(frame, y)
    one_hot = pd.get_dummies(frame, columns=["region"], dtype=float)
    assert model.coef_names_ is not None
    names = [str(name) for name in model.coef_names_.tolist()]
    plain = PoissonRegressor(alpha=0.1, tol=1e-12).fit(one_hot[names].to_numpy(), y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-8, atol=1e-10)
    assert list(model.levels_["region"]) == ["north", "south", "west"]


def test_a_warm_start_continues_from_the_last_coefficients() -> None:
    X, y = problem("poisson", 2000)
    model = PoissonRegressor(alpha=0.01, warm_start=True).fit(X, y)
    cold, before = model.n_iter_, model.coef_.copy()
    model.fit(X, y)
    assert model.n_iter_ < cold
    np.testing.assert_allclose(model.coef_, before, rtol=1e-6)
    model.fit(X[:, :2], y)
    assert model.coef_.shape == (2,)


@pytest.mark.slow
@pytest.mark.parametrize(
    "model",
    [
        PoissonRegressor(alpha=0.3),
        TweedieRegressor(power=1.7),
        LinearModel("log(cosh(z - y))", C=3.0),
        LinearModel("huber", constants={"delta": 0.5}),
    ],
    ids=str,
)
def test_a_fit_survives_pickling_and_cloning(model: Any) -> None:
    X, y = problem("poisson", 60)
    model = clone(model).fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert str(again.certificate_) == str(model.certificate_)
    fresh = clone(model)
    assert not hasattr(fresh, "coef_")
    np.testing.assert_array_equal(fresh.fit(X, y).coef_, model.coef_)


def test_any_number_of_threads_gives_the_same_bits() -> None:
    X, y = problem("poisson", 20_000)
    one = PoissonRegressor(n_jobs=1).fit(X, y)
    two = PoissonRegressor(n_jobs=2).fit(X, y)
    np.testing.assert_array_equal(one.coef_, two.coef_)
    assert one.intercept_ == two.intercept_


def test_a_fit_describes_itself(capsys: pytest.CaptureFixture[str]) -> None:
    X, y = problem("poisson")
    model = PoissonRegressor(verbose=1).fit(X, y)
    assert "objective" in capsys.readouterr().out
    assert "X was read" in model.explain()
    assert len(model.history_) == model.n_iter_
    assert model.facts_ == find_loss("poisson").facts
    assert model.solver_ == "newton-cholesky"


@pytest.mark.parametrize(("loss", "low", "high"), [("squared_hinge", -1.0, 1.0), ("cloglog", 0, 1)])
def test_losses_of_two_classes_take_their_numbers(loss: str, low: float, high: float) -> None:
    X, share = problem("share")
    y = np.where(share > 0, high, low)
    model = LinearModel(loss).fit(X, y)
    score = model.linear_predictor(X)
    assert score[y == high].mean() > score[y == low].mean()


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_the_score_of_a_constant_target_is_that_of_r2(value: float) -> None:
    X, y = problem("poisson")
    constant = np.full(len(y), value)
    fit = PoissonRegressor().fit(X, y)
    assert fit.score(X, constant) == 0.0
    perfect = PoissonRegressor().fit(X, np.full(len(y), 3.0))
    assert perfect.score(X, np.full(len(y), 3.0)) == 1.0


def test_facts_print_their_proofs() -> None:
    X, y = problem("poisson")
    text = str(PoissonRegressor().fit(X, y).facts_)
    assert "convexity: l'' = exp(z) >= 0" in text
    assert "self-concordance, M = 1: " in text
    assert "targets without a minimum: l' > 0 at y = 0" in text
    assert "not proven: bound of the curvature" in text


def test_a_loss_of_ones_own_is_proven_for_the_targets_at_hand() -> None:
    X, y = problem("gamma")
    own = LinearModel(loss="y exp(-z) + z").fit(X, y)
    assert own.facts_.convex
    assert own.certificate_.proven
    np.testing.assert_allclose(own.coef_, LinearModel(loss="gamma").fit(X, y).coef_, rtol=1e-6)
