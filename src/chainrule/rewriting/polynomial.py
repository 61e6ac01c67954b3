"""Polynomials over atoms: the normal form behind expanding and collecting."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TypeAlias

from chainrule.graph.node import Apply, Expr, Number
from chainrule.ops import TABLE, add, mul, neg, power

Monomial: TypeAlias = tuple[tuple[Expr, int], ...]
Polynomial: TypeAlias = Mapping[Monomial, Fraction]
"""Coefficients by monomial, in order of first appearance."""

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
        return {(): expr.value} if expr.value else {}
    if isinstance(expr, Apply):
        if expr.op is TABLE["add"]:
            return _sum([polynomial(arg) for arg in expr.args])
        if expr.op is TABLE["neg"]:
            return {m: -c for m, c in polynomial(expr.args[0]).items()}
        if expr.op is TABLE["mul"]:
            return _product([polynomial(arg) for arg in expr.args])
        if expr.op is TABLE["power"]:
            exponent = expr.attrs[0]
            if exponent.denominator == 1 and 0 < exponent <= 8:
                return _product([polynomial(expr.args[0])] * int(exponent))
    return {((expr, 1),): Fraction(1)}


def written_out(poly: Polynomial) -> Expr:
    """Turn a polynomial into a sum, a positive term first."""
    terms = [(c, _monomial(m)) for m, c in poly.items() if c]
    terms.sort(key=lambda term: term[0] < 0)
    return add(*(mul(Number(c), body) for c, body in terms)) if terms else Number(0)


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
    return [expr]


def _monomial(monomial: Monomial) -> Expr:
    return mul(*(power(atom, exponent) for atom, exponent in monomial)) if monomial else Number(1)


def _sum(polys: list[dict[Monomial, Fraction]]) -> dict[Monomial, Fraction]:
    total: dict[Monomial, Fraction] = {}
    for poly in polys:
        for monomial, c in poly.items():
            total[monomial] = total.get(monomial, Fraction(0)) + c
    return {m: c for m, c in total.items() if c}


def _product(polys: list[dict[Monomial, Fraction]]) -> dict[Monomial, Fraction]:
    result: dict[Monomial, Fraction] = {(): Fraction(1)}
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
    # Interned atoms have no natural order; their keys print deterministically.
    return tuple(sorted(exponents.items(), key=lambda pair: repr(pair[0])))
