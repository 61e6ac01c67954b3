"""Networks of the exercise bank, as text: their gradients against HIPS autograd, and as code.

The forward passes of the oracle are written in NumPy by hand, not evaluated by us.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import autograd
import autograd.numpy as np
import numpy
import pytest

from chainrule import derive
from chainrule.derivation.program import program
from chainrule.derivation.steps import Derivation
from chainrule.interpreters.code import module_text
from chainrule.interpreters.forward import assignments, sample
from chainrule.interpreters.reading import read_expression, read_model
from chainrule.interpreters.typeset import plain
from chainrule.proof.gradients import gradient_values

Oracle = Callable[[SimpleNamespace], Any]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(z: Any, axis: int) -> Any:
    return np.exp(z) / np.sum(np.exp(z), axis=axis, keepdims=True)


LSTM = """x : (n, m)
h : (k, m)
c : (k, m)
W : (4k, k + n)
b : (4k, 1)
S = [h; x]
Z = W S + b
F = sigmoid(Z[0:k, :])
I = sigmoid(Z[k:2k, :])
O = sigmoid(Z[2k:3k, :])
G = tanh(Z[3k:4k, :])
C = F .* c + I .* G
H = O .* tanh(C)
J = norm(H)^2
"""


def lstm(v: SimpleNamespace) -> Any:
    z = v.W @ np.concatenate([v.h, v.x]) + v.b
    k = len(v.h)
    f, i, o = sigmoid(z[:k]), sigmoid(z[k : 2 * k]), sigmoid(z[2 * k : 3 * k])
    return np.sum((o * np.tanh(f * v.c + i * np.tanh(z[3 * k :]))) ** 2)


MODELS: Mapping[str, tuple[str, str, Oracle]] = {
    "a gated unit": (
        "X : (n, m)\nW : (2h, n)\nb : (2h, 1)\nZ = W X + b\n"
        "H = tanh(Z[:h, :]) .* sigmoid(Z[h:, :])\nJ = norm(H)^2",
        "W b X",
        lambda v: np.sum(
            (
                np.tanh((v.W @ v.X + v.b)[: len(v.W) // 2])
                * sigmoid((v.W @ v.X + v.b)[len(v.W) // 2 :])
            )
            ** 2
        ),
    ),
    "an LSTM step, its gates by slices": (LSTM, "W b h x c", lstm),
    "differences of neighbours": (
        "x : (1, m)\nd = x[1:m] - x[0:m - 1]\nJ = norm(d)^2",
        "x",
        lambda v: np.sum(np.diff(v.x) ** 2),
    ),
    "two views of one input, side by side": (
        "A : (n, h)\nB : (n, k)\nw : (1, n)\nC = [A, B]\nJ = norm(w C)^2",
        "A B w",
        lambda v: np.sum((v.w @ np.hstack([v.A, v.B])) ** 2),
    ),
    "a block in the middle": (
        "X : (5, 2m)\nJ = sum(tanh(X[1:4, m:]))",
        "X",
        lambda v: np.sum(np.tanh(v.X[1:4, v.m :])),
    ),
    "a bias as a row of ones": (
        "X : (n, m)\nY : (1, m)\nw : (1, n + 1)\nJ = norm(w [X; 1] - Y)^2",
        "w X",
        lambda v: np.sum((v.w @ np.vstack([v.X, np.ones((1, v.m))]) - v.Y) ** 2),
    ),
    "a picture laid out as a column": (
        "X : (h, k)\nW : (n, h k)\nJ = norm(tanh(W reshape(X, h k, 1)))^2",
        "X W",
        lambda v: np.sum(np.tanh(v.W @ v.X.ravel()) ** 2),
    ),
    "columns below each other": (
        "X : (h, k)\nw : (1, h k)\nJ = (w vec(X))^2",
        "X w",
        lambda v: np.sum(np.sum(v.w * v.X.T.ravel()) ** 2),
    ),
    "an embedding, words in columns": (
        "E : (d, v)\nids : (1, m)\nW : (k, d)\ny : (1, m)\nX = lookup(E, ids)\n"
        "P = softmax(W X, axis=0)\nJ = cross_entropy(onehot(y, k), P)",
        "W E",
        lambda v: -np.sum(
            np.log(softmax(v.W @ v.E[:, v.ids[0]], 0))[v.y[0], numpy.arange(v.m)]
        ),
    ),
    "an embedding, words in rows": (
        "E : (v, d)\nids : (m, 1)\nW : (d, k)\ny : (m, 1)\nX = lookup(E, ids)\n"
        "P = softmax(X W, axis=1)\nJ = cross_entropy(onehot(y, k), P)",
        "W E",
        lambda v: -np.sum(
            np.log(softmax(v.E[v.ids[:, 0]] @ v.W, 1))[numpy.arange(v.m), v.y[:, 0]]
        ),
    ),
    "messages added up at their targets": (
        "H : (d, m)\nto : (1, m)\nW : (k, d)\nY : (k, n)\nM = scatter_add(H, to, n)\n"
        "J = norm(W M - Y)^2",
        "H W",
        lambda v: np.sum(
            (v.W @ v.H @ (numpy.arange(v.n)[None, :] == v.to.T) - v.Y) ** 2
        ),
    ),
}  # fmt: skip

KNOWN: Mapping[str, Mapping[str, str]] = {
    "an LSTM step, its gates by slices": {
        "dZ": "[dU; dV; dT; dZ_1]",
        "dS": "W^T dZ",
        "h": "dS[0:k, :]",
        "x": "dS[k:k + n, :]",
    },
    "two views of one input, side by side": {
        "A": "dC[:, 0:h]",
        "w": "2 w C C^T",
    },
    "a picture laid out as a column": {"X": "reshape(W^T dZ, h, k)"},
    "an embedding, words in columns": {"W": "dZ X^T", "E": "dX onehot(ids, v)^T"},
    "an embedding, words in rows": {"W": "X^T dZ", "E": "onehot(ids, v)^T dX"},
}


@pytest.fixture(scope="module")
def derivations() -> dict[str, Derivation]:
    return {}


def derived(known: dict[str, Derivation], name: str) -> Derivation:
    if name not in known:
        text, wrt, _ = MODELS[name]
        known[name] = derive(read_model(text), wrt.split())
    return known[name]


@pytest.mark.parametrize("name", MODELS)
def test_gradients_are_proven_and_agree_with_autograd(
    name: str, derivations: dict[str, Derivation]
) -> None:
    text, wrt, oracle = MODELS[name]
    derivation, model = derived(derivations, name), read_model(text)
    assert derivation.proven
    for seed, sizes in enumerate(assignments(model, 2)):
        values = sample(derivation.model, sizes, numpy.random.default_rng(seed))
        known: dict[str, Any] = dict(sizes) | {
            s.name: values[s].astype(int) if s in model.numbered else values[s]
            for s in model.inputs
        }
        found = gradient_values(derivation, values, sizes)
        for variable in wrt.split():

            def objective(x: Any, name: str = variable, known: Any = known) -> Any:
                return oracle(SimpleNamespace(**{**known, name: x}))

            stated = found[model.symbol(variable)]
            expected = autograd.grad(objective)(known[variable])
            numpy.testing.assert_allclose(stated, expected, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_every_gradient_has_a_matrix_form_that_runs_as_code(
    name: str, derivations: dict[str, Derivation]
) -> None:
    derivation = derived(derivations, name)
    for gradient in derivation.gradients.values():
        assert gradient.matrix is not None, gradient.no_matrix_form
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(module_text(program(derivation)), module)
    assert module["check"]() < 1e-6


@pytest.mark.parametrize(
    ("name", "variable"), [(name, v) for name, forms in KNOWN.items() for v in forms]
)
def test_the_short_form_is_the_one_on_the_board(
    name: str, variable: str, derivations: dict[str, Derivation]
) -> None:
    derivation = derived(derivations, name)
    named = {layer.name: found for layer, found in derivation.layers.items()}
    gradient = named[variable] if variable in named else derivation[variable]
    assert gradient.matrix is not None
    assert plain(gradient.matrix) == KNOWN[name][variable]


@pytest.mark.parametrize("name", MODELS)
def test_what_is_written_reads_back(name: str, derivations: dict[str, Derivation]) -> None:
    derivation = derived(derivations, name)
    scope = {s.name: s for s in (*derivation.model.symbols, *derivation.layers)}
    for definition in derivation.model.definitions:
        assert read_expression(plain(definition.value), scope) is definition.value
