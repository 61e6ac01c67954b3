"""Fits without a penalty that have no optimum, of losses other than those of classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.table import find_loss
from chainrule.engine.results import Fit

COUNTS = ("poisson", "negative_binomial", "tweedie")
N_ROWS = 200


def counts(seed: int = 0) -> tuple[Any, Any, Any]:
    """Return two columns, counts, and a column that is not 0 only where the count is 0."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(N_ROWS, 2))
    y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    return X, y, np.where(y == 0, rng.uniform(0.5, 1.5, N_ROWS), 0.0)


def fit(X: Any, y: Any, loss: str, C: float = np.inf) -> Fit:
    names = ("age", "years", "exempt")[: X.shape[1]]
    source = InMemorySource(X, y, column_names=names)
    return fit_linear_model(source, find_loss(loss), C=C)


@pytest.mark.parametrize("loss", COUNTS)
def test_a_column_of_rows_without_counts_has_no_finite_coefficient(loss: str) -> None:
    X, y, exempt = counts()
    certificate = fit(np.column_stack([X, exempt]), y, loss).certificate
    assert certificate.kind == "separation"
    assert certificate.proven
    assert certificate.columns == ("column 'exempt'",)
    said = str(certificate)
    assert "column 'exempt' can run off: on the way the loss of every row falls or stays" in said
    assert "class" not in said


@pytest.mark.parametrize("loss", COUNTS)
def test_counts_that_no_column_explains_have_an_optimum(loss: str) -> None:
    X, y, _ = counts()
    found = fit(X, y, loss)
    assert found.certificate.kind != "separation"
    assert found.met


@pytest.mark.parametrize("loss", ["probit", "cloglog"])
def test_a_column_that_separates_labels_is_named(loss: str) -> None:
    X, _, _ = counts()
    x = np.column_stack([X, np.sign(X[:, 0]) * (1 + np.abs(X[:, 1]))])
    certificate = fit(x, (X[:, 0] > 0).astype(float), loss).certificate
    assert certificate.kind == "separation"
    assert certificate.proven
    assert "the loss of every row falls" in str(certificate)


def test_a_penalty_keeps_the_coefficients() -> None:
    X, y, exempt = counts()
    found = fit(np.column_stack([X, exempt]), y, "poisson", C=1.0)
    assert found.certificate.kind != "separation"
    assert found.met
