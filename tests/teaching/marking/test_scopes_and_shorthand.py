"""Scopes of a post, names for parts of its loss, and shorthand that posts take for granted."""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.by_value.claims import by_value
from chainrule.teaching.marking.usual_shorthand import with_shorthand_written_out

# ruff: noqa: E501

_MARK = re.compile(r"^([✓✗]) ?", re.MULTILINE)

TEXTS = {
    "a bias of one unit for all examples": r"""
$U$ is $d \times m$, $V = \tanh(W^{[1]}U + b^{[1]})$, $S = W^{[2]}V + b^{[2]}$, $P = \sigma(S)$ and
$$J = -\frac1m\sum_{i=1}^m \left(y^{(i)}\log p^{(i)} + (1-y^{(i)})\log(1-p^{(i)})\right)$$
✓ $dS = P - Y$
✓ $dW^{[2]} = \frac1m dS V^T$
✓ $db^{[2]} = \frac1m \sum dS$
""",
    "a later definition opens a scope": r"""
A line first: $g_\beta(x) = \beta_0 + \beta_1 x$ with $E(\beta_0, \beta_1) = \frac{1}{2m}\sum_{i=1}^m (g_\beta(x^{(i)}) - y^{(i)})^2$.
✓ $$\frac{\partial}{\partial \beta_0}E(\beta_0, \beta_1) = \frac{1}{m}\sum_{i=1}^m (g_\beta(x^{(i)}) - y^{(i)})$$

Now classes: $g_\beta(x) = \frac{1}{1+e^{-\beta^Tx}}$ and

$$E(\beta) = -\frac1m\sum_{i=1}^m\left[y^{(i)}\log g_\beta(x^{(i)}) + (1-y^{(i)})\log(1-g_\beta(x^{(i)}))\right]$$

✓ $$\frac{\partial E(\beta)}{\partial \beta_j} = \frac1m\sum_{i=1}^m (g_\beta(x^{(i)}) - y^{(i)})x_j^{(i)}$$
""",
    "a name given to a part of the loss afterwards": r"""
$$R(u) = \frac{1}{n}\sum_{i=1}^n \log(1 + e^{-t_i u^\top z_i}) + \frac{c}{2}\|u\|^2$$
Write $q_i = t_i u^\top z_i$ for the margin.
✓ $$\frac{\partial R}{\partial q_i} = -\frac{1}{n}\frac{1}{1 + e^{q_i}}$$
✗ $$\nabla R(u) = \frac{1}{n}\sum_{i=1}^n \frac{t_i z_i}{1 + e^{t_i u^\top z_i}} + c u$$
""",
    "plain text: a definition continued, and grad": """
f(x) = ||Mx - c||^2 = (Mx - c)^T (Mx - c)
✓    = x^T M^T M x - 2 c^T M x + c^T c
✓ grad f(x) = 2 M^T M x - 2 M^T c = 2 M^T (Mx - c)
✗ grad f(x) = 2 M (Mx - c)
""",
    "an operator for a derivative, and cases": r"""
$p_i = \frac{e^{v_i}}{\sum_{k=1}^K e^{v_k}}$.
✓ $$D_jp_i = \frac{\partial p_i}{\partial v_j} = \begin{cases} p_i(1-p_j) & i = j\\ -p_jp_i & i\neq j\end{cases}$$
""",
    "a diagonal matrix by its entries": r"""
$l(b) = \sum_{i=1}^n (y_i x_i^Tb - e^{x_i^Tb})$ with $\log r_i = x_i^Tb$.
✓ $$-\frac{\partial^2 l}{\partial b\partial b^T} = \sum_i r_i x_i x_i^T = X^T D X,\quad D = \text{diag}(r_1,\dots,r_n)$$
""",
    "a normal density by its usual letter": r"""
$h(u) = u\Phi(u)$, where $\Phi$ is the standard normal CDF and $\phi$ its density.
✓ $$\frac{d}{du}h(u) = \Phi(u) + u\phi(u)$$
""",
}


@pytest.mark.parametrize("kind", TEXTS)
def test_each_kind_is_judged(kind: str) -> None:
    found = audit(_MARK.sub("", TEXTS[kind])).lines
    for number, row in enumerate(TEXTS[kind].splitlines(), 1):
        verdicts = {line.verdict for line in found if line.line == number}
        if row.startswith("✓"):
            assert verdicts == {"proven"}, (row, verdicts)
        elif row.startswith("✗"):
            assert verdicts & {"wrong", "shape", "scope"}, (row, verdicts)


def test_a_parameter_written_anew_is_not_held_fixed() -> None:
    """With s = log v^2, every v of the loss is a function of s: nothing here is wrong."""
    text = r"""$$K = \frac12\sum_j (v_j^2 - \log v_j^2 - 1)$$
With $s_j = \log v_j^2$:
$$\frac{\partial K}{\partial s_j} = \frac12(e^{s_j} - 1)$$"""
    assert all(judged.verdict != "wrong" for judged in by_value(text))


@pytest.mark.parametrize(("said", "expected"), [("one-hot", True), ("fixed", False)])
def test_labels_that_sum_to_one_are_taken_where_the_text_says_so(said: str, expected: bool) -> None:
    text = rf"""$q = \text{{softmax}}(s)$, $H = -\sum_k t_k \log q_k$ with {said} labels $t$.
$$\frac{{\partial H}}{{\partial s_k}} = q_k - t_k$$"""
    judged = by_value(text)[-1]
    assert (judged.verdict, judged.usual) == ("proven", expected)


def test_what_solves_a_condition_may_have_a_hat() -> None:
    text = r"""$$F(u) = \|Ku - t\|^2$$
$$\frac{\partial F}{\partial u} = 2K^T(Ku - t)$$
Setting this to zero gives $\hat u = (K^TK)^{-1}K^Tt$."""
    assert [line.verdict for line in audit(text).lines] == ["proven"]


def test_an_o_with_a_value_stays_a_name() -> None:
    assert with_shorthand_written_out("dS = P o (dP)") == "dS = P ⊙ (dP)"
    kept = "o = sigmoid(u)\nh = c o g"
    assert with_shorthand_written_out(kept) == kept
