"""Roles of inputs: what is differentiated by default is what a teacher would differentiate."""

from __future__ import annotations

import pytest

from chainrule import derive
from chainrule.calculus.graph.roles import Role, differentiated, roles
from chainrule.language.reading import read_model

HEAD = "X : (n, m)\nY : (1, m)\n"
DEFAULTS = [
    (
        "x, y, gamma, beta : (n, 1)\nmu = mean(x)\nxh = x - mu\nL = norm(gamma .* xh + beta - y)^2",
        ["gamma", "beta"],
        "for: gamma, beta; not for: x, y (data)",
    ),
    (
        "x_1, x_2 : (n, 1)\nh_0, b : (h, 1)\nW : (h, h)\nU : (h, n)\nV : (k, h)\ny : (k, 1)\n"
        "h_1 = tanh(W h_0 + U x_1 + b)\nh_2 = tanh(W h_1 + U x_2 + b)\nL = norm(V h_2 - y)^2",
        ["b", "W", "U", "V"],
        "for: b, W, U, V; not for: x_1, x_2, y (data), h_0 (initial value)",
    ),
    ("x, b : (n, 1)\nA : (n, n)\nf = 1/2 x' A x - b' x", ["x", "b", "A"], "for: x, b, A"),
    (
        HEAD
        + "K : (h, n)\ng : (1, h)\nD : (h, m)\nw : (1, h)\nJ = norm(w (K X .* D) - Y)^2 + sum(g)",
        ["K", "g", "w"],
        "for: K, g, w; not for: X, Y, D (data)",
    ),
    (
        HEAD + "w : (1, n)\nlambda : (1, 1)\nJ = norm(w X - Y)^2 + lambda norm(w)^2",
        ["w"],
        "for: w; not for: X, Y (data), lambda (constant)",
    ),
    ("X : (d, n)\nmu : (d, 1)\nS : (d, d)\nL = trace(S (X - mu) (X - mu)^T)", ["mu", "S"], ""),
    ("A : (d, n)   # design matrix\nq : (n, 1)   # coefficients\nL = norm(A q)^2", ["q"], ""),
    ("x : (n, 1)\nL = norm(x)^2", ["x"], "for: x"),
]


@pytest.mark.parametrize(("text", "names", "said"), DEFAULTS)
def test_the_parameters_are_differentiated_and_it_is_said(
    text: str, names: list[str], said: str
) -> None:
    model = read_model(text)
    assert [symbol.name for symbol in differentiated(model)] == names
    assert [symbol.name for symbol in model.parameters()] == names
    if said:
        assert derive(model).reading == (said,)


def test_the_author_decides() -> None:
    text = HEAD + "w : (1, n)\nb : (1, 1)\nJ = sum(w X + b - Y)"
    assert derive(text, ["X"]).reading == ("for: X; not for: Y (data), w, b (not asked for)",)


def test_a_note_decides_before_the_letter() -> None:
    model = read_model("x : (n, 1)   # weights\nc : (n, 1)   # features of one example\nL = x^T c")
    assert list(roles(model).values()) == [Role.PARAMETER, Role.DATA]
