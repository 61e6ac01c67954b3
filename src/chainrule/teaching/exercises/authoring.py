"""Preview of an exercise for its author: difficulty, questions, key, known mistakes, ties."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.teaching.diagnosis.injection import InjectedError
from chainrule.teaching.diagnosis.sample_points import same
from chainrule.teaching.diagnosis.search import MistakeSearch, Values
from chainrule.teaching.exercises.answer_forms import opened
from chainrule.teaching.exercises.difficulty import Difficulty, difficulty
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import questions
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.sections import GradientSection, section_of


@dataclass(frozen=True)
class Preview:
    """The questions of an exercise, its key, and the mistakes that grading can tell apart.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    difficulty : Difficulty
        Its difficulty.
    questions : tuple of Question
        One of every kind that can be asked.
    gradients : tuple of GradientSection
        The key: what each variable's gradient comes to.
    mistakes : int
        The number of single mistakes that can be diagnosed.
    ties : tuple of tuple of str
        Mistakes that give the same wrong answer, so that nobody can tell which was made.
    """

    exercise: Exercise
    difficulty: Difficulty
    questions: tuple[Question, ...]
    gradients: tuple[GradientSection, ...]
    mistakes: int
    ties: tuple[tuple[str, ...], ...]


def preview(exercise: Exercise) -> Preview:
    """Return the preview of an exercise.

    Raises
    ------
    ProofError
        When a line of its key could not be proven: a defect of chainrule.
    """
    derivation = exercise.derivation
    gradients = tuple(section_of(derivation, name) for name in exercise.variables)
    count, ties = 0, list[tuple[str, ...]]()
    for section in gradients:
        search = MistakeSearch(
            derivation.model,
            derivation.model.objective,
            section.variable,
            opened(derivation, section.answer) if section.gradient.matrix is not None else None,
        )
        count += len(search.singles)
        ties += _ties(list(search.outcomes()), section.variable.name)
    made = tuple(questions(exercise))
    return Preview(exercise, difficulty(derivation), made, gradients, count, tuple(ties))


def _ties(singles: list[tuple[InjectedError, Values]], variable: str) -> Iterator[tuple[str, ...]]:
    """Yield the names of mistakes that give the same wrong answer."""
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
