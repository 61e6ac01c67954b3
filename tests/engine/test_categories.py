"""Categorical columns of data frames: the optimum of the one-hot data, without one-hot data."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression as Peer

from chainrule import LogisticRegression
from chainrule.engine.passes import fused_blocks
from chainrule.errors import DataError

pd: Any = pytest.importorskip("pandas")

RNG = np.random.default_rng(33)
CARRIERS = ["AA", "UA", "DL", "B6"]


def frame(m: int, *, numbers: bool = True) -> Any:
    columns: dict[str, Any] = {
        "carrier": pd.Categorical(
            RNG.choice(["AA", "UA", "DL", "B6"], m, p=[0.5, 0.3, 0.15, 0.05])
        ),
        "month": pd.Categorical(RNG.integers(1, 13, m)),
    }
    if numbers:
        columns = {
            "distance": RNG.normal(size=m),
            "carrier": columns["carrier"],
            "late": RNG.random(m) < 0.3,
            "month": columns["month"],
            "gates": RNG.integers(0, 5, m),
        }
    return pd.DataFrame(columns)


def labels(X: Any, n_classes: int = 2) -> Any:
    score = X["carrier"].cat.codes.to_numpy()[:, None] * RNG.normal(size=n_classes)
    return (score + RNG.gumbel(size=(len(X), n_classes))).argmax(axis=1)


def one_hot(X: Any) -> Any:
    return pd.get_dummies(X, columns=[c for c in X if X[c].dtype == "category"], dtype=float)[
        [
            name
            for c in X
            for name in (
                [f"{c}_{level}" for level in X[c].cat.categories]
                if X[c].dtype == "category"
                else [c]
            )
        ]
    ].astype(float)


@pytest.mark.parametrize("numbers", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("solver", ["auto", "newton-cg"])
def test_the_fit_is_that_of_the_one_hot_data(numbers: bool, n_classes: int, solver: str) -> None:
    X = frame(700, numbers=numbers)
    y, wide = labels(X, n_classes), one_hot(X)
    model = LogisticRegression(solver=solver, tol=1e-12).fit(X, y)
    peer = Peer(tol=1e-12, max_iter=10_000).fit(wide.to_numpy(), y)
    assert model.certificate_.proven
    assert "2 categorical columns stay codes" in model.explain()
    assert model.coef_names_.tolist() == wide.columns.tolist()
    assert model.n_features_in_ == X.shape[1]
    np.testing.assert_allclose(model.coef_, peer.coef_, atol=2e-5)
    np.testing.assert_allclose(
        model.predict_proba(X), peer.predict_proba(wide.to_numpy()), atol=1e-5
    )


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg"])
@pytest.mark.parametrize("weighted", [True, False])
def test_codes_give_the_bits_of_sparse_rows(
    fused: bool, solver: str, weighted: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FUSED_FROM", "AT_HAND_FROM"):
        monkeypatch.setattr(fused_blocks, name, 0 if fused else 10**9)
    X = frame(3000, numbers=False)
    y, weights = labels(X), RNG.integers(0, 3, 3000) if weighted else None
    wide = sparse.csr_array(one_hot(X).to_numpy())
    coded = LogisticRegression(solver=solver, n_jobs=2).fit(X, y, weights)
    plain = LogisticRegression(solver=solver, n_jobs=1).fit(wide, y, weights)
    np.testing.assert_array_equal(coded.coef_, plain.coef_)
    assert coded.objective_ == plain.objective_
    np.testing.assert_array_equal(coded.decision_function(X), plain.decision_function(wide))


def test_levels_that_do_not_occur_get_no_coefficient_and_rows_of_no_weight_do_not_count() -> None:
    X = frame(400)
    X["carrier"] = X["carrier"].cat.add_categories(["never"])
    X.loc[0, "carrier"], X.loc[1, "carrier"] = "never", None
    weights = np.ones(400)
    weights[:2] = 0
    y = labels(X)
    model = LogisticRegression().fit(X, y, weights)
    rest = LogisticRegression().fit(X[2:], y[2:])
    assert "carrier_never" not in model.coef_names_
    assert model.levels_["carrier"].tolist() == ["AA", "B6", "DL", "UA"]
    np.testing.assert_array_equal(model.coef_, rest.coef_)


def test_levels_are_known_by_their_value_however_they_are_coded() -> None:
    X = frame(300)
    model = LogisticRegression().fit(X, labels(X))
    other = X.copy()
    other["carrier"] = X["carrier"].cat.reorder_categories(["UA", "B6", "AA", "DL"])
    other["month"] = X["month"].astype(int)  # plain numbers stand for their levels, too
    np.testing.assert_array_equal(model.predict_proba(other), model.predict_proba(X))
    few = X[X["carrier"] == "UA"].copy()
    few["carrier"] = few["carrier"].cat.remove_unused_categories()
    expected = model.predict_proba(X)[(X["carrier"] == "UA").to_numpy()]
    np.testing.assert_array_equal(model.predict_proba(few), expected)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def _unseen(X: Any) -> Any:
    return X.assign(
        carrier=X["carrier"].astype(object).where(X.index != 7, "ZZ").astype("category")
    )


def _missing(X: Any) -> Any:
    return X.assign(carrier=X["carrier"].where(X.index != 7))


REFUSED: dict[str, tuple[Any, str]] = {
    "unseen": (_unseen, "level ZZ in row 7, column 'carrier'"),
    "missing": (_missing, "missing value in row 7, column 'carrier'"),
    "not a frame": (lambda X: np.zeros((3, 5)), "'carrier' was categorical"),
    "text": (lambda X: X.assign(distance="far"), "'distance' holds 'far' in row 0, which is not"),
}


@pytest.mark.filterwarnings("ignore:X does not have valid feature names")
@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_predicted_is_named(case: str) -> None:
    change, said = REFUSED[case]
    X = frame(100)
    model = LogisticRegression().fit(X, labels(X))
    with pytest.raises(DataError, match=said):
        model.predict(change(X))


@pytest.mark.parametrize("case", ["missing", "text", "number"])
def test_what_cannot_be_fitted_is_named(case: str) -> None:
    X = frame(100)
    y = labels(X)
    bad, said = (
        (X.assign(distance=X["distance"].where(X.index != 7)), "NaN.* in row 7, column 'distance'")
        if case == "number"
        else (REFUSED[case][0](X), REFUSED[case][1])
    )
    with pytest.raises(DataError, match=said):
        LogisticRegression().fit(bad, y)


def test_without_a_penalty_the_levels_of_two_columns_say_the_same() -> None:
    X = frame(900)
    y = np.random.default_rng(0).integers(0, 2, 900)  # labels that no level can separate
    model = LogisticRegression(C=np.inf).fit(X, y)
    assert model.certificate_.proven
    assert "carrier" in " ".join(model.certificate_.columns)


def test_a_refit_on_plain_numbers_forgets_the_levels() -> None:
    X = frame(200)
    y = labels(X)
    model = LogisticRegression().fit(X, y)
    plain = X.select_dtypes("number")
    model.fit(plain, y)
    assert model.levels_ == {}
    np.testing.assert_array_equal(model.coef_, clone(model).fit(plain, y).coef_)
    assert model.coef_names_.tolist() == plain.columns.tolist()
