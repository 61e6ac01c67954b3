"""Questions made by templates: every key is right, every named mistake is wrong and is named."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from pathlib import Path

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from chainrule.documents.exercises.building import question_blocks
from chainrule.documents.exercises.circuits import circuit_svg
from chainrule.documents.renderers.terminal import text_of
from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.content import Circuit
from chainrule.teaching.exercises.kinds import TEMPLATES, ask
from chainrule.teaching.exercises.pool import course_exercise, course_exercises
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.skills import SKILLS
from chainrule.teaching.exercises.templates.circuits import CIRCUITS
from chainrule.teaching.exercises.templates.concepts import load_concepts
from chainrule.teaching.exercises.templates.template import TemplateExercise
from chainrule.teaching.exercises.typed_numbers import labelled

MADE = [each for each in course_exercises() if isinstance(each, TemplateExercise)]
SEEDS = {"parts": 1, "circuit": 1}
LEAST = 120
FEW_WORDS = 20
"""Up to this length an option is a formula or a number."""


def made(exercise: TemplateExercise, seed: int) -> Question:
    question = ask(exercise, exercise.kinds[0], seed)
    assert question is not None
    return question


def test_there_are_enough_of_every_kind() -> None:
    assert len(MADE) >= LEAST
    assert {each.kinds[0] for each in MADE} == set(TEMPLATES)
    assert len({each.id for each in course_exercises()}) == len(course_exercises())


@pytest.mark.parametrize("kind", TEMPLATES)
def test_keys_are_right_and_named_mistakes_are_wrong(kind: str) -> None:
    known = {skill.name for skill in SKILLS}
    for exercise in [each for each in MADE if each.kinds == (kind,)]:
        assert exercise.skills
        assert set(exercise.skills) <= known
        assert exercise.source
        for seed in range(SEEDS.get(kind, 4)):
            question = made(exercise, seed)
            assert judge(question.key, question.key.answer).right, exercise.id
            for answer, name, message in question.key.mistakes:
                found = judge(question.key, answer)
                assert not found.right, (exercise.id, seed, name)
                assert (name,) in found.explanations
                assert message in found.message


@pytest.mark.parametrize("kind", [kind for kind in TEMPLATES if kind != "parts"])
def test_every_question_knows_mistakes_and_three_hints_without_its_key(kind: str) -> None:
    for exercise in [each for each in MADE if each.kinds == (kind,)]:
        question = made(exercise, 1)
        assert question.key.mistakes, exercise.id
        assert len(question.hints) == 3
        said = [getattr(hint[0], "text", "") for hint in question.hints]
        assert len(set(said)) == 3
        if question.key.reader in ("count", "value", "array shape"):
            written = rf"(?<![\w.]){re.escape(question.key.answer)}(?![\w.])"
            ends = [re.search(rf"= {written}\.?$", hint) for hint in said]
            assert not any(ends), exercise.id


def _chance_by_length(choices: list[tuple[str, list[str]]]) -> list[float]:
    """Return how often the longest option is right, the second longest, and so on."""
    hits = [0.0] * max(1 + len(wrong) for _, wrong in choices)
    for right, wrong in choices:
        longer = sum(len(each) > len(right) for each in wrong)
        tied = sum(len(each) == len(right) for each in wrong)
        for rank in range(longer, longer + tied + 1):
            hits[rank] += 1 / (tied + 1)
    return [hit / len(choices) for hit in hits]


def test_letters_do_not_give_concepts_away() -> None:
    questions = [made(each, seed) for each in MADE for seed in (0, 1) if each.kinds == ("concept",)]
    letters = Counter(q.key.answer for q in questions)
    assert max(letters.values()) < 0.4 * len(questions)


def test_no_length_gives_a_concept_away() -> None:
    by_topic: dict[str, list[tuple[str, list[str]]]] = {}
    for each in MADE:
        if each.kinds == ("concept",):
            key = made(each, 0).key
            right = key.choices["abcd".index(key.answer)]
            wrong = [text for text in key.choices if text != right]
            by_topic.setdefault(each.topic, []).append((right, wrong))
            if len(right) > FEW_WORDS:
                assert len(right) < 1.6 * max(map(len, wrong)), each.id
                assert len(right) > 0.6 * min(map(len, wrong)), each.id
    for topic, choices in by_topic.items():
        assert max(_chance_by_length(choices)) <= 0.5, topic
    every = [choice for choices in by_topic.values() for choice in choices]
    assert max(_chance_by_length(every)) <= 0.35


def test_no_length_gives_a_reason_away() -> None:
    choices = [(each.because, list(each.instead)) for each in course_exercises() if each.why]
    longest = sum(len(right) > max(map(len, wrong)) for right, wrong in choices)
    shortest = sum(len(right) < min(map(len, wrong)) for right, wrong in choices)
    assert max(longest, shortest) <= 0.35 * len(choices)


# ---- numbers against another tool ------------------------------------------------------------

FUNCTIONS = {"relu": lambda x: anp.maximum(x, 0.0), "max": anp.maximum, "min": anp.minimum}


def _by_autograd(definitions: str, inputs: dict[str, float]) -> dict[str, float]:
    """Compute values and gradients of a circuit with HIPS autograd."""
    lines = [line.split(" = ") for line in definitions.splitlines()]

    def run(given: dict[str, float], shift: dict[str, float]) -> dict[str, float]:
        known = dict(given)
        for name in known:
            known[name] = known[name] + shift.get(name, 0.0)
        for target, formula in lines:
            code = re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula).replace("^", "**")
            code = re.sub(r"(relu|max|min) \* \(", r"\1(", code)
            known[target] = eval(code, {**FUNCTIONS, **known}) + shift.get(target, 0.0)
        return known

    values = run(inputs, {})
    found = {target: values[target] for target, _ in lines}
    for name in (*inputs, *(target for target, _ in lines[:-1])):
        found[f"df/d{name}"] = grad(lambda e, name=name: run(inputs, {name: e})["f"])(0.0)
    return found


@pytest.mark.parametrize(("identifier", "definitions"), [(c[0], c[3]) for c in CIRCUITS])
def test_circuits_agree_with_autograd(identifier: str, definitions: str) -> None:
    exercise = course_exercise(identifier)
    assert isinstance(exercise, TemplateExercise)
    question = made(exercise, 3)
    drawing = next(block for block in question.prompt if isinstance(block, Circuit))
    inputs = {node.name: float(node.value) for node in drawing.nodes if not node.formula}
    wanted = _by_autograd(definitions, inputs)
    found = labelled(question.key.answer, question.key.choices)
    assert isinstance(found, dict)
    assert set(found) == set(wanted)
    for name, value in found.items():
        assert value == pytest.approx(float(wanted[name]), rel=1e-4, abs=1e-9), name


def test_a_circuit_is_drawn_as_text_and_as_svg() -> None:
    exercise = course_exercise("circuit-diamond")
    assert isinstance(exercise, TemplateExercise)
    question = made(exercise, 0)
    text = text_of(question_blocks(question))
    assert "├─ p = x y = ?" in text
    assert "x (again)" in text
    drawing = next(block for block in question.solution if isinstance(block, Circuit))
    svg = circuit_svg(drawing)
    assert svg.count("<rect") == 5
    assert svg.count("<path") == 6
    assert "?" not in svg


def test_upstream_gradients_are_named_when_they_are_left_out() -> None:
    exercise = course_exercise("circuit-sum-product")
    assert isinstance(exercise, TemplateExercise)
    key = made(exercise, 0).key
    assert "upstream gradient not multiplied" in {name for _, name, _ in key.mistakes}


@pytest.mark.parametrize("shape", list(itertools.product([(3, 1), (3,), (1, 4)], [(4,), (3, 4)])))
def test_shapes_are_numpys(shape: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    from chainrule.teaching.exercises.templates.broadcasts import together

    one, two = shape
    try:
        wanted = (np.zeros(one) + np.zeros(two)).shape
    except ValueError:
        wanted = None
    assert together(one, two) == wanted


# ---- files of concepts ---------------------------------------------------------------------

GOOD = """
topic = "t"
title = "T"
level = "A"
[[question]]
id = "q"
title = "a question"
skill = "signs"
ask = "Which?"
right = "this"
wrong = [["that", "a misconception", "No, this."]]
because = "So it is."
source = "a book"
hints = ["Look.", "Look again."]
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('skill = "signs"', 'skill = "juggling"', "field skill: there is no skill 'juggling'"),
        ('ask = "Which?"', "ask = 3", "field ask: must be a text"),
        ('hints = ["Look.", "Look again."]', 'hints = ["Look."]', "field hints: must be 2 texts"),
        ('[["that", "a misconception", "No, this."]]', '[["that"]]', "field wrong: must list"),
        ('"that"', '"this"', "two options are equal"),
        ('source = "a book"', 'sauce = "a book"', "field sauce: unknown"),
        ('level = "A"', 'level = "Z"', "field level: levels are A"),
        ("[[question]]", "[[query]]", "holds no question"),
        ('topic = "t"', "", "field topic: missing"),
        ('topic = "t"', "topic = ", "cannot be read as TOML"),
    ],
)
def test_a_fault_in_a_file_is_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(GOOD, encoding="utf-8")
    assert load_concepts([path])[0].exercises[0].id == "q"
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ExerciseError, match=r"c\.toml") as raised:
        load_concepts([path])
    assert message in str(raised.value)
