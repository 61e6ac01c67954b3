"""Wrong rows of posted code: each is found, and no other row is accused or made right by it."""

from __future__ import annotations

import pytest

from chainrule.teaching.marking.code_by_value.judge import judged

FORWARD = """
h = np.maximum(0, x @ w1 + b1)
out = h @ w2 + b2
p = np.exp(out) / np.sum(np.exp(out), axis=1, keepdims=True)
loss = -np.mean(np.log(p[np.arange(n), y])) + 0.5 * lam * np.sum(w2 ** 2)
"""
BACKWARD = [
    "dout = p.copy()",
    "dout[np.arange(n), y] -= 1",
    "dout /= n",
    "dw2 = h.T @ dout + lam * w2",
    "dh = dout @ w2.T",
    "dh[h <= 0] = 0",
    "dw1 = x.T @ dh",
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dout = p.copy()", "dout = 2 * p.copy()"),
        ("dout /= n", "dout /= 2 * n"),
        ("dh = dout @ w2.T", "dh = dout @ w2"),
        ("dh[h <= 0] = 0", "dh[h > 0] = 0"),
    ],
)
def test_the_row_at_fault_of_a_gradient_made_by_several_rows(right: str, wrong: str) -> None:
    lines = [wrong if line == right else line for line in BACKWARD]
    found = judged(FORWARD + "\n".join(lines))
    assert [one.text for one in found if one.verdict == "wrong"] == [wrong]


LAYER = """
def forward(x, w1, b1, w2, b2):
    h = x @ w1 + b1
    a = np.tanh(h)
    y = a @ w2 + b2
    return y, (x, h, a, w1, w2)

def backward(dy, cache):
    x, h, a, w1, w2 = cache
    da = dy @ w2{}
    dw2 = a.T @ dy
    dh = da * (1 - a ** 2)
    dx = dh @ w1.T
    dw1 = x.T @ dh
"""


def test_a_missing_transpose_is_not_read_as_other_shapes() -> None:
    assert {one.verdict for one in judged(LAYER.format(".T"))} == {"proven"}
    found = {one.text: one.verdict for one in judged(LAYER.format(""))}
    assert found["da = dy @ w2"] in ("wrong", "unproven")
    assert {text for text, verdict in found.items() if verdict == "wrong"} <= {"da = dy @ w2"}


@pytest.mark.slow
@pytest.mark.parametrize("factor", ["-", "2 * ", "0.3 * "])
def test_a_factor_that_no_usual_loss_has_is_not_proven(factor: str) -> None:
    text = f"z = X @ w + b\na = 1 / (1 + np.exp(-z))\ndz = {factor}(a - y)\n" \
           "dw = X.T @ dz\ndb = dz.sum(axis=0)\nw -= lr * dw\n"  # fmt: skip
    found = {one.line: one.verdict for one in judged(text)}
    assert "proven" not in found.values(), found


def test_a_gradient_never_makes_two_lengths_equal() -> None:
    text = "s = X @ W\nloss = 0.5 * np.sum(s ** 2) + reg * np.sum(W * W)\n" \
           "dW = X @ s + 2 * reg * W\n"  # fmt: skip
    assert [one.verdict for one in judged(text)] != ["proven"]


def test_a_name_is_not_right_where_the_rows_that_use_it_follow_from_a_fault() -> None:
    text = "s = X @ U.T\nq = np.exp(s) / np.exp(s).sum(1, keepdims=True)\n" \
           "nll = -np.log(q[np.arange(len(t)), t]).mean()\nds = q.copy()\n" \
           "ds[np.arange(len(t)), t] -= 1\nds /= 2 * len(t)\n" \
           "dU = ds.T @ X\ndX = ds @ U\n"  # fmt: skip
    found = {one.line: one.verdict for one in judged(text)}
    assert found[6] != "proven", found
