"""The record of one replacement inside an expression, as the code that made it knows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from chainrule.calculus.graph.expression import Expr

Around: TypeAlias = Callable[[Expr], Expr]
"""Puts a part back into its expression."""


@dataclass(frozen=True)
class Replacement:
    """One replacement inside an expression.

    Parameters
    ----------
    before, after : Expr
        The part that was replaced, and what stands in its place.
    around : callable
        Returns the whole expression with a given part in this place, or in these places.
    answered_in : int or None
        The number of the step whose answer `after` is, where one was put in.
    """

    before: Expr
    after: Expr
    around: Around
    answered_in: int | None = None


def whole(expr: Expr) -> Expr:
    """Return the expression itself: the surroundings of a whole expression."""
    return expr


__all__ = ["Around", "Replacement", "whole"]
