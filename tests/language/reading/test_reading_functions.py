"""The words for functions along an axis, of square matrices, of two and of three."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chainrule.calculus.graph.model import OneHot
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.ops import (
    apply,
    argmax,
    cross_entropy,
    det,
    diag,
    eye,
    inverse,
    log_softmax,
    logdet,
    logsumexp,
    maximum,
    minimum,
    outer,
    reduce_max,
    reduce_min,
    softmax,
    trace,
    transpose,
    variance,
    where,
)
from chainrule.calculus.ops.functions import COS, SIN, STEP
from chainrule.errors import ParseError
from chainrule.language.reading import read_model
from chainrule.language.reading.expressions import read_expression
from chainrule.language.typeset import latex, plain, unicode
from chainrule.language.typeset.mathml import mathml

X, Y, Q = Symbol("X", ("n", "m")), Symbol("Y", ("n", "m")), Symbol("Q", ("n", "n"))
a, b = Symbol("a", ("n", 1)), Symbol("b", ("n", 1))
SCOPE = {s.name: s for s in (X, Y, Q, a, b)}

READ: list[tuple[str, Callable[[], Expr]]] = [
    ("max(X)", lambda: reduce_max(X)),
    ("max(X, axis=0)", lambda: reduce_max(X, 0)),
    ("np.min(X, axis=-1)", lambda: reduce_min(X, 1)),
    ("argmax(X, axis=0)", lambda: argmax(X, 0)),
    ("max(a, b)", lambda: maximum(a, b)),
    ("np.maximum(X, Y)", lambda: maximum(X, Y)),
    ("minimum(a, b)", lambda: minimum(a, b)),
    ("softmax(X, axis=0)", lambda: softmax(X, 0)),
    ("softmax(a)", lambda: softmax(a)),
    ("log_softmax(X, axis=1)", lambda: log_softmax(X, 1)),
    ("logsumexp(X, axis=0)", lambda: logsumexp(X, 0)),
    ("cross_entropy(Y, X)", lambda: cross_entropy(Y, X)),
    ("var(X, axis=1)", lambda: variance(X, 1)),
    ("variance(a, ddof=1)", lambda: variance(a, None, 1)),
    ("trace(Q)", lambda: trace(Q)),
    ("tr(Q)", lambda: trace(Q)),
    ("diag(a)", lambda: diag(a)),
    ("diag(Q)", lambda: diag(Q)),
    ("outer(a, b)", lambda: outer(a, b)),
    ("eye(n)", lambda: eye("n")),
    ("eye(3)", lambda: eye(3)),
    ("inv(Q)", lambda: inverse(Q)),
    ("Q^-1", lambda: inverse(Q)),
    ("Q^{-1}", lambda: inverse(Q)),
    ("(Q^-1)^T", lambda: transpose(inverse(Q))),
    ("det(Q)", lambda: det(Q)),
    ("logdet(Q)", lambda: logdet(Q)),
    ("where([X > 0], X, Y)", lambda: where(apply(STEP, X), X, Y)),
    ("sin(a)", lambda: apply(SIN, a)),
    (r"\cos(a)", lambda: apply(COS, a)),
]


@pytest.mark.parametrize(("text", "meant"), READ, ids=[text for text, _ in READ])
def test_a_word_means_its_function(text: str, meant: Callable[[], Expr]) -> None:
    assert read_expression(text, SCOPE) is meant()


@pytest.mark.parametrize(("text", "meant"), READ, ids=[text for text, _ in READ])
def test_what_is_written_reads_back(text: str, meant: Callable[[], Expr]) -> None:
    expr = meant()
    assert read_expression(plain(expr), SCOPE) is expr
    assert latex(expr)
    assert unicode(expr)
    assert mathml(expr)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("softmax(X)", "goes along an axis"),
        ("trace(X)", "of a square matrix: (n, m) is not square"),
        ("inv(X)", "not square"),
        ("outer(X, a)", "takes two vectors"),
        ("outer(a)", "takes 2 arguments, as in outer(a, b)"),
        ("where(a, b)", "takes 3 arguments"),
        ("max(X, Q, a)", "max takes one argument and an axis"),
        ("maximum(X)", "takes two arguments"),
        ("min(X, Q)", "do not meet entry by entry"),
        ("variance(X, ddof=2)", "ddof is 0"),
        ("sum(X, ddof=1)", "has no option ddof; it has axis"),
        ("eye(q)", "a size is a whole number, the name of a dimension, or computed"),
    ],
)
def test_what_cannot_be_meant_says_so(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_expression(text, SCOPE)
    assert said in caught.value.message


def test_a_declared_name_is_no_function() -> None:
    model = read_model("det : (1, 1)\nvar : (1, 1)\nL = det var")
    assert [s.name for s in model.inputs] == ["det", "var"]


@pytest.mark.parametrize(
    ("expr", "wanted"),
    [
        (maximum(a, b), "max(a, b)"),
        (transpose(inverse(Q)), "Q⁻ᵀ"),
        (eye("n"), "I(n)"),
        (softmax(X, 0), "softmax(X, axis=0)"),
    ],
)
def test_how_they_look(expr: Expr, wanted: str) -> None:
    assert unicode(expr) == wanted


FORWARD = "Z : (k, m)\nY : (k, m)\nP = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))\n"


def test_labels_are_declared_one_hot() -> None:
    model = read_model(FORWARD + "onehot: Y")
    assert model.onehot == (OneHot(model.symbol("Y"), 0),)
    assert read_model(FORWARD).onehot == ()
    assert read_model(FORWARD + "onehot: Y^T").onehot[0].axis == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("onehot: P", "P is a definition; only inputs are declared one-hot"),
        ("onehot: y", "write onehot: y^T"),
        ("onehot: Q", "unknown name Q"),
    ],
)
def test_a_wrong_declaration_says_so(line: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model("y : (1, m)\n" + FORWARD + line)
    assert said in caught.value.message
