"""The one place where a formula is handed to the grader."""

from __future__ import annotations

from functools import lru_cache

from chainrule.interpreters.reading import read_model
from chainrule.marking.grading import Grade, Grader

GRADERS = 64
"""For how many forward passes what was derived is remembered."""


def graded(forward: str, wrt: str, text: str) -> Grade:
    """Grade a formula for the gradient of a forward pass, given as text."""
    return _grader(forward).grade(wrt, text)


@lru_cache(GRADERS)
def _grader(forward: str) -> Grader:
    return Grader(read_model(forward))
