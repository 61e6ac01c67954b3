"""Code that leaves lengths open: one example, one output, lengths by numbers, functions apart."""

from __future__ import annotations

import pytest

from chainrule.teaching.marking.code_by_value.judge import judged

RIGHT: dict[str, tuple[str, str, str]] = {
    "one example of a recurrent step": (
        """
class Cell:
    def forward(self, u, s_prev, m_prev):
        v = np.row_stack((s_prev, u))
        k = sigmoid(np.dot(self.Wk, v) + self.bk)
        m = k * m_prev + (1 - k) * np.tanh(np.dot(self.Wm, v) + self.bm)
        s = np.tanh(m)
        return s

    def backward(self, ds, m_prev, v, k, m, s):
        dm = ds * (1 - np.tanh(m) ** 2)
        dk = dm * (m_prev - np.tanh(np.dot(self.Wm, v) + self.bm))
        da_k = dk * k * (1 - k)
        self.dWk += np.dot(da_k, v.T)
        self.dbk += da_k
        dm_prev = dm * k
""",
        "np.dot(da_k, v.T)",
        "np.dot(da_k, v)",
    ),
    "one output of two batches": (
        """
def scores(good, bad, w, b):
    p = sigmoid(good @ w + b)
    q = sigmoid(bad @ w + b)
    n = good.shape[0]
    loss = -np.mean(np.log(p) + np.log(1 - q))
    du = -(1 - p) / n
    dv = q / n
    dw = good.T @ du + bad.T @ dv
    dbad = dv @ w.T
""",
        "du = -(1 - p) / n",
        "du = (1 - p) / n",
    ),
    "lengths by numbers, a table of rows, the largest score": (
        """
import torch
rng = torch.Generator().manual_seed(7)
words, width, span, hidden, n = 30, 12, 2, 40, 24
T = torch.randn((words, width), generator=rng)
M = torch.randn((span * width, hidden), generator=rng)
R = torch.randn((hidden, words), generator=rng)
pick = torch.randint(0, Xtr.shape[0], (n,), generator=rng)
xb, yb = Xtr[pick], Ytr[pick]
e = T[xb]
flat = e.view(e.shape[0], -1)
h = torch.tanh(flat @ M)
s = h @ R
shifted = s - s.max(1, keepdim=True).values
powers = shifted.exp()
total = powers.sum(1, keepdims=True)
logp = (powers / total).log()
loss = -logp[range(n), yb].mean()
dlogp = torch.zeros_like(logp)
dlogp[range(n), yb] = -1.0 / n
dshifted = dlogp - (powers / total) * dlogp.sum(1, keepdim=True)
dR = h.T @ dshifted
dh = dshifted @ R.T
dM = flat.T @ (dh * (1 - h ** 2))
""",
        "dlogp - (powers",
        "dlogp + (powers",
    ),
    "the loss of a library by its full name": (
        """
u = torch.randn(50, 9)
t = torch.randint(0, 2, (50, 1)).float()
w = torch.randn(9, 1); c = torch.zeros(1)
q = torch.sigmoid(u @ w + c)
loss = torch.nn.functional.binary_cross_entropy(q, t)
dz = (q - t) / u.shape[0]
dw = u.t().mm(dz)
dc = dz.sum(0)
""",
        "u.t().mm(dz)",
        "-u.t().mm(dz)",
    ),
    "a gradient that a function returns": (
        """
def cost(w, X, y, lam):
    h = sigmoid(X.dot(w))
    m = y.size
    J = -(y.T.dot(np.log(h)) + (1 - y).T.dot(np.log(1 - h))) / m
    J += lam / (2 * m) * np.sum(w[1:] ** 2)
    return J

def gradient(w, X, y, lam):
    m = y.size
    h = sigmoid(X.dot(w))
    return X.T.dot(h - y) / m + (lam / m) * np.r_[[[0]], w[1:].reshape(-1, 1)]
""",
        "X.T.dot(h - y) / m",
        "X.T.dot(y - h) / m",
    ),
    "two functions in R": (
        """
link <- function(u) 1 / (1 + exp(-u))
cost <- function(b, Z, y) {
  n <- nrow(Z)
  p <- link(Z %*% b)
  -(1 / n) * sum(y * log(p) + (1 - y) * log(1 - p))
}
grad <- function(b, Z, y) {
  n <- nrow(Z)
  p <- link(Z %*% b)
  (1 / n) * t(Z) %*% (p - y)
}
""",
        "(1 / n) * t(Z)",
        "(2 / n) * t(Z)",
    ),
    "a line through points": (
        """
def descend(X, y, k, b, rate):
    n = len(X)
    guess = k * X + b
    cost = (1 / n) * sum((y - guess) ** 2)
    dk = (-2 / n) * sum(X * (y - guess))
    db = (-2 / n) * sum(y - guess)
""",
        "(-2 / n) * sum(X",
        "(2 / n) * sum(X",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIGHT)
def test_right_rows_are_proven_and_a_seeded_fault_is_found(kind: str) -> None:
    code, right, wrong = RIGHT[kind]
    found = judged(code)
    assert found
    assert {one.verdict for one in found} == {"proven"}, [o for o in found if o.verdict != "proven"]
    assert code.count(right) == 1
    row = code[: code.index(right)].count("\n") + 1
    spoilt = {one.line: one.verdict for one in judged(code.replace(right, wrong))}
    assert spoilt[row] in ("wrong", "unproven")
    assert [line for line, verdict in spoilt.items() if verdict == "wrong" and line != row] == []


@pytest.mark.slow
def test_a_row_is_wrong_by_its_shape_only_where_a_small_change_mends_it() -> None:
    code = """
h = np.tanh(x @ W1 + b1)
o = h @ W2 + b2
p = np.exp(o) / np.exp(o).sum(axis=1, keepdims=True)
loss = -np.sum(y * np.log(p))
do = p - y
dW2 = h @ do
db2 = do.sum(axis=0)
dz = do @ W2.T * (1 - h ** 2)
db1 = dz.sum(axis=0)
"""
    found = {one.line: one.verdict for one in judged(code)}
    assert found == {6: "proven", 7: "wrong", 8: "proven", 9: "proven", 10: "proven"}
    untied = code.replace("h @ do\n", "(h @ do) + (q @ h) @ q\n")
    assert {one.line: one.verdict for one in judged(untied)}[7] != "wrong"


def test_what_no_loss_reaches_is_not_proven() -> None:
    """A step with gradients of its states alone says nothing of the output that it also gives."""
    code = """
class Step:
    def forward(self, x, h_prev):
        h = np.tanh(self.U @ x + self.W @ h_prev)
        o = self.V @ h
        return o, h

    def backward(self, dh_next, x, h, h_prev):
        do = strange(self)
        self.dV = 2 * do @ h.T
        dh = dh_next
        da = dh * (1 - h ** 2)
        self.dU = da @ x.T
"""
    found = {one.line: one.verdict for one in judged(code)}
    assert found[10] == "unproven"
    assert found[13] == "proven"
