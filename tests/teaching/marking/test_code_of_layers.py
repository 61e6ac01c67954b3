"""Backward passes of layers, of lists of layers and of tables in posted code, line by line."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.code_by_value.judge import judged

RIGHT: dict[str, tuple[str, str, str]] = {
    "a layer with an incoming gradient": (
        """
class Affine:
    def __init__(self, n, k):
        self.M = np.random.randn(n, k)
        self.c = np.zeros((1, k))

    def forward(self, u):
        self.u = u
        return u @ self.M + self.c

    def backward(self, grad_out):
        self.dM = self.u.T @ grad_out
        self.dc = grad_out.sum(axis=0, keepdims=True)
        return grad_out @ self.M.T
""",
        "self.u.T @ grad_out",
        "self.u.T @ grad_out * 2",
    ),
    "two functions by their names, and a cache": (
        """
def scale_forward(x, gamma, beta, eps):
    mu = x.mean(axis=0)
    spread = np.sqrt(x.var(axis=0) + eps)
    xhat = (x - mu) / spread
    out = gamma * xhat + beta
    return out, (xhat, gamma, spread)

def scale_backward(dout, cache):
    xhat, gamma, spread = cache
    n = dout.shape[0]
    dgamma = (dout * xhat).sum(axis=0)
    dxhat = dout * gamma
    dx = (dxhat - dxhat.mean(axis=0) - xhat * (dxhat * xhat).mean(axis=0)) / spread
    return dx, dgamma
""",
        "(dout * xhat).sum(axis=0)",
        "(dout * xhat).mean(axis=0)",
    ),
    "a list of layers": (
        """
def descend(self, x, y):
    outs = [x]
    sums = []
    for M, c in zip(self.weights, self.biases):
        sums.append(outs[-1] @ M + c)
        outs.append(np.tanh(sums[-1]))
    loss = 0.5 * np.sum((outs[-1] - y) ** 2)
    delta = outs[-1] - y
    grads_w = [None] * len(self.weights)
    for k in reversed(range(len(self.weights))):
        delta = delta * (1 - outs[k + 1] ** 2)
        grads_w[k] = outs[k].T @ delta
        delta = delta @ self.weights[k].T
""",
        "1 - outs[k + 1] ** 2",
        "1 - outs[k] ** 2",
    ),
    "layers by keys": (
        """
kept = {"A0": X}
for l in range(1, L + 1):
    kept[f"Z{l}"] = params[f"W{l}"] @ kept[f"A{l-1}"] + params[f"b{l}"]
    kept[f"A{l}"] = np.tanh(kept[f"Z{l}"])
loss = 0.5 * np.sum((kept[f"A{L}"] - Y) ** 2)
grads = {}
dA = kept[f"A{L}"] - Y
for l in range(L, 0, -1):
    dZ = dA * (1 - kept[f"A{l}"] ** 2)
    grads[f"W{l}"] = dZ @ kept[f"A{l-1}"].T
    grads[f"b{l}"] = dZ.sum(axis=1, keepdims=True)
    dA = params[f"W{l}"].T @ dZ
""",
        "dZ.sum(axis=1, keepdims=True)",
        "dZ.mean(axis=1, keepdims=True)",
    ),
    "gates in parts of one array": (
        """
N, H = h0.shape
a = x @ Wx + h0 @ Wh
i = sigmoid(a[:, :H])
f = sigmoid(a[:, H:2*H])
g = np.tanh(a[:, 2*H:])
c = f * c0 + i * g
df = dc * c0
di = dc * g
dg = dc * i
da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g ** 2)])
dWx = x.T @ da
dh0 = da @ Wh.T
""",
        "dg * (1 - g ** 2)",
        "dg * (1 + g ** 2)",
    ),
    "heads by einsum": (
        """
S = np.einsum("bhid,bhjd->bhij", q, k) * scale
P = np.exp(S) / np.exp(S).sum(axis=-1, keepdims=True)
O = np.einsum("bhij,bhjd->bhid", P, v)
dv = np.einsum("bhij,bhid->bhjd", P, dO)
dP = np.einsum("bhid,bhjd->bhij", dO, v)
dS = P * (dP - (P * dP).sum(axis=-1, keepdims=True))
dq = np.einsum("bhij,bhjd->bhid", dS, k) * scale
""",
        "dS = P * (dP -",
        "dS = P * (dP +",
    ),
    "scores that become gradients in place": (
        """
n = X.shape[0]
p = np.exp(X @ W)
p /= p.sum(axis=1, keepdims=True)
loss = -np.log(p[np.arange(n), y]).mean() + lam * np.sum(W * W)
p[np.arange(n), y] -= 1
dW = X.T @ p / n + 2 * lam * W
""",
        "2 * lam * W",
        "lam * W",
    ),
    "words by their numbers": (
        """
e = table[words]
u = others[samples]
loss = -np.sum(np.log(sigmoid(u @ e)))
de = -(1 - sigmoid(u @ e)) @ u
dothers = np.zeros_like(others)
np.add.at(dothers, samples, np.outer(sigmoid(u @ e) - 1, e))
""",
        "-(1 - sigmoid(u @ e)) @ u",
        "(1 - sigmoid(u @ e)) @ u",
    ),
    "the loss of a library": (
        """
h = torch.relu(x @ W1)
logits = h @ W2
loss = F.cross_entropy(logits, target)
dlogits = torch.softmax(logits, dim=1)
dlogits[range(n), target] -= 1
dlogits /= n
dW2 = h.t() @ dlogits
dh = dlogits @ W2.t()
""",
        "h.t() @ dlogits",
        "-h.t() @ dlogits",
    ),
    "a drawn mask": (
        """
h = np.maximum(0, x @ W1)
mask = (np.random.rand(*h.shape) < keep) / keep
kept = h * mask
loss = np.sum((kept @ W2 - y) ** 2) / 2
do = kept @ W2 - y
dW2 = kept.T @ do
dh = (do @ W2.T) * mask
dW1 = x.T @ (dh * (h > 0))
""",
        "kept.T @ do",
        "h.T @ do",
    ),
    "sums over examples and classes by loops": (
        """
loss = 0.0
dW = np.zeros_like(W)
for i in range(X.shape[0]):
    s = X[i] @ W
    p = np.exp(s) / np.sum(np.exp(s))
    loss += -np.log(p[y[i]])
    for j in range(W.shape[1]):
        dW[:, j] += p[j] * X[i]
        if j == y[i]:
            dW[:, j] -= X[i]
""",
        "p[j] * X[i]",
        "2 * p[j] * X[i]",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIGHT)
def test_right_backward_passes_are_proven_and_a_mistake_is_not(kind: str) -> None:
    code, right, wrong = RIGHT[kind]
    found = judged(f"```python{code}```")
    assert found
    assert {one.verdict for one in found} == {"proven"}, [o for o in found if o.verdict != "proven"]
    assert code.count(right) == 1
    spoilt = judged(f"```python{code.replace(right, wrong)}```")
    row = code[: code.index(right)].count("\n") + 1
    assert any(one.verdict != "proven" for one in spoilt if one.line >= row)
    assert all(one.verdict != "wrong" for one in spoilt if one.line < row)


def test_a_row_that_is_not_read_leaves_the_others_judged() -> None:
    code = """
h = np.tanh(x @ W1)
k = np.fft.fft(x)
loss = np.sum((h @ W2) ** 2) / 2
do = h @ W2
dW2 = h.T @ do
dW1 = x.T @ (do @ W2.T) * (1 - h ** 2)
"""
    found = {one.line: one for one in audit(f"```python{code}```").lines}
    assert found[6].verdict == "proven"
    assert found[7].verdict != "proven"  # the product before the mask


def test_rows_that_only_give_values_are_not_reported() -> None:
    code = "m = X.shape[0]\nz = X @ w\nloss = np.sum((z - y) ** 2) / m\ndz = 2 * (z - y) / m\n"
    assert [one.line for one in audit(f"```python\n{code}```").lines] == [5]


def test_layers_of_one_text_have_names_of_their_own() -> None:
    code = """
class First:
    def forward(self, x):
        self.x = x
        return np.maximum(0, x)

    def backward(self, dout):
        return dout * (self.x > 0)

class Second:
    def forward(self, x):
        self.out = np.tanh(x)
        return self.out

    def backward(self, dout):
        return dout * (1 - self.out)
"""
    assert [one.verdict for one in judged(f"```python{code}```")] == ["proven", "wrong"]
