"""Grading of a formula given as text, for one forward pass given as text."""

from __future__ import annotations

from chainrule.teaching.exercises.grading import grader_of
from chainrule.teaching.marking.verdicts import Grade


def graded(forward: str, wrt: str, text: str) -> Grade:
    """Return the grade of a formula for the gradient of a forward pass."""
    return grader_of(forward).grade(wrt, text)
