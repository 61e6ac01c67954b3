"""Habits of posted code: steps that carry gradients, loops over examples, losses left out."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit

STEPS = """
import numpy as np
w, b = np.zeros(d), 0.0
for step in range(1000):
    p = 1 / (1 + np.exp(-(X @ w + b)))
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    w -= lr * X.T @ (p - y) / n
    b -= lr * np.mean(p - y)
"""
EXAMPLES = """
def compute_gradient(X, y, w, b):
    m, n = X.shape
    dj_dw = np.zeros((n,))
    dj_db = 0.
    for i in range(m):
        f = sigmoid(np.dot(X[i], w) + b)
        err_i = f - y[i]
        for j in range(n):
            dj_dw[j] = dj_dw[j] + err_i * X[i, j]
        dj_db = dj_db + err_i
    dj_dw = dj_dw / m
    dj_db = dj_db / m
    return dj_db, dj_dw
"""
NEURON = """
h1 = sigmoid(w1 * x1 + w2 * x2 + b1)
o1 = sigmoid(w5 * h1 + b3)
loss = (y - o1) ** 2
d_L_d_o1 = -2 * (y - o1)
d_o1_d_h1 = w5 * o1 * (1 - o1)
d_h1_d_w1 = x1 * h1 * (1 - h1)
for one in range(1):
    w1 -= lr * d_L_d_o1 * d_o1_d_h1 * d_h1_d_w1
"""
DECAYED = """
import numpy as np
scores = np.tanh(X.dot(W1) + b1).dot(W2) + b2
probs = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
dscores = probs.copy()
dscores[range(num_examples), y] -= 1
dW2 = np.tanh(X.dot(W1) + b1).T.dot(dscores)
db2 = np.sum(dscores, axis=0)
dW2 += reg * W2
"""
NAMED = """
import numpy as np
p_real = sigmoid(x @ w + b)
p_fake = sigmoid(u @ w + b)
loss = -np.mean(np.log(p_real) + np.log(1 - p_fake))
m = x.shape[0]
dreal = (p_real - 1) / m
dfake = p_fake / m
dw = x.T @ dreal + u.T @ dfake
db = dreal.sum(0) + dfake.sum(0)
"""
NEGATIVES = """
import numpy as np
def loss_and_gradients(centerWordVec, outsideWordIdx, outsideVectors, negatives):
    gradCenterVec = np.zeros(centerWordVec.shape)
    gradOutsideVecs = np.zeros(outsideVectors.shape)
    u_o = outsideVectors[outsideWordIdx]
    z = sigmoid(np.dot(u_o, centerWordVec))
    loss = -np.log(z)
    gradCenterVec += u_o * (z - 1)
    gradOutsideVecs[outsideWordIdx] += centerWordVec * (z - 1)
    for k in negatives:
        u_k = outsideVectors[k]
        s = sigmoid(-np.dot(u_k, centerWordVec))
        loss -= np.log(s)
        gradCenterVec += u_k * (1 - s)
        gradOutsideVecs[k] += centerWordVec * (1 - s)
    return loss, gradCenterVec, gradOutsideVecs
"""
TEXTS = {
    "steps": (STEPS, 2), "examples": (EXAMPLES, 5), "neuron": (NEURON, 4), "decayed": (DECAYED, 5),
    "named": (NAMED, 4), "negatives": (NEGATIVES, 4),
}  # fmt: skip


def _verdicts(text: str) -> dict[str, str]:
    return {line.text: line.verdict for line in audit(text).lines}


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_right_rows_are_right(name: str) -> None:
    text, count = TEXTS[name]
    found = _verdicts(text)
    assert set(found.values()) == {"proven"}, found
    assert len(found) == count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("steps", "w -= lr * X.T @ (p - y) / n", "w -= lr * X.T @ (y - p) / n"),
        ("neuron", "d_h1_d_w1 = x1 * h1", "d_h1_d_w1 = x2 * h1"),
        ("neuron", "d_o1_d_h1 = w5 *", "d_o1_d_h1 = h1 *"),
        ("decayed", "dW2 += reg * W2", "dW2 -= reg * W2"),
    ],
)
def test_a_wrong_row_is_found(name: str, right: str, wrong: str) -> None:
    text = TEXTS[name][0]
    assert right in text
    found = _verdicts(text.replace(right, wrong))
    assert any(wrong in row for row, verdict in found.items() if verdict == "wrong"), found


def test_a_gradient_that_nothing_reaches_says_what_to_add() -> None:
    text = "import numpy as np\nz = layer(x, W)\ndW = other(x).T @ np.ones(3)\n"
    (line,) = audit(text).lines
    assert line.verdict == "unproven"
    assert "add" in line.why


def test_an_array_that_nothing_connects_to_the_forward_pass_accuses_no_row() -> None:
    text = """
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    m = A_prev.shape[1]
    dW = 1./m * np.dot(dZ, A_prev.T)
    dA_prev = np.dot(W.T, dZ)
    return dA_prev, dW
def linear_forward(A, W, b):
    Z = np.dot(W, A) + b
    return Z, (A, W, b)
"""
    assert not [line for line in audit(text).lines if line.accused]
