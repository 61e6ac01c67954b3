r"""Notation of posts: names above, time, primes, open objectives, lines with their own forward pass.

The marks ✓ and ✗ stand before lines that claim something right and something wrong; what the text
leaves open is marked with a question mark, and must not be accused.
"""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.posted_notation import in_plain_notation

_MARK = re.compile(r"^([✓✗?]) ?", re.MULTILINE)

POSTS: list[tuple[str, str]] = [
    (
        "names above the matrices",
        r"""
We have $r = W^R u$, $s = W^S u$ and $g = r^T s$, and minimise $L = \frac12 g^2$.
✓ $\frac{\partial L}{\partial W^R} = g s u^T$
✗ $\frac{\partial L}{\partial W^S} = g s u^T$
""",
    ),
    (
        "words above the matrices",
        r"""
$v = \tanh(W^{\text{in}} u)$ and $o = W^{\text{out}} v$, $L = \frac12 \|o - y\|^2$
✓ $\frac{\partial L}{\partial W^{\text{out}}} = (o - y) v^T$
✗ $\frac{\partial L}{\partial v} = W^{\text{out}} (o - y)$
""",
    ),
    (
        "time above",
        r"""
$a^t = V s^{t-1} + U x^t$
$s^t = \tanh(a^t)$
$E = \frac12 \|s^t - y^t\|^2$
✓ $\frac{\partial E}{\partial a^t} = (s^t - y^t) \odot (1 - (s^t)^2)$
✓ $\frac{\partial E}{\partial V} = \frac{\partial E}{\partial a^t} (s^{t-1})^T$
✗ $\frac{\partial E}{\partial U} = \frac{\partial E}{\partial a^t} (s^{t-1})^T$
""",
    ),
    (
        "indices with a prime",
        r"""
Q : (n, d)
K : (n, d)
S = Q K^T
A = softmax(S, axis=1)
L = 1/2 sum(A .* A)
✓ $$\frac{\partial L}{\partial S_{ij}} = A_{ij} (A_{ij} - \sum_{j'} A_{ij'} A_{ij'})$$
✗ $$\frac{\partial L}{\partial S_{ij}} = A_{ij} (A_{ij} - \sum_{j'} A_{ij'})$$
""",
    ),
    (
        "the logarithm of the likelihood is one value",
        r"""
$$\ln L = -\sum_{i=1}^n (y_i - w^T x_i)^2$$
✓ $$\frac{\partial \ln L}{\partial w} = 2 \sum_{i=1}^n (y_i - w^T x_i) x_i$$
✗ $$\frac{\partial \ln L}{\partial w} = \sum_{i=1}^n (y_i - w^T x_i) x_i$$
""",
    ),
    (
        "gradients of Greek and accented names",
        r"""
x : (N, D)
gamma : (1, D)
beta : (1, D)
\hat{x} = \tanh(x)
y_{i,j} = \gamma_j \hat{x}_{i,j} + \beta_j
L = \sum_{i,j} y_{i,j}^3
✓ $d\beta_j = \sum_{i=1}^{N} dy_{i,j}$
✓ $d\hat{x}_{i,j} = dy_{i,j} \cdot \gamma_j$
✗ $d\gamma_j = \sum_{i=1}^{N} dy_{i,j}$
""",
    ),
    (
        "an objective that is not defined",
        r"""
$z = W x + b$ and $a = \sigma(z)$. Consider a cost $C$.
✓ $\frac{\partial C}{\partial W_{ij}} = \frac{\partial C}{\partial z_i} x_j$
✓ $\frac{\partial C}{\partial z} = \frac{\partial C}{\partial a} \odot a \odot (1 - a)$
? $\frac{\partial C}{\partial a} = a - y$
✗ $\frac{\partial a_i}{\partial z_i} = a_i (1 + a_i)$
""",
    ),
    (
        "a softmax and no loss",
        r"""
$$q_i = \frac{e^{u_i}}{\sum e^{u_k}}$$
✓ $$\frac{\partial q_i}{\partial u_j} = q_i (1 - q_j), if~i=j$$
✓ $$\frac{\partial q_i}{\partial u_j} = -q_i q_j, if~i\neq j$$
✗ $$\frac{\partial q_i}{\partial u_j} = q_i q_j, if~i\neq j$$
""",
    ),
    (
        "differentials of matrices",
        r"""
\begin{equation} r = \operatorname{softmax}(u) \end{equation} \begin{equation} u = h W \end{equation}
where $r, h$ and $W$ are $1 \times n$, $1 \times m$ and $m \times n$ matrices.
✓ \begin{equation} dr = du\,(Diag(r)-r^Tr) \end{equation}
✗ \begin{equation} dr = du\,(Diag(r)+r^Tr) \end{equation}
""",
    ),
    (
        "differentials that touch a letter",
        r"""
\(g(M) = u^TMv\) where \(M\) is a \(m \times n\) matrix, \(u \in \mathbb{R}^m\), \(v \in \mathbb{R}^n\).
\(f = g^2\)
✓ \[ df = 2 g u^TdMv \]
✓ \[ df = 2 g\, d[u^T M v] \]
✗ \[ df = g u^TdMv \]
""",
    ),
    (
        "results without a forward pass",
        r"""
✓ \[\frac{\partial \operatorname{Tr}(A X B)}{\partial X} = A^T B^T\]
✗ \[\frac{\partial \operatorname{Tr}(A X B)}{\partial X} = 2 A^T B^T\]
✓ \[\frac{\partial \| X \|_F^2}{\partial X} = 2X\]
✓ \[\nabla_x (x^T A x) = (A + A^T) x\]
✗ \[\nabla_x (x^T A x) = A x\]
✓ \[\frac{d}{dz} \tanh(z) = 1 - \tanh^2(z)\]
✓ \[\begin{aligned} \frac{\partial \operatorname{Tr}(AXBXC)}{\partial X} &= A^T (BXC)^T + (AXB)^T C^T\\
✓ &= A^T C^T X^T B^T + B^T X^T A^T C^T \end{aligned}\]
""",
    ),
    (
        "the sigmoid in words of its own",
        r"""
$z = w^T x + b$, $\hat y = \sigma(z)$ where $\sigma(u) = \frac{1}{1 + e^{-u}}$
$L = -(y \log \hat y + (1 - y)\log(1 - \hat y))$
✓ $\frac{d}{du} \sigma(u) = \sigma(u)(1 - \sigma(u))$
✗ $\frac{d}{du} \sigma(u) = \sigma(u)(1 + \sigma(u))$
✓ $\frac{\partial L}{\partial b} = \hat y - y$
""",
    ),
    (
        "matrices that are named by their entries",
        r"""
$z = Wx + b$, $a = softmax(z)$, $L = \frac12 \|a - y\|^2$
✓ $J_{ij} = \frac{\partial a_i}{\partial z_j} = a_i \delta_{ij} - a_i a_j$
✓ $\frac{\partial L}{\partial z_j} = \sum_k (a_k - y_k) J_{kj}$
✗ $\frac{\partial L}{\partial z_j} = \sum_k (a_k + y_k) J_{kj}$
""",
    ),
    (
        "a sentence before an equation on its row",
        r"""
X : (n, m), Y : (1, m), W : (1, n), b : (1, 1)
Z = W X + b
A = sigmoid(Z)
L = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
✓ The name dZ is short for the derivative of the loss with respect to Z. So, dZ = A - Y.
✗ It is the same for the weights as in the lecture of last week. So, dW = A - Y.
""",
    ),
    (
        "bias of a layer in NumPy",
        r"""
```python
Z1 = np.dot(W1, X) + b1
A1 = np.tanh(Z1)
Z2 = np.dot(W2, A1) + b2
cost = np.sum((Z2 - Y)**2)
✓ dZ2 = 2*(Z2 - Y)
✓ db2 = np.sum(dZ2, axis=1, keepdims=True)
✗ db2 = np.sum(dZ2, axis=0, keepdims=True)
```
""",
    ),
    (
        "second derivatives by two entries, after the diagonal",
        r"""
$f(w) = \frac{\lambda}{2} \|w\|^2 + \sum_{i=1}^n (y_i - w^T x_i)^2$
✓ $\frac{\partial^2 f}{\partial w_j^2} = \lambda + 2\sum_{i=1}^n x_{ij}^2$
✓ $\frac{\partial^2 f}{\partial w_j \partial w_k} = 2\sum_{i=1}^n x_{ij} x_{ik}$
✗ $\frac{\partial^2 f}{\partial w_j \partial w_k} = \sum_{i=1}^n x_{ij} x_{ik}$
""",
    ),
]


@pytest.mark.parametrize(("kind", "marked"), POSTS, ids=[kind for kind, _ in POSTS])
def test_posts_are_read(kind: str, marked: str) -> None:
    rows = marked.splitlines()
    found = audit(_MARK.sub("", marked)).lines
    for number, row in enumerate(rows, 1):
        lines = [line for line in found if line.line == number]
        if row.startswith("✓"):
            assert lines, (kind, row)
            assert all(line.verdict in ("proven", "follows") for line in lines), (row, lines)
        elif row.startswith("✗"):
            assert any(line.accused for line in lines), (row, lines)
        else:
            assert not any(line.accused for line in lines), (row, lines)


def test_nothing_is_said_of_a_partial_derivative_that_is_zero_on_both_sides() -> None:
    """With p held fixed both sides are zero; that does not make the line right."""
    text = r"""
$p_i = \sigma(\beta^T x_i)$
$L = \sum_i y_i \log p_i$
$\frac{\partial}{\partial \beta} y_i \log p_i = y_i \frac{\partial}{\partial \beta} p_i$
"""
    (line,) = audit(text).lines
    assert line.accused


@pytest.mark.parametrize(
    "text",
    [
        "$x^2 + y^t$",
        "t = 3\n$2^t + e^t$",
        "$A^T W^T$",
        "```python\nx = a ** t  # ~ W^Q W^K\n```",
        "W^2 x",
        r"$\sum_i x_i$",
    ],
)
def test_powers_and_transposes_stay(text: str) -> None:
    assert in_plain_notation(text) == text
