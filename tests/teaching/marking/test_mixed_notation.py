"""A forward pass in one notation and its derivatives in another are read together."""

from __future__ import annotations

import itertools

import pytest

from chainrule.errors import ModelError
from chainrule.teaching.grading.audit import audit

SHAPES = {
    "plain": "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\n",
    "dollars": "Let $X \\in \\mathbb{R}^{n \\times m}$, $Y \\in \\mathbb{R}^{1 \\times m}$,\n"
    "$w \\in \\mathbb{R}^{1 \\times n}$ and $b \\in \\mathbb{R}$.\n",
}
FORWARD = {
    "plain": "Z = w X + b\nA = sigmoid(Z)\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))\n",
    "code": "```python\nZ = np.dot(w, X) + b\nA = 1 / (1 + np.exp(-Z))\n"
    "J = -np.sum(Y * np.log(A) + (1 - Y) * np.log(1 - A))\n```\n",
    "display": "$$Z = w X + b$$\n$$A = \\sigma(Z)$$\n"
    "$$J = -\\sum_{i=1}^m \\left( y_i \\log a_i + (1 - y_i) \\log(1 - a_i) \\right)$$\n",
    "align": "\\begin{align}\nZ &= w X + b \\\\\nA &= \\sigma(Z) \\\\\n"
    "J &= -\\sum_i (y_i \\log a_i + (1 - y_i) \\log (1 - a_i))\n\\end{align}\n",
    "inline": "We have $Z = w X + b$ and $A = \\sigma(Z)$; the cost is\n"
    "$J = -\\sum_i (y_i \\log a_i + (1 - y_i) \\log (1 - a_i))$.\n",
}
LINES = {
    "plain": "dZ = A - Y\ndJ/dw = (A - Y) X^T\ndJ/db = 2 sum(A - Y)\n",
    "code": "```python\ndZ = A - Y\ndw = np.dot(dZ, X.T)\ndb = 2 * np.sum(dZ)\n```\n",
    "display": "$$\\frac{\\partial J}{\\partial Z} = A - Y$$\n"
    "$$\\frac{\\partial J}{\\partial w} = (A - Y) X^\\top$$\n"
    "$$\\frac{\\partial J}{\\partial b} = 2 \\sum_{i=1}^m (a_i - y_i)$$\n",
    "backticks": "So `dZ = A - Y`, then `dw = dZ X^T`, and `db = 2 sum(dZ)`.\n",
}
KINDS = list(itertools.product(SHAPES, FORWARD, LINES))


@pytest.mark.parametrize(("shapes", "forward", "lines"), KINDS)
def test_every_mixture_is_read_and_judged(shapes: str, forward: str, lines: str) -> None:
    found = audit(SHAPES[shapes] + FORWARD[forward] + "\nBackward:\n\n" + LINES[lines])
    assert [line.verdict for line in found.lines] == ["proven", "proven", "wrong"]


def test_prose_beside_displays_claims_nothing() -> None:
    text = SHAPES["plain"] + FORWARD["plain"] + "With n = 5 features the cost of it = 3 euros.\n"
    found = audit(text + "We note that m = 12 here, as in the notes.\n" + LINES["display"])
    assert [line.verdict for line in found.lines] == ["proven", "proven", "wrong"]


def test_without_a_forward_pass_it_is_asked_for() -> None:
    with pytest.raises(ModelError, match="forward pass"):
        audit(LINES["display"])
