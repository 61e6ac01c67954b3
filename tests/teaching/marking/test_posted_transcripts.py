r"""Transcripts as people post them: nothing declared, one example, prose around, code in functions.

Each row has the verdicts that its lines deserve: the marks ✓ and ✗ stand before lines that claim
something right and something wrong.
"""

from __future__ import annotations

import re

import pytest

from chainrule.teaching.grading.audit import audit

_MARK = re.compile(r"^([✓✗]) ?", re.MULTILINE)

POSTS: list[tuple[str, str]] = [
    (
        "nothing is declared",
        r"""
$z = w^T x + b$ and $\hat{y} = \sigma(z)$
$L = -(y \log \hat{y} + (1 - y) \log(1 - \hat{y}))$
✓ $\frac{\partial L}{\partial z} = \hat{y} - y$
✓ $\frac{\partial L}{\partial w} = (\hat{y} - y) x$
✗ $\frac{\partial L}{\partial b} = y - \hat{y}$
""",
    ),
    (
        "the loss stands before its parts",
        r"""
$$C = -\sum_k t_k \log s_k$$
where
$$s_k = \frac{e^{u_k}}{\sum_j e^{u_j}}$$
✓ $$\frac{\partial C}{\partial u_k} = s_k - t_k$$
✗ $$\frac{\partial C}{\partial u_k} = t_k - s_k$$
""",
    ),
    (
        "cases in prose, derivatives of expressions",
        r"""
\[ p_i = \frac{\exp(o_i)}{\sum_j \exp(o_j)} \]
\[ L = -\sum_i y_i \log p_i \]
If $i = k$,
\[
✓ \frac{\partial p_i}{\partial o_k} = p_k (1 - p_k)
\]
If $i \neq k$,
\[
✓ \frac{\partial p_i}{\partial o_k} = -p_k p_i
\]
Together
\begin{align}
✓ \frac{\partial L}{\partial o_k} &= -\sum_i y_i \frac{\partial \log p_i}{\partial o_k} \\
✓ &= -\sum_i \frac{y_i}{p_i} \frac{\partial p_i}{\partial o_k} \\
✓ &= -y_k (1 - p_k) + \sum_{i \neq k} y_i p_k \\
✓ &= p_k - y_k
\end{align}
""",
    ),
    (
        "one example, marked above",
        r"""
$z^{(i)} = w^T x^{(i)} + b$
$a^{(i)} = \sigma(z^{(i)})$
$J = -\frac{1}{m} \sum_{i=1}^m (y^{(i)} \log a^{(i)} + (1 - y^{(i)}) \log(1 - a^{(i)}))$
✓ $\frac{\partial J}{\partial w_j} = \frac{1}{m} \sum_{i=1}^m (a^{(i)} - y^{(i)}) x_j^{(i)}$
✓ $\frac{\partial J}{\partial b} = \frac{1}{m} \sum_{i=1}^m (a^{(i)} - y^{(i)})$
✗ $\frac{\partial J}{\partial w_j} = \frac{1}{m} \sum_{i=1}^m (a^{(i)} - y^{(i)}) x_j^{(i)} a^{(i)}$
""",
    ),
    (
        "a hypothesis of x, and the optimum",
        r"""
$J(\theta) = \frac{1}{2} \sum_{i=1}^m \left(h_\theta\left(x^{(i)}\right) - y^{(i)}\right)^2$
where $h_\theta(x) = \theta^T x$.
✓ $\frac{\partial}{\partial \theta_j} J(\theta) = \sum_i (h_\theta(x^{(i)}) - y^{(i)}) x_j^{(i)}$
✗ $\frac{\partial}{\partial \theta_j} J(\theta) = \sum_i (y^{(i)} - h_\theta(x^{(i)})) x_j^{(i)}$
""",
    ),
    (
        "an equation for the optimum claims nothing",
        r"""
$J(w) = (y - X w)^T (y - X w) + \lambda w^T w$
✓ $\nabla_w J = -2 X^T (y - X w) + 2 \lambda w$
Set it to zero:
$-2 X^T (y - X w) + 2 \lambda w = 0$
$w = (X^T X + \lambda I)^{-1} X^T y$
""",
    ),
    (
        "second derivatives",
        r"""
x : (n, 1)
w : (n, 1)
y : (1, 1)
$a = \sigma(w^T x)$
$L = -(y \log a + (1 - y) \log(1 - a))$
✓ $\frac{\partial^2 L}{\partial w_j \partial w_k} = a (1 - a) x_j x_k$
✗ $\frac{\partial^2 L}{\partial w_j \partial w_k} = a (1 - a) x_j$
✓ $\frac{\partial^2 L}{\partial w_j^2} = a (1 - a) x_j^2$
""",
    ),
    (
        "code in functions, with long names",
        """
```python
def relu(z):
    return np.maximum(0, z)

def relu_derivative(z):
    return (z > 0).astype(float)

N, D, H = 64, 100, 20
x, y = np.random.randn(N, D), np.random.randn(N, 1)
W1, W2 = np.random.randn(D, H), np.random.randn(H, 1)
costs = []
for step in range(100):
    z1 = x @ W1
    h = relu(z1)
    y_hat = h @ W2
    loss = np.square(y_hat - y).sum()
✓     dL_dyhat = 2 * (y_hat - y)
✓     dL_dW2 = h.T @ dL_dyhat
✓     dL_dh = dL_dyhat @ W2.T
✓     dL_dz1 = dL_dh * relu_derivative(z1)
✗     dL_dW1 = x.T @ dL_dh
```
""",
    ),
    (
        "code in a class",
        """
```python
class Model:
    def fit(self, X, y, rate):
        n, d = X.shape
        self.weights = np.zeros((d, 1))
        self.bias = 0
        for _ in range(10):
            p = self.sigmoid(np.dot(X, self.weights) + self.bias)
            cost = -(1 / n) * np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
✓             dw = (1 / n) * np.dot(X.T, (p - y))
✓             db = (1 / n) * np.sum(p - y)
            self.weights = self.weights - rate * dw
```
""",
    ),
    (
        "gradients that are built up in code",
        """
u : (n, 1)
v : (n, 1)
```python
s = u * v
t = s + u
L = (t * s).sum()
dt = s
ds = t
✓ ds += dt
✓ du = ds * v + dt
```
""",
    ),
    (
        "typesetting that only sets",
        r"""
$$ \eqalign{ \mu &= \underbrace{W h + b}_{\text{encoder}} \cr
L &= \tfrac12 \bigl\| \mu - y \bigr\|^2 } $$
✓ $$ \frac{\partial L}{\partial \mu} \underset{\text{norm}}{=} \mu - y $$
✓ $$ \frac{\delta L}{\delta W} = (\mu - y)\, h^T $$
✗ $$ \frac{\delta L}{\delta W} = (y - \mu)\, h^T $$
""",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("text", [text for _, text in POSTS], ids=[name for name, _ in POSTS])
def test_lines_of_a_post_get_what_they_deserve(text: str) -> None:
    rows = text.splitlines()
    right = {at for at, row in enumerate(rows, 1) if row.startswith("✓")}
    wrong = {at for at, row in enumerate(rows, 1) if row.startswith("✗")}
    found = audit(_MARK.sub("", text))
    accused = {line.line for line in found.lines if line.accused}
    proven = {line.line for line in found.lines if line.verdict in ("proven", "follows")}
    assert accused == wrong
    assert right <= proven


def test_what_is_assumed_is_in_the_model() -> None:
    found = audit("z = w^T x\nL = (z - y)^2\ndL/dw = 2 (z - y) x")
    assert found.model is not None
    assert {assumed.symbol.name for assumed in found.model.assumptions} == {"w", "x", "y"}


_STEP = """
def update({parameters}):
    p = sigmoid(np.dot(X, w) + b)
    cost = -(1 / n) * np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))
    dw = (1 / n) * np.dot(X.T, (p - y))
    db = (1 / n) * np.sum(p - y)
    return {returned}
"""


@pytest.mark.parametrize("mark", ["", "```"], ids=["bare", "fenced"])
@pytest.mark.parametrize(
    ("parameters", "returned"),
    [
        ("w, b", "dw, db"),
        ("w, b, X", "dw, db"),
        ("self, X, y, n", "dw, db"),
        ("w, b,\n           X, y", "dw, db"),
        ("w, b", "pack(dw, db)"),
        ("w, b", "pack(dw, db, cost)"),
    ],
)
def test_parameters_and_calls_in_code_declare_no_shapes(
    parameters: str, returned: str, mark: str
) -> None:
    found = audit(f"{mark}{_STEP.format(parameters=parameters, returned=returned)}{mark}")
    assert found.model is not None
    assert {symbol.name for symbol in found.model.inputs} == {"X", "w", "b", "y"}
    assert [line.verdict for line in found.lines] == ["proven", "proven"]


def test_docstrings_in_code_declare_shapes() -> None:
    said = '"""One step.\n\n    w : (d, 1)\n    y -- labels, of shape (n, 1)\n    """'
    step = _STEP.format(parameters="w, b, X, y", returned="dw, db")
    step = step.replace("\n    p", f"\n    {said}\n    p")
    found = audit(f"```{step}```")
    assert found.model is not None
    assert {assumed.symbol.name for assumed in found.model.assumptions} == {"X", "b"}
    assert [line.verdict for line in found.lines] == ["proven", "proven"]
