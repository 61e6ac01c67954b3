"""The sums of an expression that are opened, or stay closed, where it is written anew."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.calculus.graph.node import Apply, Expr, walk
from chainrule.calculus.rewriting.signature import ADD, DIV, MUL, NEG, POWER


def front_sums(expr: Expr) -> Iterator[Expr]:
    """Yield the sums that are one sum with the whole: nothing but signs stands before them."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Apply) and node.op in (ADD, NEG):
            yield node
            waiting.extend(node.args)


def squared_sums(expr: Expr) -> Iterator[Expr]:
    """Yield the sums that are raised to a power, alone or in a product or a fraction."""
    waiting = [node.args[0] for node in walk(expr) if isinstance(node, Apply) and node.op is POWER]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Apply) and node.op is ADD:
            yield node
        elif isinstance(node, Apply) and node.op in (NEG, MUL, DIV):
            waiting.extend(node.args)


__all__ = ["front_sums", "squared_sums"]
