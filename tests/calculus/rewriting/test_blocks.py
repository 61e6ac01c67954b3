"""Stacks of zeros and blocks added up, and products with one-hot marks as look-ups."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import minus, plus, times
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.ops import onehot, stack, transpose
from chainrule.calculus.rewriting.blocks import filled
from chainrule.calculus.rewriting.rule import is_op
from chainrule.calculus.rewriting.tidying import tidy
from chainrule.language.typeset import plain

SIZES = {"h": 2, "k": 3, "m": 4, "v": 5}
A, B, C = (Symbol(name, ("h", "m")) for name in "ABC")
D, E = Symbol("D", (plus("h", "k"), "m")), Symbol("E", ("m", "k"))


def zeros(rows: object) -> Expr:
    return Number(0, (rows, "m"))  # type: ignore[arg-type]


CASES = {
    "two that meet": (stack((A, zeros("h"))) + stack((zeros("h"), B)), "[A; B]"),
    "a gap stays": (
        stack((A, zeros(times(2, "h")))) + stack((zeros(times(2, "h")), C)),
        "[A; 0; C]",
    ),
    "out of order": (
        stack((zeros(times(2, "h")), C)) + stack((A, zeros(times(2, "h")))),
        "[A; 0; C]",
    ),
    "the same place": (stack((A, zeros("k"))) + stack((B, zeros("k"))), "[A + B; 0]"),
    "something else beside": (
        stack((A, zeros("k"))) + D + stack((zeros("k"), B)),
        None,
    ),
    "three gates": (
        stack((zeros("h"), B, zeros("h")))
        + stack((A, zeros(times(2, "h"))))
        + stack((zeros(times(2, "h")), C)),
        "[A; B; C]",
    ),
    "side by side": (
        stack((transpose(A), Number(0, ("m", "k"))), 1)
        + stack((Number(0, ("m", "h")), E), 1),
        "[A^T, E]",
    ),
}  # fmt: skip


def value(expr: Expr, seed: int = 1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    point = Evaluator({}, SIZES)
    names = sorted({n for n in walk(expr) if isinstance(n, Symbol)}, key=lambda s: s.name)
    values = {
        s: rng.integers(0, SIZES["v"], point.shape(s.shape)) if s.name == "ids"
        else rng.uniform(-1, 1, point.shape(s.shape))
        for s in names
    }  # fmt: skip
    return np.asarray(Evaluator(values, SIZES, FLOATS).value(expr))


@pytest.mark.parametrize("name", CASES)
def test_stacks_are_added_block_by_block(name: str) -> None:
    form, short = CASES[name]
    found, fired = filled(form)
    np.testing.assert_allclose(value(found), value(form), rtol=1e-14)
    if short is None:
        assert found is form
        assert not fired
    else:
        assert plain(found) == short
        assert fired[0].before is form
        assert fired[-1].after is found


def test_blocks_that_overlap_stay_apart() -> None:
    long, short = Symbol("L", (minus("m", 1), 1)), Number(0, (1, 1))
    form = stack((long, short)) - stack((short, long))
    assert filled(form) == (form, [])


@pytest.mark.parametrize("lying", [True, False])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("behind", [True, False])
def test_a_product_with_marks_is_run_as_a_look_up(lying: bool, turned: bool, behind: bool) -> None:
    ids = Symbol("ids", (1, "m") if lying else ("m", 1))
    marks = transpose(onehot(ids, "v")) if turned else onehot(ids, "v")
    rows, columns = marks.shape
    table = Symbol("T", ("k", rows) if behind else (columns, "k"))
    product = table @ marks if behind else marks @ table
    run = tidy(product)
    assert not any(isinstance(n, Apply) and is_op(n, "matmul") for n in walk(run))
    np.testing.assert_allclose(value(run), value(product), rtol=1e-14)
