r"""Texts with gaps: definitions that cannot be read, places from 0, code without its loss.

A line that cannot be read is not judged, and accuses no other line.

The marks before the lines: ✓ is judged right, ✗ is called wrong, ? is judged neither way.
"""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit

_MARK = re.compile(r"^([✓✗?]) ?", re.MULTILINE)
_RIGHT = {"proven", "follows"}

TEXTS: list[tuple[str, str]] = [
    (
        "a mean that is given by its logarithm, below its use",
        r"""
$$\ell = \sum_{i} [ c_i \ln \mu_i - \mu_i ]$$
where $$\ln \mu_i = x_i^T \beta$$
✓ $$\frac{\partial \ell}{\partial \beta} = \sum_{i} (c_i - \mu_i) x_i$$
✗ $$\frac{\partial \ell}{\partial \beta} = \sum_{i} (c_i + \mu_i) x_i$$
""",
    ),
    (
        "a probability that is given by its log-odds",
        r"""
$$\ell = \sum_{i} [ y_i \ln p_i + (1 - y_i) \ln (1 - p_i) ]$$
$$\log \frac{p_i}{1 - p_i} = w^T x_i$$
✓ $$\frac{\partial \ell}{\partial w} = \sum_{i} (y_i - p_i) x_i$$
✗ $$\frac{\partial \ell}{\partial w} = \sum_{i} (p_i - y_i) x_i$$
""",
    ),
    (
        "a link that is never named",
        r"""
$$\ell = \sum_{i} [ y_i \ln p_i + (1 - y_i) \ln (1 - p_i) ]$$
$$G(p_i) = w^T x_i$$
? $$\frac{\partial \ell}{\partial w} = \sum_{i} (y_i - p_i) x_i$$
✓ $$\frac{\partial \ell}{\partial p_i} = \frac{y_i}{p_i} - \frac{1 - y_i}{1 - p_i}$$
""",
    ),
    (
        "shapes that do not meet in the equation of a rate",
        r"""
$$\ln L=\sum_{i=1}^{n}\left[-\rho_{i}+y_{i}x_{i}^{T}\beta\right]$$
$$\ln\rho_{i}=x_{i}\beta$$
? $$\frac{\partial\ln L}{\partial\beta}=\sum_{i=1}^{n}\left(y_{i}-\rho_{i}\right)x_{i}$$
""",
    ),
    (
        "a definition that others use",
        r"""
$z = w^T x + b$
$q = \text{clamp}_{0}^{1}(z, 3)$
$L = (q - y)^2$
✓ $\frac{\partial L}{\partial q} = 2 (q - y)$
? $\frac{\partial L}{\partial w} = 2 (q - y) x$
✓ $\frac{\partial z}{\partial w} = x$
✗ $\frac{\partial z}{\partial w} = -x$
""",
    ),
    (
        "sums that count from 0",
        r"""
With $v$ a vector of length $n$ and $H$ square,
$$ q = v^T H v $$
✓ $$ q = \sum_{i=0}^{n-1}\sum_{j=0}^{n-1} v_i h_{ij} v_j $$
✓ $$ \frac{\partial q}{\partial v_k} = \sum_{i=0}^{n-1} h_{ik} v_i + \sum_{j=0}^{n-1} h_{kj} v_j $$
✗ $$ \frac{\partial q}{\partial v_k} = \sum_{i=0}^{n-1} h_{ik} v_i - \sum_{j=0}^{n-1} h_{kj} v_j $$
""",
    ),
    (
        "an entry with the number 0",
        r"""
$$ h = \sum_{j=0}^{n} \theta_j x_j $$
$$ J = \frac{1}{2} (h - y)^2 $$
✓ $$ \frac{\partial J}{\partial \theta_j} = (h - y) x_j $$
✗ $$ \frac{\partial J}{\partial \theta_j} = (y - h) x_j $$
? $$ \frac{\partial J}{\partial \theta_0} = (h - y) $$
""",
    ),
    (
        "powers of a number under a sum from 0",
        r"""
$$ s = \sum_{i=0}^{n} c_i u^i $$
$$ J = \frac{1}{2} (s - y)^2 $$
✓ $$ \frac{\partial J}{\partial s} = s - y $$
? $$ \frac{\partial J}{\partial c_k} = (s - y) u^k $$
""",
    ),
    (
        "code with the error of a softmax, and neither labels nor a loss",
        """
```python
def forward(X, V, c, U, e):
    H = np.maximum(0, V @ X + c)
    S = U @ H + e
    P = softmax(S)
    return P

def backward(X, truth):
    m = X.shape[1]
✓    dS = (P - truth) / m
✓    dU = dS @ H.T
✓    dH = U.T @ dS
✗    dH = U @ dS
```
""",
    ),
    (
        "code with an error that has a name of its own",
        """
```python
z1 = X.dot(W1) + b1
a1 = np.tanh(z1)
z2 = a1.dot(W2) + b2
out = sigmoid(z2)
✓delta2 = out - goal
✓dW2 = a1.T.dot(delta2)
✓delta1 = delta2.dot(W2.T) * (1 - a1**2)
✗dW1 = X.T.dot(delta1) * 2
```
""",
    ),
    (
        "code that no usual loss makes right",
        """
```python
h = np.tanh(A @ x + b)
yhat = C @ h + d
?dyhat = 3 * (yhat - goal)
✓dC = dyhat @ h.T
```
""",
    ),
    (
        "a function of two arguments, and nothing that is read",
        """
```python
def layer(A, v):
    return fused_kernel(A, v)[0]
u = layer(A, x, mode="fast")
?u2 = layer(C, u)
```
""",
    ),
    (
        "a chain of derivatives that reaches nothing",
        r"""
✓ $\frac{dC}{du_{K-1}} = \frac{dv_{K-1}}{du_{K-1}} \frac{dv_K}{dv_{K-1}} \frac{dC}{dv_K}$
✗ $\frac{dC}{du_{K-1}} = 2 \frac{dv_{K-1}}{du_{K-1}} \frac{dv_K}{dv_{K-1}} \frac{dC}{dv_K}$
where $C = (s_K - y)^2$, $v_K = u_K s_{K-1}$, $s_K = \sigma(v_K)$
""",
    ),
]


@pytest.mark.parametrize(("name", "marked"), TEXTS, ids=[name for name, _ in TEXTS])
def test_a_definition_that_is_not_read_ends_no_text(name: str, marked: str) -> None:
    found = {line.line: line for line in audit(_MARK.sub("", marked)).lines}
    for number, row in enumerate(marked.splitlines(), 1):
        line = found.get(number)
        if row.startswith("✓"):
            assert line is not None
            assert line.verdict in _RIGHT, (name, line)
        elif row.startswith("✗"):
            assert line is not None
            assert line.accused, (name, line)
        else:
            assert line is None or not line.accused, (name, line)
            assert line is None or not row.startswith("?") or line.verdict not in _RIGHT, line


def test_the_loss_that_is_taken_is_said() -> None:
    text = "```python\nh = np.tanh(A @ x + b)\nyhat = C @ h + d\ndyhat = yhat - goal\n```\n"
    (line,) = audit(text).lines
    assert line.why == (
        "right with half the squared error of yhat and goal: no loss of the text is read, and "
        "this one is taken"
    )


def test_functions_of_several_arguments_are_written_out() -> None:
    text = """```python
def layer(A, v):
    return np.tanh(A @ v)

h = layer(B, x)
yhat = layer(C, h)
L = np.sum((yhat - y) ** 2)
dyhat = 2 * (yhat - y)
dyhat = yhat - y
```
"""
    assert [line.verdict for line in audit(text).lines] == ["proven", "wrong"]
