"""Factors and terms as powers of letters: those of polynomials."""

from __future__ import annotations

from fractions import Fraction

from chainrule.calculus.graph.node import Apply, Expr
from chainrule.calculus.ops import TABLE

ROOT, POWER = TABLE["sqrt"], TABLE["power"]
HALF = Fraction(1, 2)


def based(node: Expr) -> tuple[Expr, Fraction]:
    """Return what is raised to a power, and the exponent."""
    if isinstance(node, Apply) and node.op is POWER:
        base, exponent = based(node.args[0])
        return base, exponent * node.attrs[0]
    if isinstance(node, Apply) and node.op is ROOT:
        return node.args[0], HALF
    return node, Fraction(1)


def letter_of(term: Expr) -> Expr:
    """Return what a term is a whole power of: ``1 - a^2`` is as short as ``1 - a``."""
    base, exponent = based(term)
    return base if exponent.denominator == 1 and exponent > 0 else term


__all__ = ["HALF", "POWER", "ROOT", "based", "letter_of"]
