"""Second order: short forms, second differences of the objective, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import product
from typing import Any

import mpmath
import numpy as np
import pytest
from click.testing import CliRunner

from chainrule import derive, derive_second
from chainrule.calculus.derivation.curvature import second_derivation
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.evaluation.precise import PRECISE, precise_number
from chainrule.calculus.graph.dims import measured
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.proof.gradients import gathered, with_layers
from chainrule.cli.main import cli
from chainrule.errors import DerivationError
from chainrule.language.reading import load_model, read_model
from chainrule.language.typeset import plain

LOGISTIC = """
X : (m, n)
y : (m, 1)
w : (n, 1)
p = sigmoid(X w)
J = -sum(y .* log(p) + (1 - y) .* log(1 - p))
"""
SHORT = [
    ("logistic_batch", "w", "(v X .* A .* (1 - A)) X^T", "X diag(A .* (1 - A)) X^T"),
    ("logistic_l2", "w", "(v X .* A .* (1 - A)) X^T + v", "X diag(A .* (1 - A)) X^T + eye(n)"),
    ("logistic_single", "w", "v x a(1 - a) x^T", "a(1 - a) x x^T"),
    (LOGISTIC, "w", "X^T (X v .* p .* (1 - p))", "X^T diag(p .* (1 - p)) X"),
    ("p : (n, 1)\nJ = logsumexp(p)", "p", "s .* (v - v^T s)", "diag(s) - s s^T"),
    (
        "x : (n, 1)\np = softmax(x, axis=0)\nJ = logsumexp(x)",
        "x",
        "p .* (v - v^T p)",
        "diag(p) - p p^T",
    ),
    (
        "z : (k, 1)\ny : (k, 1)\np = softmax(z, axis=0)\nJ = cross_entropy(y, p)\nonehot: y",
        "z",
        "p .* (v - v^T p)",
        "diag(p) - p p^T",
    ),
    ("x : (n, 1)\nJ = (x^T x)^2", "x", "8 x^T v x + 4 x^T x v", "8 x x^T + 4 x^T x eye(n)"),
    ("x : (n, 1)\nJ = sum(exp(x))", "x", "v .* exp(x)", "diag(exp(x))"),
    ("A : (n, n)\nx : (n, 1)\nJ = x^T A x", "x", "A^T v + A v", "A^T + A"),
    ("X : (n, m)\nY : (1, m)\nw : (1, n)\nJ = 1/2 ||w X - Y||^2", "w", "v X X^T", "X X^T"),
    (
        "A : (k, n)\nb : (k, 1)\nx : (n, 1)\nJ = -sum(log(b - A x))",
        "x",
        "A^T (A v/(b - A x)^2)",
        "A^T diag(1/(b - A x)^2) A",
    ),
    ("c : (n, 1)\nx : (n, 1)\nJ = c^T x", "x", "0", "0"),
    ("x : (1, 1)\nJ = x^4 + sin(x)", "x", "v(12 x^2 - sin(x))", "12 x^2 - sin(x)"),
]
NET = """
X : (n, m)
Y : (1, m)
W1 : (h, n)
b1 : (h, 1)
w2 : (1, h)
Z1 = W1 X + b1
A1 = tanh(Z1)
Z2 = w2 A1
A2 = sigmoid(Z2)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
"""
PRODUCTS = [
    ("logistic_batch", ["w", "b"]),
    ("softmax_batch", ["W"]),
    ("board_b1", None),
    ("board_b4", None),
    ("S : (n, n)\nJ = logdet(S)", ["S"]),
    ("x : (n, 1)\nJ = norm(x)", ["x"]),
    (NET, ["W1", "b1", "w2"]),
    ("W : (h, n)\nx : (n, 1)\nJ = 1/2 ||W^T tanh(W x) - x||^2", ["W"]),
]


def model_of(text: str) -> Model:
    return read_model(text) if "\n" in text else load_model(text)


def evaluated(derivation: Derivation) -> tuple[dict[Symbol, Any], dict[str, int]]:
    """Draw a point of the forward pass of second order, with the gradients on the way."""
    model = derivation.model
    sizes = assignments(model, 1, 3)[0]
    values = sample(model, sizes, np.random.default_rng(3))
    return with_layers(derivation, values, sizes), sizes


def second_difference(
    model: Model, values: dict[Symbol, Any], sizes: dict[str, int], moves: tuple[Any, Any]
) -> float:
    """Return the second derivative of the objective along two moves, from four values of it.

    A move says by how much each symbol changes. This runs the author's forward pass in fifty
    digits, and no derivative.
    """
    with mpmath.workdps(50):
        h = mpmath.mpf(10) ** -12
        exact = np.vectorize(precise_number, otypes=[object])
        start = {s: exact(values[s]) for s in model.inputs}

        def at(first: int, second: int) -> Any:
            moved = dict(start)
            for times, move in zip((first, second), moves, strict=True):
                for symbol, change in move.items():
                    moved[symbol] = moved[symbol] + times * h * exact(change)
            return forward(model, moved, sizes, PRECISE)[model.objective].item()

        total = at(1, 1) - at(1, -1) - at(-1, 1) + at(-1, -1)
        return float(total / (4 * h * h))


def unit(symbol: Symbol, place: int, sizes: dict[str, int]) -> dict[Symbol, Any]:
    """Move one entry of a vector."""
    direction = np.zeros([measured(dim, sizes) for dim in symbol.shape])
    direction.flat[place] = 1
    return {symbol: direction}


@pytest.mark.parametrize(("text", "name", "times", "hessian"), SHORT)
def test_short_forms(text: str, name: str, times: str, hessian: str) -> None:
    derivation = derive_second(model_of(text), [name])
    assert derivation.proven
    (found,) = derivation.hessians.values()
    assert found.matrix is not None
    assert plain(found.matrix) == hessian
    matrix = derivation[name].matrix
    assert matrix is not None
    assert plain(matrix) == times


@pytest.mark.parametrize(
    ("text", "names"),
    [(text, [name]) for text, name, *_ in SHORT]
    + [("logistic_batch", ["w", "b"]), (LOGISTIC + "objective: J", ["w", "y"])],
)
def test_every_entry_is_a_second_difference_of_the_objective(text: str, names: list[str]) -> None:
    model = model_of(text)
    derivation = second_derivation(derive(model, names))
    values, sizes = evaluated(derivation)
    assert derivation.hessians
    for hessian in derivation.hessians.values():
        assert hessian.matrix is not None
        matrix = Evaluator(values, sizes, FLOATS).value(hessian.matrix)
        for row, col in product(*(range(count) for count in matrix.shape)):
            moves = (unit(hessian.rows, row, sizes), unit(hessian.columns, col, sizes))
            measured_entry = second_difference(model, values, sizes, moves)
            assert matrix[row, col] == pytest.approx(measured_entry, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("text", "names"), PRODUCTS)
def test_products_are_second_differences_along_the_direction(
    text: str, names: list[str] | None
) -> None:
    model = model_of(text)
    derivation = derive_second(model, names, hessian=False)
    assert derivation.proven
    assert not derivation.hessians
    values, sizes = evaluated(derivation)
    rng = np.random.default_rng(8)
    variables = [gradient.variable for gradient in derivation.gradients.values()]
    directions = [s for s in derivation.model.inputs if s not in model.inputs]
    along = {s: values[v] for s, v in zip(variables, directions, strict=True)}
    for gradient in derivation.gradients.values():
        value = gathered(Evaluator(values, sizes, FLOATS), gradient)
        look = {gradient.variable: rng.normal(size=value.shape)}
        if gradient.variable not in model.inputs:
            continue  # a name on the way: the forward pass cannot be started from there
        expected = second_difference(model, values, sizes, (along, look))
        assert np.sum(value * look[gradient.variable]) == pytest.approx(expected, rel=1e-8)


def test_hessians_of_several_vectors_come_block_by_block() -> None:
    derivation = derive_second(load_model("logistic_batch"), ["w", "b"])
    found = {name.name: plain(h.matrix) for name, h in derivation.hessians.items() if h.matrix}
    assert found["H_ww"] == "X diag(A .* (1 - A)) X^T"
    assert found["H_wb"] == "X(A .* (1 - A))^T"
    assert [h.symbol.shape for h in derivation.hessians.values()] == [("n", "n"), ("n", 1), (1, 1)]


def run(*arguments: str) -> str:
    done = CliRunner().invoke(cli, ["derive", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_shows_the_hessian_and_its_layout() -> None:
    shown = run("logistic_batch", "--hessian", "w")
    assert "H = X diag(A ⊙ (1 - A)) X^T   (n, n)" in shown
    assert "its entry in row p and column j is the second derivative of J" in " ".join(
        shown.split()
    )
    assert "∂J/∂w was derived in 15 steps, every one verified" in " ".join(shown.split())
    data = json.loads(run("logistic_batch", "--hessian", "w", "--format", "json"))
    assert data["hessians"]["H"]["matrix"] == "X diag(A .* (1 - A)) X^T"
    assert data["proven"]
    assert r"H &= X\,\operatorname{diag}(A" in run(
        "logistic_batch", "--hessian", "w", "--format", "latex"
    )
    assert "second derivative of J with respect to" in run(
        "logistic_batch", "--hessian", "w", "--format", "html"
    )


def test_the_command_shows_the_product_alone() -> None:
    shown = run("softmax_batch", "--hvp", "W")
    assert "The Hessian\n" not in shown
    assert "V : (k, n)   a direction in which W may move" in shown


def test_what_is_refused() -> None:
    done = CliRunner().invoke(cli, ["derive", "softmax_batch", "--hessian", "W"])
    assert done.exit_code != 0
    assert "use the Hessian-vector product: --hvp W" in done.output
    done = CliRunner().invoke(cli, ["derive", "logistic_batch", "--hessian", "w", "--wrt", "w"])
    assert "choose one of --wrt, --hessian and --hvp" in done.output
    first = derive("x : (n, 1)\nJ = x^T x", ["x"])
    lost = replace(first["x"], matrix=None, no_matrix_form="three factors share the index i")
    with pytest.raises(DerivationError, match=r"x has no matrix form \(three factors"):
        second_derivation(replace(first, gradients={"x": lost}))
