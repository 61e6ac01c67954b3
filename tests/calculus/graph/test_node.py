"""Interned, immutable, shared, and as deep as one likes."""

from __future__ import annotations

import copy
import gc
import pickle
from fractions import Fraction
from threading import Thread

import numpy as np
import pytest

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Symbol,
    Total,
    entry,
    partials,
    running,
    substitute,
    symbols,
    transform,
    walk,
)
from chainrule.calculus.ops import TABLE, exp, reduce_sum, replace, sigmoid, tanh
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.errors import ShapeError

DEEP = 5_000
X = Symbol("X", ("n", "m"))
x, y = Symbol("x"), Symbol("y")
i, j = Index("i", "m"), Index("j", "m")


def makers() -> list[object]:
    return [
        lambda: Symbol("X", ("n", "m")),
        lambda: Number(Fraction(2, 3), (1, "m")),
        lambda: Entry(X, Index("p", "n"), i),
        lambda: Total(Index("i", "m"), entry(X, Index("p", "n"), Index("i", "m"))),
        lambda: Partial(x, y),
        lambda: sigmoid(X) + 2 * X,
        lambda: X @ X.T,
        lambda: x**3 / (1 - y),
    ]


@pytest.mark.parametrize("make", makers())
def test_equal_is_identical(make: object) -> None:
    assert callable(make)
    first, second = make(), make()
    assert first is second
    assert first == second
    assert hash(first) == hash(second)


def test_what_differs_in_anything_is_another_node() -> None:
    distinct = [
        Symbol("x"),
        Symbol("x", (1, "n")),
        Symbol("x", ("n", 1)),
        Number(1),
        Number(1, (1, "n")),
        Number(-1),
        Entry(X, i, None),
        Entry(X, j, None),
        Entry(X, Index("i", "n"), None),
        Entry(X, 1, None),
        Total(i, x),
        Total(j, x),
        Partial(x, y),
        Partial(y, x),
        x + y,
        y + x,
        x**2,
        x**3,
        reduce_sum(X),
        reduce_sum(X, 0),
        reduce_sum(X, 1),
    ]
    assert len(set(distinct)) == len(distinct)


@pytest.mark.parametrize("node", [X, Number(1), Entry(X, i, j), Total(i, x), Partial(x, y), x + y])
def test_nodes_do_not_change(node: Expr) -> None:
    for name in ("shape", "key", "name", "value", "op", "args", "operands", "anything"):
        with pytest.raises(AttributeError):
            setattr(node, name, "changed")
    with pytest.raises(AttributeError):
        del node.shape


def test_copies_are_the_node_itself_and_pickling_says_why_not() -> None:
    node = sigmoid(X) @ X.T
    assert copy.deepcopy(node) is node
    assert copy.copy(node) is node
    assert copy.deepcopy({"a": [node]})["a"][0] is node
    with pytest.raises(TypeError, match="do not pickle"):
        pickle.dumps(node)


def test_structure_is_shared() -> None:
    node: Expr = x
    for _ in range(60):  # as a tree this has 2^60 leaves
        node = sigmoid(node) * tanh(node)
    nodes = list(walk(node))
    assert len(nodes) == 1 + 3 * 60
    assert len(set(nodes)) == len(nodes)
    assert symbols(node) == {x}
    assert running(node) == frozenset()
    assert substitute(node, {x: y}) is transform(node, lambda n: y if n is x else n)
    assert np.isfinite(Evaluator({x: np.array([[0.1]])}, {}).value(node)).all()


def test_arguments_come_before_their_users() -> None:
    node = sigmoid(X @ X.T) + X @ X.T
    order = list(walk(node))
    assert order[-1] is node
    place = {n: k for k, n in enumerate(order)}
    assert all(place[arg] < place[n] for n in order for arg in n.args)


def deep() -> Expr:
    node: Expr = x
    for k in range(DEEP):
        node = Apply(TABLE["add"], (node, Number(k % 3)))
    return node


def test_deep_expressions_do_not_meet_the_recursion_limit() -> None:
    node = deep()
    assert len(list(walk(node))) == DEEP + 4
    expected = 1.5 + sum(k % 3 for k in range(DEEP))
    assert Evaluator({x: np.array([[1.5]])}, {}).value(node).item() == expected
    swapped = transform(node, lambda n: y if n is x else n)
    assert symbols(swapped) == {y}
    assert substitute(node, {x: y}) is swapped
    tower: Expr = x
    for _ in range(DEEP):
        tower = tanh(tower)
    assert symbols(replace(tower, {x: y})) == {y}
    assert running(node) == frozenset()
    assert partials(node) == ()


def test_the_cost_of_reading_counts_the_tree_and_walks_the_graph() -> None:
    node: Expr = x
    for _ in range(60):
        node = sigmoid(node) * tanh(node)
    # Leaves and operations of the written tree, and x again each time after the first.
    assert display_cost(node) == 2**60 + 3 * (2**60 - 1) + (2**60 - 1)
    assert display_cost(deep()) == 1 + 2 * DEEP


def test_the_repr_of_a_graph_is_short_however_large_its_tree() -> None:
    node: Expr = x
    for _ in range(60):
        node = sigmoid(node) * tanh(node)
    assert len(repr(node)) < 2000
    assert repr(x) == "Symbol('x', (1, 1))"


@pytest.mark.slow
def test_what_nobody_holds_is_forgotten() -> None:
    gc.collect()
    before = len(Expr._interned)
    names = [Symbol(f"forgotten_{k}") for k in range(100)]
    assert len(Expr._interned) >= before + 100
    del names
    gc.collect()
    assert len(Expr._interned) <= before


def test_threads_meet_the_same_nodes() -> None:
    built: list[list[Expr]] = []

    def build() -> None:
        own: list[Expr] = []
        for k in range(400):
            s = Symbol(f"thread_{k}")
            own.append(sigmoid(s * 2 + 1))
        built.append(own)

    threads = [Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(built) == 8
    for same in zip(*built, strict=True):
        assert len(set(same)) == 1


def test_substitution_is_simultaneous() -> None:
    assert substitute(x + y, {x: y, y: x}) is y + x
    assert substitute(exp(x), {exp(x): y, x: y}) is y


def test_free_indices() -> None:
    p = Index("p", "n")
    form = Total(i, entry(X, p, i) * entry(X, p, j))
    assert running(form) == {p, j}
    assert running(Total(j, form)) == {p}
    assert running(Partial(entry(X, p, i), y)) == {p, i}
    assert running(entry(X, 1, 2)) == frozenset()


def test_dimensions_have_names_so_a_square_guess_is_refused() -> None:
    w = Symbol("w", (1, "n"))
    with pytest.raises(ShapeError, match="inner sizes"):
        w @ X.T
    with pytest.raises(ShapeError, match="do not meet"):
        X + X.T
    assert (w @ X).shape == (1, "m")


def test_unanswered_derivatives_in_reading_order() -> None:
    first, second = Partial(x, y), Partial(y, x)
    assert partials(first * second + first) == (first, second)
