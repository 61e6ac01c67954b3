import pytest

from chainrule.calculus.graph.node import Symbol
from chainrule.errors import ParseError
from chainrule.language.reading import read_expression, read_model

SCOPE = {
    s.name: s
    for s in (
        Symbol("x", ("n", 1)),
        Symbol("v", (1, "n")),
        Symbol("w", (1, "n")),
        Symbol("X", ("m", "n")),
        Symbol("Y", (1, "m")),
        Symbol("A", (1, "m")),
        Symbol("W", ("n", "n")),
        Symbol("V", ("n", "n")),
        Symbol("a"),
        Symbol("b"),
        Symbol("yhat"),
        Symbol("weights"),
    )
}

EXPRESSIONS = [
    # names
    ("wfoo", 1, "unknown name wfoo"),
    ("wX", 1, "wX: w is (1, n), X is (m, n); the inner sizes n and m differ"),
    ("weihgts a", 1, "did you mean weights?"),
    ("y_hta", 1, "unknown name y_hta"),
    ("sigmod(x)", 1, "did you mean sigmoid?"),
    ("q", 1, "known here"),
    ("a2", 1, "did you mean a^2 or 2 a?"),
    ("B", 1, "did you mean b?"),
    ("x_1", 1, "x has no entries here"),
    ("sum_i a", 1, "nothing under this sum has the index i; write sum(...)"),
    (r"\sum_{i=1}^m a", 1, "nothing under this sum has the index i; write sum(...)"),
    (r"\sum_{i=1}^m X_i", 1, "X is (m, n), and X_i has one index; write the formula with matrices"),
    (r"\sum_{i=1}^m x_i", 12, "this sum runs to m, and x has n entries"),
    (r"\sum_i x_i v", 12, "v is (1, n) and has no index i under this sum; give it one"),
    (r"\sum_{i,j} W_ij", 1, "a sum over two indices is written with matrices here"),
    # which power, which quotient
    ("W^2", 1, "write W .^ 2 for the power of every entry or W @^ 2 for the matrix power"),
    ("(W - V)²", 1, "write (W - V) .^ 2 for the power of every entry or (W - V) @^ 2"),
    ("W^-2", 1, "W is a square matrix, so W^-2 can be read in two ways"),
    ("W^{1/2}", 1, "write W .^ (1/2) for the power of every entry"),
    ("1/W", 2, "write 1 ./ W for one over every entry or W^-1 for the inverse"),
    ("a / (W V)", 3, "write a ./ (W V) for one over every entry or a (W V)^-1 for the inverse"),
    ("X @^ 2", 1, "only a square matrix is multiplied by itself; for the power of every entry"),
    ("W @^ 20", 1, "a matrix is multiplied by itself 1 to 16 times"),
    # what editors leave
    (r"\placeholder{} + a", 1, "this box is empty; fill it in, or delete it"),
    (r"a + \square", 5, "this box is empty"),
    (r"\begin{cases} a & a > 0 \\ b & b > 0 \end{cases}", 32, "write otherwise for the last case"),
    (
        r"\begin{cases} a & a > 0 \\ b & otherwise",
        1,
        r"these cases are never closed; add \end{cases}",
    ),
    (r"\sqrt[n]{a}", 7, "the order of a root is a number"),
    # shapes
    (
        "w X",
        1,
        "w X: w is (1, n), X is (m, n); the inner sizes n and m differ; did you mean w X^T?",
    ),
    ("a + w X", 5, "did you mean w X^T?"),
    ("Y X^T", 1, "the inner sizes m and n differ; did you mean Y X?"),
    ("Y log(A)", 1, "did you mean Y .* log(A), or Y log(A)^T?"),
    ("x (A - Y)^T x", 1, "x (A - Y)^T"),
    ("W X", 1, "did you mean W X^T?"),
    ("A + w", 1, "A + w: A is (1, m), w is (1, n); they do not meet entry by entry"),
    ("X + X^T", 1, "did you mean X^T + X^T?"),
    ("x + w", 1, "both would have to be repeated to (n, n)"),
    # which product
    ("w * x", 3, "`*` is the elementwise product; for the matrix product write `w x` or `w @ x`"),
    ("W * V", 3, "write `W .* V` for entry by entry or `W @ V` for the matrix product"),
    ("W * x", 3, "could be either product"),
    # readings that need brackets
    ("(a-b)/a(1-a)", 6, "write ((a-b)/a) (1-a) or (a-b)/(a (1-a))"),
    ("sum (A - Y)^2", 12, "write sum((A - Y)^2) or (sum(A - Y))^2"),
    ("a 2", 3, "write 2 a, a^2 or a_2"),
    # powers and numbers
    ("9^9^9^9", 5, "past the limit of 64"),
    ("(9^60)^60", 1, "this number is past the limit"),
    ("(-2)^a", 1, "the base of a free exponent is positive"),
    ("A^w", 1, "(1, m) and (1, n) do not meet entry by entry"),
    ("X^-1", 1, "X^T for the transpose"),
    ("a/0", 3, "divides by 0"),
    ("0^-1", 1, "divides by 0"),
    ("(-1)^0.5", 1, "root of a negative number"),
    ("1" * 41, 1, "40 digits"),
    ("1e400", 1, "10^30"),
    # brackets and bars
    ("(a", 1, "this ( is never closed; add )"),
    ("a + (b", 5, "never closed"),
    ("a)", 2, ") does not fit here"),
    ("|a", 1, "this | is never closed"),
    ("log(a", 4, "never closed"),
    ("(a]", 3, ") would close the ( before it"),
    ("||x||_3", 1, "the orders here are 1 and 2"),
    # things that stop short
    ("", 1, "an expression is missing here"),
    ("a +", 4, "the expression stops here"),
    ("log", 4, "the expression stops here"),
    ("a * / b", 5, "/ does not fit here"),
    ("a = b", 3, "write one definition a line"),
    ("sum()", 5, ") does not fit here"),
    ("a ? b", 3, "the character ? has no meaning here"),
    (r"\hat", 1, r"\hat takes a name in braces"),
    (r"\frac + b", 7, r"\frac{a}{b}"),
    # functions
    ("sum(A, axis=2)", 13, "the axis is 0 (over rows) or 1 (over columns)"),
    ("sum(A, weights=1)", 16, "sum has no option weights"),
    ("log(a, b)", 1, "log takes one argument"),
    ("max(a, b, a)", 1, "max takes one argument and an axis"),
    ("sum'(A)", 1, "only the first derivative"),
    ("tanh^T(a)", 5, "transpose the value"),
    (r"\mathbf{1}", 1, "write ones(rows, columns)"),
    ("a 1", 3, "leave it out"),
    ("a.foo(1)", 3, "after a dot comes .T"),
]


@pytest.mark.parametrize(("text", "column", "fragment"), EXPRESSIONS)
def test_an_expression_that_cannot_be_read_says_where_and_what_next(
    text: str, column: int, fragment: str
) -> None:
    with pytest.raises(ParseError) as caught:
        read_expression(text, SCOPE)
    assert fragment in caught.value.message
    assert (caught.value.line, caught.value.column) == (1, column)


HEAD = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\n"
MODELS = [
    ("", 1, 1, "a forward pass needs a definition"),
    ("# only a comment", 1, 1, "a forward pass needs a definition"),
    (HEAD, 4, 1, "a forward pass needs a definition"),
    (HEAD + "Z = w X + b", 5, 1, "the objective Z has shape (1, m); a gradient needs a scalar"),
    (HEAD + "\n  J = sum(w Y)", 6, 11, "w Y: w is (1, n), Y is (1, m)"),
    (HEAD + "J = sum(A)\nA = sigmoid(w X)", 5, 9, "A is used before it is defined on line 6"),
    (HEAD + "J = J + 1", 5, 5, "J is defined by itself"),
    (HEAD + "w = sum(X)", 5, 1, "w is declared (1, n) on line 3, and this definition has shape"),
    (HEAD + "w : (1, n)", 5, 1, "w is already defined on line 3"),
    ("ŷ : (1, 1)\nz, yhat : (1, 1)", 2, 4, "yhat is already defined as ŷ on line 1"),
    (HEAD + "J = sum(X) = 2", 5, 12, "write one definition a line"),
    (HEAD + "sum(X)", 5, 1, "neither a declaration such as X : (n, m) nor a definition"),
    (HEAD + "J + 1 = sum(X)", 5, 1, "J + 1 is not a name"),
    (HEAD + "= sum(X)", 5, 1, "a name is missing here"),
    (HEAD + "J =", 5, 4, "an expression is missing here"),
    ("x : (n)\nJ = sum(x)", 1, 5, "write (n, 1) for a column or (1, n) for a row"),
    ("x : (3)\nJ = sum(x)", 1, 5, "write (3, 1) for a column or (1, 3) for a row"),
    ("x : (a, b, c, d, e, f, g)\nJ = sum(x)", 1, 5, "not 7 sizes"),
    ("x : (0, 1)\nJ = sum(x)", 1, 5, "a size is at least 1"),
    ("x : (n / 2, 1)\nJ = sum(x)", 1, 5, "n / 2 is not a size"),
    ("x : (n - , 1)\nJ = sum(x)", 1, 5, "n - is not a size"),
    ("x : (0 - n, 1)\nJ = sum(x)", 1, 5, "a size is at least 1"),
    ("x : (3 - 3, 1)\nJ = sum(x)", 1, 5, "a size is at least 1"),
    ("X : (n, 2h)\nW : (h, n)\nJ = sum(W X W)", 3, 9, "the inner sizes 2h and h differ"),
    ("X : (n, m - 1)\nY : (n, m)\nJ = sum(X + Y)", 3, 9, "(n, m - 1)"),
    ("x : n over m\nJ = sum(x)", 1, 5, "after the colon comes a shape"),
    ("x :\nJ = sum(x)", 1, 3, "after the colon comes a shape"),
    ("x, : (n, 1)\nJ = sum(x)", 1, 4, "a name is missing here"),
    (HEAD + "J = sum(X)\nobjective: K", 6, 12, "unknown name K"),
    (HEAD + "J = sum(X)\nobjective: w", 6, 11, "w is an input; the objective is a definition"),
    (HEAD + "Z = w X\nJ = sum(Z)\nobjective: Z", 7, 11, "the objective Z has shape (1, m)"),
    (HEAD + "J = sum(X)\nwrt: w, wieghts", 6, 9, "unknown name wieghts"),
    (HEAD + "J = sum(X)\nwrt: w_0", 6, 6, "w has entries 1 to n"),
    (HEAD + "J = sum(X)\nwrt: X_1", 6, 6, "one entry can be asked of a vector"),
    ("a^[1] : (4, 1)\nJ = sum(a^[1])\nwrt: a^[1]_5", 3, 6, "a^[1] has entries 1 to 4"),
    (HEAD + "J = sum(X)\nwrt: w\nwrt: b", 7, 1, "wrt is already given on line 6"),
    (HEAD + "J = sum(X) / 0  # no", 5, 14, "divides by 0"),
    ("q = 1\nX : (n, m", 2, 5, "after the colon comes a shape"),
]


@pytest.mark.parametrize(("text", "line", "column", "fragment"), MODELS)
def test_a_forward_pass_that_cannot_be_read_says_where_and_what_next(
    text: str, line: int, column: int, fragment: str
) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert fragment in caught.value.message
    assert (caught.value.line, caught.value.column) == (line, column)


def test_the_caret_stands_under_the_place() -> None:
    with pytest.raises(ParseError) as caught:
        read_model("w : (1, n)\nX : (m, n)\nJ = sum(w X)")
    where, source, caret = str(caught.value).split("\n")
    assert where.startswith("line 3, column 9: w X: w is (1, n), X is (m, n)")
    assert source[caret.index("^") :] == "w X)"
