"""Finite differences are never weaker than the proof: steep objectives, and tiny derivatives."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from chainrule.calculus.evaluation.differences import along
from chainrule.calculus.proof.checking import check_model
from chainrule.language.reading import read_model

STEEP = [
    "x^48",
    "x^64",
    "x^-48",
    "x^64 y^64",
    "(x - y)^61",
    "exp(40 x)",
    "exp(x^12)",
    "tanh(60 x) + y^3",
    "log(x^64 + y^64)",
    "1/10000000000 x^40 + y",
    "sqrt(x^64 + 1)^60",
    "1000000 y + x^62",
    "sigmoid(300 x)",
]


@pytest.mark.parametrize("formula", STEEP)
def test_a_proven_gradient_is_never_called_wrong(formula: str) -> None:
    report = check_model(read_model(f"x, y : (1, 1)\nJ = {formula} + 0 y\n"))
    assert report.passed, [step for step in report.steps if not step.passed]


@pytest.mark.parametrize("exponent", [2, 12, 48, 64, -48])
@pytest.mark.parametrize("at", [0.3, 0.7, 1.1, 1.9])
def test_a_difference_of_a_power_is_exact_to_ten_digits(exponent: int, at: float) -> None:
    found = along(lambda x: x**exponent, np.array(at), np.ones(()))
    right = float(exponent * mpmath.mpf(at) ** (exponent - 1))
    assert float(found) == pytest.approx(right, rel=1e-10)


def test_where_nothing_moves_the_difference_is_nothing() -> None:
    assert float(along(lambda x: 3 + 0 * x, np.array(0.5), np.ones(()))) == 0
