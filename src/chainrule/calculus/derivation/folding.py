"""Folding: expressions in a gradient that equal a definition are replaced by its name.

A normalised value ``H = (X - mean(X))/s`` occurs in its own gradient as ``X - mean(X)`` and
powers of ``s``. Written with ``H`` again, and with ``1/s`` taken out, this is the one-line form.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import product

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Position,
    Positions,
    Symbol,
    Total,
    entry,
    running,
    transform,
    walk,
)
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_cell
from chainrule.calculus.ops import TABLE, mul, renamed, replace
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.rule import Fired, Label
from chainrule.calculus.rewriting.shortening import GATHER, ROOT_SQUARED
from chainrule.calculus.rewriting.sums import COMMON, LEAVE, POSITIVE, one_letter

FOLD = Label("by its name", "what a definition stands for is written by its name again")


def folded(form: Expr, model: Model) -> tuple[Expr, list[Fired]]:
    """Replace quotients by their names in the forward pass, where that is shorter.

    Parameters
    ----------
    form : Expr
        An index form.
    model : Model
        The forward pass whose names are used.

    Returns
    -------
    short : Expr
        The folded form, or the form itself.
    fired : list of Fired
        The steps.
    """
    for target, value in model.values.items():
        if isinstance(value, Apply) and value.op is TABLE["div"]:
            short, fired = _folded(form, target, value)
            if display_cost(short) < display_cost(form):
                return short, fired
    return form, []


def called(form: Expr, model: Model) -> tuple[Expr, list[Fired]]:
    """Call values that no definition on the way has named by their names in the forward pass.

    ``softmax(D)`` is ``R`` where the author defined ``R = softmax(D)`` and went on without it.
    """
    fired: list[Fired] = []
    kinds = {node.op for node in walk(form) if isinstance(node, Apply) and is_function(node)}
    for target, value in model.values.items():
        if not (isinstance(value, Apply) and value.op in kinds and is_function(value)):
            continue
        found: dict[Expr, Expr] = {value: target}
        if value.op.elementwise:
            found = {
                node: entry(target, *place)
                for node, place in entries_of(form, value, target).items()
            }
        after = replace(form, found)
        if after is not form:
            fired.append(Fired(FOLD, form, after))
            form = after
    return form, fired


def is_function(node: Apply) -> bool:
    """Whether an operation is a function with a name, such as a softmax."""
    return node.op.notation.layout is Layout.FUNCTION and bool(node.args)


def _folded(form: Expr, target: Symbol, value: Apply) -> tuple[Expr, list[Fired]]:
    top, bottom = value.args[0], _unspread(value.args[1])
    scale = Symbol("the scale", bottom.shape)
    scales = entries_of(form, bottom, scale)
    # The scale is closed while the numerator is looked for: it may well contain it.
    closed = replace(form, {node: entry(scale, *place) for node, place in scales.items()})
    found = entries_of(closed, top, target)
    if not scales or not found:
        return form, []
    opened: dict[Expr, Expr] = {entry(scale, *place): node for node, place in scales.items()}
    mapping: dict[Expr, Expr] = {}
    for node, place in found.items():
        sized = zip(scale.shape, place, strict=True)
        at = entry(scale, *(None if dim == 1 else index for dim, index in sized))
        if at not in opened:
            opened[at] = _scale_at(opened, at)
        mapping[node] = entry(target, *place) * at
    fired: list[Fired] = []
    current = form
    for rule, after in _after(replace(closed, mapping)):
        shown = replace(after, opened)
        if shown is not current:
            fired.append(Fired(rule, current, shown))
            current = shown
    bare = transform(current, lambda e: ROOT_SQUARED.becomes(e) or e)
    if bare is not current:
        fired.append(Fired(ROOT_SQUARED, current, bare))
    return bare, fired


def _scale_at(opened: dict[Expr, Expr], at: Expr) -> Expr:
    """Return the scale at another place, from that at a known one."""
    known, node = next(iter(opened.items()))
    assert isinstance(known, Entry)
    assert isinstance(at, Entry)
    for old, new in zip(known.places, at.places, strict=True):
        if isinstance(old, Index) and old != new:
            node = renamed(node, old, new)
    return node


def _after(form: Expr) -> Iterator[tuple[Label, Expr]]:
    """Yield the steps after a folded form, one after another."""
    yield FOLD, form
    sums = [node for node in walk(form) if isinstance(node, Total)]
    form = replace(form, {s: left for s in sums if (left := LEAVE.becomes(s)) is not None})
    yield LEAVE, form
    form = transform(form, lambda e: GATHER.becomes(e) or e)
    yield GATHER, form
    form = COMMON.becomes(form) or form
    yield COMMON, form
    yield POSITIVE, transform(form, lambda e: POSITIVE.becomes(e) or e)


def entries_of(form: Expr, matrix: Expr, named: Symbol) -> dict[Expr, Positions]:
    """Return the entries of a matrix form in an index form, each with its place."""
    if isinstance(matrix, Symbol):
        cells = [node for node in walk(form) if isinstance(node, Entry)]
        return {cell: cell.places for cell in cells if cell.matrix is matrix}
    if not isinstance(matrix, Apply):
        return {}
    dims = {dim for node in walk(form) for dim in node.shape} | set(matrix.shape)
    found: dict[Expr, Positions] = {}
    for node in walk(form):
        if isinstance(node, Apply) and node.op is matrix.op:
            for place in places(named, running(node)):
                read = read_cell(matrix, place, Letters(dims, running(node)))
                if same_sums(node, read):
                    found[node] = place
    return found


def _unspread(expr: Expr) -> Expr:
    spread = isinstance(expr, Apply) and expr.op is TABLE["broadcast"]
    return expr.args[0] if spread else expr


def places(target: Symbol, indices: Iterable[Index]) -> Iterator[Positions]:
    """Yield the entries of a matrix that an expression in these indices can contain."""
    known = list(indices)

    def options(dim: object) -> list[Position]:
        return [None] if dim == 1 else [i for i in known if i.dim == dim]

    for at in product(*(options(dim) for dim in target.shape)):
        if set(at) - {None} == set(known):
            yield at


def same_sums(a: Expr, b: Expr) -> bool:
    """Whether two index forms differ only in the letters of their sums."""
    both = one_letter(mul(a, b))
    return isinstance(both, Apply) and len(both.args) == 2 and both.args[0] is both.args[1]


__all__ = ["FOLD", "called", "entries_of", "folded", "is_function", "places", "same_sums"]
