"""Refits of chosen columns against glmnet's ``relax = TRUE`` (`glmnet/relaxed.R`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression, logistic_path
from chainrule.errors import DataError

RECORDED = json.loads((Path(__file__).parent / "glmnet" / "relaxed.json").read_text())
STEPS = np.arange(1, 91)
X = np.column_stack(
    [np.sin(STEPS * j * 0.7) * j + np.cos(STEPS * (j + 1)) + STEPS / 90 for j in range(1, 7)]
)
Z = np.sin(STEPS * 0.9) * 2 + X[:, 1] / 2 - X[:, 3] / 6 + X[:, 4] / 9
Y = (Z > 0.3).astype(int)
SCORES = np.column_stack(
    [
        np.sin(STEPS * 0.9) + X[:, 1] / 2,
        np.cos(STEPS * 1.7) - X[:, 2] / 4,
        np.sin(STEPS * 2.3) + X[:, 4] / 6,
    ]
)
KINDS = SCORES.argmax(axis=1)
CASES: dict[str, tuple[Any, dict[str, Any]]] = {
    "plain": (Y, {}),
    "given": (Y, {"sample_weight": 1.0 + STEPS % 3, "offset": 0.2 * np.cos(STEPS)}),
    "bounded": (Y, {"bounds": (0.0, 0.4)}),
    "classes": (KINDS, {}),
}


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("name", CASES)
def test_same_refits_and_mixtures_as_glmnet(name: str, form: Any) -> None:
    recorded, (labels, choices) = RECORDED[name], CASES[name]
    lambdas = recorded["lambda"]
    path = logistic_path(form(X), labels, lambdas=lambdas, tol=1e-11, relax=True, **choices)
    assert path.relaxed is not None
    assert path.relaxed.proven.all()
    for gamma, table in recorded["gammas"].items():
        coef, intercept = path.mixed(float(gamma))
        theirs = np.array(table)
        level = theirs[..., 0]
        if name == "classes":
            # without penalty, a number may be added to a column's coefficients of all classes
            coef = coef - coef.mean(axis=1, keepdims=True)
            theirs = theirs - theirs.mean(axis=1, keepdims=True)
            intercept = intercept - intercept.mean(axis=1, keepdims=True)
            level = theirs[..., 0]
        np.testing.assert_allclose(coef, theirs[..., 1:], atol=2e-5)
        np.testing.assert_allclose(intercept, level, atol=2e-5)
    coef, _ = path.mixed(1.0)
    assert coef is path.coef


def test_refit_is_the_estimator_without_penalty_on_the_chosen_columns() -> None:
    path = logistic_path(X, Y, n_lambdas=5, eps=0.05, relax=True)
    chosen = np.flatnonzero(path.coef[2])
    alone = LogisticRegression(C=np.inf).fit(X[:, chosen], Y)
    assert path.relaxed is not None
    np.testing.assert_allclose(path.relaxed.coef[2, chosen], alone.coef_[0], atol=1e-5)
    assert path.relaxed.objective[2] == pytest.approx(alone.objective_, rel=1e-8)
    assert (path.relaxed.coef[2] != 0).sum() == len(chosen)
    assert (path.relaxed.deviance_ratio >= path.deviance_ratio - 1e-9).all()


def test_categories_are_refitted_in_their_codes() -> None:
    pd = pytest.importorskip("pandas")
    kinds = np.array(["u", "v", "w"])[STEPS % 3]
    frame = pd.DataFrame({"a": X[:, 1], "kind": pd.Categorical(kinds), "b": X[:, 3]})
    numbers = pd.DataFrame({"a": X[:, 1], **{f"kind_{k}": kinds == k for k in "uvw"}, "b": X[:, 3]})
    coded, plain = (
        logistic_path(
            table.astype(float) if table is numbers else table, Y, lambdas=[0.1, 0.05], relax=True
        )
        for table in (frame, numbers)
    )
    assert coded.relaxed is not None
    assert plain.relaxed is not None
    assert coded.relaxed.proven.all()
    np.testing.assert_allclose(coded.relaxed.objective, plain.relaxed.objective, rtol=1e-7)


def test_separated_columns_are_told_and_have_no_numbers() -> None:
    separating = np.column_stack([X, Z - 0.3])
    with pytest.warns(RuntimeWarning, match="no finite refit"):
        path = logistic_path(separating, Y, n_lambdas=8, eps=0.05, relax=True)
    assert path.relaxed is not None
    chosen = path.coef[:, -1] != 0
    assert chosen.any()
    np.testing.assert_array_equal(path.relaxed.separated, chosen)
    assert np.isnan(path.relaxed.coef[chosen]).all()
    assert np.isnan(path.mixed(0.5)[0][chosen]).all()
    assert np.isfinite(path.mixed(1.0)[0]).all()
    assert path.proven.all()
    assert not path.relaxed.proven[chosen].any()


@pytest.mark.parametrize(
    ("choices", "gamma", "error", "message"),
    [
        ({"relax": 1}, 0.5, ValueError, "relax must be True or False"),
        ({"relax": True, "l1_ratio": 0.0, "lambdas": [1.0]}, 0.5, ValueError, "chooses none"),
        ({}, 0.5, DataError, "relax=True"),
        ({"relax": True}, 1.5, ValueError, "gamma must be"),
    ],
)
def test_refusals(
    choices: dict[str, Any], gamma: float, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        logistic_path(X, Y, **{"n_lambdas": 3, **choices}).mixed(gamma)
