"""`fit_logistic`: the estimator's fit on plain arrays, and how little it imports."""

from __future__ import annotations

import subprocess
import sys
import warnings
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression, fit_logistic
from chainrule.errors import DataError


def data(n_classes: int, n_samples: int = 150, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, 4))
    score = X @ rng.normal(size=(4, n_classes)) + rng.gumbel(size=(n_samples, n_classes))
    return X, score.argmax(axis=1)


CASES: list[dict[str, Any]] = [
    {},
    {"C": 0.01},
    {"C": np.inf},
    {"fit_intercept": False},
    {"weighted": True},
    {"class_weight": "balanced"},
    {"offset": True},
    {"tol": 1e-12},
]
FORMS = [np.asarray, np.asfortranarray, sparse.csr_array, sparse.coo_array]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize(
    "form", [np.asarray, np.asfortranarray, sparse.csr_array, sparse.coo_array]
)
def test_it_is_the_estimators_fit(case: dict[str, Any], n_classes: int, form: Any) -> None:
    X, y = data(n_classes)
    rng, options = np.random.default_rng(1), dict(case)
    names = np.array(["north", "south", "east"])[:n_classes]
    weights = rng.integers(0, 3, len(y)) if options.pop("weighted", False) else None
    shape = len(y) if n_classes == 2 else (len(y), n_classes)
    offset = rng.normal(size=shape) if options.pop("offset", False) else None
    class_weight = options.pop("class_weight", None)
    table: Any = form(X)
    fit = fit_logistic(
        table,
        names[y],
        sample_weight=weights,
        offset=offset,
        class_weight=class_weight,
        **options,
    )
    model = LogisticRegression(class_weight=class_weight, **options)
    model.fit(table, names[y], weights, offset)
    np.testing.assert_array_equal(np.atleast_2d(fit.coef), model.coef_)
    np.testing.assert_array_equal(np.atleast_1d(fit.intercept), model.intercept_)
    assert fit.classes.tolist() == model.classes_.tolist()
    assert fit.certificate == model.certificate_
    assert (fit.objective, fit.n_iter) == (model.objective_, model.n_iter_[0])
    for method in ("predict", "predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_array_equal(
            getattr(fit, method)(table, offset), getattr(model, method)(table, offset)
        )
    assert fit.converged
    assert "was read" in fit.explain()


def test_a_fit_does_not_change() -> None:
    fit = fit_logistic(*data(3))
    with pytest.raises(FrozenInstanceError):
        fit.coef = np.zeros(3)  # type: ignore[misc]
    for array in (fit.coef, fit.intercept, fit.classes):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_what_is_not_proven_is_a_warning() -> None:
    X, y = data(2)
    with pytest.warns(RuntimeWarning, match="max_iter=1 iterations were too few"):
        fit = fit_logistic(X, y, max_iter=1)
    assert not fit.converged
    with pytest.warns(RuntimeWarning, match="no finite optimum"):
        fit_logistic(X, X[:, 0] > 0, C=np.inf)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit_logistic(X, y)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"X": np.ones(5)}, "X must be a table with rows and columns"),
        ({"X": [["a"], ["b"]]}, "X must hold numbers"),
        ({"X": np.where(np.arange(4) == 1, np.nan, 1.0) * np.ones((150, 1))}, "NaN.*column 1"),
        ({"y": [0, 1]}, "X has 150 rows and y 2 labels"),
        ({"y": np.linspace(0, 1, 150)}, "which is not a class label"),
        ({"y": np.r_[np.nan, np.ones(149)]}, "NaN or inf .nan. in row 0"),
        ({"y": np.array(["a"] * 149 + [None], dtype=object)}, "missing label .NaN. in row 149"),
        ({"y": np.zeros(150)}, "only one class"),
        ({"y": np.zeros((150, 2))}, r"shape \(150, 2\)"),
        ({"sample_weight": -np.ones(150)}, "sample_weight must be finite and >= 0"),
        ({"offset": np.ones(3)}, "offset has shape"),
        ({"C": 0.0}, "C must be positive"),
    ],
)
def test_wrong_input_is_named(change: dict[str, Any], said: str) -> None:
    X, y = data(2)
    given: dict[str, Any] = {"X": X, "y": y} | change
    with pytest.raises(ValueError, match=said):
        fit_logistic(given.pop("X"), given.pop("y"), **given)


def test_a_prediction_needs_the_columns_of_the_fit() -> None:
    X, y = data(2)
    fit = fit_logistic(X, y)
    with pytest.raises(DataError, match="X has 3 columns, but the fit had 4"):
        fit.predict(X[:, :3])


def test_a_fit_and_its_predictions_import_neither_scikit_learn_nor_scipy(tmp_path: Path) -> None:
    X, y = data(2)
    np.savez(tmp_path / "data.npz", X=X, y=y)
    code = f"""
import sys
import numpy as np
file = np.load({str(tmp_path / "data.npz")!r})
from chainrule import fit_logistic
fit = fit_logistic(file["X"], file["y"])
fit.predict_proba(file["X"])
heavy = ("sklearn", "scipy.sparse", "scipy.optimize", "pandas", "numba")
loaded = [name for name in heavy if name in sys.modules]
assert not loaded, loaded
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
