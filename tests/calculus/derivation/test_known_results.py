"""Known results, compared as strings: what comes out is what the literature writes.

Sources: MC is Petersen and Pedersen, The Matrix Cookbook (2012), by equation or section; BV is
Boyd and Vandenberghe, Convex Optimization (2004), by section; GBC is Goodfellow, Bengio and
Courville, Deep Learning (2016), by section; CS231n and CS224n are the notes of the Stanford
courses; IS is Ioffe and Szegedy, Batch Normalization (2015); V is Vaswani et al., Attention Is
All You Need (2017).
Where the literature leaves a transpose outside a product, so do these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from chainrule import derive, plain
from chainrule.calculus.derivation.steps import Derivation

MATRICES = (
    "a : (n, 1)\nb : (n, 1)\nx : (n, 1)\nA : (n, n)\nB : (n, n)\nX : (n, n)\nS : (n, n)\n"
    "u : (n, 1)\n"
)
SCORES = "Z : (k, m)\nY : (k, m)\n"
LINEAR = "A : (m, n)\nx : (n, 1)\nb : (m, 1)\n"
BATCH = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\n"
NORMAL = "X : (n, m)\nD : (n, m)\n"

RESULTS: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("MC 49", MATRICES + "L = det(X)", {"X": "L X^-T"}),
    ("MC 51", MATRICES + "L = det(A X B)", {"X": "L(B(A X B)^-1 A)^T"}),
    ("MC 57", MATRICES + "L = logdet(X)", {"X": "X^-T"}),
    ("MC 63", MATRICES + "L = trace(A X^-1 B)", {"X": "-(X^-1 B A X^-1)^T"}),
    (
        "MC 64",
        MATRICES + "L = trace((X + A)^-1)",
        {"X": "-((X + A)^-1(X + A)^-1)^T"},
    ),
    ("MC 69", MATRICES + "L = x^T a", {"x": "a"}),
    ("MC 70", MATRICES + "L = a^T X b", {"X": "a b^T"}),
    ("MC 71", MATRICES + "L = a^T X^T b", {"X": "b a^T"}),
    ("MC 72", MATRICES + "L = a^T X a", {"X": "a a^T"}),
    ("MC 77", MATRICES + "L = a^T X^T X b", {"X": "X b a^T + X a b^T"}),
    ("MC 81", MATRICES + "L = x^T B x", {"x": "B x + B^T x"}),
    ("MC 82", MATRICES + "L = b^T X^T B X a", {"X": "B X a b^T + B^T X b a^T"}),
    (
        "MC 84 to 88, before symmetry",
        "x : (m, 1)\nA : (m, n)\ns : (n, 1)\nW : (m, m)\nr = x - A s\nL = r^T W r",
        {"s": "-A^T (W r + W^T r)", "A": "-(W r + W^T r) s^T", "x": "W r + W^T r"},
    ),
    ("MC 99", MATRICES + "L = trace(X)", {"X": "eye(n)"}),
    ("MC 100", MATRICES + "L = trace(X A)", {"X": "A^T"}),
    ("MC 101", MATRICES + "L = trace(A X B)", {"X": "(B A)^T"}),
    ("MC 102", MATRICES + "L = trace(A X^T B)", {"X": "B A"}),
    ("MC 103", MATRICES + "L = trace(X^T A)", {"X": "A"}),
    ("MC 106", MATRICES + "L = trace(X X)", {"X": "2 X^T"}),
    ("MC 107", MATRICES + "L = trace(X X B)", {"X": "(B X)^T + (X B)^T"}),
    ("MC 108", MATRICES + "L = trace(X^T B X)", {"X": "B X + B^T X"}),
    ("MC 2.5.2, Tr(B X X^T)", MATRICES + "L = trace(B X X^T)", {"X": "B^T X + B X"}),
    ("MC 2.5.2, Tr(X^T X)", MATRICES + "L = trace(X^T X)", {"X": "2 X"}),
    ("MC 2.5.2, Tr(A X B X)", MATRICES + "L = trace(A X B X)", {"X": "(B X A)^T + (A X B)^T"}),
    ("MC 129", MATRICES + "L = norm(x - a)", {"x": "(x - a)/L"}),
    ("MC 131", MATRICES + "L = norm(x)^2", {"x": "2 x"}),
    ("MC 132", MATRICES + "L = norm(X)^2", {"X": "2 X"}),
    (
        "MC 8.1, the exponent of a Gaussian",
        MATRICES + "d = x - u\nL = d^T S^-1 d",
        {"x": "S^-1 d + S^-T d", "u": "-(S^-1 d + S^-T d)"},
    ),
    ("BV 3.1.5 log-sum-exp", LINEAR + "L = logsumexp(A x + b)", {"x": "A^T softmax(A x + b)"}),
    ("BV 9.2 barrier", LINEAR + "L = -sum(log(b - A x))", {"x": "A^T (1/(b - A x))"}),
    ("BV A.4 entropy", "x : (n, 1)\nL = sum(x .* log(x))", {"x": "1 + log(x)"}),
    ("BV 9.1 least squares", LINEAR + "L = norm(A x - b)^2/2", {"x": "A^T (A x - b)"}),
    (
        "GBC 7.1 weight decay",
        BATCH + "J = norm(w X - Y)^2/2 + norm(w)^2/2",
        {"w": "(w X - Y) X^T + w"},
    ),
    (
        "GBC 6.2.2.2 sigmoid and cross-entropy",
        BATCH + "A = sigmoid(w X + b)\nJ = cross_entropy(Y, A) + cross_entropy(1 - Y, 1 - A)",
        {"w": "(A - Y) X^T", "b": "(A - Y) 1"},
    ),
    (
        "GBC 6.2.2.3 softmax and cross-entropy",
        SCORES + "P = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y",
        {"Z": "P - Y"},
    ),
    (
        "GBC 6.2.2.3 without one-hot labels",
        SCORES + "P = softmax(Z, axis=0)\nJ = -sum(Y .* log(P))",
        {"Z": "P .* sum(Y, axis=0) - Y"},
    ),
    (
        "GBC 6.2.2.3 by the log-softmax",
        SCORES + "J = -sum(Y .* log_softmax(Z, axis=0))\nonehot: Y",
        {"Z": "softmax(Z, axis=0) - Y"},
    ),
    (
        "GBC 6.2.2.3 squared error through softmax",
        SCORES + "P = softmax(Z, axis=0)\nJ = norm(P - Y)^2/2",
        {"Z": "P .* (P - Y - sum((P - Y) .* P, axis=0))"},
    ),
    (
        "softmax, any upstream gradient",
        "Z : (k, m)\nG : (k, m)\nP = softmax(Z, axis=0)\nJ = sum(G .* P)",
        {"Z": "P .* (G - sum(G .* P, axis=0))"},
    ),
    (
        "softmax with a temperature",
        SCORES + "t : (1, 1)\nP = softmax(Z/t, axis=0)\nJ = -sum(Y .* log(P))\nonehot: Y",
        {"Z": "(P - Y)/t"},
    ),
    (
        "weighted cross-entropy",
        SCORES + "s : (1, m)\nP = softmax(Z, axis=0)\nJ = -sum(s .* Y .* log(P))\nonehot: Y",
        {"Z": "s .* (P - Y)"},
    ),
    (
        "CS231n softmax classifier",
        "X : (n, m)\nY : (k, m)\nW : (k, n)\nb : (k, 1)\nZ = W X + b\nP = softmax(Z, axis=0)\n"
        "J = -sum(Y .* log(P))\nonehot: Y",
        {"W": "(P - Y) X^T", "b": "(P - Y) 1", "X": "W^T (P - Y)"},
    ),
    (
        "CS231n two layers, the mean over examples",
        "X : (n, m)\nY : (k, m)\nW1 : (h, n)\nb1 : (h, 1)\nW2 : (k, h)\nb2 : (k, 1)\n"
        "Z1 = W1 X + b1\nA1 = relu(Z1)\nZ2 = W2 A1 + b2\nP = softmax(Z2, axis=0)\n"
        "J = -1/m sum(Y .* log(P))\nonehot: Y",
        {
            "dZ2": "(P - Y)/m",
            "dZ1": "W2^T dZ2 .* [Z1 > 0]",
            "W2": "dZ2 A1^T",
            "b2": "dZ2 1",
            "W1": "dZ1 X^T",
            "b1": "dZ1 1",
        },
    ),
    (
        "CS231n binary hinge",
        BATCH + "J = sum(max(0, 1 - Y .* (w X)))",
        {"w": "-([Z > 0] .* Y) X^T"},
    ),
    (
        "CS231n max gate",
        "a : (n, 1)\nb : (n, 1)\nL = sum(max(a, b))",
        {"a": "[a > b]", "b": "[a <= b]"},
    ),
    (
        "CS224n naive softmax: word vectors",
        "U : (n, k)\nv : (n, 1)\ny : (k, 1)\np = softmax(U^T v)\nL = -y^T log(p)\nonehot: y",
        {"v": "U(p - y)", "U": "v(p - y)^T"},
    ),
    (
        "IS section 3, in one line",
        NORMAL + "H = (X - mean(X, axis=1))/sqrt(variance(X, axis=1))\nJ = sum(D .* H)",
        {
            "X": "(D - mean(D, axis=1) - H .* mean(D .* H, axis=1))"
            "/sqrt(mean((X - mean(X, axis=1))^2, axis=1))"
        },
    ),
    (
        "layer normalisation, with its epsilon",
        NORMAL + "H = (X - mean(X, axis=0))/sqrt(variance(X, axis=0) + 0.1)\nJ = sum(D .* H)",
        {
            "X": "(D - mean(D, axis=0) - H .* mean(D .* H, axis=0))"
            "/sqrt(mean((X - mean(X, axis=0))^2, axis=0) + 1/10)"
        },
    ),
    (
        "the slope of a variance",
        "x : (n, 1)\nL = variance(x)",
        {"x": "2(x - mean(x))/n"},
    ),
    (
        "the slope of an unbiased variance",
        "x : (n, 1)\nL = variance(x, ddof=1)",
        {"x": "2(x - mean(x))/(n - 1)"},
    ),
    (
        "V section 3.2.1",
        "Q : (n, d)\nK : (m, d)\nV : (m, h)\nG : (n, h)\nS = Q K^T/sqrt(d)\n"
        "P = softmax(S, axis=1)\nO = P V\nJ = sum(G .* O)",
        {
            "dO": "G",
            "dP": "dO V^T",
            "dS": "P .* (dP - sum(dP .* P, axis=1))",
            "Q": "dS K/sqrt(d)",
            "K": "dS^T Q/sqrt(d)",
            "V": "P^T dO",
        },
    ),
    (
        "contrastive loss over a square of scores",
        "Z : (n, n)\nJ = -trace(log_softmax(Z, axis=1))",
        {"Z": "softmax(Z, axis=1) - eye(n)"},
    ),
    (
        "pooling",
        "X : (n, m)\nv : (1, m)\nJ = sum(v .* max(X, axis=0))",
        {"X": "argmax(X, axis=0) .* v"},
    ),
    (
        "rows scaled by a diagonal matrix",
        "a : (n, 1)\nX : (n, m)\nG : (n, m)\nJ = sum(G .* (diag(a) X))",
        {"X": "a .* G", "a": "(G .* X) 1"},
    ),
    (
        "Kingma and Welling (2014) B: the divergence of a Gaussian",
        "u : (n, 1)\ns : (n, 1)\nL = 1/2 sum(exp(s) + u^2 - 1 - s)",
        {"u": "u", "s": "(1/2)(exp(s) - 1)"},
    ),
    (
        "a gate",
        "z : (n, 1)\nh : (n, 1)\nc : (n, 1)\ng : (n, 1)\ny = (1 - z) .* h + z .* c\nL = g^T y",
        {"z": "g .* (c - h)", "h": "g .* (1 - z)", "c": "g .* z"},
    ),
    (
        "Poisson regression",
        BATCH + "Z = w X + b\nJ = sum(exp(Z) - Y .* Z)",
        {"w": "(exp(Z) - Y) X^T", "b": "(exp(Z) - Y) 1"},
    ),
    (
        "double angle",
        "x : (n, 1)\nL = sum(sin(x) .* cos(x))",
        {"x": "cos(x)^2 - sin(x)^2"},
    ),
    (
        "Szegedy et al. (2016) section 7, smoothed labels",
        SCORES + "S = 0.9 Y + 0.1/k\nP = softmax(Z, axis=0)\nJ = -sum(S .* log(P))\nonehot: Y",
        {"Z": "P - S"},
    ),
    (
        "the divergence of two softmaxes",
        "a : (n, 1)\nb : (n, 1)\np = softmax(a)\nq = softmax(b)\nL = sum(p .* (log(p) - log(q)))",
        {"a": "p .* (log(p) - log(q) - (log(p) - log(q))^T p)", "b": "q - p"},
    ),
    (
        "log odds",
        "x : (1, 1)\nL = log(x/(1 - x))",
        {"x": "1/(x(1 - x))"},
    ),
    (
        "a share",
        "x : (1, 1)\ny : (1, 1)\nL = x/(x + y)",
        {"x": "y/(x + y)^2", "y": "-x/(x + y)^2"},
    ),
    (
        "a quadratic form through two matrices",
        "X : (n, m)\nW : (n, n)\nA : (n, n)\nL = trace((W A X)^T (W A X))",
        {"W": "2 W A X(A X)^T", "A": "2 W^T W A X X^T", "X": "2(W A)^T W A X"},
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(text, wanted) for _, text, wanted in RESULTS],
    ids=[source for source, _, _ in RESULTS],
)
def test_what_comes_out_is_what_is_written(
    text: str, wanted: Mapping[str, str], assert_there_and_back: Callable[[Derivation], None]
) -> None:
    variables = [name for name in wanted if f"\n{name} :" in f"\n{text}"]
    derivation = derive(text, variables)
    found = {s.name: g.matrix for s, g in derivation.layers.items()}
    found |= {name: gradient.matrix for name, gradient in derivation.gradients.items()}
    shown = {name: plain(m) for name in wanted if (m := found[name]) is not None}
    assert shown == dict(wanted)
    assert derivation.proven
    assert_there_and_back(derivation)


def test_the_table_is_no_smaller_than_promised() -> None:
    assert len(RESULTS) >= 60
    assert len({source for source, _, _ in RESULTS}) == len(RESULTS)
