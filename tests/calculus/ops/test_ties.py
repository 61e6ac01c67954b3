"""Where entries tie, the convention that the rows state is the one that is computed."""

from __future__ import annotations

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from chainrule.calculus.evaluation.modular import MODULAR, PRIME, Residues
from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol
from chainrule.calculus.ops import (
    TABLE,
    argmax,
    eye,
    inverse,
    matmul,
    maximum,
    minimum,
    reduce_max,
    reduce_sum,
    relu,
    softmax,
    transpose,
)

X, a, b = Symbol("X", ("n", "m")), Symbol("a", ("n", 1)), Symbol("b", ("n", 1))
SIZES = {"n": 2, "m": 3}
TIED = np.array([[1.0, 1.0, 0.0], [2.0, -3.0, 2.0]])


def slope(node: Expr, k: int = 0) -> Expr:
    assert isinstance(node, Apply)
    return node.op.vjp(Number(1, node.shape), node, node.args, node.attrs)[k]


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("axis", [None, 0, 1])
def test_entries_that_tie_share_the_slope_equally(name: str, axis: int | None) -> None:
    at = TIED if name == "max" else -TIED
    node = Apply(TABLE[name], (X,), (axis,))
    found = Evaluator({X: at}, SIZES).value(slope(node))
    oracle = autograd.grad(lambda x: anp.sum(getattr(anp, name)(x, axis=axis)))(at)
    np.testing.assert_allclose(found, oracle)


@pytest.mark.parametrize("build", [maximum, minimum])
def test_of_two_that_tie_the_second_takes_the_slope(build: object) -> None:
    assert callable(build)
    node, same = build(a, b), np.array([[0.5], [-1.0]])
    point = Evaluator({a: same, b: same}, SIZES)
    assert not point.value(slope(node, 0)).any()
    assert point.value(slope(node, 1)).all()


def test_the_larger_of_a_number_and_zero_is_the_rectifier() -> None:
    assert maximum(a, Number(0)) is relu(a)
    assert maximum(Number(0), a) is relu(a)


def test_the_reason_states_the_convention() -> None:
    assert "share it equally" in TABLE["max"].because
    assert "the second one does" in TABLE["maximum"].because


def test_marks_and_extremes_agree_in_exact_arithmetic() -> None:
    """Any order will do modulo a prime, as long as it is one order."""
    words = np.array([[5, PRIME - 5, 7], [1, 2, 2]], dtype=np.int64)
    point = Evaluator({X: Residues(words)}, SIZES, MODULAR)
    picked = reduce_sum(argmax(X, 1) * X, 1)
    difference = point.value(picked) - point.value(reduce_max(X, 1))
    assert not difference.words.any()


def test_inverses_are_exact_modulo_a_prime() -> None:
    rng = np.random.default_rng(1)
    square = Symbol("Q", ("n", "n"))
    point = Evaluator({square: Residues(rng.integers(1, PRIME, (5, 5)))}, {"n": 5}, MODULAR)
    product = point.value(matmul(square, inverse(square)))
    np.testing.assert_array_equal(product.words, np.eye(5, dtype=np.int64))
    singular = Evaluator({square: Residues(np.ones((5, 5), dtype=np.int64))}, {"n": 5}, MODULAR)
    assert not singular.value(Apply(TABLE["det"], (square,))).words.any()
    with pytest.raises(ZeroDivisionError):
        singular.value(inverse(square))


def test_the_identity_multiplies_away() -> None:
    assert matmul(eye("n"), X) is X
    assert matmul(X, eye("m")) is X
    assert transpose(eye("n")) is eye("n")
    assert inverse(inverse(Symbol("Q", ("n", "n")))) is Symbol("Q", ("n", "n"))


def test_softmax_holds_far_out() -> None:
    scores = np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]])
    with np.errstate(all="raise", under="ignore"):
        found = Evaluator({X: scores}, SIZES).value(softmax(X, 1))
    np.testing.assert_allclose(found, np.array([[1, 0, 0], [1 / 3, 1 / 3, 1 / 3]]))
