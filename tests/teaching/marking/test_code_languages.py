"""Gradients in Octave, R and Julia: right ones are read, wrong ones are found where they stand.

The right rows are the known gradients of logistic and softmax regression and of networks with one
hidden layer; each wrong row is one of them with one change.
"""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.code_by_value.dialects import as_python, language_of

OCTAVE = """
function [J, grad] = cost(theta, X, y, lambda)
m = length(y); % number of examples
grad = zeros(size(theta));
h = sigmoid(X * theta);
J = (1/m) * sum(-y .* log(h) - (1 - y) .* log(1 - h)) + lambda/(2*m) * sum(theta(2:end).^2);
grad = (1/m) * X' * (h - y) + (lambda/m) * [0; theta(2:end)];
end
"""
NETWORK = """
a1 = [ones(m, 1) X];
z2 = a1 * Theta1';
a2 = [ones(m, 1) sigmoid(z2)];
a3 = sigmoid(a2 * Theta2');
J = (1/m) * sum(sum(-Y .* log(a3) - (1 - Y) .* log(1 - a3)));
delta3 = a3 - Y;
delta2 = (delta3 * Theta2(:,2:end)) .* sigmoidGradient(z2);
Theta2_grad = (1/m) * delta3' * a2;
Theta1_grad = (1/m) * delta2' * a1;
"""
R = """
sigmoid <- function(z) 1 / (1 + exp(-z))
h <- sigmoid(X %*% w1)
p <- sigmoid(h %*% w2)
loss <- -sum(y * log(p) + (1 - y) * log(1 - p))
dz2 <- p - y
dw2 <- t(h) %*% dz2
dh <- dz2 %*% t(w2)
dw1 <- t(X) %*% (dh * h * (1 - h))
"""
JULIA = """
h = tanh.(W1 * X .+ b1)
p = 1 ./ (1 .+ exp.(-(W2 * h .+ b2)))
J = -sum(Y .* log.(p) .+ (1 .- Y) .* log.(1 .- p)) / size(X, 2)
dz2 = (p .- Y) / size(X, 2)
dW2 = dz2 * h'
db2 = sum(dz2, dims=2)
dz1 = W2' * dz2 .* (1 .- h.^2)
dW1 = dz1 * X'
"""


def _verdicts(text: str) -> dict[str, str]:
    return {line.text: line.verdict for line in audit(text).lines}


@pytest.mark.parametrize(
    ("text", "count"),
    [(OCTAVE, 1), (NETWORK, 4), (R, 4), (JULIA, 5)],
    ids=["octave", "net", "r", "julia"],
)
def test_the_gradients_of_a_right_text_are_right(text: str, count: int) -> None:
    found = list(_verdicts(text).values())
    assert found == ["proven"] * count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        (OCTAVE, "(lambda/m) * [0;", "(2*lambda/m) * [0;"),
        (NETWORK, "(1/m) * delta2' * a1;", "(1/m) * delta2' * a1 * 2;"),
        (NETWORK, "delta3 * Theta2(:,2:end)", "-delta3 * Theta2(:,2:end)"),
        (R, "dh * h * (1 - h)", "dh * h * (1 + h)"),
        (JULIA, "dW2 = dz2 * h'", "dW2 = dz2 * h' / 2"),
        (JULIA, "(1 .- h.^2)", "(1 .- h)"),
    ],
)
def test_a_wrong_row_is_found_and_no_other_accused(text: str, right: str, wrong: str) -> None:
    assert right in text
    found = _verdicts(text.replace(right, wrong))
    assert [row for row, verdict in found.items() if verdict == "wrong"] == [
        row.strip() for row in text.replace(right, wrong).split("\n") if wrong in row
    ]


@pytest.mark.parametrize(
    ("language", "row", "python"),
    [
        ("octave", "a = X(2:end, 1);", "a = X[1:, 0, None]"),
        (
            "octave",
            "c = [1 -x; y' 2];",
            "c = bind_rows(bind_columns(1, (-x)), bind_columns(y.T, 2))",
        ),
        ("octave", "s = sum(A, 2) ./ numel(A);", "s = (np.sum(A, axis=1, keepdims=True) / A.size)"),
        ("octave", "f = @(z) max(0, z).^2;", "def f(z): return (np.maximum(0, z) ** 2)"),
        ("r", "w[-1, ] <- 0", "w[1:, :] = 0"),
        ("r", "g <- crossprod(X, p - y)", "g = (X.T @ (p - y))"),
        ("julia", "m = mean(x, dims=1)", "m = np.mean(x, axis=0, keepdims=True)"),
    ],
)
def test_a_row_becomes_the_python_that_means_the_same(language: str, row: str, python: str) -> None:
    rows, failed = as_python([row], language)
    assert not failed
    assert rows == [python]


@pytest.mark.parametrize(
    "text",
    [
        "z = w x + b\na = sigmoid(z)\nL = -(y log a + (1 - y) log(1 - a))\ndL/dz = a - y",
        "Let $f(x) = x'Ax$. Then $f'(x) = 2Ax$.",
        "import numpy as np\ndw = X.T @ (p - y)\n",
    ],
)
def test_what_is_no_other_language_is_left_alone(text: str) -> None:
    assert language_of(text.split("\n")) is None


@pytest.mark.parametrize(
    "row", ["x = [1, 2", "y = a \\ b;", "z = (((", "for k", "x = 'open", "@#!"]
)
def test_a_row_that_is_not_read_is_named_and_nothing_fails(row: str) -> None:
    for language in ("octave", "julia", "r"):
        rows, failed = as_python(["a = 1;", row], language)
        assert len(rows) == 2
        assert failed <= {0, 1}
