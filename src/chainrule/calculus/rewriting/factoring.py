"""Exact polynomials over numbered letters: division, common factors, factors.

A polynomial is a mapping from exponents, one for each letter, to coefficients. Common factors come
from Euclid's algorithm on primitive parts, one letter after another; factors from the contents in
every letter, from common factors with the slope, from discriminants that are squares, and from
rational roots. That finds what a person finds in the polynomials of a gradient, and the outcome is
a matter of the polynomial alone, not of how it was written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from math import gcd as number_gcd
from math import isqrt, lcm
from operator import add, sub
from typing import TypeAlias

Exponents: TypeAlias = tuple[int, ...]
Coefficient: TypeAlias = int | Fraction
"""Whole numbers stay whole: most are, and they are quick."""

Poly: TypeAlias = dict[Exponents, Coefficient]

Terms: TypeAlias = tuple[tuple[Exponents, Coefficient], ...]

MOST_TERMS = 40
"""Beyond this nobody looks for factors any more."""

MOST_DIVISORS = 60


class TooLarge(Exception):  # noqa: N818  (it is a limit and no fault)
    """A polynomial has grown past what is worth looking at."""


def times(p: Mapping[Exponents, Coefficient], q: Mapping[Exponents, Coefficient]) -> Poly:
    """Multiply two polynomials.

    Raises
    ------
    TooLarge
        When the product has too many terms.
    """
    if len(p) * len(q) > MOST_TERMS**2:
        raise TooLarge
    product: Poly = {}
    for a, c in p.items():
        for b, d in q.items():
            key = tuple(map(add, a, b))
            product[key] = product.get(key, 0) + c * d
    product = {key: c for key, c in product.items() if c}
    if len(product) > MOST_TERMS:
        raise TooLarge
    return product


def plus(p: Mapping[Exponents, Coefficient], q: Mapping[Exponents, Coefficient]) -> Poly:
    """Add two polynomials."""
    total = dict(p)
    for key, c in q.items():
        total[key] = total.get(key, 0) + c
    return {key: c for key, c in total.items() if c}


def scaled(p: Mapping[Exponents, Coefficient], number: Coefficient) -> Poly:
    """Multiply a polynomial by a number."""
    return (
        p if number == 1 and isinstance(p, dict) else {k: whole(c * number) for k, c in p.items()}
    )


def whole(number: Coefficient) -> Coefficient:
    """Return a whole number as an int."""
    return number.numerator if number.denominator == 1 else number


def _ratio(a: Coefficient, b: Coefficient) -> Coefficient:
    return whole(Fraction(a) / b) if b != 1 else a


def divided(p: Poly, q: Poly) -> tuple[Poly, Poly]:
    """Divide by the first letters first; return quotient and remainder."""
    lead, head = _leading(q)
    quotient: Poly = {}
    rest, remainder = dict(p), Poly()
    while rest:
        key, c = _leading(rest)
        step = tuple(map(sub, key, lead))
        if min(step, default=0) < 0:
            remainder[key] = rest.pop(key)
            continue
        factor = _ratio(c, head)
        quotient[step] = factor
        for other, d in q.items():
            place = tuple(map(add, step, other))
            left = rest.get(place, 0) - factor * d
            if left:
                rest[place] = left
            else:
                rest.pop(place, None)
        if len(rest) > MOST_TERMS:
            raise TooLarge
    return quotient, remainder


def exactly(p: Poly, q: Poly) -> Poly | None:
    """Divide, or return nothing where a remainder is left."""
    quotient, remainder = divided(p, q)
    return None if remainder else quotient


def common(p: Poly, q: Poly) -> Poly:
    """Return the greatest common divisor, primitive."""
    if not p or not q:
        return primitive(p or q)
    letters = _letters(p) | _letters(q)
    if not letters:
        return _one(p)
    x = min(letters)
    content_p, content_q = _content(p, x), _content(q, x)
    shared = common(content_p, content_q) if len(letters) > 1 else _one(p)
    one, other = _part(p, content_p), _part(q, content_q)
    if _degree(one, x) < _degree(other, x):
        one, other = other, one
    while other and _degree(other, x) > 0:
        rest = _pseudo_remainder(one, other, x)
        one, other = other, (_part(rest, _content(rest, x)) if rest else {})
    if other:  # a remainder without the letter: nothing in it is shared
        return primitive(shared)
    return primitive(times(shared, one))


def primitive(p: Poly) -> Poly:
    """Divide by the number that all coefficients share; the leading one is positive."""
    number = number_in_front(p) if p else 1
    return dict(p) if number == 1 else {key: _ratio(c, number) for key, c in p.items()}


def number_in_front(p: Poly) -> Fraction:
    """Return the number that all coefficients share, with the sign of the leading one."""
    coefficients = tuple(p.values())
    below = lcm(*(c.denominator for c in coefficients))
    above = number_gcd(*(c.numerator * (below // c.denominator) for c in coefficients))
    sign = -1 if _leading(p)[1] < 0 else 1
    return Fraction(sign * above, below)


def factored(p: Poly) -> list[tuple[Poly, int]]:
    """Return primitive factors with their multiplicities, in a fixed order; numbers left out."""
    return [(dict(key), count) for key, count in _factors(tuple(sorted(primitive(p).items())))]


@lru_cache(maxsize=2048)
def _factors(p: Terms) -> tuple[tuple[Terms, int], ...]:
    found: dict[Terms, int] = {}
    waiting = [dict(p)]
    while waiting:
        part = waiting.pop()
        if not _letters(part):
            continue
        pieces = _split(part)
        if pieces is None:
            key = tuple(sorted(part.items()))
            found[key] = found.get(key, 0) + 1
        else:
            waiting.extend(pieces)
    return tuple(sorted(found.items()))


def _split(p: Poly) -> tuple[Poly, Poly] | None:
    """Return two primitive factors, or nothing where none is seen."""
    letters = sorted(_letters(p))
    for x in letters:
        if len(p) > 1 and all(key[x] for key in p):
            letter: Poly = {tuple(int(k == x) for k in range(len(next(iter(p))))): 1}
            return letter, _part(p, letter)
    if len(p) == 1:
        return _letter(p)
    for x in letters:
        content = _content(p, x)
        if _letters(content):
            return content, _part(p, content)
    if any(_degree(p, x) == 1 for x in letters):
        return None  # primitive and linear in a letter: it has no factors
    for x in letters:
        shared = common(p, _slope(p, x))
        if _letters(shared):
            return shared, primitive(_known(exactly(p, shared)))
    for x in letters:
        if _degree(p, x) == 2 and (found := _by_discriminant(p, x)):
            return found
    if len(letters) == 1:
        return _by_root(p, letters[0])
    return None


def _letter(p: Poly) -> tuple[Poly, Poly] | None:
    """Take a letter out of a product of letters."""
    (key,) = p
    if sum(key) == 1:
        return None
    first = next(k for k, e in enumerate(key) if e)
    letter = tuple(int(k == first) for k in range(len(key)))
    rest = tuple(a - b for a, b in zip(key, letter, strict=True))
    return {letter: 1}, {rest: 1}


def _by_discriminant(p: Poly, x: int) -> tuple[Poly, Poly] | None:
    a, b, c = (_coefficient(p, x, k) for k in (2, 1, 0))
    root = square_root(plus(times(b, b), scaled(times(a, c), -4)))
    if root is None:
        return None
    letter: Poly = {tuple(int(k == x) for k in range(len(next(iter(p))))): 1}
    line = plus(scaled(times(a, letter), 2), plus(b, scaled(root, -1)))
    factor = _part(line, _content(line, x))
    rest = exactly(p, factor)
    return None if rest is None else (factor, primitive(rest))


def _by_root(p: Poly, x: int) -> tuple[Poly, Poly] | None:
    zero = (0,) * len(next(iter(p)))
    last, first = _coefficient(p, x, 0), _coefficient(p, x, _degree(p, x))
    for above in _divisors(int(last.get(zero, 0))):
        for below in _divisors(int(first[zero])):
            for sign in (1, -1):
                letter = tuple(int(k == x) for k in range(len(zero)))
                line: Poly = {letter: below, zero: sign * above}
                rest = exactly(p, line)
                if rest is not None and _letters(rest):
                    return primitive(line), primitive(rest)
    return None


def square_root(p: Poly) -> Poly | None:
    """Return a polynomial whose square this is, or nothing."""
    root: Poly = {}
    rest = dict(p)
    while rest:
        key, c = _leading(rest)
        if not root:
            half, number = tuple(e // 2 for e in key), _number_root(c)
            if number is None or any(e % 2 for e in key):
                return None
            root = {half: number}
        else:
            lead, head = _leading(root)
            step = tuple(map(sub, key, lead))
            if min(step, default=0) < 0 or step >= min(root) or len(root) > MOST_TERMS:
                return None
            root[step] = _ratio(c, 2 * head)
        rest = plus(p, scaled(times(root, root), -1))
    return root


def _number_root(c: Coefficient) -> Coefficient | None:
    if c < 0:
        return None
    found = whole(Fraction(isqrt(c.numerator), isqrt(c.denominator)))
    return found if found * found == c else None


def _divisors(number: int) -> Iterator[int]:
    number = abs(number)
    if number <= MOST_DIVISORS**2:
        yield from (d for d in range(1, number + 1) if number % d == 0)


def _leading(p: Mapping[Exponents, Coefficient]) -> tuple[Exponents, Coefficient]:
    key = max(p)
    return key, p[key]


def _letters(p: Poly) -> set[int]:
    return {k for key in p for k, e in enumerate(key) if e}


def _degree(p: Poly, x: int) -> int:
    return max((key[x] for key in p), default=0)


def _coefficient(p: Poly, x: int, power: int) -> Poly:
    """Return what stands before a power of a letter."""
    return {(*key[:x], 0, *key[x + 1 :]): c for key, c in p.items() if key[x] == power}


def _content(p: Poly, x: int) -> Poly:
    """Return what the coefficients of all powers of a letter share."""
    powers = sorted({key[x] for key in p}, reverse=True)
    shared: Poly = {}
    for power in powers:
        shared = common(shared, _coefficient(p, x, power))
        if not _letters(shared):
            return _one(p)
    return shared


def _part(p: Poly, content: Poly) -> Poly:
    return primitive(_known(exactly(p, content)))


def _pseudo_remainder(p: Poly, q: Poly, x: int) -> Poly:
    degree = _degree(q, x)
    lead = _coefficient(q, x, degree)
    while p and _degree(p, x) >= degree:
        power = _degree(p, x)
        head = _coefficient(p, x, power)
        shift = {(*key[:x], key[x] + power - degree, *key[x + 1 :]): c for key, c in head.items()}
        p = plus(times(lead, p), scaled(times(shift, q), -1))
    return p


def _slope(p: Poly, x: int) -> Poly:
    return {(*key[:x], key[x] - 1, *key[x + 1 :]): c * key[x] for key, c in p.items() if key[x]}


def _one(p: Poly) -> Poly:
    return {(0,) * len(next(iter(p))): 1}


def _known(p: Poly | None) -> Poly:
    assert p is not None
    return p


__all__ = [
    "Exponents",
    "Poly",
    "TooLarge",
    "common",
    "divided",
    "exactly",
    "factored",
    "number_in_front",
    "plus",
    "primitive",
    "scaled",
    "square_root",
    "times",
]
