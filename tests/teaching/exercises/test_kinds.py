"""The kinds of question: what is asked is so, and what is not the answer is shown to be wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.entry_by_entry import gradient as measured

from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Derivation, StepCertificate
from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.node import Expr, Partial, Symbol
from chainrule.calculus.proof.certify import try_step
from chainrule.calculus.proof.verifier import Verifier
from chainrule.deriving import derive
from chainrule.errors import ExerciseError
from chainrule.language.codegen import module_text
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.content import Block, Code, Equation, Prose
from chainrule.teaching.exercises.kinds import KINDS, TEMPLATES, ask, questions
from chainrule.teaching.exercises.kinds.numbers import ORDINALS
from chainrule.teaching.exercises.loading import exercises, find
from chainrule.teaching.exercises.questions import LETTERS, Question

ALL = exercises()
TYPED = ("formula", "maths", "code")
NAMES = [kind.name for kind in KINDS if kind.name not in TEMPLATES]


def some(kind: str, every: int) -> range:
    """Number some exercises for a kind: others for each kind, so that together they are all."""
    return range(NAMES.index(kind) % every, len(ALL), every)


@cache
def asked_of(number: int, kind: str) -> Question | None:
    """Ask once for all tests: to make a question costs more than to check it."""
    return ask(ALL[number], kind, number)


def asked(kind: str, every: int = 4) -> list[Question]:
    """Ask about some exercises; where one `every` divides another, the questions are shared."""
    made = [asked_of(number, kind) for number in some(kind, every)]
    return [question for question in made if question is not None]


@pytest.mark.slow
@pytest.mark.parametrize("kind", NAMES)
def test_a_question_is_whole(kind: str) -> None:
    found = asked(kind, every=1 if kind == "why" else 4)
    assert len(found) > 10
    for question in found:
        assert question.kind == kind
        assert question.prompt
        assert question.solution
        assert question.rules
        assert len(question.hints) == 3
        assert all(question.hints)
        if question.key.reader not in TYPED:
            assert judge(question.key, question.key.example).right


@pytest.mark.parametrize("kind", NAMES)
def test_a_seed_gives_the_same_question_again(kind: str) -> None:
    name = "two-layers" if kind == "debug" else "logistic-batch"
    one, two = (ask(find(name), kind, 7) for _ in range(2))
    assert one is not None
    assert two is not None
    assert (one.prompt, one.options, one.key) == (two.prompt, two.options, two.key)


@pytest.mark.slow
def test_an_exercise_asks_in_the_way_that_it_is_for() -> None:
    for exercise in exercises(level="G"):
        assert [q.kind for q in questions(exercise)] == list(exercise.kinds)


def test_a_kind_that_is_not_there_is_named() -> None:
    with pytest.raises(ExerciseError, match="no kind of question 'riddle'; there are gradient"):
        ask(find("norm"), "riddle")


@pytest.mark.parametrize("kind", ["gradient", "factor", "maths-to-code", "code-to-maths"])
def test_the_answer_to_a_formula_is_right(kind: str) -> None:
    seen = 0
    for question in asked(kind, every=8):
        if question.key.reader in TYPED:
            found = judge(question.key, question.key.answer)
            assert found.right, (question.exercise.id, found)
            assert found.understood
            seen += 1
    assert seen > 2


@pytest.mark.parametrize("name", ["board-b2", "board-b3", "logistic-batch", "tanh-slope"])
def test_three_times_the_answer_is_wrong_and_something_is_said(name: str) -> None:
    question = ask(find(name), "gradient")
    assert question is not None
    found = judge(question.key, f"3 ({question.key.answer})")
    assert found.read
    assert not found.right
    assert found.message


def test_code_is_asked_for_as_code_and_maths_as_maths() -> None:
    exercise = find("logistic-batch")
    code, maths = ask(exercise, "maths-to-code"), ask(exercise, "code-to-maths")
    assert code is not None
    assert maths is not None
    texts = {
        "w": ("(A - Y) @ X.T", "(A - Y) X^T"),
        "b": ("np.sum(A - Y, keepdims=True)", "(A - Y) 1"),
    }
    for question, own, other in ((code, 0, 1), (maths, 1, 0)):
        assert judge(question.key, texts[question.key.wrt][own]).right
        assert not judge(question.key, texts[question.key.wrt][other]).read


def test_a_mistake_is_named() -> None:
    question = ask(find("logistic-single"), "gradient")
    assert question is not None
    found = judge(replace(question.key, wrt="w"), "(y - a) x^T")
    assert found.read
    assert "sign" in found.message


def lines(pieces: tuple[Block, ...]) -> list[Equation]:
    return [piece for piece in pieces if isinstance(piece, Equation)]


def holds(derivation: Derivation, verifier: Verifier, left: Expr, right: Expr) -> bool:
    """Try a line by itself, with the derivation's names for layers and its answers."""
    like = next(s for s in derivation.steps if s.left is left)
    try:
        found = try_step(verifier, replace(like, before=like.after, after=right))
    except ValueError:  # an index stands where it has no meaning, such as X_ip for X_pi
        return False
    return isinstance(found, StepCertificate)


@pytest.mark.parametrize("kind", ["factor", "next"])
def test_one_option_holds_and_the_others_do_not(kind: str) -> None:
    for question in asked(kind):
        if not question.options:
            continue
        derivation = question.exercise.derivation
        verifier = Verifier(derivation)
        left = lines(question.prompt)[-1].left if kind == "factor" else None
        for letter, option in zip(LETTERS, lines(question.options), strict=False):
            side = left if left is not None else option.left
            assert side is not None
            assert option.right is not None
            right = holds(derivation, verifier, side, option.right)
            assert right == (letter == question.key.answer)


def test_the_rule_that_is_the_answer_is_used_and_the_others_are_not() -> None:
    for question in asked("rule", every=2):
        shown = lines(question.prompt)[-1]
        steps = [
            s
            for s in question.exercise.derivation.steps
            if s.left is shown.left and s.after is shown.right
        ]
        used = {r.rule for s in steps for r in s.reasons} | {s.rule for s in steps}
        names = [option.text for option in question.options if isinstance(option, Prose)]
        assert [LETTERS[k] for k, name in enumerate(names) if name in used] == [question.key.answer]


def test_lines_in_order_are_in_the_order_of_the_derivation() -> None:
    for question in asked("order", every=2):
        labelled = {line.label: line for line in lines(question.prompt)}
        steps = question.exercise.derivation.steps
        places = [
            next(
                s.id
                for s in steps
                if s.left is labelled[letter].left and s.after is labelled[letter].right
            )
            for letter in question.key.answer.split()
        ]
        assert places == sorted(places)
        assert len(set(places)) == len(places)


@pytest.mark.slow
def test_the_wrong_line_is_wrong_and_the_other_factors_are_right() -> None:
    for question in asked("wrong-line"):
        derivation = question.exercise.derivation
        verifier = Verifier(derivation)
        answers = {s.left: s for s in derivation.steps if s.question is not None}
        for line in lines(question.prompt):
            if line.left in answers and line.label:
                assert line.right is not None
                assert line.left is not None
                right = holds(derivation, verifier, line.left, line.right)
                assert right == (line.label != question.key.answer)


def differences(
    derivation: Derivation, values: Mapping[Symbol, Any], sizes: Mapping[str, int], wrt: Symbol
) -> Any:
    model = derivation.model

    def objective(x: Any) -> float:
        fixed = {s: values[s] for s in model.inputs if s is not wrt}
        return float(forward(model, {**fixed, wrt: x}, sizes)[model.objective].item())

    return measured(objective, values[wrt])


@pytest.mark.slow
def test_an_answer_is_called_right_exactly_when_it_is() -> None:
    said = []
    for question in asked("verify"):
        derivation = question.exercise.derivation
        shown = next(line for line in lines(question.prompt) if line.right is not None)
        assert isinstance(shown.left, Partial)
        assert isinstance(shown.left.wrt, Symbol)
        agree = True
        for sizes in assignments(derivation.model, 2):
            values = sample(derivation.model, sizes, np.random.default_rng(3))
            point = Evaluator(values, sizes, FLOATS)
            wanted = differences(derivation, values, sizes, shown.left.wrt)
            assert shown.right is not None
            agree &= bool(np.allclose(point.value(shown.right), wanted, rtol=1e-5, atol=1e-7))
        assert question.key.answer == ("yes" if agree else "no")
        said.append(agree)
    assert {True, False} == set(said)


@pytest.mark.slow
def test_a_number_is_what_the_shown_place_gives() -> None:
    compared = 0
    for question in asked("number"):
        model = question.model
        (code,) = (piece for piece in question.prompt if isinstance(piece, Code))
        shown = dict(line.split(" = ") for line in code.text.splitlines())
        if any(symbol.name not in shown for symbol in model.inputs):
            continue  # not everything is shown where there is much
        values = {s: np.atleast_2d(json.loads(shown[s.name])).astype(float) for s in model.inputs}
        dims = {name for s in model.symbols for d in s.shape for name in base_names(d)}
        words = question.prompt[-1]
        assert isinstance(words, Prose)
        name = words.text.split("with respect to ")[1].split(",")[0].split("?")[0]
        found = differences(
            question.exercise.derivation, values, dict.fromkeys(dims, 2), model.symbol(name)
        )
        if "row and" in words.text:
            row, col = (
                ORDINALS.index(words.text.split(f" {w}")[0].split()[-1]) for w in ("row", "column")
            )
            found = found[row : row + 1, col : col + 1]
        wanted = [float(part) for part in question.key.answer.split(", ")]
        assert wanted == pytest.approx(found.ravel().tolist(), rel=1e-4, abs=1e-6)
        compared += 1
    assert compared > 10


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("logistic-batch", "X Y A"),
        ("logistic-batch", "X, Y, Z"),
        ("two-layers-softmax", "X, Y, W2, A1, P"),
        ("two-layers-softmax", "X, Y, W2, Z1, P"),
        ("keep-network", "P, A1, W2, Y, X"),
        ("hinge", "x, y, z"),
        ("skip", "X, Y, W, F"),
        ("skip", "Y, W, F, H"),
        ("cross-entropy-scores", "Y, L"),
        ("lstm-step", "c, g, v, z"),
        ("rms-norm", "g, h, r"),
        ("gaussian-bump", "s, d"),
        ("gated-unit", "X, U, V, G, A, H"),
        ("split", "X, G, A, H"),
        ("log-odds", "z"),
        ("swish", "s"),
        ("softplus-slope", "L"),
    ],
)
def test_every_set_that_suffices_is_right(name: str, typed: str) -> None:
    question = ask(find(name), "cache")
    assert question is not None
    assert judge(question.key, typed).right


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("half-square", "L"),
        ("swish", "L"),
        ("gaussian-bump", "L, s"),
        ("gated-unit", "X, U, V, G, H"),
    ],
)
def test_a_function_without_an_inverse_does_not_give_its_argument(name: str, typed: str) -> None:
    question = ask(find(name), "cache")
    assert question is not None
    assert not judge(question.key, typed).right


@pytest.mark.parametrize("typed", ["X, Y", "X, A", "w, b, A", "X, Y, w, b", "X, Y, A, Z"])
def test_a_set_that_does_not_suffice_or_holds_too_much_is_wrong(typed: str) -> None:
    question = ask(find("logistic-batch"), "cache")
    assert question is not None
    assert not judge(question.key, typed).right


@pytest.mark.parametrize("name", ["logistic-batch", "two-layers", "board-b1", "attention"])
def test_what_must_be_kept_is_what_the_code_reads(name: str) -> None:
    exercise = find(name)
    question = ask(exercise, "cache")
    assert question is not None
    text = module_text(program(derive(exercise.model)))
    backward = text.split("def backward(cache):")[1].split("def draw(")[0]
    read = {part.split('"')[0] for part in backward.split('cache["')[1:]}
    kept = {name.replace("^[", "").replace("]", "") for name in question.key.example.split(", ")}
    assert read == kept


def test_a_gradient_names_the_rules_of_the_layers_below() -> None:
    question = ask(find("board-b1"), "gradient")
    assert question is not None
    assert "sigmoid rule" in question.rules
