"""The lecture's derivations, line by line, against a list written out from the lecture."""

from __future__ import annotations

import pytest

from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation, Phase
from chainrule.language.reading import load_model
from chainrule.language.typeset import plain, unicode

SINGLE = """
chain      | chain rule               | ∂L/∂w = ∂L/∂a · ∂a/∂z · ∂z/∂w
chain      | chain rule               | ∂L/∂b = ∂L/∂a · ∂a/∂z · ∂z/∂b
factor     | sign rule, sum rule, product rule, log rule | ∂L/∂a = -y/a + (1 - y)/(1 - a)
factor     | sigmoid rule             | ∂a/∂z = a(1 - a)
factor     | write one entry out      | z = Σ_j w_j x_j + b
factor     | sum rule, product rule for matrices | ∂z/∂w_i = x_i
factor     | sum rule                 | ∂z/∂b = 1
entry      | one entry at a time      | ∂L/∂w_i = ∂L/∂a · ∂a/∂z · ∂z/∂w_i
substitute | put the answer in        | ∂L/∂w_i = (-y/a + (1 - y)/(1 - a)) · ∂a/∂z · ∂z/∂w_i
substitute | put the answer in        | ∂L/∂w_i = (-y/a + (1 - y)/(1 - a)) a(1 - a) · ∂z/∂w_i
substitute | put the answer in        | ∂L/∂w_i = (-y/a + (1 - y)/(1 - a)) a(1 - a) x_i
simplify   | distribute               | ∂L/∂w_i = (-(y/a) a(1 - a) + ((1 - y)/(1 - a)) a(1 - a)) x_i
simplify   | cancel                   | ∂L/∂w_i = (-y(1 - a) + (1 - y) a) x_i
simplify   | expand                   | ∂L/∂w_i = (-y + y a + a - y a) x_i
simplify   | collect                  | ∂L/∂w_i = (a - y) x_i
shape      | transpose: the gradient has the shape of its variable | ∂L/∂w = (a - y) xᵀ
substitute | put the answer in        | ∂L/∂b = (-y/a + (1 - y)/(1 - a)) · ∂a/∂z · ∂z/∂b
substitute | put the answer in        | ∂L/∂b = (-y/a + (1 - y)/(1 - a)) a(1 - a) · ∂z/∂b
substitute | put the answer in        | ∂L/∂b = (-y/a + (1 - y)/(1 - a)) a(1 - a)
simplify   | as before                | ∂L/∂b = a - y
"""

BATCH = """
chain      | chain rule               | ∂J/∂w = Σ_i ∂J/∂a_i · ∂a_i/∂z_i · ∂z_i/∂w
chain      | chain rule               | ∂J/∂b = Σ_i ∂J/∂a_i · ∂a_i/∂z_i · ∂z_i/∂b
factor     | sign rule, sum rule, product rule, log rule | ∂J/∂a_i = -y_i/a_i + (1 - y_i)/(1 - a_i)
factor     | sigmoid rule             | ∂a_i/∂z_i = a_i(1 - a_i)
factor     | write one entry out      | z_i = Σ_j w_j X_ji + b
factor     | sum rule, product rule for matrices | ∂z_i/∂w_p = X_pi
factor     | sum rule, un-broadcast   | ∂z_i/∂b = 1
entry      | one entry at a time      | ∂J/∂w_p = Σ_i ∂J/∂a_i · ∂a_i/∂z_i · ∂z_i/∂w_p
substitute | put the answer in        | ∂J/∂w_p = Σ_i (-y_i/a_i + (1 - y_i)/(1 - a_i)) · ∂a_i/∂z_i · ∂z_i/∂w_p
substitute | put the answer in        | ∂J/∂w_p = Σ_i (-y_i/a_i + (1 - y_i)/(1 - a_i)) a_i(1 - a_i) · ∂z_i/∂w_p
substitute | put the answer in        | ∂J/∂w_p = Σ_i (-y_i/a_i + (1 - y_i)/(1 - a_i)) a_i(1 - a_i) X_pi
simplify   | distribute               | ∂J/∂w_p = Σ_i (-(y_i/a_i) a_i(1 - a_i) + ((1 - y_i)/(1 - a_i)) a_i(1 - a_i)) X_pi
simplify   | cancel                   | ∂J/∂w_p = Σ_i (-y_i(1 - a_i) + (1 - y_i) a_i) X_pi
simplify   | expand                   | ∂J/∂w_p = Σ_i (-y_i + y_i a_i + a_i - y_i a_i) X_pi
simplify   | collect                  | ∂J/∂w_p = Σ_i (a_i - y_i) X_pi
collapse   | sum over two factors: matrix product | ∂J/∂w_p = (A - Y) X_pᵀ
shape      | all entries at once      | ∂J/∂w = (A - Y) Xᵀ
substitute | put the answer in        | ∂J/∂b = Σ_i (-y_i/a_i + (1 - y_i)/(1 - a_i)) · ∂a_i/∂z_i · ∂z_i/∂b
substitute | put the answer in        | ∂J/∂b = Σ_i (-y_i/a_i + (1 - y_i)/(1 - a_i)) a_i(1 - a_i) · ∂z_i/∂b
substitute | put the answer in        | ∂J/∂b = Σ_i (-y_i/a_i + (1 - y_i)/(1 - a_i)) a_i(1 - a_i)
simplify   | as before                | ∂J/∂b = Σ_i (a_i - y_i)
collapse   | un-broadcast: times a vector of ones | ∂J/∂b = (A - Y) 1
"""  # noqa: E501


def lines(text: str) -> list[tuple[str, ...]]:
    return [tuple(part.strip() for part in line.split("|", 2)) for line in text.split("\n") if line]


def told(derivation: Derivation) -> list[tuple[str, ...]]:
    return [
        (step.phase.value, step.rule, f"{unicode(step.left)} = {unicode(step.after)}")
        for step in derivation
    ]


@pytest.mark.parametrize(("name", "text"), [("logistic_single", SINGLE), ("logistic_batch", BATCH)])
def test_the_lecture_line_by_line(name: str, text: str) -> None:
    assert told(derive(load_model(name))) == lines(text.replace("ᵀ", _transposed()))


def _transposed() -> str:
    """The glyph the terminal uses; the order and the words are what is fixed here."""
    from chainrule.calculus.graph.node import Symbol

    return unicode(Symbol("X", ("n", "m")).T).removeprefix("X")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("logistic_single", {"w": "(a - y) x^T", "b": "a - y"}),
        ("logistic_batch", {"w": "(A - Y) X^T", "b": "(A - Y) 1"}),
        ("board_b1", {"a^[1]": "W^[2]^T dz^[2]"}),
        ("board_b2", {"w": "2(yhat - y)(1 - yhat^2) s(1 - s) x^2"}),
        ("board_b3", {"w": "-(y/yhat) [z > 0] x"}),
        ("board_b4", {"x": "2(yhat - y) W^T .* s .* (1 - s)"}),
    ],
)
def test_final_forms(name: str, expected: dict[str, str]) -> None:
    derivation = derive(load_model(name))
    found = {key: plain(g.matrix) for key, g in derivation.gradients.items() if g.matrix}
    assert found == expected
    assert derivation.proven


def test_b1_names_the_layers_and_what_to_keep() -> None:
    derivation = derive(load_model("board_b1"))
    layers = {name.name: plain(g.matrix) for name, g in derivation.layers.items() if g.matrix}
    assert layers == {
        "dz^[3]": "a^[3] - y",
        "dz^[2]": "W^[3]^T dz^[3] .* a^[2] .* (1 - a^[2])",
    }
    assert [s.name for s in derivation.cache] == ["y", "W^[2]", "W^[3]", "a^[2]", "a^[3]"]
    last = derivation.steps[-1]
    assert f"{plain(last.left)} = {plain(last.after)}" == ("dL/da^[1]_1 = sum_j dz^[2]_j W^[2]_j1")


def test_b3_by_entry() -> None:
    assert plain(derive(load_model("board_b3"))["w"].index) == "-(y/yhat) [z > 0] x_i"


@pytest.mark.parametrize("name", ["logistic_single", "logistic_batch", "board_b2", "board_b4"])
def test_every_question_is_answered_once_and_before_it_is_used(name: str) -> None:
    derivation = derive(load_model(name))
    asked = [step.question for step in derivation if step.question is not None]
    assert len(asked) == len(set(asked))
    phases = [step.phase for step in derivation]
    last_question = max(k for k, s in enumerate(derivation.steps) if s.question is not None)
    assert phases.index(Phase.SUBSTITUTE) > last_question
    for step in derivation:
        if step.phase is Phase.SUBSTITUTE:
            assert len(step.factors) == len({*_asked(step.before)}) - 1
    assert [step.id for step in derivation] == list(range(1, len(derivation.steps) + 1))


def _asked(expr: object) -> tuple[object, ...]:
    from chainrule.calculus.graph.node import Expr, partials

    assert isinstance(expr, Expr)
    return partials(expr)


def test_the_batch_keeps_the_sum_at_the_chain_rule_and_not_in_the_answer() -> None:
    """The lecture's slip: no sum in front of dJ/da_i, the sum over the m paths instead."""
    steps = derive(load_model("logistic_batch")).steps
    answer = next(s for s in steps if unicode(s.left) == "∂J/∂a_i")
    assert "Σ" not in unicode(answer.after)
    assert "no sum stands in front" in answer.why
    assert "the sum belongs to the chain rule" in steps[0].why


@pytest.mark.parametrize("name", ["logistic_single", "logistic_batch", "board_b1", "board_b4"])
def test_every_line_says_why_and_carries_its_proof(name: str) -> None:
    for step in derive(load_model(name)):
        assert len(step.why.split()) >= 3
        assert step.check is not None
        assert step.check.points >= 1
        for sizes in step.check.sizes:
            assert 1 not in sizes.values()
            assert len(set(sizes.values())) == len(sizes)
