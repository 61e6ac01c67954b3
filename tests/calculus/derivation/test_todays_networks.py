"""The shipped examples of today's networks: proven, and held to autograd of passes written here."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import autograd
import autograd.numpy as np
import numpy
import pytest
from autograd.scipy import special

from chainrule import derive
from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.language.codegen import TARGETS, module_text
from chainrule.language.reading import load_model
from chainrule.language.typeset import plain


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    return np.exp(x) / np.sum(np.exp(x), axis=0, keepdims=True)


def normalised(x: Any) -> Any:
    gap = x - np.mean(x, axis=0, keepdims=True)
    return gap / np.sqrt(np.mean(gap**2, axis=0, keepdims=True) + 1e-3)


def gru_cell(v: SimpleNamespace) -> Any:
    r = sigmoid(v.W_r @ v.X + v.U_r @ v.H + v.b_r)
    z = sigmoid(v.W_z @ v.X + v.U_z @ v.H + v.b_z)
    g = np.tanh(v.W_g @ v.X + r * (v.U_g @ v.H) + v.b_g)
    return np.sum((g + z * (v.H - g) - v.T) ** 2) / 2


def vae(v: SimpleNamespace) -> Any:
    e = np.tanh(v.W_1 @ v.X + v.b_1)
    mean, logvar = v.W_mu @ e + v.b_mu, v.W_s @ e + v.b_s
    p = sigmoid(v.V_2 @ np.tanh(v.V_1 @ (mean + np.sqrt(np.exp(logvar)) * v.N) + v.c_1) + v.c_2)
    likelihood = np.sum(v.X * np.log(p) + (1 - v.X) * np.log(1 - p))
    divergence = np.sum(mean**2 + np.exp(logvar) - logvar - 1) / 2
    return (divergence - likelihood) / v.X.shape[1]


def info_nce(v: SimpleNamespace) -> Any:
    a, b = (x / np.sqrt(np.sum(x * x, axis=0)) for x in (v.W @ v.X, v.W @ v.Y))
    total = 0.0
    for k in range(v.X.shape[1]):
        scores = np.dot(a[:, k], b) / v.tau[0, 0]
        total = total + np.log(np.sum(np.exp(scores))) - scores[k]
    return total / v.X.shape[1]


def dpo(v: SimpleNamespace) -> Any:
    logs = np.log(softmax(v.W @ v.X))
    odds = np.sum(v.P * logs, axis=0) - np.sum(v.Q * logs, axis=0) - v.r[0]
    return -np.mean(np.log(sigmoid(v.beta[0, 0] * odds)))


def lora(v: SimpleNamespace) -> Any:
    weights = v.W_0 + v.alpha[0, 0] / len(v.A) * np.dot(v.B, v.A)
    return np.sum((np.dot(weights, v.X) - v.Y) ** 2) / 2


def focal(v: SimpleNamespace) -> Any:
    p = sigmoid(v.w @ v.X + v.b)
    return -np.sum(v.Y * (1 - p) ** v.gamma * np.log(p) + (1 - v.Y) * p**v.gamma * np.log(1 - p))


def transformer_block(v: SimpleNamespace) -> Any:
    n = normalised(v.X)
    q, k, u = v.W_Q @ n, v.W_K @ n, v.W_V @ n
    heads = []
    for time in range(v.X.shape[1]):  # a token sees itself and those before it
        scores = np.dot(k[:, : time + 1].T, q[:, time : time + 1]) / np.sqrt(len(v.W_K))
        heads.append(np.dot(u[:, : time + 1], softmax(scores)))
    a = v.X + np.dot(v.W_O, np.concatenate(heads, axis=1))
    z = np.dot(v.W_1, normalised(a)) + v.b_1
    out = a + np.dot(v.W_2, z * (1 + special.erf(z / np.sqrt(2.0))) / 2) + v.b_2
    return np.sum((out - v.Y) ** 2) / 2


def multi_head_attention(v: SimpleNamespace) -> Any:
    total = 0.0
    for x, wanted in zip(v.X, v.Y, strict=True):
        out = v.b_O
        for w_q, w_k, w_v, w_o in zip(v.W_Q, v.W_K, v.W_V, v.W_O, strict=True):
            q, k, u = np.dot(x, w_q), np.dot(x, w_k), np.dot(x, w_v)
            rows = []
            for time in range(len(x)):  # a token sees itself and those before it
                scores = np.dot(k[: time + 1], q[time : time + 1].T) / np.sqrt(w_q.shape[1])
                rows.append(np.dot(softmax(scores).T, u[: time + 1]))
            out = out + np.dot(np.concatenate(rows), w_o)
        total = total + np.sum((out - wanted) ** 2) / 2
    return total


def diffusion(v: SimpleNamespace) -> Any:
    u = v.W_1 @ (np.sqrt(v.a) * v.X + np.sqrt(1 - v.a) * v.N) + v.V_1 @ v.C + v.b_1
    return np.sum((v.W_2 @ (u / (1 + np.exp(-u))) + v.b_2 - v.N) ** 2) / v.X.shape[1]


def rnn(v: SimpleNamespace) -> Any:
    h, total = v.h_0, 0.0
    for x, wanted in ((v.X_1, v.Y_1), (v.X_2, v.Y_2), (v.X_3, v.Y_3)):
        h = np.tanh(v.W @ h + v.U @ x + v.b)
        total = total + np.sum((v.V @ h - wanted) ** 2)
    return total / (2 * v.h_0.shape[1])


NETWORKS: Mapping[str, tuple[Callable[[SimpleNamespace], Any], Mapping[str, str]]] = {
    "gru_cell": (gru_cell, {"U_g": "(dZ_1 .* R) H^T"}),
    "vae": (vae, {"W_mu": "dM E^T", "V_2": "dO D^T"}),
    "info_nce": (info_nce, {"W": "dZ X^T + dU Y^T"}),
    "dpo": (dpo, {"W": "dZ X^T"}),
    "lora": (lora, {"A": "alpha B^T (Z - Y) X^T/r", "B": "alpha(Z - Y)(A X)^T/r"}),
    "focal": (focal, {}),
    "transformer_block": (transformer_block, {"W_Q": "dQ N^T", "W_O": "dA(V P)^T"}),
    "multi_head_attention": (
        multi_head_attention,
        {"W_Q": 'einsum("bhtk,btd->hdk", dQ, X)', "b_O": "sum(dO, axis=(0, 1))"},
    ),
    "rnn": (rnn, {"W": "dZ_1 h_0^T + dZ_2 h_1^T + dZ_3 h_2^T"}),
    "diffusion": (diffusion, {"W_1": "dU Z^T"}),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_agrees_with_autograd_and_runs(name: str) -> None:
    oracle, forms = NETWORKS[name]
    model = load_model(name)
    derivation = derive(model)
    assert derivation.proven
    for variable, form in forms.items():
        matrix = derivation[variable].matrix
        assert matrix is not None
        assert plain(matrix) == form
    sizes = assignments(derivation.model, 1)[0]
    values = sample(derivation.model, sizes, numpy.random.default_rng(3))
    named = {symbol.name: numpy.asarray(value, float) for symbol, value in values.items()}
    found = gradient_values(derivation, values, sizes)
    for symbol, value in found.items():

        def cost(x: Any, name: str = symbol.name) -> Any:
            return oracle(SimpleNamespace(**{**named, name: x}))

        expected = autograd.grad(cost)(named[symbol.name])
        numpy.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-11)
    for target in TARGETS:
        if importlib.util.find_spec(target) is not None:
            space: dict[str, Any] = {"__name__": "emitted"}
            exec(module_text(program(derivation), target), space)
            assert space["check"]() < 1e-6
