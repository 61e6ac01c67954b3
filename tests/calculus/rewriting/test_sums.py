"""Rules for sums keep the value at random points, and fire only where they should."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.model import ModelBuilder, OneHot
from chainrule.calculus.graph.node import Expr, Number, Symbol, Total, entry
from chainrule.calculus.ops import add, delta, exp, reduce_sum, size, softmax
from chainrule.calculus.rewriting.relations import side_relations
from chainrule.calculus.rewriting.rule import Rule
from chainrule.calculus.rewriting.shortening import GATHER
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.calculus.rewriting.sums import SUM_RULES, one_letter
from chainrule.language.typeset import plain

i, j, c, d = Index("i", "m"), Index("j", "m"), Index("c", "k"), Index("d", "k")
G, P = Symbol("G", ("k", "m")), Symbol("P", ("k", "m"))
s = Symbol("s", (1, "m"))
Gc, Gd = entry(G, c, i), entry(G, d, i)
Pc, Pd = entry(P, c, i), entry(P, d, i)
picks = delta("k", d, c)

FIRING: dict[str, list[Expr]] = {
    "factors leave the sum": [Total(d, Pc * Gd), Total(d, -(Gd / entry(s, None, i)))],
    "multiply out": [Total(d, Gd * Pd * (picks - Pc))],
    "split the sum": [Total(d, Gd - Pd * Gd)],
    "δ picks one term": [Total(d, Gd * picks), Total(d, -(Pd * picks * Gd))],
    "the same again and again": [Total(d, Gc), Total(d, Number(2))],
    "common factor": [Gc * Pc - Pc * Total(d, Gd), Gc / entry(s, None, i) - Pc / entry(s, None, i)],
    "positive first": [add(-Gc, Pc)],
    "gather": [Gc * Pc / Gc, Gc * Gc * exp(Pc) * Gc, Gc / (Pc * Gc**2)],
}


def value(form: Expr, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    sizes = {"k": 3, "m": 4}
    values = {
        G: rng.uniform(0.5, 1.5, (3, 4)),
        P: rng.uniform(0.5, 1.5, (3, 4)),
        s: rng.uniform(0.5, 1.5, (1, 4)),
    }
    point = Evaluator(values, sizes, FLOATS)
    shared = add(Gc, Number(0) * entry(s, None, i))
    point.value(shared)  # both sides lay their indices along the same axes
    found = point.value(form)
    spread: np.ndarray = np.broadcast_to(found, np.broadcast_shapes(found.shape, (4, 3)))
    first: np.ndarray = spread.reshape(-1, 4, 3)[0]
    return first


@pytest.mark.parametrize("rule", [*SUM_RULES, GATHER], ids=lambda rule: rule.name)
def test_a_rule_keeps_the_value(rule: Rule) -> None:
    for form in FIRING[rule.name]:
        after = rule.becomes(form)
        assert after is not None, plain(form)
        assert after is not form
        for seed in range(3):
            np.testing.assert_allclose(value(after, seed), value(form, seed), rtol=1e-12)


@pytest.mark.parametrize("rule", SUM_RULES, ids=lambda rule: rule.name)
def test_a_rule_leaves_alone_what_it_does_not_fit(rule: Rule) -> None:
    for form in (Gc, Total(d, Gd), Total(d, Gd * Pd), Gc + Pd):
        assert rule.becomes(form) is None


def test_sums_that_differ_in_their_letter_are_seen_to_be_equal() -> None:
    first, second = Total(i, entry(s, None, i)), Total(j, entry(s, None, j))
    assert one_letter(add(first, -second)) is add(first, -first)


def test_a_letter_is_not_taken_inside_a_sum_that_uses_it() -> None:
    inner = Total(j, entry(s, None, j))
    form = Total(i, entry(s, None, i)) * Total(i, entry(s, None, i) * inner)
    shared = one_letter(form)
    assert value(shared, 1)[0, 0] == pytest.approx(value(form, 1)[0, 0])


def test_front_sums_without_a_delta_stay() -> None:
    form = Total(i, Gc * entry(s, None, i))
    assert simplify(form) == (form, [])


def test_relations_come_from_the_model_alone() -> None:
    m = ModelBuilder()
    Z, Y = m.input("Z", "k", "m"), m.input("Y", "k", "m")
    P = m.define("P", softmax(Z, 0))
    m.define("J", reduce_sum(Y * P))
    one_hot, probabilities, *_ = side_relations(m.model())
    assert probabilities.becomes(Total(d, entry(P, d, i))) is Number(1)
    assert probabilities.becomes(Total(i, entry(P, d, i))) is None
    assert probabilities.becomes(Total(d, entry(softmax(Z, 0), d, i))) is Number(1)
    assert probabilities.becomes(Total(d, entry(softmax(Z, 1), d, i))) is None
    assert one_hot.becomes(Total(d, entry(Y, d, i))) is None
    declared = replace(m.model(), onehot=(OneHot(Y, 0),))
    one_hot, *_ = side_relations(declared)
    assert one_hot.becomes(Total(d, entry(Y, d, i))) is Number(1)
    assert one_hot.becomes(Total(i, entry(Y, d, i))) is None


def test_adding_the_same_number_counts() -> None:
    rule = next(r for r in SUM_RULES if r.name == "the same again and again")
    assert rule.becomes(Total(d, Gc)) is size("k") * Gc


def test_a_bracket_that_stands_twice_stays_twice() -> None:
    a = Symbol("a")
    bracket = add(a / a, a)
    short, fired = simplify(a * bracket * bracket)
    for form in (short, *(step.after for step in fired)):
        found = Evaluator({a: np.array([[3.0]])}, {}, FLOATS).value(form)
        assert found.item() == pytest.approx(48.0)
