"""Polynomials over atoms: the normal form behind expanding and collecting."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import prod
from typing import TypeAlias

from chainrule.calculus.graph.node import Apply, Expr, Number, symbols, walk
from chainrule.calculus.ops import TABLE, add, mul, neg, power
from chainrule.calculus.ops.elementwise import is_reciprocal

Monomial: TypeAlias = frozenset[tuple[Expr, int]]
Polynomial: TypeAlias = Mapping[Monomial, Fraction]
"""Coefficients by monomial, in order of first appearance."""

ONE: Monomial = frozenset()

HIGHEST = 8
"""A sum to a higher power stays closed."""

LARGEST = 400
"""More terms than this are no longer expanded: nobody would read them."""


def polynomial(expr: Expr) -> dict[Monomial, Fraction]:
    """Expand an elementwise expression into a polynomial over its atoms.

    Everything that is not a sum, a product, a sign or a natural power is an atom.

    Raises
    ------
    OverflowError
        When the expansion has more than `LARGEST` terms.
    """
    if isinstance(expr, Number):
        return {ONE: expr.value} if expr.value else {}
    if isinstance(expr, Apply):
        if expr.op is TABLE["add"]:
            return _sum([polynomial(arg) for arg in expr.args])
        if expr.op is TABLE["neg"]:
            return {m: -c for m, c in polynomial(expr.args[0]).items()}
        if expr.op is TABLE["mul"]:
            return _product([polynomial(arg) for arg in expr.args])
        if _has_constant_below(expr):
            below: Monomial = frozenset({(1 / expr.args[1], 1)})
            return _product([polynomial(expr.args[0]), {below: Fraction(1)}])
        if expr.op is TABLE["power"]:
            exponent = expr.attrs[0]
            if exponent.denominator == 1 and exponent > 0:
                base = polynomial(expr.args[0])
                if exponent <= HIGHEST or len(base) <= 1:
                    return _product([base] * int(exponent))
    return {frozenset({(expr, 1)}): Fraction(1)}


def written_out(poly: Polynomial, like: Expr) -> Expr:
    """Turn a polynomial into a sum, a positive term first, its letters in the order of `like`."""
    order = {node: place for place, node in enumerate(walk(like))}
    kept = {monomial: c for monomial, c in poly.items() if c}
    if not kept:
        return Number(0)
    # What stands below every term stands below the sum: (a - y)/m.
    common = frozenset.intersection(*kept)
    below = frozenset(pair for pair in common if is_reciprocal(pair[0]))
    terms = [(c, _monomial(monomial - below, order)) for monomial, c in kept.items()]
    terms.sort(key=lambda term: term[0] < 0)
    return mul(add(*(mul(Number(c), body) for c, body in terms)), _monomial(below, order))


def monomials(expr: Expr) -> list[Expr]:
    """Expand without collecting: the terms as they fall out."""
    if isinstance(expr, Apply):
        if expr.op is TABLE["add"]:
            return [term for arg in expr.args for term in monomials(arg)]
        if expr.op is TABLE["neg"]:
            return [neg(term) for term in monomials(expr.args[0])]
        if expr.op is TABLE["mul"]:
            products: list[Expr] = [Number(1)]
            for arg in expr.args:
                parts = monomials(arg)
                if len(products) * len(parts) > LARGEST:
                    raise OverflowError("too many terms to expand")
                products = [mul(left, right) for left in products for right in parts]
            return products
        if _has_constant_below(expr):
            return [part / expr.args[1] for part in monomials(expr.args[0])]
    return [expr]


def count_of_monomials(expr: Expr) -> int:
    """Return the number of terms that `monomials` gives."""
    if isinstance(expr, Apply):
        if expr.op is TABLE["add"]:
            return sum(count_of_monomials(arg) for arg in expr.args)
        if expr.op is TABLE["mul"]:
            return prod(count_of_monomials(arg) for arg in expr.args)
        if expr.op is TABLE["neg"] or _has_constant_below(expr):
            return count_of_monomials(expr.args[0])
    return 1


def _has_constant_below(expr: Apply) -> bool:
    """Whether an expression is divided by a number or a size."""
    return expr.op is TABLE["div"] and not symbols(expr.args[1])


def _monomial(monomial: Monomial, order: Mapping[Expr, int]) -> Expr:
    pairs = sorted(monomial, key=lambda pair: order.get(pair[0], len(order)))
    return mul(Number(1), *(power(atom, exponent) for atom, exponent in pairs))


def _sum(polys: list[dict[Monomial, Fraction]]) -> dict[Monomial, Fraction]:
    total: dict[Monomial, Fraction] = {}
    for poly in polys:
        for monomial, c in poly.items():
            total[monomial] = total.get(monomial, Fraction(0)) + c
    return {m: c for m, c in total.items() if c}


def _product(polys: list[dict[Monomial, Fraction]]) -> dict[Monomial, Fraction]:
    result: dict[Monomial, Fraction] = {ONE: Fraction(1)}
    for poly in polys:
        if len(result) * len(poly) > LARGEST:
            raise OverflowError("too many terms to expand")
        new: dict[Monomial, Fraction] = {}
        for m1, c1 in result.items():
            for m2, c2 in poly.items():
                key = _merged(m1, m2)
                new[key] = new.get(key, Fraction(0)) + c1 * c2
        result = new
    return {m: c for m, c in result.items() if c}


def _merged(a: Monomial, b: Monomial) -> Monomial:
    exponents = dict(a)
    for atom, k in b:
        exponents[atom] = exponents.get(atom, 0) + k
    return frozenset(exponents.items())
