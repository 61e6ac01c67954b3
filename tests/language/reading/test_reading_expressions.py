from collections.abc import Callable
from fractions import Fraction

import pytest

from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.node import Expr, Number, Symbol
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.ops import (
    TABLE,
    absolute,
    apply,
    exp,
    log,
    norm,
    reduce_mean,
    reduce_sum,
    relu,
    sigmoid,
    size,
    softplus,
    sqrt,
    squared_norm,
    tanh,
)
from chainrule.language.reading import read_expression
from chainrule.language.typeset import plain

x, v, w = Symbol("x", ("n", 1)), Symbol("v", (1, "n")), Symbol("w", ("n", 1))
X, Y, A = Symbol("X", ("n", "m")), Symbol("Y", (1, "m")), Symbol("A", (1, "m"))
W, V = Symbol("W", ("n", "n")), Symbol("V", ("n", "n"))
a, b, y, z, J = (Symbol(name) for name in "abyzJ")
yhat, z1 = Symbol(r"\hat{y}"), Symbol("z_1")
W1, b1, D = Symbol("W^[1]", ("h", "n")), Symbol("b^[1]", ("h", 1)), Symbol("D", ("h", "m"))
ai, xp = Symbol("a^{(i)}"), Symbol("X'", ("n", "m"))
θ, p = Symbol("θ", (1, "n")), Symbol("p")
SCOPE = {
    s.name: s for s in (x, v, w, X, Y, A, W, V, a, b, y, z, J, yhat, z1, W1, b1, D, ai, xp, θ, p)
}
m = size("m")
STEP = TABLE["step"]

TABLE_OF_TEXTS: list[tuple[str, Callable[[], Expr]]] = [
    # products
    ("v X", lambda: v @ X),
    ("v @ X", lambda: v @ X),
    (r"v \cdot X", lambda: v @ X),
    ("v · X", lambda: v @ X),
    ("np.dot(v, X)", lambda: v @ X),
    ("v.dot(X)", lambda: v @ X),
    ("v X + b", lambda: v @ X + b),
    ("v W X", lambda: v @ W @ X),
    ("v (W X)", lambda: v @ (W @ X)),
    ("2(yhat - y)", lambda: 2 * (yhat - y)),
    ("a x", lambda: a * x),
    ("a * x", lambda: a * x),
    ("x * a", lambda: x * a),
    ("x * w", lambda: x * w),
    ("x .* w", lambda: x * w),
    ("x ⊙ w", lambda: x * w),
    (r"x \odot w", lambda: x * w),
    ("x ∘ w", lambda: x * w),
    ("np.multiply(x, w)", lambda: x * w),
    ("X * Y", lambda: X * Y),
    ("X .* Y", lambda: X * Y),
    # matrix products bind tighter than products entry by entry, on both sides
    ("W x .* w", lambda: (W @ x) * w),
    ("w .* W x", lambda: w * (W @ x)),
    ("w .* W @ x", lambda: w * (W @ x)),
    ("w .* V W x", lambda: w * (V @ W @ x)),
    # quotients
    ("J / m", lambda: J / m),
    ("1/m sum(Y)", lambda: (Number(1) / m) * reduce_sum(Y)),
    (r"\frac{1}{m} \sum(Y)", lambda: (Number(1) / m) * reduce_sum(Y)),
    ("1/2 a^2", lambda: Number(Fraction(1, 2)) * a**2),
    ("a b / y", lambda: (a * b) / y),
    ("a / b / y", lambda: (a / b) / y),
    ("a / (b y)", lambda: a / (b * y)),
    ("-y/a + (1-y)/(1-a)", lambda: -(y / a) + (1 - y) / (1 - a)),
    (r"-\frac{y}{a} + \frac{1-y}{1-a}", lambda: -(y / a) + (1 - y) / (1 - a)),
    ("a .* b / y", lambda: (a * b) / y),
    # signs
    ("-a b", lambda: -(a * b)),
    ("− a", lambda: -a),
    ("a - -b", lambda: a + b),
    ("-a^2", lambda: -(a**2)),
    ("+a", lambda: a),
    # transposes
    ("w^T x", lambda: w.T @ x),
    ("w' x", lambda: w.T @ x),
    ("w.T x", lambda: w.T @ x),
    ("w.T @ x", lambda: w.T @ x),
    (r"w^\top x", lambda: w.T @ x),
    (r"w^{\top} x", lambda: w.T @ x),
    (r"w^{\mathsf{T}} x", lambda: w.T @ x),
    ("w^{T} x", lambda: w.T @ x),
    ("wᵀ x", lambda: w.T @ x),
    ("transpose(w) x", lambda: w.T @ x),
    ("(A - Y) X^T", lambda: (A - Y) @ X.T),
    ("(A - Y) @ X.T", lambda: (A - Y) @ X.T),
    ("np.dot(A-Y, X.T)", lambda: (A - Y) @ X.T),
    (r"(\hat{y}-y)x^\top", lambda: (yhat - y) * x.T),
    ("W^[1]^T D", lambda: W1.T @ D),
    ("W^{[1]T} D", lambda: W1.T @ D),
    (r"W^{[1]\top} D", lambda: W1.T @ D),
    ("W^{[1]} x + b^{[1]}", lambda: W1 @ x + b1),
    ("X'", lambda: xp),
    ("x^2^T", lambda: (x**2).T),
    ("x^2'", lambda: (x**2).T),
    ("x².T", lambda: (x**2).T),
    ("e^x^T", lambda: exp(x).T),
    ("x^{2^2}", lambda: x**4),
    ("a^2^2", lambda: a**4),
    # powers
    ("a^2", lambda: a**2),
    ("a²", lambda: a**2),
    ("a^{2}", lambda: a**2),
    ("a**2", lambda: a**2),
    ("a⁻¹", lambda: a**-1),
    ("a^-1 b", lambda: a**-1 * b),
    ("a^{1/2}", lambda: a ** Fraction(1, 2)),
    ("a^{(i)}", lambda: ai),
    ("a^(i)", lambda: ai),
    ("a^(2)", lambda: a**2),
    ("2^3", lambda: Number(8)),
    ("a b^2 + y", lambda: a * b**2 + y),
    (r"\hat y^2", lambda: yhat**2),
    # norms and bars
    ("||x - w||_2^2", lambda: squared_norm(x - w)),
    ("‖x - w‖²", lambda: squared_norm(x - w)),
    ("norm(x - w)^2", lambda: squared_norm(x - w)),
    (r"\lVert x - w \rVert_2^2", lambda: squared_norm(x - w)),
    (r"\|x - w\|^2", lambda: squared_norm(x - w)),
    (r"\left\| x - w \right\|_{2}^{2}", lambda: squared_norm(x - w)),
    ("||X||_F^2", lambda: squared_norm(X)),
    ("norm(x)", lambda: norm(x)),
    ("||x|| a", lambda: norm(x) * a),
    ("||x||_1", lambda: reduce_sum(absolute(x))),
    ("squared_norm(x)", lambda: squared_norm(x)),
    ("|a|", lambda: absolute(a)),
    ("|a||b|", lambda: absolute(a) * absolute(b)),
    ("|a| |b|", lambda: absolute(a) * absolute(b)),
    ("|a|(b + |y|)", lambda: absolute(a) * (b + absolute(y))),
    ("|a + (|b|)|", lambda: absolute(a + absolute(b))),
    # functions
    ("tanh(sigmoid(a b^2 + y))", lambda: tanh(sigmoid(a * b**2 + y))),
    ("σ(x)^T W", lambda: sigmoid(x).T @ W),
    (r"\sigma(z)", lambda: sigmoid(z)),
    (r"\sigma\left(v X + b\right)", lambda: sigmoid(v @ X + b)),
    ("y log a + (1-y) log(1-a)", lambda: y * log(a) + (1 - y) * log(1 - a)),
    ("log z_1", lambda: log(z1)),
    ("log a^2", lambda: log(a**2)),
    ("log(a)^2", lambda: log(a) ** 2),
    ("log(a) b", lambda: log(a) * b),
    (r"\log a", lambda: log(a)),
    ("ln a", lambda: log(a)),
    ("log -a", lambda: log(-a)),
    (r"\tanh z", lambda: tanh(z)),
    ("tanh^2(z)", lambda: tanh(z) ** 2),
    ("tanh²(z)", lambda: tanh(z) ** 2),
    ("ReLU(z)", lambda: relu(z)),
    ("relu(z)", lambda: relu(z)),
    (r"\operatorname{ReLU}(z)", lambda: relu(z)),
    ("max(0, z)", lambda: relu(z)),
    ("np.maximum(z, 0)", lambda: relu(z)),
    ("e^{-z}", lambda: exp(-z)),
    ("e^z", lambda: exp(z)),
    ("1/(1 + e^{-z})", lambda: 1 / (1 + exp(-z))),
    (r"\exp(-z)", lambda: exp(-z)),
    (r"\sqrt{a}", lambda: sqrt(a)),
    ("√a", lambda: sqrt(a)),
    ("softplus(z)", lambda: softplus(z)),
    ("σ'(z)", lambda: sigmoid(z) * (1 - sigmoid(z))),
    ("tanh'(z)", lambda: 1 - tanh(z) ** 2),
    ("[z > 0]", lambda: apply(STEP, z)),
    ("(z > 0) a", lambda: apply(STEP, z) * a),
    ("[0 < z]", lambda: apply(STEP, z)),
    # sums
    ("sum(A - Y)", lambda: reduce_sum(A - Y)),
    ("sum(X, axis=1)", lambda: reduce_sum(X, 1)),
    ("sum(X, 0)", lambda: reduce_sum(X, 0)),
    ("X.sum(axis=-1)", lambda: reduce_sum(X, 1)),
    ("X.sum()", lambda: reduce_sum(X)),
    ("np.sum(A-Y, axis=1, keepdims=True)", lambda: reduce_sum(A - Y, 1)),
    ("mean(X)", lambda: reduce_mean(X)),
    ("mean(X, axis=0)", lambda: reduce_mean(X, 0)),
    ("sum((A - Y)^2)", lambda: reduce_sum((A - Y) ** 2)),
    ("sum(A - Y)^2", lambda: reduce_sum(A - Y) ** 2),
    (r"(A-Y)\mathbf{1}", lambda: (A - Y) @ Number(1, ("m", 1))),
    ("(A-Y) 1", lambda: (A - Y) @ Number(1, ("m", 1))),
    ("(A-Y) ones(m, 1)", lambda: (A - Y) @ Number(1, ("m", 1))),
    ("1^T X", lambda: Number(1, (1, "n")) @ X),
    # numbers and names
    ("0.5 a", lambda: Number(Fraction(1, 2)) * a),
    (".5", lambda: Number(Fraction(1, 2))),
    ("1e-3", lambda: Number(Fraction(1, 1000))),
    ("m", lambda: m),
    ("ŷ", lambda: yhat),
    ("y_hat", lambda: yhat),
    (r"\theta x", lambda: θ @ x),
    ("z₁", lambda: z1),
    (r"$a \, b$", lambda: a * b),
    ("a\n + b", lambda: a + b),
]


@pytest.mark.parametrize(("text", "expected"), TABLE_OF_TEXTS, ids=[t for t, _ in TABLE_OF_TEXTS])
def test_a_text_reads_as_the_builders_build(text: str, expected: Callable[[], Expr]) -> None:
    assert read_expression(text, SCOPE) is expected()


def test_every_function_of_the_table_reads_by_its_name_and_its_glyphs() -> None:
    rows = [
        row
        for row in TABLE.values()
        if row.elementwise
        and len(row.domain) == 1
        and row.notation.layout in (Layout.FUNCTION, Layout.FENCE)
        and row is not TABLE["polygamma"]  # takes its order, too
    ]
    assert len(rows) > 8
    for row in rows:
        expected = apply(row, z)
        assert read_expression(f"{row.name}(z)", SCOPE) is expected
        if row.notation.layout is Layout.FUNCTION:
            for glyph in (row.notation.plain, row.notation.latex, row.notation.unicode):
                assert read_expression(f"{glyph}(z)", SCOPE) is expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("z^a", "pow(z, a)"),
        ("2^z", "pow(2, z)"),
        ("polygamma(1, z)", "polygamma(z, 1)"),
        ("log_2(z)", "log2(z)"),
        (r"\operatorname{gelu}(z)", "GELU(z)"),
        ("[z ≠ a]", "1 - [z == a]"),
        (r"[z \neq a]", "[z != a]"),
        ("v .+ x", "outer_sum(x, v)"),
        ("v + x + X", "X + v + x"),
        ("triu(X, 1)", "X .* upper(n, m, 1)"),
        ("cumsum(X, axis=1)", "X upper(m)"),
    ],
)
def test_spellings_of_one_expression(text: str, same: str) -> None:
    shapes: dict[str, Shape] = {"z": (1, 1), "a": (1, 1), "X": ("n", "m"), "x": ("n", 1)}
    scope = {name: Symbol(name, shape) for name, shape in (*shapes.items(), ("v", (1, "m")))}
    found, expected = (read_expression(side, scope) for side in (text, same))
    assert found is expected or {*found.args} == {*expected.args}
    assert read_expression(plain(found), scope) is found


def test_a_declared_name_wins_over_a_function_a_dimension_and_e() -> None:
    scope = {name: Symbol(name) for name in ("sigma", "e", "m", "T")} | {"X": X}
    assert read_expression("sigma e", scope) is scope["sigma"] * scope["e"]
    assert read_expression("e^2", scope) is scope["e"] ** 2
    assert read_expression("m X", scope) is scope["m"] * X
    assert read_expression("X^T", scope) is X.T


@pytest.mark.parametrize("sign", [" + ", " - ", " .* ", " / ", " "])
def test_a_long_chain_folds_as_one_by_one(sign: str) -> None:
    operands = [a, b, y, z, X, Y, X, b, Number(2), a]
    names = ["a", "b", "y", "z", "X", "Y", "X", "b", "(2)", "a"]
    if sign == " ":
        operands, names = operands[:6], names[:6]
        operands[5], names[5] = A.T, "A^T"
    folded: Expr = operands[0]
    for operand in operands[1:]:
        folded = {
            " + ": lambda left, right: left + right,
            " - ": lambda left, right: left - right,
            " .* ": lambda left, right: left * right,
            " / ": lambda left, right: left / right,
            " ": lambda left, right: left @ right,
        }[sign](folded, operand)
    assert read_expression(sign.join(names), SCOPE) is folded
