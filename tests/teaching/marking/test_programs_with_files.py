"""Programs whose data come from files, and layers that wait for a gradient from outside."""

from __future__ import annotations

import pytest

from chainrule.errors import ModelError
from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.code_verdicts import code_judged

_A_LINE = """
import csv

def rows(path):
    heights, weights = [], []
    with open(path) as file:
        for row in csv.reader(file):
            heights.append(float(row[0]))
            weights.append(float(row[1]))
    return heights, weights

def fit(xs, ys, rate=0.01, epochs=500):
    w, b = 0.0, 0.0
    n = len(xs)
    for _ in range(epochs):
        guesses = [w * x + b for x in xs]
        cost = sum((g - y) ** 2 for g, y in zip(guesses, ys)) / n
        dw = (2 / n) * sum((g - y) * x for x, y, g in zip(xs, ys, guesses))
        db = (2 / n) * sum(g - y for y, g in zip(ys, guesses))
        w -= rate * dw
        b -= rate * db
    return w, b

xs, ys = rows("people.csv")
print(fit(xs, ys))
"""

_HEADS = """
import numpy as np

class SelfAttention:
    def __init__(self, d_model, h):
        self.h, self.width = h, d_model // h
        self.Wq = np.random.randn(d_model, d_model)
        self.Wk = np.random.randn(d_model, d_model)
        self.Wv = np.random.randn(d_model, d_model)

    def split(self, x):
        return x.reshape(len(x), self.h, self.width).transpose(1, 0, 2)

    def forward(self, x):
        self.x = x
        self.q, self.k, self.v = (self.split(x @ W) for W in (self.Wq, self.Wk, self.Wv))
        scores = self.q @ self.k.transpose(0, 2, 1) / np.sqrt(self.width)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        self.a = e / e.sum(axis=-1, keepdims=True)
        return (self.a @ self.v).transpose(1, 0, 2).reshape(x.shape)

    def backward(self, dout):
        dheads = self.split(dout)
        dv = self.a.transpose(0, 2, 1) @ dheads
        da = dheads @ self.v.transpose(0, 2, 1)
        dscores = self.a * (da - np.sum(da * self.a, axis=-1, keepdims=True))
        dq = dscores @ self.k / np.sqrt(self.width)
        dk = dscores.transpose(0, 2, 1) @ self.q / np.sqrt(self.width)
        self.dWv = self.x.T @ dv.transpose(1, 0, 2).reshape(self.x.shape)
        self.dWq = self.x.T @ dq.transpose(1, 0, 2).reshape(self.x.shape)
        self.dWk = self.x.T @ dk.transpose(1, 0, 2).reshape(self.x.shape)
"""


@pytest.mark.parametrize(("text", "count"), [(_A_LINE, 2), (_HEADS, 8)], ids=["a line", "heads"])
def test_right_rows_are_proven(text: str, count: int) -> None:
    found = code_judged(text)
    assert [one.text for one in found if one.verdict == "wrong"] == []
    assert sum(one.verdict == "proven" for one in found) >= count


@pytest.mark.parametrize(("text", "right", "wrong"), [
    (_A_LINE, "(2 / n) * sum((g - y) * x", "(2 / n) * sum((y - g) * x"),
    (_A_LINE, "db = (2 / n)", "db = (1 / n)"),
    (_HEADS, "dscores.transpose(0, 2, 1) @ self.q", "dscores @ self.q"),
    (_HEADS, "(da - np.sum(", "(da + np.sum("),
])  # fmt: skip
def test_a_wrong_row_is_found_at_its_line(text: str, right: str, wrong: str) -> None:
    line = text[: text.index(right)].count("\n") + 1
    found = code_judged(text.replace(right, wrong))
    assert [one.line for one in found if one.verdict == "wrong"] == [line]


def test_code_without_gradients_is_told_what_to_name() -> None:
    text = "\n".join((
        "import numpy", "def factors(R, P, Q, K):", "    Q = Q.T", "    for i in range(len(R)):",
        "        for j in range(len(R[i])):", "            e = R[i][j] - P[i, :] @ Q[:, j]",
        "            for k in range(K):", "                P[i][k] = P[i][k] + 0.1 * e * Q[k][j]",
        "    return P, Q.T",
    ))  # fmt: skip
    with pytest.raises(ModelError, match="gives a gradient by its name"):
        audit(text)
