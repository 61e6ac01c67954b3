"""A derivation whose lines are true one by one, and still is none, must be refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from tests.derivations import derived

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation, Phase, Step
from chainrule.calculus.graph.model import Definition
from chainrule.calculus.graph.node import Number, Partial
from chainrule.calculus.proof.certify import certify
from chainrule.calculus.proof.continuity import same_model
from chainrule.errors import ProofError
from chainrule.language.reading import example_names, load_model, read_model


def made(name: str = "logistic_batch") -> Derivation:
    """Derive an example without proving it."""
    return derived(load_model(name))


def with_step(derivation: Derivation, number: int, step: Step) -> Derivation:
    """Put another step in the place of one."""
    steps = list(derivation.steps)
    steps[number - 1] = step
    return replace(derivation, steps=tuple(steps))


@pytest.mark.parametrize("name", example_names())
def test_what_is_made_holds_together(name: str) -> None:
    assert certify(made(name)).proven


ATTENTION = """
Q : (b, t, k)
K : (b, t, k)
V : (b, t, k)
Y : (b, t, k)
P = softmax(Q K^T, axis=2)
O = P V
J = 1/2 sum((O - Y)^2)
"""


def test_a_factor_answered_in_two_letterings_is_concluded() -> None:
    """dJ/dO stands as a factor at (b, i, d) and at (b, j, d), and then as a gradient."""
    derivation = derivation_of(read_model(ATTENTION), ["Q", "V", "P", "O"])
    assert certify(derivation).proven


def both_plus_one(d: Derivation) -> Derivation:
    step = d.steps[14]
    return with_step(d, 15, replace(step, before=step.before + 1, after=step.after + 1))


def about_something_else(d: Derivation) -> Derivation:
    b = d.model.symbol("b")
    return with_step(d, 15, replace(d.steps[14], left=Partial(d.model.objective, b)))


def another_entry(d: Derivation) -> Derivation:
    opened = next(s for s in d.steps if s.rule == "write one entry out")
    answered = next(s for s in d.steps if s.question is not None)
    return with_step(d, opened.id, replace(opened, left=answered.left))


def a_line_left_out(d: Derivation) -> Derivation:
    return replace(d, steps=tuple(s for s in d.steps if s.rule != "cancel"))


def an_answer_exchanged(d: Derivation) -> Derivation:
    first = next(iter(d.answers))
    return replace(d, answers={**d.answers, first: 2 * d.answers[first]})


def the_index_form_negated(d: Derivation) -> Derivation:
    wrong = {k: replace(g, index=-g.index) for k, g in d.gradients.items()}
    return replace(d, gradients=wrong)


def the_gradients_exchanged(d: Derivation) -> Derivation:
    w, b = d.gradients["w"], d.gradients["b"]
    return replace(d, gradients={"w": replace(w, matrix=w.matrix and 2 * w.matrix), "b": b})


def another_model(d: Derivation) -> Derivation:
    *rest, last = d.model.definitions
    doubled = replace(d.model, definitions=(*rest, Definition(last.target, 2 * last.value)))
    return replace(derivation_of(doubled), source=d.source)


TAMPERED: list[Callable[[Derivation], Derivation]] = [
    both_plus_one,
    about_something_else,
    another_entry,
    a_line_left_out,
    an_answer_exchanged,
    the_index_form_negated,
    the_gradients_exchanged,
    another_model,
]


@pytest.mark.parametrize("tamper", TAMPERED, ids=lambda tamper: tamper.__name__)
def test_a_tampered_derivation_is_refused(tamper: Callable[[Derivation], Derivation]) -> None:
    with pytest.raises(ProofError):
        certify(tamper(made()))


def test_another_model_is_noticed() -> None:
    assert same_model(made())
    assert not same_model(another_model(made()))


def test_a_tiny_gradient_is_not_taken_for_zero() -> None:
    derivation = derivation_of(read_model("w : (1,1)\nx : (1,1)\nL = w x/1000000000000\nwrt: w"))
    zeroed = tuple(
        replace(s, before=Number(0), after=Number(0)) if s.phase is not Phase.STAGE else s
        for s in derivation.steps
    )
    answers = dict.fromkeys(derivation.answers, Number(0))
    gradients = {
        k: replace(g, index=Number(0), matrix=Number(0)) for k, g in derivation.gradients.items()
    }
    with pytest.raises(ProofError, match="could not be certified"):
        certify(replace(derivation, steps=zeroed, answers=answers, gradients=gradients))


def test_nearly_equal_is_not_equal() -> None:
    derivation = made("logistic_single")
    last = derivation.steps[-1]
    almost = last.after * Fraction(10**10 + 1, 10**10)
    with pytest.raises(ProofError):
        certify(with_step(derivation, last.id, replace(last, before=almost, after=almost)))
