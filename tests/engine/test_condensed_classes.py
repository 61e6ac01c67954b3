"""Condensed rows of several classes against dense linear algebra, and fits through them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse, special

from chainrule.engine import fitting
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import SoftmaxLoss
from chainrule.engine.objective import condensed as condensed_objective
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.objective.condensed import CondensedPoint
from chainrule.engine.objective.condensed_classes import CondensedClassObjective
from chainrule.engine.passes import fused_blocks
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit
from chainrule.engine.solvers import condensed_newton
from chainrule.engine.solvers.leading_columns import NONE, LeadingColumns


@pytest.fixture(autouse=True)
def always_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile passes for problems of any size."""
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)


def table(kind: str, m: int = 60) -> Any:
    rng = np.random.default_rng(len(kind))
    shared = sparse.random_array((m, 9), density=0.3, rng=rng, format="csr")
    alone = sparse.random_array((m, 70), density=0.01, rng=rng, format="csr")
    X = sparse.csr_array(sparse.hstack([alone, shared]))
    if kind == "counts":
        X.data = np.ceil(9 * np.abs(X.data))
    elif kind == "float32":
        X = X.astype(np.float32)
    return X


def unit_sums(n_classes: int) -> Any:
    """Return an orthonormal basis of vectors over the classes that sum to zero."""
    return np.linalg.svd(np.ones((1, n_classes)))[2][1:]


@pytest.mark.parametrize("n_classes", [3, 4, 9])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", ["counts", "numbers", "float32"])
def test_a_step_is_newtons_on_all_columns(kind: str, fit_intercept: bool, n_classes: int) -> None:
    """The full Hessian, formed and solved, gives the step that condensation gives."""
    rng = np.random.default_rng(3)
    X = table(kind)
    m, n = X.shape
    codes, weight = rng.integers(0, n_classes, m), rng.uniform(0.5, 2, m)
    source = InMemorySource(X, codes, weight, n_classes=n_classes, compiled=True)
    strength = rng.uniform(0.3, 3, n)
    objective = ClassObjective(
        source, SoftmaxLoss(n_classes), L2Penalty(strength), fit_intercept=fit_intercept
    )
    condensed, dense = CondensedClassObjective(objective), X.toarray().astype(float)
    start = condensed.start(np.zeros(n_classes))
    packed, alone = start.packed.reshape(-1, condensed.places), start.alone
    packed[:, :n_classes] += 0.3 * rng.normal(size=(len(packed), n_classes))
    alone[:, :n_classes] += (
        0.4 * rng.normal(size=(m, n_classes)) * (condensed.rows.own > 0)[:, None]
    )
    point = condensed.whole_point(CondensedPoint(start.packed, alone, start.raw))
    scores = dense @ point.coef + point.intercept
    start.raw[:, :n_classes] = scores
    evaluation = condensed.evaluate(CondensedPoint(start.packed, alone, start.raw))
    p, own = special.softmax(scores, axis=1), np.eye(n_classes)[codes]
    value = -weight @ special.log_softmax(scores, axis=1)[np.arange(m), codes]
    value += 0.5 * strength @ (point.coef**2).sum(axis=1)
    assert evaluation.value == pytest.approx(value, rel=1e-12)

    full = np.column_stack([dense, np.ones(m)]) if fit_intercept else dense
    stiff = np.append(strength, 0.0)[: full.shape[1]]
    coef = np.vstack([point.coef, point.intercept])[: full.shape[1]]
    gradient = full.T @ (weight[:, None] * (p - own)) + stiff[:, None] * coef
    gap = (gradient[:n] ** 2 / (2 * strength[:, None])).sum()
    assert evaluation.gap == pytest.approx(gap, rel=1e-9)
    basis = unit_sums(n_classes)  # the gradient has no other part
    bends = weight[:, None, None] * (p[:, :, None] * (np.eye(n_classes) - p[:, None, :]))
    reduced = np.einsum("ak,ikl,bl->iab", basis, bends, basis)
    hessian = np.einsum("ip,iab,iq->paqb", full, reduced, full)
    size = full.shape[1] * len(basis)
    matrix = hessian.reshape(size, size) + np.kron(np.diag(stiff), np.eye(len(basis)))
    # of the start, what all classes share is not part of the problem
    centred = gradient @ basis.T
    expected = -np.linalg.solve(matrix, centred.ravel()).reshape(centred.shape) @ basis

    leading = LeadingColumns(condensed)
    leading.size = min(3, condensed.rows.n_columns)
    diagonal = np.where(evaluation.diagonal > 0, evaluation.diagonal, 1.0)
    for part in (NONE, leading.inverse(evaluation)):
        vector, travelled = condensed_newton._inner(
            condensed, evaluation, diagonal, part, (1e-18, 0.0, 900)
        )
        step, _, _ = condensed.direction(evaluation, vector, travelled)
        found = condensed.whole_point(step)
        rows = np.vstack([found.coef, found.intercept])[: len(expected)]
        np.testing.assert_allclose(rows @ basis.T, expected @ basis.T, rtol=1e-6, atol=1e-7)
        moved = (full @ expected)[:, :n_classes]
        np.testing.assert_allclose(
            condensed.raw_table(step) @ basis.T, moved @ basis.T, rtol=1e-6, atol=1e-7
        )


def topics(m: int = 400, n: int = 1500, n_classes: int = 5) -> tuple[Any, Any]:
    rng = np.random.default_rng(6)
    columns = ((n + 1.0) ** rng.random(m * 20) - 1).astype(np.int32)
    X = sparse.csr_array((np.ones(m * 20), columns, 20 * np.arange(m + 1)), shape=(m, n))
    X.sum_duplicates()
    scores = X @ rng.normal(size=(n, n_classes)) + rng.gumbel(size=(m, n_classes))
    return X, scores.argmax(axis=1)


def fitted(X: Any, y: Any, **choices: Any) -> Fit:
    weight = choices.pop("weight", None)
    source = InMemorySource(X, y, weight, n_classes=int(y.max()) + 1, compiled=True)
    return fitting.fit_linear_model(source, method="newton-cg", **{"tol": 1e-10} | choices)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_fits_agree_with_those_on_rows_as_given(
    C: float, fit_intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = topics()
    how: dict[str, Any] = {"C": C, "fit_intercept": fit_intercept}
    how["weight"] = np.random.default_rng(0).uniform(0, 2, len(y)).round(1)
    through, again = (fitted(X, y, n_threads=n, **how) for n in (1, 2))
    assert through.met
    assert "rewritten rows" in through.explain()
    np.testing.assert_array_equal(through.point.coef, again.point.coef)
    monkeypatch.setattr(condensed_objective, "can_condense", lambda _: False)
    plain = fitted(X, y, **how)
    assert "rewritten rows" not in plain.explain()
    assert through.value == pytest.approx(plain.value, rel=2e-10)
    bounds = through.certificate.distance_bound + plain.certificate.distance_bound
    assert np.linalg.norm(through.point.coef - plain.point.coef) <= bounds


def test_a_class_without_weight_is_fitted_as_on_rows_as_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its best intercept is infinitely far away."""
    X, y = topics(n_classes=4)
    how: dict[str, Any] = {"weight": (y != 2).astype(float)}
    through = fitted(X, y, **how)
    monkeypatch.setattr(condensed_objective, "can_condense", lambda _: False)
    plain = fitted(X, y, **how)
    assert through.value == pytest.approx(plain.value, rel=1e-8)
    assert through.met == plain.met
