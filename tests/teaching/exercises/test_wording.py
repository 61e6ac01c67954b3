"""Hints, options and shown code say nothing false, and no hint is the answer."""

from __future__ import annotations

import re

import numpy as np
import pytest

from chainrule.calculus.derivation.program import program
from chainrule.deriving import derive
from chainrule.language.codegen import module_text
from chainrule.language.typeset import unicode
from chainrule.teaching.exercises.content import Block, Code, Equation, Prose
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.pool import course_exercise, course_exercises
from chainrule.teaching.exercises.questions import Question


def made(name: str, kind: str, seed: int = 0) -> Question:
    question = ask(course_exercise(name), kind, seed)
    assert question is not None
    return question


def said(content: tuple[Block, ...]) -> str:
    return " ".join(block.text for block in content if isinstance(block, Prose | Code))


def test_a_bound_is_asked_for_that_need_not_be_reached() -> None:
    question = made("flow-sigmoid", "gradient-flow")
    assert "largest possible" not in said(question.prompt)
    assert "upper bound" in said(question.prompt)
    depth, weight = re.search(
        r"(\d+) units .* weights ([\d.]+\d|\d)", said(question.prompt)
    ).groups()  # type: ignore[union-attr]
    z = np.linspace(-30, 30, 20001)
    ratio = np.ones_like(z)
    for _ in range(int(depth) - 1):
        a = 1 / (1 + np.exp(-z))
        ratio *= float(weight) * a * (1 - a)
        z = float(weight) * a
    assert ratio.max() < float(question.key.answer)


@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [
        ("concept-batch-norm-bias", "upstream gradient", "mean of dZ"),
        ("concept-vanish-sigmoid", "smallest bound", "What bounds"),
        ("concept-detach", "another input", "by the same network, but"),
    ],
)
def test_one_option_alone_is_true(name: str, there: str, not_there: str) -> None:
    question = made(name, "concept")
    text = said((*question.prompt, *question.options))
    assert there in text
    assert not_there not in text


@pytest.mark.parametrize("name", ["logistic-batch", "two-layers", "board-b1"])
def test_lines_after_the_mistake_are_not_called_right(name: str) -> None:
    for seed in range(3):
        question = made(name, "wrong-line", seed)
        text = said(question.hints[1])
        assert text.startswith("Not the first mistake: ")
        assert question.key.answer not in re.findall(r"\d+", text)


def test_code_to_debug_has_four_to_eight_lines() -> None:
    names = ["skip", "logistic-batch", "two-layers", "rnn-step", "attention", "lstm-step"]
    shown = [ask(course_exercise(name), "debug", 0) for name in names]
    found = [question and len(question.key.choices) for question in shown]
    assert found == [None, None, 6, 5, 8, None]


@pytest.mark.parametrize("name", ["two-layers", "gated-unit", "concatenate"])
def test_the_half_that_is_named_holds_the_mistake(name: str) -> None:
    for seed in range(3):
        question = made(name, "debug", seed)
        first, last = map(int, re.findall(r"\d+", said(question.hints[1])))
        assert first <= int(question.key.answer) <= last
        assert last - first + 1 < len(question.key.choices)


@pytest.mark.parametrize("name", ["batch-norm-one-line", "layer-norm", "group-norm", "two-layers"])
def test_comments_give_the_shapes_of_arrays(name: str) -> None:
    derivation = derive(course_exercise(name).model)
    text = module_text(program(derivation))
    lines = re.findall(r"^    (\w+) = (?!cache).*  # (\(.*\))$", text.split("def draw(")[0], re.M)
    for function in ("forward", "backward"):
        text = re.sub(
            rf"(def {function}\(.*\n(?:.*\n)*?)(    return )",
            r"\1    seen.update(locals())\n\2",
            text,
            count=1,
        )
    place: dict[str, object] = {"seen": {}}
    exec(text, place)
    inputs = place["draw"]()  # type: ignore[operator]
    cache = place["forward"](**inputs)  # type: ignore[operator]
    place["backward"](cache)  # type: ignore[operator]
    seen = place["seen"]
    sizes: dict[str, int] = {}
    for s in derivation.model.symbols:
        if s.name in cache:
            for dim, size in zip(s.shape, np.shape(cache[s.name]), strict=True):
                if isinstance(dim, str):
                    sizes[dim] = size
    for value, shape in lines:
        wanted = [sizes.get(each, each) for each in shape.strip("()").split(", ")]
        if all(isinstance(each, int) or each.isdecimal() for each in wanted):
            assert np.shape(seen[value]) == tuple(map(int, wanted)), (value, shape)  # type: ignore[index]


@pytest.mark.parametrize("name", ["parts-logistic", "parts-relu", "parts-rows"])
def test_no_hint_of_a_problem_states_a_part(name: str) -> None:
    question = made(name, "parts")
    for answer in question.key.answer.split("; "):
        assert not any(answer in said(hint) for hint in question.hints)


def test_no_hint_names_the_one_name_that_is_the_answer() -> None:
    for exercise in course_exercises()[:60]:
        question = ask(exercise, "factor", 1)
        if question is None:
            continue
        for hint in question.hints:
            assert said(hint) != f"Only these stand in the answer: {question.key.answer}."


def test_a_third_hint_for_a_rule_says_more_than_the_second() -> None:
    for exercise in course_exercises()[:60]:
        question = ask(exercise, "rule", 0)
        if question is not None:
            assert len(said(question.hints[2]).split("“")) >= len(
                said(question.hints[1]).split("“")
            )
            assert said(question.hints[2]) != said(question.hints[1])


def test_two_indices_of_one_size_have_letters_of_their_own() -> None:
    question = made("two-blocks", "factor", 0)
    (asked,) = (block for block in question.prompt if isinstance(block, Equation))
    assert asked.left is not None
    assert unicode(asked.left) == "∂p_i/∂U_ij"


def test_code_reads_only_names_that_the_question_shows() -> None:
    model = course_exercise("hinge-batch").model
    names = {symbol.name for symbol in model.symbols}
    for seed in range(2):
        key = made("hinge-batch", "maths-to-code", seed).key.answer
        assert set(re.findall(r"\b[A-Z]\b", key)) - {"T"} <= names
        code = said(made("hinge-batch", "code-to-maths", seed).prompt)
        assert set(re.findall(r'cache\["(\w+)"\]', code)) <= names
