"""Gradients of likelihoods with a normal distribution function, far out in both tails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule import derive
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator

SCORES = np.array([[-1e4, -300.0, -40.0, -38.0, -3.0, -0.2, 0.0, 0.7, 4.0, 9.0, 38.0, 40.0, 1e4]])


def mills(x: Any) -> Any:
    return mpmath.npdf(x) / mpmath.ncdf(x)


CASES: dict[str, Callable[[Any], Any]] = {
    "log(Phi(Z))": lambda z: mills(z),
    "log(1 - Phi(Z))": lambda z: -mills(-z),
    "log(Phi(-Z))": lambda z: -mills(-z),
    "-3 log(Phi(2 Z + 1))": lambda z: -6 * mills(2 * z + 1),
    "log(Phi(Z)/(1 - Phi(Z)))": lambda z: mills(z) + mills(-z),
    "0.25 log(Phi(Z)) + 0.75 log(1 - Phi(Z))": lambda z: mills(z) / 4 - 3 * mills(-z) / 4,
    "Z .* log(Phi(Z))": lambda z: mpmath.log(mpmath.ncdf(z)) + z * mills(z),
}


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("text", CASES)
def test_the_gradient_is_known_where_the_distribution_function_rounds_to_0(
    text: str, named: bool
) -> None:
    true = CASES[text]
    if named:
        argument = text.split("Phi(")[1].split(")")[0]
        text = f"A = Phi({argument})\nJ = sum({text.replace(f'Phi({argument})', 'A')})"
    else:
        text = f"J = sum({text})"
    run = program(derive(f"Z : (1, m)\n{text}", ["Z"]))
    (gradient,) = run.gradients.values()
    (score,) = (symbol for symbol in run.model.inputs if symbol.name == "Z")
    point = Evaluator({score: SCORES}, {"m": SCORES.shape[1]}, FLOATS)
    for definition in run.model.definitions[:-1]:  # all but the cost
        point.define(definition.target, point.value(definition.value))
    for layer in run.layers:
        point.define(layer.target, point.value(layer.value))
    with mpmath.workdps(60):
        wanted = np.array([[float(true(mpmath.mpf(z))) for z in SCORES[0].tolist()]])
    found = np.broadcast_to(point.value(gradient), SCORES.shape)
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-300)


@pytest.mark.parametrize("label", [0.0, 0.3, 1.0])
def test_the_gradient_of_a_probit_likelihood_keeps_its_digits(label: float) -> None:
    text = "Z, Y : (1, m)\nA = Phi(Z)\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))"
    run = program(derive(text, ["Z"]))
    (gradient,) = run.gradients.values()
    values = {s: SCORES if s.name == "Z" else np.full_like(SCORES, label) for s in run.model.inputs}
    found = Evaluator(values, {"m": SCORES.shape[1]}, FLOATS).value(gradient)
    with mpmath.workdps(60):
        y, z = mpmath.mpf(label), [mpmath.mpf(z) for z in SCORES[0]]
        wanted = [[float((1 - y) * mills(-x) - y * mills(x)) for x in z]]
    np.testing.assert_allclose(found, wanted, rtol=1e-11, atol=1e-300)
