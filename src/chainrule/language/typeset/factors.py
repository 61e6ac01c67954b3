"""The order of the factors of a product of numbers: coefficients before entries and sums."""

from __future__ import annotations

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Entry, Expr, Symbol, walk


def is_coefficient(expr: Expr) -> bool:
    """Whether a number depends on numbers alone: α, exp(τ)/m, but neither a_i nor sum(A)."""
    return not any(
        isinstance(node, Entry) or (isinstance(node, Symbol) and node.shape != SCALAR)
        for node in walk(expr)
    )
