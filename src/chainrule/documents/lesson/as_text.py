"""A derivation for the terminal: Unicode, within 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from chainrule.calculus.derivation.curvature import layout_sentence
from chainrule.calculus.derivation.lines import fixed
from chainrule.calculus.derivation.steps import Claim, Derivation, Gradient, Hessian, Step
from chainrule.calculus.graph.dims import Index, written
from chainrule.calculus.graph.node import Expr, Partial, entry
from chainrule.documents.lesson.outline import (
    GradientForm,
    corners,
    derivation_sections,
    first_sentence,
    functions,
)
from chainrule.language.typeset import unicode

WIDTH = 80


def as_text(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> str:
    """Write a whole derivation."""
    return "\n".join(lines(derivation, form)) + "\n"


def lines(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> Iterator[str]:
    """Yield a derivation line by line: the forward pass, the derivation_sections, the gradients."""
    yield from forward_lines(derivation)
    for part in derivation_sections(derivation, form):
        yield ""
        yield part.title
        for step in part.steps:
            yield from step_lines(step)
    yield ""
    yield from summary_lines(derivation, form)


def forward_lines(derivation: Derivation) -> Iterator[str]:
    """Yield the forward pass with its shapes."""
    model = derivation.model
    yield model.title or "Forward pass"
    for symbol in model.inputs:
        note = model.notes.get(symbol.name, "")
        yield f"  {unicode(symbol)} : {written(symbol.shape)}" + (f"   {note}" if note else "")
    for left, right, said in functions(derivation):
        shown = said if left is None or right is None else f"{unicode(left)} = {unicode(right)}"
        yield from wrapped(shown, "  ", 8)
    for definition in model.definitions:
        shape = written(definition.target.shape)
        yield from wrapped(
            f"{unicode(definition.target)} = {unicode(definition.value)}   {shape}", "  ", 8
        )
    for note in derivation.reading:
        yield from wrapped(note, "  ", 8)
    if derivation.first is not None:
        yield from wrapped(first_sentence(derivation), "  ", 2)


def step_lines(step: Step) -> Iterator[str]:
    """Yield one step: what is asked, the answer, the reason, the proof."""
    yield from question_lines(step)
    yield from answer_lines(step)


def question_lines(step: Step) -> Iterator[str]:
    """Yield what a step asks, where it asks something."""
    if step.question is not None:
        yield f"{step.id:3}  {unicode(step.question)} = ?"


def answer_lines(step: Step) -> Iterator[str]:
    """Yield what a step says."""
    left = unicode(step.left)
    head = f"{step.id:3}  " if step.question is None else "     "
    for line in wrapped(f"{left} = {unicode(step.after)}", "", 10):
        yield head + line
        head = "     "
    yield from reason_lines(step)


def reason_lines(step: Step) -> Iterator[str]:
    """Yield the rule, the reason and the proof of a step."""
    yield from wrapped(f"{step.rule}: {step.why}", "       ", 7)
    if step.shapes:
        shapes = ", ".join(f"{name} {written(shape)}" for name, shape in step.shapes)
        yield from wrapped(f"shapes: {shapes}", "       ", 9)
    if step.check is not None:
        yield from wrapped(f"✓ {step.check}", "       ", 9)


def summary_lines(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> Iterator[str]:
    """Yield the gradients, the layers they rest on, and what to cache."""
    objective = derivation.model.objective
    yield "The gradients: each has the shape of its variable"
    for symbol, gradient in derivation.layers.items():
        yield from _gradient_lines(symbol, gradient, form)
    for gradient in derivation.gradients.values():
        yield from _gradient_lines(Partial(objective, gradient.variable), gradient, form)
    for hessian in derivation.hessians.values():
        yield from _hessian_lines(derivation, hessian, form)
    keep = ", ".join(unicode(symbol) for symbol in derivation.cache)
    yield ""
    yield f"The forward pass must keep: {keep or 'nothing'}"
    for said in corners(derivation):
        yield from wrapped(said, "", 2)
    if derivation.proven:
        shown = sum(len(part.steps) for part in derivation_sections(derivation, form))
        exact = sum(s.claim in (Claim.EQUAL, Claim.OPENED) for s in derivation.steps)
        judged = len(derivation.steps) - exact
        some = "" if shown == len(derivation.steps) else f"{shown} of "
        yield (
            f"{some}{len(derivation.steps)} steps, every one certified: {exact} equalities, "
            f"{judged} derivatives"
        )


def _gradient_lines(whole: Expr, gradient: Gradient, form: GradientForm) -> Iterator[str]:
    shape = written(gradient.variable.shape)
    at = left_entry(whole, gradient)
    if form is not GradientForm.INDEX and gradient.matrix is not None:
        yield from wrapped(f"{unicode(whole)} = {unicode(gradient.final)}   {shape}", "  ", 8)
        if gradient.opened is not None:
            yield from wrapped(f"by layers: {unicode(gradient.matrix)}", "      ", 12)
    elif form is not GradientForm.INDEX:
        yield from wrapped(f"{unicode(whole)}: {gradient.no_matrix_form}", "  ", 8)
    if form is GradientForm.INDEX:
        yield from wrapped(f"{unicode(at)} = {unicode(gradient.index)}   of {shape}", "  ", 8)
    elif form is GradientForm.BOTH and at is not whole:
        places = "".join(str(p) for p in gradient.places if p is not None)
        yield from wrapped(f"entry {places}: {unicode(gradient.index)}", "      ", 12)
    if gradient.asked is not None and gradient.place is not None:
        index = next(p for p in gradient.places if isinstance(p, Index))
        asked = f"{unicode(fixed(at, index, gradient.place))} = {unicode(gradient.asked)}"
        yield from wrapped(asked, "  ", 8)


def _hessian_lines(derivation: Derivation, hessian: Hessian, form: GradientForm) -> Iterator[str]:
    shape = written(hessian.symbol.shape)
    at = entry(hessian.symbol, hessian.row, hessian.col)
    if form is not GradientForm.INDEX and hessian.matrix is not None:
        line = f"{unicode(hessian.symbol)} = {unicode(hessian.matrix)}   {shape}"
        yield from wrapped(line, "  ", 8)
    elif form is not GradientForm.INDEX:
        yield from wrapped(f"{unicode(hessian.symbol)}: {hessian.no_matrix_form}", "  ", 8)
    if form is not GradientForm.MATRIX and at is not hessian.symbol:
        line = f"{unicode(at)} = {unicode(hessian.index)}"
        yield from wrapped(line, "      ", 12)
    assert derivation.first is not None
    objective = derivation.first.model.objective
    yield from wrapped(layout_sentence(hessian, objective), "      ", 6)


def left_entry(whole: Expr, gradient: Gradient) -> Expr:
    """Return the left side of a gradient's index form."""
    place = gradient.places
    if isinstance(whole, Partial):
        return Partial(whole.of, entry(gradient.variable, *place))
    return entry(whole, *place)


def wrapped(text: str, indent: str, hang: int) -> list[str]:
    """Break a line to the width of the page; `hang` spaces begin what follows."""
    return textwrap.wrap(
        text,
        WIDTH - 5,
        initial_indent=indent,
        subsequent_indent=" " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )


__all__ = ["answer_lines", "as_text", "lines", "question_lines", "summary_lines", "wrapped"]
