"""Which values can be seen to be positive, or not negative, from how they are made.

A mean of squares is not negative, and plus an epsilon it is positive: the root of it has a slope
everywhere. What cannot be seen is left open.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk


class Sign(IntEnum):
    """What is known of every entry of a value, the weakest first."""

    OPEN = 0
    NOT_NEGATIVE = 1
    POSITIVE = 2


POSITIVE = frozenset({"exp", "sigmoid", "softmax", "softplus", "cosh", "size", "pi", "euler"})
"""Operations whose values are positive whatever their arguments are."""

NOT_NEGATIVE = frozenset({"abs", "squared_norm", "norm", "relu", "onehot", "argmax", "argmin"})
"""Operations whose values are not negative whatever their arguments are."""

KEEPING = frozenset({"sum", "mean", "broadcast", "transpose", "sqrt", "max", "min", "trace"})
"""Operations whose values have the sign that all entries of their argument have."""


def sign_of(expr: Expr, values: Mapping[Symbol, Expr]) -> Sign:
    """Return what is known of the sign of a value.

    Parameters
    ----------
    expr : Expr
        A matrix form.
    values : mapping of Symbol to Expr
        What the names in it stand for; a name without a value may be anything.
    """
    known: dict[Expr, Sign] = {}
    for name, value in values.items():  # in order: a definition uses those before it
        known[name] = _sign(value, known)
    return _sign(expr, known)


def _sign(expr: Expr, known: dict[Expr, Sign]) -> Sign:
    for node in walk(expr):
        if node not in known:
            known[node] = _of_node(node, known)
    return known[expr]


def _of_node(node: Expr, known: Mapping[Expr, Sign]) -> Sign:
    if isinstance(node, Number):
        return Sign.POSITIVE if node.value > 0 else Sign(node.value == 0)
    if not isinstance(node, Apply):
        return Sign.OPEN
    parts = [known[arg] for arg in node.args]
    match node.op.name:
        case name if name in POSITIVE:
            return Sign.POSITIVE
        case "add" if min(parts) > Sign.OPEN:
            return max(parts)
        case "mul" | "div":
            squares = len(set(node.args)) == 1 < len(node.args)
            return Sign.NOT_NEGATIVE if squares and not parts[0] else min(parts)
        case "power":
            even = node.attrs[0].denominator == 1 and node.attrs[0] % 2 == 0
            return parts[0] or Sign(bool(even and node.attrs[0] > 0))
        case name if name in KEEPING:
            return parts[0]
        case name if name in NOT_NEGATIVE:
            return Sign.NOT_NEGATIVE
    return Sign.OPEN


__all__ = ["Sign", "sign_of"]
