"""The one place where a formula is handed to the grader."""

from __future__ import annotations

from chainrule.teaching.exercises.grading import grader_of
from chainrule.teaching.marking.verdicts import Grade


def graded(forward: str, wrt: str, text: str) -> Grade:
    """Grade a formula for the gradient of a forward pass, given as text."""
    return grader_of(forward).grade(wrt, text)
