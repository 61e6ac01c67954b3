"""`logistic_path` against glmnet's figures (recorded by `glmnet/paths.R`), and its own claims."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.special import expit

from chainrule import LogisticRegression, logistic_path
from chainrule.errors import DataError

RECORDED = json.loads((Path(__file__).parent / "glmnet" / "paths.json").read_text())
STEPS = np.arange(1, 61)
X = np.column_stack(
    [np.sin(STEPS * j * 0.7) * j + np.cos(STEPS * (j + 1)) + STEPS / 60 for j in range(1, 7)]
)
Y = (np.sin(STEPS * 0.9) + X[:, 1] / 3 - X[:, 3] / 6 > 0.1).astype(int)
CASES: dict[str, dict[str, Any]] = {
    "lasso": {},
    "standardized": {"standardize": True},
    "elastic": {
        "standardize": True,
        "l1_ratio": 0.4,
        "sample_weight": 1.0 + STEPS % 3,
        "offset": 0.2 * np.cos(STEPS),
    },
    "bounded": {"bounds": (0.0, 0.3)},
}


@pytest.mark.parametrize("name", CASES)
def test_same_paths_as_glmnet(name: str) -> None:
    recorded = RECORDED[name]
    lambdas = np.array(recorded["lambda"])
    path = logistic_path(X, Y, lambdas=lambdas, tol=1e-12, **CASES[name])
    coef = np.array(recorded["coef"])
    np.testing.assert_allclose(path.coef, coef[:, 1:], atol=3e-6)
    np.testing.assert_allclose(path.intercept, coef[:, 0], atol=3e-6)
    np.testing.assert_allclose(path.deviance_ratio, recorded["deviance_ratio"], atol=1e-7)
    own = logistic_path(X, Y, n_lambdas=6, eps=0.01, **CASES[name])
    if name == "bounded":  # glmnet starts as if there were no bounds
        assert own.lambdas[0] < lambdas[0]
    else:
        np.testing.assert_allclose(own.lambdas, lambdas, rtol=1e-6)
    assert own.proven.all()


def test_a_tolerance_of_zero_ends() -> None:
    with pytest.warns(RuntimeWarning, match="proven"):
        path = logistic_path(X, Y, n_lambdas=3, tol=0)
    assert path.relative_gap.max() < 1e-9


def test_units_and_points_are_those_of_the_estimator() -> None:
    path = logistic_path(X, Y, n_lambdas=7, eps=0.02)
    np.testing.assert_allclose(path.Cs, 1 / (path.lambdas * 60))
    model = LogisticRegression(l1_ratio=1, C=float(path.Cs[4])).fit(X, Y)
    np.testing.assert_allclose(model.coef_[0], path.coef[4], atol=1e-4)
    assert model.objective_ == pytest.approx(path.objective[4], rel=2e-8)


def test_what_entered_when_and_frames() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdef"))
    path = logistic_path(frame, np.where(Y == 1, "yes", "no"), n_lambdas=15)
    entries = path.entered()
    assert [entry.step for entry in entries] == sorted(entry.step for entry in entries)
    assert path.nonzero[0] == 0
    for entry in entries:
        assert path.coef[entry.step - 1, entry.index] == 0
        assert path.coef[entry.step, entry.index] != 0
    table = path.to_frame()
    assert list(table.columns[-6:]) == list("abcdef")
    assert len(table) == len(path) == 15
    assert "15 points, 15 proven" in str(path)
    with pytest.raises(ValueError, match="read-only"):
        path.coef[0, 0] = 1.0


def test_categories_share_a_factor() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": X[:, 0], "kind": pd.Categorical(np.where(STEPS % 3, "u", "v"))})
    path = logistic_path(frame, Y, n_lambdas=5, penalty_factor={"kind": 100.0})
    assert path.coef_names == ["a", "kind_u", "kind_v"]
    assert path.entered()[0].name == "a"


def test_points_of_sparse_columns_with_many_entries_meet_the_conditions_for_an_optimum() -> None:
    rng = np.random.default_rng(0)
    levels = rng.integers(0, 24, size=(2500, 10)) + 24 * np.arange(10)
    rows = csr_matrix((np.ones(25_000), levels.ravel(), np.arange(0, 25_001, 10)), (2500, 240))
    y = (rows @ rng.normal(size=240) > rng.logistic(size=2500)).astype(int)
    path = logistic_path(rows, y, n_lambdas=12, eps=0.05, tol=1e-9)
    assert path.proven.all()
    scores = rows @ path.coef.T + path.intercept
    slopes = np.abs(rows.T @ (expit(scores) - y[:, None])).T / 2500 / path.lambdas[:, None]
    assert slopes.max() < 1 + 1e-3
    np.testing.assert_allclose(slopes[path.coef != 0], 1, atol=1e-3)
    assert (path.coef[-1] != 0).sum() > 50


def test_plot_names_the_first_to_enter() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    path = logistic_path(X, Y, n_lambdas=10)
    ax = path.plot(labelled=2)
    assert [text.get_text() for text in ax.texts] == [e.name for e in path.entered()[:2]]


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"n_lambdas": 0}, ValueError, "n_lambdas"),
        ({"lambdas": [0.0]}, ValueError, "lambdas must be"),
        ({"eps": 2.0}, ValueError, "eps"),
        ({"l1_ratio": 1.5}, ValueError, "l1_ratio"),
        ({"penalty_factor": {"a": 1}}, DataError, "no column names"),
        ({"penalty_factor": np.zeros(6)}, DataError, "no coefficient would leave 0"),
    ],
)
def test_refusals(keywords: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        logistic_path(X, Y, **keywords)


def test_refuses_rows_that_do_not_match() -> None:
    with pytest.raises(DataError, match="60 rows and y 59"):
        logistic_path(X, Y[:-1])


def test_an_l1_ratio_of_none_is_that_of_the_estimators() -> None:
    X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 1, 0, 1])
    found = logistic_path(X, y, l1_ratio=None, lambdas=[0.25])  # type: ignore[arg-type]
    expected = LogisticRegression(C=1.0, l1_ratio=None).fit(X, y)
    np.testing.assert_allclose(found.coef, expected.coef_, rtol=1e-4)
