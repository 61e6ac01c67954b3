"""Nabla, primes, arguments, layers, examples and differential form in audited lines."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit

BATCH = """
X : (n, m)
Y : (1, m)
w : (1, n)
b : (1, 1)
Z = w X + b
A = sigmoid(Z)
J = -1/m sum(Y .* log(A) + (1 - Y) .* log(1 - A))
"""
NET = r"""
X : (n, m)
Y : (k, m)
W^[1] : (h, n)
b^[1] : (h, 1)
W^[2] : (k, h)
b^[2] : (k, 1)
Z^[1] = W^[1] X + b^[1]
A^[1] = tanh(Z^[1])
Z^[2] = W^[2] A^[1] + b^[2]
A^[2] = sigmoid(Z^[2])
J = -1/m sum(Y .* log(A^[2]) + (1 - Y) .* log(1 - A^[2]))
$$dZ^{[2]} = \frac{1}{m} (A^{[2]} - Y)$$
"""
SQUARES = """
X : (n, p)
y : (n, 1)
w : (p, 1)
f(w) = ||X w - y||^2
"""
PRODUCT = """
A : (n, k)
B : (k, n)
S = A B
J = trace(S S)
"""


def _verdict(text: str) -> str:
    return audit(text).lines[-1].verdict


@pytest.mark.parametrize(
    ("forward", "left", "right", "wrong"),
    [
        (BATCH, "∇_w J", "(A - Y) X^T/m", "(A + Y) X^T/m"),
        (BATCH, "∇_w J(w, b)", "(A - Y) X^T/m", "-(A - Y) X^T/m"),
        (BATCH, r"$$\nabla_{\mathbf{w}} J", r"\frac{1}{m}(A - Y) X^\top$$", "(A - Y) X^T$$"),
        (BATCH, r"$$\nabla_{w} J(w,b)", r"\frac{1}{m} (A - Y) X^\top$$", "2 X$$"),
        (BATCH, r"$$\frac{\partial}{\partial w} J(w,b)", "(A - Y) X^T/m$$", "(Y - A) X^T/m$$"),
        (
            BATCH,
            r"$$\frac{\partial J(w,b)}{\partial w_j}",
            r"\frac{1}{m} \sum_{i=1}^{m} (a^{(i)} - y^{(i)}) x_j^{(i)}$$",
            r"\frac{1}{m} \sum_{i=1}^{m} (a^{(i)} - y^{(i)})$$",
        ),
        (BATCH, "J'(b)", "1/m sum(A - Y)", "sum(A - Y)"),
        (BATCH, "dJ(w, b)/db", "1/m sum(A - Y)", "1/m sum(A)"),
        (NET, r"$$dW^{[2]}", r"dZ^{[2]} A^{[1]T}$$", r"dZ^{[2]} A^{[2]T}$$"),
        (NET, r"$$dW^{[l]}", r"dZ^{[l]} A^{[l-1]T}$$", r"2 dZ^{[l]} A^{[l-1]T}$$"),
        (
            NET,
            r"$$dZ^{[1]}",
            r"W^{[2]T} dZ^{[2]} * g^{[1]'}(Z^{[1]})$$",
            r"W^{[2]T} dZ^{[2]} * g^{[1]'}(Z^{[2]})$$",
        ),
        (
            NET,
            r"$$dz^{[1](i)}",
            r"W^{[2]T} dz^{[2](i)} * (1 - a^{[1](i)2})$$",
            r"W^{[2]T} dz^{[2](i)} * (1 - a^{[1](i)})$$",
        ),
        (
            NET,
            r"$$\frac{\partial J}{\partial W^{[2]}_{jk}}",
            r"\frac{1}{m}\sum_i (a^{[2](i)}_j - y^{(i)}_j) a^{[1](i)}_k$$",
            r"\frac{1}{m}\sum_i (a^{[2](i)}_k - y^{(i)}_k) a^{[1](i)}_j$$",
        ),
        (SQUARES, "∇f(w)", "2 X^T (X w - y)", "2 X^T (X w + y)"),
        (SQUARES, "∇f", "2 X^T (X w - y)", "X^T (X w - y)"),
        (SQUARES, "f'(w)", "2 X^T (X w - y)", "2 (X w - y)"),
        (SQUARES, "df", "2 (X w - y)^T X dw", "(X w - y)^T X dw"),
        (SQUARES, "df", "2 (X w - y)^T d(X w - y)", "2 (X w - y)^T d(X w)"),
        (SQUARES, "df", "tr(2 (X w - y)^T X dw)", "tr(2 (X w + y)^T X dw)"),
        (SQUARES, "df", "⟨2 X^T (X w - y), dw⟩", "⟨X^T (X w - y), dw⟩"),
        (SQUARES, "df", "2 X^T (X w - y) : dw", "2 X^T (X w) : dw"),
        (PRODUCT, "dJ", "2 tr(S dS)", "2 tr(S^T dS)"),
        (PRODUCT, "dJ", "2 tr(B S dA) + 2 tr(S A dB)", "2 tr(B S dA) - 2 tr(S A dB)"),
        (PRODUCT, "dJ", "2 tr(S d(A B)) = 2 tr(S dA B) + 2 tr(S A dB)", "2 tr(S dA B) + tr(A dB)"),
        (
            PRODUCT,
            r"$$\mathrm{d} J",
            r"2 \operatorname{tr}(S \, \mathrm{d} S)$$",
            r"\operatorname{tr}(S\, \mathrm{d}S)$$",
        ),
    ],
)
def test_the_notation_is_read_right_and_wrong(
    forward: str, left: str, right: str, wrong: str
) -> None:
    assert _verdict(f"{forward}{left} = {right}\n") == "proven"
    assert _verdict(f"{forward}{left} = {wrong}\n") in ("wrong", "shape", "scope")


def test_a_line_is_shown_as_it_was_written() -> None:
    found = audit(SQUARES + "df = 2 (X w - y)^T d(X w - y)\n").lines[-1]
    assert found.text == "df = 2 (X w - y)^T d(X w - y)"
