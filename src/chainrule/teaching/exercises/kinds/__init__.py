"""The kinds of question, one row each, and making a question of an exercise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import code, facts, formulas, lines
from chainrule.teaching.exercises.questions import Kind, Question, Subject

KINDS: tuple[Kind, ...] = (
    Kind("gradient", "derive the gradient", formulas.gradient),
    Kind("factor", "answer one factor of the chain rule", formulas.factor),
    Kind("shape", "give the shape", facts.shape),
    Kind("next", "choose the next line", lines.next_line),
    Kind("rule", "name the rule", lines.rule),
    Kind("order", "put the lines in order", lines.order),
    Kind("wrong-line", "find the wrong line", lines.wrong_line),
    Kind("verify", "is this right-shaped answer right?", facts.verify),
    Kind("number", "predict the number", facts.number),
    Kind("code-to-maths", "read code as mathematics", code.code_to_maths),
    Kind("maths-to-code", "write mathematics as code", code.maths_to_code),
    Kind("cache", "say what the forward pass must keep", facts.cache),
)
"""The table. A new kind of question is one row and its builder."""


def kind_named(name: str) -> Kind:
    """Find a kind of question.

    Raises
    ------
    ExerciseError
        When there is none; the message lists those there are.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise ExerciseError(
        f"there is no kind of question {name!r}; there are {', '.join(k.name for k in KINDS)}"
    )


def ask(exercise: Exercise, kind: str, seed: int = 0) -> Question | None:
    """Make a question of one kind, or nothing where the exercise has none.

    Examples
    --------
    >>> from chainrule.teaching.exercises.loading import find
    >>> question = ask(find("logistic-batch"), "shape", seed=3)
    >>> question.key.reader
    'shape'
    """
    made = kind_named(kind).build(Subject(exercise, Random(f"{kind} {seed}")))
    return made


def questions(
    exercise: Exercise, seed: int = 0, kinds: Iterable[str] | None = None
) -> Iterator[Question]:
    """Give one question of every kind that an exercise has, in the order of the table.

    Parameters
    ----------
    exercise : Exercise
        Of which the questions are made.
    seed : int, optional
        Of the choices.
    kinds : iterable of str, optional
        The kinds that are wanted; by default those that the exercise is for.
    """
    names = list(kinds) if kinds is not None else list(exercise.kinds)
    for name in names or [kind.name for kind in KINDS]:
        made = ask(exercise, name, seed)
        if made is not None:
            yield made
