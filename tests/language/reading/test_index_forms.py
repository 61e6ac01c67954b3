r"""Formulas of one example and of one entry compute what loops over the examples do."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.graph.dims import Shape
from chainrule.errors import ParseError
from chainrule.language.reading import read_model

Loop = Callable[..., float]


def _logistic(w: np.ndarray, x: np.ndarray, b: np.ndarray, y: np.ndarray) -> float:
    total = 0.0
    for i in range(x.shape[1]):
        a = 1 / (1 + np.exp(-(w[:, 0] @ x[:, i] + b[0, 0])))
        total -= y[0, i] * np.log(a) + (1 - y[0, i]) * np.log(1 - a)
    return float(total / x.shape[1])


def _line(y: np.ndarray, m: np.ndarray, x: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean([(y[i, 0] - (m[0, 0] * x[i, 0] + b[0, 0])) ** 2 for i in range(len(x))]))


def _hinge(y: np.ndarray, w: np.ndarray, x: np.ndarray) -> float:
    return float(sum(max(0.0, 1 - y[i, 0] * (w[:, 0] @ x[:, i])) for i in range(x.shape[1])))


def _softmax(o: np.ndarray, y: np.ndarray) -> float:
    p = np.exp(o[:, 0]) / sum(np.exp(o[:, 0]))
    return float(-sum(y[k, 0] * np.log(p[k]) for k in range(len(p))))


def _spread(x: np.ndarray) -> float:
    n, d = x.shape
    total = 0.0
    for j in range(d):
        mu = sum(x[i, j] for i in range(n)) / n
        total += sum((x[i, j] - mu) ** 2 for i in range(n)) / n
    return total


def _attention(Q: np.ndarray, K: np.ndarray, V: np.ndarray) -> float:
    S = np.array([[q @ k for k in K] for q in Q])
    A = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    return float(0.5 * ((A @ V) ** 2).sum())


def _centres(x: np.ndarray, c: np.ndarray) -> float:
    return float(sum(((x[:, i] - c[:, 0]) ** 2).sum() for i in range(x.shape[1])))


def _pairs(A: np.ndarray) -> float:
    return float(sum(A[i, j] ** 3 for i in range(A.shape[0]) for j in range(A.shape[1])))


FORMS: list[tuple[str, str, dict[str, Shape], Loop]] = [
    (
        "one example, marked above",
        r"""
z^{(i)} = w^T x^{(i)} + b
\hat{y}^{(i)} = a^{(i)} = \sigma(z^{(i)})
\ell(a^{(i)}, y^{(i)}) = -y^{(i)} \log a^{(i)} - (1 - y^{(i)}) \log(1 - a^{(i)})
J = \frac1m \sum_{i=1}^m \ell(a^{(i)}, y^{(i)})
""",
        {"w": ("n", 1), "x": ("n", "m"), "b": (1, 1), "y": (1, "m")},
        _logistic,
    ),
    (
        "a hypothesis that is written with its example",
        r"""
$h_w(x) = g(w^T x + b)$ with $g(u) = \frac{1}{1 + e^{-u}}$
$J(w) = -\frac{1}{m} \sum_{i=1}^{m} \left[ y^{(i)} \log\left(h_w\left(x^{(i)}\right)\right)
 + (1 - y^{(i)}) \log\left(1 - h_w\left(x^{(i)}\right)\right) \right]$
""",
        {"w": ("n", 1), "x": ("n", "m"), "b": (1, 1), "y": (1, "m")},
        _logistic,
    ),
    (
        "numbers below",
        r"E(m, b) = \frac{1}{n} \sum_{i=1}^{n} (y_i - (m x_i + b))^2",
        {"y": ("n", 1), "m": (1, 1), "x": ("n", 1), "b": (1, 1)},
        _line,
    ),
    (
        "an inner product below",
        r"L(w) = \sum_{i=1}^{m} \max\{0, 1 - y_i (w^\top x_i)\}",
        {"y": ("m", 1), "w": ("n", 1), "x": ("n", "m")},
        _hinge,
    ),
    (
        "a definition of one entry",
        "p_k = exp(o_k) / \\sum_j exp(o_j)\nC = -\\sum_k y_k \\log p_k",
        {"o": ("k", 1), "y": ("k", 1)},
        _softmax,
    ),
    (
        "means and variances of columns",
        r"""
\mu_j = \frac{1}{N} \sum_{i=1}^{N} x_{ij}
\sigma^2_j = \frac{1}{N} \sum_{i=1}^{N} (x_{ij} - \mu_j)^2
V = \sum_j \sigma_j^2
""",
        {"x": ("N", "n")},
        _spread,
    ),
    (
        "products of entries",
        r"""
Q, K \in \mathbb{R}^{T \times d}, V \in \mathbb{R}^{T \times p}
S_{ij} = \sum_k Q_{ik} K_{jk}
A_{ij} = \frac{\exp S_{ij}}{\sum_l \exp S_{il}}
O_{ib} = \sum_j A_{ij} V_{jb}
L = \frac12 \sum_{i,b} O_{ib}^2
""",
        {"Q": ("T", "d"), "K": ("T", "d"), "V": ("T", "p")},
        _attention,
    ),
    (
        "a squared norm of every example",
        "x : (n, m)\nc : (n, 1)\nJ = \\sum_{i=1}^m \\|x^{(i)} - c\\|^2",
        {"x": ("n", "m"), "c": ("n", 1)},
        _centres,
    ),
    (
        "a sum over two indices",
        "A : (n, m)\nJ = \\sum_{i=1}^n \\sum_{j=1}^m A_{ij}^3",
        {"A": ("n", "m")},
        _pairs,
    ),
]


@pytest.mark.parametrize(
    ("text", "shapes", "loop"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS]
)
def test_a_formula_of_one_is_what_a_loop_computes(
    text: str, shapes: dict[str, Shape], loop: Loop
) -> None:
    model = read_model(text)
    assert {symbol.name: symbol.shape for symbol in model.inputs} == shapes
    names = sorted({str(dim) for shape in shapes.values() for dim in shape if dim != 1})
    sizes = dict(zip(names, (3, 5, 4), strict=False))
    draw = np.random.default_rng(7)
    values = {
        symbol: draw.uniform(0.1, 0.9, [sizes.get(str(d), 1) for d in symbol.shape])
        for symbol in model.inputs
    }
    got = forward(model, values, sizes)[model.objective]
    assert float(np.squeeze(got)) == pytest.approx(
        loop(*(values[symbol] for symbol in model.inputs)), rel=1e-12
    )


def test_examples_in_rows_are_turned() -> None:
    model = read_model("X : (n, p)\ny : (n, 1)\nJ = \\sum_{i=1}^n (y_i - \\beta^T x_i)^2")
    assert {s.name: s.shape for s in model.inputs}["\\beta"] == ("p", 1)


def test_gates_with_letters_below_stay_names() -> None:
    model = read_model("f_t = \\sigma(W_f x_t + b_f)\nL = \\sum (f_t - y_t)^2")
    assert "f_t" in [d.target.name for d in model.definitions]


NAMED = [
    "$a = \\phi(w x + b)$ where $\\phi = \\tanh$\n$L = (a - y)^2$",
    "$a = g(w x + b)$, where g is the tanh function\n$L = (a - y)^2$",
]


@pytest.mark.parametrize("text", NAMED)
def test_a_function_may_have_another_name(text: str) -> None:
    model = read_model(text)
    assert len(model.functions) == 1
    assert {symbol.name for symbol in model.inputs} == {"w", "x", "b", "y"}


def test_a_step_in_time_is_one_name() -> None:
    model = read_model("x_1 = x_0 + \\Delta t v\nL = (x_1 - y)^2")
    assert {symbol.name for symbol in model.inputs} == {"x_0", "\\Delta t", "v", "y"}


UNREAD = [
    ("X : (n, m)\nJ = \\sum_i X_i", 2, "X_i has one index"),
    ("x : (n, 1)\nJ = \\sum_i x_j", 2, "has the index i"),
    ("A : (n, m)\nS_{ij} = A_{ik}\nJ = \\sum_{i,j} S_{ij}", 2, "index j of the left side"),
]


@pytest.mark.parametrize(("text", "line", "said"), UNREAD)
def test_an_index_that_stands_nowhere_is_said(text: str, line: int, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert said in caught.value.message
    assert caught.value.line == line
