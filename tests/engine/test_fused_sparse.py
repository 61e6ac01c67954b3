"""The compiled sparse passes against SciPy's, and fits that use them against dense ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression
from chainrule.engine.data import sparse_rows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes import fused_blocks
from chainrule.engine.passes.blocks import SparseBlock
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.errors import DataError

RNG = np.random.default_rng(12)
FORMS = [("float64", "int32"), ("float64", "int64"), ("float32", "int32")]
CLOSE: Any = {"rtol": 1e-11, "atol": 1e-10}


@pytest.fixture
def always_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile passes for problems of any size."""
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)


def rows(m: int, n: int, form: tuple[str, str] = FORMS[0]) -> Any:
    X = sparse.random_array((m, n), density=0.15, rng=RNG, format="csr")
    X.data = (X.data * 4 - 2).astype(form[0])
    X.indices, X.indptr = X.indices.astype(form[1]), X.indptr.astype(form[1])
    return X


def part(X: Any, start: int, stop: int) -> tuple[FusedSparseBlock, SparseBlock]:
    block = FusedSparseBlock(X.data, X.indices, X.indptr[start : stop + 1], X.shape[1])
    return block, SparseBlock(sparse.csr_array(X[start:stop].astype(np.float64)))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(1, 1), (300, 7), (700, 40)])
def test_the_verbs_agree_with_those_of_scipy(shape: tuple[int, int], form: Any) -> None:
    m, n = shape
    start = m // 3
    fused, plain = part(rows(m, n, form), start, m)
    V, U = RNG.normal(size=(n, 2)), RNG.normal(size=(m - start, 3))
    np.testing.assert_allclose(fused.matvec(V), plain.matvec(V), **CLOSE)
    np.testing.assert_allclose(fused.rmatvec(U), plain.rmatvec(U), **CLOSE)
    np.testing.assert_allclose(fused.sandwich(U[:, 0]), plain.sandwich(U[:, 0]), **CLOSE)
    np.testing.assert_allclose(fused.sandwich_diagonal(U), plain.sandwich_diagonal(U), **CLOSE)
    sizes = zip(fused.row_sizes(abs(V), V[:, 0]), plain.row_sizes(abs(V), V[:, 0]), strict=True)
    for one, other in sizes:
        np.testing.assert_allclose(one, other, **CLOSE)
    np.testing.assert_allclose(fused.column_sizes(U), plain.column_sizes(U), **CLOSE)
    np.testing.assert_array_equal(fused.column_maxima(), plain.column_maxima())
    np.testing.assert_array_equal(np.vstack(list(fused.dense_rows())), plain.values.toarray())
    assert (fused.shape, fused.longest_row) == (plain.shape, plain.longest_row)
    product, level = fused.product_pass(U[:, 0], V[:, 0], 0.5)
    pull = U[:, 0] * (plain.matvec(V[:, :1])[:, 0] + 0.5)
    np.testing.assert_allclose(product, plain.rmatvec(pull[:, None])[:, 0], **CLOSE)
    assert level == pytest.approx(pull.sum())


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_a_fused_pass_is_the_plain_pass(n_classes: int, fit_intercept: bool) -> None:
    X = rows(900, 11)
    y, weight = RNG.integers(0, n_classes, 900), RNG.random(900)
    loss: Loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
    shift: Any = 0.3 * fit_intercept * np.arange(1, loss.n_outputs + 1)
    point = Point(RNG.normal(size=(11, loss.n_outputs)), shift)
    found = []
    for least in (0, X.nnz + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fused_blocks, "FUSED_FROM", least)
            source = InMemorySource(X, y, weight, n_classes=n_classes)
        assert source.is_fused == (least == 0)
        objective = Objective(source, loss, L2Penalty(np.ones(11)), fit_intercept=fit_intercept)
        at = objective.evaluate(point, with_hessian=True)
        assert at.hessian is not None
        product = objective.hessian_product(at, point, objective.bend(at))
        line = objective.along(at, point, objective.raw_direction(point))(0.3)
        sums = objective.intercept_sums(at.raw_prediction, shift)
        seen: list[Any] = [at.value, at.gradient.coef, at.gradient.intercept, at.hessian]
        seen += [at.raw_prediction, product.coef, product.intercept, *line, *sums]
        found.append(seen)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, **CLOSE)


@pytest.mark.usefixtures("always_fused")
@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg"])
def test_any_number_of_threads_gives_the_same_bits(solver: str) -> None:
    X = rows(3000, 30)
    y = X @ RNG.normal(size=30) + RNG.logistic(size=3000) > 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InMemorySource, "_rows_per_block", lambda _: 256)
        models = [LogisticRegression(solver=solver, n_jobs=n).fit(X, y) for n in (1, 2, 8)]
        models.append(LogisticRegression(solver=solver).fit(sparse.csc_array(X), y))
    for model in models:
        assert model.certificate_.relative_bound <= 1e-8
        np.testing.assert_array_equal(model.coef_, models[0].coef_)
        np.testing.assert_array_equal(model.intercept_, models[0].intercept_)


@pytest.mark.slow
@pytest.mark.usefixtures("always_fused")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("C", [0.5, np.inf])
def test_a_sparse_fit_is_the_dense_fit(form: Any, C: float) -> None:
    X = rows(1500, 12, form)
    y = X @ RNG.normal(size=12) + RNG.logistic(size=1500) > 0
    on_sparse = LogisticRegression(C=C, tol=1e-11).fit(X, y)
    on_dense = LogisticRegression(C=C, tol=1e-11).fit(X.toarray().astype(np.float64), y)
    assert on_sparse.certificate_.proven
    assert on_sparse.objective_ == pytest.approx(on_dense.objective_, rel=1e-11)
    np.testing.assert_allclose(on_sparse.coef_, on_dense.coef_, rtol=1e-4, atol=1e-6)


@pytest.mark.usefixtures("always_fused")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_bad_numbers_are_named_by_row_and_column(bad: float) -> None:
    X = sparse.csr_array(np.eye(900, 3) + np.eye(900, 3, k=-600))
    X[601, 1] = bad
    with pytest.raises(DataError, match="row 601, column 1"):
        InMemorySource(X, np.zeros(900))


@pytest.mark.slow
@pytest.mark.usefixtures("always_fused")
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("solver", ["newton-cholesky", "newton-cg"])
def test_columns_that_stay_columns_give_the_same_bits(
    form: Any, solver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    X = rows(5000, 25, form)
    y = X @ RNG.normal(size=25) + RNG.logistic(size=5000) > 0
    by_rows = LogisticRegression(solver=solver).fit(X, y)
    monkeypatch.setattr(sparse_rows, "TURNED_BYTES", 0)
    columns = X.tocsc()
    columns.indices = columns.indices.astype(form[1])
    columns.indptr = columns.indptr.astype(form[1])
    source = InMemorySource(columns, y)
    assert source.n_blocks > 1
    assert np.shares_memory(source._X.data, columns.data)
    by_columns = LogisticRegression(solver=solver, n_jobs=2).fit(columns, y)
    assert "turned into rows block by block" in by_columns.explain()
    np.testing.assert_array_equal(by_rows.coef_, by_columns.coef_)
    np.testing.assert_array_equal(by_rows.intercept_, by_columns.intercept_)
    assert by_rows.objective_ == by_columns.objective_


@pytest.mark.parametrize("twice", [False, True])
@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n_features", [40, 900])
def test_rows_out_of_order_come_in_order_and_what_was_given_stays(
    twice: bool, fused: bool, form: Any, n_features: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FUSED_FROM", "AT_HAND_FROM"):
        monkeypatch.setattr(fused_blocks, name, 0 if fused else 10**9)
    X = rows(700, n_features, form)
    m, n = X.shape
    pieces = [X, X] if twice else [X]
    data = np.concatenate([piece.data[:: -1 if k else 1] for k, piece in enumerate(pieces)])
    i, j = np.concatenate([np.stack(piece.nonzero()) for piece in pieces], axis=1)
    order = RNG.permutation(len(i))
    order = order[np.argsort(i[order], kind="stable")]
    indptr = np.concatenate([[0], np.bincount(i, minlength=m).cumsum()])
    mixed = sparse.csr_array((data[order], j[order], indptr), shape=(m, n))
    mixed.indices, mixed.indptr = mixed.indices.astype(form[1]), mixed.indptr.astype(form[1])
    before = mixed.indices.copy()
    found = sparse_rows.as_rows(mixed, n_threads=2)
    assert found.has_canonical_format
    np.testing.assert_allclose(found.toarray(), mixed.toarray(), rtol=1e-6)
    assert (np.diff(found.indices)[np.diff(found.nonzero()[0]) == 0] > 0).all()
    np.testing.assert_array_equal(mixed.indices, before)


def test_small_sparse_data_take_compiled_passes_where_they_are_at_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    X = sparse.random_array((500, 40), density=0.3, rng=np.random.default_rng(5), format="csr")
    y = np.arange(500) % 2
    answers = []
    for at_hand in (True, False):
        monkeypatch.setattr(fused_blocks, "sparse_pass_is_at_hand", lambda _, there=at_hand: there)
        source = InMemorySource(X, y)
        assert source.is_fused is at_hand
        answers.append(fit_linear_model(source, tol=1e-12))
    assert InMemorySource(X[:50], y[:50]).is_fused is False
    np.testing.assert_allclose(answers[0].point.coef, answers[1].point.coef, atol=1e-10)
