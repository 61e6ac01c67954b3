"""Backward code with one mistake from the catalogue: find the line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.node import Expr
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.catalogue import rule_errors
from chainrule.teaching.diagnosis.injection import InjectedError, derivation_with, line_with
from chainrule.teaching.diagnosis.line_errors import line_errors
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.kinds.code import backward_code
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.skills import CODE, skill_of_mistake

KIND = "debug"
LEAST, MOST = 3, 8
TRIED = 12
"""The most mistakes that are tried for one question."""

_LINE = re.compile(r"^    (\w+) = (.*?)(?:  # (\(.*\)))?$")
_TRANSPOSED = re.compile(r"\b(\w+)\.T\b")
_AXIS = re.compile(r"axis=([01]), keepdims=True")


@dataclass(frozen=True)
class _Bug:
    """A line of code with a mistake."""

    line: int
    text: str
    name: str
    message: str


def debug(subject: Subject) -> Question | None:
    """Show the backward pass with one wrong line, and ask for its number."""
    code = _computed(subject.derivation)
    if not LEAST <= len(code) <= MOST:
        return None
    bug = next(_bugs(subject, code), None)
    if bug is None:
        return None
    lines = [bug.text if k == bug.line else text for k, text in enumerate(code)]
    shown = "\n".join(f"{k}) {text}" for k, text in enumerate(lines, start=1))
    number = bug.line + 1
    target = bug.text.split(" = ")[0]
    half = "first" if bug.line < len(code) / 2 else "second"
    skill = skill_of_mistake(bug.name)
    return Question(
        subject.exercise,
        KIND,
        subject.derivation.model,
        (
            Prose("This backward pass has a mistake in exactly one line. Which?"),
            Code(shown),
            Prose("Type the number of the line."),
        ),
        AnswerKey("line", str(number), choices=tuple(str(k + 1) for k in range(len(code)))),
        (
            (
                Prose(
                    "Check each line in turn: the shapes first, then each factor of the chain "
                    "rule, then signs and sums."
                ),
            ),
            (Prose(f"The mistake is in the {half} half of the code."),),
            (Prose(f"The kind of mistake: {skill or bug.name}."),),
        ),
        (
            Prose(f"Line {number}, {target}: {bug.name}; {bug.message}."),
            Code(f"wrong: {bug.text}\nright: {code[bug.line]}"),
        ),
        subject.rules(subject.sections[-1]),
        skills=tuple(dict.fromkeys((CODE.name, *((skill,) if skill else ())))),
    )


def _computed(derivation: Derivation) -> list[str]:
    """Return the lines of the backward code that compute something, without their comments."""
    code = backward_code(derivation)
    if code is None:
        return []
    found = [_LINE.match(line) for line in code.splitlines()]
    return [f"{m[1]} = {m[2]}" for m in found if m and not m[2].startswith("cache[")]


def _bugs(subject: Subject, code: list[str]) -> Iterator[_Bug]:
    """Yield mistakes that change exactly one line, in random order, those of the text first."""
    written = list(_text_bugs(subject, code))
    subject.rng.shuffle(written)
    if written and subject.rng.random() < 0.4:
        yield written[0]
    derived = list(_errors(subject))
    subject.rng.shuffle(derived)
    for wrong, error in derived[:TRIED]:
        changed = _computed(wrong)
        if len(changed) != len(code):
            continue
        places = [k for k, (a, b) in enumerate(zip(code, changed, strict=True)) if a != b]
        if len(places) == 1:
            yield _Bug(places[0], changed[places[0]], error.name, error.message)
    yield from written


def _errors(subject: Subject) -> Iterator[tuple[Derivation, InjectedError]]:
    """Yield derivations in which one gradient is wrong and the others use it by its name."""
    derivation = subject.derivation
    for error in rule_errors(derivation.model):
        whole = derivation_with(derivation, error)
        for key, gradient in derivation.layers.items():
            wrong = None if whole is None else whole.layers.get(key)
            if wrong is not None and _usable(subject, gradient, wrong.matrix):
                yield replace(derivation, layers={**derivation.layers, key: wrong}), error
    for key, gradient in derivation.layers.items():
        for found, error in _edited(subject, gradient):
            yield replace(derivation, layers={**derivation.layers, key: found}), error
    for name, gradient in derivation.gradients.items():
        for found, error in _edited(subject, gradient):
            yield replace(derivation, gradients={**derivation.gradients, name: found}), error


def _edited(subject: Subject, gradient: Gradient) -> Iterator[tuple[Gradient, InjectedError]]:
    if gradient.matrix is None:
        return
    for error in line_errors(gradient.matrix):
        try:
            wrong = line_with(gradient.matrix, (error,))
        except ChainruleError:
            continue
        if _usable(subject, gradient, wrong):
            yield replace(gradient, matrix=wrong), error


def _usable(subject: Subject, gradient: Gradient, wrong: Expr | None) -> bool:
    right = gradient.matrix
    return (
        right is not None
        and wrong is not None
        and wrong.shape == right.shape
        and subject.distractors.differ(right, wrong, gradient.row, gradient.col)
    )


def _text_bugs(subject: Subject, code: list[str]) -> Iterator[_Bug]:
    """Yield lines whose arrays have the wrong shape: a transpose lost, the wrong axis summed."""
    derivation = subject.derivation
    shapes = {s.name: s.shape for s in (*derivation.model.symbols, *derivation.layers)}
    for number, text in enumerate(code):
        for found in _TRANSPOSED.finditer(text):
            shape = shapes.get(found[1])
            if shape is not None and shape[0] != shape[1]:
                wrong = text[: found.start()] + found[1] + text[found.end() :]
                message = "a transpose is missing in the product"
                yield _Bug(number, wrong, "transpose missing", message)
        if axis := _AXIS.search(text):
            other = f"axis={1 - int(axis[1])}, keepdims=True"
            wrong = text[: axis.start()] + other + text[axis.end() :]
            yield _Bug(
                number, wrong, "a sum along the wrong axis", "the sum goes along the other axis"
            )
