"""Gradients in the form that a teacher writes: kinds of ugly results, each with its short form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from chainrule import derive, plain
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.graph.node import Number, Symbol, symbols
from chainrule.calculus.ops import matmul, mul, transpose
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.calculus.rewriting.layout import laid_out

SCORES = "Z : (k, m)\nY : (k, m)\n"
VECTORS = "z : (k, 1)\nt : (k, 1)\n"
LINE = "x : (n, 1)\n"
BATCH = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\n"

MIXTURE = (
    "x : (1, m)\np, u, v, s : (1, 1)\nf = exp(-(x - u)^2/(2 s^2))/(s sqrt(2 pi))\n"
    "g = exp(-(x - v)^2/(2 s^2))/(s sqrt(2 pi))\nJ = -sum(log(p f + (1 - p) g))\n"
)

FORMS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("the mean is taken off", LINE + "y : (n, 1)\nL = sum((x - mean(x)) .* (y - mean(y)))\nwrt: x",
     {"x": "y - mean(y)"}),
    ("a number leaves the sum", LINE + "L = mean((x - mean(x)) .^ 3)",
     {"x": "3((x - mean(x))^2 - mean((x - mean(x))^2))/n"}),
    ("no sigmoid in a mixture",
     "p, u, v : (1, 1)\nL = log(p exp(-u^2/2) + (1 - p) exp(-v^2/2))\nwrt: p",
     {"p": "(exp(-u^2/2) - exp(-v^2/2))/(p exp(-u^2/2) + (1 - p) exp(-v^2/2))"}),
    ("a softmax below another sum",
     VECTORS + "s : (1, 1)\nL = t^T (exp(z/s)/sum(exp(z/s)))\nwrt: s",
     {"s": "(softmax(z/s) .* z)^T (t^T softmax(z/s) - t)/s^2"}),
    # Below one line, with products of matrices.
    ("a Dice loss of scores", "X : (n, m)\ny : (1, m)\nw : (1, n)\nP = sigmoid(w X)\n"
     "J = 1 - 2 sum(P .* y)/(sum(P^2) + sum(y^2))\nwrt: w",
     {"w": "2(P .* (2 P y^T P - (sum(P^2) + sum(y^2)) y) .* (1 - P)) X^T/(sum(P^2) + sum(y^2))^2"}),
    ("a Rayleigh quotient", "w : (n, 1)\nS : (n, n) symmetric\nT : (n, n) symmetric\n"
     "J = (w^T S w)/(w^T T w)\nwrt: w", {"w": "2(S w - w^T S w T w/(w^T T w))/(w^T T w)"}),
    ("a Mahalanobis distance", "x, c : (n, 1)\nL : (n, n)\nd = sqrt((x - c)^T L L^T (x - c))\n"
     "J = d\nwrt: L, c", {"L": "(x - c)(x - c)^T L/d", "c": "-L L^T (x - c)/d"}),
    ("principal components", "X : (n, m)\nW : (n, k)\nJ = ||X - W W^T X||^2/m\nwrt: W",
     {"W": "-2(X(X - W W^T X)^T W + (X - W W^T X) X^T W)/m"}),
    # Powers and squares as they were written.
    ("a Weibull likelihood", "t, d : (1, m)\nX : (n, m)\nw : (1, n)\nk : (1, 1)\nr = exp(w X)\n"
     "J = sum((r .* t)^k - k d .* log(r .* t))\nwrt: w", {"w": "k((r .* t)^k - d) X^T"}),
    ("Student's t", "x : (1, m)\nu, s, v : (1, 1)\n"
     "L = (v + 1)/2 sum(log(1 + ((x - u)/s)^2/v))\nwrt: u",
     {"u": "-((v + 1)(x - u)/((x - u)^2 + s^2 v)) 1"}),
    ("a mask of the negative", "r : (1, m)\nq : (1, 1)\nJ = sum(abs(q - [r < 0]) .* r^2)\nwrt: r",
     {"r": "2 abs(q - [r < 0]) .* r"}),
    # Masks as comparisons.
    ("a comparison", LINE + "y : (n, 1)\nL = sum(max(x, y))\nwrt: x, y",
     {"x": "[x > y]", "y": "[x <= y]"}),
    ("Huber with two branches", LINE + "d : (1, 1)\n"
     "L = sum(where([abs(x) <= d], x^2/2, d (abs(x) - d/2)))\nwrt: x",
     {"x": "[abs(x) > d] .* (d sign(x) - x) + x"}),
    # Labels that add to one.
    ("distillation", SCORES + "t : (1, 1)\nP = softmax(Y/t, axis=0)\n"
     "J = -sum(P .* log_softmax(Z/t, axis=0))/m\nwrt: Z",
     {"Z": "(softmax(Z/t, axis=0) - P)/(m t)"}),
    ("distillation of a product", "X : (n, m)\nY : (k, m)\nW : (k, n)\nt : (1, 1)\nZ = W X\n"
     "P = softmax(Y/t, axis=0)\nJ = -sum(P .* log_softmax(Z/t, axis=0))/m\nwrt: W",
     {"W": "(softmax(Z/t, axis=0) - P) X^T/(m t)"}),
    ("a divergence", SCORES + "P = softmax(Y, axis=0)\nQ = softmax(Z, axis=0)\n"
     "J = sum(P .* log(P ./ Q))\nwrt: Z", {"Z": "Q - P"}),
    ("smoothed labels", SCORES + "c : (1, 1)\nonehot: Y\nS = (1 - c) Y + c/k\n"
     "P = softmax(Z, axis=0)\nJ = -sum(S .* log(P))\nwrt: Z", {"Z": "P - S"}),
    ("smoothed labels, multiplied out", SCORES + "c : (1, 1)\nonehot: Y\nS = Y - c Y + c/k\n"
     "P = softmax(Z, axis=0)\nJ = -sum(S .* log(P))\nwrt: Z", {"Z": "P - S"}),
    ("shares of all", "D : (k, m)\na : (k, 1)\n"
     "J = -sum(logsumexp(D + log_softmax(a, axis=0), axis=0))\nwrt: a",
     {"a": "m softmax(a) - softmax(D + (a - logsumexp(a)), axis=0) 1"}),
    # Densities and probabilities by the names of the author.
    ("a mixture of two Gaussians", MIXTURE + "wrt: u, p", {
        "u": "-((p f .* (x - u))/(s^2(p f + (1 - p) g))) 1",
        "p": "((g - f)/(p f + (1 - p) g)) 1"}),
    ("complementary log-log", "X : (m, n)\ny : (m, 1)\nw : (n, 1)\nq = 1 - exp(-exp(X w))\n"
     "J = -sum(y .* log(q) + (1 - y) .* log(1 - q))\nwrt: w", {"w": "X^T (exp(X w) .* (1 - y/q))"}),
    # Numbers in exponents and in comparisons.
    ("Tweedie", "y : (1, m)\nz : (1, m)\np : (1, 1)\nmu = exp(z)\n"
     "J = sum(mu^(2 - p)/(2 - p) - y .* mu^(1 - p)/(1 - p))\nwrt: z",
     {"z": "mu .* (mu^(1 - p) - y .* mu^(-p))"}),
    ("pinball", "e : (m, 1)\nq : (1, 1)\nJ = sum(max(q e, (q - 1) e))\nwrt: e",
     {"e": "q + [e > 0] - 1"}),
    # A sigmoid, a tanh or a softmax that was written out.
    ("the slope of a sigmoid", LINE + "L = sum(1/(1 + exp(-x)))",
     {"x": "sigmoid(x) .* (1 - sigmoid(x))"}),
    ("the slope of a named sigmoid", LINE + "A = 1/(1 + exp(-x))\nL = sum(A)",
     {"x": "A .* (1 - A)"}),
    ("a sigmoid as a share", LINE + "A = exp(x)/(1 + exp(x))\nL = sum(A^2)/2",
     {"x": "A^2 .* (1 - A)"}),
    ("a sigmoid by way of its exponential", LINE + "E = exp(-x)\nA = 1/(1 + E)\nL = sum(A)",
     {"x": "A .* (1 - A)"}),
    ("the slope of a slope", LINE + "A = 1/(1 + exp(-x))\nL = sum(A .* (1 - A))",
     {"x": "A .* (1 - A) .* (1 - 2 A)"}),
    ("the softplus", LINE + "L = sum(log(1 + exp(x)))", {"x": "sigmoid(x)"}),
    ("swish", LINE + "L = sum(x/(1 + exp(-x)))",
     {"x": "sigmoid(x) .* (1 + x .* (1 - sigmoid(x)))"}),
    ("margins", "X : (m, n)\nh : (n, 1)\ny : (m, 1)\nJ = mean(log(1 + exp(-y .* (X h))))",
     {"h": "-X^T (y .* sigmoid(-y .* X h))/m"}),
    ("cross-entropy of a written-out sigmoid",
     BATCH + "A = 1/(1 + exp(-w X))\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))",
     {"w": "(A - Y) X^T"}),
    ("tanh", LINE + "L = sum((exp(x) - exp(-x))/(exp(x) + exp(-x)))", {"x": "1 - tanh(x)^2"}),
    ("tanh of twice the argument", LINE + "y = (exp(2 x) - 1)/(exp(2 x) + 1)\nL = sum(y)",
     {"x": "1 - y^2"}),
    ("log cosh", LINE + "L = sum(log(exp(x) + exp(-x)))", {"x": "tanh(x)"}),
    ("a softmax", VECTORS + "p = exp(z)/sum(exp(z))\nL = t^T p", {"z": "p .* (t - t^T p)"}),
    ("a softmax, shifted", VECTORS + "M = max(z)\np = exp(z - M)/sum(exp(z - M))\nL = t^T p",
     {"z": "p .* (dp - dp^T p)"}),
    ("a softmax by way of its exponentials", VECTORS + "E = exp(z)\np = E/sum(E)\nL = t^T p",
     {"z": "p .* (t - t^T p)"}),
    ("a softmax without a name", VECTORS + "L = t^T exp(z)/sum(exp(z))",
     {"z": "softmax(z) .* (t - t^T softmax(z))"}),
    ("log-sum-exp", "A : (k, n)\nx : (n, 1)\nL = log(sum(exp(A x)))", {"x": "A^T softmax(A x)"}),
    ("softmax in columns, cross-entropy",
     SCORES + "P = exp(Z)/sum(exp(Z), axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y", {"Z": "P - Y"}),
    ("attention with its softmax written out",
     "S : (n, m)\nV : (m, d)\nG : (n, d)\nP = exp(S)/sum(exp(S), axis=1)\nO = P V\n"
     "L = sum(G .* O)", {"S": "P .* (dP - sum(dP .* P, axis=1))", "V": "P^T dO"}),
    # A factor that is identically zero or one.
    ("a variance by its mean", "x : (N, 1)\nu = mean(x)\nv = mean((x - u)^2)\nL = v",
     {"x": "2(x - u)/N"}),
    ("deviations", LINE + "L = sum(x - mean(x))", {"x": "0"}),
    ("deviations by a name", LINE + "u = mean(x)\nL = sum(x - u)", {"x": "0"}),
    ("weights on centred data",
     "X : (n, m)\nW : (h, n)\nb : (h, 1)\nC = X - mean(X, axis=1)\nZ = W C + b\nJ = sum(Z)",
     {"W": "0", "b": "m"}),
    ("deviations of a matrix", "X : (n, m)\nJ = sum(X - mean(X))", {"X": "0"}),
    ("a shift of all scores", VECTORS + "b : (1, 1)\np = softmax(z + b)\nL = t^T p", {"b": "0"}),
    ("a shift of written-out scores",
     VECTORS + "b : (1, 1)\np = exp(z + b)/sum(exp(z + b))\nL = t^T p", {"b": "0"}),
    # Like terms, scalars, fractions, inverses.
    ("a cube under a trace", "A : (n, n)\nL = trace(A A A)", {"A": "3(A A)^T"}),
    ("a trace of one matrix, twice", "A : (n, n)\nB : (n, n)\nL = trace(A B) + trace(B^T A^T)",
     {"A": "2 B^T"}),
    ("a determinant", "S : (n, n)\nL = n/2 logdet(S)", {"S": "(n/2) S^-T"}),
    ("an inverse", "S : (n, n)\nA : (n, n)\nL = trace(A S^-T)", {"S": "-S^-T A S^-T"}),
    # A matrix form where there is one.
    ("a mixture of Gaussians",
     "X : (n, m)\nM : (n, k)\nc : (k, 1)\nD = -1/2 sum(X^2, axis=0) + M^T X - "
     "1/2 sum(M^2, axis=0)^T + c\nR = softmax(D, axis=0)\nL = -sum(logsumexp(D, axis=0))",
     {"M": "M .* (R 1)^T - X R^T"}),
    ("distances to centres",
     "X : (n, m)\nM : (n, k)\nR : (k, m)\nE = sum(M^2, axis=0)^T - 2 M^T X + sum(X^2, axis=0)\n"
     "L = sum(R .* E)/2", {"M": "M .* (R 1)^T - X R^T", "X": "sum(R, axis=0) .* X - M R"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"), [case[1:] for case in FORMS], ids=[case[0] for case in FORMS]
)
def test_a_gradient_is_as_short_as_a_teacher_writes_it(
    text: str, wanted: Mapping[str, str]
) -> None:
    derivation = derive(text, list(wanted))
    assert derivation.proven
    shown = {name: plain(g.matrix) for name, g in derivation.gradients.items() if g.matrix}
    assert shown == dict(wanted)


OPENED = (
    (
        BATCH + "c : (1, 1)\nA = sigmoid(w X + b)\n"
        "J = -1/m sum(Y .* log(A) + (1 - Y) .* log(1 - A)) + c/2 w w^T",
        {"w": "(A - Y) X^T/m + c w", "b": "(A - Y) 1/m"},
    ),
    (
        VECTORS + "S = sum(exp(z))\np = exp(z)/S\nL = t^T p",
        {"z": "p .* (t - t^T p)"},
    ),
    (
        "X : (n, m)\nY : (k, m)\nW : (h, n)\nV : (k, h)\nA = tanh(W X)\nP = softmax(V A, axis=0)\n"
        "J = -1/m sum(Y .* log(P))\nonehot: Y",
        {"V": "(P - Y) A^T/m", "W": "(V^T (P - Y) .* (1 - A^2)) X^T/m"},
    ),
    (
        "A, B : (n, m)\ny : (1, m)\nW : (k, n)\nD = W A - W B\nd = sum(D^2, axis=0)\n"
        "J = 1/2 sum(y .* d + (1 - y) .* max(0, 1 - d))",
        {"W": "((y - [z > 0] .* (1 - y)) .* D)(A - B)^T"},
    ),
    (
        "X : (n, m)\nc : (n, 1)\nw, g : (1, 1)\ny : (1, m)\nf = exp(-g sum((X - c)^2, axis=0))\n"
        "J = 1/2 ||w f - y||^2",
        {"g": "-w((w f - y) .* f)((X - c)^2)^T 1"},
    ),
    (
        "X : (n, m)\ny : (1, m)\nV : (k, n)\nz = 1/2 sum((V X)^2 - (V .^ 2)(X^2), axis=0)\n"
        "J = 1/2 ||z - y||^2",
        {"V": "V X(X .* (z - y))^T - (z - y)(X^2)^T .* V"},
    ),
)


@pytest.mark.parametrize(("text", "wanted"), OPENED)
def test_the_names_of_gradients_are_opened_where_that_is_short(
    text: str, wanted: Mapping[str, str]
) -> None:
    derivation = derive(text, list(wanted))
    assert {n: plain(g.final) for n, g in derivation.gradients.items()} == dict(wanted)
    for gradient in derivation.gradients.values():
        assert not symbols(gradient.final) & set(derivation.layers)


@pytest.mark.parametrize(
    "text",
    [
        "u : (n, 1)\nK = sum(u^2)\nJ = K + 3\nwrt: u",
        "x : (n, 1)\nv = mean(x)\nw = v^2\nL = 2 w + v\nwrt: x",
        "x : (n, 1)\nu = mean(x)\nv = mean((x - u)^2)\nL = v\nwrt: x",
    ],
)
def test_a_number_gets_no_name(text: str) -> None:
    derivation = derive(text)
    for name, gradient in derivation.layers.items():
        assert not isinstance(gradient.index, Number), name.name
    said = " ".join(step.why for step in derivation)
    assert "dK" not in said
    assert "dw" not in said


def softmax(z: Any) -> Any:
    return anp.exp(z) / anp.sum(anp.exp(z), axis=0, keepdims=True)


def mixture(a: SimpleNamespace) -> Any:
    f, g = (anp.exp(-((a.x - c) ** 2) / (2 * a.s**2)) / (a.s * (2 * np.pi) ** 0.5)
            for c in (a.u, a.v))  # fmt: skip
    return -anp.sum(anp.log(a.p * f + (1 - a.p) * g))


def cloglog(a: SimpleNamespace) -> Any:
    q = 1 - anp.exp(-anp.exp(a.X @ a.w))
    return -anp.sum(a.y * anp.log(q) + (1 - a.y) * anp.log(1 - q))


def distilled(a: SimpleNamespace) -> Any:
    share = softmax(a.Y / a.t)
    return -anp.sum(share * anp.log(softmax(a.W @ a.X / a.t))) / a.X.shape[1]


def smoothed(a: SimpleNamespace) -> Any:
    wanted = (1 - a.c) * a.Y + a.c / len(a.Y)
    return -anp.sum(wanted * anp.log(softmax(a.Z)))


def tweedie(a: SimpleNamespace) -> Any:
    mu = anp.exp(a.z)
    return anp.sum(mu ** (2 - a.p) / (2 - a.p) - a.y * mu ** (1 - a.p) / (1 - a.p))


def pinball(a: SimpleNamespace) -> Any:
    return anp.sum(anp.maximum(a.q * a.e, (a.q - 1) * a.e))


def dice(a: SimpleNamespace) -> Any:
    share = 1 / (1 + anp.exp(-(a.w @ a.X)))
    return 1 - 2 * anp.sum(share * a.y) / (anp.sum(share**2) + anp.sum(a.y**2))


def weibull(a: SimpleNamespace) -> Any:
    risk = anp.exp(a.w @ a.X) * a.t
    return anp.sum(risk**a.k - a.k * a.d * anp.log(risk))


VALUES: dict[str, Callable[[SimpleNamespace], Any]] = {
    "a mixture of two Gaussians": mixture,
    "complementary log-log": cloglog,
    "distillation of a product": distilled,
    "smoothed labels": smoothed,
    "Tweedie": tweedie,
    "pinball": pinball,
    "a Dice loss of scores": dice,
    "a Rayleigh quotient": lambda a: (a.w.T @ a.S @ a.w) / (a.w.T @ a.T @ a.w),
    "a Mahalanobis distance": lambda a: anp.sum((a.L.T @ (a.x - a.c)) ** 2) ** 0.5,
    "principal components": lambda a: anp.sum((a.X - a.W @ a.W.T @ a.X) ** 2) / a.X.shape[1],
    "a Weibull likelihood": weibull,
    "Student's t": lambda a: (a.v + 1) / 2 * anp.sum(anp.log(1 + ((a.x - a.u) / a.s) ** 2 / a.v)),
    "a mask of the negative": lambda a: anp.sum(anp.abs(a.q - (a.r < 0)) * a.r**2),
}


@pytest.mark.parametrize("name", VALUES)
def test_short_forms_have_the_values_of_autograd(name: str) -> None:
    text, wanted = next(case[1:] for case in FORMS if case[0] == name)
    derivation = derive(text, list(wanted))
    sizes = assignments(derivation.model, 1)[0]
    values = sample(derivation.model, sizes, np.random.default_rng(7))
    given = {symbol.name: values[symbol] for symbol in derivation.model.inputs}
    found = gradient_values(derivation, values, sizes)
    for variable in wanted:

        def objective(moved: Any, variable: str = variable) -> Any:
            return VALUES[name](SimpleNamespace(**{**given, variable: moved})).sum()

        slope = autograd.grad(objective)(given[variable])
        ours = found[derivation.model.symbol(variable)]
        np.testing.assert_allclose(ours, slope, rtol=1e-9, atol=1e-12)


A, B = Symbol("A", ("n", "n")), Symbol("B", ("n", "n"))
s = Symbol("s")


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        (2 * transpose(A @ B) + transpose(B) @ transpose(A), "3(A B)^T"),
        (transpose(A @ B) - transpose(A @ B), "0"),
        (transpose(A @ B) - transpose(B) @ transpose(A) + A, "A"),
        (matmul(mul(s, A), B), "s A B"),
        (matmul(A / s, B), "A B/s"),
        (matmul(-A, B / s), "-A B/s"),
        (transpose(mul(s, A)), "s A^T"),
    ],
)
def test_scalars_come_to_the_front_and_like_terms_join(form: object, wanted: str) -> None:
    assert plain(laid_out(form)) == wanted  # type: ignore[arg-type]
