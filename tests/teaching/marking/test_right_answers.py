"""Right answers as other people write them: none may be rejected, over the whole bank."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest
from benchmarks.grading.questions import questions
from benchmarks.grading.rewritings import Rewriter

from chainrule.teaching.exercises.loading import exercises, find
from chainrule.teaching.grading.grader import Grader

SEED, EACH = 5, 4
BATCH = """
X : (n, m)
Y : (1, m)
w : (1, n)
b : (1, 1)
Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
"""


@pytest.fixture(scope="module")
def batch() -> Grader:
    return Grader(BATCH)


@pytest.mark.slow
@pytest.mark.parametrize("topic", sorted({each.topic for each in exercises() if each.model.asked}))
def test_equivalent_rewritings_are_accepted(topic: str) -> None:
    rejected = []
    for question in questions(topic):
        rewriter = Rewriter(question)
        for found in islice(rewriter.rewritings(Random(f"{question} {SEED}")), EACH):
            grade = question.grader.grade(question.wrt, found.text)
            if not grade.correct:
                rejected.append((str(question), found.how, found.text, grade.verdict, grade.why))
    assert not rejected


@pytest.mark.parametrize(
    ("wrt", "text"),
    [
        ("w", "(a-y) x^T"),
        ("w", "(A - Y) @ X.T"),
        ("w", "np.dot(A-Y, X.T)"),
        ("w", r"(\hat{y}-y)x^\top"),
        ("w", r"\sum_{i=1}^m (a^{(i)} - y^{(i)}) X_p^{(i)}"),
        ("w", "np.einsum('ai,pi->ap', A - Y, X)"),
        ("w", "(A - Y) * X'"),
        ("w", "X^T (A - Y)"),
        ("w", "X (A - Y)^T"),
        ("w", "dZ X^T"),
        ("w", r"\[ (A - Y) X^\top \]"),
        ("w", "(A - Y) X^T."),
        ("w", "dw = (A - Y) @ X.T  # as on the board"),
        ("b", "Σ(a − y)"),
        ("w", r"\mathrm{d}Z\,X^{\top}"),
        ("w", "∂J/∂Z X^T"),
        ("w", "dJ/dA .* dA/dZ X^T"),
        ("b", "np.sum(A-Y, axis=1, keepdims=True)"),
        ("b", r"(A-Y)\mathbf{1}"),
        ("b", "(A - Y) @ np.ones((m, 1))"),
        ("b", "torch.full((1, X.shape[1]), 1.0) @ (A - Y).T"),
        ("b", r"\sum_{i=1}^m a_i - y_i"),
        ("b", "(A - Y).sum()"),
        ("A", r"-\frac{y}{a} + \frac{1-y}{1-a}"),
        ("Z", "sigma(wx+b) - y"),
    ],
)
def test_what_people_type_is_accepted(batch: Grader, wrt: str, text: str) -> None:
    grade = batch.grade(wrt, text)
    assert grade.correct, grade


def test_a_gradient_through_named_layers_needs_no_layer_in_the_answer() -> None:
    grader = Grader("X : (n, m)\nD : (n, m)\nu = mean(X, axis=1)\nC = X - u\nJ = sum(D .* C)")
    assert grader.grade("X", "D - sum(D, axis=1)/m").correct
    assert grader.grade("X", "D + du/m").correct


def test_the_slope_of_a_function_of_ones_own_is_read_wherever_it_is_taken() -> None:
    grader = Grader("X : (n, m)\nG : (n, m)\nf(z) = z tanh(z)\nJ = sum(G .* f(X))")
    for text in ("G .* f'(X)", "G * f_prime(X)", "(G^T .* f'(X^T))^T", "G_ij f'(X_ij)"):
        assert grader.grade("X", text).correct, text


def test_the_convention_of_rows_turns_gradients_as_well() -> None:
    grader = Grader(
        "X : (n, m)\nW : (h, n)\nv : (1, h)\nY : (1, m)\n"
        "Z = W X\nA = tanh(Z)\nP = v A\nJ = ‖P - Y‖^2"
    )
    for text in ("X^T ((2 (P - Y) v^T) .* (1 - A^2))", "X^T (dP v^T .* (1 - A.*A))", "X^T dZ"):
        assert grader.grade("W", text).correct, text


@pytest.mark.parametrize(
    "text",
    [
        "2(yhat - y)(1 - yhat^2) s(1 - s) x^2",
        r"2(\hat{y}-y)(1-\hat{y}^2)\sigma(wx^2+b)(1-\sigma(wx^2+b))x^2",
        "2(ŷ - y)(1 - ŷ²) σ(wx² + b)(1 - σ(wx² + b)) x²",
        "2(ŷ - y) tanh'(s) σ'(wx²+b) x²",
    ],
)
def test_a_power_belongs_to_the_last_letter_of_a_run(text: str) -> None:
    grade = Grader(find("board-b2").model).grade("w", text)
    assert grade.correct, grade


def test_a_transpose_belongs_to_the_last_letter_of_a_run() -> None:
    grader = Grader("X : (n, m)\nY : (1, m)\nw : (1, n)\nJ = ‖w X - Y‖^2 / 2")
    assert grader.grade("w", "(wX - Y)X^T").correct
    assert grader.grade("w", "wXX^T - YX^T").correct
