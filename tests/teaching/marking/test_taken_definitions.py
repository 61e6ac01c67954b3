r"""Posts that leave a definition out, which the audit takes and names: hypotheses, layers, losses.

The marks ✓ and ✗ stand before lines that claim something right and something wrong; a question mark
stands before what must not be accused.
"""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.grading.line_verdicts import Verdict

_MARK = re.compile(r"^([✓✗?]) ?", re.MULTILINE)

POSTS: list[tuple[str, str]] = [
    (
        "a hypothesis of squares",
        r"""
$$J(\theta) = \frac{1}{2m} \sum_{i=1}^{m} (h_\theta(x^{(i)}) - y^{(i)})^2$$
✓ $$\partial J/\partial \theta_j = \frac1m \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)}$$
""",
    ),
    (
        "a prediction of logarithms",
        r"""
$$J(w) = -\sum_{i=1}^{m} [ y^{(i)} \log \hat y^{(i)} + (1 - y^{(i)}) \log (1 - \hat y^{(i)}) ]$$
✓ $$\frac{\partial J}{\partial w_j} = \sum_{i=1}^{m} (\hat y^{(i)} - y^{(i)}) x_j^{(i)}$$
""",
    ),
    (
        "a function that the text calls the sigmoid, behind its use",
        r"""
$$C(w, b) = -\sum_{i=1}^m[y^{(i)} \ln f_{w,b}(x^{(i)})+(1 - y^{(i)}) \ln (1 - f_{w,b}(x^{(i)}))]$$
✓ $$\frac{\partial C}{\partial w_j} = \sum_{i=1}^{m} (f_{w,b}(x^{(i)}) - y^{(i)}) x_j^{(i)}$$
Here $f_{w,b}(x) = g(w \cdot x + b)$, and $g$ is the sigmoid function.
""",
    ),
    (
        "the batch behind the examples",
        r"""
Take $h_\theta(x) = \theta^T x$ and
$$J(\theta) = \frac{1}{2m} \sum_{i=1}^m (h_\theta(x^{(i)}) - y^{(i)})^2$$
✓ $$\nabla J(\theta) = \frac{1}{m} X^T (h - y)$$
? $$X^T X \theta = X^T y$$
""",
    ),
    (
        "layers and a loss that stand nowhere",
        r"""
✓ $$\frac{\partial L}{\partial \hat{y}} = \frac{1-y}{1-\hat{y}} - \frac{y}{\hat{y}}$$
✓ $$\delta^{[2]} = \frac{\partial L}{\partial z^{[2]}} = \hat{y} - y$$
✓ $$\frac{\partial L}{\partial W^{[2]}} = \delta^{[2]} (a^{[1]})^T$$
✓ $$\delta^{[1]} = (W^{[2]})^T \delta^{[2]} \odot g'(z^{[1]})$$
✓ $$\frac{\partial L}{\partial W^{[1]}} = \delta^{[1]} x^T$$
✗ $$\frac{\partial L}{\partial b^{[1]}} = -\delta^{[1]}$$
""",
    ),
    (
        "the last layer and the cost of one example",
        r"""
The cost is $C_0 = (a^{(L)} - y)^2$.
✓ $$\frac{\partial z^{(L)}}{\partial w^{(L)}} = a^{(L-1)}$$
✓ $$\frac{\partial a^{(L)}}{\partial z^{(L)}} = \sigma'(z^{(L)})$$
✓ $$\frac{\partial C_0}{\partial w^{(L)}} = 2 (a^{(L)} - y) \sigma'(z^{(L)}) a^{(L-1)}$$
? $$\partial C/\partial w^{(L)} = \frac1n \sum_{k=0}^{n-1} \frac{\partial C_k}{\partial w^{(L)}}$$
""",
    ),
    (
        "a loss that only the labels name",
        r"""
$Z_1 = W_1 X + b_1$, $A_1 = \tanh(Z_1)$, $Z_2 = W_2 A_1 + b_2$, $A_2 = \sigma(Z_2)$
✓ $dZ_2 = A_2 - Y$
✓ $dW_2 = \frac{1}{m} dZ_2 A_1^T$
✓ $db_2 = \frac{1}{m} \text{np.sum}(dZ_2, axis=1, keepdims=True)$
""",
    ),
    (
        "the cross-entropy of every time without its sum",
        r"""
$$\hat y_t = \mathrm{softmax}(V s_t)$$
$$E_t = - y_t \log \hat y_t$$
$$E = \sum_t E_t$$
✓ $$\frac{\partial E}{\partial V} = \sum_t (\hat y_t - y_t) s_t^T$$
""",
    ),
    (
        "examples without brackets, and what one of them gives",
        r"""
$z^{i} = w^T x^{i} + b$, $a^{i} = \sigma(z^{i})$
$J = -\frac1m \sum_{i=1}^m[y^{i} \log a^{i} + (1-y^{i}) \log(1 - a^{i})]$
✓ $$dz^{i} = a^{i} - y^{i}$$
✓ $$\frac{\partial J}{\partial w} = \frac1m \sum_{i=1}^m x^{i} (a^{i} - y^{i})$$
✗ $$\frac{\partial J}{\partial b} = \sum_{i=1}^m (a^{i} - y^{i})$$
""",
    ),
    (
        "an update rule with its gradient, and one without",
        r"""
$$J(w) = \frac{1}{2m} \sum_{i=1}^{m} (w^T x^{(i)} - y^{(i)})^2$$
? $$w_j := w_j - \eta \frac1m \sum_{i=1}^m (w^T x^{(i)} - y^{(i)}) x_j^{(i)}$$
$e^{(i)} = w^T x^{(i)} - y^{(i)}$
✓ $$w_j := w_j - \eta \partial J/\partial w_j = w_j - \eta \frac1m \sum_{i=1}^m e^{(i)} x_j^{(i)}$$
? $$w = (X^T X)^{-1} X^T y$$
""",
    ),
    (
        "two places of one name, and drawn examples",
        r"""
$$J = -\log \sigma(v_c^T v_t) - \sum_{i=1}^k \log \sigma(-v_{n_i}^T v_t)$$
✓ $\frac{\partial J}{\partial v_c} = (\sigma(v_c^T v_t) - 1) v_t$
✓ $\frac{\partial J}{\partial v_n} = \sigma(v_n^T v_t) v_t$
✓ $\partial J/\partial v_t = (\sigma(v_c^T v_t) - 1) v_c + \sum_i \sigma(v_{n_i}^T v_t) v_{n_i}$
✗ $\frac{\partial J}{\partial v_c} = (1 - \sigma(v_c^T v_t)) v_t$
""",
    ),
    (
        "one rating of a sum without its index",
        r"""
$$L=\sum(r_{u,i}-p_u^Tq_i)^2+\lambda(\|p_u\|^2+\|q_i\|^2)$$
✓ $$\frac{\partial L}{\partial p_u} = -2 (r_{ui}-p_u^Tq_i) q_i + 2 \lambda p_u$$
""",
    ),
    (
        "a fence of mathematics, a tuned number and another base",
        r"""
```math
FL(p) = -\alpha (1-p)^{\gamma} \log(p)
```
- `γ = 2`: the focusing parameter
✗ $\partial FL/\partial p = -\alpha \gamma (1-p)^{\gamma-1} \log(p) - \alpha (1-p)^{\gamma}/p$
? $\frac{d}{dp} \log_a (p) = \frac{1}{p \ln (a)}$
""",
    ),
    (
        "the scores of attention inside of its softmax",
        r"""
$$\text{Attend}(Q, K, V) = \mathrm{softmax}\left(\frac{QK^T}{\sqrt{d}}\right) V$$
We write $Y = PV$ and $P = \mathrm{softmax}(S)$.
✓ $$dP = dY V^T$$
✓ $$dQ = \frac{1}{\sqrt{d}} dS K$$
✗ $$dK = \frac{1}{\sqrt{d}} dS Q$$
""",
    ),
    (
        "the shares of words",
        r"""
✓ $$\frac{\partial J}{\partial v_c} = \frac{-1}{\hat y_o} \frac{\partial \hat y_o}{\partial v_c}$$
✓ $$\frac{\partial J}{\partial v_c} = \sum_{w} \hat y_w u_w - u_o$$
""",
    ),
    (
        "a likelihood with primes and a factorial, and one with open scores",
        r"""
$$\ell(\beta) = \sum_{i=1}^n [y_i x_i^T\beta - e^{x_i^T\beta} - \log y_i!]$$
✓ $$\ell'(\beta) = \sum_{i=1}^n (y_i - e^{x_i^T\beta}) x_i$$
✓ $$\ell''(\beta) = -\sum_{i=1}^n e^{x_i^T\beta} x_i x_i^T$$
""",
    ),
    (
        "scores whose slope alone the text gives",
        r"""
$$\ell(\beta) = \sum_{i=1}^n [Y_i \eta_i - \log(1 + e^{\eta_i})]$$
✓ With $\partial \eta_i / \partial \beta_j = X_{ij}$ and $\pi_i = e^{\eta_i}/(1 + e^{\eta_i})$
✓ $$\frac{\partial \ell}{\partial \beta_j} = \sum_{i=1}^n (Y_i - \pi_i) X_{ij}$$
""",
    ),
    (
        "sums of indices: a kernel that slides",
        r"""
$$z_{ij} = \sum_{m,n} k_{mn} x_{i+m, j+n}$$
✓ $$\partial L/\partial k_{mn} = \sum_{i,j} \frac{\partial L}{\partial z_{ij}} x_{i+m, j+n}$$
An entry $x_{pq}$ is met where $p = i+m$, $q = j+n$.
✓ $$\partial L/\partial x_{pq} = \sum_{m,n} \frac{\partial L}{\partial z_{p-m, q-n}} k_{mn}$$
""",
    ),
    (
        "a softmax and a loss in words",
        r"""
Softmax with cross-entropy:
✓ $$\partial L/\partial z_i = \sum_{k} (-y_k / \hat y_k) \hat y_k (\delta_{ki} - \hat y_i)$$
✓ $$\frac{\partial L}{\partial z} = \hat y - y$$
✗ $$\frac{\partial L}{\partial z} = y - \hat y$$
""",
    ),
    (
        "an objective that is minimised and has no name",
        r"""
$$\min_{P, Q} \sum_{u,i} (r_{ui} - p_u^T q_i)^2 + \lambda (\sum_u \|p_u\|^2 + \sum_i \|q_i\|^2)$$
✓ $$\partial L/\partial p_u = -2 \sum_{i} (r_{ui} - p_u^T q_i) q_i + 2\lambda p_u$$
""",
    ),
    (
        "a loss in entries behind layers in matrices",
        r"""
$Z^{[1]} = W^{[1]} X + b^{[1]}$, $A^{[1]} = \text{ReLU}(Z^{[1]})$
$Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}$, $A^{[2]} = \text{Softmax}(Z^{[2]})$
$$L = -\frac{1}{m} \sum_{i=1}^{m} \sum_{k=1}^{4} Y_{k}^{(i)} \log(A_{k}^{[2](i)})$$
✓ $$dZ^{[2]} = A^{[2]} - Y$$
✓ $$dW^{[2]} = \frac{1}{m} dZ^{[2]} A^{[1]T}$$
""",
    ),
    (
        "a divergence with its arguments",
        r"""
$KL(q(z|x), p(z)) = \frac12 (-\log \sigma^2 - 1 + \mu^2 + \sigma^2)$
✓ $\frac{\partial KL}{\partial \mu} = \mu$
""",
    ),
    (
        "a vector with a capital letter",
        r"""
The loss is $L(W) = \frac12 \|XW - y\|^2$.
✓ $$\nabla_W L = X^T (XW - y)$$
✓ $$\frac{\partial}{\partial W} (XW - y)^T (XW - y) = 2 X^T (XW - y)$$
""",
    ),
    (
        "a sum without its index beside prose",
        r"""
Let $p_i = e^{z_i} / \sum_j e^{z_j}$ and $L = -\sum y_i \log p_i$.
✓ $\frac{\partial L}{\partial z_i} = p_i - y_i$
""",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "marked"), POSTS, ids=[kind for kind, _ in POSTS])
def test_posts_are_read(kind: str, marked: str) -> None:
    found = audit(_MARK.sub("", marked)).lines
    for number, row in enumerate(marked.splitlines(), 1):
        lines = [line for line in found if line.line == number]
        if row.startswith("✓"):
            assert lines, (kind, row)
            assert all(line.verdict in ("proven", "follows") for line in lines), (row, lines)
        elif row.startswith("✗"):
            assert any(line.accused for line in lines), (row, lines)
        else:
            assert not any(line.accused for line in lines), (row, lines)


def _only_line(text: str) -> Verdict:
    (line,) = audit(text).lines
    return line


def test_the_line_names_the_hypothesis_that_was_taken() -> None:
    text = dict(POSTS)["a hypothesis of squares"]
    assert r"with h_\theta(x) = \theta^T x" in _only_line(_MARK.sub("", text)).why


def test_a_link_that_the_text_names_is_not_replaced() -> None:
    """The gradient is that of the logistic link alone, and this text has any link."""
    text = r"""
$$\ell = \sum_{i} [ y_i \ln p_i + (1 - y_i) \ln (1 - p_i) ]$$
$$G(p_i) = w^T x_i$$
$$\frac{\partial \ell}{\partial w} = \sum_{i} (y_i - p_i) x_i$$
"""
    assert not any(
        line.verdict == "proven" and "with p_i" in line.why for line in audit(text).lines
    )


def test_the_scale_of_a_gradient_of_a_parameter_is_not_left_open() -> None:
    text = r"""
$z^{(i)} = w^T x^{(i)} + b$, $a^{(i)} = \sigma(z^{(i)})$
$J = -\frac1m \sum_{i=1}^m [ y^{(i)} \log a^{(i)} + (1-y^{(i)}) \log(1 - a^{(i)}) ]$
$$db = \sum_{i=1}^m (a^{(i)} - y^{(i)})$$
"""
    assert _only_line(text).accused
