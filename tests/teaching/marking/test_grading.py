"""Answers about a network with layers: right in any form, and the mistake in the wrong ones."""

from __future__ import annotations

import pytest

from chainrule.teaching.exercises.loading import find
from chainrule.teaching.grading.grader import Grader

NETWORK = """
X : (n, m)
Y : (1, m)
W1 : (h, n)
b1 : (h, 1)
W2 : (1, h)
b2 : (1, 1)
Z1 = W1 X + b1
A1 = tanh(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
"""


@pytest.fixture(scope="module")
def grader() -> Grader:
    return Grader(NETWORK)


@pytest.mark.parametrize(
    ("wrt", "answer"),
    [
        ("W2", "(A2 - Y) A1^T"),
        ("W2", "np.dot(A2 - Y, A1.T)"),
        ("W2", r"\sum_i (a_2^{(i)} - y^{(i)}) a_1^{(i)T}"),
        ("W1", "(W2^T (A2 - Y) .* (1 - A1^2)) X^T"),
        ("W1", "(W2.T @ (A2 - Y) * (1 - A1**2)) @ X.T"),
        ("b1", "np.sum(W2.T @ (yhat - Y) * (1 - np.power(A1, 2)), axis=1, keepdims=True)"),
        ("b2", "sum(A2 - Y)"),
        ("Z1", r"W_2^\top (A_2 - Y) \odot (1 - A_1 \odot A_1)"),
    ],
)
def test_right_answers_are_right(grader: Grader, wrt: str, answer: str) -> None:
    assert grader.grade(wrt, answer).correct


@pytest.mark.parametrize(
    ("wrt", "answer", "verdict", "mistake"),
    [
        ("W2", "(Y - A2) A1^T", "wrong", "sign"),
        ("W2", "(A2 - Y) A1^T / m", "wrong", "a constant factor: 1/m"),
        ("W2", "A1 (A2 - Y)", "wrong_shape", None),
        ("W2", "(A2 - Y) A1", "wrong_shape", "transpose missing inside a product"),
        ("W1", "(W2^T (A2 - Y)) X^T", "wrong", "activation derivative dropped"),
        ("W1", "(W2^T (A2 - Y) .* A1 .* (1 - A1)) X^T", "wrong", "taken for the sigmoid"),
        ("b1", "W2^T (A2 - Y) .* (1 - A1^2)", "wrong_shape", "un-broadcast forgotten"),
    ],
)
def test_the_mistake_in_a_wrong_answer_is_named(
    grader: Grader, wrt: str, answer: str, verdict: str, mistake: str | None
) -> None:
    grade = grader.grade(wrt, answer)
    assert grade.verdict == verdict
    if mistake is not None:
        assert mistake in {found.name for found in grade.mistakes}


def test_naming_the_question_is_no_answer(grader: Grader) -> None:
    assert grader.grade("W1", "dW1").verdict == "unsure"
    assert grader.grade("W1", "dJ/dW1").verdict == "unsure"


def test_no_explanation_is_made_up(grader: Grader) -> None:
    grade = grader.grade("b2", "sum(A2 - Y) + 0.123")
    assert (grade.verdict, grade.mistakes) == ("wrong", ())


def test_the_other_layout_is_no_mistake_beside_another() -> None:
    grader = Grader("x : (n, 1)\ny : (1, 1)\nw : (1, n)\na = sigmoid(w x)\nL = (a - y)^2 / 2")
    grade = grader.grade("w", "-(a - y) a (1 - a) x")
    assert grade.verdict == "wrong"
    assert [mistake.name for mistake in grade.mistakes] == ["sign"]
    assert "Jacobian layout" in grade.why


def test_a_wrong_shape_is_told_beside_the_right_one() -> None:
    grade = Grader(NETWORK).grade("b1", "W2^T (A2 - Y)")
    assert grade.why == "the answer is (h, m); the gradient has the shape of b1, (h, 1)"


def test_yhat_is_what_stands_beside_the_labels() -> None:
    grader = Grader("x : (n, 1)\ny : (1, 1)\nw : (1, n)\np = w x\nL = (p - y)^2 / 2")
    assert grader.grade("w", "(yhat - y) x^T").correct
    residual = Grader("x, w, y : (1, 1)\ne = w x - y\nL = e^2 / 2")
    assert residual.grade("w", "(yhat - y) x").verdict == "unreadable"


@pytest.mark.parametrize(
    "answer", ["Σ_j dz^[2]_j W^[2]_j1", "da_1^[1] = sum_j dz_j^[2] W_j1^[2]", "(W2^T dz2)[0]"]
)
def test_one_entry_may_be_asked_for_as_on_the_board(answer: str) -> None:
    board = Grader(find("board-b1").model)
    assert board.grade("a^[1]_1", answer).correct
    wrong = board.grade("a^[1]_1", "Σ_j dz^[2]_j W^[2]_j2")
    assert wrong.verdict == "wrong"


def test_one_entry_of_what_was_asked_for_is_told_as_such() -> None:
    board = Grader(find("board-b1").model)
    grade = board.grade("a^[1]", "Σ_j dz^[2]_j W^[2]_j2")
    assert grade.verdict == "wrong_shape"
    assert grade.why.startswith("this is entry 2 of the gradient; all of it is asked for")
