"""Rules that shorten a product or a fraction: distribute, cancel, expand, collect, gather.

Each rewrites one expression at its top; `simplification` and `sums` choose the place and the order.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.replacement import Around
from chainrule.calculus.ops import add, broadcast, div, mul, power
from chainrule.calculus.ops.elementary import raised
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.polynomial import (
    count_of_monomials,
    monomials,
    polynomial,
    written_out,
)
from chainrule.calculus.rewriting.rule import Label, Rule, is_op

Record: TypeAlias = Callable[[Label, Expr, Expr, Around], None]
"""Takes one firing: the rule, the part before and after, and what puts it into the whole."""


def denominators(expr: Expr) -> list[Expr]:
    """Return what the terms of a sum, or a single fraction, are divided by."""
    found: list[Expr] = []
    for term in terms(expr):
        for factor in factors(term):
            if is_op(factor, "div"):
                found.extend(factors(factor.args[1]))
    return list(dict.fromkeys(found))


def terms(expr: Expr) -> tuple[Expr, ...]:
    """Return the terms of a sum, or the expression as its only term."""
    return expr.args if is_op(expr, "add") else (expr,)


def factors(expr: Expr) -> tuple[Expr, ...]:
    """Return the factors of a product without its sign."""
    if is_op(expr, "neg"):
        return factors(expr.args[0])
    return expr.args if is_op(expr, "mul") else (expr,)


def _distribute(expr: Expr) -> Expr | None:
    """Multiply a sum of fractions by the factors that will cancel against it."""
    if not is_op(expr, "mul"):
        return None
    for k, part in enumerate(expr.args):
        if not is_op(part, "add"):
            continue
        below = set(denominators(part))
        others = [*expr.args[:k], *expr.args[k + 1 :]]  # equal factors are one node: by place
        meeting = [f for f in others if base(f) in below]
        if meeting:
            rest = [f for f in others if f not in meeting]
            spread = add(*(mul(term, *meeting) for term in part.args))
            return mul(spread, *rest)
    return None


def _cancel(expr: Expr) -> Expr | None:
    """Cancel factors that stand above and below."""
    sign = is_op(expr, "neg")
    parts = list(factors(expr))
    for k, part in enumerate(parts):
        if not is_op(part, "div"):
            continue
        top, bottom = part.args
        above = [*parts[:k], *parts[k + 1 :]]
        below = list(factors(bottom))
        upper = list(factors(top))
        common = [f for f in below if _removed(f, above) or _removed(f, upper)]
        if not common:
            continue
        for f in common:
            below.remove(f)
        upper_sign = is_op(top, "neg")
        quotient = div(mul(Number(1), *upper), mul(Number(1), *below))
        result = broadcast(mul(quotient, *above), expr.shape)
        return -result if sign != upper_sign else result
    return None


def _removed(factor: Expr, parts: list[Expr]) -> bool:
    """Take a factor out of a list, once; tell whether it was there."""
    if factor not in parts:
        return False
    parts.remove(factor)
    return True


def _expand(expr: Expr) -> Expr | None:
    """Multiply out."""
    if count_of_monomials(expr) == 1:
        return None
    try:
        return add(*monomials(expr))
    except OverflowError:
        return None


def _collect(expr: Expr) -> Expr | None:
    """Add up like terms."""
    if not is_op(expr, "add"):
        return None
    try:
        return broadcast(written_out(polynomial(expr), expr), expr.shape)
    except OverflowError:
        return None


def _gather(expr: Expr) -> Expr | None:
    """Write equal factors as one power, and let them cancel above and below."""
    if not (is_op(expr, "mul") or is_op(expr, "div")):
        return None
    powers: dict[Expr, Fraction] = {}
    coefficient = _powers(expr, Fraction(1), powers)
    if coefficient is None:
        return None
    raise_exponents(powers)
    above = [power(part, e) for part, e in powers.items() if e > 0]
    below = [power(part, -e) for part, e in powers.items() if e < 0]
    top = mul(Number(coefficient.numerator), *above)
    bottom = mul(Number(coefficient.denominator), *below)
    gathered = broadcast(div(top, bottom), expr.shape)
    return gathered if display_cost(gathered) < display_cost(expr) else None


def raise_exponents(powers: dict[Expr, Fraction]) -> None:
    """Add factors to the power that they stand beside: ``(u v)^(k - 1) u v`` is ``(u v)^k``."""
    for part, times in list(powers.items()):
        if times != 1 or not is_op(part, "pow") or not is_op(part.args[1], "add"):
            continue
        bottom, exponent = part.args
        less = [term for term in exponent.args if _is_minus_one(term)]
        wanted = factors(bottom)
        if len(less) != 1 or is_op(bottom, "neg") or len(set(wanted)) < len(wanted):
            continue
        if all(powers.get(factor, Fraction(0)) >= 1 for factor in wanted):
            for factor in wanted:
                powers[factor] -= 1
            left = add(*(term for term in exponent.args if term is not less[0]))
            del powers[part]
            powers[raised(bottom, left)] = Fraction(1)


def _is_minus_one(term: Expr) -> bool:
    negative = is_op(term, "neg") and isinstance(term.args[0], Number) and term.args[0].value == 1
    return negative or (isinstance(term, Number) and term.value == -1)


def _powers(expr: Expr, exponent: Fraction, powers: dict[Expr, Fraction]) -> Fraction | None:
    """Add the factors of an expression to `powers`; return the number in front."""
    if isinstance(expr, Number):
        if exponent.denominator != 1 or not expr.value:
            return None
        return expr.value ** int(exponent)
    parts: list[tuple[Expr, Fraction]] = []
    sign = Fraction(1)
    if is_op(expr, "neg") and exponent.denominator == 1:
        sign = Fraction(-1) ** int(exponent)
        parts = [(expr.args[0], exponent)]
    elif is_op(expr, "mul") and exponent.denominator == 1:
        parts = [(arg, exponent) for arg in expr.args]
    elif is_op(expr, "div") and exponent.denominator == 1:
        parts = [(expr.args[0], exponent), (expr.args[1], -exponent)]
    elif isinstance(expr, Apply) and is_op(expr, "power") and exponent.denominator == 1:
        parts = [(expr.args[0], exponent * expr.attrs[0])]
    else:
        powers[expr] = powers.get(expr, Fraction(0)) + exponent
        return sign
    for part, own in parts:
        found = _powers(part, own, powers)
        if found is None:
            return None
        sign *= found
    return sign


def _root_squared(expr: Expr) -> Expr | None:
    """Write an even power of a root without the root."""
    if not (isinstance(expr, Apply) and is_op(expr, "power") and is_op(expr.args[0], "sqrt")):
        return None
    exponent = expr.attrs[0] / 2
    return power(expr.args[0].args[0], exponent) if exponent.denominator == 1 else None


def base(factor: Expr) -> Expr:
    """Return what a factor is a power of."""
    return factor.args[0] if is_op(factor, "power") else factor


def cancelled(expr: Expr) -> Expr | None:
    """Cancel in every term, as one step: nobody writes them apart."""
    parts = list(terms(expr))
    changed = False
    for k in range(len(parts)):
        while (shorter := CANCEL.becomes(parts[k])) is not None:
            parts[k], changed = shorter, True
    return add(*parts) if changed else None


DISTRIBUTE = Rule(
    "distribute",
    "multiply every term of the sum by the factors that cancel against a denominator",
    _distribute,
)
CANCEL = Rule(
    "cancel",
    "a factor that stands above and below a fraction line divides to one",
    _cancel,
)
EXPAND = Rule("expand", "multiply the brackets out", _expand)
COLLECT = Rule(
    "collect",
    "equal terms are added up, opposite ones vanish, and a positive term is written first",
    _collect,
)

ROOT_SQUARED = Rule(
    "square of a root",
    "the square of a root is what stands under the root",
    _root_squared,
)
GATHER = Rule(
    "gather",
    "equal factors are written as one power, and what stands above and below cancels",
    _gather,
)

RULES = (DISTRIBUTE, CANCEL, EXPAND, COLLECT, GATHER)
"""The rows, in the order in which they are tried."""

__all__ = [
    "CANCEL",
    "COLLECT",
    "DISTRIBUTE",
    "EXPAND",
    "GATHER",
    "ROOT_SQUARED",
    "RULES",
    "Record",
    "base",
    "cancelled",
    "denominators",
    "factors",
    "raise_exponents",
    "terms",
]
