"""Homework in NumPy and PyTorch: bookkeeping claims nothing, and masks and keys are read."""

from __future__ import annotations

import pytest

from chainrule.teaching.grading.audit import audit

FORWARD = """
X : (n, m)
Y : (k, m)
W1 : (h, n)
b1 : (h, 1)
W2 : (k, h)
b2 : (k, 1)
Z1 = W1 X + b1
A1 = relu(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
J = -1/m sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
"""
COURSE = '''
```python
import numpy as np

def backward_propagation(X, Y, cache, parameters):
    """
    Implement the backward propagation; returns grads = a dictionary.
    """
    m = X.shape[1]
    (Z1, A1, W1, b1,
     Z2, A2, W2, b2) = cache
    W1 = parameters["W1"]
    W2, b2 = parameters["W2"], parameters["b2"]

    dZ2 = A2 - Y
    dW2 = 1./m * np.dot(dZ2, A1.T)
    db2 = 1./m * np.sum(dZ2, axis=1,
                        keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = np.multiply(dA1, np.int64(A1 > 0))
    dW1 = 1./m * dZ1.dot(X.T)
    db1 = 1./m * np.sum(dZ1, axis = 1, keepdims = True)

    assert (dW1.shape == W1.shape)
    gradients = {"dZ2": dZ2, "dW2": dW2, "db2": db2,
                 "dA1": dA1, "dZ1": dZ1, "dW1": dW1, "db1": db1}
    return gradients

learning_rate = 0.01
parameters["W1"] = parameters["W1"] - learning_rate * grads["dW1"]
b1 -= learning_rate * db1
print("cost after step: %f" % cost)
```
'''
KEYS = """
```python
dZ2 = (self.cache["A2"] - Y) / m
grads = {}
grads["dW2"] = dZ2 @ self.A1.T
grads['db2'] = dZ2.sum(axis=1, keepdims=True)
dZ1 = self.params["W2"].T.dot(dZ2)
dZ1[self.cache["Z1"] <= 0] = 0
grads["dW1"] = dZ1 @ X.T
grads["dW1"] += 0 * W1
```
"""
TORCH = """
```python
with torch.no_grad():
    dZ2 = (A2 - Y) / m
    W2.grad = torch.mm(dZ2, A1.t())
    b2.grad = dZ2.sum(1, keepdim=True)
    dZ1 = torch.matmul(W2.T, dZ2) * (Z1 > 0).float()
    W1.grad = dZ1 @ X.T
    b1.grad = torch.sum(dZ1, dim=1).reshape(-1, 1)
    assert torch.allclose(W1.grad, dW1)
optimizer.step()
```
"""
SOFTMAX = """
```python
W = 0.01 * np.random.randn(d, c)
```
X : (N, d)
y : (N, c)
onehot: y^T
W : (d, c)
scores = X W
probs = softmax(scores, axis=1)
loss = -1/N sum(y .* log(probs))

```python
dscores = probs
dscores[range(N), y] -= 1
dscores /= N
dW = np.dot(X.T, dscores)
```
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "judged"), [(FORWARD + COURSE, 7), (FORWARD + KEYS, 5), (FORWARD + TORCH, 6)]
)
def test_every_line_that_claims_is_proven_and_nothing_else_is_counted(
    text: str, judged: int
) -> None:
    found = audit(text)
    assert [line for line in found.lines if line.verdict != "proven"] == []
    assert len(found.lines) == judged, [line.text for line in found.lines]


def test_the_scores_of_a_softmax_by_places() -> None:
    found = audit(SOFTMAX)
    assert [line.verdict for line in found.lines] == ["proven", "proven"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        (COURSE, "np.int64(A1 > 0)", "np.int64(A1 < 0)"),
        (COURSE, "dZ1.dot(X.T)", "dZ2.dot(X.T)"),
        (COURSE, "dZ2, axis=1,", "A2, axis=1,"),
        (KEYS, 'self.params["W2"].T.dot(dZ2)', 'self.params["W2"].T.dot(dZ2) * 2'),
        (KEYS, "self.A1.T", "self.Z1.T"),
        (TORCH, "(Z1 > 0)", "(Z1 < 0)"),
        (TORCH, "W1.grad = dZ1 @ X.T", "W1.grad = -dZ1 @ X.T"),
        (KEYS, "+= 0 * W1", "+= W1"),
    ],
)
def test_one_wrong_line_is_found_among_the_bookkeeping(text: str, old: str, new: str) -> None:
    assert old in text
    found = audit(FORWARD + text.replace(old, new))
    assert len(found.wrong) == 1


@pytest.mark.parametrize(
    "line",
    [
        "Z1, A1 = cache",
        "W1 = params['W1']",
        "m = X.shape[1]",
        "n, m = X.shape",
        "W1 = W1 - alpha * dW1",
        "W1 -= lr * dW1",
        "w := w - α ∂J/∂w",
        "return dW1, db1",
        "assert dW1.shape == W1.shape",
        "print(dW1)",
        "import numpy as np",
    ],
)
def test_bookkeeping_outside_a_fence_claims_nothing(line: str) -> None:
    found = audit(FORWARD + "dJ/dZ2 = (A2 - Y)/m\n" + line + "\n")
    assert [verdict.text for verdict in found.lines] == ["dJ/dZ2 = (A2 - Y)/m"]


def test_a_function_with_parameters_of_its_own_is_not_judged() -> None:
    code = """
```python
def linear_backward(dZ, cache):
    A_prev, W, b = cache
    dW = 1/m * np.dot(dZ, A_prev.T)
    return dW

dZ2 = (A2 - Y)/Y.shape[1]
dW2 = np.dot(dZ2, A1.T)
```
"""
    found = audit(FORWARD + code)
    assert [line.verdict for line in found.lines] == ["unproven", "proven", "proven"]
    assert "dZ" in found.lines[0].why


@pytest.mark.parametrize("count", ["Y.size", "Y.numel()", "(Y.size(0) * Y.size(1))"])
def test_the_number_of_entries_is_read(count: str) -> None:
    forward = FORWARD.replace("-1/m sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))", "mean((A2 - Y)^2)")
    assert audit(f"{forward}dA2 = 2 * (A2 - Y) / {count}").lines[-1].verdict == "proven"
    assert audit(f"{forward}dA2 = (A2 - Y) / {count}").lines[-1].verdict == "wrong"


def test_a_second_derivative_is_not_taken_for_a_product() -> None:
    found = audit("x : (1, 1)\nJ = exp(x)\nJ''(x) = exp(x)\n").lines
    assert [line.verdict for line in found] == ["unreadable"]
