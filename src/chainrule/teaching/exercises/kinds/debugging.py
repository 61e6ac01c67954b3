"""Backward code with one mistake from the catalogue: find the line."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from chainrule.calculus.derivation.steps import Derivation, Gradient
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.catalogue import rule_errors
from chainrule.teaching.diagnosis.injection import InjectedError, derivation_with, line_with
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.kinds.code import backward_code
from chainrule.teaching.exercises.likely_mistakes import errors_that_people_make
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.skills import CODE, skill_of_mistake

KIND = "debug"
LEAST, MOST = 4, 8
"""The fewest and the most lines of code in a question."""

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
    among = _half(number, len(code))
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
            (Prose(f"The mistake is in the lines {among[0]} to {among[-1]}."),),
            (Prose(f"The kind of mistake: {skill or bug.name}."),),
        ),
        (
            Prose(f"Line {number}, {target}: {bug.name}; {bug.message}."),
            Code(f"wrong: {bug.text}\nright: {code[bug.line]}"),
        ),
        subject.rules(subject.sections[-1]),
        skills=tuple(dict.fromkeys((CODE.name, *((skill,) if skill else ())))),
    )


def _half(number: int, lines: int) -> range:
    """Return the half of the lines that holds one; both halves hold the middle line.

    Examples
    --------
    >>> list(_half(2, 3)), list(_half(3, 3)), list(_half(3, 4))
    ([1, 2], [2, 3], [3, 4])
    """
    middle = (lines + 1) // 2
    return range(1, middle + 1) if number <= middle else range(lines // 2 + 1, lines + 1)


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
    tried = 0
    for error, key in _candidates(subject):
        wrong = _derivation(subject, error, key)
        if wrong is None:
            continue
        tried += 1
        if tried > TRIED:
            break
        changed = _computed(wrong)
        if len(changed) != len(code):
            continue
        places = [k for k, (a, b) in enumerate(zip(code, changed, strict=True)) if a != b]
        if len(places) == 1:
            yield _Bug(places[0], changed[places[0]], error.name, error.message)
    yield from written


def _candidates(subject: Subject) -> list[tuple[InjectedError, str | Symbol]]:
    """Return mistakes in random order, each with the gradient in which it is to be made."""
    derivation = subject.derivation
    found: list[tuple[InjectedError, str | Symbol]] = [
        (error, key) for error in rule_errors(derivation.model) for key in derivation.layers
    ]
    keyed: Iterable[tuple[str | Symbol, Gradient]] = (
        *derivation.layers.items(),
        *derivation.gradients.items(),
    )
    for key, gradient in keyed:
        if gradient.matrix is not None:
            found += [(error, key) for error in errors_that_people_make(gradient.matrix)]
    subject.rng.shuffle(found)
    return found


def _derivation(subject: Subject, error: InjectedError, key: str | Symbol) -> Derivation | None:
    """Return the derivation with one wrong gradient; None where it is not shown to be wrong."""
    derivation = subject.derivation
    layers, gradients = dict(derivation.layers), dict(derivation.gradients)
    gradient = gradients[key] if isinstance(key, str) else layers[key]
    if error.rules:
        whole = derivation_with(derivation, error)
        named = None if whole is None or isinstance(key, str) else whole.layers.get(key)
        wrong = None if named is None else named.matrix
    else:
        assert gradient.matrix is not None
        try:
            wrong = line_with(gradient.matrix, (error,))
        except ChainruleError:
            return None
    if wrong is None or not _usable(subject, gradient, wrong):
        return None
    if isinstance(key, str):
        gradients[key] = replace(gradient, matrix=wrong)
    else:
        layers[key] = replace(gradient, matrix=wrong)
    return replace(derivation, layers=layers, gradients=gradients)


def _usable(subject: Subject, gradient: Gradient, wrong: Expr) -> bool:
    right = gradient.matrix
    return (
        right is not None
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
