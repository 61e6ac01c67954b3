"""Entry points of grading: for an exercise of the bank, and for any forward pass."""

from __future__ import annotations

from functools import lru_cache

from chainrule.calculus.graph.model import Model
from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.loading import find
from chainrule.teaching.grading.grader import Grader
from chainrule.teaching.marking.verdicts import Grade

GRADERS = 64
"""The number of graders that are cached, one per forward pass."""


def grade(exercise: str | Exercise | Model, answer: str, wrt: str = "") -> Grade:
    """Grade an answer to "what is the gradient?".

    Parameters
    ----------
    exercise : str, Exercise or Model
        An exercise of the bank by its id, such as ``"logistic-batch"`` or ``"logistic-batch:7"``
        for its variant of seed 7; the text of a forward pass; or either of them as an object.
    answer : str
        The answer, in any notation.
    wrt : str, optional
        The variable; by default the first that the exercise asks for.

    Returns
    -------
    Grade
        `correct`, `verdict`, and `said`: the sentence for the author of the answer. `short_form` is
        the right answer.

    Raises
    ------
    ExerciseError
        When there is no such exercise.
    ModelError
        When the forward pass cannot be read, or has no such variable.

    Examples
    --------
    >>> import chainrule
    >>> found = chainrule.grade("logistic-batch", "np.dot(A - Y, X.T)", wrt="w")
    >>> found.correct, found.verdict
    (True, 'correct')
    >>> print(chainrule.grade("logistic-batch", "(A - Y) X^T / m", wrt="w").said)
    ... # doctest: +ELLIPSIS
    a constant factor: 1/m (the last line): the answer is 1/m times the right one at every size ...
    """
    if isinstance(exercise, str):
        grader = grader_of(exercise) if _is_text(exercise) else _of_exercise(exercise.strip())
    else:
        grader = Grader(exercise.model if isinstance(exercise, Exercise) else exercise)
    if not wrt:
        asked = [symbol.name for symbol in grader.model.parameters()]
        if not asked:
            raise ExerciseError("say which variable the answer is for, as in wrt='w'")
        wrt = asked[0]
    return grader.grade(wrt, answer)


def _is_text(exercise: str) -> bool:
    return "\n" in exercise or "=" in exercise


@lru_cache(GRADERS)
def grader_of(forward: str) -> Grader:
    """Return the grader of a forward pass, given as text; the last ones are cached."""
    return Grader(forward)


@lru_cache(GRADERS)
def _of_exercise(identifier: str) -> Grader:
    return Grader(find(identifier).model)
