"""Simplification keeps the value, shortens, and ends; exact fractions are the judge."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, Total, entry
from chainrule.calculus.ops import TABLE, add, div, exp, mul, neg, power
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.polynomial import polynomial, written_out
from chainrule.calculus.rewriting.rule import identity, match
from chainrule.calculus.rewriting.shortening import CANCEL, RULES
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.language.typeset import plain

a, b, c = (Symbol(name) for name in "abc")
ATOMS = (a, b, c)
POINTS: tuple[dict[Expr, Fraction], ...] = tuple(
    {a: Fraction(p), b: Fraction(q), c: Fraction(r)}
    for p, q, r in (("3/7", "-5/3", "11/2"), ("-13/5", "7/11", "2/9"), ("17", "19/4", "-23/6"))
)


def exact(expr: Expr, point: Mapping[Expr, Fraction]) -> Fraction:
    """Evaluate by the arithmetic of fractions, written here; a zero below raises."""
    if expr in point:
        return point[expr]
    if isinstance(expr, Number):
        return expr.value
    assert isinstance(expr, Apply)
    values = [exact(arg, point) for arg in expr.args]
    match expr.op.name:
        case "add":
            return sum(values, Fraction(0))
        case "neg":
            return -values[0]
        case "mul":
            result = Fraction(1)
            for value in values:
                result *= value
            return result
        case "div":
            return values[0] / values[1]
        case "power":
            return Fraction(values[0] ** int(expr.attrs[0]))
    raise AssertionError(expr)


def rational(leaf: st.SearchStrategy[Expr], *, fractions: bool) -> st.SearchStrategy[Expr]:
    def larger(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
        options = [
            st.lists(inner, min_size=2, max_size=3).map(lambda xs: add(*xs)),
            st.lists(inner, min_size=2, max_size=3).map(lambda xs: mul(*xs)),
            inner.map(neg),
            st.tuples(inner, st.integers(2, 3)).map(lambda pair: power(*pair)),
        ]
        if fractions:
            below = st.one_of(leaf.filter(lambda e: not isinstance(e, Number)), inner)
            options += [st.tuples(inner, below).map(lambda pair: div(*pair))] * 2
        return st.one_of(options)

    return st.recursive(leaf, larger, max_leaves=7)


LEAVES = st.one_of(st.sampled_from(ATOMS), st.integers(-3, 3).map(Number))
RATIONALS = rational(LEAVES, fractions=True)
POLYNOMIALS = rational(LEAVES, fractions=False)


@settings(max_examples=250, deadline=None)
@given(RATIONALS)
def test_simplifying_keeps_the_value_and_never_lengthens(expr: Expr) -> None:
    short, fired = simplify(expr)
    assert display_cost(short) <= display_cost(expr)
    forms = [expr, *(form for step in fired for form in (step.before, step.after)), short]
    for point in POINTS:
        try:
            value = exact(expr, point)
        except ZeroDivisionError:
            continue
        for form in forms:
            assert exact(form, point) == value


@settings(max_examples=250, deadline=None)
@given(RATIONALS)
def test_simplifying_twice_is_simplifying_once(expr: Expr) -> None:
    short, _ = simplify(expr)
    assert simplify(short) == (short, [])


@settings(max_examples=200, deadline=None)
@given(RATIONALS)
def test_the_trace_is_one_unbroken_chain(expr: Expr) -> None:
    short, fired = simplify(expr)
    if not fired:
        assert short is expr
        return
    for one, other in pairwise(fired):
        assert other.before is one.after
    assert fired[0].before is expr
    assert fired[-1].after is short


@settings(max_examples=250, deadline=None)
@given(POLYNOMIALS, POLYNOMIALS)
def test_the_normal_form_decides_equality(one: Expr, other: Expr) -> None:
    difference = polynomial(add(one, neg(other)))
    same_form = polynomial(one) == polynomial(other)
    assert same_form == (not difference)
    everywhere = all(exact(one, p) == exact(other, p) for p in POINTS)
    assert same_form <= everywhere
    if not same_form:
        # Degree at most 3^7 in each name: a random point tells two polynomials apart.
        far: dict[Expr, Fraction] = {
            a: Fraction(10**40 + 7),
            b: Fraction(10**60 + 9),
            c: Fraction(10**80 + 3),
        }
        assert exact(one, far) != exact(other, far)


@settings(max_examples=200, deadline=None)
@given(POLYNOMIALS)
def test_a_polynomial_written_out_has_its_value_and_its_normal_form(expr: Expr) -> None:
    out = written_out(polynomial(expr), expr)
    assert polynomial(out) == polynomial(expr)
    assert all(exact(out, p) == exact(expr, p) for p in POINTS)


def test_the_lecture_s_product_in_four_named_steps() -> None:
    y = b
    start = mul(add(neg(div(y, a)), div(1 - y, 1 - a)), a, 1 - a)
    short, fired = simplify(start)
    assert [step.rule.name for step in fired] == ["distribute", "cancel", "expand", "collect"]
    assert [plain(step.after) for step in fired] == [
        "-(b/a) a(1 - a) + ((1 - b)/(1 - a)) a(1 - a)",
        "-b(1 - a) + (1 - b) a",
        "-b + b a + a - b a",
        "a - b",
    ]
    assert short is a - b


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        (mul(div(b, mul(a, a)), a), "b/a"),
        (mul(div(b, mul(a, a)), a, a), "b"),
        (mul(div(mul(a, b), mul(a, a)), a), "b"),
        (div(mul(a, b), a), "b"),
        (div(neg(mul(a, b)), a), "-b"),
        (add(a, b, neg(a)), "b"),
        (add(a, neg(a)), "0"),
        (add(mul(2, a), mul(3, a)), "5 a"),
        (mul(1 - a, a), "(1 - a) a"),
        (a - mul(a, a), "a(1 - a)"),
        (mul(power(a - b, 2), 2), "2(a - b)^2"),
    ],
)
def test_short_forms(expr: Expr, expected: str) -> None:
    assert plain(simplify(expr)[0]) == expected


def test_the_same_product_again_takes_one_step() -> None:
    start = mul(add(neg(div(b, a)), div(1 - b, 1 - a)), a, 1 - a)
    known: dict[Expr, Expr] = {}
    _, first = simplify(start, known)
    short, second = simplify(start, known)
    assert len(first) == 4
    assert [step.rule.name for step in second] == ["as before"]
    assert short is a - b


def test_matrices_keep_their_shape() -> None:
    X, Y = Symbol("X", ("n", "m")), Symbol("Y", ("n", "m"))
    for expr in (div(X, X), X - X, div(mul(X, Y), X), add(X, Y, neg(X)), div(mul(X, X), mul(X, X))):
        short, fired = simplify(expr)
        assert short.shape == X.shape
        assert all(step.after.shape == X.shape for step in fired)


def test_below_sums_and_term_by_term() -> None:
    X = Symbol("X", (1, "m"))
    i = Index("i", "m")
    x = entry(X, None, i)
    short, fired = simplify(Total(i, mul(div(b, x), x)) + Total(i, mul(div(a, x), x)))
    assert short is Total(i, b) + Total(i, a)
    assert [step.rule.name for step in fired] == ["cancel", "cancel"]


def test_too_many_terms_stay_closed() -> None:
    wide = [add(*(Symbol(f"s{k}_{j}") for j in range(8))) for k in range(6)]
    product = mul(*wide)
    assert simplify(product)[0] is product
    with pytest.raises(OverflowError):
        polynomial(product)


def test_every_rule_says_why() -> None:
    for rule in RULES:
        assert len(rule.because.split()) >= 4
    assert CANCEL.becomes(a + b) is None


# ---- patterns ------------------------------------------------------------------------------------

u, v = Symbol("?u"), Symbol("?v")


def test_matching_binds_wildcards_in_any_order() -> None:
    pattern = add(mul(u, v), u)
    assert match(pattern, add(a, mul(b, a))) == {u: a, v: b}
    assert match(pattern, add(a, mul(b, c))) is None
    assert match(div(u, v), div(a, b)) == {u: a, v: b}
    assert match(div(u, u), div(a, b)) is None
    assert match(power(u, 2), power(a, 3)) is None
    assert match(power(u, 2), power(exp(a), 2)) == {u: exp(a)}
    assert match(Number(1), Number(1)) == {}
    assert match(Number(1), Number(2)) is None
    assert match(a, a) == {}
    assert match(a, b) is None


def test_an_identity_rewrites_whole_and_within() -> None:
    rule = identity("difference", add(u, neg(u)), Number(0), "a thing less itself is nothing")
    assert rule.becomes(add(a, neg(a))) is Number(0)
    assert rule.becomes(add(b, a, neg(b), c)) is add(a, c)
    assert rule.becomes(add(b, a)) is None
    assert rule.becomes(mul(a, b)) is None


def test_an_identity_of_unequal_arity_does_not_fire() -> None:
    rule = identity("swap", div(u, v), div(v, u), "wrong on purpose")
    assert rule.becomes(div(a, b)) is div(b, a)
    assert rule.becomes(Apply(TABLE["neg"], (div(a, b),))) is None
