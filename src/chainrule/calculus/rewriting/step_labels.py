"""The name and the reason of a step that one rule made in several ways at once.

The normal form joins fractions, cancels, takes out factors and adds like terms, and so does the
gathering of powers in a product. The two lines tell which of these happened.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from chainrule.calculus.graph.node import Apply, Expr, Number, Total, walk
from chainrule.calculus.rewriting.polynomial import count_of_monomials, polynomial
from chainrule.calculus.rewriting.rule import Fired, Label, is_op
from chainrule.calculus.rewriting.shortening import (
    CANCEL,
    COLLECT,
    GATHER,
    denominators,
    factors,
    terms,
)
from chainrule.calculus.rewriting.signs import without_sign
from chainrule.calculus.rewriting.simplification import FACTOR, JOIN

POWERS = Label("gather", "equal factors are written as one power")
ONE_FRACTION = Label(
    "one fraction",
    "to multiply fractions, multiply what stands above the lines and what stands below them",
)
SOME_SHARE = Label("common factor", "what some of the terms share is taken out of a bracket")
EXPANDED = Label(
    "expand and collect",
    "the brackets are multiplied out, and equal terms are added up or vanish",
)
DIVIDED = Label(
    "divide every term",
    "a line below a sum is a line below each of its terms, and what stands above and below cancels",
)
ORDER = Label("order", "the same factors and terms in another order")


def labelled(step: Fired) -> Fired:
    """Return a step with the name and the reason of what it did."""
    if step.rule not in (JOIN, FACTOR, GATHER):
        return step
    made = step.replacement
    pair = (step.before, step.after) if made is None else (made.before, made.after)
    label = _label(step.rule, *_narrowed(*pair))
    return step if label is step.rule else replace(step, rule=label)


def _narrowed(before: Expr, after: Expr) -> tuple[Expr, Expr]:
    """Go down to the only part in which two lines differ."""
    while True:
        (_, before), (_, after) = without_sign(before), without_sign(after)
        if isinstance(before, Total) and isinstance(after, Total):
            if before.index != after.index:
                return before, after
            before, after = before.body, after.body
            continue
        if not (isinstance(before, Apply) and isinstance(after, Apply) and before.op is after.op):
            return before, after
        pairs = zip(before.args, after.args, strict=False)
        unequal = [(old, new) for old, new in pairs if old is not new]
        if len(before.args) != len(after.args) or len(unequal) != 1:
            return before, after
        ((before, after),) = unequal


def _label(rule: Label, before: Expr, after: Expr) -> Label:
    if _sums(after) <= _sums(before):
        return _of_products(rule, before, after)
    if any(map(denominators, _sums(before) - _sums(after))):
        return JOIN
    if any(map(denominators, _sums(after) - _sums(before))):
        return DIVIDED
    if _adds_like_terms(before):
        return EXPANDED if is_op(after, "add") or is_op(before, "mul") else COLLECT
    return SOME_SHARE if is_op(after, "add") else FACTOR


def _of_products(rule: Label, before: Expr, after: Expr) -> Label:
    """Return the label of a step that left the sums as they were, or opened some."""
    if _sums(before) != _sums(after) and any(map(denominators, _sums(before))):
        return JOIN
    gone = _sums(before) - _sums(after)
    if gone and not is_op(before, "div"):
        return EXPANDED if _adds_like_terms(before) else rule
    powers = cancels = False
    for term in terms(before):
        above, below = list(_factors(term, 1)), list(_factors(term, -1))
        powers |= len(set(above)) < len(above) or len(set(below)) < len(below)
        cancels |= bool(set(above) & set(below)) or _numbers_cancel(term)
    if powers and cancels:
        return GATHER
    if powers:
        return POWERS
    if cancels:
        return CANCEL
    return ONE_FRACTION if any(is_op(node, "div") for node in walk(before)) else ORDER


def _sums(expr: Expr) -> frozenset[Expr]:
    return frozenset(node for node in walk(expr) if is_op(node, "add"))


def _adds_like_terms(expr: Expr) -> bool:
    try:
        return count_of_monomials(expr) > len(polynomial(expr))
    except OverflowError:
        return False


def _factors(expr: Expr, side: int) -> Iterator[Expr]:
    """Yield what is a factor above all lines of a product (side 1), or below them (side -1)."""
    for part in factors(expr):
        if is_op(part, "neg"):
            yield from _factors(part.args[0], side)
        elif is_op(part, "div"):
            yield from _factors(part.args[0], side)
            yield from _factors(part.args[1], -side)
        elif isinstance(part, Apply) and is_op(part, "power"):
            if side > 0 and not isinstance(part.args[0], Number):
                yield part.args[0]
        elif side > 0 and not isinstance(part, Number):
            yield part


def _numbers_cancel(expr: Expr) -> bool:
    """Whether numbers above and below the lines of a product have a common divisor."""
    above, below = _numbers(expr)
    number = Fraction(above, below)
    return below != 1 and (abs(number.numerator), number.denominator) != (abs(above), below)


def _numbers(expr: Expr) -> tuple[int, int]:
    above, below = 1, 1
    for part in factors(expr):
        if isinstance(part, Number):
            over, under = part.value.numerator, part.value.denominator
        elif is_op(part, "div"):
            (a, b), (c, d) = _numbers(part.args[0]), _numbers(part.args[1])
            over, under = a * d, b * c
        elif is_op(part, "neg"):
            over, under = _numbers(part.args[0])
        else:
            continue
        above, below = above * over, below * under
    return above, below


__all__ = ["DIVIDED", "EXPANDED", "ONE_FRACTION", "ORDER", "POWERS", "SOME_SHARE", "labelled"]
