"""Open activations, letters of a batch, lists of vectors and equations that share a row."""

from __future__ import annotations

import re

import numpy as np
import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.by_value.functions import joined
from chainrule.teaching.marking.posted_rows import with_rows_apart
from chainrule.teaching.marking.transcript import statements

# ruff: noqa: E501

_MARK = re.compile(r"^([✓✗?]) ?", re.MULTILINE)

TEXTS = {
    "an activation that no line defines": r"""
$$u = A x + a, \quad h = f\left(u\right), \quad v = B h + b$$
$$L = \frac{1}{2}\|v - t\|^2$$
✓ $$\frac{\partial L}{\partial B} = (v - t) h^T$$
✓ $$\frac{\partial L}{\partial u} = B^T (v - t) \odot f'\left(u\right)$$
""",
    "an activation of each layer": r"""
$$Z^{[1]} = W^{[1]} X + b^{[1]}, \quad A^{[1]} = g^{[1]}(Z^{[1]}), \quad Z^{[2]} = W^{[2]} A^{[1]} + b^{[2]}, \quad A^{[2]} = \sigma(Z^{[2]})$$
$$J = -\frac{1}{m} \sum_i (y^{(i)} \log a^{[2](i)} + (1 - y^{(i)}) \log(1 - a^{[2](i)}))$$
✓ $$dZ^{[2]} = A^{[2]} - Y$$
✓ $$dZ^{[1]} = W^{[2]T} dZ^{[2]} \odot g^{[1]'}(Z^{[1]})$$
✓ $$dW^{[1]} = \frac{1}{m} dZ^{[1]} X^T$$
""",
    "a tanh is meant": r"""
$$u = A x, \quad h = f(u), \quad v = B h$$
$$L = \frac{1}{2}\|v - t\|^2$$
✓ $$\frac{\partial L}{\partial u} = B^T (v - t) \odot (1 - h^2)$$
""",
    "one example above, a batch below": r"""
$$z^{[1]} = W^{[1]} x + b^{[1]}, \quad a^{[1]} = \tanh(z^{[1]}), \quad z^{[2]} = W^{[2]} a^{[1]} + b^{[2]}, \quad a^{[2]} = \text{softmax}(z^{[2]})$$
$$\mathcal{L}(A^{[2]}, Y)
=
-\frac{1}{m}\sum_{k=1}^{m}\sum_{i}
Y_{i,k} \log(A^{[2]}_{i,k})$$
✓ $$\delta^{[\ell]} = \frac{\partial \mathcal{L}}{\partial Z^{[\ell]}}$$
✓ $$\delta^{[2]} = A^{[2]} - Y$$
✓ $$\frac{\partial \mathcal{L}}{\partial W^{[2]}} = \frac{1}{m} \delta^{[2]} (A^{[1]})^T$$
✓ $$\frac{\partial \mathcal{L}}{\partial b^{[2]}} = \frac{1}{m}\sum_{k=1}^m \delta^{[2]}_{:,k}$$
""",
    "a second name, and J for L": r"""
$$A = Z^{[2]} = V H + c, \quad H = \tanh(U X)$$
$$L = \frac{1}{2m}\sum_{i=1}^{m} (A^{(i)} - Y^{(i)})^2$$
✓ $$\frac{\partial J}{\partial V} = \frac{1}{m} (A - Y) H^T$$
✗ $$\frac{\partial J}{\partial V} = \frac{1}{m} (Y - A) H^T$$
""",
    "letters that share a product": r"""
$$S = QK^T \in \mathbb{R}^{n \times n}\quad P = \text{softmax}(S) \quad O = PV \in \mathbb{R}^{n \times d}$$
applied to each row.
✓ $$\frac{\partial L}{\partial V} = P^T \frac{\partial L}{\partial O}$$
✓ $$\frac{\partial L}{\partial P} = \frac{\partial L}{\partial O} V^T$$
✓ $$\frac{\partial L}{\partial Q} = \frac{\partial L}{\partial S} K$$
""",
    "a list of vectors in a gate": r"""
$$q_t = \sigma(W_q \cdot [s_{t-1}, x_t] + b_q)$$
$$c_t = q_t \odot c_{t-1} + x_t$$
✓ $$\frac{\partial L}{\partial q_t} = \frac{\partial L}{\partial c_t} \odot c_{t-1}$$
✓ $$\frac{\partial L}{\partial W_q} = \sum_{t=1}^{T} \frac{\partial L}{\partial q_t} \odot q_t \odot (1 - q_t) [s_{t-1}, x_t]^T$$
""",
    "rows, and a label above before an index": r"""
$$e^h_t = x_t W_{xh} + h_{t-1} W_{hh} + b_h$$
$$h_t = \tanh(e^h_t)$$
Write $\delta^h_t = \frac{\partial L}{\partial h_t}$.
✓ $$\frac{\partial L}{\partial e^h_t} = \delta^h_t \odot (1 - h_t^2)$$
""",
    "a name at the end of a chain": r"""
With $\sigma(v) = \frac{1}{1 + e^{-v}}$,
$$\ell(u) = \sum_{i=1}^n [y_i x_i^T u - \log(1 + e^{x_i^T u})]$$
✓ $$\nabla_u \ell(u) = \sum_{i=1}^n (y_i - \sigma(x_i^T u)) x_i = X^T (y - \hat{q})$$
""",
    "a claim at an estimate": r"""
$$\ell(u, s) = -\frac{n}{2}\log(s) - \frac{1}{2s}\sum_{i=1}^{n}(t_i - z_i^T u)^2$$
✓ $$\frac{\partial \ell}{\partial s} = -\frac{n}{2s} + \frac{1}{2s^2}\sum_{i=1}^{n}(t_i - z_i^T \hat{u})^2$$
✗ $$\frac{\partial \ell}{\partial s} = -\frac{n}{s} + \frac{1}{2s^2}\sum_{i=1}^{n}(t_i - z_i^T \hat{u})^2$$
""",
    "a likelihood with other arguments": r"""
$$\ell(\mu, s) = -\frac{n}{2} \log s - \frac{1}{2s} \sum_{i=1}^n (x_i - \mu)^2$$
✓ $$\frac{\partial \ell}{\partial \mu} = \frac{1}{s} \sum_{i=1}^n (x_i - \mu)$$
$$\ell(r) = \sum_{i=1}^n [x_i\log r + (1-x_i)\log(1-r)]$$
✓ $$\frac{d\ell}{dr} = \sum_{i=1}^n \frac{x_i}{r} - \frac{1-x_i}{1-r}$$
""",
    "a policy by its parameters": r"""
$$\pi_\theta(a|s) = \frac{1}{\sqrt{2\pi\sigma^2}} \exp\left(-\frac{(a - \mu_\theta(s))^2}{2\sigma^2}\right)$$
✓ $$\nabla_\theta \log \pi_\theta(a|s) = \frac{a - \mu_\theta(s)}{\sigma^2} \nabla_\theta \mu_\theta(s)$$
""",
    "one definition is not read": r"""
$$h = \tanh(U x), \quad \hat{y} = \text{softmax}(V h)$$
$$J = -\sum_k y_k \log \hat{y}_k$$
$$G(q) = \bigcup_{j} \{ q \mapsto j \}$$
✓ $$\frac{\partial J}{\partial V} = (\hat{y} - y) h^T$$
""",
    "a derivative of a formula by its letter": r"""
$u = w_1 x_1 + w_2 x_2 + b$, $p = \sigma(u)$, $L = -(t \log p + (1 - t) \log(1 - p))$
✓ $\frac{\partial p}{\partial u} = \frac{\partial \sigma(w_1 x_1 + w_2 x_2 + b)}{\partial u}$
""",
    "an objective that is not read": r"""
$$H = \tanh(U X), \quad Z = V H, \quad P = \text{softmax}(Z)$$
$$\mathcal{L} = -\frac{1}{m} \sum_{i=1}^{m} \log P_{y^{(i)}}^{(i)}$$
✓ $$\frac{\partial \mathcal{L}}{\partial V} = \frac{\partial \mathcal{L}}{\partial Z} H^T$$
""",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=list(TEXTS))
def test_lines_are_judged_as_they_are_marked(text: str) -> None:
    text = text.strip("\n")
    marks = {at: m[1] for at, row in enumerate(text.split("\n"), 1) if (m := _MARK.match(row))}
    found = audit(_MARK.sub("", text)).lines
    right = {line.line for line in found if line.verdict == "proven"}
    wrong = {line.line for line in found if line.accused}
    assert {at for at, mark in marks.items() if mark == "✓"} <= right
    assert {at for at, mark in marks.items() if mark == "✗"} == wrong


def test_a_condition_and_a_function_of_two_capitals_stay_in_one_piece() -> None:
    text = r"$d_{ij} = p_i \quad i = j$, $KL(p, q) = 3$, $\frac{\partial L}{\partial K}$"
    assert with_rows_apart(text) == text


def test_rows_of_a_display_go_on_behind_a_brace_and_a_sign() -> None:
    text = "$$\nq = \\log{\n\\frac{a}{b}\n} +\nc\n$$"
    (said,) = statements(text)
    assert "".join(said.text.split()) == r"q=\log{\frac{a}{b}}+c"


def test_a_list_of_vectors_depends_on_each_of_them() -> None:
    one, other = np.ones((3, 1)), np.full((3, 1), 2.0)
    base = np.asarray(joined([one, other]))
    assert base.shape == (3, 1)
    for changed in (joined([one + 1.0, other]), joined([one, other + 1.0])):
        assert np.all(np.abs(np.asarray(changed) - base).max() > 0.1)
