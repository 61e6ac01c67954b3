"""The kinds of question, one entry each, and making a question from an exercise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import (
    code,
    debugging,
    formulas,
    lines,
    numbers,
    reasons,
    shapes,
    short_answers,
    wrong_lines,
)
from chainrule.teaching.exercises.questions import Question, QuestionKind, Subject
from chainrule.teaching.exercises.templates.template import made_by_template

TEMPLATES = {
    "concept": "choose the right statement",
    "circuit": "value and gradient on every edge",
    "step": "take a step of gradient descent",
    "gradient-check": "check a gradient by differences",
    "broadcast": "give the shape of an array",
    "kinks": "slopes at kinks and ties",
    "stability": "avoid overflow and cancellation",
    "saturation": "gradients of saturated units",
    "gradient-flow": "vanishing and exploding gradients",
    "counting": "count parameters, operations, memory",
    "initialization": "symmetry and scale at the start",
    "parts": "a problem in parts (a) to (f)",
}
"""The kinds of question whose exercises are made by templates, each with its title."""

KINDS: tuple[QuestionKind, ...] = (
    QuestionKind("gradient", "derive the gradient", formulas.gradient),
    QuestionKind("factor", "answer one factor of the chain rule", formulas.factor),
    QuestionKind("shape", "give the shape", shapes.shape),
    QuestionKind("next", "choose the next line", lines.next_line),
    QuestionKind("rule", "name the rule", lines.rule),
    QuestionKind("order", "put the lines in order", lines.order),
    QuestionKind("wrong-line", "find the wrong line", wrong_lines.wrong_line),
    QuestionKind("verify", "is this right-shaped answer right?", short_answers.verify),
    QuestionKind("number", "predict the number", numbers.number),
    QuestionKind("code-to-maths", "read code as mathematics", code.code_to_maths),
    QuestionKind("maths-to-code", "write mathematics as code", code.maths_to_code),
    QuestionKind("cache", "say what the forward pass must keep", short_answers.cache),
    QuestionKind("why", "give the reason", reasons.why),
    QuestionKind("debug", "find the mistake in backward code", debugging.debug),
    *(QuestionKind(name, title, made_by_template(name)) for name, title in TEMPLATES.items()),
)
"""The kinds of question. A new kind is one entry and its builder."""


def kind_named(name: str) -> QuestionKind:
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
    """Return a question of one kind; None where the exercise has none.

    Examples
    --------
    >>> from chainrule.teaching.exercises.loading import find
    >>> question = ask(find("logistic-batch"), "shape", seed=3)
    >>> question.key.reader
    'shape'
    """
    return kind_named(kind).build(Subject(exercise, kind, seed))


def questions(
    exercise: Exercise, seed: int = 0, kinds: Iterable[str] | None = None
) -> Iterator[Question]:
    """Yield one question of every kind that an exercise has, in the order of the table.

    Parameters
    ----------
    exercise : Exercise
        The exercise.
    seed : int, optional
        Seed for the choices.
    kinds : iterable of str, optional
        The kinds that are wanted; by default those that the exercise is for.
    """
    names = list(kinds) if kinds is not None else list(exercise.kinds)
    for name in names or [kind.name for kind in KINDS]:
        made = ask(exercise, name, seed)
        if made is not None:
            yield made
