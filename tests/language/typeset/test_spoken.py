"""What is said aloud: in words alone, for every shipped derivation."""

from __future__ import annotations

import re

import pytest
from tests.derivations import verified

from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE
from chainrule.language.reading import example_names, load_model
from chainrule.language.typeset import spoken

SAID = {
    "logistic_single": "bracket a minus y end bracket times x transposed",
    "logistic_batch": "bracket A minus Y end bracket times X transposed",
    "board_b1": "W of layer 2 transposed times dz of layer 2",
    "board_b3": "minus bracket y over y hat end bracket times the mask of positive z times x",
    "board_b4": (
        "2 times bracket y hat minus y end bracket times W transposed times s times "
        "bracket 1 minus s end bracket"
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_the_first_gradient_is_said_as_a_teacher_says_it(name: str) -> None:
    gradient = next(iter(verified(load_model(name)).gradients.values()))
    assert gradient.matrix is not None
    assert spoken(gradient.matrix) == SAID[name]


@pytest.mark.parametrize("name", example_names())
def test_nothing_but_words_is_said(name: str) -> None:
    for step in verified(load_model(name)):
        for side in (step.left, step.after):
            assert re.fullmatch(r"[\w ]+", spoken(side)), spoken(side)


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_row_can_be_said(row: Op) -> None:
    assert row.notation.spoken
