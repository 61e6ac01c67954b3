"""Wrong answers over the whole bank: none is accepted, and the mistake is named."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from benchmarks.grading.judge import ASSERTED, NAMED, outcome
from benchmarks.grading.mutants import Mutant, Mutator
from benchmarks.grading.questions import questions

from chainrule.teaching.grading.grader import Grader
from chainrule.teaching.marking.verdicts import Grade

SEED = 3
LEAST = {False: 0.95, True: 0.8}
EACH = {False: 2, True: 1}

MarkedSubmission = list[tuple[str, Mutant, Grade]]


@pytest.fixture(scope="module", params=[False, True], ids=["one mistake", "two mistakes"])
def marked(request: pytest.FixtureRequest) -> tuple[bool, MarkedSubmission]:
    doubles: bool = request.param
    found = []
    for question in list(questions())[::2]:
        mutants = Mutator(question).mutants(Random(f"{question} {SEED}"), doubles)
        for mutant in islice(mutants, EACH[doubles]):
            grade = question.grader.grade(question.wrt, mutant.text)
            found.append((str(question), mutant, grade))
    return doubles, found


@pytest.mark.slow
def test_no_wrong_answer_is_accepted(marked: tuple[bool, MarkedSubmission]) -> None:
    _, found = marked
    accepted = [(where, m.text, g.why) for where, m, g in found if g.correct]
    assert len(found) > 80
    assert not accepted


@pytest.mark.slow
def test_every_wrong_answer_is_read(marked: tuple[bool, MarkedSubmission]) -> None:
    _, found = marked
    refused = [(w, m.text, g.why) for w, m, g in found if not g.verdict.startswith("wrong")]
    assert not refused


@pytest.mark.slow
def test_the_mistake_is_named(marked: tuple[bool, MarkedSubmission]) -> None:
    doubles, found = marked
    missed = [
        (where, mutant.labels, mutant.text, str(grade.diagnosis))
        for where, mutant, grade in found
        if outcome(mutant, grade) not in NAMED
    ]
    assert len(missed) <= (1 - LEAST[doubles]) * len(found), missed


@pytest.mark.slow
def test_no_other_mistake_is_asserted(marked: tuple[bool, MarkedSubmission]) -> None:
    _, found = marked
    asserted = [
        (where, mutant.labels, mutant.text, str(grade.diagnosis))
        for where, mutant, grade in found
        if outcome(mutant, grade) == ASSERTED
    ]
    assert not asserted


SOFTMAX = """
X : (n, m)
Y : (k, m)
W : (k, n)
b : (k, 1)
l : (1, 1)
Z = W X + b
P = softmax(Z, axis=0)
J = -sum(Y .* log(P)) + l/2 ‖W‖^2
onehot: Y
"""
NORM = """
X : (n, m)
D : (n, m)
u = mean(X, axis=1)
C = X - u
v = mean(C^2, axis=1)
s = sqrt(v + 1/100)
H = C/s
J = sum(D .* H)
"""
RELU = "X : (n, m)\nW : (h, n)\nb : (h, 1)\nG : (h, m)\nZ = W X + b\nA = relu(Z)\nJ = sum(G .* A)"


@pytest.mark.parametrize(
    ("model", "wrt", "text", "name"),
    [
        (SOFTMAX, "W", "(P - Y) X^T + l/m W", "wrong factor"),
        (SOFTMAX, "W", "(P - Y) X^T + 2 l W", "factor"),
        (SOFTMAX, "W", "(P - Y) X^T", "dropped"),
        (SOFTMAX, "b", "sum(P - Y, axis=1) + l b", "regulariser"),
        (SOFTMAX, "W", "(-Y/P .* P .* (1 - P)) X^T + l W", "diagonal"),
        (SOFTMAX, "b", "P - Y", "un-broadcast"),
        (SOFTMAX, "Z", "(P - Y)/m", "1/m"),
        (NORM, "X", "D/s - (sum(D .* C/s^2, axis=1)/(2 s)) .* (2 C/m)", "path not added"),
        (NORM, "X", "D/s - sum(D/s, axis=1)/m", "path not added"),
        (RELU, "b", "G_li [Z_li > 0]", "sum"),
        (RELU, "W", "G X^T", "dropped"),
        (RELU, "W", "(G .* A) X^T", "value in place of the mask"),
        (RELU, "b", "sum(G .* [Z > 0], axis=1)/m", "1/m"),
        (RELU, "b", "-sum(G .* [Z > 0], axis=1)", "sign"),
        (RELU, "X", "W (G .* [Z > 0])", "transpose missing"),
    ],
)
def test_the_mistakes_of_the_catalogue_have_names(
    model: str, wrt: str, text: str, name: str
) -> None:
    grade = Grader(model).grade(wrt, text)
    assert grade.verdict.startswith("wrong"), grade
    assert any(name in mistake.name for mistake in grade.mistakes), grade


def test_what_no_mistake_explains_is_not_explained() -> None:
    grade = Grader(RELU).grade("b", "sum(exp(G) .* tanh(Z) .* Z, axis=1)")
    assert grade.verdict == "wrong"
    assert not grade.mistakes
    assert grade.numbers is not None
