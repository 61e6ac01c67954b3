"""The door to the grader for exercises and for any forward pass."""

from __future__ import annotations

from chainrule.graph.model import Model
from chainrule.marking.grading import Grade, Grader


def grade_answer(model: Model | str, wrt: str, text: str) -> Grade:
    """Grade an answer to "what is the gradient with respect to `wrt`?".

    Parameters
    ----------
    model : Model or str
        The forward pass, or its text.
    wrt : str
        The variable.
    text : str
        The answer, in any notation.

    Raises
    ------
    ModelError
        When the forward pass cannot be read, or has no such variable.
    """
    return Grader(model).grade(wrt, text)
