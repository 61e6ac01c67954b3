"""Questions for a number: one entry of a gradient at a point where mistakes show.

The point is drawn until the number of every mistake that people make, where it differs from the
right one at all, would be marked as wrong.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Symbol, symbols
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.language.typeset import unicode
from chainrule.teaching.exercises.answer_forms import opened
from chainrule.teaching.exercises.answer_readers import AnswerKey, judge, tolerance
from chainrule.teaching.exercises.content import Code, Equation, Prose
from chainrule.teaching.exercises.distractors import Distractor
from chainrule.teaching.exercises.domains import domain
from chainrule.teaching.exercises.hints import gradient_hints
from chainrule.teaching.exercises.points import (
    DIGITS,
    LARGEST,
    Point,
    points,
    small_sizes,
    written_value,
)
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.sections import GradientSection

MISTAKES = 60
SMALLEST, GREATEST = 0.01, 100
ROUNDING = 0.2
"""The part of the tolerance that rounding the given values may take up."""

MOST_ENTRIES = 6
ORDINALS = ("first", "second", "third")
Values: TypeAlias = NDArray[np.float64]

ALIKE = 1e-9
PLACES = 9
"""Decimals beyond which a number counts as rounding."""


@dataclass(frozen=True)
class Place:
    """A point, and the entry of the gradient that is asked for there.

    Parameters
    ----------
    point : Point
        The point.
    value : array
        The gradient there.
    entry : (int, int) or None
        Row and column; None where all entries are asked for.
    wrong : tuple of (Distractor, array)
        The mistakes, and the gradient that each gives there.
    """

    point: Point
    value: Values
    entry: tuple[int, int] | None
    wrong: tuple[tuple[Distractor, Values], ...] = ()

    def asked(self, gradient: Values) -> Values:
        """Return the entries that are asked for, of the right gradient or of a wrong one."""
        return np.ravel(gradient if self.entry is None else gradient[self.entry])


def number(subject: Subject) -> Question | None:
    """Ask for one entry of a gradient, or for a few, at a point with short numbers."""
    section = subject.variable()
    if section.gradient.matrix is None and section.variable.shape != SCALAR:
        return None
    place = telling_place(subject, section)
    return None if place is None else _question(subject, section, place)


def telling_place(subject: Subject, section: GradientSection) -> Place | None:
    """Return an entry that tells all mistakes apart from the right answer.

    Where no entry does alone, all entries of a small gradient do together; where these do not,
    there is no such place.
    """
    sizes = small_sizes(subject.derivation.model)
    if sizes is None:
        return None
    rng = np.random.default_rng(subject.rng.getrandbits(32))
    mistakes = subject.distractors.answers(section, subject.rng, MISTAKES)
    right = opened(subject.derivation, section.answer)
    given = _given(subject.derivation.model, right)
    seen: list[tuple[Place, list[bool]]] = []
    differs = [False] * len(mistakes)  # a mistake that never shows at such numbers is none here
    for point in points(subject.exercise, sizes, rng):
        found = np.asarray(
            gradient_values(subject.derivation, point.values, sizes)[section.variable]
        )
        width = np.vectorize(tolerance)(found)
        rounded = {s: np.round(np.asarray(point.values[s], float), DIGITS) for s in given}
        shown = Point(rounded, sizes).value(right, found.shape)
        exact = np.abs(shown - found) <= ROUNDING * width
        others = [point.value(each.answer, found.shape) for each in mistakes]
        wrong = tuple(zip(mistakes, others, strict=True))
        differs = [
            d or bool((np.abs(o - found) > ALIKE).any())
            for d, o in zip(differs, others, strict=True)
        ]
        near = [np.abs(other - found) <= width for other in others]
        large = (np.abs(found) > SMALLEST) & (np.abs(found) < GREATEST)
        entries = [(row, col) for row, col in np.ndindex(*found.shape)]
        rng.shuffle(entries)
        for row, col in entries:
            if exact[row, col] and large[row, col]:
                missed = [bool(each[row, col]) for each in near]
                if not any(missed):
                    return Place(point, found, (int(row), int(col)), wrong)
                seen.append((Place(point, found, (int(row), int(col)), wrong), missed))
        if exact.all() and large.any() and 1 < found.size <= MOST_ENTRIES:
            seen.append((Place(point, found, None, wrong), [bool(each.all()) for each in near]))
    seen.sort(key=lambda pair: pair[0].entry is None)
    for place, missed in seen:
        if not any(m and d for m, d in zip(missed, differs, strict=True)):
            return place
    return None


def _given(model: Model, right: Expr) -> list[Symbol]:
    """Return the values to show: those of the formula, and all inputs where they are few."""
    needed = symbols(right)
    return [
        s
        for s in model.symbols
        if s in needed or (s in model.inputs and len(model.inputs) < LARGEST)
    ]


def _question(subject: Subject, section: GradientSection, place: Place) -> Question:
    model = subject.derivation.model
    right = opened(subject.derivation, section.answer)
    given = _given(model, right)
    variable = section.variable
    positions = [s.name for s in given if domain(subject.exercise.domain_of(s)).whole]
    counted = f" The numbers in {', '.join(positions)} count from 0." if positions else ""
    lines = "\n".join(f"{unicode(s)} = {written_value(place.point.values[s])}" for s in given)
    values = place.asked(place.value)
    reader = "numbers" if place.entry is None else "number"
    key = AnswerKey(reader, _digits(values))
    said = ", ".join(f"{value:.4g}" for value in np.round(values, PLACES) + 0.0)
    return Question(
        subject.exercise,
        "number",
        model,
        (
            Prose(f"At this point (rounded to {DIGITS} decimals):{counted}"),
            Code(lines),
            Prose(_words(subject, variable, place)),
        ),
        replace(key, mistakes=tuple(_mistakes(key, place))),
        (*gradient_hints(subject, section)[:2], (subject.gradient(section),)),
        (Equation(subject.whole(section), right), Prose(f"At this point it is {said}.")),
        subject.rules(section),
    )


def _mistakes(key: AnswerKey, place: Place) -> Iterator[tuple[str, str, str]]:
    """Yield the mistakes that give other numbers at a place, with these numbers."""
    for mistake, gradient in place.wrong:
        values = place.asked(gradient)
        if np.isfinite(values).all() and not judge(key, _digits(values)).right:
            yield _digits(values), mistake.name, mistake.message


def _digits(values: Values) -> str:
    """Return numbers as text, without a minus in front of a zero."""
    return ", ".join(f"{value:.6g}" for value in np.round(values, PLACES) + 0.0)


def _words(subject: Subject, variable: Symbol, place: Place) -> str:
    """Return the question; ordinals name the entry, so that nothing is counted from 0 or 1."""
    objective = subject.derivation.model.objective.name
    asked = f"What is the gradient of {objective} with respect to {variable.name}"
    if place.entry is None:
        return f"{asked}? Give all its entries, row by row, each to two significant figures."
    where = ""
    if variable.shape != SCALAR:
        row, col = (ORDINALS[k] for k in place.entry)
        where = f", the entry in its {row} row and {col} column"
    return f"{asked}{where}? Give two significant figures."
