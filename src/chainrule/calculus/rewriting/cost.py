"""How much there is to read: the measure that every shortening goes by."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Partial, Symbol, walk
from chainrule.calculus.ops import TABLE

SUM, SIGN, PRODUCT, QUOTIENT, POWER = (
    TABLE[name] for name in ("add", "neg", "mul", "div", "power")
)
TALL = frozenset(TABLE[name] for name in ("div", "power"))
LEAVES = (Symbol, Entry, Partial)


def display_cost(expr: Expr) -> int:
    """Return how much there is to read.

    The nodes of the written tree; fractions and powers count twice, and so does a letter each time
    that it comes again: ``a(1 - a)`` reads as short as ``a - a^2``, and ``(1 - b) a + c`` shorter
    than ``a - b a + c``. A minus sign in a sum takes the place of a plus
    sign, and a power of a product is one of each factor.
    """
    known = _COSTS.get(expr)
    if known is None:
        known = _COSTS[expr] = _measured(expr)
    return known


_COSTS: WeakKeyDictionary[Expr, int] = WeakKeyDictionary()
"""The costs of expressions that are still in use: they do not change."""


def _measured(expr: Expr) -> int:
    cost: dict[Expr, int] = {}
    leaves: dict[Expr, int] = {}
    distinct = 0
    for node in walk(expr):
        cost[node] = _own(node) + sum(cost[arg] for arg in node.args)
        if isinstance(node, Apply) and node.op is SUM:
            signs = sum(_has_sign(arg) for arg in node.args)
            cost[node] -= min(signs, len(node.args) - 1)
        is_leaf = isinstance(node, LEAVES)
        leaves[node] = 1 if is_leaf else sum(leaves[arg] for arg in node.args)
    waiting, seen = [expr], set[Expr]()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, LEAVES):
            distinct += 1
        else:
            waiting.extend(node.args)
    return cost[expr] + leaves[expr] - distinct


def _own(node: Expr) -> int:
    if isinstance(node, Number):
        return 1 + (node.value < 0) + 2 * (node.value.denominator != 1)
    if not isinstance(node, Apply) or node.op not in TALL:
        return 1
    return 2 * _factors(node.args[0]) if node.op is POWER else 2


def _factors(base: Expr) -> int:
    if isinstance(base, Apply) and base.op in (PRODUCT, QUOTIENT, SIGN):
        return sum(_factors(arg) for arg in base.args)
    return 1


def _has_sign(term: Expr) -> bool:
    if isinstance(term, Number):
        return term.value < 0
    return isinstance(term, Apply) and term.op is SIGN
