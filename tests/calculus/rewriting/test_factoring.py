"""Polynomials divide, share factors and fall into factors, whatever they were multiplied from."""

from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chainrule.calculus.rewriting.factoring import (
    Poly,
    TooLarge,
    common,
    divided,
    exactly,
    factored,
    number_in_front,
    plus,
    primitive,
    scaled,
    square_root,
    times,
)

ONE: Poly = {(0, 0): 1}
POLYS = st.dictionaries(
    st.tuples(st.integers(0, 2), st.integers(0, 2)), st.sampled_from([-3, -1, 1, 2]), max_size=4
).filter(bool)


@settings(max_examples=150)
@given(POLYS, POLYS)
def test_dividing_undoes_multiplying(p: Poly, q: Poly) -> None:
    assert exactly(times(p, q), q) == p
    quotient, rest = divided(p, q)
    assert plus(times(quotient, q), rest) == p


@settings(max_examples=150)
@given(POLYS, POLYS, POLYS)
def test_what_is_shared_is_found(p: Poly, q: Poly, g: Poly) -> None:
    try:
        shared = common(times(p, g), times(q, g))
    except TooLarge:
        assume(False)
    assert exactly(shared, primitive(g)) is not None
    assert exactly(times(p, g), shared) is not None
    assert exactly(times(q, g), shared) is not None


@settings(max_examples=150)
@given(POLYS, POLYS)
def test_factors_multiply_back(p: Poly, q: Poly) -> None:
    product = times(p, q)
    try:
        factors = factored(product)
    except TooLarge:
        assume(False)
    again = reduce(times, (f for f, count in factors for _ in range(count)), ONE)
    assert scaled(again, number_in_front(product)) == product


def test_the_number_in_front_may_be_any_fraction() -> None:
    assert primitive({(1,): -6, (0,): 4}) == {(1,): 3, (0,): -2}


@settings(max_examples=100)
@given(POLYS)
def test_a_square_has_its_root(p: Poly) -> None:
    root = square_root(times(p, p))
    assert root in (p, scaled(p, -1))


X: Poly = {(1, 0): 1}
Y: Poly = {(0, 1): 1}


@pytest.mark.parametrize(
    ("parts", "count"),
    [
        ([plus(X, Y), plus(X, scaled(Y, -1))], 2),
        ([plus(X, ONE)] * 3, 3),
        ([X, X, plus(X, Y), plus(ONE, scaled(X, -1))], 4),
        ([plus(times(X, Y), ONE), plus(X, Y)], 2),
        ([plus(X, ONE), plus(X, scaled(ONE, 2)), plus(X, scaled(ONE, 3))], 3),
        ([plus(times(X, X), ONE)], 1),
    ],
)
def test_as_many_factors_as_were_multiplied(parts: list[Poly], count: int) -> None:
    assert sum(e for _, e in factored(reduce(times, parts))) == count
