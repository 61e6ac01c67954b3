r"""Posted lines without declared shapes: judged by values, and nobody accused falsely.

The texts are our own. What is right and wrong in them was settled by hand; the derivatives of one
of them are compared with central differences in 30 digits by mpmath.
"""

from __future__ import annotations

import mpmath
import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.by_value.claims import by_value

RIGHT, WRONG, OPEN = "proven", "wrong", "unproven"

TEXTS = {
    "cases in prose": r"""
Scores $u_i$ go through $q_i = \frac{e^{u_i}}{\sum_m e^{u_m}}$.
When $i \neq j$:
$$\frac{\partial q_i}{\partial u_j} = -q_i q_j$$ proven
In every case
$$\frac{\partial q_i}{\partial u_j} = q_i(\delta_{ij} - q_j)$$ proven
$$\frac{\partial q_i}{\partial u_j} = q_i(\delta_{ij} + q_j)$$ wrong
""",
    "labels whose sum is one": r"""
One-hot labels $y_k$, $p_k = \frac{e^{z_k}}{\sum_m e^{z_m}}$, $L = -\sum_k y_k \log p_k$.
$$\frac{\partial L}{\partial z_k} = p_k - y_k$$ proven
$$\frac{\partial L}{\partial z_k} = y_k - p_k$$ wrong
""",
    "layers by index": r"""
$$z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j$$
$$a^l_j = \sigma(z^l_j)$$
$$\delta^l_j = \frac{\partial C}{\partial z^l_j}$$
$$\delta^l_j = \sum_k w^{l+1}_{kj} \delta^{l+1}_k \sigma'(z^l_j)$$ proven
$$\frac{\partial C}{\partial w^l_{jk}} = a^{l-1}_k \delta^l_j$$ proven
""",
    "recurrence": r"""
$h_t = \tanh(u h_{t-1} + v x_t)$
$$\frac{\partial h_t}{\partial u} = (1 - h_t^2)(h_{t-1} + u \frac{dh_{t-1}}{du})$$ proven
$$\frac{\partial h_t}{\partial v} = (1 - h_t)(x_t + u \frac{\partial h_{t-1}}{\partial v})$$ wrong
""",
    "variance of a batch": r"""
$\mu_j = \frac{1}{N}\sum_{i=1}^N x_{ij}$
$s_j^2 = \frac{1}{N}\sum_{i=1}^N (x_{ij} - \mu_j)^2$
$c_{ij} = (x_{ij} - \mu_j) / \sqrt{s_j^2 + \epsilon}$
$$\frac{\partial s_j^2}{\partial x_{ij}} = \frac{2}{N}(x_{ij} - \mu_j)$$ proven
$$\frac{\partial c_{ij}}{\partial s_j^2} = -\frac12 (x_{ij}-\mu_j)(s_j^2+\epsilon)^{-3/2}$$ proven
$$\frac{\partial s_j^2}{\partial x_{ij}} = \frac{1}{N}(x_{ij} - \mu_j)$$ wrong
""",
    "matrices without shapes": r"""
$f(\mathbf{w}) = \|A\mathbf{w} - \mathbf{c}\|^2 + \lambda \mathbf{w}^T \mathbf{w}$
$$\nabla f(\mathbf{w}) = 2A^T(A\mathbf{w} - \mathbf{c}) + 2\lambda\mathbf{w}$$ proven
$$\nabla f(\mathbf{w}) = 2A(A\mathbf{w} - \mathbf{c}) + 2\lambda\mathbf{w}$$ wrong
""",
    "samples as vectors": r"""
$L = \sum_{i=1}^n \log(1 + \exp(-y_i w^T x_i))$
$$\nabla_w L = -\sum_{i=1}^n \frac{y_i x_i}{1 + \exp(y_i w^T x_i)}$$ proven
$$\frac{\partial L}{\partial w_j} = -\sum_{i=1}^n \frac{y_i x_{ij}}{1 + \exp(y_i w^T x_i)}$$ proven
$$\frac{\partial L}{\partial w_j} = \sum_{i=1}^n \frac{y_i x_{ij}}{1 + \exp(y_i w^T x_i)}$$ wrong
""",
    "what is open makes no line wrong": r"""
$z = w x + b$
$$\frac{\partial J}{\partial z} = 3(z - r)^2$$ unproven
$$\frac{\partial J}{\partial w} = \frac{\partial J}{\partial z} x$$ proven
$$\frac{\partial g}{\partial z} = g(1 - g)$$ unproven
""",
    "a function without a name": r"""
$a = f(z)$, $z = w x$, $E = \frac12 (a - r)^2$
$$\frac{\partial E}{\partial w} = (a - r) f'(z) x$$ proven
$$f'(z) = f(z)(1 - f(z))$$ unproven
""",
}


def _judged(marked: str) -> list[tuple[str, str, str]]:
    rows = marked.split("\n")
    asked: dict[int, str] = {}
    for number, row in enumerate(rows):
        words = row.rsplit(" ", 1)
        if words[-1] in (RIGHT, WRONG, OPEN):
            asked[number + 1] = words[-1]
            rows[number] = words[0]
    found = {one.line: one for one in by_value("\n".join(rows))}
    return [(rows[k - 1], verdict, found[k].verdict) for k, verdict in asked.items()]


@pytest.mark.parametrize("name", TEXTS)
def test_lines_are_judged_as_by_hand(name: str) -> None:
    for row, asked, found in _judged(TEXTS[name]):
        assert found == asked, row


def test_a_right_line_agrees_with_differences_in_30_digits() -> None:
    """The line that is called right is so by other arithmetic, and its neighbour is not."""
    w, x, r = mpmath.mpf("0.3"), mpmath.mpf("0.7"), mpmath.mpf("0.2")
    with mpmath.workdps(30):
        slope = mpmath.diff(lambda v: mpmath.log1p(mpmath.exp(-r * v * x)), w)
        line = -r * x / (1 + mpmath.exp(r * w * x))
    assert abs(slope - line) < mpmath.mpf("1e-20")
    text = r"$L = \log(1 + e^{-r w x})$" + "\n$$\\frac{dL}{dw} = -\\frac{r x}{1+e^{r w x}}$$"
    assert [one.verdict for one in by_value(text)] == [RIGHT]


def test_an_index_free_on_one_side_and_summed_on_the_other_is_not_proven() -> None:
    text = "$q = \\sum_i u_i$\n$$\\frac{\\partial q}{\\partial u_i} = \\sum_i \\frac{1}{3}$$"
    assert [one.verdict for one in by_value(text)] == [OPEN]


@pytest.mark.slow
def test_a_text_past_the_bound_of_evaluations_accuses_no_line() -> None:
    rows = [f"$$\\frac{{\\partial L}}{{\\partial z_{{{k}}}}} = p_{{{k}}}$$" for k in range(30)]
    assert {one.verdict for one in by_value("\n".join(rows))} == {OPEN}


def test_a_text_without_a_forward_pass_shows_none() -> None:
    margin = "w_j^T x_i - w_{y_i}^T x_i + 1"
    found = audit(
        rf"$L_i = \sum_{{j \neq y_i}} \max(0, {margin})$"
        "\n"
        rf"$$\nabla_{{w_j}} L_i = \mathbb{{1}}({margin} > 0) x_i$$"
    )
    assert found.model is None
    assert [line.verdict for line in found.lines] == [RIGHT]
    assert "No forward pass" in found._repr_html_()


@pytest.mark.parametrize("text", ["", "no formula", "$x = $", "$" * 50, r"$\frac{\partial}{=$"])
def test_text_that_is_no_mathematics_gets_no_verdict(text: str) -> None:
    assert all(one.verdict == OPEN for one in by_value(text))
