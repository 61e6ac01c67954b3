"""Exact polynomials in several variables, and proofs that they are nowhere negative.

A variable is positive, real, or a square root of a polynomial in the variables before it. The
proofs are exact: signs of coefficients, discriminants, and Sturm's theorem for one variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import reduce
from itertools import pairwise

Monomial = tuple[tuple[str, int], ...]
"""Names of variables with their exponents, in the order of names."""

Poly = Mapping[Monomial, Fraction]
_DEEP = 4
_HIGHEST = 400
"""Degree up to which Sturm's theorem is applied."""


@dataclass(frozen=True)
class Variables:
    """Known facts about each variable.

    Attributes
    ----------
    positive : frozenset of str
        Variables that are >= 0; all others may be any real number.
    strict : frozenset of str
        Those of them that are > 0.
    squares : mapping of str to Poly
        The squares of those that are square roots.
    lemmas : tuple of (Poly, str)
        Polynomials that are known to be >= 0, with the reason.
    least : mapping of str to Fraction
        Lower bounds > 0 of variables.
    """

    positive: frozenset[str]
    strict: frozenset[str]
    squares: Mapping[str, Poly]
    lemmas: tuple[tuple[Poly, str], ...] = ()
    least: Mapping[str, Fraction] = field(default_factory=dict)


def number(value: Fraction | int) -> Poly:
    """Return a constant."""
    return {(): Fraction(value)} if value else {}


def variable(name: str, exponent: int = 1) -> Poly:
    """Return a power of a variable."""
    return {((name, exponent),): Fraction(1)} if exponent else number(1)


def text(a: Poly) -> str:
    """Write a polynomial.

    >>> text(added(variable("t", 2), variable("s"), -3))
    't^2 - 3 s'
    """
    written = ""
    for monomial, value in sorted(a.items(), key=lambda term: (-sum(k for _, k in term[0]), term)):
        factors = [name + (f"^{k}" if k > 1 else "") for name, k in monomial]
        size = abs(value)
        if size != 1 or not factors:
            factors.insert(0, str(size))
        sign = ("-" if value < 0 else "") if not written else (" - " if value < 0 else " + ")
        written += sign + " ".join(factors)
    return written or "0"


def added(a: Poly, b: Poly, factor: Fraction | int = 1) -> Poly:
    """Return a + factor b."""
    total = dict(a)
    for monomial, value in b.items():
        total[monomial] = total.get(monomial, Fraction(0)) + factor * value
    return {m: v for m, v in total.items() if v}


def multiplied(a: Poly, b: Poly, known: Variables) -> Poly:
    """Return a b, with no square root to a power above 1."""
    total: dict[Monomial, Fraction] = {}
    for left, x in a.items():
        for right, y in b.items():
            powers = dict(left)
            for name, exponent in right:
                powers[name] = powers.get(name, 0) + exponent
            key = tuple(sorted(powers.items()))
            total[key] = total.get(key, Fraction(0)) + x * y
    return _reduced({m: v for m, v in total.items() if v}, known)


def power(a: Poly, exponent: int, known: Variables) -> Poly:
    """Return a to a whole power >= 0, by repeated squaring."""
    if len(a) == 1:
        ((monomial, value),) = a.items()
        return _reduced({_raised(monomial, exponent): value**exponent}, known)
    found, square = number(1), a
    while exponent:
        if exponent % 2:
            found = multiplied(found, square, known)
        exponent //= 2
        square = multiplied(square, square, known) if exponent else square
    return found


def _raised(monomial: Monomial, exponent: int) -> Monomial:
    return tuple((name, k * exponent) for name, k in monomial) if exponent else ()


def common_power(a: Poly, name: str) -> int:
    """Return the largest power of a variable that divides a polynomial."""
    return min((dict(monomial).get(name, 0) for monomial in a), default=0)


def _reduced(a: Poly, known: Variables) -> Poly:
    for name, square in known.squares.items():
        high = {m: v for m, v in a.items() if dict(m).get(name, 0) >= 2}
        if not high:
            continue
        total: Poly = {m: v for m, v in a.items() if m not in high}
        for monomial, value in high.items():
            powers = dict(monomial)
            count = powers.pop(name)
            if count % 2:
                powers[name] = 1
            rest: Poly = {tuple(sorted(powers.items())): value}
            total = added(total, multiplied(rest, power(square, count // 2, known), known))
        return _reduced(total, known)
    return a


def names(a: Poly) -> set[str]:
    """Return the variables of a polynomial."""
    return {name for monomial in a for name, _ in monomial}


def collected(a: Poly, name: str) -> dict[int, Poly]:
    """Return the coefficients of the powers of one variable."""
    found: dict[int, dict[Monomial, Fraction]] = {}
    for monomial, value in a.items():
        powers = dict(monomial)
        found.setdefault(powers.pop(name, 0), {})[tuple(sorted(powers.items()))] = value
    return dict(found)


def quotient(a: Poly, b: Poly) -> Poly | None:
    """Return a / b where it is a polynomial."""
    rest, found = dict(a), dict[Monomial, Fraction]()
    order = sorted(names(a) | names(b))

    def lead(p: Poly) -> Monomial:
        return max(p, key=lambda m: tuple(dict(m).get(name, 0) for name in order))

    top = lead(b)
    for _ in range(400):
        if not rest:
            return found
        first = lead(rest)
        powers = {n: dict(first).get(n, 0) - dict(top).get(n, 0) for n in order}
        if min(powers.values(), default=0) < 0:
            return None
        key = tuple(sorted((n, k) for n, k in powers.items() if k))
        value = rest[first] / b[top]
        found[key] = value
        step: dict[Monomial, Fraction] = {}
        for monomial, coefficient in b.items():
            sums = dict(monomial)
            for n, k in key:
                sums[n] = sums.get(n, 0) + k
            step[tuple(sorted(sums.items()))] = coefficient
        rest = dict(added(rest, step, -value))
    return None


def nonnegative(a: Poly, known: Variables, deep: int = _DEEP) -> str | None:
    """Return the reason why a polynomial is nowhere negative; nothing where none is found."""
    if not a:
        return "it is 0"
    if _has_good_signs(a, known):
        return "every term is >= 0"
    a = _without_common(a, known)
    if _has_good_signs(a, known):
        return "every term is >= 0"
    for lemma, why in known.lemmas if deep else ():
        rest = quotient(a, lemma)
        if rest is not None and nonnegative(rest, known, deep - 1):
            return why
    used = names(a)
    if len(used) == 1 and not used & set(known.squares):
        (name,) = used
        dense = _dense_in(a, name)
        low = Fraction(0) if name in known.positive else None
        return (
            f"it has no sign change, by Sturm's theorem in {name}"
            if dense and keeps_sign(dense, low, None)
            else None
        )
    if deep == 0:
        return None
    for name in sorted(used & set(known.least)):
        reason = _from_least(a, name, known, deep)
        if reason:
            return reason
    for name in sorted(used & set(known.squares)):
        reason = _by_root(a, name, known, deep)
        if reason:
            return reason
    for name in sorted(used):
        parts = collected(a, name)
        even = name in known.positive or all(k % 2 == 0 for k in parts)
        reasons = (
            [nonnegative(part, known, deep - 1) for part in parts.values()] if even else [None]
        )
        if all(reasons):
            return f"as a polynomial in {name} each coefficient is >= 0: " + "; ".join(
                dict.fromkeys(r for r in reasons if r)
            )
        if set(parts) <= {0, 1, 2} and 2 in parts:
            zero: Poly = {}
            c, b, top = (parts.get(k, zero) for k in (0, 1, 2))
            gap = added(
                multiplied(number(4), multiplied(top, c, known), known),
                multiplied(b, b, known),
                -1,
            )
            if all(nonnegative(part, known, deep - 1) for part in (top, c, gap)):
                return f"it is quadratic in {name} with a discriminant <= 0"
    return None


def positive(a: Poly, known: Variables) -> bool:
    """Whether a polynomial is proven to be nowhere 0 and nowhere negative."""
    if _has_good_signs(a, known):
        return any({name for name, _ in m} <= known.strict for m in a)
    for name in sorted(names(a) & known.strict):
        shared = quotient(a, variable(name, common_power(a, name)))
        a = a if shared is None else shared
    used = names(a)
    if len(used) != 1 or used & set(known.squares):
        return False
    (name,) = used
    dense = _dense_in(a, name)
    if not dense:
        return False
    low = Fraction(0) if name in known.positive else None
    at_end = low is None or _at(dense, low) > 0
    square_free = _divided(dense, _common(dense, _trimmed(_slope(dense))))[0]
    return at_end and not _roots_between(square_free, low, None) and keeps_sign(dense, low, None)


def _dense_in(a: Poly, name: str) -> list[Fraction]:
    """Return the coefficients of a polynomial in one variable; none if its degree is too high."""
    line = {k: c.get((), Fraction(0)) for k, c in collected(a, name).items()}
    return [line.get(k, Fraction(0)) for k in range(max(line) + 1)] if max(line) <= _HIGHEST else []


def _by_root(a: Poly, name: str, known: Variables, deep: int) -> str | None:
    """Prove A + q B >= 0 for a root q, by A, B >= 0 or by A >= 0 and A^2 >= q^2 B^2."""
    parts = collected(a, name)
    zero: Poly = {}
    plain, times = parts.get(0, zero), parts.get(1, zero)
    if not nonnegative(plain, known, deep - 1):
        return None
    if nonnegative(times, known, deep - 1):
        return f"both parts are >= 0, with and without {name}"
    square = multiplied(multiplied(times, times, known), known.squares[name], known)
    gap = added(multiplied(plain, plain, known), square, -1)
    return f"its square outweighs {name}" if nonnegative(gap, known, deep - 1) else None


def floor(a: Poly, known: Variables) -> Fraction:
    """Return the largest lower bound > 0 of a polynomial that is proven; 0 where none is found."""
    least = a.get((), Fraction(0))
    used = names(a)
    dense = _dense_in(a, *used) if len(used) == 1 else []
    if len(dense) == 3 and dense[2] > 0 and not used & known.positive:
        least -= dense[1] ** 2 / (4 * dense[2])
    proven = least > 0 and nonnegative(added(a, number(least), -1), known)
    return least if proven else Fraction(0)


def _from_least(a: Poly, name: str, known: Variables, deep: int) -> str | None:
    """Prove that a polynomial is nowhere negative for q = least + d, d >= 0."""
    least, rest = known.least[name], f"d{name}"
    parts = collected(a, name)
    if max(parts) > 1:
        return None
    zero: Poly = {}
    shift = added(number(least), variable(rest))
    above = replace(known, positive=known.positive | {rest})
    found = added(parts.get(0, zero), multiplied(parts.get(1, zero), shift, above))
    reason = nonnegative(found, above, deep - 1)
    return f"{reason} with {name} = {least} + {rest}, {rest} >= 0" if reason else None


def _has_good_signs(a: Poly, known: Variables) -> bool:
    return all(
        value > 0 and all(k % 2 == 0 or name in known.positive for name, k in monomial)
        for monomial, value in a.items()
    )


def _without_common(a: Poly, known: Variables) -> Poly:
    """Divide by the powers of variables >= 0 that all terms have."""
    for name in sorted(names(a) & known.positive - set(known.squares)):
        least = common_power(a, name)
        if least:
            shared = quotient(a, variable(name, least))
            assert shared is not None
            a = shared
    return a


def keeps_sign(dense: list[Fraction], low: Fraction | None, high: Fraction | None) -> bool:
    """Whether a polynomial in one variable is nowhere negative between two ends.

    Parameters
    ----------
    dense : list of Fraction
        The coefficients, lowest power first.
    low, high : Fraction or None
        The ends; None where there is none.
    """
    odd = _odd_part(dense)
    if _roots_between(odd, low, high):
        return False
    inside = _inside(low, high)
    for k in range(len(dense) + 1):  # a root of even order may lie at one of these
        value = _at(dense, inside[k])
        if value:
            return value > 0
    return True


def _inside(low: Fraction | None, high: Fraction | None) -> list[Fraction]:
    shares = [Fraction(k, 64) for k in range(1, 64)]
    if low is not None and high is not None:
        return [low + (high - low) * share for share in shares]
    if low is not None:
        return [low + share / (1 - share) for share in shares]
    if high is not None:
        return [high - share / (1 - share) for share in shares]
    return [(2 * share - 1) / (1 - (2 * share - 1) ** 2) for share in shares]


def _at(dense: list[Fraction], x: Fraction) -> Fraction:
    return reduce(lambda total, c: total * x + c, reversed(dense), Fraction(0))


def _trimmed(dense: list[Fraction]) -> list[Fraction]:
    while dense and not dense[-1]:
        dense = dense[:-1]
    return dense


def _slope(dense: list[Fraction]) -> list[Fraction]:
    return [k * c for k, c in enumerate(dense)][1:]


def _divided(a: list[Fraction], b: list[Fraction]) -> tuple[list[Fraction], list[Fraction]]:
    a, found = _trimmed(a), [Fraction(0)] * max(len(a) - len(b) + 1, 1)
    while len(a) >= len(b):
        shift, value = len(a) - len(b), a[-1] / b[-1]
        found[shift] = value
        a = _trimmed([c - (value * b[k - shift] if k >= shift else 0) for k, c in enumerate(a)])
    return found, a


def _common(a: list[Fraction], b: list[Fraction]) -> list[Fraction]:
    while b:
        a, b = b, _divided(a, b)[1]
    return [c / a[-1] for c in a]


def _odd_part(dense: list[Fraction]) -> list[Fraction]:
    """Return the product of the factors of odd multiplicity (Yun's algorithm)."""
    a = _trimmed(dense)
    slope = _trimmed(_slope(a))
    if not slope:
        return [Fraction(1)]
    shared = _common(a, slope)
    b, c = _divided(a, shared)[0], _divided(slope, shared)[0]
    odd, multiplicity = [Fraction(1)], 1
    while len(_trimmed(b)) > 1:
        d = _trimmed(
            [
                x - y
                for x, y in zip(
                    c + [Fraction(0)] * len(b),
                    _slope(b) + [Fraction(0)] * (len(c) + 1),
                    strict=False,
                )
            ]
        )
        factor = _common(b, d) if d else [x / b[-1] for x in b]
        if multiplicity % 2:
            product = [Fraction(0)] * (len(odd) + len(factor) - 1)
            for i, x in enumerate(odd):
                for j, y in enumerate(factor):
                    product[i + j] += x * y
            odd = product
        b, c = _trimmed(_divided(b, factor)[0]), _trimmed(_divided(d, factor)[0]) if d else []
        multiplicity += 1
    return odd


def _roots_between(dense: list[Fraction], low: Fraction | None, high: Fraction | None) -> int:
    """Count the roots of a square-free polynomial strictly between two ends, by Sturm's theorem."""
    dense = _trimmed(dense)
    for end in (low, high):  # a root at an end does not count
        while end is not None and len(dense) > 1 and _at(dense, end) == 0:
            dense = _divided(dense, [-end, Fraction(1)])[0]
    chain = [dense, _slope(dense)]
    while chain[-1]:
        chain.append([-c for c in _divided(chain[-2], chain[-1])[1]])
    chain = [p for p in chain if p]

    def changes(end: Fraction | None, far: int) -> int:
        values = [
            _at(p, end) if end is not None else p[-1] * (1 if far > 0 or len(p) % 2 else -1)
            for p in chain
        ]
        signs = [v > 0 for v in values if v]
        return sum(a != b for a, b in pairwise(signs))

    return changes(low, -1) - changes(high, 1)
