"""L1 penalties, bounds and factors through the estimators, against scikit-learn's solvers."""

from __future__ import annotations

import pickle
import warnings
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn import linear_model

from chainrule import (
    GammaRegressor,
    LinearModel,
    LogisticRegression,
    PoissonRegressor,
    fit_logistic,
)
from chainrule.errors import DataError

RNG = np.random.default_rng(11)
X = RNG.normal(size=(120, 8))
SCORE = X @ np.array([1.0, -1.0, 0.5, 0, 0, 0, 0, 0])
Y = (SCORE + RNG.logistic(size=120) > 0).astype(int)
COUNTS = RNG.poisson(np.exp(0.5 * SCORE))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"penalty": "l1"}, {"l1_ratio": 1.0}),
        ({"l1_ratio": 1}, {"l1_ratio": 1.0}),
        ({"penalty": "elasticnet", "l1_ratio": 0.3}, {"l1_ratio": 0.3}),
        ({"l1_ratio": 0.3, "fit_intercept": False}, {"l1_ratio": 0.3, "fit_intercept": False}),
        (
            {"penalty": "l1", "class_weight": "balanced"},
            {"l1_ratio": 1.0, "class_weight": "balanced"},
        ),
    ],
)
def test_same_coefficients_as_saga(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    model = LogisticRegression(C=0.1, **ours).fit(X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mixed = {} if _has_new_l1_ratio() else {"penalty": "elasticnet"}
        other = linear_model.LogisticRegression(
            C=0.1, solver="saga", tol=1e-11, max_iter=100_000, random_state=0, **mixed, **theirs
        ).fit(X, Y)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=2e-5)
    np.testing.assert_allclose(model.intercept_, other.intercept_, atol=2e-5)
    np.testing.assert_array_equal(model.coef_ == 0, np.abs(other.coef_) < 1e-7)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-8
    assert "newton-elastic-net" in model.explain()


def _has_new_l1_ratio() -> bool:
    return bool(linear_model.LogisticRegression().penalty != "l2")


def test_squared_loss_is_the_lasso() -> None:
    target = SCORE + RNG.normal(size=120)
    model = LinearModel(loss="squared", C=1 / (120 * 0.1), l1_ratio=1.0, tol=1e-12)
    model.fit(X, target)
    other = linear_model.Lasso(alpha=0.1, tol=1e-12, max_iter=100_000).fit(X, target)
    np.testing.assert_allclose(model.coef_, other.coef_, atol=1e-7)


@pytest.mark.parametrize("kind", [PoissonRegressor, GammaRegressor])
def test_generalised_linear_models_take_the_same_parameters(kind: Any) -> None:
    target = COUNTS + 0.5
    strong = kind(alpha=0.1, l1_ratio=1.0).fit(X, target)
    assert 0 < (strong.coef_ != 0).sum() < 8
    assert strong.certificate_.proven
    held = kind(alpha=0.0, bounds=(-0.1, 0.2)).fit(X, target)
    assert held.coef_.min() >= -0.1
    assert held.coef_.max() <= 0.2
    assert held.certificate_.relative_bound <= 1e-8


def test_positive_and_factors_by_name() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X[:, :4], columns=list("abcd"))
    frame["kind"] = pd.Categorical(RNG.choice(["u", "v"], size=120))
    model = LogisticRegression(
        l1_ratio=1, C=0.02, penalty_factor={"c": 0, "kind": 5.0}, bounds=(None, {"a": 0.0})
    ).fit(frame, Y)
    coef = dict(zip(model.coef_names_.tolist(), model.coef_[0].tolist(), strict=True))
    assert coef["a"] == 0
    assert coef["c"] != 0
    assert coef["kind_u"] == coef["kind_v"] == 0
    assert (LogisticRegression(positive=True).fit(X, Y).coef_ >= 0).all()
    with pytest.raises(DataError, match="no column is called 'z'"):
        LogisticRegression(penalty_factor={"z": 1}).fit(frame, Y)


def test_no_penalty_ignores_the_ratio() -> None:
    plain = LogisticRegression(C=np.inf).fit(X, Y)
    mixed = LogisticRegression(C=np.inf, l1_ratio=1).fit(X, Y)
    np.testing.assert_array_equal(plain.coef_, mixed.coef_)


def test_warm_start_and_pickle() -> None:
    model = LogisticRegression(l1_ratio=1, C=0.1, warm_start=True).fit(X, Y)
    first = model.coef_.copy()
    model.fit(X, Y)
    assert model.n_iter_[0] <= 1
    np.testing.assert_allclose(model.coef_, first, atol=1e-6)
    again = pickle.loads(pickle.dumps(model))
    assert str(again.certificate_) == str(model.certificate_)


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"l1_ratio": -0.1}, "from 0 to 1"),
        ({"penalty": "elasticnet", "l1_ratio": None}, "needs l1_ratio"),
        ({"positive": "yes"}, "positive must be"),
        ({"bounds": (0.5, 1.0)}, "hold 0"),
        ({"penalty_factor": {"a": 0.0}}, "no column names"),
    ],
)
def test_refusals(keywords: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, DataError), match=message):
        LogisticRegression(**keywords).fit(X, Y)


def test_a_ratio_beside_l1_is_ignored_aloud() -> None:
    with pytest.warns(UserWarning, match="only used when penalty is 'elasticnet'"):
        mixed = LogisticRegression(penalty="l1", l1_ratio=0.3, C=0.1).fit(X, Y)
    np.testing.assert_array_equal(
        mixed.coef_, LogisticRegression(penalty="l1", C=0.1).fit(X, Y).coef_
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_function_fits_what_the_class_fits(n_classes: int) -> None:
    y = np.digitize(X[:, 0], [0.0, 0.8][: n_classes - 1])
    fit, model = fit_logistic(X, y, l1_ratio=0.7, C=0.2), LogisticRegression(l1_ratio=0.7, C=0.2)
    np.testing.assert_array_equal(fit.coef, np.squeeze(model.fit(X, y).coef_))
    assert fit.converged
    with pytest.raises(ValueError, match="from 0 to 1"):
        fit_logistic(X, y, l1_ratio=1.5)


def test_inference_says_what_to_do_instead() -> None:
    model = LogisticRegression(l1_ratio=1, C=0.1).fit(X, Y)
    with pytest.raises(DataError, match="rows that this fit did not use"):
        model.inference(X, Y, penalised="bayes")


def test_squares_alone_of_many_columns_take_no_strides() -> None:
    rng = np.random.default_rng(0)
    X = sparse.random(120, 260, 0.05, random_state=1, format="csr")
    y, factors = rng.integers(0, 2, 120), 10 ** rng.uniform(-2, 2, 260)
    model = LogisticRegression(C=30.0, penalty_factor=factors).fit(X, y)
    scaled = LogisticRegression(C=30.0).fit(X @ sparse.diags(1 / np.sqrt(factors)), y)
    assert model.objective_ == pytest.approx(scaled.objective_, rel=1e-7)
    assert (
        model.n_iter_[0] < 20
    )  # all columns take part at once: a rough fit on the way costs as much
