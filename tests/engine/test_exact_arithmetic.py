"""Arithmetic in fractions, and the proofs of separation that rest on it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.engine.certificates.exact_arithmetic import dot, exactly, null_vector
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model

ENTRIES = st.integers(-4, 4).map(lambda v: v / 10)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.lists(ENTRIES, min_size=4, max_size=4), max_size=5), st.data())
def test_a_null_vector_is_taken_to_zero_exactly(rows: list[list[float]], data: Any) -> None:
    near = exactly(np.array(data.draw(st.lists(ENTRIES, min_size=4, max_size=4))))
    exact = [exactly(np.array(row)) for row in rows]
    found = null_vector(exact, near)
    if found is None:
        return
    assert any(found)
    assert all(dot(row, found) == 0 for row in exact)
    if all(dot(row, near) == 0 for row in exact):
        assert found == near  # what is a null vector already stays as it is


def test_only_zero_is_left_where_rows_span_everything() -> None:
    rows = [[Fraction(1), Fraction(2)], [Fraction(3), Fraction(4)]]
    assert null_vector(rows, [Fraction(1), Fraction(1)]) is None
    assert null_vector(rows[:1], [Fraction(1), Fraction(1)]) == [Fraction(1), Fraction(-1, 2)]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_ties_at_a_decimal_are_proven(seed: int, n_classes: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-99, 100, (40, 1 + seed % 4)) / 100
    tied = rng.random(40) < 0.3
    X[tied, 0] = 0.3
    above = X[:, 0] > 0.3
    y = np.where(above, 1 + rng.integers(0, n_classes - 1, 40), 0)
    y[tied] = rng.integers(0, n_classes, tied.sum())
    y[:n_classes] = np.arange(n_classes)
    X[:n_classes, 0] = np.where(np.arange(n_classes) > 0, 0.7, 0.1)
    certificate = fit_linear_model(InMemorySource(X, y, n_classes=n_classes), C=np.inf).certificate
    assert certificate.kind == "separation"
    assert certificate.proven
    assert "column 0" in certificate.columns


def test_a_boundary_of_two_decimals_is_proven() -> None:
    X = np.array([[0.1, 0.7], [0.1, 0.7], [0.3, 0.2], [0.3, 0.2], [0.9, 0.9], [-0.4, 0.1]])
    fit = fit_linear_model(InMemorySource(X, np.array([0, 1, 0, 1, 1, 0])), C=np.inf)
    assert fit.certificate.kind == "separation"
    assert fit.certificate.proven


@pytest.mark.parametrize("seed", range(6))
def test_what_is_not_separable_is_never_called_so(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.integers(-9, 10, (30, 2)) / 10
    both = np.vstack([X, X])
    y = np.repeat([0, 1], 30)  # every point has both labels
    certificate = fit_linear_model(InMemorySource(both, y), C=np.inf).certificate
    assert certificate.kind == "Newton decrement"
    assert certificate.proven
