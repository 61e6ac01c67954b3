"""Conventions are named: lines that are right in one are right, and only wrong ones are flagged."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit

NET = """
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
J = -1/m sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
"""
COURSE = """
dZ2 = A2 - Y
dW2 = 1/m dZ2 A1^T
db2 = 1/m sum(dZ2, axis=1)
dZ1 = W2^T dZ2 .* (1 - A1^2)
dW1 = 1/m dZ1 X^T
db1 = 1/m sum(dZ1, axis=1)
"""
OF_THE_SUM = """
dJ/dZ2 = A2 - Y
dJ/dW2 = (A2 - Y) A1^T
dJ/db2 = sum(A2 - Y, axis=1)
"""
LINE = """
X : (n, m)
y : (1, m)
w : (1, n)
b : (1, 1)
yhat = w X + b
"""
HALF = """
dJ/dyhat = yhat - y
dJ/dw = (yhat - y) X^T
dJ/db = sum(yhat - y)
"""
NORMALISED_HALF = """
dJ/dyhat = (yhat - y)/m
dJ/dw = (yhat - y) X^T/m
dJ/db = sum(yhat - y)/m
"""
WHOLE = """
dJ/dyhat = 2 (yhat - y)
dJ/dw = 2 (yhat - y) X^T
dJ/db = 2 sum(yhat - y)
"""
OF_THE_MEAN = """
dJ/dyhat = 2/m (yhat - y)
dJ/dw = 2/m (yhat - y) X^T
dJ/db = 2/m sum(yhat - y)
"""
ROWS = """
dZ2 = (A2 - Y)/m
dW2 = A1^T dZ2
dZ1 = dZ2 W2^T .* (1 - A1^2)
dW1 = X^T dZ1
db1 = sum(dZ1, axis=0)
"""
SQUARE = LINE + "J = sum((yhat - y)^2)\n"
MEAN_SQUARE = LINE + "J = 1/m sum((yhat - y)^2)\n"


@pytest.mark.parametrize(
    ("forward", "lines", "named"),
    [
        (NET, COURSE, "m dJ/dZ2 (the course's convention)"),
        (NET, OF_THE_SUM, "gradient of m J (the sum, not the mean)"),
        (SQUARE, HALF, "gradient of J/2 (half the squared error)"),
        (MEAN_SQUARE, NORMALISED_HALF, "gradient of J/2 (half the squared error)"),
        (LINE + "J = 1/2 sum((yhat - y)^2)\n", WHOLE, "gradient of 2 J"),
        (LINE + "J = sum((yhat - y)^2)\n", OF_THE_MEAN, "J/m (the mean"),
        (NET, ROWS, "examples in rows"),
    ],
)
def test_the_convention_is_named_and_every_line_is_right_in_it(
    forward: str, lines: str, named: str
) -> None:
    found = audit(forward + lines)
    assert {line.verdict for line in found.lines} == {"proven"}
    assert named in found.convention
    assert any(named in line.why for line in found.lines)
    assert found.data()["convention"] == found.convention


@pytest.mark.slow
@pytest.mark.parametrize(
    ("forward", "lines", "old", "new"),
    [
        (NET, COURSE, "dW2 = 1/m dZ2 A1^T", "dW2 = 2/m dZ2 A1^T"),
        (NET, COURSE, "dW1 = 1/m dZ1 X^T", "dW1 = dZ1 X^T"),
        (NET, COURSE, "(1 - A1^2)", "(1 - A1)"),
        (NET, COURSE, "db1 = 1/m sum(dZ1, axis=1)", "db1 = 1/m sum(dZ2) b1"),
        (NET, COURSE, "dZ2 = A2 - Y", "dZ2 = Y - A2"),
        (NET, OF_THE_SUM, "dJ/db2 = sum", "dJ/db2 = 3 sum"),
        (SQUARE, HALF, "(yhat - y) X^T", "(yhat + y) X^T"),
        (NET, ROWS, "W2^T .* (1 - A1^2)", "W2^T .* (1 + A1^2)"),
    ],
)
def test_a_wrong_line_is_flagged_in_its_convention(
    forward: str, lines: str, old: str, new: str
) -> None:
    assert old in lines
    found = audit(forward + lines.replace(old, new))
    assert [line.text for line in found.wrong] == [
        next(row for row in lines.replace(old, new).splitlines() if new in row)
    ]
    assert found.convention


@pytest.mark.parametrize(
    ("lines", "wrong", "said"),
    [
        ("dZ2 = A2 - Y\ndW2 = dZ2 A1^T\ndb2 = sum(dZ2, axis=1)\n", 1, "m J (the sum"),
        ("dZ2 = (A2 - Y)/m\ndW2 = 2 dZ2 A1^T\n", 1, "not equal"),
        ("dJ/dW2 = (A2 - Y) A1^T\ndJ/db2 = 1/m sum(A2 - Y)\n", 1, "not equal"),
    ],
)
def test_one_wrong_factor_is_no_convention(lines: str, wrong: int, said: str) -> None:
    found = audit(NET + lines)
    assert len(found.wrong) == wrong
    assert not found.convention
    assert said in found.wrong[0].why
