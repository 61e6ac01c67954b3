"""Scores and probabilities of new rows: SciPy's numbers, in any layout and on any threads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse, special

from chainrule.engine.objective.evaluation import Point
from chainrule.engine.prediction import probabilities, raw_predictions
from chainrule.errors import DataError


def rows(n_samples: int, n_features: int = 9) -> Any:
    return np.random.default_rng(n_samples).normal(size=(n_samples, n_features)) * 4


def point(n_outputs: int, n_features: int = 9) -> Point:
    rng = np.random.default_rng(n_outputs)
    return Point(rng.normal(size=(n_features, n_outputs)), rng.normal(size=n_outputs))


FORMS = {
    "C": np.asarray,
    "F": np.asfortranarray,
    "float32": lambda X: X.astype(np.float32),
    "float32 in F": lambda X: np.asfortranarray(X.astype(np.float32)),
    "integers": lambda X: np.rint(X).astype(np.int32),
    "every second column": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1],
    "CSR": sparse.csr_array,
    "CSC": sparse.csc_array,
}


@pytest.mark.parametrize("n_outputs", [1, 3])
@pytest.mark.parametrize("n_samples", [1, 7, 40_001])
@pytest.mark.parametrize("form", FORMS)
def test_they_are_scipys(form: str, n_samples: int, n_outputs: int) -> None:
    X = FORMS[form](rows(n_samples))
    at = point(n_outputs)
    plain = (X.toarray() if sparse.issparse(X) else np.asarray(X)).astype(np.float64)
    scores = plain @ at.coef + at.intercept
    np.testing.assert_allclose(raw_predictions(X, at), scores, rtol=1e-11, atol=1e-11)
    one, two = (probabilities(X, at, n_threads=n) for n in (1, 2))
    np.testing.assert_array_equal(one, two)
    if n_outputs == 1:
        expected = np.c_[special.expit(-scores), special.expit(scores)]
    else:
        expected = special.softmax(scores, axis=1)
    np.testing.assert_allclose(one, expected, rtol=1e-10, atol=1e-300)


@pytest.mark.parametrize("n_samples", [50, 30_000])
def test_small_probabilities_keep_their_digits(n_samples: int) -> None:
    X = np.linspace(-600, 600, n_samples * 4).reshape(-1, 4)
    at = Point(np.array([[1.0], [0.0], [0.0], [0.0]]), np.zeros(1))
    found = probabilities(X, at)
    np.testing.assert_allclose(found[:, 1], special.expit(X[:, 0]), rtol=1e-13)
    np.testing.assert_allclose(found[:, 0], special.expit(-X[:, 0]), rtol=1e-13)


@pytest.mark.parametrize("n_samples", [50, 30_000])
def test_an_offset_is_added(n_samples: int) -> None:
    X, at = rows(n_samples), point(1)
    offset = np.random.default_rng(2).normal(size=(n_samples, 1))
    scores = raw_predictions(X, at, offset=offset)
    np.testing.assert_allclose(scores, X @ at.coef + at.intercept + offset, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n_samples", [50, 30_000])
@pytest.mark.parametrize("how", [raw_predictions, probabilities])
@pytest.mark.parametrize("column", [2, 5])
def test_numbers_that_cannot_be_used_are_named(
    how: Any, n_samples: int, bad: float, column: int
) -> None:
    X, at = rows(n_samples), point(1)
    at.coef[5] = 0.0  # a number that no score depends on is refused as well
    X[n_samples - 3, column] = bad
    with pytest.raises(DataError, match=f"row {n_samples - 3}, column {column}"):
        how(X, at)
