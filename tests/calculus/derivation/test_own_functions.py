"""Functions that a forward pass defines: closed with a derived slope, or written out."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from chainrule import derive, derive_second
from chainrule.calculus.derivation.own import own_function
from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Phase
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.node import Apply, Symbol
from chainrule.calculus.ops.own import Own
from chainrule.calculus.proof.certify import certify
from chainrule.calculus.proof.checking import check_model
from chainrule.cli.derive import rendered
from chainrule.cli.main import cli
from chainrule.errors import ParseError, ProofError
from chainrule.language.codegen import module_text
from chainrule.language.reading import read_model
from chainrule.language.typeset import model_text, plain

HEAD = "X : (n, m)\nY : (h, m)\nW : (h, n)\nZ = W X\n"
BODIES = {
    "z sigmoid(z)": lambda z: z / (1 + np.exp(-z)),
    "max(z, 0.1 z)": lambda z: np.maximum(z, 0.1 * z),
    "z tanh(log(1 + exp(z)))": lambda z: z * np.tanh(np.log1p(np.exp(z))),
    "z / (1 + |z|)": lambda z: z / (1 + np.abs(z)),
    "z^3 - 2 z + 1": lambda z: z**3 - 2 * z + 1,
    "[z > 0] z^2": lambda z: (z > 0) * z**2,
    "5": lambda z: 5 + 0 * z,
}


@pytest.mark.parametrize("body", BODIES)
def test_a_closed_function_has_the_value_and_the_slope_of_its_body(body: str) -> None:
    model = read_model(f"{HEAD}f(z) = {body}\nA = f(Z)\nJ = 1/2 sum((A - Y) .* (A - Y))")
    (function,) = model.functions
    assert isinstance(function.row, Own)
    z, x = Symbol("z"), np.array([[-1.3, 0.4, 2.1], [0.7, -0.2, -2.2]])
    at = Evaluator({z: x}, {}, FLOATS)
    value = at.value(Apply(function.row, (z,)))
    slope = at.value(Apply(function.row.slope, (z,)))
    h = 1e-6
    assert value == pytest.approx(BODIES[body](x))
    assert slope == pytest.approx((BODIES[body](x + h) - BODIES[body](x - h)) / (2 * h), abs=1e-7)
    report = check_model(model, ["W"], sizes=2)
    assert report.passed


def test_the_slope_is_asked_once_and_the_layer_reads_short() -> None:
    derivation = derive(
        HEAD + "f(z) = z sigmoid(z)\nA = f(Z)\nB = f(A)\nJ = 1/2 ||B - Y||^2", ["W"]
    )
    asked = [step for step in derivation if step.phase is Phase.FUNCTION]
    assert [plain(step.left) for step in asked if step.question is not None] == ["f'(z)"]
    assert plain(asked[0].after) == "z sigmoid(z)(1 - sigmoid(z)) + sigmoid(z)"
    assert plain(asked[-1].after) == "sigmoid(z)(1 + z(1 - sigmoid(z)))"
    assert plain(derivation["W"].matrix) == "((B - Y) .* f'(A) .* f'(Z)) X^T"  # type: ignore[arg-type]
    assert derivation.proven


def test_a_wrong_slope_is_not_certified() -> None:
    derivation = derive(HEAD + "f(z) = z^2\nJ = sum(f(Z))", ["W"])
    first = derivation.steps[0]
    assert first.phase is Phase.FUNCTION
    wrong = replace(first, after=first.after + 1)
    with pytest.raises(ProofError, match=r"step 1 \(power rule\) could not be certified"):
        certify(replace(derivation, steps=(wrong, *derivation.steps[1:])))


def test_second_order_goes_through_the_slope_of_the_slope() -> None:
    found = derive_second(
        "w : (1, n)\nX : (n, m)\nf(z) = z sigmoid(z)\nZ = w X\nJ = sum(f(Z))", ["w"]
    )
    (hessian,) = found.hessians.values()
    assert hessian.matrix is not None
    assert plain(hessian.matrix) == "X diag(f''(Z)) X^T"
    assert found.proven


def test_other_functions_are_written_out_with_a_step() -> None:
    text = (
        "x : (n, 1)\nc : (n, 1)\nA : (n, n)\nq(u, M) = u^T M u\nr = x - c\nJ = q(r, A) + q(c, A^T)"
    )
    derivation = derive(text, ["x"])
    assert derivation.model.functions[0].row is None
    (step,) = [s for s in derivation if s.rule == "write the function out"]
    assert plain(step.after) == "r^T A r + c^T A^T c"
    assert "q(u, M) = u^T M u, with u = r and M = A" in step.why
    same = derive("x : (n, 1)\nc : (n, 1)\nA : (n, n)\nr = x - c\nJ = r^T A r + c^T A^T c", ["x"])
    assert derivation["x"].matrix is same["x"].matrix


@pytest.mark.parametrize("kind", ["text", "latex", "html", "json", "slides"])
def test_every_medium_shows_the_functions(kind: str) -> None:
    text = HEAD + "f(z) = z sigmoid(z)\nq(E) = sum(E .* E)\nJ = q(f(Z))"
    shown = rendered(derive(text, ["W"]), kind, "both")
    assert "q(E) = sum(E .* E)" in shown
    html = "<msup><mi>f</mi><mo>′</mo></msup>"
    assert (html if kind in ("html", "slides") else "f'(Z)") in shown


@pytest.mark.parametrize("target", ["numpy", "torch", "jax"])
def test_a_module_brings_its_functions_along(target: str, tmp_path: Path) -> None:
    pytest.importorskip(target)
    text = HEAD + "check(z) = z softplus(z)\nf(z) = check(z) + 2\nJ = sum(f(Z) .* Y)\nwrt: W"
    path = tmp_path / "own.py"
    path.write_text(module_text(program(derive(text)), target))
    spec = importlib.util.spec_from_file_location("own", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.check() < 1e-6


def test_a_saved_model_reads_back() -> None:
    model = read_model(HEAD + "f(z) = z^2\nq(E) = sum(E)\nJ = q(f(Z))")
    again = read_model(model_text(model))
    assert [plain(d.value) for d in again.definitions] == [
        plain(d.value) for d in model.definitions
    ]


def test_a_slope_is_derived_when_it_is_first_needed() -> None:
    z = Symbol("z")
    row = own_function("f", z, z**4)
    assert plain(row.slope.slope.body) == "12 z^2"
    assert row.slope.slope is row.slope.slope
    assert row.slope.integral is row


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("((A - Y) .* f'(Z)) X^T", "Right."),
        ("((f(Z) - Y) .* f'(Z)) X^T", "Right."),
        (
            "((A - Y) .* (sigmoid(Z) + Z .* sigmoid(Z) .* (1 - sigmoid(Z)))) X^T",
            "Right, in another",
        ),
        ("((A - Y) .* f(Z)) X^T", "f stands where its slope f' belongs"),
        ("(A - Y) X^T", "the factor f' is missing"),
        ("((A - Y) .* f(Z, Z)) X^T", "f takes one argument, as in f(z) = z sigmoid(z)"),
    ],
)
def test_answers_speak_of_the_function(answer: str, said: str, tmp_path: Path) -> None:
    forward = tmp_path / "swish.cr"
    forward.write_text(HEAD + "f(z) = z sigmoid(z)\nA = f(Z)\nJ = 1/2 ||A - Y||^2")
    arguments = ["grade", "--forward", str(forward), "--wrt", "W", "--answer", answer]
    assert said in CliRunner().invoke(cli, arguments).output


REFUSED = [
    ("z : (1, 1)\nf(z) = z\nJ = z", 2, "z already has a meaning on line 1"),
    ("w : (n, 1)\nf(n) = n\nJ = sum(w)", 2, "n already has a meaning; call the argument of f"),
    ("w : (n, 1)\nf(z) = f(z) + 1\nJ = sum(w)", 2, "f is defined by itself"),
    ("w : (n, 1)\nf(z) = zz + 1\nJ = sum(w)", 2, "unknown name zz"),
    ("w : (n, 1)\nf(z, z) = z\nJ = sum(w)", 2, "f has two arguments z"),
    ("w : (n, 1)\nf(z) = z\nf(u) = u\nJ = sum(w)", 3, "f is already defined on line 2"),
    ("w : (n, 1)\nf(z) = z\nf = sum(w)", 3, "f is already a function, on line 2"),
    ("f : (n, 1)\nf(z) = z\nJ = sum(f)", 2, "f is already defined on line 1"),
    ("w : (n, 1)\ntanh(z) = z\nJ = sum(w)", 2, "tanh is a function of the language already"),
    ("w : (n, 1)\nJ = sum(f(w))\nf(z) = z .* w", 2, "f is used before it is defined on line 3"),
    ("w : (n, 1)\nf(z) = z\nJ = sum(f(w, w))", 3, "f takes one argument, as in f(z) = z"),
    ("w : (n, 1)\nf(z) = z\nJ = sum(f w)", 3, "f is a function; write f(...)"),
    ("w : (n, 1)\nq(a, B) = a^T B\nJ = q(w, w^T)", 3, "in q(a, B) = a^T B: a^T B: a^T is (1, n)"),
    ("w : (n, 1)\nq(A) = A .* A\nJ = sum(q'(w))", 3, "q' reads for a function of one small letter"),
    (
        "w : (n, 1)\ng_0(A) = A + A\n"
        + "".join(f"g_{k}(A) = g_{k - 1}(A) + g_{k - 1}(A)\n" for k in range(1, 12))
        + "J = sum(g_11(w))",
        14,
        "written out past the limit of 500 times",
    ),
]


@pytest.mark.parametrize(("text", "line", "said"), REFUSED)
def test_what_makes_no_function_says_so(text: str, line: int, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert said in caught.value.message
    assert caught.value.line == line
