r"""Posts that define little: chains of derivatives by form, slips under an open objective.

The texts are our own. Every wrong line is a right one with one change, and the right one stands
beside it.
"""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.by_value.claims import by_value

RIGHT, WRONG, OPEN = "proven", "wrong", "unproven"

CHAINS = [
    (r"\frac{\partial C}{\partial V} = \frac{\partial C}{\partial s} \frac{\partial s}{\partial r} "
     r"\frac{\partial r}{\partial V}", RIGHT),
    (r"\frac{\partial C}{\partial V} = -\frac{\partial C}{\partial s} "
     r"\frac{\partial s}{\partial r} \frac{\partial r}{\partial V}", WRONG),
    (r"\frac{\partial C}{\partial V} = 2 \frac{\partial C}{\partial s} "
     r"\frac{\partial s}{\partial r} \frac{\partial r}{\partial V}", WRONG),
    (r"\frac{\partial C}{\partial V} = \frac{\partial C}{\partial s} "
     r"\frac{\partial r}{\partial V}", OPEN),
    (r"\frac{\partial C}{\partial V} = \frac{\partial r}{\partial V} "
     r"\frac{\partial C}{\partial s} \frac{\partial s}{\partial r}", RIGHT),
    (r"\frac{\partial C}{\partial v_{q}} = \sum_k \frac{\partial C}{\partial s_k} "
     r"\frac{\partial s_k}{\partial v_{q}}", RIGHT),
    (r"\frac{\partial C}{\partial v_{q}} = -\sum_k \frac{\partial C}{\partial s_k} "
     r"\frac{\partial s_k}{\partial v_{q}}", WRONG),
    (r"\frac{\partial C}{\partial v_{q}} = \frac{\partial C}{\partial s_k} "
     r"\frac{\partial s_k}{\partial v_{q}}", OPEN),
    (r"\frac{\partial C}{\partial u^{(L-m)}} = \frac{\partial C}{\partial r^{(L-m+1)}} "
     r"\frac{\partial r^{(L-m+1)}}{\partial u^{(L-m)}}", RIGHT),
    (r"\frac{dCost}{dGain} = \frac{dCost}{dOut} \cdot \frac{dOut}{dGain}", RIGHT),
    (r"\frac{dCost}{dGain} = -\frac{dCost}{dOut} \cdot \frac{dOut}{dGain}", WRONG),
]  # fmt: skip


@pytest.mark.parametrize(("line", "verdict"), CHAINS)
def test_a_chain_without_definitions_is_judged_by_its_form(line: str, verdict: str) -> None:
    assert [one.verdict for one in by_value(f"$${line}$$")] == [verdict]


VALUES = {
    "one word apart from the others": (
        r"""$E = -\log \sigma(r_b \cdot s) - \sum_{k=1}^K \log \sigma(-r_k \cdot s)$
$$\frac{\partial E}{\partial r_b} = (\sigma(r_b \cdot s) - 1) s$$
$$\frac{\partial E}{\partial r_k} = \sigma(r_k \cdot s) s$$
$$\frac{\partial E}{\partial r_k} = -\sigma(r_k \cdot s) s$$""",
        [RIGHT, RIGHT, WRONG],
    ),
    "the class of an example as an index": (
        r"""$L_i = \sum_{j \neq c_i} \max(0, v_j^T x_i - v_{c_i}^T x_i + \Delta)$
$$\nabla_{v_j} L_i = \mathbb{1}(v_j^T x_i - v_{c_i}^T x_i + \Delta > 0) x_i$$ for $j \neq c_i$
$$\nabla_{v_{c_i}} L_i = -\sum_{j \neq c_i} \mathbb{1}(v_j^T x_i - v_{c_i}^T x_i + \Delta > 0) x_i$$
$$\nabla_{v_j} L_i = -\mathbb{1}(v_j^T x_i - v_{c_i}^T x_i + \Delta > 0) x_i$$ for $j \neq c_i$""",
        [RIGHT, RIGHT, WRONG],
    ),
    "a number above that is a layer": (
        r"""$r = c_1 u_{11}^2 + c_2 u_{21}^2$
$$\frac{\partial r}{\partial u_{11}^2} = c_1$$
$$\frac{\partial r}{\partial u_{11}^2} = 2 c_1$$""",
        [RIGHT, WRONG],
    ),
    "defined by what is differentiated": (
        r"""$$\frac{\partial E}{\partial r} = \frac{\partial}{\partial r} (t - r)^2 = -2(t - r)$$
$$\frac{\partial E}{\partial r} = 2(t - r)$$""",
        [RIGHT, WRONG],
    ),
    "an entry of a transpose": (
        r"""$P = U V$
$$\frac{\partial E}{\partial U_{ab}} = \sum_j \frac{\partial E}{\partial P_{aj}} V^T_{jb}$$
$$\frac{\partial E}{\partial U_{ab}} = \sum_j \frac{\partial E}{\partial P_{aj}} V_{jb}$$""",
        [RIGHT, WRONG],
    ),
    "two formulas in the same names": (
        r"""$$\log \frac{1}{1 + e^{-u}} = -\log(1 + e^{-u})$$
$$\log \frac{1}{1 + e^{-u}} = \log(1 + e^{-u})$$
$$g(v) = \|r - Q v\|^2 = r^T r - 2 v^T Q^T r + v^T Q^T Q v$$
$$h(v) = \|r - Q v\|^2 = r^T r + 2 v^T Q^T r + v^T Q^T Q v$$
$$Q^T Q v = Q^T r$$""",
        [RIGHT, WRONG, RIGHT, WRONG, OPEN],
    ),
    "a name at the end of a chain": (
        r"""$$p = \mathrm{softmax}(s), \quad C = -\sum_i t_i \log p_i, \quad s = U r$$
$$\frac{\partial C}{\partial s} = p - t = \epsilon_1$$
$$\frac{\partial C}{\partial r} = U^T \epsilon_1$$
$$\frac{\partial C}{\partial r} = -U^T \epsilon_1$$""",
        [RIGHT, RIGHT, WRONG],
    ),
    "a slip with a name of unknown meaning": (
        r"""$q = \mathrm{frob}(s), \quad s = v r$
$$\frac{\partial q}{\partial v} = \frac{\partial q}{\partial s} r$$
$$\frac{\partial q}{\partial v} = -\frac{\partial q}{\partial s} r$$
$$\frac{\partial q}{\partial v} = 2 r \frac{\partial q}{\partial s}$$""",
        [RIGHT, WRONG, WRONG],
    ),
    "entries in a diagonal": (
        r"""$$\sum_{i=1}^n a_i^2 x_i x_i^T = X^T \mathrm{diag}(a_i^2) X$$""",
        [RIGHT],
    ),
    "a square above an index": (
        r"""$h = \sum_i y^{(i)^2} u$
$$\frac{\partial h}{\partial u} = \sum_i y^{(i)^2}$$
$$\frac{\partial h}{\partial u} = \sum_i y^{(i)}$$""",
        [RIGHT, WRONG],
    ),
}


@pytest.mark.parametrize("name", VALUES)
def test_names_with_labels_are_told_apart(name: str) -> None:
    text, verdicts = VALUES[name]
    assert [one.verdict for one in by_value(text)] == verdicts


CODE = """
P1 = X @ V1 + c1
H1 = np.tanh(P1)
P2 = H1 @ V2 + c2
{start}
dV2 = {line}
dc2 = np.sum(dP2, axis=0, keepdims=True){over}
dH1 = dP2 @ V2.T
dP1 = dH1 * (1 - H1**2)
dV1 = X.T @ dP1{over}
dc1 = np.sum(dP1, axis=0, keepdims=True){over}
"""


@pytest.mark.slow
@pytest.mark.parametrize("over", ["", " / m"])
@pytest.mark.parametrize(
    ("line", "right"),
    [("H1.T @ dP2", True), ("-(H1.T @ dP2)", False), ("2 * (H1.T @ dP2)", False),
     ("H1 @ dP2", False)],
)  # fmt: skip
def test_code_without_a_loss_is_held_to_the_chain_rule(line: str, right: bool, over: str) -> None:
    text = CODE.format(start="dP2 = (P2 - T) * 3", line=f"({line}){over}", over=over)
    found = {line.text.split()[0]: line for line in audit(text).lines}
    assert found.pop("dV2").accused is not right
    assert not any(line.accused for line in found.values())


@pytest.mark.slow
def test_a_name_that_an_equation_brings_in_is_no_free_value() -> None:
    text = r"""$f(U) = \|U U^T - B\|^2$, where $B$ is given.
$$\begin{aligned} f &= \|Q\|_F^2 = Q : Q \\
df &= 2 Q : dQ \\
&= 2 (U U^T - B) : (dU U^T + U dU^T) \end{aligned}$$"""
    assert not audit(text).wrong


def test_the_last_value_is_no_objective_where_another_is_differentiated() -> None:
    text = r"""$Z[2] = W[2] A[1] + b[2]$
$\mu = \frac{1}{m} \sum Z[2]$
$$\frac{dL}{dW[2]} = \frac{dL}{dZ[2]} \frac{dZ[2]}{dW[2]}$$"""
    assert [line.verdict for line in audit(text).lines] == [RIGHT]


def test_partial_derivatives_that_all_vanish_prove_nothing() -> None:
    text = r"""$$P = U V$$
$$\frac{\partial C}{\partial U_{ab}} = 2 \sum_{i,j} \frac{\partial C}{\partial P_{ij}}
\frac{\partial P_{ij}}{\partial U_{ab}}$$"""
    assert [one.verdict for one in by_value(text)] == [WRONG]


@pytest.mark.slow
@pytest.mark.parametrize(("factor", "verdict"), [("", RIGHT), ("2 ", WRONG), ("-", WRONG)])
def test_a_chain_whose_parts_are_not_connected_by_definitions(factor: str, verdict: str) -> None:
    text = (
        r"$C = (a_L - t)^2$, $s_L = v_L a_{L-1}$, $a_L = \sigma(s_L)$" + "\n"
        r"$$\frac{dC}{dv_{L-1}} = " + factor + r"\frac{ds_{L-1}}{dv_{L-1}} "
        r"\frac{da_{L-1}}{ds_{L-1}} \frac{ds_L}{da_{L-1}} \frac{da_L}{ds_L} \frac{dC}{da_L}$$"
    )
    assert [one.verdict for one in by_value(text)] == [verdict]
