"""Names that differ in case are two names, and inferred facts hold for every forward pass."""

from __future__ import annotations

import pytest

from chainrule.language.reading import read_model
from chainrule.teaching.grading.audit import audit
from chainrule.teaching.grading.grader import Grader

TWO_SHAPES = """
u : (d, 1)
v : (d, 1)
V : (d, K)
s = v^T u
S = V^T u
E = -log(sigmoid(s)) - sum(log(sigmoid(-S)))
"""
ONE_SHAPE = """
p : (n, 1)
q : (n, 1)
x : (n, 1)
a = p^T x
A = q^T x
J = a^2 + 3 A
"""
SOFTMAX = """
X : (k, m)
Y : (k, m)
P = softmax(X, axis=0)
J = -sum(Y .* log(P))
"""


@pytest.mark.parametrize(
    ("forward", "line", "verdict"),
    [
        (TWO_SHAPES, "dE/ds = sigmoid(s) - 1", "proven"),
        (TWO_SHAPES, "dE/dS = sigmoid(S)", "proven"),
        (TWO_SHAPES, "dE/dS_k = sigmoid(S_k)", "proven"),
        (TWO_SHAPES, "dE/dv = dE/ds * u", "proven"),
        (TWO_SHAPES, "dE/dV = u (dE/dS)^T", "proven"),
        (TWO_SHAPES, "dE/ds = sigmoid(s)", "wrong"),
        (TWO_SHAPES, "dE/dS = sigmoid(-S)", "wrong"),
        (ONE_SHAPE, "dJ/da = 2 a", "proven"),
        (ONE_SHAPE, "dJ/dA = 3", "proven"),
        (ONE_SHAPE, "dJ/dx = 2 a p + 3 q", "proven"),
        (ONE_SHAPE, "dJ/dx = 2 A p + 3 q", "wrong"),
    ],
)
def test_names_match_with_their_case(forward: str, line: str, verdict: str) -> None:
    found = audit(forward + line).lines
    assert len(found) == 1, [v.text for v in found]
    assert found[0].verdict == verdict


def test_a_letter_in_another_case_is_still_read_where_it_names_nothing_else() -> None:
    forward = "u : (d, 1)\nV : (d, K)\nR = V^T u\nE = -sum(log(sigmoid(-R)))\n"
    found = audit(forward + "dE/dr_k = sigmoid(r_k)")
    assert [line.verdict for line in found.lines] == ["proven"]


@pytest.mark.parametrize(
    "line", ["dJ/dX = P - Y", r"$$\frac{\partial J}{\partial X} = P - Y$$", "dX = P - Y"]
)
def test_labels_beside_a_log_softmax_are_one_hot_in_every_forward_pass(line: str) -> None:
    apart = audit(line, read_model(SOFTMAX)).lines
    inline = audit(SOFTMAX + line).lines
    assert [v.verdict for v in apart] == [v.verdict for v in inline] == ["proven"]


def test_the_grader_takes_the_same_labels_for_one_hot() -> None:
    assert Grader(SOFTMAX).grade("X", "P - Y").correct
