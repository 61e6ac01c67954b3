"""The short page of a derivation: the forward pass, the factors, the gradients, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from chainrule.calculus.derivation.steps import Derivation, Gradient, Phase, Step
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Entry, Expr, Partial, Symbol, entry, partials, running
from chainrule.documents.lesson.as_html import forward_html
from chainrule.documents.lesson.as_text import forward_lines, wrapped
from chainrule.documents.lesson.outline import GradientForm, corners
from chainrule.documents.page import Section, render_page
from chainrule.language.typeset import math_element, mathml, spoken, unicode


@dataclass(frozen=True)
class BriefLine:
    """One line of the page.

    Parameters
    ----------
    sides : tuple of Expr
        What is equal, from left to right: a factor and its answer; a gradient, its chain rule and
        its form.
    rule : str
        The rule behind a factor, or what is to be said of a gradient.
    shape : str
        The shape of a gradient.
    steps : tuple of Step
        The steps whose shapes and certificates belong to the line.
    """

    sides: tuple[Expr, ...]
    rule: str
    shape: str
    steps: tuple[Step, ...]


def factor_lines(derivation: Derivation) -> Iterator[BriefLine]:
    """Yield the answers to the factors of the chain rule, in order."""
    objective = derivation.model.objective
    direct = {Partial(objective, entry(g.variable, *g.places)) for g in _gradients(derivation)}
    asked = {p for s in derivation.steps if s.phase is Phase.CHAIN for p in partials(s.after)}
    for step in derivation.steps:
        chained = step.question in asked or _entrywise(step.question) in asked
        if step.question is None or step.concludes or (step.question in direct and not chained):
            continue  # a factor that is a whole gradient is among the gradients
        yield BriefLine((step.question, step.after), step.rule, "", (step,))


def gradient_lines(
    derivation: Derivation, form: GradientForm = GradientForm.BOTH
) -> Iterator[BriefLine]:
    """Yield the gradients, those of the layers first, each with its chain rule."""
    objective = derivation.model.objective
    named: list[tuple[Expr | None, Gradient]] = list(derivation.layers.items())
    named += [(None, gradient) for gradient in derivation.gradients.values()]
    for name, gradient in named:
        about = [s for s in derivation.steps if _is_about(s, derivation, gradient)]
        by_entry = form is GradientForm.INDEX or gradient.matrix is None
        at = Partial(objective, entry(gradient.variable, *gradient.places))
        one = at if name is None else entry(name, *gradient.places)
        whole = Partial(objective, gradient.variable) if name is None else name
        sides: list[Expr] = [one if by_entry else whole]
        chain = next((s.after for s in about if s.phase is Phase.CHAIN and s.factors), None)
        if chain is not None and running(chain) and not by_entry:
            yield BriefLine((one, chain), "", "", ())
        elif chain is not None:
            sides.append(chain)
        if gradient.opened is not None and gradient.matrix is not None and not by_entry:
            sides.append(gradient.matrix)
        sides.append(gradient.index if by_entry else gradient.final)
        last = tuple(s for s in about if s.concludes or s.phase is Phase.OPENED)
        shape = written(gradient.variable.shape)
        yield BriefLine(tuple(dict.fromkeys(sides)), gradient.no_matrix_form, shape, last)


def brief_text(
    derivation: Derivation, form: GradientForm = GradientForm.BOTH, *, proofs: bool = False
) -> str:
    """Return the short page for the terminal; with `proofs`, shapes and certificates too."""
    return "\n".join(_text(derivation, form, proofs)) + "\n"


def brief_page(derivation: Derivation, form: GradientForm = GradientForm.BOTH) -> str:
    """Return the short page as one HTML file; shapes and proofs fold open."""
    title = derivation.model.title or "A derivation"
    body = "\n".join(_html(derivation, form))
    return render_page(
        title[:1].upper() + title[1:],
        _closing(derivation),
        [Section("derivation", "The derivation in brief", body)],
    )


def _text(derivation: Derivation, form: GradientForm, proofs: bool) -> Iterator[str]:
    yield from forward_lines(derivation)
    factors = list(factor_lines(derivation))
    if factors:
        yield ""
        yield "The factors"
    for line in factors:
        yield from _text_line(line, proofs)
    yield ""
    yield "The gradients"
    for line in gradient_lines(derivation, form):
        yield from _text_line(line, proofs)
    for said in corners(derivation):
        yield from wrapped(said, "", 2)
    yield ""
    yield from wrapped(_closing(derivation), "", 0)


def _text_line(line: BriefLine, proofs: bool) -> Iterator[str]:
    left, *rights = (unicode(side) for side in line.sides)
    tail = f"   {line.shape}" if line.shape else f"   ({line.rule})" if line.rule else ""
    together = f"{left} = {' = '.join(rights)}{tail}"
    if len(together) <= 72 or len(rights) == 1:
        yield from wrapped(together, "  ", 8)
    else:
        yield from wrapped(f"{left} = {rights[0]}", "  ", 8)
        for k, right in enumerate(rights[1:], start=2):
            ends = tail if k == len(rights) else ""
            yield from wrapped(f"= {right}{ends}", " " * (len(left) + 3), len(left) + 5)
    if line.shape and line.rule:
        yield from wrapped(line.rule, "      ", 6)
    if proofs:
        for said in _evidence(line):
            yield from wrapped(said, "      ", 8)


def _evidence(line: BriefLine) -> Iterator[str]:
    """Yield the shapes on a line, and its certificates."""
    for step in line.steps:
        if step.shapes:
            shapes = ", ".join(f"{name} {written(shape)}" for name, shape in step.shapes)
            yield f"shapes: {shapes}"
        if step.check is not None:
            yield f"✓ {step.check}"


def _html(derivation: Derivation, form: GradientForm) -> Iterator[str]:
    yield '<div class="derivation">'
    yield forward_html(derivation)
    factors = list(factor_lines(derivation))
    if factors:
        yield "<h3>The factors</h3>"
        for line in factors:
            yield from _html_line(derivation, line)
    yield "<h3>The gradients</h3>"
    for line in gradient_lines(derivation, form):
        yield from _html_line(derivation, line)
    for said in corners(derivation):
        yield f'<p class="cache">{escape(said)}.</p>'
    yield "</div>"


def _html_line(derivation: Derivation, line: BriefLine) -> Iterator[str]:
    inside = "<mo>=</mo>".join(mathml(side, derivation.model) for side in line.sides)
    aloud = " equals ".join(spoken(side) for side in line.sides)
    yield f'<div class="gradient">{math_element(inside, aloud)}'
    note = f"shape {line.shape}" if line.shape else line.rule
    note += f"; {line.rule}" if line.shape and line.rule else ""
    yield f'<p class="shape">{escape(note)}</p>'
    said = [f'<p class="check">{escape(text)}</p>' for text in _evidence(line)]
    if said:
        yield f"<details><summary>Shapes and proof</summary>{''.join(said)}</details>"
    yield "</div>"


def _closing(derivation: Derivation) -> str:
    certified = ", every one certified" if derivation.proven else ""
    return f"{len(derivation.steps)} steps stand behind this page{certified}."


def _gradients(derivation: Derivation) -> Iterator[Gradient]:
    yield from derivation.layers.values()
    yield from derivation.gradients.values()


def _is_about(step: Step, derivation: Derivation, gradient: Gradient) -> bool:
    """Whether a step is about the objective's derivative with respect to a variable."""
    left = step.left
    if not isinstance(left, Partial) or left.of is not derivation.model.objective:
        return False
    return _matrix(left.wrt) is gradient.variable


def _matrix(side: Expr) -> Expr:
    return side.matrix if isinstance(side, Entry) else side


def _entrywise(question: Expr | None) -> Expr | None:
    """Return a question with its variable as a whole, as the first line of a chain has it."""
    if isinstance(question, Partial) and isinstance(_matrix(question.wrt), Symbol):
        return Partial(question.of, _matrix(question.wrt))
    return None


__all__ = ["BriefLine", "brief_page", "brief_text", "factor_lines", "gradient_lines"]
