"""Wrong options are mistakes that people make, and none of them shows which option is right."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Entry, Expr, Symbol, Total
from chainrule.calculus.ops import TABLE, apply, matmul, transpose
from chainrule.language.typeset import plain
from chainrule.teaching.exercises.content import Equation
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.likely_mistakes import fits, line_mistakes, step_mistakes
from chainrule.teaching.exercises.loading import exercises
from chainrule.teaching.exercises.option_choice import WrongOption, chosen
from chainrule.teaching.exercises.questions import LETTERS, Question

a, y, c, w, x = (Symbol(name) for name in "aycwx")
D, X = Symbol("D", ("h", "m")), Symbol("X", ("n", "m"))
i, p, k = Index("i", "m"), Index("p", "n"), Index("k", "h")


def made(line: Expr) -> dict[str, str]:
    """Return every wrong version of a line, with the name of its mistake."""
    found = ((each.name, each.applied(line)) for each in line_mistakes(line))
    return {plain(wrong): name for name, wrong in found if wrong is not None}


@pytest.mark.parametrize(
    ("line", "there", "not_there"),
    [
        (a * (1 - a), ["a(1 + a)", "a", "1 - a"], ["-a^2", "a(-1 - a)"]),
        ((a - y) * x, ["(a + y) x", "a - y"], ["a x", "-y x", "(-a - y) x"]),
        (w * x + c * w, ["w x", "c w", "w x - c w"], ["-w x + c w"]),
        (apply(TABLE["exp"], x) - 1, [], ["exp(x)", "-1"]),
        (2 * x, [], ["2", "4 x"]),
        (matmul(D, transpose(X)), ["X D^T"], []),
        (Total(i, Entry(D, k, i) * Entry(X, p, i)), ["sum_i D_ki X_ip", "D_ki X_pi"], []),
    ],
)
def test_a_line_is_changed_as_people_change_it(
    line: Expr, there: list[str], not_there: list[str]
) -> None:
    found = made(line)
    assert set(there) <= set(found)
    assert not set(not_there) & set(found)


def test_a_mistake_in_a_step_is_where_the_step_changes_something() -> None:
    before = x * w + 2 * (c / 2) * w
    step = Step(1, Phase.SIMPLIFY, "cancel", a, before, x * w + c * w, "")
    near, _ = step_mistakes(step)
    texts = {plain(wrong) for each in near if (wrong := each.applied(step.after)) is not None}
    assert "x w + 2 c w" in texts
    assert not texts & {"w + c w", "x + c w"}


def test_an_index_in_the_wrong_place_is_seen() -> None:
    assert fits(Entry(X, p, i))
    assert not fits(Entry(X, i, p))


def test_a_minus_sign_is_not_set_where_there_is_none_if_there_is_anything_else() -> None:
    for question in _by_choice("factor"):
        texts = [plain(option.right) for option in _lines(question)]
        right = texts[LETTERS.index(question.key.answer)]
        if "-" not in right:
            assert sum(text.startswith("-") for text in texts) <= 1


def test_every_option_has_a_mistake_of_its_own_and_a_name() -> None:
    for question in (*_by_choice("factor"), *_by_choice("next")):
        assert len(question.key.mistakes) == len(question.options) - 1
        assert len({plain(option.right) for option in _lines(question)}) == len(question.options)


def test_the_right_option_is_the_centre_no_more_often_than_by_chance() -> None:
    right = "(A - Y) X^T"
    ones = ["(A + Y) X^T", "(A - Y) X", "A X^T", "-(A - Y) X^T"]
    twos = ["(A + Y) X", "A X", "-(A + Y) X^T", "-(A - Y) X"]
    wrong = [WrongOption(text, (f"{k}",)) for k, text in enumerate(ones)]
    wrong += [WrongOption(text, (f"{k}", f"{k + 1}")) for k, text in enumerate(twos)]
    groups = [chosen(right, wrong, Random(seed)) for seed in range(200)]
    plainest = sum(group == (0, 1, 2) for group in groups)
    assert 0.03 < plainest / len(groups) < 0.2
    assert all(len(set(group)) == 3 for group in groups)
    assert chosen(right, wrong[:2], Random(0)) == ()


def _by_choice(kind: str) -> Iterator[Question]:
    for seed, exercise in enumerate(exercises()[::9]):
        question = ask(exercise, kind, seed)
        if question is not None and question.options:
            yield question


def _lines(question: Question) -> list[Equation]:
    return [option for option in question.options if isinstance(option, Equation)]
