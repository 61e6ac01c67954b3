"""`LogisticRegressionCV` against single fits: forms of input, weights, offsets and what is told."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import KFold

from chainrule import LogisticRegression, LogisticRegressionCV
from chainrule.engine.runtime.stored_arrays import open_npy
from chainrule.errors import DataError

Array = npt.NDArray[Any]


def rows_of_two_classes(n_samples: int = 80, n_features: int = 3) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    return X, (X[:, 0] + rng.logistic(size=n_samples) > 0).astype(int)


@pytest.mark.parametrize("form", [np.ndarray.tolist, sparse.csr_matrix], ids=["list", "CSR"])
def test_a_form_of_rows_that_scikit_learn_checks_is_fitted_and_predicted(form: Any) -> None:
    X, y = rows_of_two_classes()
    expected = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3).fit(X, y)
    found = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3).fit(form(X), y)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-4)
    np.testing.assert_allclose(found.predict_proba(form(X)), expected.predict_proba(X), rtol=1e-4)


def three_classes(n_samples: int = 90) -> tuple[Array, Array]:
    X = np.random.default_rng(1).normal(size=(n_samples, 3))
    return X, np.arange(n_samples) % 3


@pytest.mark.parametrize("strengths", [{"Cs": [0.1, 1.0]}, {"alphas": [0.1]}], ids=["Cs", "alphas"])
@pytest.mark.parametrize("class_weight", [{0: 1.0, 1: 2.0, 2: 0.0}, {2: 0.0}])
def test_a_class_of_weight_0_takes_no_part(strengths: Any, class_weight: Any) -> None:
    X, y = three_classes()
    model = LogisticRegressionCV(scoring="accuracy", class_weight=class_weight, cv=3, **strengths)
    model.fit(X, y)
    one = LogisticRegression(C=model.C_, class_weight=class_weight).fit(X, y)
    assert model.classes_.tolist() == one.classes_.tolist() == [0, 1]
    np.testing.assert_allclose(model.coef_, one.coef_, rtol=1e-5)
    assert model.coefs_paths_.shape[3] == 1


def test_weights_of_classes_are_those_of_the_rows_in_every_fold() -> None:
    X, y = rows_of_two_classes()
    factors = {0: 0.5, 1: 3.0}
    weighted = LogisticRegressionCV(alphas=[0.1], cv=3, class_weight=factors).fit(X, y)
    folds = LogisticRegressionCV(alphas=[0.1], cv=3, scoring="accuracy")
    by_row = folds.fit(X, y, np.array([0.5, 3.0])[y])
    np.testing.assert_allclose(weighted.coefs_paths_, by_row.coefs_paths_, rtol=1e-6)


def test_rows_of_weight_0_are_not_scored() -> None:
    X, y = three_classes()
    weights = (y != 2).astype(float)
    folds = list(KFold(3).split(X))
    model = LogisticRegressionCV(Cs=[1.0], cv=folds).fit(X, y, weights)
    kept = np.flatnonzero(y != 2)
    places = np.cumsum(y != 2) - 1
    fewer = [tuple(places[part[y[part] != 2]] for part in fold) for fold in folds]
    expected = LogisticRegressionCV(Cs=[1.0], cv=fewer).fit(X[kept], y[kept])
    np.testing.assert_allclose(model.scores_, expected.scores_, rtol=1e-6)


@pytest.mark.parametrize("parameters", [{}, {"l1_ratios": [1.0]}], ids=["L2", "L1"])
def test_fits_out_of_iterations_are_told_of(parameters: Any) -> None:
    X, y = rows_of_two_classes()
    model = LogisticRegressionCV(Cs=[1e-3, 10.0], cv=2, max_iter=1, **parameters)
    with pytest.warns(ConvergenceWarning) as told:
        model.fit(X, y)
    assert "of the 4 fits on folds have no proven optimum" in str(told[0].message)
    assert "max_iter=1 iterations were too few" in str(told[0].message)


def test_an_average_of_fits_with_an_offset_needs_one_in_predictions() -> None:
    X, y = rows_of_two_classes()
    offset = X[:, 1]
    model = LogisticRegressionCV(Cs=[1.0], cv=3, refit=False).fit(X, y, offset=offset)
    with pytest.raises(DataError, match="pass offset="):
        model.score(X, y)
    expected = LogisticRegression().fit(X, y, offset=offset).predict_proba(X, offset)
    np.testing.assert_allclose(model.predict_proba(X, offset), expected, atol=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("l1_ratio", [0.0, 1.0])
@pytest.mark.parametrize("held_bytes", [0, 2**28])
def test_folds_of_rows_in_a_file_have_the_bits_of_memory(
    l1_ratio: float, held_bytes: int, tmp_path: Path
) -> None:
    X, y = rows_of_two_classes(20_000, 6)
    np.save(tmp_path / "X.npy", X)
    model = LogisticRegressionCV(Cs=[0.001, 1.0], cv=3, l1_ratios=[l1_ratio])
    fits = []
    for rows in (X, open_npy(tmp_path / "X.npy", held_bytes=held_bytes)):
        model.fit(rows, y)
        scores = np.asarray(model.scores_).tobytes()
        fits.append((model.coef_.tobytes(), model.intercept_.tobytes(), scores, model.C_))
    assert fits[0] == fits[1]
    del model, rows
    gc.collect()
    assert [path.name for path in tmp_path.iterdir()] == ["X.npy"]


@pytest.mark.parametrize("C", [1e-310, 5e-324])
def test_a_penalty_out_of_range_is_refused(C: float) -> None:
    X, y = rows_of_two_classes()
    with pytest.raises(ValueError, match=f"C={C} is too small"):
        LogisticRegression(C=C).fit(X, y)
