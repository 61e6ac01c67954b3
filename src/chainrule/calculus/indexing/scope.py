"""Scopes of indices: an index that is bound in one place and free in another is an error."""

from __future__ import annotations

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Entry, Expr, Partial, Total, running, walk

Indices = frozenset[Index]


def scope_complaint(form: Expr) -> str:
    """Return which index of a form is bound twice, or bound and free; empty when none is.

    No numbers are needed: the letters alone decide.

    Parameters
    ----------
    form : Expr
        An index form.

    Examples
    --------
    >>> from chainrule.calculus.graph.dims import Index
    >>> from chainrule.calculus.graph.node import Symbol, entry
    >>> i, x = Index("i", "m"), entry(Symbol("x", ("m", 1)), Index("i", "m"), None)
    >>> scope_complaint(x * Total(i, x))
    'the index i is summed over in one place and free in another: give the sum a letter of its own'
    """
    free: dict[Expr, Indices] = {}
    bound: dict[Expr, Indices] = {}
    for node in walk(form):
        bound[node] = frozenset().union(*(bound[arg] for arg in node.args))
        if isinstance(node, Entry):
            free[node] = frozenset(place for place in node.places if isinstance(place, Index))
        elif isinstance(node, Partial):
            free[node] = running(node.of) | running(node.wrt)
        else:
            free[node] = frozenset().union(*(free[arg] for arg in node.args))
        if isinstance(node, Total):
            if node.index in bound[node]:
                return (
                    f"the index {node.index} is summed over inside a sum over {node.index}: "
                    "give one of them another letter"
                )
            free[node] -= {node.index}
            bound[node] |= {node.index}
        for index in sorted(free[node] & bound[node], key=str):
            return (
                f"the index {index} is summed over in one place and free in another: "
                "give the sum a letter of its own"
            )
    return ""
