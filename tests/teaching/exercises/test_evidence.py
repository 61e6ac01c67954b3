"""What an answer says of skills: what is shown, what is blamed, and what is left open."""

from __future__ import annotations

import pytest

from chainrule.language.typeset import plain
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.balance import with_key_at
from chainrule.teaching.exercises.content import Block, Equation, Prose
from chainrule.teaching.exercises.evidence import blamed_by, skills_shown
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.pool import course_exercise, course_exercises
from chainrule.teaching.exercises.practice import PracticeSession
from chainrule.teaching.exercises.questions import LETTERS, Question
from chainrule.teaching.exercises.skills import skill_of_mistake, skills_of_model
from chainrule.teaching.exercises.tickets import Ticket, telling_seed


def asked(name: str, kind: str, seed: int = 0) -> Question:
    made = ask(course_exercise(name), kind, seed)
    assert made is not None
    return made


def text_of(option: Block) -> str:
    if isinstance(option, Equation):
        assert option.right is not None
        return plain(option.right)
    assert isinstance(option, Prose)
    return option.text


# ---- what a right answer shows ------------------------------------------------------------------

BELOW = {"mask of ReLU", "softmax and cross-entropy"}


@pytest.mark.parametrize(
    ("answer", "below", "transposes"),
    [
        ("dZ1 X^T", set(), True),
        ("X dZ1^T", set(), False),
        ("(W2^T dZ2 .* [Z1 > 0]) X^T", {"mask of ReLU"}, True),
        ("(W2^T (P - Y)/m .* [Z1 > 0]) X^T", BELOW, True),
    ],
)
def test_a_layer_that_is_named_and_not_derived_shows_nothing_below(
    answer: str, below: set[str], transposes: bool
) -> None:
    question = asked("two-layers-softmax", "gradient")
    found = judge(question.key, answer)
    assert found.right, found
    shown = skills_shown(question, found, answer)
    assert BELOW.intersection(shown) == below
    assert ("transposes and shapes" in shown) == transposes


@pytest.mark.parametrize("kind", ["code-to-maths", "maths-to-code"])
def test_who_writes_a_given_gradient_in_code_derives_nothing(kind: str) -> None:
    question = asked("logistic-batch", kind)
    found = judge(question.key, question.key.answer)
    assert set(skills_shown(question, found, question.key.answer)) == {
        "backward code and its cache",
        "transposes and shapes",
        "sum over examples",
    }


# ---- what a wrong answer blames -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [("logistic-batch", "next"), ("variance", "factor"), ("concept-outer", "concept")],
)
def test_a_wrong_option_blames_its_own_mistake_wherever_it_stands(name: str, kind: str) -> None:
    question = asked(name, kind)
    names = {
        text_of(question.options[LETTERS.index(wrong)]): said
        for wrong, said, _ in question.key.mistakes
    }
    assert len(names) == len(question.options) - 1
    for place in range(len(question.options)):
        moved = with_key_at(question, place)
        for letter, option in zip(LETTERS, moved.options, strict=False):
            found = judge(moved.key, letter)
            assert found.right is (letter == moved.key.answer)
            if not found.right:
                made = {n for each in found.explanations for n in each}
                assert made == set(names[text_of(option)].split(" + "))
                assert set(blamed_by(moved, found)) == {skill_of_mistake(n) for n in made}


@pytest.mark.parametrize("name", ["hinge", "gaussian-bump", "softmax-regression"])
def test_a_number_blames_what_all_mistakes_that_give_it_share(name: str) -> None:
    question = asked(name, "number")
    assert question.key.mistakes
    for wrong, _, _ in question.key.mistakes:
        found = judge(question.key, wrong)
        skills = [{skill_of_mistake(n) for n in each} for each in found.explanations]
        assert set(blamed_by(question, found)) == set.intersection(*skills)


def test_who_cannot_name_a_rule_has_not_broken_it() -> None:
    question = asked("logistic-batch", "rule")
    wrong = next(letter for letter in "abcd" if letter != question.key.answer)
    assert blamed_by(question, judge(question.key, wrong)) == ()


# ---- which variable is asked for ----------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1, 2, 7, 10**9])
@pytest.mark.parametrize("name", ["two-layers-softmax", "logistic-single"])
def test_the_variable_that_tells_most_comes_first(name: str, seed: int) -> None:
    exercise = course_exercise(name)
    drawn = [telling_seed(exercise, "gradient", seed, times) for times in (0, 1)]
    tickets = [Ticket(name, "gradient", at, times) for times, at in enumerate(drawn)]
    variables = [Ticket.parsed(str(ticket)).question().key.wrt for ticket in tickets]
    assert variables[0] == exercise.variables[0]
    assert variables[1] != variables[0]


def test_a_suspected_skill_chooses_the_variable_that_takes_it() -> None:
    exercise = course_exercise("two-layers-softmax")
    drawn = telling_seed(exercise, "gradient", 0, 0, "broadcasting")
    assert Ticket(exercise.id, "gradient", drawn, 0).question().key.wrt in ("b1", "b2")


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 5])
def test_a_ticket_makes_the_question_that_was_asked(seed: int) -> None:
    session = PracticeSession(course_exercises(), seed=seed)
    for _ in range(6):
        question = session.ask().question
        assert Ticket.parsed(str(session.ticket)).question().key == question.key
        session.reply(question.key.example)


@pytest.mark.parametrize(
    ("name", "adds"),
    [("hinge", False), ("logistic-single", False), ("logistic-batch", True), ("variance", True)],
)
def test_a_plain_addition_is_no_sum_over_examples(name: str, adds: bool) -> None:
    question = asked(name, "gradient")
    found = judge(question.key, question.key.answer)
    shown = skills_shown(question, found, question.key.answer)
    assert ("sum over examples" in shown) is adds
    assert ("sum over examples" in skills_of_model(question.exercise.model)) is adds
