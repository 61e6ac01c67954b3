"""Gradients through the rows for softmax, extremes and square matrices, against three oracles.

Every forward pass is written in NumPy by hand, differentiated by HIPS autograd, by PyTorch and by
JAX where they are installed (`pip install chainrule[autodiff]`), and compared at three assignments
of sizes, in matrix form and in index form.
"""

# ruff: noqa: E501  (a model and its oracle stand on one line each)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import autograd
import autograd.numpy
import numpy
import pytest

from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import forward, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.proof.gradients import gathered, with_layers
from chainrule.language.reading import read_model

SIZES = (
    {"n": 3, "m": 4, "h": 2, "k": 5, "d": 6},
    {"n": 5, "m": 2, "h": 3, "k": 4, "d": 7},
    {"n": 2, "m": 7, "h": 4, "k": 3, "d": 5},
)


class Library:
    """The array library that the oracles below compute with; one at a time."""

    def __init__(self) -> None:
        self.now: Any = autograd.numpy

    def __getattr__(self, name: str) -> Any:
        return getattr(self.now, name)


np = Library()


class Torch:
    """PyTorch, spelled as NumPy, so far as the oracles need it."""

    def __init__(self, torch: Any) -> None:
        self.torch = torch
        self.linalg = torch.linalg

    def __getattr__(self, name: str) -> Any:
        return lambda x: getattr(self.torch, name)(
            self.torch.as_tensor(x, dtype=self.torch.float64)
        )

    def sum(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return self.torch.sum(
            x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims
        )

    def mean(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return self.torch.mean(
            x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims
        )

    def max(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return self.torch.amax(
            x, dim=tuple(range(x.ndim)) if axis is None else axis, keepdim=keepdims
        )

    def min(self, x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
        return -self.max(-x, axis, keepdims)

    def var(self, x: Any, ddof: int) -> Any:
        return self.torch.var(x, correction=ddof)

    def where(self, mask: Any, yes: Any, no: Any) -> Any:
        return self.torch.where(mask, yes, no)

    def maximum(self, x: Any, floor: float) -> Any:
        return self.torch.clamp(x, min=floor)

    def eye(self, size: int) -> Any:
        return self.torch.eye(size, dtype=self.torch.float64)


def by_autograd(oracle: Callable[..., Any], inputs: list[Any], place: int) -> Any:
    np.now = autograd.numpy
    return autograd.grad(oracle, place)(*inputs)


def by_torch(oracle: Callable[..., Any], inputs: list[Any], place: int) -> Any:
    torch = pytest.importorskip("torch", reason="chainrule[autodiff] is not installed")
    np.now = Torch(torch)
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    return torch.autograd.grad(oracle(*tensors), tensors[place])[0].numpy()


def by_jax(oracle: Callable[..., Any], inputs: list[Any], place: int) -> Any:
    jax = pytest.importorskip("jax", reason="chainrule[autodiff] is not installed")
    jax.config.update("jax_enable_x64", True)
    np.now = jax.numpy
    return numpy.asarray(jax.grad(oracle, place)(*inputs))


ORACLES = (by_autograd, by_torch, by_jax)


def inv(x: Any) -> Any:
    return np.linalg.inv(x)


def det(x: Any) -> Any:
    return np.linalg.det(x)


def logdet(x: Any) -> Any:
    return np.linalg.slogdet(x)[1]


def lse(z: Any, axis: int | None = None) -> Any:
    return np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


def soft(z: Any, axis: int | None = None) -> Any:
    return np.exp(z) / np.sum(np.exp(z), axis=axis, keepdims=True)


def mean(x: Any, axis: int | None = None) -> Any:
    return np.mean(x, axis=axis, keepdims=True)


def var(x: Any, axis: int | None = None) -> Any:
    return np.mean((x - mean(x, axis)) ** 2, axis=axis, keepdims=True)


def sig(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


SQ = "X : (n, n)\nA : (n, n)\nB : (n, n)\na : (n, 1)\nb : (n, 1)\n"
SC = "Z : (k, m)\nY : (k, m)\n"
XY = "X : (n, m)\nD : (n, m)\n"
AB = "a : (n, 1)\nb : (n, 1)\n"
QK = "Q : (n, d)\nK : (m, d)\nV : (m, h)\nG : (n, h)\n"
NET = "X : (n, m)\nY : (k, m)\nW : (k, n)\nb : (k, 1)\n"

MODELS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    # square matrices
    (SQ + "L = trace(X)", "X", lambda X, A, B, a, b: np.trace(X)),
    (SQ + "L = trace(A X B)", "X A B", lambda X, A, B, a, b: np.trace(A @ X @ B)),
    (SQ + "L = trace(X X B)", "X B", lambda X, A, B, a, b: np.trace(X @ X @ B)),
    (SQ + "L = trace(X^T B X A)", "X A", lambda X, A, B, a, b: np.trace(X.T @ B @ X @ A)),
    (SQ + "L = trace(X)^2", "X", lambda X, A, B, a, b: np.trace(X) ** 2),
    (SQ + "L = a^T X^-1 b", "X a b", lambda X, A, B, a, b: np.sum(a * (inv(X) @ b))),
    (SQ + "L = trace(A X^-1 B)", "X A", lambda X, A, B, a, b: np.trace(A @ inv(X) @ B)),
    (SQ + "L = trace((X + A)^-1)", "X A", lambda X, A, B, a, b: np.trace(inv(X + A))),
    (SQ + "P = inv(X)\nL = norm(P a - b)^2", "X a", lambda X, A, B, a, b: np.sum((inv(X) @ a - b) ** 2)),
    (SQ + "L = det(X)", "X", lambda X, A, B, a, b: det(X)),
    (SQ + "L = det(A X)", "X A", lambda X, A, B, a, b: det(A @ X)),
    (SQ + "L = det(X)^2", "X", lambda X, A, B, a, b: det(X) ** 2),
    (SQ + "L = logdet(X)", "X", lambda X, A, B, a, b: logdet(X)),
    (SQ + "L = logdet(A X B)", "X B", lambda X, A, B, a, b: logdet(A @ X @ B)),
    (SQ + "L = 1/2 logdet(X) + 1/2 a^T X^-1 a", "X a", lambda X, A, B, a, b: (logdet(X) + np.sum(a * (inv(X) @ a))) / 2),
    (SQ + "L = norm(diag(X))^2", "X", lambda X, A, B, a, b: np.sum(np.diag(X) ** 2)),
    (SQ + "L = a^T diag(X)", "X a", lambda X, A, B, a, b: np.sum(a[:, 0] * np.diag(X))),
    (SQ + "L = trace(diag(a) X)", "X a", lambda X, A, B, a, b: np.sum(a[:, 0] * np.diag(X))),
    (SQ + "L = norm(diag(a) X diag(b))^2", "X a b", lambda X, A, B, a, b: np.sum((a * X * b.T) ** 2)),
    (SQ + "L = norm(outer(a, b) - X)^2/2", "X a b", lambda X, A, B, a, b: np.sum((a @ b.T - X) ** 2) / 2),
    (SQ + "L = norm(X - eye(n))^2", "X", lambda X, A, B, a, b: np.sum((X - np.eye(len(X))) ** 2)),
    (SQ + "L = norm(X^T X - eye(n))^2", "X", lambda X, A, B, a, b: np.sum((X.T @ X - np.eye(len(X))) ** 2)),
    (SQ + "L = sum(ones(1, n) X)", "X", lambda X, A, B, a, b: np.sum(X)),
    # extremes
    (XY + "J = sum(max(X, axis=0))", "X", lambda X, D: np.sum(np.max(X, axis=0))),
    (XY + "J = sum(max(X, axis=1)^2)", "X", lambda X, D: np.sum(np.max(X, axis=1) ** 2)),
    (XY + "J = max(X)^2", "X", lambda X, D: np.max(X) ** 2),
    (XY + "J = sum(min(X, axis=0) .* max(D, axis=0))", "X D", lambda X, D: np.sum(np.min(X, axis=0) * np.max(D, axis=0))),
    (XY + "J = sum(max(X, D))", "X D", lambda X, D: np.sum(np.where(X > D, X, D))),
    (XY + "J = sum(min(X, D)^2)", "X D", lambda X, D: np.sum(np.where(X > D, D, X) ** 2)),
    (XY + "J = sum((X - max(X, axis=0))^2)", "X", lambda X, D: np.sum((X - np.max(X, axis=0, keepdims=True)) ** 2)),
    (XY + "J = sum(where([X > 0], X^2, D))", "X D", lambda X, D: np.sum(np.where(X > 0, X**2, D))),
    (XY + "J = sum(D .* [X > 0])", "D", lambda X, D: np.sum(D * (X > 0))),
    ("w : (1, n)\nX : (n, m)\nM = max(tanh(w X))\nL = M^2", "w", lambda w, X: np.max(np.tanh(w @ X)) ** 2),
    # sine and cosine
    (AB + "L = sum(sin(a) .* cos(b))", "a b", lambda a, b: np.sum(np.sin(a) * np.cos(b))),
    (AB + "L = sum(sin(a)^2 + cos(a)^2)", "a", lambda a, b: 0 * np.sum(a)),
    ("w : (1, n)\nX : (n, m)\nL = sum(sin(w X))", "w", lambda w, X: np.sum(np.sin(w @ X))),
    # softmax and its kin
    (AB + "L = logsumexp(a)", "a", lambda a, b: lse(a)[0, 0]),
    (AB + "L = b^T softmax(a)", "a b", lambda a, b: np.sum(b * soft(a))),
    (AB + "L = b^T log_softmax(a)", "a b", lambda a, b: np.sum(b * (a - lse(a)))),
    (AB + "p = softmax(a)\nL = -sum(p .* log(p))", "a", lambda a, b: -np.sum(soft(a) * np.log(soft(a)))),
    (AB + "p = softmax(a)\nq = softmax(b)\nL = sum(p .* (log(p) - log(q)))", "a b", lambda a, b: np.sum(soft(a) * (np.log(soft(a)) - np.log(soft(b))))),
    (AB + "p = softmax(a)\nL = norm(p - b)^2", "a b", lambda a, b: np.sum((soft(a) - b) ** 2)),
    (AB + "L = norm(softmax(softmax(a)) - b)^2", "a", lambda a, b: np.sum((soft(soft(a)) - b) ** 2)),
    (SC + "J = sum(logsumexp(Z, axis=0))", "Z", lambda Z, Y: np.sum(lse(Z, 0))),
    (SC + "J = sum(logsumexp(Z, axis=1)^2)", "Z", lambda Z, Y: np.sum(lse(Z, 1) ** 2)),
    (SC + "J = sum(Y .* softmax(Z, axis=0))", "Z Y", lambda Z, Y: np.sum(Y * soft(Z, 0))),
    (SC + "J = sum(Y .* softmax(Z, axis=1))", "Z Y", lambda Z, Y: np.sum(Y * soft(Z, 1))),
    (SC + "P = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))", "Z Y", lambda Z, Y: -np.sum(Y * np.log(soft(Z, 0)))),
    (SC + "P = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", "Z", lambda Z, Y: -np.sum(Y * np.log(soft(Z, 0)))),
    (SC + "J = -sum(Y .* log_softmax(Z, axis=1))\nonehot: Y^T", "Z", lambda Z, Y: -np.sum(Y * (Z - lse(Z, 1)))),
    (SC + "J = cross_entropy(Y, softmax(Z, axis=0))", "Z", lambda Z, Y: -np.sum(Y * np.log(soft(Z, 0)))),
    (SC + "P = softmax(Z, axis=0)\nJ = sum((P - Y)^2)", "Z Y", lambda Z, Y: np.sum((soft(Z, 0) - Y) ** 2)),
    (SC + "P = softmax(Z, axis=0)\nJ = -sum((1 - P)^2 .* Y .* log(P))", "Z", lambda Z, Y: -np.sum((1 - soft(Z, 0)) ** 2 * Y * np.log(soft(Z, 0)))),
    (SC + "t : (1, 1)\nP = softmax(Z/t, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", "Z", lambda Z, Y, t: -np.sum(Y * np.log(soft(Z / t, 0)))),
    (SC + "s : (1, m)\nP = softmax(Z, axis=0)\nJ = -sum(s .* Y .* log(P))\nonehot: Y", "Z s", lambda Z, Y, s: -np.sum(s * Y * np.log(soft(Z, 0)))),
    (SC + "S = 0.9 Y + 0.1/k\nP = softmax(Z, axis=0)\nJ = -sum(S .* log(P))\nonehot: Y", "Z", lambda Z, Y: -np.sum((0.9 * Y + 0.1 / len(Y)) * np.log(soft(Z, 0)))),
    (SC + "E = exp(Z)\nP = E/sum(E, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", "Z", lambda Z, Y: -np.sum(Y * np.log(soft(Z, 0)))),
    (NET + "Z = W X + b\nP = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", "W b X", lambda X, Y, W, b: -np.sum(Y * np.log(soft(W @ X + b, 0)))),
    (NET + "Z = W X + b\nP = softmax(Z, axis=0)\nJ = -1/m sum(Y .* log(P)) + norm(W)^2/2", "W b", lambda X, Y, W, b: -np.sum(Y * np.log(soft(W @ X + b, 0))) / X.shape[1] + np.sum(W**2) / 2),
    (NET + "J = sum(logsumexp(W X + b, axis=0)) - sum(Y .* (W X + b))\nonehot: Y", "W b", lambda X, Y, W, b: np.sum(lse(W @ X + b, 0)) - np.sum(Y * (W @ X + b))),
    ("X : (m, n)\nY : (m, k)\nW : (n, k)\nb : (1, k)\nP = softmax(X W + b, axis=1)\nJ = -sum(Y .* log(P))\nonehot: Y^T", "W b X", lambda X, Y, W, b: -np.sum(Y * np.log(soft(X @ W + b, 1)))),
    ("Z : (n, n)\nJ = -trace(log_softmax(Z, axis=1))", "Z", lambda Z: -np.trace(Z - lse(Z, 1))),
    ("U : (n, k)\nv : (n, 1)\ny : (k, 1)\np = softmax(U^T v)\nL = -y^T log(p)\nonehot: y", "U v", lambda U, v, y: -np.sum(y * np.log(soft(U.T @ v)))),
    # networks that end in a softmax
    ("X : (n, m)\nY : (k, m)\nW1 : (h, n)\nc : (h, 1)\nW2 : (k, h)\nA = relu(W1 X + c)\nP = softmax(W2 A, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", "W1 c W2", lambda X, Y, W1, c, W2: -np.sum(Y * np.log(soft(W2 @ np.maximum(W1 @ X + c, 0.0), 0)))),
    ("X : (n, m)\nY : (k, m)\nW1 : (h, n)\nW2 : (k, h)\nA = softmax(W1 X, axis=0)\nP = softmax(W2 A, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", "W1 W2", lambda X, Y, W1, W2: -np.sum(Y * np.log(soft(W2 @ soft(W1 @ X, 0), 0)))),
    ("x : (n, 1)\nE : (h, n)\nV : (k, h)\nu = max(E x, V^T softmax(V (E x)))\nL = norm(u)^2", "E V", lambda x, E, V: np.sum(np.where(E @ x > V.T @ soft(V @ (E @ x)), E @ x, V.T @ soft(V @ (E @ x))) ** 2)),
    # attention
    (QK + "O = softmax(Q K^T/sqrt(d), axis=1) V\nJ = sum(G .* O)", "Q K V", lambda Q, K, V, G: np.sum(G * (soft(Q @ K.T / np.sqrt(Q.shape[1]), 1) @ V))),
    (QK + "O = softmax(Q K^T, axis=1) V\nJ = norm(O - G)^2/2", "Q K V", lambda Q, K, V, G: np.sum((soft(Q @ K.T, 1) @ V - G) ** 2) / 2),
    (QK + "M : (n, m)\nP = softmax(Q K^T + M, axis=1)\nO = P V\nJ = sum(G .* tanh(O))", "Q K V M", lambda Q, K, V, G, M: np.sum(G * np.tanh(soft(Q @ K.T + M, 1) @ V))),
    ("X : (n, d)\nA : (d, h)\nB : (d, h)\nC : (d, h)\nP = softmax((X A)(X B)^T, axis=1)\nO = P (X C)\nJ = norm(O)^2", "A B C X", lambda X, A, B, C: np.sum((soft((X @ A) @ (X @ B).T, 1) @ (X @ C)) ** 2)),
    # normalisation
    (XY + "J = sum(variance(X, axis=1))", "X", lambda X, D: np.sum(var(X, 1))),
    (XY + "J = variance(X)", "X", lambda X, D: np.sum(var(X))),
    ("x : (n, 1)\nL = variance(x, ddof=1)", "x", lambda x: np.var(x, ddof=1)),
    (XY + "C = X - mean(X, axis=1)\nJ = sum(D .* tanh(C))", "X", lambda X, D: np.sum(D * np.tanh(X - mean(X, 1)))),
    (XY + "C = X - mean(X)\nJ = sum(D .* C^3)", "X", lambda X, D: np.sum(D * (X - mean(X)) ** 3)),
    (XY + "H = (X - mean(X, axis=1))/sqrt(variance(X, axis=1))\nJ = sum(D .* H)", "X D", lambda X, D: np.sum(D * (X - mean(X, 1)) / np.sqrt(var(X, 1)))),
    (XY + "H = (X - mean(X, axis=0))/sqrt(variance(X, axis=0) + 0.1)\nJ = sum(D .* H)", "X", lambda X, D: np.sum(D * (X - mean(X, 0)) / np.sqrt(var(X, 0) + 0.1))),
    (XY + "g : (n, 1)\nc : (n, 1)\nH = (X - mean(X, axis=1))/sqrt(variance(X, axis=1) + 0.1)\nY = g .* H + c\nJ = norm(Y - D)^2/2", "X g c", lambda X, D, g, c: np.sum((g * (X - mean(X, 1)) / np.sqrt(var(X, 1) + 0.1) + c - D) ** 2) / 2),
    (XY + "g : (n, 1)\nM = mean(X, axis=1)\nC = X - M\nv = mean(C^2, axis=1)\ns = sqrt(v + 0.1)\nH = C/s\nY = g .* H\nJ = sum(D .* tanh(Y))", "X g", lambda X, D, g: np.sum(D * np.tanh(g * (X - mean(X, 1)) / np.sqrt(var(X, 1) + 0.1)))),
    (AB + "h = a/sqrt(mean(a^2))\nL = b^T h", "a b", lambda a, b: np.sum(b * a / np.sqrt(np.mean(a**2)))),
    (AB + "u = a/norm(a)\nL = b^T u", "a b", lambda a, b: np.sum(b * a) / np.sqrt(np.sum(a**2))),
    (AB + "c = a^T b/(norm(a) norm(b))\nL = (1 - c)^2", "a b", lambda a, b: (1 - np.sum(a * b) / np.sqrt(np.sum(a**2) * np.sum(b**2))) ** 2),
    # linear algebra on the way
    ("A : (m, n)\nx : (n, 1)\nb : (m, 1)\nL = logsumexp(A x + b)", "A x b", lambda A, x, b: lse(A @ x + b)[0, 0]),
    ("A : (m, n)\nx : (n, 1)\nb : (m, 1)\nL = sum(1/(2 + sin(b - A x)))", "A x b", lambda A, x, b: np.sum(1 / (2 + np.sin(b - A @ x)))),
    ("A : (m, n)\nr : (m, 1)\nL = sum(A/exp(r))", "A r", lambda A, r: np.sum(A / np.exp(r))),
    ("x : (n, 1)\nu : (n, 1)\nS : (n, n)\nd = x - u\nL = d^T S^-1 d", "x u S", lambda x, u, S: np.sum((x - u) * (inv(S) @ (x - u)))),
)  # fmt: skip


def name(text: str) -> str:
    return " ; ".join(line for line in text.splitlines() if "=" in line)


@cache
def derived(text: str, wrt: str) -> Derivation:
    return derive(text, wrt.split())


@pytest.mark.parametrize("differentiate", ORACLES)
@pytest.mark.parametrize(
    ("text", "wrt", "oracle"), MODELS, ids=[name(text) for text, _, _ in MODELS]
)
def test_both_forms_agree_with_automatic_differentiation(
    text: str,
    wrt: str,
    oracle: Callable[..., Any],
    differentiate: Callable[[Callable[..., Any], list[Any], int], Any],
) -> None:
    model = read_model(text)
    derivation = derived(text, wrt)
    assert derivation.proven
    for seed, sizes in enumerate(SIZES):
        values = sample(model, sizes, numpy.random.default_rng(seed))
        inputs = [values[s] for s in model.inputs]
        given = forward(derivation.model, {s: values[s] for s in model.inputs}, sizes)
        known = with_layers(derivation, given, sizes)
        for variable in wrt.split():
            place = [s.name for s in model.inputs].index(variable)
            expected = differentiate(oracle, inputs, place)
            gradient = derivation[variable]
            for form in {gradient, replace(gradient, matrix=None)}:
                found = gathered(Evaluator(known, sizes, FLOATS), form)
                scale = 1 + numpy.abs(expected).max()
                numpy.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9 * scale)


@pytest.mark.parametrize(
    ("text", "wrt"), [(text, wrt) for text, wrt, _ in MODELS], ids=[name(t) for t, _, _ in MODELS]
)
def test_a_matrix_form_expands_and_collapses_to_itself(
    text: str, wrt: str, assert_there_and_back: Callable[[Derivation], None]
) -> None:
    assert_there_and_back(derived(text, wrt))


def test_there_are_as_many_as_promised() -> None:
    assert sum(len(wrt.split()) for _, wrt, _ in MODELS) >= 150
    assert len({text for text, _, _ in MODELS}) == len(MODELS)
