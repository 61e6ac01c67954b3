"""What nobody would hand in: refused or judged, in bounded work, with a place and a next action."""

from __future__ import annotations

import pytest

from chainrule.errors import ChainruleError
from chainrule.teaching.grading.audit import audit

FORWARD = """x, w, b, y : (1, 1)
z = w x + b
a = sigmoid(z)
L = -(y log a + (1 - y) log(1 - a))
"""
DEEP = "x : (n, n)\nq0 = x x\n" + "\n".join(f"q{k} = tanh(q{k - 1})" for k in range(1, 400))

REFUSED = {
    "nothing": "",
    "labels that nobody declared": "onehot: Y\nX : (n, m)\n",
    "labels without a name": "onehot: ,\nX : (n, m)\n",
    "blank lines": "\n\n \t \n",
    "every byte": "".join(chr(k % 256) for k in range(20_000)),
    "a megabyte of fractions": FORWARD + r"dL/dw = \frac" * 80_000,
    "dollars": "$" * 20_000,
    "displays that are never closed": r"\begin{align}" * 2_000,
}

UNREADABLE = {
    "open brackets": "(" * 9_000,
    "nested brackets": "(" * 5_000 + ")" * 5_000,
    "nested fractions": r"\frac{1}{" * 1_500,
    "a tower": "9^9^9^9",
    "a tower in brackets": "9^(9^(9^9))",
    "digits": "9" * 15_000,
    "a long sum": "a + " * 4_900 + "a",
    "a long product": "(a)" * 3_000,
    "sums in sums": "sum_i " * 2_000 + "a",
    "a line past the limit": "a " * 20_000,
    "a character of control": "a \x00",
    "a lone surrogate": "\ud800",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_holds_no_derivation_is_refused_in_words(text: str) -> None:
    with pytest.raises(ChainruleError) as caught:
        audit(text)
    assert len(str(caught.value)) < 1_000


@pytest.mark.slow
@pytest.mark.parametrize("side", UNREADABLE.values(), ids=UNREADABLE)
def test_a_line_past_the_limits_is_unreadable_and_the_next_one_is_judged(side: str) -> None:
    found = audit(f"{FORWARD}dL/dw = {side}\ndL/dz = a - y")
    assert [(line.line, line.verdict) for line in found.lines] == [(5, "unreadable"), (6, "proven")]
    assert "line 5" in found.lines[0].why


@pytest.mark.slow
def test_two_thousand_lines_are_judged() -> None:
    found = audit(FORWARD + "dL/dz = a - y\n" * 2_000)
    assert [line.verdict for line in found.lines] == ["proven"] * 2_000


def test_equations_without_end_on_one_line_are_judged() -> None:
    found = audit(FORWARD + "dL/dz = " + "= ".join(["a - y "] * 1_000))
    assert [line.verdict for line in found.lines] == ["proven"]


@pytest.mark.slow
def test_a_forward_pass_without_end_is_cut_with_a_reason() -> None:
    with pytest.raises(ChainruleError, match="audit it in parts"):
        audit(f"{DEEP}\nL = sum(q7)\ndL/dq7 = 1")
