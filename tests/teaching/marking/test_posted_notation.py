r"""Notation of posts: names above, time, primes, open objectives, lines with a forward pass.

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
\begin{equation} r = softmax(u) \end{equation} \begin{equation} u = h W \end{equation}
where $r, h$ and $W$ are $1 \times n$, $1 \times m$ and $m \times n$ matrices.
✓ \begin{equation} dr = du\,(Diag(r)-r^Tr) \end{equation}
✗ \begin{equation} dr = du\,(Diag(r)+r^Tr) \end{equation}
""",
    ),
    (
        "differentials that touch a letter",
        r"""
\(g(M) = u^TMv\), where \(M\) is a \(m \times n\) matrix,
\(u \in \mathbb{R}^m\), \(v \in \mathbb{R}^n\).
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
✓ \[\begin{aligned} \frac{\partial Tr(AXBXC)}{\partial X} &= A^T (BXC)^T + (AXB)^T C^T\\
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
        "sums that a convention implies",
        r"""
We sum over repeated indices (Einstein). $u_i = M_{ij} v_j + c_i$
$L = \frac12 \|u - y\|^2$
✓ $\frac{\partial L}{\partial M_{ij}} = (u_i - y_i) v_j$
✓ $\frac{\partial L}{\partial v_j} = (u_i - y_i) M_{ij}$
✓ $\frac{\partial u_k}{\partial M_{ij}} = \frac{\partial}{\partial M_{ij}} (M_{kl} v_l + c_k)$
✗ $\frac{\partial L}{\partial v_j} = 2 (u_i - y_i) M_{ij}$
""",
    ),
    (
        "a missing sum is wrong where no convention is said",
        r"""
$u_i = \sum_j M_{ij} v_j$
$L = \frac12 \|u - y\|^2$
✓ $\frac{\partial L}{\partial v_j} = \sum_i (u_i - y_i) M_{ij}$
✗ $\frac{\partial L}{\partial v_j} = (u_i - y_i) M_{ij}$
""",
    ),
    (
        "entries with both indices above",
        r"""
$$S^{ij} = Q^{ia} K^{ja}$$ $$A^{ij} = \text{softmax}_j(S^{ij})$$ $$O^{ib} = A^{ij} V^{jb}$$
✓ $$\frac{\partial O^{ib}}{\partial V^{mn}} = A^{ij} \delta^j_m \delta^b_n = A^{im} \delta^b_n$$
✓ $$\frac{\partial L}{\partial V} = A^T \frac{\partial L}{\partial O}$$
✓ $$\frac{\partial A^{ij}}{\partial S^{mn}} = \delta^i_m A^{ij} (\delta^j_n - A^{in})$$
✗ $$\frac{\partial A^{ij}}{\partial S^{mn}} = \delta^i_m A^{ij} (\delta^j_n + A^{in})$$
""",
    ),
    (
        "layers above",
        r"""
$C_0(...)=( a^{(L)}-y)^2$
$z^{(L)}=w^{(L)}a^{(L-1)}+b^{(L)}$
$a^{(L)}=\sigma(z^{(L)}) $
✓ $\frac{\partial C_0}{\partial a^{(L)}} = 2(a^{(L)}-y)$
✓ $\frac{\partial C_0}{\partial w^{(L)}} = 2(a^{(L)}-y) \sigma'(z^{(L)}) a^{(L-1)}$
✗ $\frac{\partial C_0}{\partial b^{(L)}} = 2(a^{(L)}-y) \sigma'(z^{(L)}) w^{(L)}$
""",
    ),
    (
        "layers above and entries below",
        r"""
$$u_j^L = \sum_k w_{jk}^L a_k^{L-1} + b_j^L$$ $$a_j^L = \sigma(u_j^L)$$
$$E = \frac12 \sum_j (a_j^L - t_j)^2$$
✓ $$\frac{\partial a_j^L}{\partial w_{jk}^{L}} = a_j^L(1-a_j^L)a_k^{L-1}$$
✓ $$\frac{\partial E}{\partial w_{jk}^{L}} = (a_j^L - t_j) a_j^L(1-a_j^L)a_k^{L-1}$$
✗ $$\frac{\partial E}{\partial b_j^{L}} = (a_j^L - t_j) a_j^L$$
""",
    ),
    (
        "a word as the objective, and a gradient of nothing",
        r"""
$$\text{Cost} = (y - Gw)^\mathsf{T}(y - Gw) + \lambda w^\mathsf{T} w$$
✓ $$\nabla_w = -2G^\mathsf{T}(y - Gw) + 2\lambda w$$
✗ $$\nabla_w = -G^\mathsf{T}(y - Gw) + 2\lambda w$$
""",
    ),
    (
        "a display over several rows",
        r"""
$$ l = -\frac{N}{2}\log{|\mathbf{\Sigma}|}
- \frac{1}{2} \sum_{i=1}^N (\mathbf{x}_i - \boldsymbol{\mu})^T \mathbf{\Sigma}^{-1}
\cdot (\mathbf{x}_i - \boldsymbol{\mu}) $$
for a symmetric matrix $\mathbf{\Sigma}$.
✓ \( \frac{d}{d\mathbf{x}} (\mathbf{x}^T \mathbf{B} \mathbf{x}) = 2\mathbf{B}\mathbf{x} \)
✗ \( \frac{d}{d\mathbf{x}} (\mathbf{x}^T \mathbf{B} \mathbf{x}) = \mathbf{B}\mathbf{x} \)
""",
    ),
    (
        "softmax of rows without an axis",
        r"""
$$h=X W+b$$
$$P=\mathop{softmax}(h)$$
$$L = -\frac{1}{N} \sum_i \sum_j y_{ij} \log P_{ij}$$
✓ $$\frac{\partial L}{\partial h} = \frac{1}{N} (P - y)$$
✓ $$\frac{\partial L}{\partial W} = X^T \frac{\partial L}{\partial h}$$
✗ $$\frac{\partial L}{\partial W} = \frac{1}{N} X^T (y - P)$$
""",
    ),
    (
        "new variables for the objective",
        r"""
$f = \|P - A B^T\|^2 + \|Q - A C^T\|^2$
Define $X = BA^T - P^T$ and $Y = CA^T - Q^T$.
✓ $$\begin{aligned} f &= X:X + Y:Y \\
✓ df &= 2X:dX + 2Y:dY \\
✓ &= 2X:dB\,A^T + 0 \\
✓ &= 2XA:dB \end{aligned}$$
✗ $df = XA:dB$
""",
    ),
    (
        "an activation that is the identity",
        r"""
$s = w^T x + b$, $a = s$, $C = \frac12 (a - y)^2$
✓ $\frac{\partial C}{\partial a} = a - y$
✓ $\frac{\partial C}{\partial w} = \frac{\partial C}{\partial a} \frac{\partial a}{\partial s} x$
✗ $\frac{\partial C}{\partial s} = a (a - y)$
""",
    ),
    (
        "an entry of a value that is a square",
        r"""
where $\mathbf{x} \in \mathbb{R}^{N \times D}$.
$\mu_j = \frac{1}{N} \sum_{i=1}^N x_{i,j}$
$\sigma_j^2  = \frac{1}{N} \sum_{i=1}^N (x_{i,j} - \mu_j)^2$
$h_{i,j}  = \frac{x_{i,j} - \mu_j}{\sqrt{\sigma_j^2 + \epsilon}}$
$L = \sum_{i,j} h_{i,j}^3$
✓ $d\sigma_j^2 = \sum_i dh_{ij} (x_{i,j} - \mu_j) (-\frac{1}{2})(\sigma_j^2 + \epsilon)^{-3/2}$
✗ $d\sigma_j^2 = \sum_i dh_{ij} (x_{i,j} - \mu_j) (\sigma_j^2 + \epsilon)^{-3/2}$
""",
    ),
    (
        "a variance of a vector",
        r"""
$\mu = \frac{1}{D}\sum_{i=1}^{D} x_i$, $\sigma^2 = \frac{1}{D}\sum_{i=1}^{D}(x_i - \mu)^2$
$h_i = \frac{x_i - \mu}{\sqrt{\sigma^2 + \varepsilon}}$. For a scalar loss $L$ of $h$:
✓ $d\sigma^2 = \sum_{j=1}^{D} dh_j (x_j - \mu) (-\frac{1}{2}(\sigma^2+\varepsilon)^{-3/2})$
✓ $\frac{\partial \mu}{\partial x_i} = \frac{1}{D}$
✗ $\frac{\partial \mu}{\partial x_i} = D$
""",
    ),
    (
        "a deviation to a power before a bracket",
        r"""
$$ L = \frac{1}{2}\sigma^{-2}(Vu-x)^T(Vu-x) + \frac12\lambda u^Tu $$
✓ $$ dL = \sigma^{-2}(Vu-x)^T\,d(Vu-x) + \lambda u^T\,du $$
✓ $$ \frac{\partial L}{\partial u} = \sigma^{-2} V^T (Vu-x) + \lambda u $$
✗ $$ \frac{\partial L}{\partial u} = \sigma^{-2} V^T (Vu-x) $$
""",
    ),
    (
        "the loss in a function of code",
        r"""
```python
def forward(X):
    H = np.tanh(X @ W1 + b1)
    out = H @ W2 + b2
    loss = np.sum((out - Y)**2)
✓     dout = 2 * (out - Y)
✓     dW2 = H.T @ dout
✓     db1 = np.sum(dout @ W2.T * (1 - H**2), axis=0)
✗     dW1 = X.T @ (dout @ W2.T * (1 - H))
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


def test_a_hundred_thousand_blanks_in_a_formula_are_read_as_one() -> None:
    text = "$z = w{0}x$, where $s${0}is the softmax, $s(z)$"
    one, many = (in_plain_notation(text.format(" " * n)) for n in (1, 100_000))
    assert "softmax(z)" in one
    assert many.split() == one.split()


@pytest.mark.parametrize("odd", ["\x00", "\x00\x01\x02", "\ue000"])
def test_control_characters_beside_code_are_kept(odd: str) -> None:
    text = f"{odd} so ${odd}z = w^T x$\n```\nz = w.T @ x\n```\nand {odd}"
    found = in_plain_notation(text)
    assert found.count(odd) == 3
    assert "z = w.T @ x" in found
