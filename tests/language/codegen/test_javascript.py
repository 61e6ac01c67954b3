"""Emitted JavaScript, run in Node: the values of NumPy's modules, its own check, and its form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.calculus.ops.formulas import FORMULAS
from tests.calculus.ops.samples import close, samples
from tests.derivations import derived
from tests.language.codegen.node import NodeError, node
from tests.language.codegen.test_code import BATCHES, HARD, LOSSES, text_of
from tests.language.codegen.test_precision import PASSES

from chainrule.calculus.derivation.program import program
from chainrule.calculus.graph.dims import measured
from chainrule.calculus.graph.model import Model, ModelBuilder
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE, sigmoid
from chainrule.language.codegen.javascript.module import assembled
from chainrule.language.codegen.javascript.target import JAVASCRIPT
from chainrule.language.codegen.lines import FunctionBody
from chainrule.language.codegen.module import module_text, target_named
from chainrule.language.codegen.names import Identifiers, identifier
from chainrule.language.codegen.plan import Plan
from chainrule.language.reading import example_names, load_model, read_model

CASES = [(name, False) for name in example_names()] + [(name, True) for name in BATCHES]


def assert_agrees(model: Model, *, rows: bool = False) -> None:
    """Hold a module to NumPy's: forward and backward, at inputs of several seeds."""
    laid = program(derived(model), "m" if rows else None)
    plans = [Plan(laid, target_named(target)) for target in ("numpy", "javascript")]
    spelled = dict(zip(*(plan.names.values() for plan in plans), strict=True))
    text = module_text(laid, "javascript")
    space: dict[str, Any] = {"__name__": "emitted"}
    exec(module_text(laid), space)
    engine = node()
    for seed in range(2):
        inputs = space["draw"](seed)
        cache = space["forward"](**inputs)
        gradients = space["backward"](cache)
        ours = engine.call(text, "forward", {spelled[k]: v for k, v in inputs.items()})
        found = engine.call(text, "backward", {spelled[k]: v for k, v in cache.items()})
        for values, wanted in ((ours, cache), (found, gradients)):
            assert list(values) == [spelled[name] for name in wanted]
            for value, expected in zip(values.values(), wanted.values(), strict=True):
                assert value.shape == expected.shape
                np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-13)
        assert engine.call(text, "check", seed) < 1e-6


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_a_shipped_example_has_the_values_of_numpy(name: str, rows: bool) -> None:
    assert_agrees(load_model(name), rows=rows)


@pytest.mark.parametrize("name", LOSSES)
def test_the_forward_pass_of_a_loss_has_the_values_of_numpy(name: str) -> None:
    assert_agrees(LOSSES[name])


@pytest.mark.parametrize("title", PASSES)
def test_look_ups_convolutions_and_constants(title: str) -> None:
    assert_agrees(read_model(PASSES[title]))


@pytest.mark.parametrize("title", HARD)
def test_harder_models(title: str) -> None:
    assert_agrees(read_model(HARD[title]))


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_the_code_of_an_op_gives_its_value(row: Op) -> None:
    for s in samples(row):
        names = {symbol: symbol.name for symbol in s.arguments}
        sizes = {name: name for name in s.sizes}
        lines = FunctionBody(JAVASCRIPT, names, sizes, Identifiers(names.values()))
        lines.assign("result", s.node)
        parameters = [*names.values(), *sizes]
        head = f"export function value({{ {', '.join(parameters)} }}) {{"
        body = "\n".join([head, *lines.statements, "  return result;", "}", ""])
        text = assembled([body], lines.trees.helpers, lines.trees.own)
        given = {**dict(zip(names.values(), s.arrays, strict=True)), **s.sizes}
        found = node().call(text, "value", given)
        shape = s.size(s.node.shape)
        assert close(found, FORMULAS[row.name](*s.arrays, attrs=s.attrs, shape=shape), 1e-12)


@pytest.mark.parametrize("name", ["logistic_single", *BATCHES, "board_b1", "board_b2"])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_scores_of_ten_thousand_stay_finite(name: str, sign: float) -> None:
    model = load_model(name)
    text = text_of(model, "javascript")
    inputs = {}
    for symbol in model.inputs:
        r, c = (measured(d, {"n": 2, "m": 3, "k": 4}) for d in symbol.shape)
        inputs[identifier(symbol.name)] = np.full(
            (r, c), sign * 5e3 if symbol.name[0] in "Ww" else 1.0
        )
    cache = node().call(text, "forward", inputs)
    assert all(np.isfinite(value).all() for value in cache.values())
    assert all(np.isfinite(value).all() for value in node().call(text, "backward", cache).values())


@pytest.mark.slow
def test_names_of_the_language_and_the_runtime_are_not_taken() -> None:
    m = ModelBuilder()
    written = ("new", "function", "constructor", "add", "exp", "toString", "part", "cache", "fs")
    inputs = [m.input(name) for name in (*written, "__proto__", "inputs", "name", "softplus")]
    total = inputs[0]
    for other in inputs[1:]:
        total = m.define(f"t{len(m._definitions) + 1}", sigmoid(total * other))
    assert_agrees(m.model(wrt=tuple(inputs)))


def test_a_function_of_the_author_may_have_the_name_of_one_of_the_runtime() -> None:
    assert_agrees(
        read_model("w : (1, n)\npicked(new) = new sigmoid(new)\nJ = sum(picked(w)) + sum(w)")
    )


def test_words_of_a_model_stay_in_their_comment() -> None:
    m = ModelBuilder("a title */ throw 1; /* \u2028 throw 2 `${x}` \\")
    x = m.input("x\n*/ throw 3; //")
    m.define("L\u2028throw 5", sigmoid(x) * x)
    assert_agrees(m.model())


def test_an_input_that_is_no_matrix_throws_with_its_name() -> None:
    text = text_of(load_model("logistic_batch"), "javascript")
    good = {"X": np.ones((2, 3)), "Y": np.ones((1, 3)), "w": np.ones((1, 2)), "b": np.ones((1, 1))}
    for wrong in (None, 3, [1, 2], np.ones(3)):
        with pytest.raises(NodeError, match=r"TypeError: w is not \{ shape: \[rows, columns\]"):
            node().call(text, "forward", {**good, "w": wrong})
    with pytest.raises(NodeError, match="TypeError: b is not"):
        node().call(text, "forward", {k: v for k, v in good.items() if k != "b"})


def test_a_module_has_what_it_calls_and_nothing_else() -> None:
    text = text_of(load_model("logistic_batch"), "javascript")
    assert "function matmul(" in text
    assert "function inv(" not in text
    assert "\nimport " not in text


@pytest.mark.parametrize(("name", "rows"), CASES)
def test_every_line_of_the_passes_has_its_shape_and_fits(name: str, rows: bool) -> None:
    text = text_of(load_model(name), "javascript", rows=rows)
    body = text[text.index("export function forward") : text.index("/** Return small random")]
    lines = [line for line in body.splitlines() if line.startswith("  const ")]
    assert lines
    assert all(".shape" in line or (line.endswith(")") and "; // (" in line) for line in lines)
    assert max(map(len, text.splitlines())) <= 100
