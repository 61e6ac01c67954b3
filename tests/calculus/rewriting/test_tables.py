"""Every row that rewrites arithmetic, proven by the equality ladder wherever it fires.

Expressions are drawn by seed; a row is tried on every part of them, and what it makes of a part
must be certified to be equal. A row that hardly ever fires would prove nothing, so firings count.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import StepCertificate
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.ops import add, div, exp, log, mul, neg, power, sqrt
from chainrule.calculus.proof.verifier import Verifier
from chainrule.calculus.rewriting.normal import normal_form
from chainrule.calculus.rewriting.rule import Rule
from chainrule.calculus.rewriting.shortening import RULES
from chainrule.calculus.rewriting.simplification import FACTOR, JOIN
from chainrule.calculus.rewriting.sums import COMMON, POSITIVE
from chainrule.calculus.rewriting.tidying import SIGNS
from chainrule.language.reading import read_model
from chainrule.language.typeset import plain

ROWS = (*RULES, JOIN, FACTOR, COMMON, POSITIVE, SIGNS)
FIRINGS = 12
MOST_TRIED = 4000

a, b, c = (Symbol(name) for name in "abc")
LEAVES: tuple[Expr, ...] = (a, b, c, a, b, 1 - a, exp(a), log(b), sqrt(c))
MODEL = "a : (1,1)\nb : (1,1)\nc : (1,1)\nL = exp(a) + log(b) + sqrt(c)"


def parts(rng: Random) -> Iterator[Expr]:
    """Draw sums of fractions times what may cancel, and every part of them."""

    def product() -> Expr:
        return mul(*(rng.choice(LEAVES) for _ in range(rng.randint(1, 3))))

    def term() -> Expr:
        kind = rng.random()
        if kind < 0.4:
            found = div(product(), product())
        elif kind < 0.6:
            found = power(rng.choice(LEAVES), rng.choice((2, 3)))
        else:
            found = product()
        return neg(found) if rng.random() < 0.4 else mul(Number(rng.choice((1, 1, 2))), found)

    while True:
        total = add(*(term() for _ in range(rng.randint(1, 3))))
        yield from walk(mul(total, product()) if rng.random() < 0.6 else neg(total))


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return Verifier(derivation_of(read_model(MODEL), ["a"]))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_holds_wherever_it_fires(row: Rule, verifier: Verifier) -> None:
    rng, fired = Random(f"rows {row.name}"), 0
    drawn = parts(rng)
    for _ in range(MOST_TRIED):
        part = next(drawn)
        if not isinstance(part, Apply) or _divides_by_nothing(part):
            continue
        after = row.becomes(part)
        if after is None or after is part:
            continue
        found = verifier.equal(part, after)
        assert isinstance(found, StepCertificate), f"{plain(part)} = {plain(after)}: {found}"
        fired += 1
        if fired == FIRINGS:
            return
    raise AssertionError(f"{row.name} fired {fired} times only")


def _divides_by_nothing(part: Expr) -> bool:
    below = (n.args[1] for n in walk(part) if isinstance(n, Apply) and n.op.name == "div")
    return any(normal_form(bottom) is Number(0) for bottom in below)
