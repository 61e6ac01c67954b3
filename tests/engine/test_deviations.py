"""Standard deviations of columns against NumPy, for columns far from 0 too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule.engine.data.deviations import standard_deviations
from chainrule.engine.data.sources import InMemorySource
from chainrule.errors import DataError


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize(("mean", "width"), [(0.0, 1.0), (1e6, 0.01), (-1e9, 1e-3), (1e-9, 1e3)])
def test_deviations_are_those_of_numpy(
    form: Callable[[Any], Any], center: bool, mean: float, width: float
) -> None:
    rng = np.random.default_rng(0)
    X = np.stack([mean + width * rng.normal(size=300), rng.normal(size=300)], axis=1)
    weights = rng.uniform(0.5, 2, size=300)
    source = InMemorySource(form(X), np.arange(300) % 2, weights, center=center)
    middle = np.average(X, axis=0, weights=weights)
    expected = np.sqrt(np.average((X - middle) ** 2, axis=0, weights=weights))
    np.testing.assert_allclose(standard_deviations(source), expected, rtol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix], ids=["dense", "CSR"])
@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6, -1e140])
def test_a_constant_column_has_1(form: Callable[[Any], Any], constant: float) -> None:
    X = np.full((77, 1), constant)
    source = InMemorySource(form(X), np.arange(77) % 2, np.linspace(0.1, 2, 77))
    assert standard_deviations(source).tolist() == [1.0]


def test_columns_that_vary_by_next_to_nothing_are_named() -> None:
    X = np.stack([np.linspace(0, 1, 77), np.linspace(0, 1e-170, 77)], axis=1)
    with pytest.raises(DataError, match=r"less than 1e-150 in column 1, by 2.9e-171"):
        standard_deviations(InMemorySource(X, np.arange(77) % 2))
    source = InMemorySource(X * [1, 1e40], np.arange(77) % 2)
    np.testing.assert_allclose(standard_deviations(source)[1], 2.9e-131, rtol=0.02)
