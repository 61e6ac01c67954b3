"""Parts, blocks, shapes and look-ups: how they are written, and what is said of wrong ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import minus, plus, times
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import (
    columns,
    look_up,
    onehot,
    part,
    reshape,
    rows,
    stack,
    tanh,
    transpose,
)
from chainrule.errors import ParseError
from chainrule.language.reading import read_expression, read_model
from chainrule.language.typeset import latex, plain, unicode
from chainrule.language.typeset.mathml import mathml
from chainrule.language.typeset.spoken import spoken

Z, X, x, c, ids = (
    Symbol("Z", (times(4, "h"), "m")),
    Symbol("X", ("n", "m")),
    Symbol("x", (1, "m")),
    Symbol("c", ("n", 1)),
    Symbol("ids", (1, "m")),
)
A, W, E = Symbol("A", ("h", "m")), Symbol("W", ("k", plus("h", "n"))), Symbol("E", ("d", "v"))
D = Symbol("D", (2, 4))
SCOPE = {s.name: s for s in (Z, X, x, c, A, W, E, D, ids)}
SIZES = {"n": 3, "m": 4, "h": 2, "k": 5, "d": 3, "v": 6}

READ = {
    "Z[0:h, :]": rows(Z, 0, "h"),
    "Z[:h]": rows(Z, 0, "h"),
    "Z[h:2h]": rows(Z, "h", times(2, "h")),
    "Z[3h:, :]": rows(Z, times(3, "h"), times(4, "h")),
    "Z[h:2*h, 0]": part(Z, ("h", times(2, "h")), (0, 1)),
    "x[1:m]": columns(x, 1, "m"),
    "x[:-1]": columns(x, 0, minus("m", 1)),
    "c[2]": rows(c, 2, 3),
    "X[:, :]": X,
    "X^T[0]": rows(transpose(X), 0, 1),
    "tanh(Z)[0:h]": rows(tanh(Z), 0, "h"),
    "[A; X]": stack((A, X)),
    "[c, X]": stack((c, X), 1),
    "[c, X; x, x[0]]": stack((stack((c, X), 1), stack((x, columns(x, 0, 1)), 1))),
    "W [A; X]": W @ stack((A, X)),
    "concat(A, X, axis=0)": stack((A, X)),
    "np.concatenate(c, X, axis=1)": stack((c, X), 1),
    "vstack(A, X, x)": stack((A, X, x)),
    "hstack(X, c)": stack((X, c), 1),
    "reshape(X, m, n)": reshape(X, ("m", "n")),
    "np.reshape(X, (m, n))": reshape(X, ("m", "n")),
    "np.concatenate([A, X], axis=0)": stack((A, X)),
    "np.concatenate((c, X), axis=1)": stack((c, X), 1),
    "np.vstack((A, X))": stack((A, X)),
    "X.reshape(1, n m)": reshape(X, (1, times("n", "m"))),
    "onehot(ids, v)": onehot(ids, "v"),
    "lookup(E, ids)": look_up(E, ids),
    "[X > 0][0:1]": None,
    "x [A > 0]^T": None,
}


@pytest.mark.parametrize("text", READ)
def test_it_reads_as_what_it_says(text: str) -> None:
    found, meant = read_expression(text, SCOPE), READ[text]
    assert meant is None or found is meant
    # What is written reads back, and every other medium has a way to write it.
    assert read_expression(plain(found), SCOPE) is found
    assert all(medium(found) for medium in (latex, unicode, mathml, spoken))


@pytest.mark.parametrize(
    ("text", "numpy_text"),
    [
        ("Z[h:3h, 1:m]", "Z[2:6, 1:4]"),
        ("[c, X]", "np.hstack([c, X])"),
        ("[A; 1]", "np.vstack([A, np.ones((1, 4))])"),
        ("[X, 0]", "np.hstack([X, np.zeros((3, 1))])"),
        ("reshape(X, m, n)", "X.reshape(4, 3)"),
        ("vec(X)", "X.T.reshape(-1, 1)"),
        ("lookup(E, ids)", "E[:, ids[0]]"),
        ("reshape(X, -1, 1)", "X.reshape(-1, 1)"),
        ("windows(x, 1, 2)", "np.vstack([x[:, :3], x[:, 1:]])"),
        ("norm(X, axis=0)^2", "np.sum(X**2, axis=0, keepdims=True)"),
        ("norm(X, ord=1, axis=1)", "np.sum(np.abs(X), axis=1, keepdims=True)"),
        ("norm(X, 1)", "np.sum(np.abs(X)).reshape(1, 1)"),
        ("std(X, axis=1, ddof=1)", "np.std(X, axis=1, ddof=1, keepdims=True)"),
        ("conv1d(x, x[0:2])", "np.correlate(x[0], x[0, :2], 'valid')[None, :]"),
        ("conv1d(x, x[0:3], padding=same)", "np.correlate(x[0], x[0, :3], 'same')[None, :]"),
        ("conv1d(x, x[0:2], padding=full)", "np.correlate(x[0], x[0, :2], 'full')[None, :]"),
        ("convolve(x, x[0:2])", "np.convolve(x[0], x[0, :2])[None, :]"),
        ("convolve(c, c[0:2])", "np.convolve(c[:, 0], c[:2, 0])[:, None]"),
        ("conv1d(c, c[0:2])", "np.correlate(c[:, 0], c[:2, 0], 'valid')[:, None]"),
        ("maxpool(D, 2)", "D.reshape(2, 2, 2).max(axis=(0, 2))[None, :]"),
        ("avgpool(D, 1, 2)", "D.reshape(2, 2, 2).mean(axis=2)"),
        ("cosine(c, c)", "np.ones((1, 1))"),
        ("group_norm(Z, 2)[0:1, 0:1]", "(Z[0, 0] - Z[:4, 0].mean()) / Z[:4, [[0]]].std()"),
        ("scatter_add(X, ids, v)", "np.array([(X * (ids == k)).sum(1) for k in range(6)]).T"),
    ],
)
def test_values_are_numpys(text: str, numpy_text: str) -> None:
    rng = np.random.default_rng(3)
    point = Evaluator({}, SIZES)
    values: dict[Symbol, Any] = {
        s: rng.uniform(-1, 1, point.shape(s.shape)) for s in SCOPE.values()
    }
    values |= {ids: rng.integers(0, SIZES["v"], (1, SIZES["m"]))}
    space = {"np": np, **{s.name: value for s, value in values.items()}}
    found = Evaluator(values, SIZES).value(read_expression(text, SCOPE))
    np.testing.assert_allclose(found, eval(numpy_text, space), rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X[0:k, :]", "nothing says that there are k rows; declare their number"),
        ("Z[h:h]", "rows h to h are none"),
        ("X[x:m]", "a place is a whole number, the name of a dimension"),
        ("[X; c]", "[X; c]: (n, m) and (n, 1) do not fit below each other"),
        ("[X, x]", "do not fit beside each other: they differ in their rows"),
        ("[X; ]", "does not fit here"),
        ("[X; A", "never closed"),
        ("reshape(X, m, m)", "(n, m) has m n entries"),
        ("reshape(X, m)", "reshape takes 3 arguments, as in reshape(X, n, m)"),
        ("concat(X, c, side=1)", "concat has no option side; it has axis"),
        ("concat(X)", "concat takes at least 2 arguments"),
        ("onehot(X, v)", "numbers of places are a row or a column"),
        ("norm(X, 3)", "the orders of norms here are 1 and 2"),
        ("maxpool(X, 2)", "do not fill n; declare a size that they fill, such as 2r"),
        ("conv1d(D, X)", "a kernel over 2 channels has 2 k columns"),
        ("conv1d(x, x[0:2], padding=same)", "padding=same needs a kernel of odd width"),
        ("group_norm(X, 2)", "n features do not divide into 2 groups"),
        ("fold(X, 1, 2, 1, 4)", "the windows of (1, 4) are (2, 3), and this is (n, m)"),
        ("lookup(X, ids)[0:d]", "nothing says that there are d rows"),
    ],
)
def test_what_cannot_be_meant_says_so(text: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_expression(text, SCOPE)
    assert said in caught.value.message


def test_several_names_take_equal_parts() -> None:
    model = read_model(
        "Z : (4h, 2)\nI, F, G, O = split(Z, 4)  # gates\nl, r = split(I, axis=1)\nJ = sum(l + r)"
    )
    values = model.values
    read = model.symbol("Z")
    assert values[model.symbol("F")] is rows(read, "h", times(2, "h"))
    assert values[model.symbol("r")] is columns(model.symbol("I"), 1, 2)
    assert model.notes["O"] == "gates"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A, B, C = split(Z, 3)", "4h does not divide into 3 equal parts"),
        ("A, B = split(Z, 4)", "there are 2 names before the sign"),
        ("A, B = tanh(Z)", "several names take the equal parts of one matrix"),
        ("A = split(Z, 2)", "split gives several values; write A, B = split(Z, 2)"),
        ("A, A = split(Z, 2)", "A is already defined"),
    ],
)
def test_several_names_take_nothing_else(line: str, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(f"Z : (4h, m)\n{line}\nJ = sum(A)")
    assert said in caught.value.message
