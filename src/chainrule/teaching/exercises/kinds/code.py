"""Questions about code: read it as mathematics, write mathematics as code."""

from __future__ import annotations

import re

from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import written
from chainrule.deriving import derive
from chainrule.errors import ChainruleError
from chainrule.language.codegen import module_text
from chainrule.teaching.exercises.content import Code, Content, Equation, Prose
from chainrule.teaching.exercises.kinds.formulas import formula_key, gradient_hints, solution
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.sections import GradientSection

_BACKWARD = re.compile(r"^def backward\(.*?\n(?=\n\n)", re.MULTILINE | re.DOTALL)
_DOCSTRING = re.compile(r'^    """.*?"""\n', re.MULTILINE | re.DOTALL)


def code_to_maths(subject: Subject) -> Question | None:
    """Ask for the gradient that backward code computes."""
    section = subject.variable()
    code = _backward(subject, section)
    if code is None:
        return None
    prompt: Content = (
        Prose("This code computes a gradient:"),
        Code(code),
        Prose("Write it as on the board, in one line:"),
        Equation(subject.whole(section), None),
    )
    return _question(subject, section, "code-to-maths", "maths", prompt, code)


def maths_to_code(subject: Subject) -> Question | None:
    """Show a gradient, and ask for it as an expression in NumPy."""
    section = subject.variable()
    code = _backward(subject, section)
    if code is None:
        return None
    prompt: Content = (
        *subject.naming([section.answer]),
        subject.gradient(section),
        Prose(
            f"Write it as one expression in NumPy; the shape of {section.variable.name} is "
            f"{written(section.variable.shape)}."
        ),
    )
    return _question(subject, section, "maths-to-code", "code", prompt, code)


def _question(
    subject: Subject, section: GradientSection, kind: str, reader: str, prompt: Content, code: str
) -> Question:
    return Question(
        subject.exercise,
        kind,
        subject.exercise.model,
        prompt,
        formula_key(subject.exercise.model, section, reader),
        gradient_hints(subject, section),
        (*solution(subject, section), Code(code)),
        subject.rules(section),
    )


def _backward(subject: Subject, section: GradientSection) -> str | None:
    """Return the backward code for one variable; None where there is no array code."""
    return backward_code(derive(subject.exercise.model, [section.variable.name]))


def backward_code(derivation: Derivation) -> str | None:
    """Return the backward code of a derivation; None where there is no array code."""
    try:
        text = module_text(program(derivation))
    except ChainruleError:
        return None
    found = _BACKWARD.search(text)
    return _DOCSTRING.sub("", found.group(0)).rstrip() if found else None
