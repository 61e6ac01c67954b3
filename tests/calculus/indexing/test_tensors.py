"""Passes over tensors: proven, held to autograd of passes written here, and emitted."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest
from tests.language.codegen.node import node

from chainrule import derive, read_model
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.graph.dims import is_tensor
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import einsum, permute, squeeze
from chainrule.calculus.proof.checking import check_model
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.errors import DerivationError, ParseError, ShapeError
from chainrule.language.codegen import TARGETS, module_text
from chainrule.language.typeset import plain


@dataclass(frozen=True)
class Pass:
    """A forward pass, the same in autograd, and the forms that its gradients have."""

    text: str
    oracle: Callable[[SimpleNamespace], Any]
    matrix: Mapping[str, str] = field(default_factory=dict)
    index: Mapping[str, str] = field(default_factory=dict)


def softmax(x: Any, axis: int) -> Any:
    powers = anp.exp(x - anp.max(x, axis=axis, keepdims=True))
    return powers / anp.sum(powers, axis=axis, keepdims=True)


def normalised(x: Any, axis: int) -> Any:
    gap = x - anp.mean(x, axis=axis, keepdims=True)
    return gap / anp.sqrt(anp.mean(gap**2, axis=axis, keepdims=True) + 1e-3)


PASSES: Mapping[str, Pass] = {
    "scores of attention, batch and heads carried": Pass(
        "Q : (b, h, t, d)\nK : (b, h, s, d)\nG : (b, h, t, s)\n"
        "S = Q K^T / sqrt(d)\nJ = sum(G .* S)\nwrt: Q, K",
        lambda v: anp.sum(v.G * anp.einsum("bhtd,bhsd->bhts", v.Q, v.K)) / v.Q.shape[-1] ** 0.5,
        {"Q": "G K/sqrt(d)", "K": "G^T Q/sqrt(d)"},
        {"Q": "sum_s G_bhts(K_bhsd/sqrt(d))"},
    ),
    "the same by einsum": Pass(
        "Q : (b, h, t, d)\nK : (b, h, s, d)\nG : (b, h, t, s)\n"
        'S = einsum("bhtd,bhsd->bhts", Q, K)\nJ = sum(G .* S^2)\nwrt: Q, K',
        lambda v: anp.sum(v.G * anp.matmul(v.Q, anp.swapaxes(v.K, 2, 3)) ** 2),
        {"Q": "2(G .* S) K"},
    ),
    "one weight matrix for every batch": Pass(
        "X : (b, t, d)\nW : (d, e)\nc : (1, e)\nY : (b, t, e)\n"
        "Z = X W + c\nJ = 1/2 sum((tanh(Z) - Y)^2)\nwrt: X, W, c",
        lambda v: anp.sum((anp.tanh(anp.einsum("btd,de->bte", v.X, v.W) + v.c) - v.Y) ** 2) / 2,
        {
            "X": "((S - Y) .* (1 - S^2)) W^T",
            "c": "sum((S - Y) .* (1 - S^2), axis=(0, 1))",
        },
    ),
    "softmax along the last axis, with a mask for every query": Pass(
        "S : (b, h, t, s)\nM : (t, s)\nG : (b, h, t, s)\n"
        "P = softmax(S + M, axis=-1)\nJ = sum(G .* P)\nwrt: S, M",
        lambda v: anp.sum(v.G * softmax(v.S + v.M, 3)),
    ),
    "layer norm over a named axis, scaled and shifted": Pass(
        "X : (b, t, d)\ng : (1, d)\nc : (1, d)\nY : (b, t, d)\n"
        "N = layer_norm(X, axis=d, eps=1/1000) .* g + c\nJ = mean((N - Y)^2)\nwrt: X, g, c",
        lambda v: anp.mean((normalised(v.X, 2) * v.g + v.c - v.Y) ** 2),
    ),
    "sums and means along named axes": Pass(
        "X : (b, t, d)\nW : (d, d)\nA = relu(X W)\n"
        "J = sum((A - mean(A, axis=t)) .* sum(X, axis=(0, 2)))\nwrt: X, W",
        lambda v: anp.sum(
            (
                anp.maximum(anp.matmul(v.X, v.W), 0)
                - anp.mean(anp.maximum(anp.matmul(v.X, v.W), 0), axis=1, keepdims=True)
            )
            * anp.sum(v.X, axis=(0, 2), keepdims=True)
        ),
    ),
    "dimensions in another order": Pass(
        "X : (b, t, h, d)\nG : (b, h, d, t)\nZ = swap(X, 1, 2)\nU = permute(Z, 0, 1, 3, 2)\n"
        "J = sum(G .* U^3)\nwrt: X",
        lambda v: anp.sum(v.G * anp.transpose(v.X, (0, 2, 3, 1)) ** 3),
    ),
    "three operands, one of them summed alone": Pass(
        "A : (b, i, k)\nB : (i, r)\nC : (k, m)\nG : (b, r)\n"
        'F = einsum("bik,ir,km->br", A, B, C)\nJ = sum(G .* F^2)\nwrt: A, B, C',
        lambda v: anp.sum(v.G * anp.einsum("bik,ir,km->br", v.A, v.B, v.C) ** 2),
    ),
    "heads that are merged by einsum": Pass(
        "H : (b, h, t, k)\nW : (h, k, d)\nY : (b, t, d)\n"
        'O = einsum("bhtk,hkd->btd", H, W)\nJ = 1/2 sum((O - Y)^2)\nwrt: H, W',
        lambda v: anp.sum((anp.einsum("bhtk,hkd->btd", v.H, v.W) - v.Y) ** 2) / 2,
        {"W": 'einsum("bhtk,btd->hkd", H, O - Y)'},
        {"H": "sum_d (O_btd - Y_btd) W_hkd"},
    ),
    "a vector for every batch, and dimensions of size one": Pass(
        "X : (b, 1, d)\nu : (d, 1)\nG : (b, t, d)\nZ = X .* G\nJ = sum(sigmoid(Z u))\nwrt: X, u",
        lambda v: anp.sum(1 / (1 + anp.exp(-anp.matmul(v.X * v.G, v.u)))),
    ),
    "a written-out softmax along the time": Pass(
        "Z : (b, t, d)\nG : (b, t, d)\nE = exp(Z)\nP = E/sum(E, axis=1)\nJ = sum(G .* P)\nwrt: Z",
        lambda v: anp.sum(v.G * softmax(v.Z, 1)),
    ),
    "triangles and logarithms of tensors": Pass(
        "S : (b, t, t)\nG : (b, t, 1)\nJ = sum(G .* logsumexp(tril(S), axis=2))\nwrt: S",
        lambda v: anp.sum(
            v.G
            * anp.log(anp.sum(anp.exp(anp.tril(anp.ones(v.S.shape[1:])) * v.S), axis=2)[..., None])
        ),
    ),
}


@pytest.mark.parametrize("name", PASSES)
def test_the_gradients_of_a_pass_over_tensors(name: str) -> None:
    example = PASSES[name]
    derivation = derive(example.text)
    assert derivation.proven
    for variable, form in example.matrix.items():
        matrix = derivation[variable].matrix
        assert matrix is not None
        assert plain(matrix) == form
    for variable, form in example.index.items():
        assert plain(derivation[variable].index) == form
    sizes = assignments(derivation.model, 1)[0]
    values = sample(derivation.model, sizes, np.random.default_rng(3))
    named = {symbol.name: np.asarray(value, float) for symbol, value in values.items()}
    for symbol, value in gradient_values(derivation, values, sizes).items():

        def cost(x: Any, name: str = symbol.name) -> Any:
            return example.oracle(SimpleNamespace(**{**named, name: x}))

        expected = autograd.grad(cost)(named[symbol.name])
        np.testing.assert_allclose(value, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_over_tensors_is_emitted_for_every_target(name: str) -> None:
    derivation = derive(PASSES[name].text)
    for target in TARGETS:
        module = module_text(program(derivation), target)
        if importlib.util.find_spec(target) is not None:
            space: dict[str, Any] = {"__name__": "emitted"}
            exec(module, space)
            assert space["check"]() < 1e-6


@pytest.mark.slow
def test_a_module_in_javascript_agrees_with_differences() -> None:
    engine = node()
    for example in PASSES.values():
        module = module_text(program(derive(example.text)), "javascript")
        assert engine.call(module, "check") < 1e-6


@pytest.mark.parametrize("name", PASSES)
def test_a_pass_over_tensors_reads_back_as_it_is_written(name: str) -> None:
    model = read_model(PASSES[name].text)
    lines = [f"{s.name} : ({', '.join(map(str, s.shape))})" for s in model.inputs]
    lines += [f"{d.target.name} = {plain(d.value)}" for d in model.definitions]
    again = read_model("\n".join(lines))
    assert [d.value for d in again.definitions] == [d.value for d in model.definitions]


def test_the_check_of_a_pass_over_tensors() -> None:
    assert check_model(read_model(PASSES["heads that are merged by einsum"].text)).passed


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("Z = X Y", "the dimensions before the last two must agree, and b is not c"),
        ("Z = X + Y", "do not meet entry by entry"),
        ("Z = softmax(X)", "a tensor (b, t, d) is taken along an axis, such as axis=2"),
        ("Z = sum(X, axis=3)", "an axis of (b, t, d) is a number from 0 to 2, or a dimension"),
        ("Z = trace(X)", "trace takes matrices, and (b, t, d) is a tensor"),
        ("Z = max(X, axis=1)", "max takes matrices, and (b, t, d) is a tensor"),
        ("Z = kron(X, X)", "kron takes matrices, and (b, t, d) is a tensor"),
        ("Z = X[0, :]", "a part of a tensor (b, t, d) is not read here"),
        ("Z = permute(X, 0, 2)", "names each of 0, 1, 2 once, and (0, 2) does not"),
        ("Z = squeeze(X, 1)", "dimension 1 of (b, t, d) cannot be removed"),
        ('Z = einsum("btd->b", X)', '"b" in "btd->b" has 1 letters'),
        ('Z = einsum("btd", X)', 'has no "->"'),
        ('Z = einsum("bt->tb", X)', '"bt" in "bt->tb" has 2 letters'),
        ('Z = einsum("btd,btd->bd", X, Y)', "the letter b in"),
        ('Z = einsum("btt->bt", X)', "repeats a letter"),
        ('Z = einsum("btd,btd->bd", X)', "is for 2 operands, and 1 are given"),
        ("Z = einsum(X, Y)", "einsum takes its subscripts in quotes"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(line: str, said: str) -> None:
    with pytest.raises(ParseError) as error:
        read_model(f"X : (b, t, d)\nY : (c, d, t)\n{line}\nJ = sum(Z)")
    assert said in str(error.value)


def test_a_shape_has_at_most_six_dimensions() -> None:
    with pytest.raises(ParseError, match="up to 6 dimensions in a tensor, not 7 sizes"):
        read_model("X : (a, b, c, d, e, f, g)\nJ = sum(X)")


def test_tensors_are_not_stored_by_rows() -> None:
    derivation = derive(PASSES["one weight matrix for every batch"].text)
    with pytest.raises(DerivationError, match="leave --rows out"):
        program(derivation, "t")


def test_dimensions_that_move_twice_move_once() -> None:
    x = Symbol("x", ("b", "t", "d"))
    assert permute(permute(x, (1, 2, 0)), (2, 0, 1)) is x
    assert einsum("btd->tdb", x) is permute(x, (1, 2, 0))
    assert is_tensor(x.shape)
    with pytest.raises(ShapeError, match="only one of size 1 is removed"):
        squeeze(x, 0)
