"""What an author gets to know of an exercise before it is handed out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.teaching.diagnosis.injection import InjectedError
from chainrule.teaching.diagnosis.sample_points import same
from chainrule.teaching.diagnosis.search import MistakeSearch, Values
from chainrule.teaching.exercises.difficulty import Difficulty, difficulty
from chainrule.teaching.exercises.distractors import opened
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import questions
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.story import Stretch, stretch_of


@dataclass(frozen=True)
class Preview:
    """What an exercise asks, and what its grader can tell.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    difficulty : Difficulty
        How hard it is.
    questions : tuple of Question
        One of every kind that can be asked.
    gradients : tuple of Stretch
        The key: what each variable's gradient comes to.
    mistakes : int
        How many single mistakes the grader knows in it.
    ties : tuple of tuple of str
        Mistakes that give the same wrong answer, so that nobody can tell which was made.
    """

    exercise: Exercise
    difficulty: Difficulty
    questions: tuple[Question, ...]
    gradients: tuple[Stretch, ...]
    mistakes: int
    ties: tuple[tuple[str, ...], ...]


def preview(exercise: Exercise) -> Preview:
    """Look at an exercise as its author.

    Raises
    ------
    ProofError
        When a line of its key could not be proven: a defect of chainrule.
    """
    derivation = exercise.derivation
    gradients = tuple(stretch_of(derivation, name) for name in exercise.variables)
    count, ties = 0, list[tuple[str, ...]]()
    for stretch in gradients:
        search = MistakeSearch(
            derivation.model,
            derivation.model.objective,
            stretch.variable,
            opened(derivation, stretch.answer) if stretch.gradient.matrix is not None else None,
        )
        count += len(search.singles)
        ties += _ties(list(search.outcomes()), stretch.variable.name)
    made = tuple(questions(exercise))
    return Preview(exercise, difficulty(derivation), made, gradients, count, tuple(ties))


def _ties(singles: list[tuple[InjectedError, Values]], variable: str) -> Iterator[tuple[str, ...]]:
    """Group the mistakes that come to the same."""
    groups: list[tuple[Values, list[str]]] = []
    for error, values in singles:
        name = f"{error.name} ({error.step})"
        for known, names in groups:
            if same(known, values):
                if name not in names:
                    names.append(name)
                break
        else:
            groups.append((values, [name]))
    for _, names in groups:
        if len(names) > 1:
            yield (variable, *names)
