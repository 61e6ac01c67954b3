"""Habits of notes and READMEs: sums along rows, marked names, solutions put into conditions, chains.

A line that begins with ✓ is right, one with ✗ wrong; the others define and say.
"""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.marked_names import with_marks_as_names
from chainrule.teaching.marking.optima import solutions
from chainrule.teaching.marking.transcript import statements
from chainrule.teaching.marking.usual_shorthand import with_shorthand_written_out

# ruff: noqa: E501

_MARK = re.compile(r"^([✓✗]) ?", re.MULTILINE)

TEXTS = {
    "a softmax and a sum along the last axis": r"""
$S = \frac{U K^T}{\sqrt{h}}$, $A = \text{softmax}(S, \text{dim}=-1)$, $Y = A R$

✓ $$ dA = dY \cdot R^T $$
✓ $$ dS = A \odot (dA - \text{row\_sum}(A \odot dA)) $$
✓ $$ dU = dS \cdot K \cdot \frac{1}{\sqrt{h}} $$
✗ $$ dU = dS^T \cdot K \cdot \frac{1}{\sqrt{h}} $$
""",
    "gradients with a mark above": r"""
$$m = \frac{1}{d}\sum_{k=1}^d u_k, \qquad v_j = a_j (u_j - m) + c_j$$
$$g^v_j = \frac{\partial L}{\partial v_j}$$
✓ $$\frac{\partial L}{\partial a_j} = g^v_j (u_j - m)$$
✓ $$\frac{\partial L}{\partial c_j} = g^v_j$$
✗ $$\frac{\partial L}{\partial c_j} = -g^v_j$$
""",
    "an objective with a word in its index": r"""
$$J_{pair-loss}(p, q, B) = -\log(\sigma(p^\top q)) - \sum_{k=1}^{K} \log(\sigma(-b_{k}^\top q))$$
✓ $$\frac{\partial J}{\partial p} = (\sigma(p^\top q) - 1) q$$
✗ $$\frac{\partial J}{\partial p} = (\sigma(p^\top q) + 1) q$$
""",
    "a sigmoid that is defined by its call, and the indices a line holds for": r"""
h_w(x) = g(w^T x) = \frac{1}{1 + e^{-w^T x}}
J(w) = -\frac{1}{m} \sum_{i=1}^m [y^{(i)} \log(h_w(x^{(i)})) + (1 - y^{(i)}) \log(1 - h_w(x^{(i)}))] + \frac{\mu}{2m} \sum_{j=1}^d w_j^2
✓ \frac{\partial J}{\partial w_j} = \frac{1}{m} \sum_{i=1}^m (h_w(x^{(i)}) - y^{(i)}) x_j^{(i)} + \frac{\mu}{m} w_j \quad (j \ge 1)
""",
    "the optimum, with what leads to it": r"""
$$R(v) = \Vert P v - c \Vert^2 + \mu v^T v$$

At the optimum

$$\nabla_v R(v) = 0$$
✓ $$\nabla_v R(v) = 2 P^T (P v - c) + 2 \mu v$$
Setting it to zero, $2 P^T (P v - c) + 2 \mu v = 0$,
$$P^T P v + \mu v = P^T c$$
✓ $$v = (P^T P + \mu I)^{-1} P^T c$$
""",
    "a wrong optimum": r"""
$$R(v) = \Vert P v - c \Vert^2 + \mu v^T v$$
✓ $$\nabla_v R(v) = 2 P^T (P v - c) + 2 \mu v$$
Setting the gradient to zero gives
✗ $$\hat{v} = (P^T P - \mu I)^{-1} P^T c$$
""",
    "a weighted mean": r"""
$$Q = \frac12 \sum_{i=1}^n\sum_{k=1}^K s_{ik}\Vert z_i-m_k \Vert^2$$
$$\begin{align*}
✓ \frac{\partial Q}{\partial m_k}&=-\sum_{i=1}^n s_{ik}(z_i-m_k)=0\\
✗ \Rightarrow\quad m_k&=\frac{\sum_{i=1}^n s_{ik} z_i}{\sum_{i=1}^n z_i}
\end{align*}$$
""",
    "a left side on a row of its own": r"""
$s_j = V_j^T u$, $p_j = \frac{e^{s_j}}{\sum_{k=1}^{C} e^{s_k}}$ and $L = -\sum_{j=1}^{C} t_j s_j + \log \sum_{k=1}^{C} e^{s_k}$
✓ $$\frac{\partial L}{\partial s_j} = -t_j + \frac{\partial}{\partial s_j} \log \sum_{k=1}^{C} e^{s_k}$$
$$
\begin{align*}
\frac{\partial}{\partial s_j} \left[ \log \sum_{k=1}^{C} e^{s_k} \right]
✓ &= \frac{1}{\sum_{k=1}^{C} e^{s_k}} \cdot e^{s_j} \\
✓ &= p_j
\end{align*}
$$
""",
    "only the wrong row of a chain": r"""
$$f(v) = \frac{1}{2} (B v - c)^T (B v - c)$$
$$\begin{aligned}
✓ \nabla_v f(v) &= \nabla_v [\frac{1}{2} (B v - c)^T (B v - c)] \\
✗ &= -\nabla_v [\frac{1}{2} (v^T B^T B v - 2 v^T B^T c + c^T c)] \\
✓ &= B^T B v - B^T c
\end{aligned}$$
""",
    "the list of the entries of a vector, and two equal indices": r"""
Scores $z = [z_1, z_2, \dots, z_C]$, shares $q_i = \frac{e^{z_i}}{\sum_{k=1}^{C} e^{z_k}}$. For the case \(i=j\) below:

✗ $$\frac{\partial q_i}{\partial z_i} = q_i (1 + q_i)$$
✓ $$\frac{\partial q_i}{\partial z_i} = q_i (1 - q_i)$$
""",
    "a link of a chain that is of another layer": r"""
$r^{[1]} = V^{[1]} u$, $h^{[1]} = \tanh(r^{[1]})$, $r^{[2]} = V^{[2]} h^{[1]}$, $L = \frac{1}{2}(r^{[2]} - t)^2$
✗ $$\frac{\partial L}{\partial V^{[1]}} = \frac{\partial L}{\partial r^{[2]}} \cdot \frac{\partial r^{[2]}}{\partial h^{[1]}} \cdot \frac{\partial h^{[1]}}{\partial r^{[1]}} \cdot \frac{\partial r^{[2]}}{\partial V^{[1]}}$$
""",
    "a score of a softmax with primed actions as arguments": r"""
$$\pi(a|s) = \frac{e^{x(s,a)^\top w}}{\sum_{a'} e^{x(s,a')^\top w}}$$
✓ $$\nabla_w \log \pi(a|s) = x(s,a) - \sum_{a'} \pi(a'|s)\, x(s,a')$$
✗ $$\nabla_w \log \pi(a|s) = x(s,a) + \sum_{a'} \pi(a'|s)\, x(s,a')$$
""",
}


@pytest.mark.parametrize("name", TEXTS)
def test_right_lines_are_proven_and_wrong_ones_found(name: str) -> None:
    text = TEXTS[name].strip("\n")
    marks = {n: row[0] for n, row in enumerate(text.split("\n"), 1) if row[:1] in ("✓", "✗")}
    found = audit(_MARK.sub("", text))
    verdicts = {line.line: line for line in found.lines}
    assert {n for n, line in verdicts.items() if line.accused} == {
        n for n, mark in marks.items() if mark == "✗"
    }
    assert {n for n, line in verdicts.items() if line.verdict == "proven"} >= {
        n for n, mark in marks.items() if mark == "✓"
    }


def test_a_sign_beside_an_open_function_is_found() -> None:
    policy = r"""$q_w(a|s) = \mathcal{N}(a|w^T f(s), \tau^2)$
$$\nabla_w \log q_w(a|s) = \frac{a %s w^T f(s)}{\tau^2} f(s)$$"""
    verdicts = [audit(policy % sign).lines[-1].verdict for sign in "-+"]
    assert verdicts == ["proven", "wrong"]


def test_a_power_stays_a_power() -> None:
    text = r"$g^y_j = h_j$ and $\frac{\partial L}{\partial w} = x^k_j$"
    assert with_marks_as_names(text) == text


def test_bold_letters_keep_what_stands_below_them() -> None:
    written = with_shorthand_written_out(r"$P\bold{1_n}$ and $s\mathbf{1_n^T}$")
    assert written == r"$P\mathbf{1}_n$ and $s\mathbf{1}_n^T$"


@pytest.mark.parametrize(
    "solution",
    [
        r"v = \bar{x}",  # a name that the condition does not have
        r"v^2 = \frac{1}{n} \sum_i x_i",  # a power of the variable
        r"w = \frac{1}{n} \sum_i x_i",  # another variable
    ],
)
def test_what_does_not_solve_the_condition_in_its_names_is_left_alone(solution: str) -> None:
    text = rf"$\frac{{\partial F}}{{\partial v}} = \sum_i (x_i - v) = 0$, then ${solution}$"
    assert not list(solutions(statements(text), text))


WORDS_LIKE_SHAPES = r"""The model gives
$$P(t=1|u) = \sigma(v^T u)$$
where $v$ are the weights, and $u$ is the input vector (including a 1 for the bias term). The loss is
$$L(v) = -[t \log(\sigma(v^T u)) + (1-t) \log(1-\sigma(v^T u))]$$
with the gradient
$$\nabla_v L(v) = (\sigma(v^T u) - t) \cdot u$$
"""


def test_words_that_look_like_shapes_do_not_end_a_text() -> None:
    (gradient,) = (line for line in audit(WORDS_LIKE_SHAPES).lines if "nabla" in line.text)
    assert gradient.verdict == "proven"


def test_a_matrix_whose_rows_have_one_index_elsewhere_ends_no_text() -> None:
    text = r"""$S = U K^T \cdot \text{c}$, $P = \text{softmax}(S)$, $O = P V$
$$dP = dO \cdot V^T$$
With $P_j = e^{s_j} / \sum_k e^{s_k}$,
$$\frac{\partial P_j}{\partial s_i} = P_j(\delta_{ij} - P_i)$$
$$dS_i = \sum_j dP_j \cdot \frac{\partial P_j}{\partial s_i} = P_i \cdot \left(dP_i - \sum_j dP_j \cdot P_j\right)$$
$$dS = P \odot (dP - \text{sum}(dP \odot P, \text{axis}=-1, \text{keepdims=True}))$$"""
    assert not any(line.accused for line in audit(text).lines)


def test_an_entry_in_a_fraction_is_no_name_of_an_objective() -> None:
    text = r"$$\frac{\partial F}{\partial U} = V$$ $$\frac{\partial F}{\partial U_{pq}} = V_{pq}$$"
    assert with_marks_as_names(text) == text


def test_a_gradient_that_is_said_to_be_zero_is_judged() -> None:
    forward = "X : (n, m)\nw : (1, n)\nZ = w X\nJ = sum(Z^2)\n"
    (claim,) = audit(f"{forward}dZ = 0 Z\n").lines
    assert claim.accused
    (name,) = audit(f"{forward}dZ = 0\n").lines
    assert name.accused
    assert audit(f"{forward}∂J/∂w = 0\n").lines == ()  # asks for the optimum
