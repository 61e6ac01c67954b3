"""Shapes that nobody declared: held to the shapes that a course would write beside the formula."""

from __future__ import annotations

import pytest

from chainrule import derive
from chainrule.calculus.graph.dims import Shape
from chainrule.errors import ParseError
from chainrule.language.reading import read_model

INFERRED: list[tuple[str, dict[str, Shape]]] = [
    # Names that look like functions, by case alone like a value, or scale and shift.
    ("Z : (d, m)\ns = std(Z, axis=1) + eps\nJ = sum(s)", {"eps": (1, 1)}),
    ("D : (1, m)\nJ = mean(max(0, margin - D)^2)", {"margin": (1, 1)}),
    ("Z : (k, m)\nQ : (k, m)\nJ = -sum(Q .* log_softmax(Z / T, axis=0))", {"T": (1, 1)}),
    ("C : (k, m)\nY : (k, m)\nS = s (C - Y)\nJ = sum(S^2)", {"s": (1, 1)}),
    ("w : (1, n)\nx : (n, 1)\na = w0 + w x\nJ = 1/2 a^2", {"w0": (1, 1)}),
    (
        "x : (n, 1)\nh = (x - mean(x))/std(x)\na = gamma .* h + beta\nJ = sum(a^2)",
        {"gamma": ("n", 1), "beta": ("n", 1)},
    ),
    ("r = y - X w\nJ = sum(log(cosh(r)))", {"y": ("m", 1), "X": ("m", "n"), "w": ("n", 1)}),
    ("X : (n, m)\nw : (1, n)\nJ = mean(log(sigmoid(w X + b)))", {"b": (1, 1)}),
    ("x : (d, m)\nN : (k, m)\nM = A x + a\nJ = sum((M - N)^2)", {"A": ("k", "d"), "a": ("k", 1)}),
    # What unification does not follow is read with the shapes known so far.
    (
        "X : (n, m)\nG : (2, m)\nE = [w_1 X; w_2 X]\nJ = sum(G .* E)",
        {"w_1": (1, "n"), "w_2": (1, "n")},
    ),
    (
        "X : (8, 8)\nK : (3, 3)\nP = maxpool(conv2d(X, K) + b, 2)\nJ = sum(V .* P)",
        {"b": (1, 1), "V": (3, 3)},
    ),
    ("Q : (b, t, d)\nS = Q Q^T / tau\nJ = sum(S)", {"tau": (1, 1)}),
    ("H : (t, d)\nV : (t, d)\nO = H (H^T ones(t, 1)) .* V\nJ = sum((O - Y)^2)", {"Y": ("t", "d")}),
    (
        "h_0 : (k, 1)\nW : (k, k)\nfor t = 1..2\n  x_t : (k, 1)\n"
        "  h_t = tanh(W h_{t-1} + x_t + b)\nJ = sum(h_2)",
        {"b": ("k", 1)},
    ),
    (
        "W : (f, n)\ns = sort(W x, axis=0, descending=True)\nJ = 1/2 ||s - y||^2",
        {"x": ("n", 1), "y": ("f", 1)},
    ),
    ("W : (f, n)\ns = clip(W x, 0, 1)\nJ = 1/2 ||s - y||^2", {"x": ("n", 1), "y": ("f", 1)}),
    ("W : (f, n)\ns = elu(W x)\nJ = 1/2 ||s - y||^2", {"x": ("n", 1), "y": ("f", 1)}),
    ("W : (1, n)\nX : (n, m)\nJ = sum(hinge(Y, W X))", {"Y": (1, "m")}),
    (
        "z = w x + b\na = σ(z)\nL = -(y log a + (1-y) log(1-a))",
        {"w": (1, "n"), "x": ("n", 1), "b": (1, 1), "y": (1, 1)},
    ),
    (
        "x : (n, 1)\nz = w x + b\na = σ(z)\nL = -(y log a + (1-y) log(1-a))",
        {"w": (1, "n"), "b": (1, 1), "y": (1, 1)},
    ),
    ("z = w^T x + b\nL = (z - y)^2", {"w": ("n", 1), "x": ("n", 1), "b": (1, 1), "y": (1, 1)}),
    (
        "Z = W X + b\nA = sigmoid(Z)\nJ = -1/m sum(Y .* log(A) + (1 - Y) .* log(1 - A))",
        {"W": ("k", "n"), "X": ("n", "m"), "b": ("k", 1), "Y": ("k", "m")},
    ),
    (
        "Z = w X + b\nA = sigmoid(Z)\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))",
        {"w": (1, "n"), "X": ("n", "m"), "b": (1, 1), "Y": (1, "m")},
    ),
    (
        "z1 = W1 x + b1\na1 = tanh(z1)\nz2 = W2 a1 + b2\nL = -sum(y .* log(softmax(z2)))",
        {
            "W1": ("h", "n"),
            "x": ("n", 1),
            "b1": ("h", 1),
            "W2": ("k", "h"),
            "b2": ("k", 1),
            "y": ("k", 1),
        },
    ),
    (  # One bias for all examples, also where a cost of entries leaves a single output.
        "X : (n, m)\nA = relu(V X + c)\nS = sigmoid(W A + b)\n"
        "J = -1/m sum_{i=1}^m (y^(i) log(S^(i)) + (1 - y^(i)) log(1 - S^(i)))",
        {"V": ("h", "n"), "c": ("h", 1), "W": (1, "h"), "b": (1, 1), "y": (1, "m")},
    ),
    (
        "J = ||y - X w||^2 + lambda ||w||^2",
        {"y": ("m", 1), "X": ("m", "n"), "w": ("n", 1), "lambda": (1, 1)},
    ),
    ("f = 1/2 x' A x - b' x", {"x": ("n", 1), "A": ("n", "n"), "b": ("n", 1)}),
    ("J = ||Y - X W||_F^2", {"Y": ("m", "k"), "X": ("m", "n"), "W": ("n", "k")}),
    (
        "p = X w + b\nJ = mean((p - y)^2)",
        {"X": ("m", "n"), "w": ("n", 1), "b": (1, 1), "y": ("m", 1)},
    ),
    (
        "Z = X W + b\nP = softmax(Z, axis=1)\nJ = -1/N sum(Y .* log P)",
        {"X": ("N", "n"), "W": ("n", "k"), "b": (1, "k"), "Y": ("N", "k")},
    ),
    (
        "L = -n/2 logdet(S) - 1/2 trace(S^-1 (X - mu) (X - mu)^T)",
        {"S": ("d", "d"), "X": ("d", "n"), "mu": ("d", 1)},
    ),
    (
        "x is a vector, W is a matrix\nz = W x\nL = 1/2 ||z - y||^2",
        {"x": ("n", 1), "W": ("k", "n"), "y": ("k", 1)},
    ),
]


@pytest.mark.parametrize(("text", "shapes"), INFERRED)
def test_the_shapes_are_those_of_the_course(text: str, shapes: dict[str, Shape]) -> None:
    model = read_model(text)
    assert {a.symbol.name: a.symbol.shape for a in model.assumptions} == shapes
    assert derive(model).proven


def test_every_assumption_is_shown_with_its_reason() -> None:
    model = read_model("x : (n, 1)\nz = w x + b\nL = z^2")
    assert [str(a) for a in model.assumptions] == [
        "w is (1, n), since z = w x + b is one number",
        "b is (1, 1), since z = w x + b is one number",
    ]
    assert derive(model).reading == (
        "taken: w is (1, n) and b is (1, 1), since z = w x + b is one number",
        "for: w, b; not for: x (data)",
    )


MISSPELT = [
    ("X : (n, m)\nw : (1, n)\nJ = sum(W X)", "unknown name W; did you mean w?"),
    ("weights : (1, n)\nJ = norm(wieghts)", "unknown name wieghts; did you mean weights?"),
    ("x : (n, 1)\nz = foo(x)\nJ = sum(z)", "unknown name foo"),
    ("x : (n, 1)\nJ = sum(x3)", "unknown name x3; did you mean x^3 or 3 x?"),
]


@pytest.mark.parametrize(("text", "said"), MISSPELT)
def test_a_misspelt_name_is_not_inferred(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert said in caught.value.message


def test_letters_that_run_together_are_a_product() -> None:
    together, apart = "z = wx + b\nL = (z - y)^2", "z = w x + b\nL = (z - y)^2"
    shapes = [{s.name: s.shape for s in read_model(text).inputs} for text in (together, apart)]
    assert shapes[0] == shapes[1]


def test_a_caller_may_refuse_undeclared_names() -> None:
    with pytest.raises(ParseError, match="unknown name w"):
        read_model("x : (n, 1)\nL = w x", infer=False)


@pytest.mark.parametrize(
    "text",
    [
        "X : (c, n)\nW : (f, 3c)\nZ = conv1d(X, W, padding=same)\nJ = 1/2 ||Z||^2",
        "x : (n, 1)\nS = sort(x, descending=True)\nJ = 1/2 ||S||^2",
    ],
)
def test_a_word_of_an_option_is_not_taken_for_a_value(text: str) -> None:
    assert not read_model(text).assumptions
