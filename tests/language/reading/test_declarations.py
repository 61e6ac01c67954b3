"""Shapes as people declare them: each line is held to the shape that its author means."""

from __future__ import annotations

import pytest

from chainrule.calculus.graph.dims import Shape, plus
from chainrule.errors import ParseError
from chainrule.language.reading import read_model
from chainrule.language.reading.declarations import ShapeKind, declared
from chainrule.language.reading.tokens import Line

SHAPES: list[tuple[str, str, Shape]] = [
    ("x = (n, 1)", "x", ("n", 1)),
    ("b = (1, 1) -> (1, m)", "b", (1, 1)),
    ("b = (1, 1) → (1, m)", "b", (1, 1)),
    ("x = n × 1", "x", ("n", 1)),
    ("X = ℝ^{n×m}", "X", ("n", "m")),
    ("x ∈ ℝ^{n×1}", "x", ("n", 1)),
    ("x ∈ ℝⁿ", "x", ("n", 1)),
    ("x ∈ ℝ³", "x", (3, 1)),
    ("x ∈ ℝᴺ", "x", ("N", 1)),
    ("W ∈ ℝᵏˣⁿ", "W", ("k", "n")),
    (r"$x \in \mathbb{R}^{n \times m}$", "x", ("n", "m")),
    (r"$x \in \mathbb R^n$", "x", ("n", 1)),
    (r"x \in \R^{n}", "x", ("n", 1)),
    (r"\theta \in \mathbb{R}^{d+1}", r"\theta", (plus("d", 1), 1)),
    (r"W^{[l]} \in \mathbb{R}^{n^{[l]} \times n^{[l-1]}}", "W^{[l]}", ("n^[l]", "n^[l-1]")),
    (r"\mathbf{x} \in \mathbb{R}^{n}", r"\mathbf{x}", ("n", 1)),
    ("x in R^n", "x", ("n", 1)),
    ("W in R^(k x n)", "W", ("k", "n")),
    ("W ∈ R^k×n", "W", ("k", "n")),
    ("E ∈ ℝ^{|V|×d}", "E", ("V", "d")),
    ("b ∈ ℝ", "b", (1, 1)),
    ("y ∈ {0,1}", "y", (1, 1)),
    (r"y \in \{0, 1\}^{m}", "y", ("m", 1)),
    ("y ∈ {-1, +1}", "y", (1, 1)),
    ("x ∈ [0,1]^d", "x", ("d", 1)),
    ("x (n×1)", "x", ("n", 1)),
    ("w (1xn)", "w", (1, "n")),
    ("X (n, m)", "X", ("n", "m")),
    ("W^[1] (h, n)", "W^[1]", ("h", "n")),
    ("x_{n×1}", "x", ("n", 1)),
    ("X.shape = (n, m)", "X", ("n", "m")),
    ("X.shape == (n, m)", "X", ("n", "m")),
    ("shape(X) = (n, m)", "X", ("n", "m")),
    ("y is a scalar", "y", (1, 1)),
    ("x is a vector in R^n", "x", ("n", 1)),
    ("x is a column vector of length n", "x", ("n", 1)),
    ("w is a row vector of length n", "w", (1, "n")),
    ("w is a row vector (1, n)", "w", (1, "n")),
    ("w is (1, n)", "w", (1, "n")),
    ("x is an n-dimensional vector", "x", ("n", 1)),
    ("x is an n-vector", "x", ("n", 1)),
    ("x has shape (n, 1)", "x", ("n", 1)),
    ("W is a k × n matrix", "W", ("k", "n")),
    ("W is a k by n matrix of weights", "W", ("k", "n")),
    ("W is n-by-n", "W", ("n", "n")),
    ("A is a square matrix of size n", "A", ("n", "n")),
    ("X: n × m", "X", ("n", "m")),
    ("w: 1 x n", "w", (1, "n")),
    ("b: scalar", "b", (1, 1)),
    ("X : (n × m) matrix of inputs", "X", ("n", "m")),
    ("X : [n, m]", "X", ("n", "m")),
    ("X -- data of shape (n_x, m)", "X", ("n_x", "m")),
    ("a scalar b", "b", (1, 1)),
    ("the vector x of length n", "x", ("n", 1)),
    ("k × n matrix W", "W", ("k", "n")),
]


@pytest.mark.parametrize(("text", "name", "shape"), SHAPES)
def test_a_declaration_has_the_shape_that_is_meant(text: str, name: str, shape: Shape) -> None:
    said = declared(Line(text), 0, len(text))
    assert said is not None
    assert [written for written, _ in said.names] == [name]
    assert said.shape == shape


@pytest.mark.parametrize(
    "text",
    ["x = w", "z = (a - b)", "y is the label", "σ is the sigmoid function", "z = a × b"],
)
def test_what_declares_nothing_is_no_declaration(text: str) -> None:
    said = declared(Line(text), 0, len(text))
    assert said is None or text == "z = a × b"


def test_a_kind_without_sizes_is_kept() -> None:
    said = declared(Line("x is a vector"), 0, 13)
    assert said is not None
    assert (said.shape, said.kind) == (None, ShapeKind.COLUMN)


LINES: list[tuple[str, dict[str, Shape]]] = [
    ("x = (n, 1), w = (1, n), b = (1, 1)", {"x": ("n", 1), "w": (1, "n"), "b": (1, 1)}),
    (
        "x = (n, m), w = (1, n), b = (1, 1) → (1, m)",
        {"x": ("n", "m"), "w": (1, "n"), "b": (1, 1)},
    ),
    ("x ∈ ℝ^{n×1}, W ∈ ℝ^{k×n}", {"x": ("n", 1), "W": ("k", "n")}),
    ("x (n×1), W (k×n)", {"x": ("n", 1), "W": ("k", "n")}),
    (
        r"$x \in \mathbb{R}^n, W \in \mathbb{R}^{k \times n}$",
        {"x": ("n", 1), "W": ("k", "n")},
    ),
    (
        r"Let $x \in \mathbb{R}^{n}$ and $W \in \mathbb{R}^{k \times n}$, with $b\in\mathbb{R}^k$.",
        {"x": ("n", 1), "W": ("k", "n"), "b": ("k", 1)},
    ),
    (
        "x is a vector in R^n, w is a row vector (1, n) and b is a scalar",
        {"x": ("n", 1), "w": (1, "n"), "b": (1, 1)},
    ),
    (
        "where x, w are column vectors of length n and y is a scalar.",
        {"x": ("n", 1), "w": ("n", 1), "y": (1, 1)},
    ),
    ("Shapes: X (n, m), w (1, n)", {"X": ("n", "m"), "w": (1, "n")}),
    ("Parameters: w ∈ ℝ^{1×n}, b ∈ ℝ", {"w": (1, "n"), "b": (1, 1)}),
    ("X: (m, n), y: (m, 1), theta: (n, 1)", {"X": ("m", "n"), "y": ("m", 1), "theta": ("n", 1)}),
    (
        "Let x be an n-vector, W a k × n matrix, and b, y k-vectors.",
        {"x": ("n", 1), "W": ("k", "n"), "b": ("k", 1), "y": ("k", 1)},
    ),
    (
        r"with scalars $y, \delta$ and $w, x \in \mathbb{R}^n$",
        {"y": (1, 1), r"\delta": (1, 1), "w": ("n", 1), "x": ("n", 1)},
    ),
    ("a scalar b, the vector x of length n", {"b": (1, 1), "x": ("n", 1)}),
    ("- X ∈ ℝ^{n×m}, Y ∈ ℝ^{k×m}", {"X": ("n", "m"), "Y": ("k", "m")}),
]


@pytest.mark.parametrize(("line", "shapes"), LINES)
def test_several_declarations_stand_on_one_line(line: str, shapes: dict[str, Shape]) -> None:
    names = " + ".join(f"norm({name})" for name in shapes)
    model = read_model(f"{line}\nJ = {names}")
    assert {symbol.name: symbol.shape for symbol in model.inputs} == shapes
    assert not model.assumptions


UNREADABLE = [
    ("x ∈ ℂ^n", 5, "is not a space that is known here; write the shape in brackets, as in x : (n"),
    ("W is k ×", 6, "this declares a shape that cannot be read; write the shape in brackets"),
    ("W ∈ ℝ^{a×b×c×d×e×f×g}", 8, "up to 6 dimensions in a tensor, not 7 sizes"),
    ("x : n over m", 5, "after the colon comes a shape such as (n, m)"),
    ("S is a diagonal n × n matrix", 17, "diagonal is not read here; leave the word out"),
    ("S is a symmetric n × m matrix", 18, "only a square matrix is symmetric, and this one is (n"),
]


@pytest.mark.parametrize(("line", "column", "said"), UNREADABLE)
def test_a_declaration_that_cannot_be_read_is_an_error_at_its_line(
    line: str, column: int, said: str
) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(f"v : (n, 1)\n{line}\nJ = norm(v)")
    assert said in caught.value.message
    assert (caught.value.line, caught.value.column) == (2, column)


def test_the_shape_of_a_defined_value_is_checked() -> None:
    assert read_model("x : (n, 1)\nz : (n, 1)\nz = 2 x\nJ = norm(z)").objective.name == "J"
    with pytest.raises(ParseError, match=r"z is declared \(n, 1\) on line 2, and this definition"):
        read_model("x : (n, 1)\nz : (n, 1)\nz = sum(x)\nJ = z")


def test_a_declaration_below_the_formula_counts() -> None:
    model = read_model("L = w^T x\nwhere w, x ∈ ℝ^d")
    assert {s.name: s.shape for s in model.inputs} == {"w": ("d", 1), "x": ("d", 1)}


def test_a_one_hot_label_is_declared_in_words() -> None:
    model = read_model(
        "Y is a one-hot matrix (k, m)\nZ : (k, m)\nJ = cross_entropy(Y, softmax(Z, axis=0))"
    )
    assert [(known.symbol.name, known.axis) for known in model.onehot] == [("Y", 0)]


PAGES = [
    (
        r"""
Consider $x \in \mathbb{R}^{n}$, $W \in \mathbb{R}^{k\times n}$ and $b, y \in \mathbb{R}^k$.
\begin{align*}
z &= W x + b \\
p &= \tanh(z) \\
L &= \frac{1}{2} \left\| p - y \right\|^2
\end{align*}
""",
        ["z", "p", "L"],
    ),
    (
        r"""
\[
\hat{y} = \sigma(w^\top x + b)
\]
where $x, w \in \mathbb{R}^d$ and $b, y \in \mathbb{R}$. The loss is
\begin{equation}
L = - \left( y \log \hat{y}
   + (1 - y) \log (1 - \hat{y}) \right) \tag{1}
\end{equation}
""",
        [r"\hat{y}", "L"],
    ),
    ("x:(N,1); mu=mean(x); v=mean((x-mu)^2)\nL=sum((x-mu)^4)/v", ["mu", "v", "L"]),
    (
        "x, w : (n, 1)\n$$ z = w^T x, \\quad a = \\sigma(z) $$\nThe loss is L = -log(a).",
        ["z", "a", "L"],
    ),
    ("```\nx, w : (n, 1)\nz = np.dot(w.T, x)\nL = z**2\n```", ["z", "L"]),
    ("x ∈ ℝᴺ\nσ² = mean(x .* x)\nL = sum(x)/√(σ² + 1)", ["σ²", "L"]),
    ("w : (1, n)\nL = g(w w^T)\nwhere g(z) = max(0, z)", ["L"]),
    ("X : (m, n), y : (m, 1), θ : (n, 1)\nJ(θ) = ||X θ - y||^2", ["J"]),
]


@pytest.mark.parametrize(("text", "names"), PAGES)
def test_markup_and_words_around_the_formulas_are_passed_over(text: str, names: list[str]) -> None:
    model = read_model(text)
    assert [definition.target.name for definition in model.definitions] == names


def test_words_that_are_not_read_are_counted() -> None:
    model = read_model("# title\nx : (n, 1)\nHere the loss is convex in its argument.\nJ = norm(x)")
    assert model.prose == (3,)
    assert "not read, as prose: words on line 3" in " ".join(_reading(model))


def _reading(model: object) -> tuple[str, ...]:
    from chainrule import derive

    return derive(model).reading  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "line",
    [
        "S : (n, n) symmetric",
        "S : (n, n), symmetric",
        "S is a symmetric n × n matrix",
        "S is a symmetric matrix",
        "S ∈ ℝ^{n×n}, symmetric",
    ],
)
def test_a_symmetric_matrix_is_its_own_transpose(line: str) -> None:
    model = read_model(f"{line}\nx : (n, 1)\nJ = x^T S^T x")
    (matrix,) = (symbol for symbol in model.inputs if symbol.name == "S")
    assert matrix.symmetric
    assert matrix.shape == ("n", "n")
    assert (
        model.definitions[-1].value
        is read_model(f"{line}\nx : (n, 1)\nJ = x^T S x").definitions[-1].value
    )


def test_what_is_computed_cannot_be_declared_symmetric() -> None:
    with pytest.raises(ParseError, match="only what is given can be declared symmetric"):
        read_model("X : (n, n)\nS : (n, n) symmetric\nS = X + X^T\nJ = trace(S)")
