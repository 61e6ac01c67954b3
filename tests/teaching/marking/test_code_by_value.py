"""Gradients in posted code, held to differences of the loss of the same code."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.audit.transcripts import STYLES, Figures, figures, transcripts

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.code_by_value.judge import judged

_CODE = [one for one in transcripts(STYLES) if "```python" in one.text][::2]


@pytest.fixture(scope="module")
def counts() -> Figures:
    return figures(_CODE)


@pytest.mark.slow
def test_homework_as_it_is_posted_is_read(counts: Figures) -> None:
    assert counts.transcripts >= 4
    assert counts.share_read >= 0.97, counts
    assert counts.accused == []
    assert counts.share_found >= 0.97, counts


FORWARD = """
h = np.tanh(x @ w1 + b1)
out = h @ w2 + b2
p = np.exp(out) / np.sum(np.exp(out), axis=1, keepdims=True)
loss = -np.mean(np.log(p[np.arange(n), y])) + 0.5 * lam * np.sum(w2 ** 2)
"""
BACKWARD = {
    "dout = p.copy()": "proven",
    "dout[np.arange(n), y] -= 1": "proven",
    "dout /= n": "proven",
    "dw2 = h.T @ dout + lam * w2": "proven",
    "db2 = dout.sum(axis=0)": "proven",
    "dh = dout @ w2.T": "proven",
    "dz = dh * (1 - h ** 2)": "proven",
    "dw1 = x.T @ dz": "proven",
    "db1 = dz.sum(axis=0)": "proven",
}


def _verdicts(lines: list[str]) -> dict[str, str]:
    text = FORWARD + "\n".join(lines)
    found = {one.text: one.verdict for one in judged(text)}
    return {line: found.get(line, "none") for line in lines}


def test_a_right_backward_pass_is_right_line_by_line() -> None:
    assert _verdicts(list(BACKWARD)) == BACKWARD


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dw2 = h.T @ dout + lam * w2", "dw2 = h.T @ dout - lam * w2"),
        ("db2 = dout.sum(axis=0)", "db2 = dout.mean(axis=0)"),
        ("dw1 = x.T @ dz", "dw1 = x.T @ dh"),
        ("db1 = dz.sum(axis=0)", "db1 = dz.sum(axis=1)"),
    ],
)
def test_one_wrong_line_is_found_and_no_other_accused(right: str, wrong: str) -> None:
    lines = [wrong if line == right else line for line in BACKWARD]
    found = _verdicts(lines)
    assert found[wrong] == "wrong"
    assert [line for line, verdict in found.items() if verdict == "wrong"] == [wrong]


def test_the_convention_without_the_mean_is_read() -> None:
    text = """
z = w.T @ X + b
a = 1 / (1 + np.exp(-z))
cost = -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / m
dz = a - y
dw = X @ dz.T / m
db = np.sum(dz) / m
"""
    assert [one.verdict for one in judged(text)] == ["proven"] * 3
    assert judged(text.replace("X @ dz.T / m", "X @ dz.T"))[1].verdict == "wrong"


def test_a_gradient_from_above_needs_no_loss() -> None:
    text = "```python\ny = x @ w\ndx = dy @ w.T\ndw = x.T @ dy\ndw = x @ dy\n```"
    assert [one.verdict for one in judged(text)] == ["proven", "proven", "wrong"]


def test_through_time_every_step_is_judged() -> None:
    text = """
hs = {}
hs[-1] = h0
loss = 0
for t in range(T):
    hs[t] = np.tanh(W @ hs[t-1] + U @ x)
    loss += np.sum(hs[t] ** 2) / 2
dW = np.zeros_like(W)
dnext = np.zeros_like(h0)
for t in reversed(range(T)):
    dh = hs[t] + dnext
    dz = dh * (1 - hs[t] ** 2)
    dW += dz @ hs[t-1].T
    dnext = W.T @ dz
"""
    found = {one.text: one.verdict for one in judged(text)}
    assert found["dh = hs[t] + dnext"] == "proven"
    assert found["dW += dz @ hs[t-1].T"] == "proven"
    wrong = text.replace("dz @ hs[t-1].T", "dz @ hs[t].T")
    assert {o.text: o.verdict for o in judged(wrong)}["dW += dz @ hs[t].T"] == "wrong"


@pytest.mark.parametrize(
    "text",
    [
        "```python\nimport os\nos.system('true')\ndw = os.getcwd()\n```",
        "```python\nx = 10 ** 10 ** 10\nloss = np.sum(x)\ndx = x\n```",
        "```python\nw = np.zeros((10**9, 10**9))\nloss = np.sum(w)\ndw = np.ones((10**9, 1))\n```",
        "```python\n" + "x = " + "(" * 500 + "\n```",
        "```python\nwhile True:\n    loss = np.sum(w)\n    dw = 1\n```",
        "```python\ndef f(x): return f(x)\nloss = np.sum(f(w))\ndw = f(w)\n```",
        "```python\nloss = np.sum(w @ )\ndw = w[\n  x = 1\n```",
        "```python\nfor t in range(10**9):\n    loss = np.sum(w[t])\ndw = 0\n```",
        "```python\ndx = dy = dz\n```",
        "```python\nloss = np.log(-np.sum(w ** 2))\ndw = 2 * w\n```",
    ],
)
def test_code_of_any_kind_ends_in_verdicts(text: str) -> None:
    with np.errstate(all="ignore"):
        assert all(one.verdict != "wrong" for one in judged(text))


RIGHT = {
    "gradients in a table by the name of the value": """
z1 = X @ W1 + b1
a1 = np.tanh(z1)
z2 = a1 @ params['W2']
loss = np.sum((z2 - y) ** 2) / 2
grads = {}
grads['W2'] = a1.T @ (z2 - y)
dz1 = (z2 - y) @ params['W2'].T * (1 - a1 ** 2)
grads['W1'] = X.T @ dz1
""",
    "a value that is masked and scaled in place": """
Z1 = np.dot(W1, X) + b1
A1 = np.maximum(0, Z1)
A1 = A1 * D1
A1 = A1 / keep
Z2 = np.dot(W2, A1)
cost = np.sum((Z2 - Y) ** 2) / 2
dZ2 = Z2 - Y
dA1 = np.dot(W2.T, dZ2)
dA1 = dA1 * D1
dA1 = dA1 / keep
dZ1 = np.multiply(dA1, A1 > 0)
""",
    "a step with momentum": """
pred = X @ W
loss = np.sum((pred - Y) ** 2) / len(X)
dW = 2 * X.T @ (pred - Y) / len(X)
v = beta * v + (1 - beta) * dW
W = W - lr * v
""",
    "a logistic function that is written out": """
A2 = 1 / (1 + np.exp(-(W2 @ A1 + b2)))
m = A1.shape[1]
J = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
dZ2 = A2 - Y
dW2 = dZ2 @ A1.T
W2 = W2 - lr / m * dW2
""",
    "vectors": """
z1 = W1.dot(x) + b1
a1 = np.tanh(z1)
z2 = W2.dot(a1)
loss = 0.5 * np.sum((z2 - y) ** 2)
dL_dz2 = z2 - y
dL_dW2 = np.outer(dL_dz2, a1)
dL_dz1 = W2.T.dot(dL_dz2) * (1 - a1 ** 2)
dL_dW1 = np.outer(dL_dz1, x)
""",
    "a mean of a vector": """
a = sigmoid(X @ w)
loss = -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))
dw = X.T @ (a - y) / len(y)
""",
    "two branches": """
z = X @ W
if kind == 'relu':
    a = np.maximum(0, z)
else:
    a = np.tanh(z)
loss = 0.5 * np.sum((a - t) ** 2)
da = a - t
if kind == 'relu':
    dz = da * (z > 0)
else:
    dz = da * (1 - a ** 2)
""",
    "lists of layers": """
As = [X]
for W, b in zip(Ws, bs):
    As.append(np.tanh(As[-1] @ W + b))
loss = 0.5 * np.sum((As[-1] - Y) ** 2)
delta = (As[-1] - Y) * (1 - As[-1] ** 2)
for l in reversed(range(len(Ws))):
    dWs[l] = As[l].T @ delta
    delta = (delta @ Ws[l].T) * (1 - As[l] ** 2)
""",
    "a temperature T": """
z = X @ W / T
p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
L = -np.sum(Y * np.log(p)) / len(X)
dz = (p - Y) / len(X)
dW = X.T @ dz / T
""",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", RIGHT)
def test_right_homework_is_not_accused(kind: str) -> None:
    lines = audit(f"```python{RIGHT[kind]}```\n").lines
    assert [line.text for line in lines if line.accused] == []


def test_the_audit_reads_code_without_declarations() -> None:
    lines = audit(FORWARD + "\n".join(BACKWARD)).lines
    assert [line.verdict for line in lines if line.text in BACKWARD] == ["proven"] * len(BACKWARD)
