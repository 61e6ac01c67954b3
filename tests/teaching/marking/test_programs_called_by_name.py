"""Backward passes that nothing calls, and programs whose sizes and losses lie elsewhere.

The right rows are known gradients; every wrong one is one of them with one change.
"""

from __future__ import annotations

import pytest

from chainrule.teaching.marking.code_verdicts import code_judged

_HELPERS = """
import numpy as np

def squash(Z):
    return 1 / (1 + np.exp(-Z)), Z

def squash_backward(dA, Z):
    s = 1 / (1 + np.exp(-Z))
    dZ = dA * s * (1 - s)
    return dZ

def layer_backward(dA, cache):
    A_prev, W, Z = cache
    dZ = squash_backward(dA, Z)
    dW = dZ @ A_prev.T
    dA_prev = W.T @ dZ
    return dA_prev, dW

def cost(A, Y):
    return -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))

def train(X, Y, rate=0.1):
    W1 = np.random.randn(5, X.shape[0])
    W2 = np.random.randn(1, 5)
    for turn in range(300):
        A1, Z1 = squash(W1 @ X)
        A2, Z2 = squash(W2 @ A1)
        print(cost(A2, Y))
        dA2 = -(Y / A2) + (1 - Y) / (1 - A2)
        dA1, dW2 = layer_backward(dA2, (A1, W2, Z2))
        dA0, dW1 = layer_backward(dA1, (X, W1, Z1))
        W1 = W1 - rate * dW1
        W2 = W2 - rate * dW2
"""

_CONVOLUTION = """
import numpy as np

def slide_forward(x, w, b):
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    out = np.zeros((N, F, H - HH + 1, W - WW + 1))
    for n in range(N):
        for f in range(F):
            for i in range(H - HH + 1):
                for j in range(W - WW + 1):
                    out[n, f, i, j] = np.sum(x[n, :, i:i+HH, j:j+WW] * w[f]) + b[f]
    cache = (x, w, b)
    return out, cache

def slide_backward(dout, cache):
    x, w, b = cache
    F, _, HH, WW = w.shape
    dx, dw, db = np.zeros_like(x), np.zeros_like(w), np.zeros_like(b)
    for n in range(dout.shape[0]):
        for f in range(F):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    db[f] += dout[n, f, i, j]
                    dw[f] += x[n, :, i:i+HH, j:j+WW] * dout[n, f, i, j]
                    dx[n, :, i:i+HH, j:j+WW] += w[f] * dout[n, f, i, j]
    return dx, dw, db
"""

_RECURRENCE = """
import numpy as np

class Echo:
    def __init__(self, vocab_size, hidden_size):
        self.Wxh = np.random.randn(hidden_size, vocab_size) * 0.01
        self.Whh = np.random.randn(hidden_size, hidden_size) * 0.01
        self.bh = np.zeros((hidden_size, 1))

    def forward(self, inputs):
        h = np.zeros((self.Whh.shape[0], 1))
        self.inputs, self.hs = inputs, {0: h}
        for t, x in enumerate(inputs):
            h = np.tanh(self.Wxh @ x + self.Whh @ h + self.bh)
            self.hs[t + 1] = h
        return h

    def backward(self, d_h):
        d_Wxh, d_Whh = np.zeros_like(self.Wxh), np.zeros_like(self.Whh)
        d_bh = np.zeros_like(self.bh)
        for t in reversed(range(len(self.inputs))):
            d_raw = (1 - self.hs[t + 1] ** 2) * d_h
            d_bh += d_raw
            d_Whh += d_raw @ self.hs[t].T
            d_Wxh += d_raw @ self.inputs[t].T
            d_h = self.Whh.T @ d_raw
        return d_Wxh, d_Whh, d_bh
"""

_SIZED = """
import numpy as np
from sklearn.datasets import make_moons

m = 300
X, Y = make_moons(m, noise=0.2)
X = X.T
Y = Y.reshape((1, m))

W = np.random.randn(1, X.shape[0])
b = np.zeros((1, 1))
for turn in range(2000):
    A = 1 / (1 + np.exp(-(W @ X + b)))
    cost = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A)) / m
    dZ = A - Y
    dW = dZ @ X.T / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    W = W - 0.5 * dW
    b = b - 0.5 * db
"""

_PICTURES = """
import numpy as np
from keras.datasets import mnist

(x_train, y_train), (x_test, y_test) = mnist.load_data()
inputs = x_train.reshape((60000, 784)) / 255
labels = np.eye(10)[y_train]
w = 0.2 * np.random.random((784, 10)) - 0.1

for turn in range(20):
    total_error = 0
    for row, label in zip(inputs[:1000], labels[:1000]):
        row = row.reshape((1, 784))
        guess = row.dot(w)
        total_error += np.sum((guess - label) ** 2)
        delta = 2 * (guess - label)
        delta_w = delta.T.dot(row)
        w -= delta_w.T * 0.005
"""

_OCTAVE = """
hidden = 8;
W1 = rand(hidden, 2) - 0.5;
W2 = rand(1, hidden) - 0.5;
squash = @(x) 1 ./ (1 + exp(-x));
slope = @(a) a .* (1 - a);
for turn = 1:4000
    X = [0, 0; 0, 1; 1, 0; 1, 1]';
    Y = [0, 1, 1, 0];
    A1 = squash(W1 * X);
    A2 = squash(W2 * A1);
    loss = sum((A2 - Y).^2) / 2;
    dZ2 = (A2 - Y) .* slope(A2);
    dW2 = dZ2 * A1';
    dZ1 = (W2' * dZ2) .* slope(A1);
    dW1 = dZ1 * X';
    W1 = W1 - 0.5 * dW1;
    W2 = W2 - 0.5 * dW2;
    fprintf('%d: %.4f\\n', turn, loss);
end
"""

_PENALTY = """
import numpy as np

class Elastic:
    def __init__(self, lr=0.01, alpha=0.5):
        self.lr, self.alpha = lr, alpha

    def fit(self, X, y):
        m, n = X.shape
        self.w = np.zeros(n)
        for turn in range(100):
            guess = np.dot(X, self.w)
            loss = np.sum((guess - y) ** 2) / (2 * m) + self.alpha / 2 * np.sum(self.w ** 2)
            dw = np.dot(X.T, guess - y) / m + self.alpha * self.w
            self.w -= self.lr * dw
"""

_ELSEWHERE = """
import numpy as np
from .functions import table

class Layer:
    def __init__(self, units, kind="linear"):
        self.units = units
        self.activation, self.activation_derivative = table[kind]

    def initialize(self, input_dim):
        self.weight = np.random.randn(input_dim, self.units)

    def feedforward(self, inputs):
        self.inputs = inputs
        self.scores = np.dot(inputs, self.weight)
        self.output = self.activation(self.scores)
        return self.output

    def backpropagation(self, grad_output, learning_rate):
        grad_scores = grad_output * self.activation_derivative(self.scores)
        grad_weight = np.dot(self.inputs.T, grad_scores)
        grad_input = np.dot(grad_scores, self.weight.T)
        self.weight -= learning_rate * grad_weight
        return grad_input
"""

_SURFACE = """
import numpy as np

def cost(X, y, theta):
    rest = X.dot(theta) - y
    return rest.dot(rest) / (2 * y.size)

def descend(X, y, rate=0.01):
    theta = np.zeros(X.shape[1])
    for turn in range(500):
        grad = X.T.dot(X.dot(theta) - y) / y.size
        theta -= rate * grad
        print(cost(X, y, theta))
    return theta

X, y = np.genfromtxt("X.txt"), np.genfromtxt("y.txt")
theta = descend(X, y)
for k in range(3):
    print(cost(X, y, np.full(X.shape[1], k + 0.5)))
"""

PROGRAMS = {
    "helpers of layers": (_HELPERS, 6, "dZ = squash_backward(dA, Z)",
                          "dZ = -squash_backward(dA, Z)"),
    "a convolution": (_CONVOLUTION, 3, "dx[n, :, i:i+HH, j:j+WW] += w[f] * dout[n, f, i, j]",
                      "dx[n, :, i:i+HH, j:j+WW] += 2 * w[f] * dout[n, f, i, j]"),
    "a recurrence": (_RECURRENCE, 5, "d_h = self.Whh.T @ d_raw", "d_h = self.Whh @ d_raw"),
    "a number of examples": (_SIZED, 3, "dW = dZ @ X.T / m", "dW = dZ @ X.T"),
    "pictures": (_PICTURES, 1, "", ""),
    "Octave": (_OCTAVE, 4, "dW2 = dZ2 * A1';", "dW2 = -dZ2 * A1';"),
    "a weight of a penalty": (_PENALTY, 1, "", ""),
    "an activation from elsewhere": (
        _ELSEWHERE, 3, "grad_weight = np.dot(self.inputs.T, grad_scores)",
        "grad_weight = 2 * np.dot(self.inputs.T, grad_scores)"),
    "a loss that is drawn later": (_SURFACE, 1, "", ""),
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_right_rows_are_right(name: str) -> None:
    text, count, _, _ = PROGRAMS[name]
    verdicts = [one.verdict for one in code_judged(text)]
    assert verdicts.count("proven") >= count
    assert "wrong" not in verdicts


@pytest.mark.parametrize("name", [name for name, row in PROGRAMS.items() if row[2]])
def test_a_wrong_row_is_found_and_no_other_is_accused(name: str) -> None:
    text, _, right, wrong = PROGRAMS[name]
    assert right in text
    found = code_judged(text.replace(right, wrong))
    assert [one.text for one in found if one.verdict == "wrong"] == [wrong]


def test_a_gradient_without_the_weight_of_its_penalty_is_wrong() -> None:
    found = code_judged(_PENALTY.replace("+ self.alpha * self.w", "+ self.w"))
    assert "proven" not in [one.verdict for one in found]


def test_an_assumed_activation_is_named() -> None:
    assert all("taken: the sigmoid" in one.why for one in code_judged(_ELSEWHERE))


def test_whole_numbers_and_losses_are_no_gradients() -> None:
    text = """
import numpy as np
d_k = d_model // h
guess = np.exp(X @ w)
p = guess / np.sum(guess, axis=1, keepdims=True)
loss = -np.sum(Y * np.log(p))
d_loss = p - Y
dw = X.T @ d_loss
"""
    assert {one.line: one.verdict for one in code_judged(text)} == {7: "proven", 8: "proven"}


def test_a_row_that_makes_up_for_the_one_above_is_not_called_right() -> None:
    text = _HELPERS.replace("dW = dZ @", "dW = -dZ @").replace(
        "dZ = squash_backward(dA, Z)", "dZ = -squash_backward(dA, Z)"
    )
    rows = {one.text: one.verdict for one in code_judged(text)}
    assert rows["dW = -dZ @ A_prev.T"] != "proven"
