"""Notation of posts by kind: losses in words, conditions of an optimum, layers by letters, times."""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.ascii_notation import in_latex
from chainrule.teaching.marking.by_value.claims import by_value

# ruff: noqa: E501

_MARK = re.compile(r"^([✓✗]) ?", re.MULTILINE)

TEXTS = {
    "cross-entropy in words": r"""
A linear layer $s = Vx + c$ feeds $q = \text{softmax}(s)$, trained with cross-entropy $J$ on one-hot labels $t$.

✓ $\frac{\partial J}{\partial s} = q - t$
✗ $\frac{\partial J}{\partial V} = (t - q)x^T$
""",
    "mean squared error in words": r"""
The guess is $\hat{y}_i = k x_i$, and $C$ is the mean squared error over $N$ points.

✓ $\frac{\partial C}{\partial k} = \frac{2}{N}\sum_{i=1}^N (\hat{y}_i - y_i)x_i$
""",
    "binary cross-entropy in plain text": """
z = w x + b, p = sigmoid(z), and the loss L is the log loss.

✓ dL/dz = p - y
✗ dL/db = y - p
""",
    "a zero that asks for the optimum, on either side": r"""
$$S = \sum_{i=1}^n (y_i - c - d x_i)^2$$
✓ $$\frac{\partial S}{\partial c} = -2\sum_{i=1}^n (y_i - c - d x_i) = 0$$
✓ $$0 = \frac{\partial S}{\partial d} = -2\sum_{i=1}^n x_i (y_i - c - d x_i)$$
✗ $$\frac{\partial S}{\partial c} = 2\sum_{i=1}^n (y_i - c - d x_i) = 0$$
""",
    "layers named by the letters of their indices": r"""
$u_k = g(s_k)$, $s_k = \sum_j w_{kj} u_j$, $u_j = g(s_j)$, $s_j = \sum_i w_{ji} u_i$ and $E = \frac{1}{2}\sum_k (u_k - t_k)^2$.
✓ $$\frac{\partial E}{\partial s_k} = (u_k - t_k)\, g'(s_k)$$
✓ $$\frac{\partial E}{\partial w_{ji}} = g'(s_j) \sum_k (u_k - t_k)\, g'(s_k)\, w_{kj}\, u_i$$
""",
    "names of several letters with numbered units": r"""
$sig_{h1} = \frac{1}{1+e^{-pre_{h1}}}$, $pre_{o1} = v_1 * sig_{h1} + v_2 * sig_{h2}$ and $E = \frac{1}{2}(goal_{o1} - pre_{o1})^2$
✓ $\frac{\partial E}{\partial v_1} = -(goal_{o1} - pre_{o1}) * sig_{h1}$
✗ $\frac{\partial E}{\partial v_1} = (goal_{o1} - pre_{o1}) * sig_{h1}$
""",
    "cases by the sign of a value": r"""
$a = Vx$, $r = \max(0, a)$, $g = c^\top r$.
✓ $$\frac{\partial r_i}{\partial a_i} = \begin{cases} 1 & \text{if } a_i > 0 \\ 0 & \text{otherwise} \end{cases}$$
✓ $$\frac{\partial g}{\partial a_i} = c_i \mathbf{1}[a_i > 0]$$
""",
    "a Hessian that does not say of what": r"""
$f(u) = \|u - c\|$
✓ $$\nabla^2 f(u) = \frac{1}{\|u-c\|}\left(I - \frac{(u-c)(u-c)^T}{\|u-c\|^2}\right)$$
""",
    "a normal density with its arguments behind a bar": r"""
$\ell = \sum_n \ln \sum_k \pi_k N(x_n | \mu_k, s_k^2)$ and $g_{nk} = \frac{\pi_k N(x_n | \mu_k, s_k^2)}{\sum_j \pi_j N(x_n | \mu_j, s_j^2)}$
✓ $$\frac{\partial \ell}{\partial \mu_k} = \sum_n g_{nk} \frac{x_n - \mu_k}{s_k^2}$$
""",
    "sums over rows": r"""
$S = BC^\top$ and $P = \text{softmax}(S)$ by rows, with a loss $L$ of $P$.
✓ $\frac{\partial L}{\partial S} = P \odot \left(\frac{\partial L}{\partial P} - \text{rowsum}\left(\frac{\partial L}{\partial P}\odot P\right)\right)$
""",
    "AsciiMath": """
C(w) = 1/(2m) sum_(i=1)^m (w^T x^((i)) - y^((i)))^2

✓ del/(del w_j) C(w) = 1/m sum_(i=1)^m (w^T x^((i)) - y^((i))) x_j^((i))
✗ del/(del w_j) C(w) = 2/m sum_(i=1)^m (w^T x^((i)) - y^((i))) x_j^((i))
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", TEXTS)
def test_each_kind_of_notation_is_read(kind: str) -> None:
    rows = TEXTS[kind].splitlines()
    found = audit(_MARK.sub("", TEXTS[kind])).lines
    for number, row in enumerate(rows, 1):
        verdicts = {line.verdict for line in found if line.line == number}
        if row.startswith("✓"):
            assert verdicts == {"proven"}, (row, verdicts)
        elif row.startswith("✗"):
            assert verdicts & {"wrong", "shape", "scope"}, (row, verdicts)


def test_a_loss_taken_from_words_is_said() -> None:
    lines = audit(_MARK.sub("", TEXTS["mean squared error in words"])).lines
    assert all("the mean squared error that the text names" in line.why for line in lines)


def test_what_solves_a_condition_is_put_into_it() -> None:
    text = r"""$$Q = \sum_k c_k \log q_k + a (1 - \sum_k q_k)$$
$$\frac{\partial Q}{\partial q_k} = \frac{c_k}{q_k} - a = 0 \implies q_k = \frac{c_k}{a}$$"""
    gradient, solution = audit(text).lines
    assert gradient.verdict == solution.verdict == "proven"
    assert "the condition of line 2 holds" in solution.why


MISSING_MASK = r"""$a = Vx + b$, $r = \max(0, a)$, $g = c^\top r$.
$$\frac{\partial g}{\partial a_i} = c_i$$"""


def test_a_missing_mask_is_not_proven() -> None:
    (judged,) = by_value(MISSING_MASK)
    assert judged.verdict != "proven"


def test_lines_of_a_recurrence_are_judged_at_one_time() -> None:
    text = """
f_t = sigmoid(V_f x_t + U_f h_{t-1})
c_t = f_t * c_{t-1} + x_t
h_t = tanh(c_t)

dE/dc_t = dE/dh_t * (1 - tanh(c_t)^2)
dE/df_t = dE/dc_t * c_{t-1}
dE/dc_{t-1} = dE/dc_t * f_t
"""
    local, gate, before = by_value(text)
    assert local.verdict == gate.verdict == "proven"
    assert "at the last time" in local.why
    assert before.verdict == "unproven"


def test_other_texts_stay_as_they_are() -> None:
    plain = "L = sum_i (a_i - y_i)^2"
    assert in_latex(plain) == plain
    assert in_latex(r"$\sum_(i)$") == r"$\sum_(i)$"
