"""Every check is parametrised over the table: a new row is covered without new test code.

The oracles are not ours: formulas written down again with scipy and autograd, finite differences
written here, and NumPy's own evaluation of the emitted code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product
from typing import Any

import autograd
import autograd.numpy as anp
import mpmath
import numpy as np
import pytest
from scipy import special
from tests.calculus.ops.formulas import FORMULAS
from tests.calculus.ops.samples import (
    ATTRIBUTES,
    SIZES,
    Sample,
    close,
    draw,
    numbers,
    only_square,
    quotient,
    samples,
    shapes_for,
)

from chainrule.calculus.derivation.sweep import pullback
from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import (
    SCALAR,
    Dim,
    Index,
    Shape,
)
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, symbols
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op
from chainrule.calculus.indexing.names import Letters
from chainrule.calculus.indexing.reading import read_cell
from chainrule.calculus.ops import TABLE, add, broadcast, mul
from chainrule.errors import ShapeError

# ---- the checks: each returns what is wrong, so that a wrong row can be tried too --------------


def slopes(row: Op) -> str:
    for s in samples(row):
        g = Symbol("g", s.node.shape)
        G = np.random.default_rng(5).uniform(0.5, 1.5, s.size(g.shape))
        answers = row.vjp(g, s.node, s.node.args, s.node.attrs)
        if len(answers) != len(s.arrays):
            return f"{len(answers)} answers for {len(s.arrays)} arguments"
        for symbol, answer in zip(s.arguments, answers, strict=True):
            if answer.shape != symbol.shape:
                return f"shape {answer.shape} for an argument of shape {symbol.shape}"

            def moved(x: np.ndarray, s: Sample = s, k: Symbol = symbol, G: Any = G) -> Any:
                return np.sum(G * s.at(s.node, {k: x}))

            stated, measured = s.at(answer, {g: G}), quotient(moved, s.values[symbol])
            if not close(stated, measured):
                return f"{s.node!r} by {symbol.name}: {stated} against {measured}"
    return ""


def curvatures(row: Op) -> str:
    for s in samples(row)[:: 1 + len(samples(row)) // 12]:
        rng = np.random.default_rng(6)
        g = Symbol("g", s.node.shape)
        extra = {g: rng.uniform(0.5, 1.5, s.size(g.shape))}
        for first in row.vjp(g, s.node, s.node.args, s.node.attrs):
            c = Symbol("c", first.shape)
            C = rng.uniform(0.5, 1.5, s.size(first.shape))
            for symbol in (*s.arguments, g):
                again, _ = pullback(first, symbol, Symbol("out", first.shape), c)

                def moved(
                    x: np.ndarray,
                    s: Sample = s,
                    k: Symbol = symbol,
                    e: Expr = first,
                    C: Any = C,
                    extra: Mapping[Symbol, Any] = extra,
                ) -> Any:
                    return np.sum(C * s.at(e, {**extra, k: x}))

                stated = s.at(again, {**extra, c: C})
                measured = quotient(moved, {**s.values, **extra}[symbol])
                if not close(stated, measured, 1e-6):
                    return f"second order of {s.node!r}: {stated} against {measured}"
    return ""


def laws(row: Op) -> str:
    shapes: list[tuple[Shape, ...]] = list(shapes_for(row))
    rng = np.random.default_rng(7)
    for law, arguments, sizes in product(row.laws, shapes, SIZES):
        names = tuple(Symbol(f"x{k}", shape) for k, shape in enumerate(arguments))[
            : len(row.domain)
        ]
        try:
            left, right = law.left(*names), law.right(*names)
        except ShapeError:
            continue
        values = {
            name: draw(row, k, numbers(name.shape, sizes), rng, min(sizes.values()))
            for k, name in enumerate(names)
        }
        if only_square(row, ATTRIBUTES.get(row.name, ((),))[0]):
            # Far from singular where it is square, so that inverses keep their digits.
            values = {s: x + 3 * len(x) * np.eye(*x.shape) / 2 for s, x in values.items()}
        a, b = (np.asarray(Evaluator(values, sizes).value(side)) for side in (left, right))
        if right.shape == SCALAR and left.shape != SCALAR:
            b = np.broadcast_to(b, a.shape)
        if not close(a, b, 1e-12):
            return f"{law.name}: {a} against {b}"
    return ""


def readings(row: Op) -> str:
    for s in samples(row):
        value = s.at(s.node)
        if value.shape != s.size(s.node.shape):
            return f"value of shape {value.shape} where {s.size(s.node.shape)} was promised"
        for at in np.ndindex(*value.shape):
            axes = zip(s.node.shape, at, strict=True)
            places = tuple(None if dim == 1 else place + 1 for dim, place in axes)
            form = read_cell(s.node, places, Letters(["n", "m", "h"]))
            if form.shape != SCALAR:
                return f"entry {at} has shape {form.shape}"
            if not close(s.at(form).reshape(()), value[at], 1e-12):
                return f"entry {at} of {s.node!r}: {s.at(form)} against {value[at]}"
    return ""


def codes(row: Op) -> str:
    for s in samples(row):
        texts = [symbol.name for symbol in s.arguments]
        space = {
            "__builtins__": {"range": range, "float": float},
            "np": np,
            **s.sizes,
            **dict(zip(texts, s.arrays, strict=True)),
        }
        for part in (*row.helpers, row):
            exec(part.helper, space)
        text = row.code(*texts, attrs=s.attrs)
        result = np.broadcast_to(eval(text, space), s.size(s.node.shape))
        if not close(result, s.at(s.node), 1e-12):
            return f"{text} is {result}, not {s.at(s.node)}"
        negative = np.broadcast_to(eval(f"-({text})", space), s.size(s.node.shape))
        if not close(negative, -s.at(s.node), 1e-12):
            return f"-({text}) is {negative}"
    return ""


def caught(mistake: Mistake, s: Sample) -> bool:
    """Whether a wrong rule is told from the right one, by its shape or by finite differences."""
    g = Symbol("g", s.node.shape)
    rng = np.random.default_rng(8)
    extra = {g: rng.uniform(0.5, 1.5, s.size(g.shape))}
    try:
        wrong = mistake.vjp(g, s.node, s.node.args, s.node.attrs)
    except ShapeError:
        return True
    for symbol, answer in zip(s.arguments, wrong, strict=True):
        array = s.values[symbol]
        if s.size(answer.shape) != array.shape:
            return True

        def moved(x: np.ndarray, k: Symbol = symbol) -> Any:
            return np.sum(extra[g] * s.at(s.node, {k: x}))

        measured = quotient(moved, array)
        direction = rng.uniform(0.5, 1.5, array.shape) * rng.choice([-1, 1], array.shape)
        stated = np.sum(s.at(answer, extra) * direction)
        if abs(stated - np.sum(measured * direction)) > 1e-3:
            return True
    return False


CHECKS = (slopes, curvatures, laws, readings, codes)
ROWS = tuple(TABLE.values())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_keeps_its_word(row: Op, check: Callable[[Op], str]) -> None:
    assert samples(row), "no sample: add attributes for this row to ATTRIBUTES"
    assert check(row) == ""


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_says_why(row: Op) -> None:
    assert len(row.because.split()) >= 4
    assert row.rule
    assert row.name == row.name.lower()
    assert all(law.name for law in row.laws)
    assert all(len(mistake.message.split()) >= 4 for mistake in row.mistakes)
    assert len({mistake.name for mistake in row.mistakes}) == len(row.mistakes)
    assert all(domain.low < domain.high for domain in row.domain)
    assert row.elementwise or row.index is not None, "not elementwise: say how an entry reads"


@pytest.mark.parametrize(
    ("row", "mistake"),
    [
        pytest.param(row, mistake, id=f"{row.name}: {mistake.name}")
        for row in ROWS
        for mistake in row.mistakes
    ],
)
def test_every_mistake_is_wrong_and_finite_differences_catch_it(row: Op, mistake: Mistake) -> None:
    assert any(caught(mistake, s) for s in samples(row))


@pytest.mark.parametrize(
    ("row", "name"),
    [(row, mistake.name) for row in ROWS for mistake in row.mistakes],
    ids=lambda x: getattr(x, "name", x),
)
def test_mistakes_of_one_row_differ_from_each_other(row: Op, name: str) -> None:
    """Two names for one wrong rule could never be told apart by a diagnosis."""
    tried = samples(row)
    own = next(m for m in row.mistakes if m.name == name)
    for other in row.mistakes:
        if other is own:
            continue

        def values(mistake: Mistake, s: Sample) -> list[Any]:
            g = Symbol("g", s.node.shape)
            G = np.random.default_rng(9).uniform(0.5, 1.5, s.size(g.shape))
            wrong = mistake.vjp(g, s.node, s.node.args, s.node.attrs)
            return [s.at(answer, {g: G}) for answer in wrong]

        pairs = [
            (a, b) for s in tried for a, b in zip(values(own, s), values(other, s), strict=True)
        ]
        assert any(not close(a, b, 1e-6) for a, b in pairs), f"{name} is {other.name}"


# ---- the rows against formulas that are not ours ------------------------------------------------


@pytest.mark.parametrize("name", FORMULAS)
def test_values_and_slopes_agree_with_autograd(name: str) -> None:
    row, formula = TABLE[name], FORMULAS[name]
    for s in samples(row):
        attrs, shape = s.attrs, s.size(s.node.shape)
        assert close(s.at(s.node), formula(*s.arrays, attrs=attrs, shape=shape), 1e-12)
        g = Symbol("g", s.node.shape)
        G = np.random.default_rng(4).uniform(-1.5, 1.5, shape)
        answers = row.vjp(g, s.node, s.node.args, s.node.attrs)

        def weighed(*xs: Any, G: Any = G, attrs: Any = attrs, shape: Any = shape) -> Any:
            return anp.sum(G * formula(*xs, attrs=attrs, shape=shape))

        if name in {
            "sign",
            "step",
            "argmax",
            "argmin",
            "floor",
            "is_zero",
            "top_mask",
        }:  # constant pieces: autograd complains, the slope is 0
            assert all(not s.at(answer, {g: G}).any() for answer in answers)
            continue
        for k, answer in enumerate(answers):
            if row.domain[min(k, len(row.domain) - 1)].whole:  # numbers of places do not move
                assert not s.at(answer, {g: G}).any()
                continue
            assert close(s.at(answer, {g: G}), autograd.grad(weighed, k)(*s.arrays), 1e-9)


@pytest.mark.parametrize(
    ("name", "oracle"),
    [
        ("sigmoid", special.expit),
        ("softplus", lambda x: np.logaddexp(0.0, x)),
        ("log1p", special.log1p),
        ("relu", lambda x: (x + np.abs(x)) / 2),
        ("tanh", lambda x: 2 * special.expit(2 * x) - 1),
    ],
)
def test_values_hold_far_out(name: str, oracle: Callable[[Any], Any]) -> None:
    x = Symbol("x", (1, "m"))
    at = np.array([[-800.0, -40.0, -1e-9, 1e-9, 40.0, 800.0]])
    if name == "log1p":
        at = np.abs(at)
    with np.errstate(all="raise", under="ignore"):
        value = Evaluator({x: at}, {"m": 6}).value(Apply(TABLE[name], (x,)))
    np.testing.assert_allclose(value, oracle(at), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("normal_cdf", mpmath.ncdf),
        (
            "log_normal_cdf",  # Φ itself rounds to 1 far to the right, at 50 digits too
            lambda x: mpmath.log(mpmath.ncdf(x)) if x < 0 else mpmath.log1p(-mpmath.ncdf(-x)),
        ),
        ("inverse_mills", lambda x: mpmath.npdf(x) / mpmath.ncdf(x)),
        ("expm1", mpmath.expm1),
        ("sinh", mpmath.sinh),
        ("cosh", mpmath.cosh),
    ],
)
def test_values_keep_their_digits_in_both_tails(name: str, reference: Callable[[Any], Any]) -> None:
    """Relative to 50 digits; a rounding of x alone moves e^(-x^2/2) by x^2 units."""
    x = Symbol("x", (1, "m"))
    reach = 700.0 if name in {"expm1", "sinh", "cosh"} else 1e4
    ends = np.geomspace(1e-12, reach, 120)
    at = np.concatenate([-ends[::-1], np.linspace(-9.0, 9.0, 181), ends])[None, :]
    with np.errstate(all="raise", under="ignore"):
        value = Evaluator({x: at}, {"m": at.size}).value(Apply(TABLE[name], (x,)))
    with mpmath.workdps(50):
        exact = np.array([[float(reference(mpmath.mpf(float(t)))) for t in at[0]]])
    allowed = 1e-15 * (8.0 + np.minimum(np.square(at), 800.0))
    small = np.abs(exact) < 1e-300  # digits are gone where numbers are subnormal
    close_enough = np.abs(value - exact) <= allowed * np.abs(exact)
    assert np.all(close_enough | (small & (np.abs(value - exact) < 1e-300)))


def test_a_size_is_the_number_of_entries() -> None:
    assert Evaluator({}, {"n": 7}).value(Apply(TABLE["size"], (), ("n",))).tolist() == [[7]]


def test_the_table_holds_every_row_by_its_name() -> None:
    assert all(row.name == name for name, row in TABLE.items())
    assert set(FORMULAS) <= set(TABLE)
    with pytest.raises(TypeError):
        TABLE["new"] = TABLE["add"]  # type: ignore[index]


# ---- a broadcast between two ops ----------------------------------------------------------------


@pytest.mark.parametrize("small", [SCALAR, (1, "m"), ("n", 1)])
@pytest.mark.parametrize("name", ["add", "mul", "div"])
def test_a_repeated_argument_collects_its_slopes(name: str, small: Shape) -> None:
    big, little = Symbol("X", ("n", "m")), Symbol("b", small)
    node = Apply(TABLE[name], (big, broadcast(little, big.shape)))
    g = Symbol("g", node.shape)
    for sizes in SIZES:
        rng = np.random.default_rng(11)

        values = {
            big: rng.uniform(-1, 1, numbers(big.shape, sizes)),
            little: rng.uniform(0.5, 1.5, numbers(small, sizes)),
            g: rng.uniform(-1, 1, numbers(big.shape, sizes)),
        }
        formula = {"add": anp.add, "mul": anp.multiply, "div": anp.divide}[name]
        for k, wrt in enumerate((big, little)):
            gradient, _ = pullback(node, wrt, Symbol("out", node.shape), g)
            oracle = autograd.grad(lambda x, b, G=values[g], f=formula: anp.sum(G * f(x, b)), k)(
                values[big], values[little]
            )
            assert gradient.shape == wrt.shape
            assert close(Evaluator(values, sizes).value(gradient), oracle, 1e-12)


# ---- a new row is covered: these checks pass on a right one and fail on a wrong one ------------


def cube(**changes: Any) -> Op:
    right = Op(
        name="cube",
        shape=lambda shapes, attrs: shapes[0],
        value=lambda xp, x, *, out_shape, attrs: x * x * x,
        vjp=lambda g, out, args, attrs: (3 * g * args[0] ** 2,),
        notation=Notation(Layout.FUNCTION, "cube", r"\operatorname{cube}"),
        code=lambda x, *, attrs: f"{x} ** 3",
        rule="cube rule",
        because="the exponent three comes down and is lowered by one",
        elementwise=True,
    )
    return replace(right, **changes)


def test_a_new_row_is_covered_by_the_checks() -> None:
    assert [check(cube()) for check in CHECKS] == [""] * len(CHECKS)


def _summed_index(read: Any, node: Apply, places: Any, fresh: Any) -> Expr:
    return add(read(0, *places), 1)


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        (slopes, {"vjp": lambda g, out, args, attrs: (2 * g * args[0] ** 2,)}),
        (slopes, {"vjp": lambda g, out, args, attrs: (-3 * g * args[0] ** 2,)}),
        (slopes, {"vjp": lambda g, out, args, attrs: ()}),
        (slopes, {"vjp": lambda g, out, args, attrs: (3 * g * out,)}),
        (codes, {"code": lambda x, *, attrs: f"{x} ** 2"}),
        (readings, {"index": _summed_index}),
        (readings, {"shape": lambda shapes, attrs: SCALAR}),
        (laws, {"laws": (Law("it is even", lambda x: cube_of(-x), lambda x: cube_of(x)),)}),
    ],
)  # fmt: skip
def test_a_wrong_row_is_caught(check: Callable[[Op], str], changes: dict[str, Any]) -> None:
    assert check(cube(**changes)) != ""


def cube_of(x: Expr) -> Expr:
    return mul(x, x, x)


def test_letters_of_an_unknown_dimension() -> None:
    letters = Letters(["n", "m"])
    dims: tuple[Dim, ...] = ("n", "m", "h", 4)
    found = [letters.free(dim) for dim in dims]
    assert all(isinstance(index, Index) for index in found)
    assert len({str(index) for index in found}) == 4
    assert letters.free(1) is None


def test_numbers_are_lifted_and_symbols_found() -> None:
    x = Symbol("x", ("n", "m"))
    assert (x + 1) is add(x, Number(1, ("n", "m")))
    assert symbols(2 * x - 1) == {x}
