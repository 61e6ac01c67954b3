"""Accusations of posted lines need more than one reading in which the line is false."""

# ruff: noqa: E501

from __future__ import annotations

import pytest

from chainrule.language.reading import read_model
from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.by_value.claims import by_value

REGRESSION = r"""$$Q = \frac{1}{2m}\sum_{i=1}^m (g_i - r_i)^2, \quad g_i = v^T q_i + c$$
$$\frac{\partial Q}{\partial v} = %s$$"""

SLIPS = {
    r"\frac{1}{m}\sum_{i=1}^m (g_i + r_i) q_i": "the other sign of one term",
    r"\sum_{i=1}^m (g_i - r_i) q_i": "the factor 1/m more",
    r"\frac{5}{m}\sum_{i=1}^m (g_i - r_i) q_i": "",
    r"-\frac{1}{m}\sum_{i=1}^m (g_i - r_i) q_i": "the other sign",
    r"\frac{1}{m}\sum_{i=1}^m g_i (g_i - r_i) q_i": "one factor less",
    r"\frac{1}{m}\sum_{i=1}^m (g_i - r_i)^2 q_i": "another exponent",
}


@pytest.mark.parametrize(("side", "change"), SLIPS.items())
def test_a_small_change_that_makes_a_line_right_is_named(side: str, change: str) -> None:
    (judged,) = by_value(REGRESSION % side)
    assert (judged.verdict, judged.change) == ("wrong", change)


UNKNOWN = {
    "a sum that the author leaves out": r"""$$p_k = \frac{e^{o_k}}{\sum_j e^{o_j}}, \qquad o_k = \sum_i M_{ki} b_i, \qquad C = -\sum_k t_k \log p_k$$
$$\frac{\partial C}{\partial M_{ab}} = \frac{\partial C}{\partial p_k} \frac{\partial p_k}{\partial o_r} \frac{\partial o_r}{\partial M_{ab}}$$""",
    "a place that is written behind": r"""$$h_{ij} = a_i^T b_j, \qquad e_{ij} = s_{ij} - h_{ij}$$
$$\frac{\partial}{\partial a_{ik}} e_{ij}^2 = -2 e_{ij} b_{kj}$$""",
}


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=list(UNKNOWN))
def test_a_line_in_another_notation_is_not_accused(text: str) -> None:
    assert not audit(text).wrong


def test_what_is_held_back_says_what_was_read_and_what_to_write() -> None:
    found = audit(r"""$$\ell = \log(1 + e^{-s z}), \quad z = v q$$
$$\frac{\partial \ell}{\partial v} = s^3 q^2 z^5 + 7$$""").lines
    (line,) = (one for one in found if one.line == 2)
    assert line.verdict == "unproven"
    assert "read as s^3 q^2 z^5 + 7" in line.why
    assert "declare the shapes" in line.why


def test_a_line_with_the_names_of_a_right_line_is_accused_without_a_small_change() -> None:
    text = r"""$$\ell = \log(1 + e^{-s z}), \quad z = v q$$
$$\frac{\partial \ell}{\partial v} = -\frac{s q}{1 + e^{s v q}}$$
$$\frac{\partial \ell}{\partial v} = s^3 q^2 v^5 + 7$$"""
    assert [line.verdict for line in audit(text).lines] == ["proven", "wrong"]


def test_declared_shapes_are_enough() -> None:
    text = """q, v, s : (1, 1)
z = v q
L = log(1 + exp(-s z))
dL/dv = s^3 q^2 z^5 + 7
"""
    assert [line.verdict for line in audit(text).lines] == ["wrong"]


LOOP = """
h_0 : (h, 1)
U : (h, h)
for t = 1..T
  x_t : (h, 1)
  h_t = tanh(U h_{t-1} + x_t)
J = 1/2 sum_{t=1}^{T} ||h_t||^2
"""


@pytest.mark.parametrize(("line", "verdict"), [("2 h_1", "wrong"), ("h_1 + U^T dJ/dz", "unreadable"),
                                               ("h_4", "proven")])  # fmt: skip
def test_the_rounds_of_an_open_loop_are_said(line: str, verdict: str) -> None:
    (judged,) = audit(f"dJ/dh_4 = {line}", read_model(LOOP)).lines
    assert judged.verdict == verdict
    assert judged.why.endswith("; judged with T = 4") == (verdict != "unreadable")
