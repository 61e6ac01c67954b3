"""`logistic_path` of several classes against glmnet's figures (`glmnet/class_paths.R`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression, logistic_path
from chainrule.errors import DataError

RECORDED = json.loads((Path(__file__).parent / "glmnet" / "class_paths.json").read_text())
STEPS = np.arange(1, 91)
X = np.column_stack(
    [np.sin(STEPS * j * 0.7) * j + np.cos(STEPS * (j + 1)) + STEPS / 90 for j in range(1, 6)]
)
SCORES = np.column_stack(
    [
        np.sin(STEPS * 0.9) + X[:, 1] / 2,
        np.cos(STEPS * 1.7) - X[:, 2] / 4,
        np.sin(STEPS * 2.3) + X[:, 4] / 6,
    ]
)
Y = SCORES.argmax(axis=1)
CASES: dict[str, dict[str, Any]] = {
    "lasso": {},
    "standardized": {"standardize": True},
    "elastic": {
        "standardize": True,
        "l1_ratio": 0.4,
        "sample_weight": 1.0 + STEPS % 3,
        "offset": 0.3 * np.column_stack([np.cos(STEPS), np.sin(STEPS), np.cos(2 * STEPS)]),
    },
}


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("name", CASES)
def test_same_paths_as_glmnet(name: str, form: Any) -> None:
    recorded = RECORDED[name]
    lambdas, table = np.array(recorded["lambda"]), np.array(recorded["coef"])
    path = logistic_path(form(X), Y, n_lambdas=5, eps=0.02, tol=1e-11, **CASES[name])
    np.testing.assert_allclose(path.lambdas, lambdas, rtol=1e-6)
    assert path.proven.all()
    assert (path.relative_gap <= 1e-11).all()
    np.testing.assert_allclose(path.coef, table[:, :, 1:], atol=2e-5)
    level = table[:, :, 0] - table[:, :, 0].mean(axis=1, keepdims=True)
    ours = path.intercept - path.intercept.mean(axis=1, keepdims=True)
    np.testing.assert_allclose(ours, level, atol=2e-5)
    np.testing.assert_allclose(path.deviance_ratio, recorded["deviance_ratio"], atol=1e-7)


def test_points_are_those_of_the_estimator_and_entries_name_their_class() -> None:
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcde"))
    labels = np.array(["low", "mid", "top"])[Y]
    path = logistic_path(frame, labels, n_lambdas=12, eps=0.02)
    assert path.coef.shape == (12, 3, 5)
    assert path.nonzero.tolist() == np.count_nonzero(path.coef, axis=(1, 2)).tolist()
    model = LogisticRegression(l1_ratio=1, C=float(path.Cs[7])).fit(frame, labels)
    np.testing.assert_allclose(path.coef[7], model.coef_, atol=1e-4)
    entries = path.entered()
    assert [entry.step for entry in entries] == sorted(entry.step for entry in entries)
    for entry in entries:
        curve = path.curve(entry)
        np.testing.assert_array_equal(
            curve, path.coef[:, list(path.classes).index(entry.label)][:, entry.index]
        )
        assert curve[entry.step - 1] == 0
        assert curve[entry.step] != 0
    assert entries[0].full_name == f"{entries[0].name} [{entries[0].label}]"
    table = path.to_frame()
    np.testing.assert_array_equal(table["b [top]"], path.coef[:, 2, 1])
    np.testing.assert_array_equal(table["intercept [mid]"], path.intercept[:, 1])


def test_plot_names_column_and_class() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    path = logistic_path(X, Y, n_lambdas=5)
    ax = path.plot(labelled=1)
    assert [text.get_text() for text in ax.texts] == [path.entered()[0].full_name]


def test_refuses_an_offset_of_one_column() -> None:
    with pytest.raises(DataError, match="offset"):
        logistic_path(X, Y, offset=np.zeros(90))
