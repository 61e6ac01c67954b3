"""Signs of expressions against their values at random numbers."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import TABLE, exp, reduce_sum, stack
from chainrule.calculus.ops.sign_analysis import _RULES, signs
from chainrule.language.reading import read_model

CASES = {
    "sqrt(1 + x^2)": {1},
    "x .* x + y .* y": {0, 1},
    "-exp(x) - x^2": {-1},
    "x^3": {-1, 0, 1},
    "abs(x) + softplus(y)": {1},
    "tanh(abs(x))": {0, 1},
    "-relu(x)": {-1, 0},
    "max(-1, x^2)": {0, 1},
    "min(-1, x^2)": {-1},
    "sigmoid(x) ./ (2 + y^2)": {1},
    "x - y": {-1, 0, 1},
    "[x > 0] + 1": {1},
    "sqrt(x^2)": {0, 1},
    "cosh(x) - 1": {-1, 0, 1},
    "expm1(x^2)": {0, 1},
    "x .* y .* x .* y": {0, 1},
    "sign(exp(x))": {1},
    "exp(x) + sum(y^2)": {1},
    "y^2 + sum(x)": {-1, 0, 1},
    "1 + max(x^2) - mean(-exp(y))": {1},
}


@pytest.mark.parametrize(("text", "wanted"), CASES.items())
def test_signs_are_those_that_values_have(text: str, wanted: set[int]) -> None:
    model = read_model(f"x, y : (1, n)\nA = {text}\nJ = sum(A)")
    expr = model.definitions[0].value
    assert signs(expr) == wanted
    rng = np.random.default_rng(0)
    values = rng.normal(size=(2, 1, 400)) * 3
    values[:, :, :20] = 0.0
    symbols = {symbol.name: symbol for symbol in model.inputs}
    point = Evaluator({symbols["x"]: values[0], symbols["y"]: values[1]}, {"n": 400}, FLOATS)
    assert set(np.sign(point.value(expr)).ravel().astype(int)) <= wanted


def test_a_sum_of_entries_of_both_signs_can_be_zero() -> None:
    apart = stack((exp(Symbol("x", ("n", 1))), -exp(Symbol("y", ("m", 1)))))
    assert signs(apart) == {-1, 1}
    assert signs(reduce_sum(apart)) == {-1, 0, 1}


def test_an_input_can_have_any_sign() -> None:
    assert signs(Symbol("x")) == {-1, 0, 1}


def test_rules_are_of_ops_that_exist() -> None:
    assert set(_RULES) <= set(TABLE)
