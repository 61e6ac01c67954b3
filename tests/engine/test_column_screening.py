"""Columns that no fit needs, against derivatives at any point and fits of all columns."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression, logistic_path
from chainrule.engine import column_screening
from chainrule.engine.column_screening import needed_columns, steepest_slopes
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.penalties.elastic_net import Shape

RNG = np.random.default_rng(0)
N_ROWS, N_COLUMNS = 300, 400
SHARES = 1 / np.arange(1, N_COLUMNS + 1)
WORDS = RNG.choice(N_COLUMNS, size=12 * N_ROWS, p=SHARES / SHARES.sum())
SIGNS = RNG.choice([1.0, 1.0, -0.5], size=len(WORDS))
X = sparse.csr_matrix((SIGNS, (np.repeat(np.arange(N_ROWS), 12), WORDS)), shape=(N_ROWS, N_COLUMNS))
Y = (X @ (RNG.normal(size=N_COLUMNS)) + RNG.logistic(size=N_ROWS) > 0).astype(int)
WEIGHT = RNG.integers(1, 4, size=N_ROWS).astype(float)


def _source() -> InMemorySource:
    return InMemorySource(X, Y, WEIGHT, n_classes=2)


def test_no_derivative_is_steeper_than_its_bound() -> None:
    bounds = steepest_slopes(_source())
    for size in (0.0, 1.0, 30.0, 1e4):
        score = X @ (size * RNG.normal(size=N_COLUMNS)) + size * RNG.normal()
        a = np.where(score > 0, 1 / (1 + np.exp(-abs(score))), np.exp(-abs(score)))
        a = np.where(score > 0, a, a / (1 + np.exp(-abs(score))))
        assert (abs(X.T @ (WEIGHT * (a - Y))) <= bounds).all()
    dense = X.toarray()
    up = np.where((dense > 0) == (Y[:, None] == 0), abs(dense), 0.0).T @ WEIGHT
    np.testing.assert_allclose(bounds, np.maximum(up, abs(dense).T @ WEIGHT - up), rtol=1e-10)


@pytest.mark.parametrize("case", [{}, {"penalty_factor": True}, {"l1_ratio": 0.5}])
def test_fits_are_those_of_all_columns(
    case: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen: dict[str, Any] = {"l1_ratio": 1.0, "C": 0.08, "tol": 1e-11, **case}
    if "penalty_factor" in case:
        chosen["penalty_factor"] = np.where(np.arange(N_COLUMNS) == 3, 0.0, 1.0 + SHARES)
    whole = LogisticRegression(**chosen).fit(X, Y, WEIGHT)
    monkeypatch.setattr(column_screening, "_MANY", 10)
    shape = Shape.checked(N_COLUMNS, chosen["l1_ratio"], chosen.get("penalty_factor"))
    needed = needed_columns(_source(), None, shape, 1 / 0.08)
    assert needed is not None
    assert set(np.flatnonzero(whole.coef_[0])) <= set(needed)
    found = LogisticRegression(**chosen).fit(X, Y, WEIGHT)
    assert found.certificate_.proven
    np.testing.assert_allclose(found.coef_, whole.coef_, atol=1e-4)
    np.testing.assert_array_equal(found.coef_ == 0, whole.coef_ == 0)


def test_paths_are_those_of_all_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = logistic_path(X, Y, sample_weight=WEIGHT, n_lambdas=8, eps=0.3, tol=1e-10)
    monkeypatch.setattr(column_screening, "_MANY", 10)
    found = logistic_path(X, Y, sample_weight=WEIGHT, n_lambdas=8, eps=0.3, tol=1e-10)
    given = logistic_path(X, Y, sample_weight=WEIGHT, lambdas=whole.lambdas, tol=1e-10)
    for path in (found, given):
        assert path.proven.all()
        assert path.coef.shape == whole.coef.shape
        np.testing.assert_allclose(path.coef, whole.coef, atol=1e-4)
        np.testing.assert_array_equal(path.nonzero, whole.nonzero)
        np.testing.assert_array_equal(path.penalty_factor, np.ones(N_COLUMNS))


def test_what_is_not_screened() -> None:
    shape, source = Shape.checked(N_COLUMNS, 1.0), _source()
    assert needed_columns(source, None, shape, 10.0) is None  # too few columns to be worth it
    assert needed_columns(source, None, shape, 0.0) is None
