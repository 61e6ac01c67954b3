"""Forms of code that repositories have: losses per function, drawn lists, no named output."""

from __future__ import annotations

import pytest

from chainrule.teaching.marking.code_by_value.judge import judged

RIGHT: dict[str, tuple[str, int, str, str]] = {
    "two functions, each with a loss and a gradient of the same name": (
        """
import numpy as np
def margin_cost(w, X, y, C=1.0):
    s = y * (X @ w)
    cost = C * np.sum(np.log1p(np.exp(-s))) + 0.5 * w @ w
    grad = -C * X.T @ (y / (1 + np.exp(s))) + w
    return cost, grad
def count_cost(w, X, y):
    rate = np.exp(X @ w)
    cost = np.sum(rate - y * (X @ w))
    grad = X.T @ (rate - y)
    return cost, grad
""",
        2,
        "grad = X.T @ (rate - y)",
        "grad = X.T @ (rate + y)",
    ),
    "names of gradients by one letter": (
        """
import numpy as np
class Two:
    def __init__(self, widths):
        self.W = [np.random.randn(j, k) for j, k in zip(widths[:-1], widths[1:])]
        self.b = [np.zeros(k) for k in widths[1:]]
    def step(self, X, T):
        n = len(X)
        h = np.tanh(X @ self.W[0] + self.b[0])
        y = h @ self.W[1] + self.b[1]
        loss = 0.5 * np.sum((y - T) ** 2) / n
        e = (y - T) / n
        r = (e @ self.W[1].T) * (1 - h ** 2)
        gW1 = h.T @ e
        gW0 = X.T @ r
        gb1 = e.sum(0)
        gb0 = r.sum(0)
""",
        4,
        "gW0 = X.T @ r",
        "gW0 = 2 * X.T @ r",
    ),
    "lists of weights that a constructor draws": (
        """
import numpy as np
class Deep:
    def __init__(self, widths):
        self.depth = len(widths)
        self.shifts = [np.random.randn(k, 1) for k in widths[1:]]
        self.weights = [np.random.randn(k, j) for j, k in zip(widths[:-1], widths[1:])]
        self.biases = [np.zeros((k, 1)) for k in widths[1:]]
    def gradients_of(self, x, y):
        sums, outs = [], [x]
        nabla_b = [np.zeros(b.shape) for b in self.biases]
        nabla_w = [np.zeros(w.shape) for w in self.weights]
        for b, w in zip(self.biases, self.weights):
            sums.append(np.dot(w, outs[-1]) + b)
            outs.append(np.tanh(sums[-1]))
        delta = (outs[-1] - y) * (1 - outs[-1] ** 2)
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, outs[-2].T)
        for l in range(2, self.depth):
            delta = np.dot(self.weights[-l + 1].T, delta) * (1 - outs[-l] ** 2)
            nabla_b[-l] = delta
            nabla_w[-l] = np.dot(delta, outs[-l - 1].T)
""",
        6,
        "",
        "",
    ),
    "a gradient whose prediction has no name": (
        """
import numpy as np
def fit(X, y, m):
    theta = np.random.randn(2, 1)
    for _ in range(50):
        gradients = 2 / m * X.T.dot(X.dot(theta) - y)
        theta = theta - 0.1 * gradients
""",
        1,
        "",
        "",
    ),
    "half the sum of squares where the loss that is shown is the mean": (
        """
import numpy as np
z = X @ W + b
error = z - y
loss = np.mean(np.square(error))
dW = X.T @ error
db = np.sum(error, axis=0)
dX = error @ W.T
""",
        3,
        "db = np.sum(error, axis=0)",
        "db = -np.sum(error, axis=0)",
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_rows_are_right_and_a_wrong_one_is_found(name: str) -> None:
    text, count, right, wrong = RIGHT[name]
    verdicts = [one.verdict for one in judged(text)]
    assert verdicts.count("proven") >= count
    assert set(verdicts) == {"proven"}
    if right:
        assert right in text
        found = judged(text.replace(right, wrong))
        assert [one.text for one in found if one.verdict == "wrong"] == [wrong]
