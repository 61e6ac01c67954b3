"""A derivation as a fragment of HTML: the board of the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from chainrule.calculus.derivation.curvature import layout_sentence
from chainrule.calculus.derivation.steps import Derivation, Gradient, Hessian, Step
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Expr, Partial, entry
from chainrule.documents.lesson.outline import (
    GradientForm,
    corners,
    derivation_sections,
    first_sentence,
    functions,
    shown_phase,
)
from chainrule.language.typeset import math_element, mathml, spoken, unicode


def as_html(
    derivation: Derivation,
    form: GradientForm = GradientForm.BOTH,
    *,
    prefix: str = "step",
    numbers: Mapping[int, str] | None = None,
) -> str:
    """Write a derivation as one ``<div class="derivation">``.

    Parameters
    ----------
    derivation : Derivation
        The derivation.
    form : GradientForm, optional
        The form of the gradients.
    prefix : str, optional
        Prefix of the ids, which must be unique on a page.
    numbers : mapping of int to str, optional
        HTML with live numbers, by the id of the step.
    """
    return "\n".join(_fragment(derivation, form, prefix, numbers or {}))


def _fragment(
    derivation: Derivation, form: GradientForm, prefix: str, numbers: Mapping[int, str]
) -> Iterator[str]:
    yield '<div class="derivation" data-reveal>'
    yield forward_html(derivation)
    for number, part in enumerate(derivation_sections(derivation, form), start=1):
        yield f'<h3 id="{prefix}-part-{number}">{_words(part.title)}</h3>'
        yield f'<ol class="steps" start="{part.steps[0].id}">'
        for step in part.steps:
            yield f'<li class="step" id="{prefix}-{step.id}" data-phase="{shown_phase(step)}">'
            yield step_html(derivation, step, numbers.get(step.id, ""))
            yield "</li>"
        yield "</ol>"
    yield gradients_html(derivation, form)
    yield "</div>"


def forward_html(derivation: Derivation) -> str:
    """Write the forward pass as a table of names, shapes and meanings."""
    return "\n".join(_forward(derivation))


def step_html(derivation: Derivation, step: Step, numbers: str = "") -> str:
    """Write one step: question, answer, reason, shapes, proof, numbers."""
    return "\n".join(_step(derivation, step, numbers))


def gradients_html(derivation: Derivation, form: GradientForm) -> str:
    """Write the gradients, and what the forward pass must keep for them."""
    return "\n".join(_gradients(derivation, form))


def _forward(derivation: Derivation) -> Iterator[str]:
    model = derivation.model
    yield '<div class="forward"><table class="names"><caption>The forward pass</caption>'
    yield '<thead><tr><th scope="col">name</th><th scope="col">shape</th>'
    yield '<th scope="col">meaning</th></tr></thead><tbody>'
    for symbol in model.inputs:
        yield _row(derivation, symbol, escape(model.notes.get(symbol.name, "")))
    for left, right, said in functions(derivation):
        line = f"<code>{escape(said)}</code>"
        if left is not None and right is not None:
            line = _equation(derivation, left, right, display=False)
        yield f'<tr><th scope="row">function</th><td class="shape"></td><td>{line}</td></tr>'
    for definition in model.definitions:
        line = _equation(derivation, definition.target, definition.value, display=False)
        yield _row(derivation, definition.target, line)
    yield "</tbody></table>"
    for note in derivation.reading:
        yield f'<p class="reading">{_words(note)}</p>'
    if derivation.first is not None:
        yield f"<p>{_words(first_sentence(derivation))}.</p>"
    yield "</div>"


def _row(derivation: Derivation, symbol: Expr, meaning: str) -> str:
    name = math_element(mathml(symbol, derivation.model), spoken(symbol), display=False)
    return (
        f'<tr><th scope="row">{name}</th><td class="shape">{written(symbol.shape)}</td>'
        f"<td>{meaning}</td></tr>"
    )


def _step(derivation: Derivation, step: Step, numbers: str) -> Iterator[str]:
    if step.question is not None:
        asked = mathml(step.question, derivation.model) + "<mo>=</mo><mo>?</mo>"
        aloud = f"{spoken(step.question)} equals what?"
        yield f'<div class="question">{math_element(asked, aloud)}</div>'
    yield f'<div class="answer">{_equation(derivation, step.left, step.after)}</div>'
    yield f'<p class="why"><b class="rule">{_words(step.rule)}</b> {_words(step.why)}.</p>'
    if step.shapes:
        listed = ", ".join(f"{escape(name)} {written(shape)}" for name, shape in step.shapes)
        yield f'<p class="shapes">{listed}</p>'
    if step.check is not None:
        yield f'<p class="check">{escape(str(step.check))}</p>'
    if numbers:
        yield f'<div class="numbers">{numbers}</div>'


def _gradients(derivation: Derivation, form: GradientForm) -> Iterator[str]:
    objective = derivation.model.objective
    yield '<div class="gradients"><h3>The gradients</h3>'
    for symbol, gradient in derivation.layers.items():
        yield from _gradient(derivation, symbol, gradient, form)
    for gradient in derivation.gradients.values():
        yield from _gradient(derivation, Partial(objective, gradient.variable), gradient, form)
    for hessian in derivation.hessians.values():
        yield from _hessian(derivation, hessian, form)
    keep = ", ".join(unicode(symbol) for symbol in derivation.cache) or "nothing"
    yield f'<p class="cache">The forward pass must keep: {escape(keep)}.</p>'
    for said in corners(derivation):
        yield f'<p class="cache">{_words(said)}.</p>'
    yield "</div>"


def _gradient(
    derivation: Derivation, left: Expr, gradient: Gradient, form: GradientForm
) -> Iterator[str]:
    shape = written(gradient.variable.shape)
    if form is not GradientForm.INDEX and gradient.matrix is not None:
        yield f'<div class="gradient">{_equation(derivation, left, gradient.final)}'
        if gradient.opened is not None:
            by_layers = mathml(gradient.matrix, derivation.model)
            line = math_element(by_layers, spoken(gradient.matrix), display=False)
            yield f'<p class="shape">by layers: {line}</p>'
        yield f'<p class="shape">shape {shape}, as {escape(gradient.variable.name)}</p></div>'
    if gradient.asked is not None:
        line = math_element(mathml(gradient.asked, derivation.model), spoken(gradient.asked))
        yield f'<div class="gradient">{line}<p class="shape">entry {gradient.place}</p></div>'
    if form is GradientForm.INDEX or gradient.matrix is None:
        places = "".join(str(p) for p in gradient.places if p is not None)
        line = math_element(mathml(gradient.index, derivation.model), spoken(gradient.index))
        why = f" {escape(gradient.no_matrix_form)}" if gradient.no_matrix_form else ""
        yield f'<div class="gradient">{line}<p class="shape">entry {places}.{why}</p></div>'


def _hessian(derivation: Derivation, hessian: Hessian, form: GradientForm) -> Iterator[str]:
    assert derivation.first is not None
    whole = form is not GradientForm.INDEX and hessian.matrix is not None
    left = hessian.symbol if whole else entry(hessian.symbol, hessian.row, hessian.col)
    right = hessian.matrix if whole and hessian.matrix is not None else hessian.index
    layout = layout_sentence(hessian, derivation.first.model.objective)
    yield f'<div class="gradient">{_equation(derivation, left, right)}'
    yield f'<p class="shape">{_words(layout)}.</p></div>'


def _equation(derivation: Derivation, left: Expr, right: Expr, *, display: bool = True) -> str:
    model = derivation.model
    inside = f"{mathml(left, model)}<mo>=</mo>{mathml(right, model)}"
    return math_element(inside, f"{spoken(left)} equals {spoken(right)}", display=display)


def _words(text: str) -> str:
    return escape(text)
