"""Blocks, sources, executors, penalties and the objective, each against plain NumPy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.blocks import DenseBlock, MatrixBlock, SparseBlock
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.executors import map_in_order, sum_over_chunks, tree_reduce
from chainrule.errors import DataError

RNG = np.random.default_rng(7)
TABLE = RNG.normal(size=(700, 5)) * (RNG.random((700, 5)) < 0.4)


@pytest.fixture(params=["dense", "fortran", "sparse"])
def block(request: pytest.FixtureRequest) -> MatrixBlock:
    if request.param == "sparse":
        return SparseBlock(sparse.csr_array(TABLE))
    return DenseBlock(np.asfortranarray(TABLE) if request.param == "fortran" else TABLE)


def test_a_matrix_is_three_verbs(block: MatrixBlock) -> None:
    V, U, d = RNG.normal(size=(5, 2)), RNG.normal(size=(700, 2)), RNG.normal(size=700)
    np.testing.assert_allclose(block.matvec(V), TABLE @ V, atol=1e-12)
    np.testing.assert_allclose(block.rmatvec(U), TABLE.T @ U, atol=1e-12)
    np.testing.assert_allclose(block.sandwich(d), TABLE.T @ np.diag(d) @ TABLE, atol=1e-11)
    np.testing.assert_allclose(block.sandwich_diagonal(U), (TABLE**2).T @ U, atol=1e-11)


def test_blocks_know_their_sizes(block: MatrixBlock) -> None:
    assert block.shape == (700, 5)
    np.testing.assert_array_equal(block.column_maxima(), np.abs(TABLE).max(axis=0))
    V, U = RNG.random(size=(5, 3)), RNG.normal(size=(700, 3))
    reached, squares = block.row_sizes(V, np.arange(5.0))
    np.testing.assert_allclose(reached, np.abs(TABLE) @ V)
    np.testing.assert_allclose(squares, (TABLE * np.arange(5.0)) ** 2 @ np.ones(5))
    np.testing.assert_allclose(block.column_sizes(U), np.abs(TABLE).T @ U, atol=1e-12)
    np.testing.assert_array_equal(np.vstack(list(block.dense_rows())), TABLE)


WHOLE = np.round(RNG.normal(size=(700, 3)) * 100) * [4.0, 1.0, 0.125]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "form",
    [
        DenseBlock,
        FusedBlock,
        lambda X: FusedBlock(np.asfortranarray(X)),
        lambda X: SparseBlock(sparse.csr_array(X)),
        lambda X: FusedSparseBlock(*csr(X), 3),
    ],
)
def test_blocks_know_which_columns_are_multiples_of_a_power_of_two(form: Any, dtype: str) -> None:
    X = form(WHOLE.astype(dtype))
    assert X.are_whole(np.array([0.25, 1.0, 8.0]))
    assert X.are_whole(np.array([0.0, 0.0, 16.0]))
    for column, factor in enumerate([0.125, 0.5, 4.0]):
        assert not X.are_whole(factor * (np.arange(3) == column))
    least = WHOLE.astype(dtype)
    least[1, 0] = np.finfo(dtype).smallest_subnormal  # times a quarter, float64's vanishes
    assert not form(least).are_whole(np.array([0.25, 0.0, 0.0]))


def csr(X: Any) -> tuple[Any, Any, Any]:
    found = sparse.csr_array(X)
    return found.data, found.indices, found.indptr


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 13])
def test_the_reduction_tree_has_one_shape(n: int) -> None:
    shape = tree_reduce([str(i) for i in range(n)], lambda a, b: f"({a}{b})")
    assert shape.replace("(", "").replace(")", "") == "".join(str(i) for i in range(n))
    depth = max(shape[:i].count("(") - shape[:i].count(")") for i in range(len(shape) + 1))
    assert depth <= np.ceil(np.log2(n)) + 1


def test_sums_have_the_same_bits_for_any_number_of_threads() -> None:
    values = RNG.normal(size=(37, 100)) * 10.0 ** RNG.integers(-8, 8, size=(37, 1))
    sums = [sum_over_chunks(lambda i: (values[i],), 37, threads)[0] for threads in (1, 2, 5)]
    np.testing.assert_array_equal(sums[0], sums[1])
    np.testing.assert_array_equal(sums[0], sums[2])
    assert list(map_in_order(lambda i: i, 9, 3)) == list(range(9))


def test_nothing_to_reduce_is_an_error() -> None:
    with pytest.raises(ValueError, match="no chunks"):
        tree_reduce([], lambda a, _: a)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_bad_numbers_are_named_by_row_and_column(bad: float, form: Callable[..., Any]) -> None:
    X = np.ones((900, 3))
    X[611, 1] = bad
    with pytest.raises(DataError, match="row 611, column 'age'"):
        InMemorySource(form(X), np.zeros(900), column_names=["id", "age", "pay"])


@pytest.mark.parametrize("bad", [1e200, -1e200])
def test_numbers_whose_squares_overflow_are_named(bad: float) -> None:
    X = np.ones((5, 3))
    X[2, 2] = bad
    with pytest.raises(DataError, match=r"1e\+150.*row 2, column 2"):
        InMemorySource(X, np.zeros(5))


def test_no_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="no rows"):
        InMemorySource(np.ones((0, 2)), np.zeros(0))


@pytest.mark.parametrize("dtype", ["f4", "f2", "i8", "i1", "?", ">f8"])
def test_blocks_of_any_dtype_are_float64(dtype: str) -> None:
    X = (RNG.normal(size=(20, 3)) * 3).astype(dtype)
    rows = next(iter(InMemorySource(X, np.zeros(20)).block(0).X.dense_rows()))
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows, X.astype("f8"))


def test_extreme_columns_are_scaled_by_powers_of_two_without_loss() -> None:
    X = RNG.normal(size=(20, 3)) * np.array([1e-208, 1.0, 1e100])
    source = InMemorySource(X, np.zeros(20))
    assert source.column_scale[1] == 1.0
    np.testing.assert_array_equal(np.frexp(source.column_scale)[0], 0.5)
    rows = next(iter(source.block(0).X.dense_rows()))
    np.testing.assert_array_equal(rows * source.column_scale, X)
    assert np.abs(rows).max() < 1e3


def make(n_classes: int, C: float, *, fit_intercept: bool = True, threads: int = 1) -> Objective:
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(600, 4)), rng.integers(0, n_classes, 600)
    y[:n_classes] = np.arange(n_classes)
    source = InMemorySource(X, y, rng.uniform(0, 2, 600), n_classes=n_classes)
    source.rows_per_block = 64
    loss: Loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
    penalty = L2Penalty.from_inverse(C, source.column_scale)
    return Objective(source, loss, penalty, fit_intercept=fit_intercept, n_threads=threads)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("C", [0.5, np.inf])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_derivatives_agree_with_differences(n_classes: int, C: float, fit_intercept: bool) -> None:
    objective = make(n_classes, C, fit_intercept=fit_intercept)
    rng = np.random.default_rng(0)
    at = rng.normal(size=objective.n_parameters)
    evaluation = objective.evaluate(objective.unpack(at), with_hessian=True)
    gradient = objective.pack(evaluation.gradient)
    assert evaluation.hessian is not None
    for _ in range(3):
        u = rng.normal(size=at.size)
        step = 1e-5
        up = objective.evaluate(objective.unpack(at + step * u))
        down = objective.evaluate(objective.unpack(at - step * u))
        assert (up.value - down.value) / (2 * step) == pytest.approx(gradient @ u, rel=1e-6)
        bend = (objective.pack(up.gradient) - objective.pack(down.gradient)) / (2 * step)
        np.testing.assert_allclose(evaluation.hessian @ u, bend, rtol=1e-5, atol=1e-5)
        product = objective.hessian_product(evaluation, objective.unpack(u))
        np.testing.assert_allclose(objective.pack(product), evaluation.hessian @ u, atol=1e-9)
        direction = objective.unpack(u)
        line = objective.along(evaluation, direction, objective.raw_direction(direction))
        value, slope = line(0.25)
        there = objective.evaluate(objective.unpack(at + 0.25 * u))
        assert value == pytest.approx(there.value, rel=1e-12)
        assert slope == pytest.approx(objective.pack(there.gradient) @ u, rel=1e-9, abs=1e-9)
    diagonal = objective.pack(objective.hessian_diagonal(evaluation))
    np.testing.assert_allclose(diagonal, np.diagonal(evaluation.hessian), rtol=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_an_evaluation_has_the_same_bits_for_any_number_of_threads(n_classes: int) -> None:
    point = make(n_classes, 1.0).unpack(np.linspace(-1, 1, make(n_classes, 1.0).n_parameters))
    first, other = (
        make(n_classes, 1.0, threads=threads).evaluate(point, with_hessian=True)
        for threads in (1, 3)
    )
    assert first.value == other.value
    np.testing.assert_array_equal(first.gradient.coef, other.gradient.coef)
    np.testing.assert_array_equal(first.hessian, other.hessian)


def test_packing_is_invertible_and_moves_add() -> None:
    objective = make(3, 1.0)
    vector = np.arange(float(objective.n_parameters))
    point = objective.unpack(vector)
    np.testing.assert_array_equal(objective.pack(point), vector)
    np.testing.assert_array_equal(point.coef[:, 1], vector[5:9])
    moved = objective.origin().moved(2.0, Point(point.coef, point.intercept))
    np.testing.assert_array_equal(objective.pack(moved), 2 * vector)


@pytest.mark.parametrize("loss", [BinaryLoss(), SoftmaxLoss(4)])
def test_log_curvature_changes_by_at_most_the_spread(loss: Loss) -> None:
    """Self-concordance, the premise of the Newton decrement bound, checked on random rows."""
    rng = np.random.default_rng(5)
    raw, change = rng.normal(size=(2, 400, loss.n_outputs)) * 3
    y = np.zeros(400) if loss.n_outputs == 1 else np.eye(4)[rng.integers(0, 4, 400)]
    probe = rng.normal(size=(400, loss.n_outputs))
    before = (loss.hessian_product(raw, y, probe) * probe).sum(axis=1)
    after = (loss.hessian_product(raw + change, y, probe) * probe).sum(axis=1)
    moved = np.abs(np.log(after) - np.log(before))
    assert (moved <= loss.log_curvature_change(change) + 1e-9).all()
