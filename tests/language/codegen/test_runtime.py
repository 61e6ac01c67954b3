"""The JavaScript runtime and the translation to it, held to NumPy in Node."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np
import pytest
from tests.language.codegen.node import NodeError, node
from tests.language.codegen.numpy_samples import (
    ARRAYS,
    EXPRESSIONS,
    difference,
    direct_calls,
    translated,
)

from chainrule.calculus.graph.op import Spelling
from chainrule.calculus.ops import TABLE
from chainrule.errors import DerivationError
from chainrule.language.codegen.javascript import functions as runtime
from chainrule.language.codegen.javascript.functions import NUMPY, called, functions
from chainrule.language.codegen.javascript.statements import definition
from chainrule.language.codegen.javascript.target import JAVASCRIPT
from chainrule.language.codegen.javascript.translation import expression, signature
from chainrule.language.codegen.javascript.written import Scope, UntranslatableError


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_an_expression_has_the_value_of_numpy(text: str) -> None:
    assert difference(text, node()) == ""


def test_every_function_of_numpy_is_in_an_expression() -> None:
    direct = {row.name for text in EXPRESSIONS for row in direct_calls(text)}
    assert set(NUMPY.values()) <= direct


def test_a_runtime_that_is_wrong_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = dict(functions())
    wrong = rows["tanh"].text.replace("Math.tanh", "Math.sinh")
    monkeypatch.setattr(
        runtime, "functions", lambda: {**rows, "tanh": replace(rows["tanh"], text=wrong)}
    )
    assert difference("np.tanh(A)", node()).startswith("np.tanh(A) is [[")
    assert difference("np.tan(A)", node()) == ""


HELPERS = (
    """
def branches(x, low, high=2):
    \"\"\"Return a sum that depends on its arguments; */ ends no comment.\"\"\"
    if np.sum(x) > low and not high < 0:
        total = x * high
    else:
        total = -x
    for k in range(3):
        step = k + 1
        if step == 2:
            continued = step * 10
            total += continued
        total = total + step
    while high > 0:
        high -= 1
    return total + high
""",
    """
def scattered(x, low, high=2):
    total = np.zeros((4, x.shape[1]), dtype=x.dtype)
    np.add.at(total, np.arange(3), x)
    np.add.at(total, np.arange(3) * 0, x)
    new, var = total.shape
    return total * new + var + (0 if high is None else high)
""",
    """
def parts(x, low, high=2):
    sign, size = np.linalg.slogdet(x @ x.T)
    rows = [x[i] for i in range(x.shape[0]) if i != 1]
    return np.stack(rows) * sign + size + sum_of(x, axis=0, scale=low)
""",
)
SUM_OF = """
def sum_of(x, scale, axis):
    return scale * np.sum(x, axis=axis, keepdims=True)
"""


@pytest.mark.parametrize("source", HELPERS, ids=lambda text: signature(text)[0])
@pytest.mark.parametrize("low", [-100.0, 100.0])
def test_a_helper_has_the_value_of_numpy(source: str, low: float) -> None:
    name, _ = signature(source)
    known = dict(map(signature, (source, SUM_OF)))
    pieces = [definition(text, known) for text in (source, SUM_OF)]
    text = "\n".join([*pieces, *(row.text for row in called(pieces)), f"export {{ {name} as f }};"])
    space = {"np": np}
    exec(SUM_OF, space)
    exec(source, space)
    for array in (ARRAYS["A"], ARRAYS["A"] - 1):
        wanted = space[name](array, low)  # type: ignore[operator]
        np.testing.assert_allclose(node().call(text, "f", array, low), wanted, rtol=1e-12)


def test_an_error_is_thrown_with_its_message() -> None:
    source = """
def bounded(x, count):
    for place in (np.min(x), np.max(x)):
        if not 0 <= place < count:
            raise IndexError(f"`{int(place)}` is not below ${count}")
    return x
"""
    pieces = [definition(source, {})]
    text = "\n".join([*pieces, *(row.text for row in called(pieces)), "export { bounded as f };"])
    with pytest.raises(NodeError, match=r"^RangeError: `7` is not below \$3$"):
        node().call(text, "f", np.array([[1, 7]]), 3)
    assert node().call(text, "f", np.array([[1, 2]]), 3).shape == (1, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A + P[:2]", "RangeError: shapes (3, 4) and (2, 4) do not fit"),
        ("A @ A", "RangeError: (3, 4) times (3, 4) does not fit"),
        ("np.linalg.inv(S * 0)", "RangeError: the matrix is singular"),
        ("np.linalg.det(A)", "RangeError: (3, 4) is not square"),
        ("A.reshape(5, 2)", "RangeError: 12 entries in the shape (5, 2)"),
        ("A[:, I[0] + 3]", "RangeError: index 5 is out of bounds for an axis of length 4"),
        ("A[:, v]", "TypeError: 0.5"),
        ("np.broadcast_to(A, (4, 3))", "RangeError: shapes (3, 4) and (4, 3) do not fit"),
        ("np.concatenate((A, r.T), axis=1)", "RangeError: (4, 1) beside (3, 4)"),
        ("np.sum(A, axis=2)", "RangeError: axis 2 of 2 axes"),
        ("float(A)", "TypeError: (3, 4) is more than one number"),
    ],
)
def test_wrong_shapes_throw_in_words(text: str, said: str) -> None:
    with pytest.raises(NodeError) as thrown:
        node().call(translated(text), "value", {**ARRAYS, "n": 3, "m": 4})
    assert str(thrown.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("np.fft.fft(A)", "np.fft.fft"),
        ("np.linalg.svd(A)", "np.linalg.svd"),
        ("np.vectorize(float)(A)", "the call np.vectorize(float)(A)"),
        ("A[A > 0]", "the index [A > 0]"),
        ("A.astype(int)", "the method .astype()"),
        ("np.sum(A, where=P)", "the option where of np.sum"),
        ("np.einsum('ij', A)", "np.einsum without ->"),
        ("A.imag", "the attribute .imag"),
        ("0 < A < 1", "the chain 0 < A < 1 of arrays"),
        ("[x for x in A]", "a loop over A, which may be an array"),
        ("lambda x: x", "Lambda"),
        ("2j * A", "the constant 2j"),
        ("f'{A:.3f}'", "the format in"),
        ("f(A, axis=0)", "the keywords of f(A, axis=0)"),
        ("np.zeros(3, dtype=int)", "the option dtype of np.zeros"),
    ],
)
def test_code_without_a_counterpart_is_named(text: str, said: str) -> None:
    with pytest.raises(UntranslatableError) as raised:
        expression(ast.parse(text, mode="eval").body, Scope())
    assert said in str(raised.value)


def test_an_op_without_javascript_refuses_in_words() -> None:
    row = replace(TABLE["tanh"], name="fancy", code=lambda x, *, attrs: f"np.fft.fft({x})")
    code = ast.parse("np.fft.fft(x)", mode="eval").body
    with pytest.raises(DerivationError, match=r"fancy has no JavaScript: np\.fft\.fft has no"):
        JAVASCRIPT.verify(row, code)


def test_a_helper_without_javascript_refuses_in_words() -> None:
    helper = "def fancy(x):\n    x[0] = 1\n    return x\n"
    row = replace(TABLE["tanh"], name="fancy", helper=helper)
    with pytest.raises(DerivationError, match="assigning to x"):
        JAVASCRIPT.verify(row, ast.parse("fancy(x)", mode="eval").body)


def test_an_op_may_have_javascript_of_its_own() -> None:
    spelling = Spelling(
        lambda x, *, attrs: f"half({x})",
        helper="function half(x) {\n  return div(x, 2);\n}\n",
    )
    row = replace(TABLE["tanh"], helper="no Python", targets={"javascript": spelling})
    JAVASCRIPT.verify(row, ast.parse("half(x)", mode="eval").body)


def test_a_runtime_function_has_a_comment_and_no_name_of_another() -> None:
    helpers = {signature(row.helper)[0] for row in TABLE.values() if row.helper}
    assert all(row.text.startswith("/** ") for row in functions().values())
    assert {JAVASCRIPT.function_name(name) for name in helpers} & set(functions()) == set()
