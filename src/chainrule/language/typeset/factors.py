"""The order of the factors of a product in index form: coefficients before entries and sums."""

from __future__ import annotations

from typing import TypeVar

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Entry, Expr, Symbol, walk

Label = TypeVar("Label")


def coefficients_first(factors: list[tuple[Expr, Label]]) -> list[tuple[Expr, Label]]:
    """Return numbers in the order in which an index form shows them: entries after coefficients.

    Elsewhere the order stays: how a matrix form is arranged is a step of the derivation.
    """
    if any(isinstance(node, Entry) for factor, _ in factors for node in walk(factor)):
        return sorted(factors, key=lambda each: not is_coefficient(each[0]))
    return factors


def is_coefficient(expr: Expr) -> bool:
    """Whether a number depends on numbers alone: α, exp(τ)/m, but neither a_i nor sum(A)."""
    return not any(
        isinstance(node, Entry) or (isinstance(node, Symbol) and node.shape != SCALAR)
        for node in walk(expr)
    )
