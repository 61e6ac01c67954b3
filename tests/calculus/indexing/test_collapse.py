"""From index form to matrix form, against numpy.einsum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import SCALAR, Index, Shape, measured
from chainrule.calculus.graph.node import Expr, Number, Symbol, Total, entry, running
from chainrule.calculus.indexing.collapse import collapse
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import linear_parts, read_entry
from chainrule.calculus.ops import add, mul, power, reduce_sum, sigmoid, squared_norm
from chainrule.errors import DerivationError
from chainrule.language.typeset import plain

SIZES = {"n": 3, "m": 4, "h": 2, "k": 5}
p, i, j, q = Index("p", "n"), Index("i", "m"), Index("j", "h"), Index("q", "k")
INDICES = (p, i, j, q)

A, Y = Symbol("A", (1, "m")), Symbol("Y", (1, "m"))
X = Symbol("X", ("n", "m"))
W = Symbol("W", ("h", "n"))
v, u = Symbol("v", ("n", 1)), Symbol("u", ("n", 1))
Q = Symbol("Q", ("n", "n"))
D = Symbol("dZ", ("h", "m"))
c = Symbol("c")
a, y = entry(A, None, i), entry(Y, None, i)
x = entry(X, p, i)


def shape_of(row: Index | None, col: Index | None) -> Shape:
    return (row.dim if row else 1, col.dim if col else 1)


@st.composite
def terms(draw: st.DrawFn) -> tuple[list[Expr], list[str], tuple[Index | None, Index | None]]:
    """Up to five cells of vectors and matrices, their einsum letters, and the wanted place."""
    factors: list[Expr] = []
    letters: list[str] = []
    for k in range(draw(st.integers(1, 5))):
        on = draw(st.lists(st.sampled_from(INDICES), unique=True, max_size=2))
        rows = on[0] if on else None
        cols = on[1] if len(on) == 2 else None
        if len(on) == 1 and draw(st.booleans()):
            rows, cols = None, on[0]
        factors.append(entry(Symbol(f"M{k}", shape_of(rows, cols)), rows, cols))
        letters.append("".join(index.name for index in (rows, cols) if index))
    free = draw(st.lists(st.sampled_from(INDICES), unique=True, max_size=2))
    row = free[0] if free else None
    col = free[1] if len(free) == 2 else None
    return factors, letters, (row, col)


def numbers(factors: list[Expr]) -> dict[Symbol, np.ndarray]:
    rng = np.random.default_rng(3)
    found = {}
    for factor in factors:
        symbol = factor if isinstance(factor, Symbol) else factor.args[0]
        assert isinstance(symbol, Symbol)
        shape = tuple(measured(d, SIZES) for d in symbol.shape)
        found[symbol] = rng.uniform(0.5, 1.5, shape) * rng.choice([-1, 1], shape)
    return found


def value(expr: Expr, values: Mapping[Symbol, Any]) -> Any:
    return np.asarray(Evaluator(values, SIZES).value(expr))


def laid_out(form: Expr, place: tuple[Any, Any], values: Mapping[Symbol, Any]) -> Any:
    """Lay an index form out as a matrix, by the evaluator's own axes."""
    point = Evaluator(values, SIZES)
    result = np.asarray(point.value(form))
    shape = point.shape(shape_of(*place))
    grid = np.zeros(shape)
    for r, s in np.ndindex(*shape):
        cell = result
        for index, at in zip(place, (r, s), strict=True):
            if index is not None and cell.ndim > point.axis(index):
                axis = cell.ndim - 1 - point.axis(index)
                cell = np.take(cell, [at if cell.shape[axis] > 1 else 0], axis=axis)
        grid[r, s] = cell.item()
    return grid


@settings(max_examples=150, deadline=None)
@given(terms())
def test_a_collapse_is_the_einsum_of_its_term(
    term: tuple[list[Expr], list[str], tuple[Index | None, Index | None]],
) -> None:
    factors, letters, (row, col) = term
    place = (row, col)
    used = frozenset().union(*(running(f) for f in factors))
    form = mul(*factors)
    for index in sorted(used - {row, col}, key=str):
        form = Total(index, form)
    values = numbers(factors)
    # What is repeated along an index that no factor carries is written to einsum as ones.
    operands = [np.squeeze(values[f if isinstance(f, Symbol) else f.args[0]]) for f in factors]  # type: ignore[index]
    wanted = [index for index in place if index]
    ones = [np.ones(SIZES[str(index.dim)]) for index in wanted]
    subscripts = ",".join([*letters, *(index.name for index in wanted)])
    expected = np.einsum(
        f"{subscripts}->{''.join(index.name for index in wanted)}", *operands, *ones
    ).reshape([SIZES[str(index.dim)] if index else 1 for index in place])
    shape = shape_of(row, col)
    try:
        matrix, firings = collapse(form, shape, row, col)
    except DerivationError as refused:
        if "no matrix form" not in str(refused):
            raise
        carriers = {index: sum(index in running(f) for f in factors) for index in used}
        assert max(carriers.values()) > 2 or len(used) > 2, "refused without a reason"
        return
    assert matrix.shape == shape
    assert running(matrix) == frozenset()
    np.testing.assert_allclose(value(matrix, values), expected, rtol=1e-9, atol=1e-11)
    for firing in firings:
        assert running(firing.after) <= {index for index in place if index}
        np.testing.assert_allclose(
            laid_out(firing.after, place, values), expected, rtol=1e-9, atol=1e-11
        )


def totals(form: Expr, *indices: Index) -> Expr:
    for index in indices:
        form = Total(index, form)
    return form


s, r = Index("s", "n"), Index("r", "n")
NAMED: Mapping[str, tuple[Expr, Shape, Index | None, Index | None]] = {
    "(A - Y) X^T": (Total(i, (a - y) * x), (1, "n"), None, p),
    "X(A - Y)^T": (Total(i, (a - y) * x), ("n", 1), p, None),
    "(A - Y) 1": (Total(i, a - y), SCALAR, None, None),
    "X 1": (Total(i, x), ("n", 1), p, None),
    "diag(Q)": (entry(Q, p, p), ("n", 1), p, None),
    "trace(Q)": (Total(p, entry(Q, p, p)), (1, 1), None, None),
    "1^T X": (Total(p, x), (1, "m"), None, i),
    "v^T Q v": (
        totals(entry(v, p, None) * entry(Q, p, s) * entry(v, s, None), s, p),
        SCALAR,
        None,
        None,
    ),
    "v^T u": (Total(p, entry(v, p, None) * entry(u, p, None)), SCALAR, None, None),
    "v u^T": (entry(v, p, None) * entry(u, s, None), ("n", "n"), p, s),
    "Q v": (Total(s, entry(Q, p, s) * entry(v, s, None)), ("n", 1), p, None),
    "Q^T v": (Total(s, entry(Q, s, p) * entry(v, s, None)), ("n", 1), p, None),
    "Q Q": (Total(s, entry(Q, p, s) * entry(Q, s, r)), ("n", "n"), p, r),
    "W^T dZ": (Total(j, entry(W, j, p) * entry(D, j, i)), ("n", "m"), p, i),
    "W^T dZ .* X .* (1 - X)": (
        Total(j, entry(W, j, p) * entry(D, j, i)) * x * (1 - x),
        ("n", "m"),
        p,
        i,
    ),
    "dZ X^T": (Total(i, entry(D, j, i) * x), ("h", "n"), j, p),
    "v .* X": (entry(v, p, None) * x, ("n", "m"), p, i),
    "X .* v": (x * entry(v, p, None), ("n", "m"), p, i),
    "A .* X": (a * x, ("n", "m"), p, i),
    "2 c(A - Y) X^T": (Total(i, 2 * c * (a - y) * x), (1, "n"), None, p),
    "-(A - Y) X^T": (-Total(i, (a - y) * x), (1, "n"), None, p),
    "X^T": (x, ("m", "n"), i, p),
    "sigmoid(X)^T": (sigmoid(x), ("m", "n"), i, p),
    "(A .* Y) X^T": (Total(i, a * y * x), (1, "n"), None, p),
}


@pytest.mark.parametrize("text", NAMED)
def test_named_forms(text: str) -> None:
    form, shape, row, col = NAMED[text]
    matrix, _ = collapse(form, shape, row, col)
    assert plain(matrix) == text


def test_a_sum_inside_a_function_is_a_sum_along_an_axis() -> None:
    matrix, _ = collapse(power(Total(i, x), 2), ("n", 1), p, None)
    assert plain(matrix) == "sum(X, axis=1)^2"


def test_an_index_nobody_carries_repeats() -> None:
    matrix, _ = collapse(entry(v, p, None), ("n", "m"), p, i)
    assert matrix.shape == ("n", "m")
    values = {v: np.arange(3.0)[:, None]}
    np.testing.assert_array_equal(value(matrix, values), np.tile(values[v], (1, 4)))


@pytest.mark.parametrize(
    ("form", "row", "col"),
    [
        (entry(Q, 1, p), p, None),
        (Total(i, x * entry(Symbol("K", ("m", "k")), i, q) * entry(D, j, i) * c), p, q),
    ],
)
def test_honest_refusals(form: Expr, row: Index | None, col: Index | None) -> None:
    with pytest.raises(DerivationError, match="no matrix form"):
        collapse(form, shape_of(row, col), row, col)


def test_each_firing_says_what_and_why() -> None:
    form = totals(entry(v, p, None) * entry(Q, p, s) * entry(v, s, None), s, p)
    _, firings = collapse(form, SCALAR, None, None)
    assert [f.rule for f in firings] == ["sum over two factors: matrix product"] * 2
    assert all(len(f.because.split()) > 5 for f in firings)


# ---- reading and back ----------------------------------------------------------------------------

MATRICES = [
    X,
    X.T,
    W @ X,
    (W @ X).T,
    sigmoid(W @ X) * D,
    v @ v.T,
    (v.T @ Q @ v) * Q,
    X - X * 2,
    reduce_sum(X, 0),
    reduce_sum(X, 1),
    squared_norm(X) * X,
    (A - Y) @ X.T,
    X * v.T.T,
    D.T @ W,
]


@pytest.mark.parametrize("matrix", MATRICES, ids=plain)
def test_reading_an_entry_and_collapsing_it_is_the_matrix(matrix: Expr) -> None:
    letters = Letters(["n", "m", "h"])
    row, col = (letters.free(dim) for dim in matrix.shape)
    form = read_entry(matrix, row, col, letters)
    assert form.shape == SCALAR
    back, _ = collapse(form, matrix.shape, row, col)
    values = numbers([X, W, v, Q, D, A, Y])
    np.testing.assert_allclose(value(back, values), value(matrix, values), rtol=1e-11)


def test_linear_parts_split_by_path() -> None:
    g = Symbol("g", (1, "m"))
    at = entry(g, None, i)
    (part,) = linear_parts(Total(i, at * x), g)
    assert (part.bound, part.atom, part.coefficient) == ((i,), at, x)
    merged = linear_parts(add(at * a, at * y), g)
    assert [(part.atom, part.coefficient) for part in merged] == [(at, a + y)]
    assert linear_parts(Number(0), g) == []
    with pytest.raises(DerivationError, match="linear"):
        linear_parts(sigmoid(at), g)
    with pytest.raises(DerivationError, match="linear"):
        linear_parts(at * at, g)


def test_letters_are_never_given_twice() -> None:
    letters = Letters(["n", "m"], taken=[Index("i", "m")])
    found = [str(letters.bound("m")) for _ in range(40)]
    assert len(set(found)) == 40
    assert "i" not in found
