"""Gradients as sums over the rounds of a loop: ``∂J/∂W = Σ_{t=1}^{T} dz_t h_{t-1}^T``.

Where terms of several rounds in a row are one and the same expression once each index is written
relative to its own round, they are one sum. It is verified by writing the rounds out again.
"""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.calculus.derivation.relative_names import Relative, relative_to
from chainrule.calculus.graph.loop_indices import index_of
from chainrule.calculus.graph.model import Loop
from chainrule.calculus.graph.node import (
    Apply,
    Expr,
    RoundSum,
    Symbol,
    substitute,
    symbols,
    walk,
)
from chainrule.calculus.ops import add, transpose
from chainrule.calculus.ops.elementwise import ADD
from chainrule.calculus.rewriting.layout import laid_out

FEWEST = 3
"""How many rounds a sum has at least, where the loop has a fixed number of them."""


def over_rounds(form: Expr, loop: Loop, known: frozenset[str]) -> Expr:
    """Return a gradient with its terms of several rounds as sums over these.

    Parameters
    ----------
    form : Expr
        The gradient.
    loop : Loop
        The loop.
    known : frozenset of str
        The text before the indices that it counts.

    Returns
    -------
    Expr
        The gradient itself where no terms have one form. In a loop of any length, the names that
        stand outside of such sums are relative to its end where they lie there.
    """
    done: dict[Expr, Expr] = {}
    for node in walk(form):
        if not isinstance(node, Apply):
            continue
        inner = done.get(node.args[0]) if node.args else None
        if node.op is ADD:
            found = _summed(node, loop, known)
            if found is not None:
                done[node] = found
        elif isinstance(inner, RoundSum) and transpose(node.args[0]) is node:
            done[node] = inner.rebuilt((laid_out(transpose(inner.body)),))
    return at_ends(substitute(form, done), loop, known)


def _summed(node: Apply, loop: Loop, known: frozenset[str]) -> Expr | None:
    """Return the terms of a sum with those of several rounds as one; None where there are none."""
    forms: dict[Expr, dict[int, Expr]] = {}
    rest: list[Expr] = []
    for term in node.args:
        number = _round_of(term, known)
        if number is None:
            rest.append(term)
            continue
        there = Relative(known, relative_to(loop.counter, number)).expr(term)
        rounds = forms.setdefault(there, {})
        if number in rounds:
            return None  # twice the same term of a round: the sum is not a plain one
        rounds[number] = term
    fewest = 2 if loop.length else FEWEST
    sums: list[Expr] = []
    for body, rounds in forms.items():
        numbers = sorted(rounds)
        if len(numbers) >= fewest and numbers == [*range(numbers[0], numbers[-1] + 1)]:
            ends = (end_of(numbers[0], loop), end_of(numbers[-1], loop))
            sums.append(RoundSum(loop.counter, *ends, body))
        else:
            rest += rounds.values()
    return add(*sums, *rest) if sums else None


def _round_of(term: Expr, known: frozenset[str]) -> int | None:
    """Return the round that a term belongs to: that of its gradient, or else the last it names."""
    of_gradients, others = [], []
    for symbol in symbols(term):
        number = index_of(symbol.name, known)
        if number is not None:
            others.append(number)
        elif symbol.name.startswith("d"):
            number = index_of(symbol.name.lstrip("d"), known)
            if number is not None:
                of_gradients.append(number)
    return max(of_gradients or others, default=None)


def end_of(number: int, loop: Loop) -> str:
    """Return the first or last round of a sum as the author counts: ``1``, ``T-1``."""
    if not loop.length or not is_at_end(number, loop):
        return str(number)
    return relative_to(loop.length, loop.value)(number)


def is_at_end(number: int, loop: Loop) -> bool:
    """Whether a round of a loop of any length is counted from its last."""
    return number > loop.value - 2 * loop.reach - 1


def at_ends(form: Expr, loop: Loop, known: frozenset[str]) -> Expr:
    """Return an expression with the last rounds of a loop of any length counted from its end."""
    return Relative(known, lambda number: end_of(number, loop)).expr(form) if loop.length else form


def counted_names(form: Expr, known: Iterable[str]) -> bool:
    """Whether an expression names a round of a loop."""
    stems = frozenset(known)
    return any(
        isinstance(node, RoundSum)
        or (isinstance(node, Symbol) and _round_of(node, stems) is not None)
        for node in walk(form)
    )


__all__ = ["at_ends", "counted_names", "end_of", "is_at_end", "over_rounds"]
