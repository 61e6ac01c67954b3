"""Tickets: the names of practice questions, from which the same question is made again."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.pool import course_exercise
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.scheduler import RIGHT
from chainrule.teaching.exercises.variants import variant

LARGEST = 10**9


@dataclass(frozen=True)
class Ticket:
    """The name of a question of the bank.

    Parameters
    ----------
    exercise, kind : str
        The exercise of the bank, and the kind of question.
    seed : int
        The seed of the session.
    times : int
        How often the exercise was answered before.

    Examples
    --------
    >>> str(Ticket("logistic-batch", "shape", 3, 0))
    'logistic-batch/shape/3/0'
    >>> Ticket.parsed("logistic-batch/shape/3/0").question().key.reader
    'shape'
    """

    exercise: str
    kind: str
    seed: int
    times: int

    def __str__(self) -> str:
        return f"{self.exercise}/{self.kind}/{self.seed}/{self.times}"

    @classmethod
    def parsed(cls, text: str) -> Ticket:
        """Read a ticket.

        Raises
        ------
        ExerciseError
            When the text is not a ticket.
        """
        parts = text.split("/")
        numbers = [int(part) for part in parts[2:] if part.isascii() and part.isdigit()]
        if len(parts) != 4 or len(numbers) != 2 or max(numbers) > LARGEST:
            raise ExerciseError(f"{text[:60]!r} is not the ticket of a question; ask for a new one")
        return cls(parts[0], parts[1], *numbers)

    def question(self) -> Question:
        """Make the question again.

        Raises
        ------
        ExerciseError
            When there is no such exercise, or it has no question of this kind.
        """
        exercise = varied(course_exercise(self.exercise), self.seed, self.times)
        made = ask(exercise, self.kind, self.seed + self.times)
        if made is None:
            raise ExerciseError(f"{self.exercise} has no question of the kind {self.kind}")
        return made


def varied(exercise: Exercise, seed: int, times: int) -> Exercise:
    """Return the exercise itself at first, and another variant each time after."""
    if times < RIGHT or not exercise.model.definitions:
        return exercise  # a template draws other numbers by itself
    try:
        return variant(exercise, seed + times)
    except ExerciseError:
        return exercise  # it has no variants
