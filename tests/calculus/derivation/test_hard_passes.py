"""Forward passes that once broke something, and the gradients that a person would write."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.graph.node import Symbol, running
from chainrule.calculus.proof.verifier import Verifier
from chainrule.deriving import derive
from chainrule.language.reading import read_model
from chainrule.language.typeset import plain


def net(layers: int, *, same_width: bool = False) -> str:
    """Write a tanh network for a batch, every layer of another width."""
    widths = ["n", *("h" if same_width else f"h{k}" for k in range(1, layers)), "1"]
    lines = ["X : (n, m)", "Y : (1, m)"]
    for k in range(1, layers + 1):
        lines += [f"W{k} : ({widths[k]}, {widths[k - 1]})", f"b{k} : ({widths[k]}, 1)"]
    for k in range(1, layers + 1):
        below = "X" if k == 1 else f"A{k - 1}"
        lines += [f"Z{k} = W{k} {below} + b{k}", f"A{k} = tanh(Z{k})"]
    return "\n".join([*lines, f"J = sum((A{layers} - Y)^2)"])


BATCH = """
X : (n, m)
Y : (1, m)
w : (1, n)
b : (1, 1)
Z = w X + b
A = sigmoid(Z)
"""
MEAN = {"w": "(A - Y) X^T/m", "b": "(A - Y) 1/m"}
CROSS = "Y .* log(A) + (1 - Y) .* log(1 - A)"

KNOWN: dict[str, tuple[str, dict[str, str] | None]] = {
    "the mean of a line of losses": (BATCH + f"L = -({CROSS})\nJ = mean(L)", MEAN),
    "a mean written as 1/m": (BATCH + f"J = -1/m * sum({CROSS})", MEAN),
    "a sum divided by m": (BATCH + f"J = -sum({CROSS}) / m", MEAN),
    "shared weights": (
        "x : (n,1)\ny : (n,1)\nW : (n,n)\nz1 = W x\na1 = tanh(z1)\nz2 = W a1\na2 = tanh(z2)\n"
        "L = norm(a2 - y)^2\nwrt: W",
        {"W": "dz1 x^T + dz2 a1^T"},
    ),
    "a mean along an axis": (
        "X : (n,m)\nc : (1,m)\nL = sum(c .* mean(X, axis=0))\nwrt: X",
        {"X": "1 c/n"},
    ),
    "batch norm, in stages": (
        "X : (n, m)\ng : (n, 1)\nb : (n, 1)\nT : (n, m)\nmu = mean(X, axis=1)\n"
        "V = mean((X - mu)^2, axis=1)\nXh = (X - mu) / sqrt(V + 0.001)\nO = g .* Xh + b\n"
        "J = sum(T .* O)\nwrt: X, g, b",
        None,
    ),
    "sums along an axis, squared": (
        "X : (n,m)\nc : (n,1)\nL = sum(c .* sum(X, axis=1)^2)\nwrt: X",
        {"X": "2(c .* X 1) 1^T"},
    ),
    "a low-rank residual": (
        "u : (n,1)\nv : (m,1)\nM : (n,m)\nL = norm(M - u v^T)^2",
        {"u": "-2(M - u v^T) v", "v": "-2(M - u v^T)^T u", "M": "2(M - u v^T)"},
    ),
    "rows for examples": (
        "X : (m,n)\ny : (m,1)\nw : (n,1)\nb : (1,1)\nz = X w + b\na = sigmoid(z)\n"
        "J = -sum(y .* log(a) + (1 - y) .* log(1 - a))",
        {"w": "X^T (a - y)", "b": "1^T (a - y)"},
    ),
    "letters that are taken": (
        "u : (n,1)\ni : (1,1)\nG : (n,m)\nL = sum(u^T G) i\nwrt: G, u",
        {"G": "i u 1^T", "u": "i G 1"},
    ),
    "sizes of real data": (
        "X : (784, 60000)\nY : (1, 60000)\nw : (1, 784)\nZ = w X\nJ = mean((Z - Y)^2)\nwrt: w",
        {"w": "2(Z - Y) X^T/60000"},
    ),
    "the prime itself": ("w : (1,1)\nx : (1,1)\nL = w x / 2147483647\nwrt: w", None),
}


@pytest.mark.parametrize("name", KNOWN)
def test_the_form_that_a_person_writes(name: str) -> None:
    text, forms = KNOWN[name]
    derivation = derive(text)
    assert derivation.proven
    if forms is not None:
        found = {k: plain(g.matrix) for k, g in derivation.gradients.items() if g.matrix}
        assert found == forms


@pytest.mark.parametrize("layers", [3, 9, 13])
def test_deep_networks_are_proven(layers: int) -> None:
    derivation = derive(net(layers))
    assert derivation.proven
    assert len(derivation.layers) == layers


@pytest.mark.slow
def test_depth_meets_no_limit_of_recursion() -> None:
    width = [f"W{k} : (h, h)\nA{k + 1} = tanh(W{k} A{k})" for k in range(250)]
    net = "A0 : (h, m)\n" + "\n".join(width) + "\nJ = sum(A250)\nwrt: W0"
    derivation = derivation_of(read_model(net))
    assert len(derivation.layers) == 250


@pytest.mark.slow
def test_a_long_chain_of_scalars_needs_no_names() -> None:
    lines = [f"u{k + 1} = sin(u{k})" for k in range(250)]
    derivation = derivation_of(read_model("u0 : (1, 1)\n" + "\n".join(lines) + "\nwrt: u0"))
    assert plain(derivation["u0"].index).startswith("cos(u249) cos(u248)")


def test_the_gradients_of_a_deep_pass_are_judged_where_the_pass_was_drawn() -> None:
    derivation = derivation_of(read_model(net(20)))
    verifier = Verifier(derivation)
    point, opened = verifier.points.values(0), verifier.opened.points.values(0)
    assert all((opened[symbol] == point[symbol]).all() for symbol in derivation.model.symbols)
    assert set(derivation.layers) <= set(opened)


def test_a_chain_of_squares_leaves_the_range_of_differences() -> None:
    lines = ["w : (1,1)", "y0 = w .* w"]
    lines += [f"y{k} = y{k - 1} .* y{k - 1} + y{k - 1}" for k in range(1, 15)]
    derivation = derive("\n".join(lines))
    assert derivation.proven
    assert plain(derivation["w"].index).startswith("2(2 y13 + 1)(2 y12 + 1)")


def test_a_long_product_is_collapsed_in_bounded_time() -> None:
    names = [f"A{k}" for k in range(9)]
    text = "x : (n,1)\n" + "\n".join(f"{a} : (n,n)" for a in names)
    derivation = derive(text + f"\nL = x^T {' '.join(names)} x\nwrt: A0")
    assert derivation["A0"].matrix is not None


@pytest.mark.parametrize("name", KNOWN)
def test_no_line_has_an_index_that_its_left_side_lacks(name: str) -> None:
    for step in derive(KNOWN[name][0]):
        assert running(step.after) <= running(step.left), step.rule


@pytest.mark.parametrize("name", KNOWN)
def test_a_gradient_has_the_shape_of_its_variable(name: str) -> None:
    for gradient in derive(KNOWN[name][0]).gradients.values():
        assert gradient.matrix is not None
        assert gradient.matrix.shape == gradient.variable.shape


def test_what_is_named_is_called_by_its_name_everywhere() -> None:
    derivation = derive("x : (n,1)\nw : (1,n)\nL = (w x)^2 + w x + sigmoid(w x)\nwrt: w")
    assert Symbol("z") in derivation.model.symbols
    assert plain(derivation.model.values[derivation.model.objective]) == "z^2 + z + s"


@pytest.mark.slow
def test_the_same_lines_for_every_hash_seed() -> None:
    code = (
        "import sys; sys.argv = ['chainrule', 'derive', 'softmax_batch']\n"
        "from chainrule.cli.main import main; main()"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(4)
    }
    assert len(printed) == 1
    assert "b was repeated along m" in printed.pop().replace("\n       ", " ")


def test_a_sum_is_not_promised_away_where_it_stands() -> None:
    steps = derive("x : (n,1)\nz : (n,1)\nL = log(sum(exp(z)))\nwrt: z").steps
    assert all("no sum stands" not in step.why for step in steps)
