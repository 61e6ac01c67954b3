"""Models, derivations, grades, certificates and fits in notebooks, as HTML and as LaTeX."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import singledispatch
from typing import Any

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.documents.blocks import (
    Block,
    Equation,
    NameRow,
    Names,
    Prose,
    Remark,
    Result,
    Style,
    Styled,
    prose,
)
from chainrule.documents.lesson.building import board_of, titled
from chainrule.documents.renderers import notebook
from chainrule.teaching.marking.verdicts import Grade


def as_html(shown: object) -> str:
    """Return a value as HTML for a notebook."""
    return notebook.html(blocks_of(shown), _model(shown))


def as_latex(shown: object) -> str:
    """Return a value as LaTeX for a notebook."""
    return notebook.tex(blocks_of(shown))


@singledispatch
def blocks_of(shown: object) -> tuple[Block, ...]:
    """Return a value as blocks."""
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(shown).__mro__}
    for kind, build in _BUILDERS.items():
        if kind in kinds:
            return tuple(build(shown))
    raise TypeError(f"no display for {type(shown).__name__}")


def _audit(shown: Any) -> Iterator[Block]:  # noqa: ANN401
    from chainrule.documents.audits import audit_blocks

    return audit_blocks(shown)


def _certificate(shown: Any) -> Iterator[Block]:  # noqa: ANN401
    from chainrule.documents.fits import certificate_blocks

    return certificate_blocks(shown)


def _fit(shown: Any) -> Iterator[Block]:  # noqa: ANN401
    from chainrule.documents.fits import fit_blocks

    return fit_blocks(shown)


_BUILDERS: Mapping[str, Callable[[Any], Iterator[Block]]] = {
    "chainrule.engine.certificates.certificate.Certificate": _certificate,
    "chainrule.teaching.grading.audit.Audit": _audit,
    "chainrule.tables.fitting.FittedTable": _fit,
    "chainrule.tables.fitting_regression.FittedRegression": _fit,
}
"""Builders for classes whose packages are heavy, by name: a formula needs no numerical library."""


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


@blocks_of.register
def _(shown: Grade) -> tuple[Block, ...]:
    """Return the feedback of a grade, without the right answer."""
    verdict = shown.verdict.replace("_", " ")
    found: list[Block] = [Prose((Styled(titled(verdict), Style.STRONG),))]
    if shown.understood and shown.verdict != "unreadable":
        found.append(Prose(("Understood as ", Styled(shown.understood, Style.CODE))))
    if not shown.correct:
        told = shown.lines if shown.verdict.startswith("wrong") else [shown.said]
        found += [prose(line) for line in told if line]
    return tuple(found)


def _model(shown: object) -> Model | None:
    if isinstance(shown, Derivation):
        return shown.model
    return shown if isinstance(shown, Model) else None
