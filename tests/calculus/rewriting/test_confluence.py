"""However an expression is written, and in whatever order the rules are tried: one normal form.

Expressions are drawn by seed, 2,000 in all and 20,000 in ``make torture``, over letters, numbers
and functions. Each is simplified, simplified again, and simplified with its terms and factors
shuffled and the rows in another order.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from random import Random

import pytest

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, transform
from chainrule.calculus.ops import add, div, exp, log, mul, neg, power, sqrt, tanh
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.shortening import RULES
from chainrule.calculus.rewriting.signature import same_form, signature
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.language.typeset import plain

CHUNKS = 20
IN_A_CHUNK = int(os.environ.get("CHAINRULE_NORMAL_FORMS", "2000")) // CHUNKS
MOST_LEAVES = 5

a, b, c = (Symbol(name) for name in "abc")
LEAVES: tuple[Expr, ...] = (a, b, c, a, b, c, exp(a), log(b), sqrt(c), tanh(a))
COMMUTING: dict[str, Callable[..., Expr]] = {"add": add, "mul": mul}


def drawn(rng: Random, leaves: int) -> Expr:
    """Draw an expression with this many leaves at most."""
    if leaves == 1:
        number = Number(rng.choice((1, 1, 2, 3, -1)))
        return number if rng.random() < 0.2 else rng.choice(LEAVES)
    kind = rng.choice(("sum", "difference", "product", "product", "quotient", "sign", "power"))
    if kind == "sign":
        return neg(drawn(rng, leaves))
    if kind == "power":
        return power(drawn(rng, leaves - 1), rng.choice((2, 2, 3)))
    left = rng.randint(1, leaves - 1)
    one, other = drawn(rng, left), drawn(rng, leaves - left)
    if kind == "quotient":
        return div(one, other) if signature(simplify(other)[0])[1] not in CONSTANT else one
    if kind == "difference":
        return one - other
    return add(one, other) if kind == "sum" else mul(one, other)


CONSTANT = {signature(Number(value))[1] for value in range(-300, 301)}
"""Nothing is divided by what comes to a number: it may come to zero."""


def shuffled(expr: Expr, rng: Random) -> Expr:
    """Write terms and factors in another order."""

    def change(node: Expr) -> Expr:
        if not isinstance(node, Apply) or node.op.name not in COMMUTING:
            return node
        return COMMUTING[node.op.name](*rng.sample(node.args, len(node.args)))

    return transform(expr, change)


@pytest.mark.parametrize(
    "chunk", [0, *(pytest.param(chunk, marks=pytest.mark.slow) for chunk in range(1, CHUNKS))]
)
def test_one_normal_form(chunk: int) -> None:
    rng = Random(f"normal form {chunk}")
    for _ in range(IN_A_CHUNK):
        expr = drawn(rng, rng.randint(2, MOST_LEAVES))
        short, _ = simplify(expr)
        assert display_cost(short) <= display_cost(expr)
        assert simplify(short) == (short, []), plain(expr)
        other, rows = shuffled(expr, rng), rng.sample(RULES, len(RULES))
        again, _ = simplify(other, rules=rows)
        assert same_form(again, short), f"{plain(expr)}: {plain(short)} or {plain(again)}"


def test_shuffling_shuffles_and_expressions_differ() -> None:
    rng = Random("variety")
    found = [drawn(rng, MOST_LEAVES) for _ in range(300)]
    assert len(set(found)) > 280
    changed = [simplify(expr)[0] is not expr for expr in found]
    assert 60 < sum(changed) < 290
    assert sum(shuffled(expr, rng) is not expr for expr in found) > 150
