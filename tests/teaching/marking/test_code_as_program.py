"""Gradients of whole programs, which are judged by running them with random data."""

from __future__ import annotations

import pytest

from chainrule.teaching.marking.code_as_program.values import CannotRun
from chainrule.teaching.marking.code_verdicts import code_judged

_CLASS = """
import numpy as np
from somewhere import load

X, labels = load("digits")

class Net:
    def __init__(self, n_in, n_hidden, n_out, lr=0.1):
        self.W1 = np.random.randn(n_in, n_hidden) * 0.01
        self.b1 = np.zeros((1, n_hidden))
        self.W2 = np.random.randn(n_hidden, n_out) * 0.01
        self.b2 = np.zeros((1, n_out))
        self.lr = lr

    def sigmoid(self, z):
        return 1 / (1 + np.exp(-z))

    def forward(self, X):
        self.z1 = X @ self.W1 + self.b1
        self.a1 = np.tanh(self.z1)
        self.z2 = self.a1 @ self.W2 + self.b2
        self.a2 = self.sigmoid(self.z2)
        return self.a2

    def backward(self, X, y):
        m = X.shape[0]
        dz2 = self.a2 - y
        dW2 = self.a1.T @ dz2 / m
        db2 = np.sum(dz2, axis=0, keepdims=True) / m
        dz1 = dz2 @ self.W2.T * (1 - self.a1 ** 2)
        dW1 = X.T @ dz1 / m
        db1 = np.sum(dz1, axis=0, keepdims=True) / m
        self.W1 -= self.lr * dW1
        self.b1 -= self.lr * db1
        self.W2 -= self.lr * dW2
        self.b2 -= self.lr * db2

    def loss(self, y, p):
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def train(self, X, y, epochs=1000):
        for epoch in range(epochs):
            p = self.forward(X)
            if epoch % 100 == 0:
                print(f"{epoch}: {self.loss(y, p):.4f}")
            self.backward(X, y)
"""

_DICTIONARIES = """
import numpy as np

def initialise(dims):
    parameters = {}
    for l in range(1, len(dims)):
        parameters["W" + str(l)] = np.random.randn(dims[l], dims[l - 1]) * 0.01
        parameters["b" + str(l)] = np.zeros((dims[l], 1))
    return parameters

def forward(X, parameters):
    caches, A = [], X
    depth = len(parameters) // 2
    for l in range(1, depth + 1):
        before = A
        Z = parameters["W" + str(l)] @ before + parameters["b" + str(l)]
        A = np.tanh(Z) if l < depth else 1 / (1 + np.exp(-Z))
        caches.append((before, parameters["W" + str(l)], A))
    AL = A
    return AL, caches

def cost(AL, Y):
    return -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / Y.shape[1]

def backward(AL, Y, caches):
    grads = {}
    m = Y.shape[1]
    dZ = AL - Y
    for l in reversed(range(len(caches))):
        before, W, _ = caches[l]
        grads["dW" + str(l + 1)] = dZ @ before.T / m
        grads["db" + str(l + 1)] = np.sum(dZ, axis=1, keepdims=True) / m
        if l > 0:
            dZ = W.T @ dZ * (1 - before ** 2)
    return grads
"""

_LISTS = """
import numpy as np

class Net:
    def __init__(self, sizes):
        self.weights = [np.random.randn(a, b) for a, b in zip(sizes[:-1], sizes[1:])]

    def fit(self, X, y, learning_rate=0.2):
        for _ in range(20):
            a = [X]
            for w in self.weights:
                a.append(np.tanh(a[-1] @ w))
            deltas = [(y - a[-1]) * (1 - a[-1] ** 2)]
            for l in range(len(a) - 2, 0, -1):
                deltas.append(deltas[-1].dot(self.weights[l].T) * (1 - a[l] ** 2))
            deltas.reverse()
            for i in range(len(self.weights)):
                self.weights[i] += learning_rate * a[i].T.dot(deltas[i])
"""

_PENALISED = """
import numpy as np
from scipy.special import expit as sigmoid

class Regression:
    def __init__(self, rate=0.01, lam=0.01):
        self.rate = rate
        self.lam = lam

    def start(self, n):
        self.w = np.zeros((n, 1))
        self.b = 0

    def value(self, X, y):
        m = X.shape[0]
        p = sigmoid(np.dot(X, self.w) + self.b)
        cost = -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p)) / m
        return cost + self.lam / (2 * m) * np.sum(np.square(self.w))

    def descend(self, X, y):
        m, n = X.shape
        for i in range(100):
            dz = sigmoid(np.dot(X, self.w) + self.b) - y
            dw = np.dot(X.T, dz) / m + (self.lam / m) * self.w
            db = np.sum(dz) / m
            self.w -= self.rate * dw
            self.b -= self.rate * db
            if i % 10 == 0:
                cost = self.value(X, y)

    def fit(self, X, y):
        self.start(X.shape[1])
        self.descend(X, y)
"""

_BATCHES = """
import numpy as np

class Softmax:
    def fit(self, X, y, epochs=10, batch_size=4, lr=0.1):
        rng = np.random.default_rng(0)
        n, d = X.shape
        k = int(y.max()) + 1
        self.W = np.zeros((d, k))
        for _ in range(epochs):
            order = rng.permutation(n)
            for start in range(0, n, batch_size):
                part = order[start:start + batch_size]
                Xb, yb = X[part], y[part]
                scores = Xb @ self.W
                scores -= scores.max(axis=1, keepdims=True)
                probs = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
                loss = -np.log(probs[np.arange(len(yb)), yb]).mean()
                dscores = probs.copy()
                dscores[np.arange(len(yb)), yb] -= 1
                dscores /= len(yb)
                dW = Xb.T @ dscores
                self.W -= lr * dW
"""

RIGHT = {
    "a class that nothing trains": (_CLASS, 6),
    "dictionaries with a key per layer": (_DICTIONARIES, 4),
    "lists of layers and no loss": (_LISTS, 3),
    "a penalty, and a loss in a method": (_PENALISED, 2),
    "batches and classes as numbers": (_BATCHES, 4),
}

WRONG = [
    (_CLASS, "dW2 = self.a1.T @ dz2 / m", "dW2 = self.a1.T @ dz2"),
    (_CLASS, "(1 - self.a1 ** 2)", "(1 - self.a1)"),
    (_CLASS, "dW1 = X.T @ dz1 / m", "dW1 = -X.T @ dz1 / m"),
    (_CLASS, "db1 = np.sum(dz1, axis=0, keepdims=True) / m", "db1 = np.mean(dz1) / m"),
    (_DICTIONARIES, "= dZ @ before.T / m", "= 2 * dZ @ before.T / m"),
    (_PENALISED, "+ (self.lam / m) * self.w", "+ self.lam * self.w"),
]


@pytest.mark.parametrize("kind", list(RIGHT))
def test_right_rows_of_whole_programs_are_read_and_none_is_accused(kind: str) -> None:
    text, count = RIGHT[kind]
    found = code_judged(text)
    assert [one.text for one in found if one.verdict in ("wrong", "follows")] == []
    assert sum(one.verdict == "proven" for one in found) >= count


@pytest.mark.slow
@pytest.mark.parametrize(("text", "right", "wrong"), WRONG)
def test_one_wrong_row_is_found_at_its_line(text: str, right: str, wrong: str) -> None:
    changed = text.replace(right, wrong)
    assert changed != text
    line = text[: text.index(right)].count("\n") + 1
    assert [one.line for one in code_judged(changed) if one.verdict == "wrong"] == [line]


@pytest.mark.parametrize("row", [
    "W1 = np.zeros((10 ** 9, 10 ** 9))", "x = [0] * 10 ** 12", "n = 9 ** 9 ** 9 ** 9",
    "open('secret').read()", "().__class__.__bases__[0].__subclasses__()",
    "import os; os.system('ls')", "while True: W = W + 1", "return W", "break",
    "def f(): return f()\nf()", "Z = np.arange(10 ** 12)", "Z = np.tile(X, (10 ** 5, 10 ** 5))",
    "Z = np.repeat(X, 10 ** 9)", "Z = X.repeat(10 ** 9)", "Z = sum(range(10 ** 12))",
    "L = [1]\nfor i in range(100):\n    L = L + L", "n = 2\nfor i in range(99):\n    n = n * n",
    "A = X\nfor i in range(99):\n    A = np.vstack((A, A))", "s = '{:999999999}'.format(1)",
    "A = np.ones((9999, 1))\nB = A @ A.T", "L = [1]\nfor i in range(99):\n    L.extend(L)",
    "X.tofile('kept')", "np.save('kept', X)", "Z = np.load('secret')",
])  # fmt: skip
def test_a_program_is_walked_and_never_run(row: str) -> None:
    text = f"import numpy as np\nX = np.random.randn(5, 3)\nW = np.ones((3, 1))\n{row}\n" \
           "p = X @ W\nloss = np.sum(p ** 2)\ndW = 2 * X.T @ p\nW -= 0.1 * dW\n"  # fmt: skip
    found = {one.text: one.verdict for one in code_judged(text)}
    assert found.get("dW = 2 * X.T @ p") != "wrong"


def test_errors_of_programs_are_words() -> None:
    assert str(CannotRun("a call of this")) == "a call of this"
