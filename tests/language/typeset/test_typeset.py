"""What is written reads back to the same value; brackets balance in every medium."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.derivations import verified

from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import Index, Shape, measured
from chainrule.calculus.graph.node import Expr, Number, Partial, Symbol, Total, entry
from chainrule.calculus.ops import (
    absolute,
    add,
    broadcast,
    div,
    exp,
    mul,
    neg,
    norm,
    power,
    reduce_mean,
    reduce_sum,
    relu,
    sigmoid,
    size,
    softplus,
    sqrt,
    squared_norm,
    tanh,
    transpose,
)
from chainrule.calculus.ops.elementary import zero_mask
from chainrule.calculus.ops.functions import STEP, apply
from chainrule.errors import ParseError
from chainrule.language.reading import example_names, load_model, read_expression
from chainrule.language.typeset import latex, plain, spoken, unicode
from chainrule.language.typeset.names import name_parts

SIZES = {"n": 3, "m": 4}
NAMES = [
    Symbol(name, shape)
    for name, shape in (
        ("X", ("n", "m")),
        ("D", ("n", "m")),
        ("W", ("m", "n")),
        ("Q", ("n", "n")),
        ("v", ("n", 1)),
        ("r", (1, "m")),
        ("c", (1, 1)),
        ("T", (1, 1)),
    )
]
SCOPE = {symbol.name: symbol for symbol in NAMES}
WRAPS: list[Callable[[Expr], Expr]] = [
    neg,
    transpose,
    exp,
    sigmoid,
    tanh,
    relu,
    softplus,
    absolute,
    lambda e: power(e, 2),
    lambda e: power(e, 3),
    lambda e: power(e, Fraction(1, 2)),
    lambda e: sqrt(e),
    reduce_sum,
    lambda e: reduce_sum(e, 0),
    lambda e: reduce_sum(e, 1),
    reduce_mean,
    squared_norm,
    norm,
    lambda e: mul(Number(Fraction(2, 3)), e),
    lambda e: add(e, Number(-2)),
    lambda e: div(Number(1), e),
    lambda e: apply(STEP, e),
    lambda e: 1 - apply(STEP, e),
    lambda e: zero_mask(e),
]
JOINS: list[Callable[[Expr, Expr], Expr]] = [
    add,
    lambda a, b: add(a, neg(b)),
    mul,
    div,
    lambda a, b: a @ b,
    lambda a, b: div(neg(a), b),
    lambda a, b: mul(a, div(b, a)),
]


def fits(a: Shape, b: Shape) -> bool:
    """Entry by entry the language lets one side repeat, not both."""
    wide = tuple(q if p == 1 else p for p, q in zip(a, b, strict=True))
    return wide in (a, b) and all(p in (1, w) for p, w in zip(b, wide, strict=True))


@st.composite
def expressions(draw: st.DrawFn, depth: int = 4) -> Expr:
    expr: Expr = draw(st.sampled_from(NAMES))
    for _ in range(draw(st.integers(1, depth))):
        if draw(st.booleans()):
            expr = draw(st.sampled_from(WRAPS))(expr)
            continue
        other: Expr = draw(st.sampled_from(NAMES))
        if depth > 2 and draw(st.booleans()):
            other = draw(expressions(depth=2))
        pair = (expr, other) if draw(st.booleans()) else (other, expr)
        products = [lambda a, b: a @ b] if pair[0].shape[1] == pair[1].shape[0] else []
        meets = [j for j in JOINS if j is not JOINS[4]] if fits(*(e.shape for e in pair)) else []
        joins = [*products, *meets]
        if joins:
            expr = draw(st.sampled_from(joins))(*pair)
    return expr


def value(expr: Expr) -> Any:
    rng = np.random.default_rng(2)
    values = {s: rng.uniform(0.5, 1.5, [measured(d, SIZES) for d in s.shape]) for s in NAMES}
    with np.errstate(all="ignore"):
        return np.asarray(Evaluator(values, SIZES, FLOATS).value(expr))


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(expressions())
def test_what_is_written_reads_back(expr: Expr) -> None:
    text = plain(expr)
    try:
        back = read_expression(text, SCOPE)
    except ParseError as refused:  # a column plus a row asks back; it is never misread
        if "would have to be repeated" not in str(refused):
            raise
        return
    assert back.shape in (expr.shape, (1, 1))
    a, b = value(expr), value(back)
    np.testing.assert_allclose(np.broadcast_to(b, a.shape), a, rtol=1e-9, err_msg=text)


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_brackets_balance_everywhere(expr: Expr) -> None:
    for text in (plain(expr), unicode(expr), latex(expr)):
        assert balanced(text, "()")
        assert balanced(text, "{}")
    assert latex(expr).count(r"\left") == latex(expr).count(r"\right")
    assert r"^{2}^" not in latex(expr)
    assert "^{" not in latex(expr).replace("}^{", "|", 1) or latex(expr).count("{") > 0


def balanced(text: str, pair: str) -> bool:
    depth = 0
    for character in text:
        depth += (character == pair[0]) - (character == pair[1])
        if depth < 0:
            return False
    return depth == 0


def double_script(text: str) -> bool:
    """Whether TeX would stop at ``Double superscript``: two raised pieces on one base."""
    at = 0
    while at < len(text):
        if text[at] == "^":
            end = close_of(text, at + 1)
            if end < len(text) and text[end] == "^":
                return True
            if end < len(text) and text[end] == "_":
                after = close_of(text, end + 1)
                if after < len(text) and text[after] == "^":
                    return True
        at += 1
    return False


def close_of(text: str, start: int) -> int:
    if text[start] != "{":
        return start + 1
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] == "{") - (text[at] == "}")
        if depth == 0:
            return at + 1
    raise AssertionError(f"a brace stays open in {text}")


@settings(max_examples=300, deadline=None)
@given(expressions())
def test_tex_meets_no_double_superscript(expr: Expr) -> None:
    assert not double_script(latex(expr)), latex(expr)


@pytest.mark.parametrize("name", example_names())
def test_every_line_of_every_example_is_sound_tex(name: str) -> None:
    for step in verified(load_model(name)):
        for side in (step.left, step.before, step.after):
            text = latex(side)
            assert balanced(text, "{}")
            assert balanced(text, "()")
            assert text.count(r"\left") == text.count(r"\right")
            assert not double_script(text), text
            assert text.isascii()


X, W, Q, v, r, c = (SCOPE[name] for name in ("X", "W", "Q", "v", "r", "c"))
y = Symbol("y")
i, p = Index("i", "m"), Index("p", "n")

WRITTEN: list[tuple[Expr, str, str]] = [
    (r @ X.T, "r X^T", r"r\,X^{\top}"),
    ((r + c) @ X.T, "(r + c) X^T", r"(r + c)\,X^{\top}"),
    (-(r @ X.T), "-r X^T", r"-r\,X^{\top}"),
    (c - (y - c), "c - (y - c)", "c - (y - c)"),
    (c - (y + c) * y, "c - (y + c) y", r"c - (y + c)\,y"),
    ((c / y) / c, "(c/y)/c", r"\frac{\frac{c}{y}}{c}"),
    (c / (y / c), "c/(y/c)", r"\frac{c}{\frac{y}{c}}"),
    (c / (y * c), "c/(y c)", r"\frac{c}{y\,c}"),
    ((c * y) / c, "c y/c", r"\frac{c\,y}{c}"),
    (c * (y / c), "c (y/c)", r"c\,\frac{y}{c}"),
    ((-c) ** 2, "(-c)^2", "(-c)^{2}"),
    (-(c**2), "-c^2", "-c^{2}"),
    ((c + y) ** 2, "(c + y)^2", "(c + y)^{2}"),
    ((c**2) ** 3, "(c^2)^3", ""),
    (squared_norm(v) ** 3, "(norm(v)^2)^3", ""),
    ((X**2).T, "(X^2)^T", ""),
    (X.T**2, "(X^T)^2", ""),
    ((Q @ Q).T, "(Q Q)^T", r"(Q\,Q)^{\top}"),
    (Q @ (Q @ Q), "Q Q Q", ""),
    (X * (Q @ X), "X .* Q X", r"X \odot Q\,X"),
    ((X * X) @ W, "(X .* X) W", r"(X \odot X)\,W"),
    (X * (X + X * X), "X .* (X + X .* X)", ""),
    (power(c, Fraction(1, 2)), "c^(1/2)", ""),
    (power(c, -2), "c^(-2)", "c^{-2}"),
    (mul(Number(Fraction(1, 2)), c), "(1/2) c", r"\tfrac{1}{2}\,c"),
    (reduce_sum(X, 0), "sum(X, axis=0)", ""),
    (X @ Number(1, ("m", 1)), "X 1", r"X\,\mathbf{1}"),
    (size("n") * c, "n c", r"n\,c"),
    (X + broadcast(c, X.shape), "X + c", "X + c"),
    (Total(i, entry(r, None, i) + 1), "sum_i (r_i + 1)", r"\sum_{i=1}^{m} (r_{i} + 1)"),
    (Total(i, entry(r, None, i)) + 1, "sum_i r_i + 1", ""),
    (2 * Total(i, entry(r, None, i)), "2 (sum_i r_i)", ""),
    (Partial(y, entry(r, None, i)), "dy/dr_i", r"\frac{\partial y}{\partial r_{i}}"),
]


@pytest.mark.parametrize(("expr", "text", "tex"), WRITTEN, ids=lambda x: str(x)[:24])
def test_brackets_where_a_reader_needs_them(expr: Expr, text: str, tex: str) -> None:
    written = plain(expr)
    if "(" not in text or " (" not in text:
        assert written == text
    else:
        assert written.replace(" (", "(") == text.replace(" (", "(")
    if tex:
        assert latex(expr) == tex


def test_a_sum_in_front_of_a_term_takes_brackets() -> None:
    """``sum_i r_i + 1`` must not be ``sum_i (r_i + 1)``."""
    one = plain(Total(i, entry(r, None, i)) + 1)
    other = plain(Total(i, entry(r, None, i) + 1))
    assert one != other


def test_a_row_of_ones_reads_back() -> None:
    expr = read_expression("1^T X", SCOPE)
    assert read_expression(plain(expr), SCOPE) is expr


@pytest.mark.parametrize(
    ("name", "text", "tex"),
    [
        ("yhat", "y\u0302", r"\hat{y}"),
        ("W^[2]", "W^[2]", "W^{[2]}"),
        ("b_1", "b_1", "b_{1}"),
        ("x1", "x1", "x_{1}"),
        ("lambda", "λ", r"\lambda"),
        ("x'", "x'", "x'"),
        ("loss", "loss", r"\mathit{loss}"),
        ("zbar", "z\u0304", r"\bar{z}"),
    ],
)
def test_names(name: str, text: str, tex: str) -> None:
    assert unicode(Symbol(name)) == text
    assert latex(Symbol(name)) == tex


@pytest.mark.parametrize("name", ["", "_", "^[1]", "hat", "x_", "a__b", "\\hat{y}_1", "Ŵ"])
def test_odd_names_do_not_break_the_setter(name: str) -> None:
    parts = name_parts(name)
    assert isinstance(parts.unicode(), str)
    assert balanced(latex(Symbol(name)), "{}")


@pytest.mark.parametrize(
    ("text", "typed", "printed", "said"),
    [
        ("[X - D > 0]", "[X > D]", "[X > D]", "the mask where X is greater than D"),
        ("1 - [X > D]", "[X <= D]", "[X ≤ D]", "the mask where X is at most D"),
        ("[X < c]", "[c > X]", "[c > X]", "the mask where c is greater than X"),
        ("[X >= c + 1]", "[c + 1 <= X]", "[c + 1 ≤ X]", "the mask where c plus 1 is at most X"),
        ("[X > 1/2]", "[X > 1/2]", "[X > 1/2]", "the mask where X is greater than 1 over 2"),
        ("[X != D]", "[X != D]", "[X ≠ D]", "the mask where X differs from D"),
        ("[X <= 0]", "[X <= 0]", "[X ≤ 0]", "the mask where X is at most 0"),
        ("[X - D - c > 0]", "[X - D - c > 0]", "[X - D - c > 0]",
         "the mask of positive X minus D minus c"),
        ("2 - [X > D]", "2 - [X > D]", "2 - [X > D]", "2 minus the mask where X is greater than D"),
    ],
)  # fmt: skip
def test_a_mask_is_written_as_a_comparison(text: str, typed: str, printed: str, said: str) -> None:
    mask = read_expression(text, SCOPE)
    assert (plain(mask), unicode(mask), spoken(mask)) == (typed, printed, said)
    assert read_expression(typed, SCOPE) is mask
