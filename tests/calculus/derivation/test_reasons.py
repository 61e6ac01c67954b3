"""Every reason is true for its line: pairs of a rule and a situation, with the sentence shown.

`reasons.txt` holds one line per pair: the pass, the line of the derivation, the rule and the
reason. It was read by a person, line by line; what it fixes is that the reason belongs to the line.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.calculus.derivation.reason_passes import PASSES
from tests.derivations import derived

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Phase
from chainrule.calculus.graph.model import Model
from chainrule.documents.lesson.outline import corners
from chainrule.language.reading import example_names, load_model, read_model
from chainrule.language.typeset import unicode
from chainrule.teaching.exercises.loading import exercises

PAIRS = tuple(
    tuple(part.strip() for part in line.split(" | "))
    for line in (Path(__file__).parent / "reasons.txt").read_text(encoding="utf-8").splitlines()
)

FORBIDDEN = (
    r"the slope of .* is missing",
    r"does not fit here",
    r"; ;|;;|: ;",
    r"^$",
    r"reaches (\S+) through .* → (?!\1$)\S+$",
)
"""What no reason may say, wherever it stands."""

FORBIDDEN_OF_FACTORS = (r"upstream gradient", r"gradients? of its uses", r"receives", r"moves back")
"""What speaks of a gradient that comes back; through a factor none does."""


@pytest.mark.parametrize("name", PASSES)
def test_the_reasons_of_a_derivation(name: str) -> None:
    shown = {
        (f"{unicode(step.left)} = {unicode(step.after)}", step.rule, step.why)
        for step in derived(read_model(PASSES[name]))
    }
    for passed, *pair in PAIRS:
        if passed == name:
            assert tuple(pair) in shown


def test_there_are_enough_pairs() -> None:
    assert len({(rule, why) for _, _, rule, why in PAIRS}) >= 150
    assert {passed for passed, *_ in PAIRS} <= set(PASSES)


def models() -> list[tuple[str, Model]]:
    found = [(name, load_model(name)) for name in example_names()]
    found += [(exercise.id, exercise.model) for exercise in exercises()]
    return [*found, *((name, read_model(text)) for name, text in PASSES.items())]


@pytest.mark.parametrize("model", [m for _, m in models()], ids=[name for name, _ in models()])
def test_no_reason_says_what_is_not_so(model: Model) -> None:
    lines = set()
    for step in derived(model).steps:
        if step.phase is Phase.SIMPLIFY:
            assert step.after is not step.before
            assert (step.left, step.after) not in lines, f"step {step.id} gives an earlier line"
            lines.add((step.left, step.after))
        forbidden = (*FORBIDDEN, *(FORBIDDEN_OF_FACTORS if step.phase is Phase.FACTOR else ()))
        for pattern in forbidden:
            assert not re.search(pattern, step.why), f"step {step.id}, {step.rule}: {step.why}"


ROOTS = (
    ("v = mean((x - mean(x))^2)\ns = sqrt(v + 0.001)", False),
    ("v = mean((x - mean(x))^2)\ns = sqrt(v)", True),
    ("s = sqrt(mean(x^2) + 1/100)", False),
    ("s = sqrt(exp(sum(x)))", False),
    ("s = sqrt(1 + norm(x)^2)", False),
    ("s = sqrt(sum(x) + 1)", True),
    ("s = sqrt(sum(x .* x) + 2)", False),
    ("s = sum(abs(sigmoid(x)))", False),
    ("s = sum(abs(x))", True),
    ("s = sqrt(2 - mean(x^2))", True),
)


@pytest.mark.parametrize(("lines", "has_corner"), ROOTS)
def test_a_value_that_is_positive_keeps_away_from_the_corner(lines: str, has_corner: bool) -> None:
    derivation = derivation_of(read_model(f"x : (n, 1)\n{lines}\nL = s\nwrt: x"))
    assert bool(list(corners(derivation))) is has_corner
