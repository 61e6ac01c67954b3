r"""LaTeX as people and editors write it: each is held to the same formula in plain text."""

from __future__ import annotations

import pytest

from chainrule.calculus.graph.node import Symbol
from chainrule.language.reading import read_expression, read_model
from chainrule.language.typeset import latex, plain, unicode

SCOPE = {
    s.name: s
    for s in (
        *(Symbol(name, ("n", 1)) for name in ("x", "y", "w", "z")),
        *(Symbol(name, ("n", "n")) for name in ("X", "V")),
        Symbol("A", (1, "m")),
        Symbol("Y", (1, "m")),
        Symbol("a"),
        Symbol("b"),
    )
}

SAME = [
    (r"\frac12 a", "1/2 a"),
    (r"\frac n2", "n/2"),
    (r"\frac ab", "a/b"),
    (r"\frac1a", "1/a"),
    (r"\frac{a}2", "a/2"),
    (r"\tfrac12 x", "1/2 x"),
    (r"\dfrac{a}{b}", "a/b"),
    (r"\cfrac{a}{b}", "a/b"),
    (r"\operatorname{sigmoid}(x)", "sigmoid(x)"),
    (r"\operatorname*{tr}(X)", "trace(X)"),
    (r"\mathrm{tanh}(x)", "tanh(x)"),
    (r"\text{softmax}(x)", "softmax(x)"),
    (r"\lbrack a + b \rbrack a", "(a + b) a"),
    (r"\left\lbrack a - b \right\rbrack a", "(a - b) a"),
    (r"-\Bigl[ a + b \Bigr]", "-(a + b)"),
    ("-[a + b]", "-(a + b)"),
    (r"\exponentialE^{-x}", "exp(-x)"),
    (r"\mathrm{e}^{a}", "exp(a)"),
    (r"\left. a \right|_{b=0}", "a"),
    (r"\boldsymbol{x}^\top w", "x^T w"),
    (r"\mathbf{x}^{\mathrm{T}} w", "x^T w"),
    (r"\lVert x \rVert_2^2", "norm(x)^2"),
    (r"\sqrt[3]{a}", "a^(1/3)"),
    (r"X^{-T} x", "(X^-1)^T x"),
    (r"X^{\circ 2}", "X .^ 2"),
    (r"X^{\odot 2}", "X .^ 2"),
    ("X**2", "X .^ 2"),
    ("X @^ 2", "X X"),
    ("X @^ -2", "X^-1 X^-1"),
    (r"1 \oslash X", "1 ./ X"),
    (r"\mathbb{1}_{\{x > 0\}}", "[x > 0]"),
    (r"\mathbf{1}[x > 0]", "[x > 0]"),
    (r"\begin{cases} z & z > 0 \\ 0 & \text{otherwise} \end{cases}", "where([z > 0], z, 0)"),
    (
        r"\begin{cases} z, & \text{if } z > 0, \\ a z, & \text{if } z \le 0, \end{cases}",
        "where([z > 0], z, a z)",
    ),
    ("xaw^T", "x a w^T"),
    ("ax^2", "a x^2"),
    ("½ a + ¾ b", "1/2 a + 3/4 b"),
    ("softmax(X, dim=1)", "softmax(X, axis=1)"),
    (r"\sum y \odot \log x", "sum(y .* log x)"),
    (r"\sum (x - y)^2", "sum((x - y)^2)"),
    (r"\sum_i x_i", "sum(x)"),
    (r"\sum_{i=1}^n w_i x_i", "sum(w .* x)"),
    (r"\sum_{i=1}^m (y_i \log a_i + (1 - y_i) \log(1 - a_i))",
     "sum(y .* log a + (1 - y) .* log(1 - a))"),
    (r"\sum_{i=1}^m y^{(i)} \log A^{(i)}", "sum(Y .* log A)"),
]  # fmt: skip
HELD = {"y": "Y", "a": "A"}


@pytest.mark.parametrize(("text", "meant"), SAME)
def test_it_reads_as_the_plain_formula(text: str, meant: str) -> None:
    scope = dict(SCOPE)
    if "^m" in text:  # examples: a_i is an entry of A
        scope = {"Y": SCOPE["Y"], "A": SCOPE["A"]}
        meant = meant.replace("y", "Y").replace("log a", "log A").replace("- a", "- A")
    assert read_expression(text, scope) is read_expression(meant, scope)


@pytest.mark.parametrize("text", ["X .^ 2", "1 ./ X", "X .^ (-1)", "(X V) .^ 3", "2 ./ (X - V)"])
def test_what_is_asked_is_written_with_its_sign(text: str) -> None:
    expr = read_expression(text, SCOPE)
    assert plain(expr) == text
    for written in (unicode(expr), latex(expr)):
        assert read_expression(written, SCOPE) is expr


def test_cases_define_an_activation() -> None:
    text = r"""
    f(z) = \begin{cases}
      z & z > 0 \\
      0.1 z & \text{otherwise}
    \end{cases}
    L = f(w^T x)
    """
    model = read_model(text)
    assert plain(model.definitions[-1].value) == "f(w^T x)"
