"""Derivatives of vectors and matrices in an audited line: judged, and answered, as Jacobians."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import Verdict, audit

NORMALISED = """
x : (N, 1)
mu = mean(x)
v = mean((x - mu)^2)
xh = (x - mu)/sqrt(v + 1/1000)
L = sum(xh^3)
"""
SOFTMAX = """
z : (k, 1)
y : (k, 1)
p = softmax(z)
L = -sum(y .* log(p))
"""
LAYER = """
X : (n, m)
W : (h, n)
b : (h, 1)
Z = W X + b
A = tanh(Z)
J = sum(A^3)
"""
LINEAR = """
x : (n, 1)
W : (k, n)
z = W x
L = sum(z^3)
"""


def _line(forward: str, line: str) -> Verdict:
    return audit(forward + line).lines[-1]


@pytest.mark.parametrize(
    ("forward", "wrong", "entries"),
    [
        (NORMALISED, "dxh_i/dx_i = 1/sqrt(v + 1/1000)", "dxh_i/dx_i"),
        (NORMALISED, "dxh_i/dx_j = -1/sqrt(v + 1/1000)", "dxh_i/dx_j"),
        (SOFTMAX, "dp_i/dz_j = p_i (1 - p_j)", "dp_i/dz_j"),
        (SOFTMAX, "dp_k/dz_k = p_k", "dp_k/dz_k"),
        (SOFTMAX, "dp/dz = p .* (1 - p)", "dp/dz"),
        (LAYER, "dA_ij/dW_kl = X_lj (1 - A_ij)", "dA_ij/dW_kl"),
        (LAYER, "dZ_ij/db_k = 2", "dZ_ij/db_k"),
        (LINEAR, "dz/dx = 2 W", "dz/dx"),
        (LINEAR, "dz_k/dx_i = x_i", "dz_k/dx_i"),
    ],
)
def test_the_right_line_of_a_jacobian_is_proven_when_pasted_back(
    forward: str, wrong: str, entries: str
) -> None:
    found = _line(forward, wrong)
    assert found.accused
    assert found.right
    said = found.right if "=" in found.right else f"{entries} = {found.right}"
    again = _line(forward, said)
    assert again.verdict == "proven", (said, again.why)


@pytest.mark.parametrize(
    ("forward", "line"),
    [
        (
            NORMALISED,
            "dxh_i/dx_i = (1 - 1/N)/sqrt(v + 1/1000) - (x_i - mu)^2/(N sqrt(v + 1/1000)^3)",
        ),
        (SOFTMAX, "dp_i/dz_i = p_i (1 - p_i)"),
        (SOFTMAX, "dp_i/dz_j = -p_i p_j if i ≠ j"),
        (SOFTMAX, "dp/dz = diag(p) - p p^T"),
        (LINEAR, "dz/dx = W"),
        (NORMALISED, "∂xh/∂x = I/sqrt(v + 1/1000)"),
        (NORMALISED, "dxh/dxh = I"),
    ],
)
def test_the_textbook_answer_is_proven(forward: str, line: str) -> None:
    assert _line(forward, line).verdict == "proven"


def test_the_diagonal_is_short() -> None:
    found = _line(NORMALISED, "dxh_i/dx_i = 1/sqrt(v + 1/1000)")
    assert "sum" not in found.right
    assert len(found.right) < 80


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("∂xh_i/∂x_i = 1/sqrt(v + 1/1000)", "mu and v"),
        (r"\frac{\partial xh_i}{\partial x_i} = \frac{1}{\sqrt{v + 1/1000}}", "mu and v"),
        ("∂xh_i/∂v = -1/2 (x_i - mu) (v + 1/1000)^(-3/2)", ""),
        ("∂L/∂x_i = ∂L/∂xh_i /sqrt(v + 1/1000)", None),
    ],
)
def test_a_partial_derivative_with_statistics_held_fixed_is_named(
    line: str, held: str | None
) -> None:
    found = _line(NORMALISED, line)
    if held is None:
        assert found.accused  # the gradient of the objective is the total one
        return
    assert found.verdict == "proven"
    assert ("held fixed" in found.why) == bool(held)
    assert held in found.why


def test_a_total_derivative_that_is_partial_says_so() -> None:
    found = _line(NORMALISED, "dxh_i/dx_i = 1/sqrt(v + 1/1000)")
    assert found.verdict == "wrong"
    assert "mu and v held fixed" in found.why


@pytest.mark.parametrize(
    ("forward", "line", "name"),
    [
        (SOFTMAX, "dp_i/dz_i = -p_i (1 - p_i)", "sign"),
        (LINEAR, "dz_k/dx_i = 2 W_ki", "constant factor"),
        (LAYER, "dA_ij/dZ_ij = 1 + A_ij^2", "sign of one term"),
    ],
)
def test_a_slip_in_a_jacobian_is_named(forward: str, line: str, name: str) -> None:
    assert name in _line(forward, line).mistake
