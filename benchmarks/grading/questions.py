"""Every gradient that the bank asks for, once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.teaching.exercises.loading import exercises
from chainrule.teaching.grading.grader import Grader


@dataclass(frozen=True)
class Question:
    """A gradient that is asked for.

    Parameters
    ----------
    exercise, topic : str
        Where.
    model : Model
        The forward pass as written.
    wrt : str
        By what.
    grader : Grader
        Of this forward pass.
    """

    exercise: str
    topic: str
    wrt: str
    grader: Grader

    def __str__(self) -> str:
        return f"{self.exercise}, {self.wrt}"

    @property
    def model(self) -> Model:
        """The forward pass, with names for what was nested."""
        return self.grader.model

    @property
    def variable(self) -> Symbol:
        """By what."""
        return self.model.symbol(self.wrt)

    @cached_property
    def derivation(self) -> Derivation:
        """The right answer, and how one comes to it."""
        return derivation_of(self.model, [self.wrt])


@cache
def _all() -> tuple[Question, ...]:
    found, seen = [], set[tuple[object, ...]]()
    for exercise in exercises():
        if not exercise.model.asked:
            continue
        grader = Grader(exercise.model)
        for wrt in exercise.variables:
            key = (grader.model.definitions, grader.model.inputs, wrt)
            if key not in seen:
                seen.add(key)
                found.append(Question(exercise.id, exercise.topic, wrt, grader))
    return tuple(found)


def questions(topic: str | None = None) -> Iterator[Question]:
    """Yield the questions of a topic, or all of them."""
    yield from (q for q in _all() if topic is None or q.topic == topic)
