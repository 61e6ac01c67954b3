"""Kernels of forward passes that are not the lecture's: their names, their sums, their Hessians."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Expr, Symbol, entry, walk
from chainrule.calculus.indexing.reading import linear_parts
from chainrule.calculus.ops import replace
from chainrule.emission.kernels import KernelDerivation
from chainrule.language.reading import read_model

HEAD = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\nZ = w X + b\n"
PLACES = ((0.0, 2.0), (1.5, 0.0), (-2.0, 3.0), (0.3, 1.0))


def kernels(text: str) -> KernelDerivation:
    return KernelDerivation(read_model(HEAD + text), ())


def value(form: Expr, made: KernelDerivation, z: float, y: float) -> float:
    """An index form of one example as a number."""
    numbers = {Symbol("z of it"): z, Symbol("y of it"): y}
    at: dict[Expr, Expr] = {}
    for node in walk(form):
        for matrix, symbol in zip((made.scores, made.labels), numbers, strict=True):
            if getattr(node, "matrix", None) is matrix:
                at[node] = symbol
    point = Evaluator({s: np.array([[v]]) for s, v in numbers.items()}, {"m": 1, "n": 1}, FLOATS)
    return float(np.asarray(point.value(replace(form, at))).ravel()[0])


def hessian(made: KernelDerivation) -> Expr:
    direction = Symbol("V", made.scores.shape)
    product, _ = made.curvature(direction)
    (part,) = linear_parts(product, direction)
    return part.coefficient


def negative_binomial(z: Any, y: Any) -> Any:
    size = mpmath.mpf(6) / 5
    return (y + size) * mpmath.log(1 + mpmath.exp(z) / size) - y * z


LOSSES = {
    # the derivation of the Hessian introduces a name that the loss uses for something else
    "U = Z - log(6/5)\nS = softplus(U)\nJ = sum((Y + 6/5) .* S - Y .* Z)": negative_binomial,
    "J = 1/2 sum((Z - Y)^2)": lambda z, y: (z - y) ** 2 / 2,
    "J = -(1/3) sum(Y .* Z - exp(Z))": lambda z, y: (mpmath.exp(z) - y * z) / 3,
    "J = sum(exp(Z)) - sum(Y .* Z)": lambda z, y: mpmath.exp(z) - y * z,
    "R = exp(-Z)\nJ = sum(Y .* R + Z)": lambda z, y: y * mpmath.exp(-z) + z,
    "U = max(1 - Y .* Z, 0)\nJ = sum(U^2)": lambda z, y: max(1 - y * z, 0) ** 2,
}


@pytest.mark.parametrize(("text", "loss"), LOSSES.items())
def test_loss_gradient_and_hessian_are_those_of_the_forward_pass(text: str, loss: Any) -> None:
    made = kernels(text)
    with mpmath.workdps(50):
        for z, y in PLACES:
            a, b = mpmath.mpf(z), mpmath.mpf(y)
            assert value(made.loss(), made, z, y) == pytest.approx(float(loss(a, b)), abs=1e-12)
            first = float(mpmath.diff(lambda s, b=b: loss(s, b), a))
            second = float(mpmath.diff(lambda s, b=b: loss(s, b), a, 2))
            assert value(made.slope(), made, z, y) == pytest.approx(first, abs=1e-12)
            assert value(hessian(made), made, z, y) == pytest.approx(second, abs=1e-12)


def test_an_index_of_the_lecture_stays() -> None:
    index = Index("i", "m")
    made = kernels("A = sigmoid(Z)\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))")
    assert entry(made.scores, None, index) in set(walk(made.slope()))
