"""What an author can get wrong: each is one sentence with its line, and none is a traceback."""

from __future__ import annotations

import pytest

from chainrule import derive
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.node import Apply, Number, Symbol
from chainrule.calculus.ops import TABLE
from chainrule.documents.lesson.as_json import as_data
from chainrule.documents.lesson.building import lesson
from chainrule.documents.lesson.outline import corners
from chainrule.documents.renderers import terminal
from chainrule.errors import ModelError, ParseError
from chainrule.language.reading import read_model
from chainrule.language.typeset import unicode

REFUSED = [
    # a definition that goes round to itself
    ("w : (n, 1)\na = a + 1\nJ = sum(w)", 2, "a is defined by itself; give the new value"),
    (
        "w : (n, 1)\na = b + 1\nb = c\nc = a\nJ = a",
        2,
        "a (line 2) and b (line 3) and c (line 4) are defined by each other",
    ),
    ("w : (n, 1)\na = b + 1\nb = sum(w)\nJ = a", 2, "b is used before it is defined on line 3"),
    # a name used twice
    ("x : (n, 1)\nw : (n, 1)\nx = w^T\nJ = sum(x)", 3, "x is declared (n, 1) on line 1, and this"),
    ("x : (n, 1)\nx : (m, 1)\nJ = sum(x)", 2, "x is already defined on line 1"),
    # an objective that is no number, or is asked for itself
    ("X : (n, m)\nw : (1, n)\nZ = w X", 3, "the objective Z has shape (1, m); a gradient needs"),
    ("x : (n, 1)\nJ = sum(x)\nA = x\nobjective: A", 4, "the objective A has shape (n, 1)"),
    ("x : (n, 1)\nJ = sum(x)\nwrt: J", 3, "J is the objective; ask for the gradient with"),
    # sizes that do not meet
    ("x : (n, 1)\nw : (1, k)\nJ = w x", 3, "the inner sizes k and n differ"),
    ("X : (n, 2h)\nY : (n, h + 1)\nJ = sum(X .* Y)", 3, "Y is (n, h + 1)"),
    ("X : (n, m - 1)\nw : (1, m)\nJ = sum(w X^T)", 3, "the inner sizes m and m - 1 differ"),
]


@pytest.mark.parametrize(("text", "line", "said"), REFUSED)
def test_each_is_one_sentence_with_its_line(text: str, line: int, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert said in caught.value.message
    assert caught.value.line == line
    assert ". " not in caught.value.message


def test_a_long_way_round_is_found_at_once() -> None:
    lines = [
        f"a_{k} = " + " + ".join(f"a_{j}" for j in range(1, 60) if j != k) for k in range(1, 60)
    ]
    with pytest.raises(
        ParseError, match=r"a_1 \(line 1\) and a_\d+ \(line \d+\) are defined by each"
    ):
        read_model("\n".join(lines))


def test_what_is_finite_nowhere_names_its_line() -> None:
    with pytest.raises(ModelError, match=r"finite: s on line 2 is not; look for a logarithm"):
        derive("x : (n, 1)\ns = log(0 - sum(x .* x))\nJ = s^2")


def test_a_variable_without_influence_has_gradient_zero_and_it_is_said() -> None:
    derivation = derive("x : (n, 1)\nc : (k, 1)\nJ = sum(x)", ["c"])
    assert any(step.why == "J does not depend on c, so the gradient is zero" for step in derivation)
    assert unicode(derivation["c"].matrix) == "0"  # type: ignore[arg-type]
    assert derivation.proven


CORNERS = [
    ("A = relu(x)", "ReLU(x), on line 2, is not differentiable where its argument is 0; there the"),
    (
        "A = |x|",
        "abs(x), on line 2, is not differentiable where its argument is 0; there the slope",
    ),
    ("A = max(x, x^2)", "max(x, x²), on line 2, is not differentiable where its two arguments tie"),
    ("A = max(x)", "max(x), on line 2, is not differentiable where the largest entries tie; there"),
    ("A = norm(x)", "√(‖x‖²), on line 2, is not differentiable where its argument is 0; its slope"),
    ("f(z) = max(z, 0.1 z)\nA = f(x)", "f(x), on line 3, is not differentiable where maximum is"),
]


@pytest.mark.parametrize(("line", "said"), CORNERS)
def test_a_corner_is_said_with_its_line_and_the_slope_that_is_used(line: str, said: str) -> None:
    derivation = derive(f"x : (n, 1)\n{line}\nJ = sum(A)", ["x"])
    (found,) = corners(derivation)
    assert found.startswith(said)
    assert said in " ".join(terminal.render(lesson(derivation)).split())
    assert as_data(derivation)["corners"] == [found]


def test_a_corner_that_no_variable_reaches_is_not_mentioned() -> None:
    derivation = derive("x : (n, 1)\ny : (n, 1)\nA = relu(y)\nJ = sum(A .* x)", ["x"])
    assert not list(corners(derivation))


SMOOTH = [
    "A = sqrt(1 + x^2)",
    "A = sqrt(x .* x + exp(x)) - 1",
    "A = |2 + tanh(x)^2|",
    "A = max(exp(x), -x^2)",
    "A = relu(1/sigmoid(x))",
    "f(z) = sqrt(0.5 + z^4)\nA = f(x)",
]


@pytest.mark.parametrize("line", SMOOTH)
def test_a_corner_that_no_value_reaches_is_not_mentioned(line: str) -> None:
    assert not list(corners(derive(f"x : (n, 1)\n{line}\nJ = sum(A)", ["x"])))


@pytest.mark.parametrize(
    "line", ["A = sqrt(x^2)", "A = sqrt(1 - x^2)", "A = |x^3|", "A = max(x^2, 0)", "A = relu(-x^2)"]
)
def test_a_corner_that_may_be_reached_is_mentioned(line: str) -> None:
    assert len(list(corners(derive(f"x : (n, 1)\n{line}\nJ = sum(A)", ["x"])))) == 1


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.in_pieces])
def test_every_op_in_pieces_says_where_its_corner_is(name: str) -> None:
    assert TABLE[name].corner


@pytest.mark.parametrize(
    "name",
    [n for n, row in TABLE.items() if "argument is 0" in row.corner and "slope 0" in row.corner],
)
def test_the_slope_at_0_is_the_one_that_is_said(name: str) -> None:
    x = Symbol("x")
    node = Apply(TABLE[name], (x,))
    (slope,) = node.op.vjp(Number(1), node, node.args, node.attrs)
    assert Evaluator({x: FLOATS.full((1, 1), 0)}, {}, FLOATS).value(slope).item() == 0
