"""Constants and thresholds: π and e where nobody declared them, and masks against any bound."""

from __future__ import annotations

import math
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from autograd.scipy.stats import norm

from chainrule import derive
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.node import Apply, Number, Symbol, walk
from chainrule.calculus.ops.own import Own
from chainrule.errors import ParseError
from chainrule.language.codegen import module_text
from chainrule.language.reading.expressions import read_expression
from chainrule.language.reading.models import read_model
from chainrule.language.typeset.latex import latex
from chainrule.language.typeset.mathml import mathml
from chainrule.language.typeset.spoken import spoken
from chainrule.language.typeset.text import plain, unicode

Z, Y = Symbol("Z", (1, "m")), Symbol("Y", (1, "m"))
DELTA = Symbol("delta")
SCOPE = {"Z": Z, "Y": Y, "delta": DELTA}
AT = {
    Z: np.array([[-2.0, -1.0, 0.0, 1.0, 1.5, 3.0]]),
    Y: np.zeros((1, 6)),
    DELTA: np.array([[1.0]]),
}


def value(text: str) -> np.ndarray:
    return np.asarray(Evaluator(AT, {"m": 6}, FLOATS).value(read_expression(text, SCOPE)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Z > 1]", AT[Z] > 1),
        ("[Z >= 1]", AT[Z] >= 1),
        ("[Z < 1]", AT[Z] < 1),
        ("[Z <= 1]", AT[Z] <= 1),
        ("[1 < Z]", AT[Z] > 1),
        ("[Z >= 0]", AT[Z] >= 0),
        ("[abs(Z - Y) <= delta]", np.abs(AT[Z]) <= 1),
        ("[|Z - Y| > delta]", np.abs(AT[Z]) > 1),
    ],
)
def test_a_mask_compares_with_any_bound_also_where_the_sides_tie(
    text: str, expected: np.ndarray
) -> None:
    assert value(text).tolist() == expected.astype(float).tolist()
    expr = read_expression(text, SCOPE)
    assert read_expression(plain(expr), SCOPE) is expr


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pi", math.pi),
        ("π", math.pi),
        (r"\pi", math.pi),
        ("e", math.e),
        ("sqrt(2 pi)", math.sqrt(2 * math.pi)),
        ("2 pi e", 2 * math.pi * math.e),
        ("log(2π)/2", math.log(2 * math.pi) / 2),
    ],
)
def test_a_constant_is_a_node_with_its_value(text: str, expected: float) -> None:
    expr = read_expression(text, SCOPE)
    assert value(text).item() == pytest.approx(expected, rel=1e-15)
    assert any(isinstance(n, Apply) and n.op.name in {"pi", "e"} for n in walk(expr))
    assert not any(isinstance(n, Number) and n.value.denominator > 2 for n in walk(expr))
    for written in (plain, unicode, latex):
        assert read_expression(written(expr), SCOPE) is expr


def test_a_constant_has_a_letter_in_every_medium() -> None:
    pi = read_expression("pi", {})
    assert (plain(pi), unicode(pi), latex(pi)) == ("pi", "π", r"\pi")
    assert (mathml(pi), spoken(pi)) == ("<mi>π</mi>", "pi")


def test_a_declared_name_wins_over_a_constant() -> None:
    pi = Symbol("pi", (1, "m"))
    assert read_expression("pi", {"pi": pi}) is pi
    with pytest.raises(ParseError, match="used before it is defined"):
        read_model("x : (1,1)\nJ = pi x\npi = 3 x")


PROBIT = """# probit regression
w : (1,n)
X : (n,m)
Y : (1,m)
Z = w X
J = -sum(Y .* log_normal_cdf(Z) + (1 - Y) .* log_normal_cdf(-Z)) + log(2 pi)
wrt: w
"""


def test_a_probit_loss_is_derived_and_agrees_with_autograd() -> None:
    model = read_model(PROBIT)
    rng = np.random.default_rng(3)
    w, X = rng.normal(size=(1, 3)), rng.normal(size=(3, 5))
    Y = rng.integers(0, 2, (1, 5)).astype(float)
    assert [s.name for s in model.inputs] == ["w", "X", "Y"]

    def cost(w: Any) -> Any:
        z = anp.dot(w, X)
        return -anp.sum(Y * norm.logcdf(z) + (1 - Y) * norm.logcdf(-z))

    derivation = derive(model)
    given = {derivation.gradients["w"].variable: w} | dict(
        zip(model.inputs, (w, X, Y), strict=True)
    )
    point = Evaluator({**given, Symbol("Z", (1, "m")): w @ X}, {"n": 3, "m": 5}, FLOATS)
    matrix = derivation.gradients["w"].matrix
    assert matrix is not None
    np.testing.assert_allclose(point.value(matrix), autograd.grad(cost)(w), rtol=1e-12)


def test_a_function_of_ones_own_may_mention_a_constant() -> None:
    model = read_model("x : (n,1)\nf(z) = e^(-z^2/2)/sqrt(2 pi)\nJ = sum(f(x))")
    assert isinstance(model.functions[0].row, Own)
    source = module_text(program(derive(model)))
    assert "np.pi" in source
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(source, space)
    at = np.array([[0.3], [-1.2]])
    found = space["backward"](space["forward"](at))
    np.testing.assert_allclose(found["x"], -at * norm.pdf(at), rtol=1e-12)
