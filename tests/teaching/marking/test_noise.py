"""What nobody means as an answer: a verdict for all of it, and soon."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import Any

import pytest
from benchmarks.grading.noise import HARMFUL, noise

from chainrule.language.reading import load_model
from chainrule.teaching.exercises.loading import find
from chainrule.teaching.grading.grader import SHAPE_REPAIRS, Grader

COUNT, SEED = 2_000, 8
VERDICTS = {"correct", "correct_other_form", "wrong", "wrong_shape", "unreadable", "unsure"}
ANSWERS = ("(A - Y) X^T", r"\sum_{i=1}^m (a_i - y_i) X_{pi}", "np.dot(A - Y, X.T)")


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader(load_model("examples/logistic_batch"))


@pytest.mark.parametrize("text", HARMFUL, ids=range(len(HARMFUL)))
def test_what_would_do_harm_is_refused(
    text: str, grader: Grader, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []
    equal = grader.equality_judge.equal

    def counted(*arguments: Any, **options: Any) -> Any:
        judged.append(arguments)
        return equal(*arguments, **options)

    monkeypatch.setattr(grader.equality_judge, "equal", counted)
    grade = grader.grade("w", text)
    assert grade.verdict in VERDICTS - {"correct", "correct_other_form"}
    assert len(judged) <= SHAPE_REPAIRS + 20


@pytest.mark.parametrize(
    "text",
    [
        "softmax'(Z)",  # no slope entry by entry
        "g'(Z)",
        "einsum('ij->kl', P)",  # letters that no operand has
        "einsum('ij,kj->ikj', P, X)",  # three axes
        "einsum('ij,kj->ikk', P, X)",
    ],
)
def test_what_has_no_meaning_as_a_matrix_is_refused(text: str) -> None:
    grade = Grader(find("softmax-regression").model).grade("W", text)
    assert grade.verdict == "unreadable"
    assert grade.why


@pytest.mark.parametrize(
    ("exercise", "wrt", "text"),
    [
        ("label-smoothing", "Z", "P .* s𝟏umP .* s2xis=0P  - Q"),  # in both layouts
        ("logistic-mean", "w", "softmax( x^{(i)} )"),  # a part inside a function of the whole
    ],
)
def test_what_noise_has_found_gets_a_verdict(exercise: str, wrt: str, text: str) -> None:
    assert Grader(find(exercise).model).grade(wrt, text).verdict in VERDICTS


@pytest.mark.slow
def test_noise_gets_a_verdict(grader: Grader) -> None:
    for text in islice(noise(Random(SEED), ANSWERS), COUNT):
        assert grader.grade("w", text).verdict in VERDICTS, text
