"""Well-shaped expressions, written and built side by side, must read as they were built."""

from collections.abc import Callable
from fractions import Fraction

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.calculus.graph.dims import SCALAR, Dim, Shape
from chainrule.calculus.graph.node import Expr, Number, Symbol
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.ops import TABLE, apply, reduce_mean, reduce_sum, squared_norm
from chainrule.language.reading import read_expression

SUM, PRODUCT, MATRIX, ATOM = range(4)
SIZES: list[Dim] = [1, "n", "m"]
SHAPES: list[Shape] = [(rows, columns) for rows in SIZES for columns in SIZES]
SCOPE = {
    name: Symbol(name, shape)
    for names, shape in zip(
        ["a yhat z_1", "v θ", "Y A", "x w^[1]", "W", "X D", "u_{12}", "P Q", "S"],
        SHAPES,
        strict=True,
    )
    for name in names.split()
}
FUNCTIONS = [
    row
    for row in TABLE.values()
    if row.elementwise
    and len(row.domain) == 1
    and row.notation.layout is Layout.FUNCTION
    and row is not TABLE["polygamma"]  # takes its order, too
]

Pair = tuple[str, Expr, int]  # the text, what it means, and how tightly the text holds together


def bracketed(pair: Pair, level: int) -> str:
    return pair[0] if pair[2] >= level else f"({pair[0]})"


@st.composite
def pairs(draw: st.DrawFn, shape: Shape, depth: int = 4) -> Pair:
    def part(wanted: Shape = shape) -> Pair:
        return draw(pairs(wanted, depth - 1))

    def leaf() -> Pair:
        name = draw(st.sampled_from([n for n, s in SCOPE.items() if s.shape == shape]))
        return name, SCOPE[name], ATOM

    def added() -> Pair:
        left, right = part(), part()
        if draw(st.booleans()):
            return f"{left[0]} + {bracketed(right, PRODUCT)}", left[1] + right[1], SUM
        return f"{left[0]} - {bracketed(right, PRODUCT)}", left[1] - right[1], SUM

    def entrywise() -> Pair:
        left, right = part(), part()
        if draw(st.booleans()):
            text = f"{bracketed(left, PRODUCT)} / {bracketed(right, ATOM)}"
            return text, left[1] / right[1], PRODUCT
        sign = draw(st.sampled_from([".*", "⊙", r"\odot"]))
        text = f"{bracketed(left, PRODUCT)} {sign} {bracketed(right, MATRIX)}"
        return text, left[1] * right[1], PRODUCT

    def product() -> Pair:
        inner = draw(st.sampled_from(SIZES))
        left, right = part((shape[0], inner)), part((inner, shape[1]))
        sign = draw(st.sampled_from([" ", " @ ", " · "]))
        text = f"{bracketed(left, MATRIX)}{sign}{bracketed(right, ATOM)}"
        return text, left[1] @ right[1], MATRIX

    def scaled() -> Pair:
        number, right = draw(st.integers(2, 9)), part()
        text = f"{number} {bracketed(right, ATOM)}"
        return text, Number(Fraction(number)) @ right[1], MATRIX

    def negative() -> Pair:
        inner = part()
        return f"-{bracketed(inner, PRODUCT)}", -inner[1], SUM

    def transposed() -> Pair:
        inner = part((shape[1], shape[0]))
        mark = draw(st.sampled_from(["^T", "'", ".T", r"^\top", "ᵀ"]))
        return f"{bracketed(inner, ATOM)}{mark}", inner[1].T, ATOM

    def squared() -> Pair:
        inner = part()
        rows, columns = inner[1].shape
        asked = rows == columns != 1  # the square of a square matrix is asked
        marks = [".^2", "^∘2", r"^{\circ 2}", "**2"] if asked else ["^2", "²", "^{2}", "**2"]
        mark = draw(st.sampled_from(marks))
        return f"({inner[0]}){mark}", inner[1] ** 2, ATOM

    def applied() -> Pair:
        row, inner = draw(st.sampled_from(FUNCTIONS)), part()
        word = draw(st.sampled_from([row.name, row.notation.latex, row.notation.unicode]))
        return f"{word}({inner[0]})", apply(row, inner[1]), ATOM

    def reduced() -> Pair:
        inner = part(draw(st.sampled_from(SHAPES)))
        word, build = draw(
            st.sampled_from([("sum", reduce_sum), ("mean", reduce_mean), ("", squared_norm)])
        )
        if not word:
            return f"‖{inner[0]}‖²", build(inner[1]), ATOM
        return f"{word}({inner[0]})", build(inner[1]), ATOM

    ways: list[Callable[[], Pair]] = [leaf]
    if depth > 0:
        ways += [added, entrywise, product, scaled, negative, transposed, squared, applied]
        ways += [reduced] if shape == SCALAR else []
    return draw(st.sampled_from(ways))()


@settings(
    max_examples=600,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.sampled_from(SHAPES).flatmap(pairs))
def test_a_well_shaped_expression_reads_as_it_was_built(pair: Pair) -> None:
    text, expected, _ = pair
    assert read_expression(text, SCOPE) is expected
