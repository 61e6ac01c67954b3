r"""Derivatives of expressions outside the forward pass: ``∂ log p_i/∂z_k``, ``∂²J/∂w_j∂w_k``.

An index form is differentiated term by term: a sum by its terms, a function by its slope times that
of its argument, an entry of a value by the reverse sweep.
"""

from __future__ import annotations

from dataclasses import replace

from chainrule.calculus.derivation.sensitivity import entry_by_entry, on_paths
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Position, Symbol, Total
from chainrule.calculus.ops import add, mul
from chainrule.teaching.marking.line_context import LineContext

Place = tuple[Position, Position]


def slope(context: LineContext, form: Expr, wrt: Symbol, at: Place) -> Expr:
    """Return the derivative of a number, as an index form, with respect to an entry.

    Parameters
    ----------
    context : LineContext
        Of the line.
    form : Expr
        The number.
    wrt : Symbol
        The variable.
    at : (row, column)
        Its entry.
    """
    match form:
        case Number():
            return Number(0)
        case Total():
            return Total(form.index, slope(context, form.args[0], wrt, at))
        case Symbol(shape=shape) if shape == SCALAR:
            return _of_entry(context, form, (None, None), wrt, at)
        case Entry(matrix=Symbol() as matrix):
            return _of_entry(context, matrix, (form.row, form.col), wrt, at)
        case Entry():
            return slope(context, context.opened(form.matrix, form.row, form.col), wrt, at)
        case Apply() if all(part.shape == SCALAR for part in form.args) and form.shape == SCALAR:
            slopes = form.op.vjp(Number(1), form, form.args, form.attrs)
            terms = [
                mul(factor, slope(context, part, wrt, at))
                for factor, part in zip(slopes, form.args, strict=True)
            ]
            return add(*terms) if terms else Number(0)
    return _of_whole(context, form, wrt, at)


def _of_entry(context: LineContext, of: Symbol, of_at: Place, wrt: Symbol, at: Place) -> Expr:
    model = context.model
    if of is not wrt and wrt not in on_paths(model, of, wrt):
        return Number(0)
    return context.partial(of, of_at, wrt, at)


def _of_whole(context: LineContext, form: Expr, wrt: Symbol, at: Place) -> Expr:
    """Differentiate what holds whole matrices as a value of its own."""
    target = Symbol("⟨part⟩", form.shape)
    model = context.model
    within = replace(model, definitions=(*model.definitions, Definition(target, form)))
    if wrt not in on_paths(within, target, wrt):
        return Number(0)
    return entry_by_entry(within, target, (None, None), wrt, at, context.letters)
