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
from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.language.codegen import module_text
from chainrule.language.reading import read_expression, read_model
from chainrule.language.typeset import plain

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


def gru(v: SimpleNamespace) -> Any:
    s = np.vstack([v.h, v.x])
    r, z = sigmoid(v.Wr @ s), sigmoid(v.Wz @ s)
    g = np.tanh(v.W @ np.vstack([r * v.h, v.x]))
    return 0.5 * np.sum(((1 - z) * v.h + z * g - v.t) ** 2)


MODELS: Mapping[str, tuple[str, str, Oracle]] = {
    "a gated unit": (
        "X : (n, m)\nW : (2h, n)\nb : (2h, 1)\nA, B = split(W X + b, 2)\n"
        "H = tanh(A) .* sigmoid(B)\nJ = norm(H)^2",
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
    "gates of a fixed size, which other matrices have, too": (
        "X : (13, m)\nW : (28, 13)\nV : (2, 14)\nZ = W X\n"
        "H = tanh(Z[0:14]) .* sigmoid(Z[14:28])\nJ = norm(V H)^2",
        "W V",
        lambda v: np.sum(
            (v.V @ (np.tanh((v.W @ v.X)[:14]) * sigmoid((v.W @ v.X)[14:]))) ** 2
        ),
    ),
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
    # ---- windows
    "a convolution in one line": (
        "x : (1, n)\nw : (1, k)\nt : (1, n - k + 1)\ny = conv1d(x, w)\nJ = 1/2 norm(y - t)^2",
        "w x",
        lambda v: 0.5
        * sum(
            (np.sum(v.w[0] * v.x[0, i : i + v.k]) - v.t[0, i]) ** 2 for i in range(v.n - v.k + 1)
        ),
    ),
    "a convolution of channels, padded": (
        "X : (c, n)\nW : (f, 3c)\nb : (f, 1)\nY = ReLU(conv1d(X, W, padding=same) + b)\n"
        "J = norm(Y)^2",
        "W X b",
        lambda v: sum(
            np.sum(
                np.maximum(
                    v.W
                    @ np.hstack([np.zeros((v.c, 1)), v.X, np.zeros((v.c, 1))])[:, i : i + 3]
                    .reshape(-1, 1)
                    + v.b,
                    0.0,
                )
                ** 2
            )
            for i in range(v.n)
        ),
    ),
    "a picture under a kernel": (
        "X : (n, m)\nK : (2, 3)\nY = conv2d(X, K)\nJ = norm(tanh(Y))^2",
        "K X",
        lambda v: sum(
            np.tanh(np.sum(v.K * v.X[r : r + 2, c : c + 3])) ** 2
            for r in range(v.n - 1)
            for c in range(v.m - 2)
        ),
    ),
    "the largest of every window": (
        "X : (2n, 2m)\nY = maxpool(X, 2)\nJ = norm(tanh(Y))^2",
        "X",
        lambda v: sum(
            np.tanh(np.max(v.X[r : r + 2, c : c + 2])) ** 2
            for r in range(0, 2 * v.n, 2)
            for c in range(0, 2 * v.m, 2)
        ),
    ),
    "the mean of every window, over time": (
        "X : (c, 2p)\nW : (h, c)\nA = tanh(W X)\nP = avgpool(A, 1, 2)\nJ = norm(P)^2",
        "X W",
        lambda v: np.sum(
            ((np.tanh(v.W @ v.X)[:, 0::2] + np.tanh(v.W @ v.X)[:, 1::2]) / 2) ** 2
        ),
    ),
    # ---- time and attention
    "two steps in time": (
        "x1 : (n, m)\nx2 : (n, m)\nh0 : (k, m)\nU : (k, n)\nW : (k, k)\nb : (k, 1)\n"
        "t : (k, m)\nh1 = tanh(U x1 + W h0 + b)\nh2 = tanh(U x2 + W h1 + b)\n"
        "J = 1/2 norm(h2 - t)^2",
        "U W b x1",
        lambda v: 0.5
        * np.sum(
            (np.tanh(v.U @ v.x2 + v.W @ np.tanh(v.U @ v.x1 + v.W @ v.h0 + v.b) + v.b) - v.t) ** 2
        ),
    ),
    "a GRU step": (
        "x : (n, m)\nh : (k, m)\nW : (k, k + n)\nWr : (k, k + n)\nWz : (k, k + n)\n"
        "t : (k, m)\nS = [h; x]\nr = sigmoid(Wr S)\nz = sigmoid(Wz S)\n"
        "g = tanh(W [r .* h; x])\nH = (1 - z) .* h + z .* g\nJ = 1/2 norm(H - t)^2",
        "W Wr Wz h x",
        lambda v: gru(v),
    ),
    "two heads of attention": (
        "X : (d, m)\nA : (2k, d)\nB : (2k, d)\nC : (2k, d)\nO : (d, 2k)\nT : (d, m)\n"
        "Q = A X\nK = B X\nV = C X\nP1 = softmax(K[:k]^T Q[:k], axis=0)\n"
        "P2 = softmax(K[k:]^T Q[k:], axis=0)\nH = [V[:k] P1; V[k:] P2]\n"
        "Y = O H\nJ = 1/2 norm(Y - T)^2",
        "O A B C",
        lambda v: 0.5
        * np.sum(
            (
                v.O
                @ np.vstack(
                    [
                        (v.C @ v.X)[s]
                        @ softmax((v.B @ v.X)[s].T @ (v.A @ v.X)[s], 0)
                        for s in (slice(0, v.k), slice(v.k, 2 * v.k))
                    ]
                )
                - v.T
            )
            ** 2
        ),
    ),
    "one weight for all times": (
        "X : (n, d t)\nW : (d, k)\nb : (1, k)\nT : (n, k t)\nR = reshape(X, n t, d)\n"
        "Y = reshape(R W + b, n, k t)\nJ = 1/2 norm(Y - T)^2",
        "W b X",
        lambda v: 0.5
        * np.sum(((v.X.reshape(-1, v.d) @ v.W + v.b).reshape(v.n, -1) - v.T) ** 2),
    ),
    # ---- norms
    "layer norm with a scale and a shift": (
        "X : (n, m)\nT : (n, m)\ng : (n, 1)\nb : (n, 1)\nH = layer_norm(X, eps=1/100)\n"
        "Y = g .* H + b\nJ = 1/2 norm(Y - T)^2",
        "X g b",
        lambda v: 0.5
        * np.sum(
            (
                v.g * (v.X - np.mean(v.X, 0)) / np.sqrt(np.var(v.X, 0) + 0.01) + v.b - v.T
            )
            ** 2
        ),
    ),
    "group norm": (
        "X : (2k, m)\nT : (2k, m)\nH = group_norm(X, 2)\nJ = 1/2 norm(H - T)^2",
        "X",
        lambda v: 0.5
        * np.sum(
            (
                np.vstack(
                    [(g - np.mean(g, 0)) / np.std(g, 0) for g in (v.X[: v.k], v.X[v.k :])]
                )
                - v.T
            )
            ** 2
        ),
    ),
    "root mean square norm": (
        "X : (n, m)\nT : (n, m)\nH = rms_norm(X)\nJ = 1/2 norm(H - T)^2",
        "X",
        lambda v: 0.5
        * np.sum((v.X / np.sqrt(np.mean(v.X**2, 0)) - v.T) ** 2),
    ),
    "the unbiased variance": (
        "X : (n, m)\nv = variance(X, axis=1, ddof=1)\ns = std(X, axis=0)\n"
        "J = sum(sqrt(v)) + sum(s^3)",
        "X",
        lambda v: np.sum(np.std(v.X, 1, ddof=1)) + np.sum(np.std(v.X, 0) ** 3),
    ),
    "norms of rows and columns": (
        "X : (n, m)\nJ = sum(norm(X, axis=0)) + norm(X, 1) + sum(norm(X, axis=1)^2)\n",
        "X",
        lambda v: np.sum(np.sqrt(np.sum(v.X**2, 0))) + np.sum(np.abs(v.X)) + np.sum(v.X**2),
    ),
    # ---- costs
    "partners among columns": (
        "A : (d, m)\nB : (d, m)\ntau : (1, 1)\nJ = info_nce(A, B, tau)",
        "A B",
        lambda v: -np.mean(np.log(np.diag(softmax(v.A.T @ v.B / v.tau, 1)))),
    ),
    "nearer by a margin": (
        "A : (d, m)\nP : (d, m)\nN : (d, m)\nJ = triplet(A, P, N, margin=1/5)",
        "A P N",
        lambda v: np.sum(
            np.maximum(np.sum((v.A - v.P) ** 2, 0) - np.sum((v.A - v.N) ** 2, 0) + 0.2, 0.0)
        ),
    ),
    "a hinge for several classes": (
        "X : (n, m)\nW : (k, n)\ny : (1, m)\nS = W X\n"
        "J = sum(ReLU(S - sum(onehot(y, k) .* S, axis=0) + 2/3 - 1/3 onehot(y, k)))",
        "W",
        lambda v: np.sum(
            np.maximum(
                v.W @ v.X
                - (v.W @ v.X)[v.y[0], numpy.arange(v.m)]
                + 2 / 3
                - (numpy.arange(v.k)[:, None] == v.y) / 3,
                0.0,
            )
        ),
    ),
    "a Gaussian drawn with noise that is given": (
        "m : (k, 1)\nl : (k, 1)\ne : (k, 1)\nt : (k, 1)\nz = reparametrise(m, l, e)\n"
        "J = 1/2 norm(z - t)^2 + kl_gaussian(m, l)",
        "m l",
        lambda v: 0.5 * np.sum((v.m + np.exp(v.l / 2) * v.e - v.t) ** 2)
        + 0.5 * np.sum(np.exp(v.l) + v.m**2 - 1 - v.l),
    ),
    "a word among drawn ones": (
        "v : (d, 1)\nu : (d, 1)\nN : (d, k)\nJ = negative_sampling(v, u, N)",
        "v u N",
        lambda v: -np.log(sigmoid(np.sum(v.u * v.v)))
        - np.sum(np.log(sigmoid(-v.N.T @ v.v))),
    ),
    "inverted dropout, the mask an input": (
        "X : (n, m)\nW : (h, n)\nD : (h, m)\nT : (h, m)\nA = ReLU(W X)\n"
        "H = dropout(A, D, keep=4/5)\nJ = 1/2 norm(H - T)^2",
        "W X",
        lambda v: 0.5 * np.sum((np.maximum(v.W @ v.X, 0.0) * v.D / 0.8 - v.T) ** 2),
    ),
    "an angle": (
        "a : (n, 1)\nb : (n, 1)\nc = cosine(a, b)\nJ = (1 - c)^2",
        "a b",
        lambda v: (1 - np.sum(v.a * v.b) / np.sqrt(np.sum(v.a**2) * np.sum(v.b**2))) ** 2,
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
    "a convolution in one line": {
        "dy": "y - t",
        "w": "dy windows(x, 1, k)^T",
        "x": "fold(w^T dy, 1, k, 1, n)",
    },
    "the largest of every window": {
        "dR": "reshape(dY, 1, -1)",
        "dS": "dR .* argmax(S, axis=0)",
        "X": "fold(dS, 2, 2, 2n, 2m, stride=2)",
    },
    "two steps in time": {
        "dz": "W^T du .* (1 - h1^2)",
        "U": "dz x1^T + du x2^T",
        "W": "dz h0^T + du h1^T",
        "b": "dz 1 + du 1",
    },
    "two heads of attention": {
        "dP1": "V[0:k, :]^T dH[0:k, :]",
        "dZ": "P1 .* (dP1 - sum(dP1 .* P1, axis=0))",
        "dV": "[dH[0:k, :] P1^T; dH[k:2k, :] P2^T]",
        "dK": "[Q[0:k, :] dZ^T; Q[k:2k, :] dU^T]",
        "dQ": "[K[0:k, :] dZ; K[k:2k, :] dU]",
    },
    "one weight for all times": {"W": "R^T reshape(dY, n t, k)", "X": "reshape(dR, n, d t)"},
    "group norm": {"X": "reshape(dS, m, 2k)^T"},
    "partners among columns": {
        "A": "(B softmax(A^T B/tau, axis=1)^T - B)/(m tau)",
    },
    "inverted dropout, the mask an input": {"W": "(5/4)((H - T) .* D .* [Z > 0]) X^T"},
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
