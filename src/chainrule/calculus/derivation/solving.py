"""Definitions solved for the function in them: a density or a probability is called by its name.

With ``f = exp(-u^2/2)/s``, the exponential in a gradient is ``s f``; with ``p = 1 - exp(-t)`` it is
``1 - p``. A sum that stands below a line, as in the slope of ``log(a f + (1 - a) g)``, is written
as the author wrote it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chainrule.calculus.derivation.folding import FOLD, entries_of, is_function, places
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, running, symbols, walk
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_cell
from chainrule.calculus.ops import add, div, mul, neg, replace
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.rule import Fired, is_op
from chainrule.calculus.rewriting.signs import positive_first
from chainrule.calculus.rewriting.simplification import JOIN

MOST_FUNCTIONS = 3
"""The functions of one definition for which it is solved."""


def solved(form: Expr, model: Model, shorten: Callable[[Expr], Expr]) -> tuple[Expr, list[Fired]]:
    """Call functions by the definitions that are made of them, where that is shorter.

    Parameters
    ----------
    form : Expr
        An index form.
    model : Model
        The forward pass.
    shorten : callable
        Shortens an index form.

    Returns
    -------
    short : Expr
        The form with names, or the form itself.
    fired : list of Fired
        The steps.
    """
    fired: list[Fired] = []
    kinds = {node.op for node in walk(form) if isinstance(node, Apply) and is_function(node)}
    for target, value in model.values.items():
        for inner, inverse in _inverses(value, target):
            beside = symbols(inverse) - {target}
            if inner.op not in kinds or beside & model.values.keys():
                continue
            found = entries_of(form, inner, target)
            letters = Letters({dim for s in model.symbols for dim in s.shape}, running(form))
            named = replace(
                form, {node: read_cell(inverse, at, letters) for node, at in found.items()}
            )
            short = shorten(named) if found else form
            if display_cost(short) < display_cost(form):
                fired += [Fired(FOLD, form, named), Fired(JOIN, named, short)]
                form = short
    return form, [step for step in fired if step.before is not step.after]


def _inverses(value: Expr, target: Symbol) -> Iterator[tuple[Apply, Expr]]:
    """Yield the functions in a definition, each with what it is in terms of the name."""
    if isinstance(value, Apply) and is_function(value):
        return  # the name itself is that function
    waiting: list[tuple[Apply, Expr]] = [(value, target)] if isinstance(value, Apply) else []
    count = 0
    while waiting:
        node, known = waiting.pop()
        if is_function(node) and node.op.elementwise and node.shape == target.shape:
            yield node, known
            count += 1
            if count == MOST_FUNCTIONS:
                return
        for arg in dict.fromkeys(node.args):
            if not isinstance(arg, Apply):  # holds no function
                continue
            rest = [other for other in node.args if other is not arg]
            if len(rest) != len(node.args) - 1 or node.shape != target.shape:
                continue
            if is_op(node, "neg"):
                inside = known.args if is_op(known, "add") else (known,)
                waiting.append((arg, positive_first([neg(term) for term in inside])))
            elif is_op(node, "add"):
                waiting.append((arg, add(known, *map(neg, rest))))
            elif is_op(node, "mul"):
                waiting.append((arg, div(known, mul(*rest))))
            elif is_op(node, "div") and arg is node.args[0]:
                waiting.append((arg, mul(known, node.args[1])))


def as_written(form: Expr, model: Model) -> dict[Expr, Expr]:
    """Return the sums below a line that the forward pass writes otherwise, each as it is there."""
    below = {
        part
        for node in walk(form)
        if is_op(node, "div")
        for part in walk(node.args[1])
        if is_op(part, "add")
    }
    mapping: dict[Expr, Expr] = {}
    for part in below:
        for cell in _sums_below(model, part):
            for sign in (1, -1):
                if cell is not part and normal_form(add(part, mul(-sign, cell))) is Number(0):
                    mapping[part] = mul(sign, cell)
    return mapping


def _sums_below(model: Model, part: Expr) -> Iterator[Expr]:
    """Yield the entries of sums that a slope of the forward pass divides by."""
    letters = Letters({dim for s in model.symbols for dim in s.shape}, running(part))
    for value in model.values.values():
        for node in walk(value):
            inner = node.args[-1] if is_op(node, "log") or is_op(node, "div") else node
            while is_op(inner, "broadcast"):
                inner = inner.args[0]
            if inner is node or not is_op(inner, "add"):
                continue
            for at in places(Symbol("the sum", inner.shape), running(part)):
                cell = read_cell(inner, at, letters)
                if symbols(cell) == symbols(part):
                    yield cell


__all__ = ["as_written", "solved"]
