"""Tickets: the names of practice questions, from which the same question is made again."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.calculus.graph.node import symbols
from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.pool import course_exercise
from chainrule.teaching.exercises.questions import Question, Subject
from chainrule.teaching.exercises.scheduler import RIGHT
from chainrule.teaching.exercises.skills import skills_of_rules
from chainrule.teaching.exercises.variants import variant

LARGEST = 10**9

OF_A_VARIABLE = ("gradient", "number", "code-to-maths", "maths-to-code", "verify")
"""The kinds of question about one variable of an exercise, with the skills of its gradient."""


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
        made = self.question_about(course_exercise(self.exercise))
        if made is None:
            raise ExerciseError(f"{self.exercise} has no question of the kind {self.kind}")
        return made

    def question_about(self, exercise: Exercise) -> Question | None:
        """Make the question about its exercise; None where that has none of this kind."""
        return ask(varied(exercise, self.seed, self.times), self.kind, self.seed + self.times)


def telling_seed(exercise: Exercise, kind: str, seed: int, times: int, skill: str = "") -> int:
    """Return the seed of a ticket that asks for the variable that tells most.

    The variable whose gradient takes most skills, above the layers that its formula names, comes
    first, and each time another one, until all were asked; where a skill is suspected, only those
    that take it.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    kind : str
        The kind of question.
    seed : int
        The seed of the session; the ticket has this one or one of the next.
    times : int
        How often the exercise was answered before.
    skill : str, optional
        The skill that is suspected.
    """
    count = len(exercise.variables)
    if kind not in OF_A_VARIABLE or count < 2 or times >= RIGHT:
        return seed
    first = min(seed, LARGEST - 2 * count)
    subjects = {at: Subject(exercise, kind, at + times) for at in range(first, first + 2 * count)}
    seeds: dict[str, int] = {}
    takes: dict[str, tuple[str, ...]] = {}
    for at, subject in subjects.items():
        section = subject.variable()
        seeds.setdefault(section.variable.name, at)
        given = {
            name.name for name in exercise.derivation.layers if name in symbols(section.answer)
        }
        takes[section.variable.name] = skills_of_rules(subject.rules(section, given))
    ranked = sorted(exercise.variables, key=lambda name: -len(takes[name]))
    turned = [ranked[(times + k) % count] for k in range(count)]
    return seeds[next((name for name in turned if skill in takes[name]), turned[0])]


def varied(exercise: Exercise, seed: int, times: int) -> Exercise:
    """Return the exercise itself at first, and another variant each time after."""
    if times < RIGHT or not exercise.model.definitions:
        return exercise  # a template draws other numbers by itself
    try:
        return variant(exercise, seed + times)
    except ExerciseError:
        return exercise  # it has no variants
