"""Questions that go between the board and the keyboard."""

from __future__ import annotations

import re

from chainrule.calculus.derivation.program import program
from chainrule.calculus.graph.dims import written
from chainrule.deriving import derive
from chainrule.errors import ChainruleError
from chainrule.language.codegen import module_text
from chainrule.teaching.exercises.kinds.formulas import formula_key, gradient_hints, solution
from chainrule.teaching.exercises.pieces import Code, Line, Pieces, Prose
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.story import Stretch

_BACKWARD = re.compile(r"^def backward\(.*?\n(?=\n\n)", re.MULTILINE | re.DOTALL)
_DOCSTRING = re.compile(r'^    """.*?"""\n', re.MULTILINE | re.DOTALL)


def code_to_maths(subject: Subject) -> Question | None:
    """Show the code of a way back, and ask for the gradient as mathematics."""
    stretch = subject.variable()
    code = _backward(subject, stretch)
    if code is None:
        return None
    prompt: Pieces = (
        Prose("This code computes a gradient:"),
        Code(code),
        Prose("Write it as on the board, in one line:"),
        Line(subject.whole(stretch), None),
    )
    return _question(subject, stretch, "code-to-maths", "maths", prompt, code)


def maths_to_code(subject: Subject) -> Question | None:
    """Show a gradient, and ask for it as an expression in NumPy."""
    stretch = subject.variable()
    code = _backward(subject, stretch)
    if code is None:
        return None
    prompt: Pieces = (
        *subject.naming([stretch.answer]),
        subject.gradient(stretch),
        Prose(
            f"Write it as one expression in NumPy; the shape of {stretch.variable.name} is "
            f"{written(stretch.variable.shape)}."
        ),
    )
    return _question(subject, stretch, "maths-to-code", "code", prompt, code)


def _question(
    subject: Subject, stretch: Stretch, kind: str, reader: str, prompt: Pieces, code: str
) -> Question:
    return Question(
        subject.exercise,
        kind,
        subject.exercise.model,
        prompt,
        formula_key(subject.exercise.model, stretch, reader),
        gradient_hints(subject, stretch),
        (*solution(subject, stretch), Code(code)),
        subject.rules(stretch),
    )


def _backward(subject: Subject, stretch: Stretch) -> str | None:
    """Return the way back for one variable as code, or nothing where there is no array code."""
    try:
        text = module_text(program(derive(subject.exercise.model, [stretch.variable.name])))
    except ChainruleError:
        return None
    found = _BACKWARD.search(text)
    return _DOCSTRING.sub("", found.group(0)).rstrip() if found else None
