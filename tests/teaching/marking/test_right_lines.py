"""The right line is the quantity of the line, in the author's letters; slips are named as made."""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit

FORWARD = """
X : (n, m)
Y : (k, m)
W1 : (h, n)
b1 : (h, 1)
W2 : (k, h)
b2 : (k, 1)
Z1 = W1 X + b1
A1 = {activation}(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
J = 1/m sum((A2 - Y)^2)
"""
NESTED = """
X : (n, m)
Y : (v, m)
W1 : (h, n)
b1 : (h, 1)
W2 : (v, h)
b2 : (v, 1)
yhat = softmax(W2 relu(W1 X + b1) + b2, axis=0)
J = -1/m sum(Y .* log(yhat))
"""
SLOPES = {
    "sigmoid": "A1 .* (1 - A1)",
    "tanh": "(1 - A1^2)",
    "relu": "(Z1 > 0)",
}


@pytest.mark.parametrize("there", SLOPES)
@pytest.mark.parametrize("written", SLOPES)
def test_the_slope_of_another_activation_is_named(there: str, written: str) -> None:
    lines = f"dA1 = W2^T dZ2\ndZ1 = dA1 .* {SLOPES[written]}\n"
    found = audit(FORWARD.format(activation=there) + lines).lines[-1]
    if there == written:
        assert found.verdict == "proven"
    else:
        assert found.verdict == "wrong"
        assert f"taken for the {written}" in found.mistake, found.mistake


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "dW1 = 2 X",
        "dJ/dW1 = (yhat - Y) X^T",
        "dJ/dW2 = 3 W2",
        "dJ/db1 = b1",
        "dJ/dX = X",
        "dJ/dW1_pq = 1",
        "dJ/db2_k = 1",
        "dJ/dyhat = Y",
    ],
)
def test_the_right_line_has_only_names_of_the_author_and_is_proven(line: str) -> None:
    found = audit(NESTED + line).lines[-1]
    assert found.accused
    assert found.right
    left = line.partition("=")[0]
    said = found.right if " = " in found.right else f"{left} = {found.right}"
    again = audit(NESTED + said).lines[-1]
    assert again.verdict == "proven", (said, again.why)
    names = set(re.findall(r"d?[A-Za-z]+\d?", found.right))
    assert not names & {"U", "dU", "dZ", "Z", "dyhat", "U1", "U2"}, found.right


def test_names_of_gradients_stand_in_it_once_the_author_has_used_them() -> None:
    forward = FORWARD.format(activation="tanh")
    before = audit(forward + "dW2 = A1").lines[-1]
    after = audit(forward + "dZ2 = 2/m (A2 - Y) .* A2 .* (1 - A2)\ndW2 = A1").lines[-1]
    assert "dZ2" not in before.right
    assert after.right == "dZ2 A1^T"


@pytest.mark.parametrize(
    ("line", "right"),
    [
        ("A1 = tanh(Z2)", "tanh(Z1)"),
        ("Z2 = A1 W2 + b2", "W2 A1 + b2"),
        ("dA2/dZ2 = A2", "A2 .* (1 - A2)"),
        ("dJ/dA2 = (A2 - Y)/m", "2(A2 - Y)/m"),
    ],
)
def test_the_right_line_is_about_the_quantity_of_the_line(line: str, right: str) -> None:
    found = audit(FORWARD.format(activation="tanh") + line).lines[-1]
    assert found.accused
    assert found.right == right


def test_where_there_is_no_right_line_it_is_said() -> None:
    found = audit(FORWARD.format(activation="tanh") + "A1 + Z1 = A1 - Z1").lines[-1]
    assert found.accused
    assert not found.right
    assert "no right side" in found.why


SYMMETRIC = """
A : (n, n)
S : (n, n)
x : (n, 1)
X : (n, m)
J = x^T A x - 1/2 logdet(S) - trace(S^-1 X X^T)
"""


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("dJ/dx = 2 A x", "A"),
        ("dJ/dS = -1/2 S^-1 + S^-1 X X^T S^-1", "S"),
        ("dJ/dx = A x", ""),
        ("dJ/dS = 1/2 S^-1 + S^-1 X X^T S^-1", ""),
    ],
)
def test_a_line_that_needs_a_symmetric_matrix_says_so(line: str, named: str) -> None:
    found = audit(SYMMETRIC + line).lines[-1]
    assert found.verdict == "wrong"
    assert (f"right if {named} is symmetric" in found.why) == bool(named)


def test_a_letter_of_the_output_can_be_a_name_of_the_authors_own() -> None:
    forward = "X : (n, d)\nw : (d, 1)\ny : (n, 1)\np = sigmoid(X w)\n"
    forward += "l = sum(y .* log(p) + (1 - y) .* log(1 - p))\n"
    found = audit(forward + "H = -X^T diag(p .* (1 - p)) X\ngrad = X^T (y - p)\n")
    assert [line.verdict for line in found.lines] == ["proven"]
