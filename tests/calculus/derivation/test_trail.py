"""Steps as they are told: none undoes the one before it, and each has the reason of what it did."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainrule import plain
from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Phase
from chainrule.calculus.derivation.trail import told, with_sums_as_written
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.rewriting.rule import Fired, Label
from chainrule.calculus.rewriting.shortening import CANCEL, COLLECT, GATHER
from chainrule.calculus.rewriting.simplification import FACTOR, JOIN
from chainrule.calculus.rewriting.step_labels import (
    DIVIDED,
    EXPANDED,
    ONE_FRACTION,
    POWERS,
    SOME_SHARE,
    labelled,
)
from chainrule.calculus.rewriting.sums import POSITIVE
from chainrule.language.reading import read_model

a, b, c, d = (Symbol(name) for name in "abcd")

MIXTURE = """
x : (1, m)
q : (1, 1)
u, v : (1, 1)
s : (1, 1)
f = exp(-(x - u)^2/(2 s^2))/(s sqrt(2 pi))
g = exp(-(x - v)^2/(2 s^2))/(s sqrt(2 pi))
L = -sum(log(q f + (1 - q) g))
wrt: u, s, q
"""

PROBIT = """
X : (m, n)
y : (m, 1)
w : (n, 1)
p = Phi(X w)
J = -sum(y .* log(p) + (1 - y) .* log(1 - p))
wrt: w
"""

EXPERTS = """
X : (n, m)
y : (1, m)
G, W : (k, n)
P = softmax(G X, axis=0)
z = sum(P .* (W X), axis=0)
J = 1/2 ||z - y||^2
wrt: G
"""


@pytest.mark.parametrize(
    ("rule", "before", "after", "expected"),
    [
        (GATHER, a * (b / c), a * b / c, ONE_FRACTION),
        (GATHER, a * (b / (a * c)), b / c, CANCEL),
        (GATHER, 2 * (a / (2 * c)), a / c, CANCEL),
        (GATHER, a * b * a, a**2 * b, POWERS),
        (GATHER, a * (a / (b * c)) * c, a**2 / b, GATHER),
        (JOIN, a / c + b / d, (a * d + b * c) / (c * d), JOIN),
        (JOIN, a * b / (b * (c + d)), a / (c + d), CANCEL),
        (JOIN, a * (c - b) / c, a * (1 - b / c), DIVIDED),
        (FACTOR, a * b + a * c, a * (b + c), FACTOR),
        (FACTOR, a * b + a * c + d, a * (b + c) + d, SOME_SHARE),
        (FACTOR, a * (b + c) - a * c + d, a * b + d, EXPANDED),
        (FACTOR, a * (b + c) - a * c, a * b, EXPANDED),
        (COLLECT, a + b - a, b, COLLECT),
    ],
)
def test_a_step_has_the_reason_of_what_it_did(
    rule: Label, before: Expr, after: Expr, expected: Label
) -> None:
    found = labelled(Fired(rule, before, after)).rule
    assert (found.name, found.because) == (expected.name, expected.because)


def test_steps_that_lead_back_to_a_line_are_left_out() -> None:
    there, back = Fired(CANCEL, a * b, a + b), Fired(COLLECT, a + b, a * b)
    last = Fired(CANCEL, a * b, c)
    assert told([there, back]) == []
    assert told([there, back, last]) == [last]
    assert told([there, back, last, Fired(COLLECT, c, d)])[-1].after is d


def test_a_sum_is_not_turned_just_before_it_is_written_anew() -> None:
    turned = Fired(POSITIVE, -a * b + a * c, a * c - a * b)
    factored = Fired(FACTOR, a * c - a * b, a * (c - b))
    assert told([turned, factored]) == [replace(factored, before=turned.before)]
    assert told([turned]) == [turned]


def test_sums_are_as_written_on_all_lines_but_a_first_one_that_has_them() -> None:
    steps = [Fired(CANCEL, a / b, c / (b - a)), Fired(COLLECT, c / (b - a), d / (b - a))]
    form, fired = with_sums_as_written(d / (b - a), steps, {b - a: -(a - b)})
    assert form is -(d / (a - b))
    assert [plain(step.after) for step in fired] == ["-c/(a - b)", "-d/(a - b)"]
    steps = steps[1:]
    assert with_sums_as_written(d / (b - a), steps, {b - a: -(a - b)}) == (d / (b - a), steps)


def test_a_mixture_is_not_turned_and_turned_back() -> None:
    told = [
        (plain(step.left), step.rule, plain(step.after))
        for step in derivation_of(read_model(MIXTURE))
        if step.phase is Phase.SIMPLIFY
    ]
    assert not any("q(g_i - f_i)" in line or "q(f_i - g_i)" in line for _, _, line in told)
    assert not any(left == "dL/dq" for left, _, _ in told)  # it is short as it comes
    ends = [(rule, line) for left, rule, line in told if left == "dL/du"]
    assert ends[-1] == ("cancel", "sum_i (-q f_i(x_i - u)/(s^2(q f_i + (1 - q) g_i)))")


@pytest.mark.parametrize(
    ("text", "line", "rule"),
    [
        (
            PROBIT,
            "sum_i exp(-(X w)_i^2/2)(p_i - y_i) X_iq/(sqrt(2 pi) p_i(1 - p_i))",
            "sum over two factors: matrix product",
        ),
        (
            EXPERTS,
            "P_ci(dP_ci - (sum(dP .* P, axis=0))_i)",
            "sum over one factor: along an axis",
        ),
    ],
)
def test_a_line_of_entries_says_which_sum_was_closed(text: str, line: str, rule: str) -> None:
    steps = list(derivation_of(read_model(text)))
    assert [step.rule for step in steps if plain(step.after) == line] == [rule]
    assert not any("elementwise product" in step.rule for step in steps)
