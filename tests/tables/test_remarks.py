"""Remarks that a careful colleague would make: each kind found, and none where nothing is odd."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.tables.options import FitOptions
from chainrule.tables.remarks import column_notes, label_notes, leak_notes
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

random = np.random.default_rng(8)
N = 200
CLASSES = random.integers(0, 3, N)


def numbers(values: object, name: str = "c") -> NumberColumn:
    array = np.array(values, dtype=np.float64)
    return NumberColumn(name, array, np.isnan(array))


def words(values: object, name: str = "c") -> TextColumn:
    distinct, codes = np.unique(np.array(values, dtype=object), return_inverse=True)
    return TextColumn(name, codes.astype(np.int64), tuple(map(str, distinct)))


def table(*columns: Column) -> Table:
    return Table("t.csv", {c.name: c for c in columns}, np.arange(1, N + 1))


X = random.normal(size=N)

ODD: dict[str, tuple[Table, str]] = {
    "an identifier": (table(numbers(random.permutation(10_000)[:N])), "like an identifier"),
    "codes": (table(numbers(random.integers(1, 4, N))), "take them as categories"),
    "codes with gaps": (table(numbers(random.choice([10, 20, 99], N))), "take them as categories"),
    "beyond 2^53": (table(numbers(2.0**60 + 2.0**12 * np.arange(N))), "beyond 2^53"),
    "-999": (table(numbers(np.where(X > 1, -999, X))), "say --na -999 --na NA"),
    "9999": (table(numbers(np.where(X > 1, 9999, random.integers(0, 80, N)))), "--na 9999"),
    "rare categories": (
        table(words([f"r{k}" if k < 4 else "ab"[k % 2] for k in range(N)])),
        "4 of 6 categories have fewer than 5 rows",
    ),
    "categories by case": (
        table(words(random.choice(["Red", "red ", "blue"], N))),
        "differ only by case or blanks",
    ),
    "a copy": (table(numbers(X, "a"), numbers(3 * X - 7, "b")), "leave one out with --ignore b"),
    "a name for the shell": (
        table(numbers(random.permutation(10_000)[:N], "my id")),
        "--ignore 'my id'",
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_odd_is_said(kind: str) -> None:
    known, said = ODD[kind]
    assert any(said in note for note in column_notes(known, FitOptions("t")))


PLAIN: dict[str, Column] = {
    "measurements": numbers(X),
    "ages": numbers(random.integers(20, 80, N)),
    "0 and 1": numbers(random.integers(0, 2, N)),
    "negative values": numbers(random.integers(-5, 3, N)),
    "categories": words(random.choice(["a", "b"], N)),
    "years": numbers(random.integers(1990, 2024, N)),
}


@pytest.mark.parametrize("kind", PLAIN)
def test_nothing_is_said_of_plain_columns(kind: str) -> None:
    known = table(PLAIN[kind])
    assert column_notes(known, FitOptions("t")) == []
    assert leak_notes(known, CLASSES, 3) == []


@pytest.mark.parametrize(
    "column",
    [
        numbers(CLASSES),
        numbers(10 * CLASSES + random.uniform(0, 1, N)),
        numbers(-CLASSES),
        words([f"k{k}" for k in CLASSES]),
        words([f"k{k}{r}" for k, r in zip(CLASSES, random.integers(0, 3, N), strict=True)]),
    ],
)
def test_a_leak_is_said(column: Column) -> None:
    (note,) = leak_notes(table(column, numbers(X, "x")), CLASSES, 3)
    assert note.startswith("column 'c' alone separates the classes")


def test_a_declared_number_is_no_code() -> None:
    known = table(numbers(random.integers(1, 4, N)))
    assert column_notes(known, FitOptions("t", numbers=("c",))) == []


def test_labels_that_are_alike() -> None:
    (note,) = label_notes("t", ("Yes", "no", "yes "))
    assert "'Yes', 'yes '" in note
    assert list(label_notes("t", ("yes", "no"))) == []
