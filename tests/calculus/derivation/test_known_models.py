"""Gradients of models from the literature: as strings, and by value against HIPS autograd.

Sources: MC is Petersen and Pedersen, The Matrix Cookbook (2012); PRML is Bishop, Pattern
Recognition and Machine Learning (2006), by section; ESL is Hastie, Tibshirani and Friedman, The
Elements of Statistical Learning (2009), by section; GPML is Rasmussen and Williams, Gaussian
Processes for Machine Learning (2006). Others are named in full. The strings are those of the
source with its summation written as a product of matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import autograd
import autograd.numpy as np
import numpy
import pytest

from chainrule import derive, plain
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator

SIZES = {"n": 3, "m": 4, "k": 2, "h": 5, "d": 2, "r": 2}
NORM = np.linalg.norm
BATCH = "X : (n, m)\nY : (1, m)\nw : (1, n)\n"


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any, axis: int = 0) -> Any:
    e = np.exp(z - np.max(z, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def lse(z: Any, axis: int = 0) -> Any:
    return np.log(np.sum(np.exp(z), axis=axis, keepdims=True))


Case = tuple[str, str, Mapping[str, str], Callable[..., Any]]

MODELS: tuple[Case, ...] = (
    ("MC 8.1: the Gaussian likelihood, S without symmetry",
     "X : (n, m)\nu : (n, 1)\nS : (n, n)\nD = X - u\nL = m/2 logdet(S) + trace(D^T S^-1 D)/2",
     {"S": "(m S^-T - (S^-1 D D^T S^-1)^T)/2"},
     lambda X, u, S: 2.0 * np.linalg.slogdet(S)[1]
     + np.trace((X - u).T @ np.linalg.inv(S) @ (X - u)) / 2),
    ("GPML 5.9: the marginal likelihood by K",
     "K : (n, n)\ny : (n, 1)\nL = y^T K^-1 y/2 + logdet(K)/2",
     {"K": "(K^-T - K^-T y(K^-1 y)^T)/2", "y": "(K^-1 y + K^-T y)/2"},
     lambda K, y: (y.T @ np.linalg.inv(K) @ y)[0, 0] / 2 + np.linalg.slogdet(K)[1] / 2),
    ("PRML 2.3.4: the Gaussian likelihood by the precision",
     "d : (n, 1)\nP : (n, n)\nL = d^T P d/2 - logdet(P)/2",
     {"P": "(1/2)(d d^T - P^-1)^T", "d": "(P d + P^T d)/2"},
     lambda d, P: (d.T @ P @ d)[0, 0] / 2 - np.linalg.slogdet(P)[1] / 2),
    ("PRML 1.2.4: one Gaussian",
     "x : (n, 1)\nu : (1, 1)\ns : (1, 1)\nL = n log(s) + sum((x - u)^2)/(2 s^2)",
     {"u": "-1^T (x - u)/s^2", "s": "n/s - sum((x - u)^2)/s^3"},
     lambda x, u, s: 3 * np.log(s)[0, 0] + np.sum((x - u) ** 2) / (2 * s[0, 0] ** 2)),
    ("PRML 9.2: a mixture of Gaussians",
     "X : (n, m)\nM : (n, k)\nc : (k, 1)\nD = -1/2 sum(X^2, axis=0) + M^T X - "
     "1/2 sum(M^2, axis=0)^T + c\nR = softmax(D, axis=0)\nL = -sum(logsumexp(D, axis=0))",
     {"M": "M .* (R 1)^T - X R^T", "c": "-R 1"},
     lambda X, M, c: -np.sum(lse(-np.sum(X**2, 0, keepdims=True) / 2 + M.T @ X
                                 - np.sum(M**2, 0, keepdims=True).T / 2 + c))),
    ("Cox (1972), the partial likelihood",
     "X : (n, m)\nw : (1, n)\nR : (m, m)\nd : (1, m)\ns = w X\nL = -sum(d .* (s - log(exp(s) R)))",
     {"w": "((d/(exp(s) R)) R^T .* exp(s) - d) X^T"},
     lambda X, w, R, d: -np.sum(d * (w @ X - np.log(np.exp(w @ X) @ R)))),
    ("Lafferty et al. (2001): the last step of a chain of labels",
     "f : (k, 1)\nt : (k, 1)\nA : (k, k)\na : (k, 1)\nL = logsumexp(f + A a) - t^T f",
     {"f": "softmax(f + A a) - t"},
     lambda f, t, A, a: lse(f + A @ a)[0, 0] - np.sum(t * f)),
    ("Kingma and Welling (2014): a variational autoencoder",
     "u : (k, 1)\nl : (k, 1)\ne : (k, 1)\nx : (n, 1)\nW : (n, k)\nz = u + exp(l/2) .* e\n"
     "y = W z\nL = norm(x - y)^2/2 + 1/2 sum(exp(l) + u^2 - 1 - l)",
     {"W": "-(x - y) z^T", "u": "u - W^T (x - y)"},
     lambda u, v, e, x, W: np.sum((x - W @ (u + np.exp(v / 2) * e)) ** 2) / 2
     + np.sum(np.exp(v) + u**2 - 1 - v) / 2),
    ("Mikolov et al. (2013): negative sampling",
     "v : (n, 1)\nu : (n, 1)\nN : (n, k)\nL = -log(sigmoid(u^T v)) - sum(log(sigmoid(-N^T v)))",
     {"v": "N(1 - S) - (1 - s) u", "u": "-(1 - s) v", "N": "v(1 - S)^T"},
     lambda v, u, N: -np.log(sigmoid(u.T @ v))[0, 0] - np.sum(np.log(sigmoid(-N.T @ v)))),
    ("Schroff et al. (2015): the triplet loss",
     "a : (n, 1)\np : (n, 1)\nq : (n, 1)\nt = norm(a - p)^2 - norm(a - q)^2 + 1\nL = relu(t)",
     {"a": "2 [t > 0](q - p)", "p": "-2 [t > 0](a - p)", "q": "2 [t > 0](a - q)"},
     lambda a, p, q: np.maximum(np.sum((a - p) ** 2) - np.sum((a - q) ** 2) + 1, 0)),
    ("Hu et al. (2021): LoRA",
     "X : (n, m)\nW : (h, n)\nA : (r, n)\nB : (h, r)\nG : (h, m)\nZ = W X + B A X\n"
     "L = sum(G .* Z)",
     {"A": "B^T G X^T", "B": "G(A X)^T"},
     lambda X, W, A, B, G: np.sum(G * (W @ X + B @ A @ X))),
    ("Lin et al. (2017): the focal loss",
     "z : (1, 1)\np = sigmoid(z)\nL = -(1 - p)^2 log(p)",
     {"z": "(2 log(p) p + p - 1)(1 - p)^2"},
     lambda z: -((1 - sigmoid(z)) ** 2 * np.log(sigmoid(z)))[0, 0]),
    ("van den Oord et al. (2018): InfoNCE",
     "Z : (m, m)\nt : (1, 1)\nJ = -trace(log_softmax(Z/t, axis=1))",
     {"Z": "(softmax(Z/t, axis=1) - eye(m))/t"},
     lambda Z, t: -np.trace(Z / t - lse(Z / t, 1))),
    ("Rafailov et al. (2023): DPO",
     "a : (1, 1)\nb : (1, 1)\nc : (1, 1)\nL = -log(sigmoid(c (a - b)))",
     {"a": "-(1 - s) c", "b": "(1 - s) c"},
     lambda a, b, c: -np.log(sigmoid(c * (a - b)))[0, 0]),
    ("Bradley and Terry (1952)",
     "a : (1, 1)\nb : (1, 1)\nL = -log(sigmoid(a - b))",
     {"a": "-(1 - s)", "b": "1 - s"},
     lambda a, b: -np.log(sigmoid(a - b))[0, 0]),
    ("Williams (1992): REINFORCE with a softmax",
     "z : (k, 1)\na : (k, 1)\nr : (1, 1)\np = softmax(z)\nL = -r a^T log(p)",
     {"z": "r(sum(a) p - a)"},
     lambda z, a, r: -(r * np.sum(a * np.log(softmax(z))))[0, 0]),
    ("the entropy of a softmax, Ahmed et al. (2019)",
     "z : (k, 1)\np = softmax(z)\nL = -p^T log(p)",
     {"z": "-p .* (log(p) - log(p)^T p)"},
     lambda z: -np.sum(softmax(z) * np.log(softmax(z)))),
    ("Hinton et al. (2015): distillation",
     "z : (k, 1)\nq : (k, 1)\np = softmax(z)\nL = sum(q .* log(q)) - q^T log(p)",
     {"z": "1^T q p - q"},
     lambda z, q: np.sum(q * np.log(q)) - np.sum(q * np.log(softmax(z)))),
    ("PRML 4.3.2: logistic regression by its logits",
     "Z : (1, m)\nY : (1, m)\nJ = sum(softplus(Z) - Y .* Z)",
     {"Z": "sigmoid(Z) - Y"},
     lambda Z, Y: np.sum(np.log(1 + np.exp(Z)) - Y * Z)),
    ("PRML 4.3.2 with its sigmoid written out",
     BATCH + "A = 1/(1 + exp(-w X))\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))",
     {"w": "(A - Y) X^T"},
     lambda X, Y, w: -np.sum(Y * np.log(sigmoid(w @ X)) + (1 - Y) * np.log(1 - sigmoid(w @ X)))),
    ("ESL 10.5: margins",
     BATCH + "J = mean(log(1 + exp(-Y .* (w X))))",
     {"w": "-(Y .* sigmoid(-Y .* w X)) X^T/m"},
     lambda X, Y, w: np.mean(np.log(1 + np.exp(-Y * (w @ X))))),
    ("ESL 3.4.1: ridge regression",
     "X : (m, n)\ny : (m, 1)\nw : (n, 1)\nc : (1, 1)\nL = norm(X w - y)^2 + c norm(w)^2",
     {"w": "2 X^T (X w - y) + 2 c w"},
     lambda X, y, w, c: np.sum((X @ w - y) ** 2) + c[0, 0] * np.sum(w**2)),
    ("ESL 3.2: the mean squared error",
     BATCH + "b : (1, 1)\nL = 1/(2 m) sum((w X + b - Y)^2)",
     {"w": "(w X + b - Y) X^T/m", "b": "(w X + b - Y) 1/m"},
     lambda X, Y, w, b: np.sum((w @ X + b - Y) ** 2) / 8),
    ("ESL 12.3.2: the support vector machine",
     BATCH + "c : (1, 1)\nL = c/2 norm(w)^2 + mean(relu(1 - Y .* (w X)))",
     {"w": "c w - ([Z > 0] .* Y) X^T/m"},
     lambda X, Y, w, c: c[0, 0] / 2 * np.sum(w**2) + np.mean(np.maximum(1 - Y * (w @ X), 0))),
    ("ESL 10.6: the pseudo-Huber loss",
     BATCH + "R = w X - Y\nL = sum(sqrt(1 + R^2) - 1)",
     {"w": "(R/sqrt(1 + R^2)) X^T"},
     lambda X, Y, w: np.sum(np.sqrt(1 + (w @ X - Y) ** 2) - 1)),
    ("log-cosh, by its hyperbolic cosine",
     BATCH + "R = w X - Y\nL = sum(log(cosh(R)))",
     {"w": "tanh(R) X^T"},
     lambda X, Y, w: np.sum(np.log(np.cosh(w @ X - Y)))),
    ("McCullagh and Nelder (1989): exponential regression",
     BATCH + "r = exp(w X)\nL = sum(r .* Y - log(r))",
     {"w": "(Y .* r - 1) X^T"},
     lambda X, Y, w: np.sum(np.exp(w @ X) * Y - w @ X)),
    ("McCullagh and Nelder (1989): gamma regression",
     BATCH + "Z = w X\nL = sum(Y .* exp(-Z) + Z)",
     {"w": "(1 - Y .* exp(-Z)) X^T"},
     lambda X, Y, w: np.sum(Y * np.exp(-w @ X) + w @ X)),
    ("Hilbe (2011): the negative binomial",
     "Z : (1, m)\nY : (1, m)\nr : (1, 1)\nL = sum((Y + r) .* log(r + exp(Z)) - Y .* Z)",
     {"Z": "r(exp(Z) - Y)/(r + exp(Z))"},
     lambda Z, Y, r: np.sum((Y + r) * np.log(r + np.exp(Z)) - Y * Z)),
    ("Koren et al. (2009): matrix factorisation with a mask",
     "R : (n, m)\nU : (n, k)\nV : (k, m)\nM : (n, m)\nL = 1/2 norm(M .* (R - U V))^2",
     {"U": "-(M^2 .* (R - U V)) V^T", "V": "-U^T (M^2 .* (R - U V))"},
     lambda R, U, V, M: np.sum((M * (R - U @ V)) ** 2) / 2),
    ("MC 119: a linear map between two others",
     "X : (n, m)\nA : (k, n)\nB : (m, d)\nC : (k, d)\nL = norm(A X B - C)^2",
     {"X": "2 A^T (A X B - C) B^T"},
     lambda X, A, B, C: np.sum((A @ X @ B - C) ** 2)),
    ("MC 2.5.2: Tr(X A X^T)",
     "X : (m, n)\nA : (n, n)\nL = trace(X A X^T)",
     {"X": "X A^T + X A"},
     lambda X, A: np.trace(X @ A @ X.T)),
    ("MC 2.5.3: the fourth power under a trace",
     "X : (n, m)\nL = trace(X X^T X X^T)",
     {"X": "4 X X^T X"},
     lambda X: np.trace(X @ X.T @ X @ X.T)),
    ("MC 2.5.3: a cube under a trace",
     "X : (n, n)\nL = trace(X X X)",
     {"X": "3(X X)^T"},
     lambda X: np.trace(X @ X @ X)),
    ("MC 57, scaled",
     "S : (n, n)\nL = n/2 logdet(S)",
     {"S": "(n/2) S^-T"},
     lambda S: 1.5 * np.linalg.slogdet(S)[1]),
    ("MC 8.5: the Wishart density",
     "X : (n, n)\nV : (n, n)\nk : (1, 1)\nL = k/2 logdet(X) - trace(V^-1 X)/2",
     {"X": "(1/2)(k X^-1 - V^-1)^T"},
     lambda X, V, k: k[0, 0] / 2 * np.linalg.slogdet(X)[1]
     - np.trace(np.linalg.inv(V) @ X) / 2),
    ("LeCun et al. (2012): the written-out tanh",
     "x : (n, 1)\nL = sum((exp(x) - exp(-x))/(exp(x) + exp(-x)))",
     {"x": "1 - tanh(x)^2"},
     lambda x: np.sum(np.tanh(x))),
    ("Ramachandran et al. (2017): swish, written out",
     "x : (n, 1)\nL = sum(x/(1 + exp(-x)))",
     {"x": "sigmoid(x) .* (1 + x .* (1 - sigmoid(x)))"},
     lambda x: np.sum(x * sigmoid(x))),
    ("Bridle (1990): the softmax, written out, any upstream gradient",
     "z : (k, 1)\nt : (k, 1)\np = exp(z)/sum(exp(z))\nL = t^T p",
     {"z": "p .* (t - t^T p)"},
     lambda z, t: np.sum(t * softmax(z))),
    ("Bahdanau et al. (2015): attention weights, written out",
     "S : (n, m)\nV : (m, d)\nG : (n, d)\nP = exp(S)/sum(exp(S), axis=1)\nO = P V\n"
     "L = sum(G .* O)",
     {"V": "P^T G"},
     lambda S, V, G: np.sum(G * (softmax(S, 1) @ V))),
    ("weight decay beside a mean, Krogh and Hertz (1992)",
     BATCH + "b : (1, 1)\nc : (1, 1)\nA = sigmoid(w X + b)\n"
     "J = -1/m sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + c/2 w w^T",
     {"w": "(A - Y) X^T/m + c w", "b": "(A - Y) 1/m"},
     lambda X, Y, w, b, c: -np.mean(Y * np.log(sigmoid(w @ X + b))
                                    + (1 - Y) * np.log(1 - sigmoid(w @ X + b)))
     + c[0, 0] / 2 * np.sum(w**2)),
    ("van der Maaten and Hinton (2008): the divergence by q",
     "q : (n, 1)\np : (n, 1)\nL = sum(p .* log(p/q))",
     {"q": "-p/q"},
     lambda q, p: np.sum(p * np.log(p / q))),
)  # fmt: skip


@pytest.fixture(scope="module")
def known() -> dict[str, Derivation]:
    return {}


def derived(known: dict[str, Derivation], case: Case) -> Derivation:
    source, text, wanted, _ = case
    if source not in known:
        known[source] = derive(text, list(wanted))
    return known[source]


@pytest.mark.parametrize("case", MODELS, ids=[case[0] for case in MODELS])
def test_the_gradient_reads_as_in_the_source(case: Case, known: dict[str, Derivation]) -> None:
    derivation = derived(known, case)
    assert derivation.proven
    assert {n: plain(g.final) for n, g in derivation.gradients.items()} == dict(case[2])


@pytest.mark.parametrize("case", MODELS, ids=[case[0] for case in MODELS])
def test_the_gradient_agrees_with_autograd(case: Case, known: dict[str, Derivation]) -> None:
    derivation, oracle = derived(known, case), case[3]
    inputs = sample(derivation)
    values = forward(derivation.model, inputs, SIZES)
    for name, layer in derivation.layers.items():
        assert layer.matrix is not None
        values[name] = Evaluator(values, SIZES, FLOATS).value(layer.matrix)
    arrays = list(inputs.values())
    for k, symbol in enumerate(inputs):
        if symbol.name not in case[2]:
            continue
        expected = autograd.grad(oracle, k)(*arrays)
        found = Evaluator(values, SIZES, FLOATS).value(derivation[symbol.name].final)
        numpy.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def sample(derivation: Derivation) -> dict[Any, Any]:
    """Draw positive inputs, square ones close to the identity, so that all is defined."""
    rng = numpy.random.default_rng(7)
    found = {}
    for symbol in derivation.model.inputs:
        shape = tuple(SIZES[str(d)] if str(d) in SIZES else int(str(d)) for d in symbol.shape)
        drawn = rng.uniform(0.2, 0.9, shape)
        square = shape[0] == shape[1] > 1
        found[symbol] = drawn + 2 * numpy.eye(shape[0]) if square else drawn
    return found


def test_the_table_is_no_smaller_than_promised() -> None:
    assert len(MODELS) >= 40
    assert len({case[0] for case in MODELS}) == len(MODELS)
