"""The other side of a residual: what a forward pass sets against a label, as in ``w X + b - y``."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.calculus.ops import TABLE

_ADD, _NEG = TABLE["add"], TABLE["neg"]


def set_against(model: Model, label: Symbol) -> Iterator[Expr]:
    """Yield what a sum sets against a label: in ``w X + b - y`` it is ``w X + b``.

    Sums of later lines come first, and within a line the longest sum. A residual that a line names
    is followed into the lines that add to it.

    Parameters
    ----------
    model : Model
        The forward pass.
    label : Symbol
        One of its inputs.
    """
    lines = [d for d in model.definitions if d.target is not model.objective]
    known: dict[Expr, tuple[bool, tuple[Expr, ...]]] = {label: (True, ())}
    for line in lines:
        if (found := _split(line.value, known)) is not None:
            known[line.target] = found
    for definition in reversed(model.definitions):
        for node in reversed(list(walk(definition.value))):
            found = _split(node, known) if node not in known else None
            if found is not None and found[1]:
                yield _sum(found[1], negated=found[0])


def _split(
    node: Expr, known: dict[Expr, tuple[bool, tuple[Expr, ...]]]
) -> tuple[bool, tuple[Expr, ...]] | None:
    """Return whether a label is added or taken off in a sum, and the other terms."""
    if node in known:
        return known[node]
    if not isinstance(node, Apply) or node.op not in (_ADD, _NEG):
        return None
    parts = [(arg, _split(arg, known)) for arg in node.args]
    inside = [found for _, found in parts if found is not None]
    if len(inside) != 1:
        return None
    added, others = inside[0]
    if node.op is _NEG:
        return not added, tuple(_negative(term) for term in others)
    return added, (*(arg for arg, found in parts if found is None), *others)


def _negative(term: Expr) -> Expr:
    negated = isinstance(term, Apply) and term.op is _NEG
    return term.args[0] if negated else Apply(_NEG, (term,))


def _sum(terms: tuple[Expr, ...], *, negated: bool) -> Expr:
    signed = tuple(_negative(term) for term in terms) if negated else terms
    return signed[0] if len(signed) == 1 else Apply(_ADD, signed)
