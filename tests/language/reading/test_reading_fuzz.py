"""Whatever is typed ends in a value or a ParseError, soon. 3,000 inputs in each run.

`CHAINRULE_FUZZ=4` reads four times as many.
"""

import os
import re
from collections.abc import Callable
from time import process_time
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.errors import ParseError
from chainrule.language.reading import canonical, read_expression, read_model

SCOPE = {
    s.name: s
    for s in (
        Symbol("x", ("n", 1)),
        Symbol("w", (1, "n")),
        Symbol("X", ("n", "m")),
        Symbol("Y", (1, "m")),
        Symbol("W", ("n", "n")),
        Symbol("a"),
        Symbol(r"\hat{y}"),
        Symbol("z_1"),
        Symbol("W^[1]", ("h", "n")),
        Symbol("a^{(i)}"),
        Symbol("x'", ("n", 1)),
    )
}
MORE = int(os.environ.get("CHAINRULE_FUZZ", "1"))
PATIENCE = 2.0  # seconds for one input: some thousand times the usual

ATOMS = st.sampled_from(
    [*SCOPE, "m", "n", "h", "e", "T", "q", "wX", "yhat", "ŷ", r"\hat y", "z₁", "2", "1", "0", "0.5"]
) | st.sampled_from(
    ["1e3", r"\mathbf{1}", "ones(m, 1)", "9", r"\theta", r"\frac{a}{2}", "log", "sum"]
)
INFIX = st.sampled_from(
    [" ", "", " + ", " - ", " * ", " .* ", " / ", " @ ", "^", " ⊙ ", "·", "−", "= ", ", ", " > "]
)
WRAPPED = (
    st.sampled_from(
        ["({})", "-{}", "{}^T", "{}'", "{}^2", "{}^{{-1}}", "{}²", "|{}|", "||{}||", "||{}||_2^2"]
    )
    | st.sampled_from(
        ["sum({})", "sum({}, axis=1)", "mean {}", "log {}", "σ({})", r"\sigma\left({}\right)"]
    )
    | st.sampled_from(
        ["norm({})^2", "e^{{{}}}", r"\frac{{{}}}{{a}}", "[{} > 0]", "tanh'({})", "{}.T", "({}"]
    )
    | st.sampled_from(["{{{}}}", "max(0, {})", "np.dot({}, X)", "{}.sum()", "{}ᵀ", "tanh^2({})"])
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(lambda shell, part: shell.format(part), WRAPPED, inner),
        st.builds(lambda left, sign, right: left + sign + right, inner, INFIX, inner),
    ),
    max_leaves=12,
)
FRAGMENTS = (
    st.sampled_from(
        list("()[]{}|‖_^'\\+-*/@.,=:#<>~$&?0123456789aexwXYWTσΣ∑√ŷ₁²⁻¹ᵀ⊤⊙·×−\u0302\u200b \t")
    )
    | st.sampled_from(
        [r"\hat", r"\left", r"\frac", r"\sigma", r"\|", "^{", "_{", "^[", "^T", ".T", ".*", "||"]
    )
    | st.sampled_from(
        ["log", "sum", "norm", "np.", "axis=", "1e", "9^9", r"\mathbf{", "^{[1]", "^{(", "\n"]
    )
)
SOUP = st.lists(FRAGMENTS, max_size=30).map("".join)
LINES = st.one_of(
    st.builds("{} : ({}, {})".format, ATOMS, ATOMS, ATOMS),
    st.builds("{} = {}".format, ATOMS, EXPRESSIONS),
    st.builds("{}: {}".format, st.sampled_from(["wrt", "objective", "note"]), ATOMS),
    SOUP,
    st.just("X : (n, m)  # features"),
    st.just("w : (1, n)"),
    st.just("J = sum(w X)"),
)
HEAD = "X : (n, m)\nY : (1, m)\nw : (1, n)\nW : (n, n)\na : (1, 1)"
PASSES = st.builds(
    lambda values, last: "\n".join([HEAD, *values, f"J = sum({last})"]),
    st.lists(st.builds("{} = {}".format, ATOMS | st.just("Z"), EXPRESSIONS | st.just("a")))
    | st.just([]),
    EXPRESSIONS,
)
TEXTS = st.lists(LINES, max_size=8).map("\n".join) | PASSES


def fuzz(examples: int) -> settings:
    return settings(
        max_examples=examples * MORE,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def held(read: Callable[[], object], text: str) -> object | None:
    """Return the value, or nothing after a ParseError that is complete; fail otherwise."""
    value: object | None = None
    refused: ParseError | None = None
    began = process_time()
    try:
        value = read()
    except ParseError as error:
        refused = error
    assert process_time() - began < PATIENCE
    if refused is not None:
        assert refused.message
        assert refused.line >= 1
        assert 1 <= refused.column <= len(normalize("NFC", text)) + 1
        assert str(refused).startswith(f"line {refused.line}, column {refused.column}: ")
    return value


def check_read_twice(text: str) -> None:
    value = held(lambda: read_expression(text, SCOPE), text)
    if value is not None:
        assert isinstance(value, Expr)
        assert read_expression(text, SCOPE) is value


@pytest.mark.slow
@fuzz(1200)
@given(EXPRESSIONS)
def test_expressions_from_the_grammar(text: str) -> None:
    check_read_twice(text)


@pytest.mark.slow
@fuzz(700)
@given(SOUP)
def test_fragments_in_any_order(text: str) -> None:
    check_read_twice(text)


@fuzz(500)
@given(st.text(max_size=60))
def test_any_text_at_all(text: str) -> None:
    check_read_twice(text)


@pytest.mark.slow
@fuzz(600)
@given(TEXTS)
def test_forward_passes(text: str) -> None:
    model = held(lambda: read_model(text), text)
    assert model is None or isinstance(model, Model)


@fuzz(500)
@given(st.text(max_size=40))
def test_forward_passes_of_any_text_at_all(text: str) -> None:
    model = held(lambda: read_model(text), text)
    assert model is None or isinstance(model, Model)


@fuzz(500)
@given(st.one_of(SOUP, st.text(max_size=20)))
def test_names(text: str) -> None:
    try:
        once = canonical(text)
    except ValueError:
        return
    assert canonical(once) == once
    assert not re.search(r"[\s\\{}]", once)
