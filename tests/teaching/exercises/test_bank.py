"""The bank: every exercise proven, and its gradients against HIPS autograd; clear complaints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.graph.node import Expr, Number, Symbol, substitute
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.difficulty import difficulty
from chainrule.teaching.exercises.domains import DOMAINS
from chainrule.teaching.exercises.exercise import LEVELS, Exercise
from chainrule.teaching.exercises.loading import bank, exercises, find, load, own_exercise

ALL = exercises()
OF_A_FORWARD_PASS = [each for each in ALL if each.level != "G"]


class Traced:
    """The array functions of autograd, with fractions turned into float64."""

    def __getattr__(self, name: str) -> Any:
        return getattr(anp, name)

    @staticmethod
    def full(shape: tuple[int, ...], value: Any) -> Any:
        return anp.full(shape, float(value))


def by_autograd(
    exercise: Exercise, values: Mapping[Symbol, Any], sizes: Mapping[str, int], wrt: Symbol
) -> Any:
    """Differentiate the forward pass by somebody else's reverse mode."""
    model = exercise.derivation.model
    fixed = {symbol: values[symbol] for symbol in model.inputs}

    def objective(x: Any) -> Any:
        given = {**fixed, wrt: x}
        return anp.sum(forward(model, given, sizes, Traced())[model.objective])

    return autograd.grad(objective)(values[wrt])


@pytest.mark.parametrize("exercise", OF_A_FORWARD_PASS, ids=lambda each: each.id)
def test_an_exercise_is_proven_and_agrees_with_autograd(exercise: Exercise) -> None:
    derivation = exercise.derivation
    assert derivation.proven
    rng = np.random.default_rng(5)
    for sizes in assignments(derivation.model, 2):
        values = sample(derivation.model, sizes, rng)
        found = gradient_values(derivation, values, sizes)
        for name in exercise.variables:
            variable = derivation[name].variable
            wanted = by_autograd(exercise, values, sizes, variable)
            np.testing.assert_allclose(found[variable], wanted, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("exercise", OF_A_FORWARD_PASS, ids=lambda each: each.id)
def test_an_exercise_asks_something(exercise: Exercise) -> None:
    answers = [g.index for g in exercise.derivation.gradients.values()]
    assert any(not isinstance(answer, Number) for answer in answers)
    assert difficulty(exercise.derivation).score > 0


def test_the_bank_is_as_large_as_promised() -> None:
    assert len(ALL) >= 90
    assert {each.level for each in OF_A_FORWARD_PASS} == set(LEVELS) - {"G"}
    assert len({each.id for each in ALL}) == len(ALL)


def test_harder_levels_are_harder() -> None:
    def mean(level: str) -> float:
        return float(np.mean([difficulty(e.derivation).score for e in exercises(level=level)]))

    assert mean("A") < mean("B") < min(mean("C"), mean("D"))


@pytest.mark.parametrize("name", ["board-b1", "board-b2", "board-b3", "board-b4"])
def test_the_exercises_on_the_board_are_there(name: str) -> None:
    assert find(name).derivation.proven


def test_levels_and_topics_are_chosen() -> None:
    assert {e.topic for e in exercises("vectors, batches")} == {"vectors", "batches"}
    assert {e.level for e in exercises(level="a-c")} == {"A", "B", "C"}


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda: find("bord-b1"), "did you mean board-b1"),
        (lambda: exercises("vector"), "did you mean vectors"),
        (lambda: exercises(level="Q"), "there is no level 'Q'"),
        (lambda: exercises("scalars", "D"), "no exercise of topic scalars is of level D"),
    ],
)
def test_what_is_not_there_is_named(ask: Any, words: str) -> None:
    with pytest.raises(ExerciseError, match=words):
        ask()


HEAD = 'topic = "t"\ntitle = "T"\nlevel = "A"\n'
GOOD = (
    '[[exercise]]\nid = "one"\ntitle = "t"\nask = "a"\nsource = "s"\n'
    'forward = """\nx : (1, 1)\nL = x^2\nwrt: x\n"""\n'
)


def test_a_file_of_ones_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + GOOD, encoding="utf-8")
    (topic,) = load([file])
    assert [e.id for e in topic.exercises] == ["one"]
    assert topic.exercises[0].derivation.proven


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("topic = ", "mine.toml is not TOML"),
        ('title = "T"\nlevel = "A"\n' + GOOD, "field topic: missing"),
        (HEAD, "holds no exercise"),
        (HEAD.replace('"A"', '"Q"') + GOOD, "field level: there is no level 'Q'"),
        ('colour = "red"\n' + HEAD + GOOD, "field colour: unknown"),
        (HEAD + GOOD + GOOD, "exercise one, field id: one is taken"),
        (HEAD + GOOD.replace("ask =", "askz ="), "exercise one, field askz: unknown.*ask"),
        (HEAD + GOOD.replace('ask = "a"\n', ""), "exercise one, field ask: missing"),
        (HEAD + GOOD.replace('"a"', '""'), "exercise one, field ask: is empty"),
        (HEAD + GOOD + 'hints = "h"\n', "exercise one, field hints: must be a list"),
        (HEAD + GOOD + "hints = [1]\n", "exercise one, field hints: must be a list of texts"),
        (HEAD + GOOD + 'example = "board_b2"\n', "forward and example"),
        (HEAD + GOOD + 'domains = { x = "odd" }\n', "field domains, x: there is no domain 'odd'"),
        (HEAD + GOOD + 'domains = { q = "real" }\n', "field domains: there is no input 'q'"),
        (HEAD + GOOD + 'asks = { q = "How?" }\n', "field asks: 'q' is not asked; asked are x"),
        (HEAD + GOOD + "forms = { x = 2 }\n", "field forms: must be a table of names and texts"),
        (HEAD + GOOD + 'why = "Why?"\n', "field why: give its answer in because"),
        (HEAD + GOOD.replace("L = x^2", "L = x^"), "exercise one, field forward: line"),
        (HEAD + GOOD.replace("wrt: x\n", ""), "exercise one, field forward: say what is asked"),
        (
            HEAD + '[[exercise]]\nid = "one"\ntitle = "t"\nask = "a"\nsource = "s"\nof = "two"\n',
            "exercise one, field of: there is no exercise 'two'",
        ),
        (
            HEAD
            + '[[exercise]]\nid = "one"\ntitle = "t"\nask = "a"\nsource = "s"\nexample = "no"\n',
            "exercise one, field example",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ExerciseError, match=f"(?s)mine.toml.*{words}|{words}"):
        load([file])


def test_a_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExerciseError, match="cannot be opened"):
        load([tmp_path / "none.toml"])
    (tmp_path / "binary.toml").write_bytes(b"\xffabc")
    with pytest.raises(ExerciseError, match="not text in UTF-8"):
        load([tmp_path / "binary.toml"])


def test_a_forward_pass_in_a_file_is_an_exercise(tmp_path: Path) -> None:
    file = tmp_path / "my.cr"
    file.write_text("# mine\nx : (1, 1)\nL = x^2\n", encoding="utf-8")
    assert own_exercise(file).title == "mine"
    assert own_exercise(file).variables == ("x",)


def test_the_topics_are_in_order_of_their_level() -> None:
    letters = [topic.level for topic in bank()]
    assert letters == sorted(letters)


@pytest.mark.parametrize("exercise", OF_A_FORWARD_PASS, ids=lambda each: each.id)
def test_every_input_has_a_domain_that_agrees_with_its_note(exercise: Exercise) -> None:
    for symbol in exercise.model.inputs:
        assert symbol.name in exercise.domains
        note = exercise.model.notes.get(symbol.name, "")
        name = exercise.domain_of(symbol)
        meant = {
            "one-hot": "one-hot",
            "0 or 1": "0 or 1",
            "1 where": "0 or 1",
            "1 is kept": "0 or 1",
            "-1 or 1": "-1 or 1",
            "probability": "(0, 1)",
            "count": "count",
            "strength": "positive",
            "covariance": "covariance",
            "invertible": "invertible",
            "temperature": "positive",
            "gate": "(0, 1)",
            "numbers of the words": "position",
        }
        wanted = [domain for word, domain in meant.items() if word in note]
        if wanted and "weights" not in note:
            assert any(name.startswith(domain) for domain in wanted), (symbol.name, note, name)


@pytest.mark.parametrize("name", sorted(DOMAINS))
def test_what_is_drawn_lies_in_its_domain(name: str) -> None:
    rng = np.random.default_rng(1)
    for shape in ((2, 2), (3, 3)):
        for _ in range(20):
            assert DOMAINS[name].holds(DOMAINS[name].draw(rng, shape))
    assert not DOMAINS[name].holds(np.array([[0.3, np.inf], [-0.7, 2.5]]))


def unlettered(exercise: Exercise) -> str:
    """Write a forward pass, and what is asked, without the letters."""
    model = exercise.model
    letters: dict[Expr, Expr] = {
        s: Symbol(f"v{k}", s.shape) for k, s in enumerate(model.symbols, start=1)
    }
    values = ";".join(repr(substitute(d.value, letters)) for d in model.definitions)
    return values + str([letters[model.symbol(name)] for name in exercise.variables])


def test_no_two_exercises_are_the_same_but_for_letters() -> None:
    found = [unlettered(exercise) for exercise in OF_A_FORWARD_PASS]
    assert len(set(found)) == len(found)


def test_the_longest_reason_is_not_the_right_one() -> None:
    for exercise in ALL:
        if exercise.why:
            assert len(exercise.because) <= 1.5 * max(map(len, exercise.instead)), exercise.id
