"""Reading answers that are no formulas: what is right, what is wrong, what costs nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.language.reading import load_model
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.answer_readers import LONGEST, READERS, AnswerKey, judge

SHAPE = AnswerKey("shape", "(1, n)")
NUMBER = AnswerKey("number", "-0.25")
CHOICE = AnswerKey(
    "choice", "b", choices=("log rule", "sum over two factors: matrix product", "cancel")
)
ORDER = AnswerKey("order", "c a d b")
LINE = AnswerKey("line", "3", choices=("1", "2", "3", "4"))
NAMES = AnswerKey("names", "X, A^[1], yhat", choices=("X", "w", "A^[1]", "yhat"))
YES = AnswerKey("yes or no", "yes")
COUNT = AnswerKey(
    "count", "79510", mistakes=(("79400", "count without biases", "every unit has a bias"),)
)
VALUE = AnswerKey("value", "6.0002", tolerance=2e-6)
VALUES = AnswerKey("values", "q = 3, f = -12, df/dq = -4", choices=("q", "f", "df/dq"))
ARRAY = AnswerKey("array shape", "(3, 4)")
MISFIT = AnswerKey("array shape", "error")
PARTS = AnswerKey(
    "parts",
    "dZ = A - Y; dw = dZ X^T; db = dZ 1",
    model_text(load_model("logistic_batch")),
    choices=("dZ", "dw", "db"),
)
EITHER = AnswerKey("names", "X, Y, A | X, Y, Z", choices=("X", "Y", "Z", "A"))
NUMBERS = AnswerKey("numbers", "0.25, -13, 0")
KEYS = (
    *(SHAPE, NUMBER, NUMBERS, CHOICE, ORDER, LINE, NAMES, YES, EITHER),
    *(COUNT, VALUE, VALUES, ARRAY, MISFIT),
)
KEYS_OF_LINES = (PARTS,)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (SHAPE, "(1, n)"),
        (SHAPE, "1 x n"),
        (SHAPE, "[1,n]"),
        (SHAPE, "1×n"),
        (AnswerKey("shape", "(1, 1)"), "scalar"),
        (AnswerKey("shape", "(2h, k + n)"), "(2 h, n + k)"),
        (AnswerKey("shape", "(1, m n)"), "(1, m n)"),
        (AnswerKey("shape", "(3, 4)"), "3x4"),
        (NUMBER, "-0.25"),
        (NUMBER, "−0,252"),
        (NUMBER, "-1/4"),
        (NUMBERS, "0.25, -13.2, 0"),
        (NUMBERS, "[0.254 -13 0.004]"),
        (EITHER, "Z, X, Y"),
        (EITHER, "A X Y"),
        (CHOICE, "b"),
        (CHOICE, "B)"),
        (CHOICE, "Sum over two factors: matrix product"),
        (ORDER, "c a d b"),
        (ORDER, "CADB"),
        (ORDER, "c, a, d, b"),
        (LINE, "3"),
        (LINE, "line 3"),
        (LINE, "(3)"),
        (NAMES, "X, A^[1], yhat"),
        (NAMES, "ŷ X A^{[1]}"),
        (NAMES, "yhat and X and A^[1]"),
        (YES, "Yes"),
        (YES, "y"),
        (COUNT, "79,510"),
        (COUNT, "784*100 + 100 + 100·10 + 10"),
        (VALUE, "6.0002"),
        (VALUE, "(2*1.01^3 - 2*0.99^3)/0.02"),
        (VALUES, "3, -12, -4"),
        (VALUES, "f = -12; ∂f/∂q = -4; q = 3"),
        (ARRAY, "3x4"),
        (MISFIT, "they do not fit"),
        (PARTS, "dZ = A - Y; dw = dZ X^T; db = dZ 1"),
        (PARTS, "(a) A - Y\n(b) (A - Y) X^T\n(c) sum(dZ)"),
    ],
)
def test_what_is_right(key: AnswerKey, text: str) -> None:
    found = judge(key, text)
    assert found.right
    assert found.read
    assert found.credit == 1


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        (SHAPE, "(n, 1)", "transposed"),
        (SHAPE, "(n, m)", "shape of its variable"),
        (NUMBER, "0.25", "the sign is not"),
        (NUMBER, "-0.3", "too far off"),
        (NUMBERS, "0.25, 13, 0", "too far off: number 2"),
        (EITHER, "X, Y, A, Z", "not needed"),
        (EITHER, "X, Z", "1 more is needed"),
        (CHOICE, "a", "not a"),
        (CHOICE, "cancel", "not c"),
        (ORDER, "a c d b", "a cannot stand there"),
        (LINE, "4", "look earlier"),
        (LINE, "2", "look later"),
        (NAMES, "X, yhat", "1 more is needed"),
        (NAMES, "X, w, A^[1], yhat", "w is not needed"),
        (YES, "no", "not no"),
        (COUNT, "79400", "every unit has a bias"),
        (COUNT, "795", "count again"),
        (VALUE, "6", "not the value"),
        (VALUES, "3, -12, 4", "the first wrong one is df/dq"),
        (ARRAY, "(4, 3)", "not (4, 3)"),
        (ARRAY, "error", "not error"),
        (PARTS, "dZ = Y - A; dw = dZ X^T; db = dZ 1", "(a) dZ: wrong: sign"),
        (PARTS, "dZ = Y - A; dw = (Y - A) X^T", "(c) db: no answer"),
    ],
)
def test_what_is_wrong_and_what_is_said(key: AnswerKey, text: str, message: str) -> None:
    found = judge(key, text)
    assert found.read
    assert not found.right
    assert message in found.message
    assert found.credit < 1


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        (SHAPE, "", "nothing was typed"),
        (SHAPE, "n", "two sizes"),
        (SHAPE, "(1, n, m)", "two sizes"),
        (SHAPE, "(1, n)\nimport os", "two sizes"),
        (SHAPE, "(1, n^9^9)", "two sizes"),
        (NUMBER, "about a quarter", "not a number"),
        (NUMBER, "1/0", "not a number"),
        (NUMBERS, "0.25, -13", "that is 2 numbers; type 3"),
        (NUMBERS, "0.25, -13, none", "not a number"),
        (NUMBER, "nan", "not a finite number"),
        (NUMBER, "1e999", "not a finite number"),
        (CHOICE, "d", "there is no d; choose a letter from a to c"),
        (CHOICE, "chain rule", "none of them"),
        (ORDER, "a b c", "each letter once"),
        (ORDER, "1 2 3 4", "each letter once"),
        (LINE, "9", "there is no line 9"),
        (LINE, "the third", "number of the line"),
        (NAMES, "X, q", "q is no name here"),
        (YES, "perhaps", "yes or no"),
        (COUNT, "many", "not a number"),
        (COUNT, "9**9**9**9", "not a number"),
        (VALUE, "__import__('os')", "not a number"),
        (VALUES, "3, -12", "3 values are asked for"),
        (VALUES, "3, -12, x", "x is not a number"),
        (VALUES, "q = 3, g = 2, f = 1", "g is not asked for"),
        (ARRAY, "wide", "write the shape like"),
        (PARTS, "dX = A", "dX is not asked for"),
        (PARTS, "dZ = A +", "dZ: "),
        (PARTS, ";", "one line per part"),
        (AnswerKey("code", "A"), "(A - Y) X^T", "no Python expression"),
        (AnswerKey("maths", "A"), "A @ X.T", "still code"),
        (SHAPE, "n" * (LONGEST + 1), "longer than"),
    ],
)
def test_what_cannot_be_read_costs_nothing(key: AnswerKey, text: str, message: str) -> None:
    found = judge(key, text)
    assert not found.read
    assert not found.right
    assert message in found.message


@given(st.sampled_from(KEYS), st.text(max_size=60))
def test_anything_typed_gets_a_judgement(key: AnswerKey, text: str) -> None:
    found = judge(key, text)
    assert 0 <= found.credit <= 1
    assert found.right == (found.credit == 1)
    assert found.message or found.right


FORMULA = AnswerKey("formula", "(A - Y) X^T", model_text(load_model("logistic_batch")), "w")


@settings(max_examples=60)
@given(st.text(alphabet="AYXwbZ()[]{}+-*/^_.,:=@ 0129Tnpsum'\\σŷ", max_size=40))
def test_anything_typed_for_a_formula_gets_a_judgement(text: str) -> None:
    found = judge(FORMULA, text)
    assert found.right or found.message


def test_a_part_that_follows_from_a_wrong_one_gets_its_marks() -> None:
    found = judge(PARTS, "dZ = Y - A; dw = (Y - A) X^T; db = dZ 1")
    assert found.credit == 2 / 3
    assert "(b) dw: follows from your earlier part" in found.message
    assert found.explanations == (("sign",),)


def test_every_way_of_answering_is_tested() -> None:
    tested = {key.reader for key in (*KEYS, *KEYS_OF_LINES)} | {"formula", "code", "maths"}
    assert tested == set(READERS)
