"""Generated questions hold what a reader of them asks for; `generated` has the checks.

CHAINRULE_QUESTIONS=3000 checks as many; by default a sample on every tenth exercise. They can be
checked in ten runs, on other exercises each: CHAINRULE_QUESTIONS=300 with CHAINRULE_PART=0 to 9.
"""

from __future__ import annotations

import os

import pytest
from scipy.stats import chisquare
from tests.teaching.exercises.generated import Figures, generated, measured

COUNT = int(os.environ.get("CHAINRULE_QUESTIONS", "0"))
PART = os.environ.get("CHAINRULE_PART")
SAMPLE, EVERY = 90, 10
BY_CHANCE = 0.001
"""The probability below which letters are no longer spread evenly by chance."""


@pytest.fixture(scope="module")
def figures() -> Figures:
    every = 1 if COUNT and PART is None else EVERY
    return measured(generated(COUNT or SAMPLE, every=every, first=int(PART or 0)))


@pytest.mark.slow
def test_no_question_fails_a_check(figures: Figures) -> None:
    assert figures.failures == {}
    assert len(figures.kinds) >= 10


@pytest.mark.slow
def test_no_answer_is_to_be_guessed(figures: Figures) -> None:
    letters = figures.letters
    assert set(letters) == set("abcd")
    assert chisquare(list(letters.values())).pvalue > BY_CHANCE
    assert set(figures.said) == {"yes", "no"}
    assert set(figures.places) == {"first", "between", "last"}
    assert figures.central[True] < figures.central[False]
