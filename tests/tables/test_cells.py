"""Numbers as people write them, against a table worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.tables.cells import NumberStyle, find_style, spelling_key

STYLED: list[tuple[list[str], list[float]]] = [
    (["1", "-2.5", "1e3", ".5"], [1, -2.5, 1000, 0.5]),
    (["1,5", "-2,25"], [1.5, -2.25]),
    (["1.234,5", "7"], [1234.5, 7]),
    (["1,234,567.5", "7"], [1234567.5, 7]),
    (["1 234,5", "12 345"], [1234.5, 12345]),
    (["1\u00a0234,5"], [1234.5]),
    (["1'234.50", "1’000.25"], [1234.5, 1000.25]),
    (["40%", "2.5 %"], [0.4, 0.025]),
    (["$5", "$1,200.50"], [5, 1200.5]),
    (["-$5", "$-6", "($7)"], [-5, -6, -7]),
    (["1,50 €", "20 €"], [1.5, 20]),
    (["USD 5", "USD 7.5"], [5, 7.5]),
    (["−5", "+6"], [-5, 6]),
]


@pytest.mark.parametrize(("words", "values"), STYLED, ids=lambda part: str(part[0]))
def test_styles(words: list[str], values: list[float]) -> None:
    found = find_style(words)
    assert found is not None
    assert found.style.numbers(words).tolist() == pytest.approx(values)


@pytest.mark.parametrize(
    "words",
    [
        ["a"],
        ["1", "a"],
        ["5%", "6"],
        ["$5", "€6"],
        ["1,23,4"],
        ["12:30"],
        ["2024-01-01"],
        ["1.2.3"],
        ["(5"],
        ["1_000"],
        ["nan"],
        ["--5"],
        ["$5$"],
        ["1,234.5,6"],
        [],
    ],
)
def test_other_words_are_no_numbers(words: list[str]) -> None:
    assert find_style(words) is None


def test_two_readings_are_both_told() -> None:
    found = find_style(["7,000", "8,000"])
    assert found is not None
    assert found.other is not None
    assert (found.style.number("7,000"), found.other.number("7,000")) == (7000, 7)
    comma = find_style(["7,000", "8,000"], decimal=",")
    assert comma is not None
    assert comma.style.number("7,000") == 7
    sure = find_style(["7,000", "8,5"])
    assert sure is not None
    assert sure.other is None


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_numbers_keep_every_bit(value: float) -> None:
    assert NumberStyle().number(repr(value)) == value
    assert NumberStyle(decimal=",").number(repr(value).replace(".", ",")) == value


@given(st.text(max_size=12))
def test_no_text_breaks_the_reader(word: str) -> None:
    found = find_style([word])
    assert found is None or isinstance(found.style, NumberStyle)
    assert spelling_key(word) == spelling_key(word)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2", "2.0", True),
        ("-1", "-1.00", True),
        ("0.5", "0.50", True),
        ("02", "2", False),
        ("2", "3", False),
        ("True", "TRUE", True),
        ("yes", "YES", False),
        ("1e3", "1000", False),
    ],
)
def test_spellings_of_one_label(one: str, other: str, same: bool) -> None:
    assert (spelling_key(one) == spelling_key(other)) is same
