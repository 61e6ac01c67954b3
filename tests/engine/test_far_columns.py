"""Columns far from zero, and objectives near it: as good as any other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest

from chainrule import LogisticRegression
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.errors import DataError


def near(problem: Callable[..., Any], seed: int, n_classes: int, C: float) -> Any:
    """A problem whose columns were moved to 2000 and 1e6, exactly."""
    p = problem(seed, n_samples=30, n_features=2, n_classes=n_classes, C=C)
    p.X[:] = np.round(p.X * 2**12) / 2**12 + np.array([2000.0, 1e6])
    return p


@pytest.mark.parametrize("C", [1.0, 1e5, np.inf])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_years_and_time_stamps_are_fitted_with_all_digits(
    problem: Callable[..., Any], n_classes: int, C: float
) -> None:
    p = near(problem, 3, n_classes, C)
    best, coef, intercept = p.solve()
    model = LogisticRegression(C=C, tol=1e-12).fit(p.X, p.y)
    assert model.certificate_.relative_bound <= 1e-12
    np.testing.assert_allclose(model.coef_.T, coef, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(model.intercept_, intercept, rtol=1e-6)
    error = float(p.value(model.coef_.T, model.intercept_) - best)
    assert 0 <= error <= model.certificate_.suboptimality_bound
    warm = LogisticRegression(C=C, tol=1e-12, warm_start=True).fit(p.X, p.y)
    assert warm.fit(p.X, p.y).n_iter_[0] <= 1


def test_collinear_columns_far_from_zero_keep_their_relation() -> None:
    rng = np.random.default_rng(0)
    X = np.round(rng.normal(size=(60, 2)) * 64) / 64
    y = (X[:, 0] + rng.logistic(size=60) > 0).astype(int)
    far = np.c_[X + 4096, 2 * X[:, 0] + X[:, 1] + 8192]
    model = LogisticRegression(C=np.inf, tol=1e-12).fit(far, y)
    assert model.certificate_.proven
    plain = LogisticRegression(C=np.inf, tol=1e-12).fit(np.c_[X, 2 * X[:, 0] + X[:, 1]], y)
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-7)
    np.testing.assert_allclose(
        model.predict_proba(far), plain.predict_proba(far - [4096, 4096, 8192]), rtol=1e-7
    )


def test_moved_columns_need_an_intercept() -> None:
    X = np.array([[1000.0], [1001.0], [1002.0]])
    source = InMemorySource(X, np.array([0, 1, 0]), center=True)
    assert 1000.0 <= source.column_shift[0] <= 1002.0
    with pytest.raises(ValueError, match="only an intercept makes good"):
        fit_linear_model(source, fit_intercept=False)
    assert not InMemorySource(X - 1000, np.array([0, 1, 0]), center=True).column_shift.any()


@pytest.mark.slow
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("penalty", ["l2", "l1"])
def test_far_columns_of_large_arrays_are_fitted_as_near_ones_are(
    penalty: str, order: Literal["C", "F"]
) -> None:
    rng = np.random.default_rng(5)
    X = np.round(rng.normal(size=(40_000, 3)) * 2**10) / 2**10
    y = (X[:, 1] + X[:, 2] + rng.logistic(size=len(X)) > 0).astype(int)
    # A bound of 1e-8 on the objective says only 1e-4 of a coefficient: two proven fits that
    # took different ways may differ by as much.  1e-12 says 1e-6, in units of the columns.
    near = LogisticRegression(penalty=penalty, C=0.1, tol=1e-12).fit(X, y)
    far = np.array(X + np.array([0.0, 2.0**28, -(2.0**25)]), order=order)  # exact
    model = LogisticRegression(penalty=penalty, C=0.1, tol=1e-12).fit(far, y)
    assert model.certificate_.relative_bound <= 1e-12
    np.testing.assert_allclose(model.coef_, near.coef_, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg", "newton-rows"])
def test_an_optimum_next_to_nothing_ends_with_a_proof(solver: str) -> None:
    model = LogisticRegression(solver=solver).fit([[0.0], [1e100]], [0, 1])
    assert model.certificate_.proven
    assert model.certificate_.kind == "least value"
    assert model.certificate_.suboptimality_bound < 1e-23
    assert model.n_iter_[0] < 100
    assert model.predict([[0.0], [1e100]]).tolist() == [0, 1]


def test_wide_rows_are_moved_as_narrow_ones_are() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 3000))
    X[:, ::7] += 1000.0  # far
    X[:, 1::7] += 5.0  # not so far, all of one sign or nearly
    X[:, 2::7] = 3.0  # constant
    X[:, 3::7] = np.where(
        np.arange(40)[:, None] < 30, 100.0, -1.0
    )  # near, which no first row tells
    y = rng.integers(0, 2, size=40)
    wide = InMemorySource(X, y, center=True)
    for start in range(0, 3000, 1000):
        part = slice(start, start + 1000)
        narrow = InMemorySource(np.ascontiguousarray(X[:, part]), y, center=True)
        for name in ("column_shift", "column_bounds", "column_maxima"):
            np.testing.assert_array_equal(getattr(wide, name)[part], getattr(narrow, name))
    assert wide.column_shift[[0, 2]].all()
    assert wide.column_shift[3] == 0
    for layout in (np.asfortranarray(X), np.repeat(X, 2, axis=1)[:, ::2], X[::-1]):
        other = InMemorySource(layout, y, center=True)
        np.testing.assert_array_equal(other.column_shift, wide.column_shift)
        np.testing.assert_array_equal(other.column_maxima, wide.column_maxima)
    X[7, 2999] = np.nan
    with pytest.raises(DataError, match="column 2999"):
        InMemorySource(X, y, center=True)
