"""Gradients in posted code, held to differences of the loss of the same code."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.audit.transcripts import STYLES, Figures, figures, transcripts

from chainrule.teaching.grading.audit import audit
from chainrule.teaching.marking.code_by_value.judge import judged

_CODE = [one for one in transcripts(STYLES) if "```python" in one.text]


@pytest.fixture(scope="module")
def counts() -> Figures:
    return figures(_CODE)


def test_homework_as_it_is_posted_is_read(counts: Figures) -> None:
    assert counts.transcripts >= 8
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


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dw2 = h.T @ dout + lam * w2", "dw2 = h.T @ dout - lam * w2"),
        ("dw2 = h.T @ dout + lam * w2", "dw2 = h.T @ dout"),
        ("db2 = dout.sum(axis=0)", "db2 = dout.mean(axis=0)"),
        ("dh = dout @ w2.T", "dh = -(dout @ w2.T)"),
        ("dh = dout @ w2.T", "dh = dout @ w2"),
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


def test_the_audit_reads_code_without_declarations() -> None:
    lines = audit(FORWARD + "\n".join(BACKWARD)).lines
    assert [line.verdict for line in lines if line.text in BACKWARD] == ["proven"] * len(BACKWARD)
