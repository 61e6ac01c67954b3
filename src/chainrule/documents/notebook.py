"""Models, gradients and derivations in notebooks, as HTML and as LaTeX."""

from __future__ import annotations

from functools import singledispatch

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.documents.blocks import Block, Equation, NameRow, Names, Remark, Result
from chainrule.documents.lesson.building import board_of, titled
from chainrule.documents.renderers import notebook


def as_html(shown: object) -> str:
    """Return a value as HTML for a notebook."""
    return notebook.html(blocks_of(shown), _model(shown))


def as_latex(shown: object) -> str:
    """Return a value as LaTeX for a notebook."""
    return notebook.tex(blocks_of(shown))


@singledispatch
def blocks_of(shown: object) -> tuple[Block, ...]:
    """Return a value as blocks."""
    raise TypeError(f"no display for {type(shown).__name__}")


@blocks_of.register
def _(shown: Model) -> tuple[Block, ...]:
    rows = [NameRow(s, written(s.shape), text=shown.notes.get(s.name, "")) for s in shown.inputs]
    rows += [NameRow(d.target, written(d.target.shape), d.value) for d in shown.definitions]
    return (Names(titled(shown.title or "A forward pass"), tuple(rows)),)


@blocks_of.register
def _(shown: Gradient) -> tuple[Block, ...]:
    form = shown.index if shown.matrix is None else shown.matrix
    remarks = (Remark(shown.no_matrix_form),) if shown.no_matrix_form else ()
    variable = shown.variable
    return (Result(Equation((form,)), written(variable.shape), variable.name, remarks),)


@blocks_of.register
def _(shown: Derivation) -> tuple[Block, ...]:
    return (board_of(shown),)


def _model(shown: object) -> Model | None:
    if isinstance(shown, Derivation):
        return shown.model
    return shown if isinstance(shown, Model) else None
