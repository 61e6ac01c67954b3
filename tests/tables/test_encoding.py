"""Encoding against scikit-learn's StandardScaler and OneHotEncoder; and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from chainrule.errors import DataError
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import complete_rows, fit_encoding
from chainrule.tables.specs import NO_VALUE, CategorySpec, Missing, NumberSpec, features
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

NAN = float("nan")


def numbers(name: str, values: list[float]) -> NumberColumn:
    array = np.array(values, dtype=np.float64)
    return NumberColumn(name, array, np.isnan(array))


def texts(name: str, values: list[str | None]) -> TextColumn:
    words = sorted({value for value in values if value is not None})
    codes = [-1 if value is None else words.index(value) for value in values]
    return TextColumn(name, np.array(codes, dtype=np.int64), tuple(words))


def table(*columns: Column) -> Table:
    return Table(
        "data.csv",
        {column.name: column for column in columns},
        np.arange(1, len(columns[0]) + 1),
    )


COLOURS: list[str | None] = ["red", "green", "red", "blue", "red"]


def test_as_scikit_learn_encodes() -> None:
    ages = [31.0, 22.0, 47.0, 52.0, 22.0]
    known = table(numbers("age", ages), texts("colour", COLOURS))
    learned = fit_encoding(known)
    X = encode(learned.specs, known).X
    scaled = StandardScaler().fit_transform(np.array(ages)[:, None])
    hot = OneHotEncoder(drop=["red"], sparse_output=False).fit_transform(
        np.array(COLOURS, dtype=object)[:, None]
    )
    np.testing.assert_allclose(X, np.hstack([scaled, hot]), rtol=1e-14, atol=1e-15)
    assert [feature.name for feature in features(learned.specs)] == [
        "age",
        "colour = blue",
        "colour = green",
    ]
    assert features(learned.specs)[1].base == "red"
    assert learned.notes == ()


@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20),
    power=st.sampled_from([-200, -30, 0, 30, 200]),
)
def test_standardised_numbers_have_mean_zero_and_deviation_one_at_any_scale(
    values: list[float], power: int
) -> None:
    scaled = [value * 10.0**power for value in values]
    spread = max(values) - min(values)
    if spread < 1e-3 * max(map(abs, values), default=0) or spread < 1e-3:
        return  # nearly constant: the deviation is mostly rounding
    known = table(numbers("x", scaled))
    X = encode(fit_encoding(known).specs, known).X[:, 0]
    assert abs(X.mean()) < 1e-9
    assert abs(X.std() - 1) < 1e-9


def test_missing_values_are_refused_with_column_and_count() -> None:
    gaps = table(numbers("age", [1, NAN, NAN, 4, 5]), texts("colour", [*COLOURS[:4], None]))
    with pytest.raises(DataError) as caught:
        fit_encoding(gaps)
    said = str(caught.value)
    assert "'age' in 2 of 5 rows, 'colour' in 1 of 5 rows" in said
    assert "--missing drop" in said
    np.testing.assert_array_equal(complete_rows(gaps), [0, 3])


def test_a_column_with_no_value_at_all_is_named() -> None:
    gaps = table(numbers("age", [NAN, NAN]), numbers("x", [1, 2]))
    with pytest.raises(DataError, match="--ignore age"):
        fit_encoding(gaps)
    learned = fit_encoding(gaps, "mean")
    assert [spec.name for spec in learned.specs] == ["x"]
    assert learned.notes == ("column 'age' has no values: left out.",)


def test_mean_fills_in_the_mean_and_the_most_frequent_category() -> None:
    gaps = table(numbers("age", [1, NAN, 3, 5, 3]), texts("colour", [*COLOURS[:4], None]))
    learned = fit_encoding(gaps, "mean")
    X = encode(learned.specs, gaps).X
    assert X[1, 0] == 0.0
    assert features(learned.specs)[0].mean == 3.0
    np.testing.assert_array_equal(X[4, 1:], [0, 0])
    new = table(numbers("age", [NAN]), texts("colour", [None]))
    np.testing.assert_array_equal(encode(learned.specs, new).X, [[0, 0, 0]])


def test_indicator_tells_the_model_what_was_missing() -> None:
    gaps = table(numbers("age", [1, NAN, 3, 5, 3]), texts("colour", [*COLOURS[:4], None]))
    learned = fit_encoding(gaps, "indicator")
    X = encode(learned.specs, gaps).X
    assert [feature.name for feature in features(learned.specs)] == [
        "age",
        "age is missing",
        f"colour = {NO_VALUE}",
        "colour = blue",
        "colour = green",
    ]
    np.testing.assert_array_equal(X[:, 1], [0, 1, 0, 0, 0])
    np.testing.assert_array_equal(X[:, 2], [0, 0, 0, 0, 1])


def test_a_constant_that_is_sometimes_missing_keeps_its_indicator() -> None:
    gaps = table(numbers("x", [7, NAN, 7]))
    learned = fit_encoding(gaps, "indicator")
    np.testing.assert_array_equal(encode(learned.specs, gaps).X, [[0, 0], [0, 1], [0, 0]])


@pytest.mark.parametrize("value", [0.0, 3.0, 0.1, 1e300, -1e-300])
def test_constant_columns_are_left_out_with_a_note(value: float) -> None:
    learned = fit_encoding(table(numbers("flat", [value] * 7), numbers("x", [1, 2, 3, 4, 5, 6, 8])))
    assert [spec.name for spec in learned.specs] == ["x"]
    assert learned.notes == (f"column 'flat' is constant ({value:g}): left out.",)


def test_a_constant_text_is_left_out_and_nothing_left_is_refused() -> None:
    with pytest.raises(DataError, match="no column is left to learn from"):
        fit_encoding(table(texts("flat", ["a", "a", "a"])))


def test_a_row_number_is_noticed() -> None:
    learned = fit_encoding(table(numbers("id", [1, 2, 3, 4, 5])))
    assert learned.notes[0].startswith("column 'id' counts up row by row")
    assert "--ignore id" in learned.notes[0]


def test_identifiers_are_refused_and_can_be_insisted_on() -> None:
    names: list[str | None] = [f"person {i}" for i in range(40)]
    people = table(texts("name", names))
    with pytest.raises(DataError) as caught:
        fit_encoding(people)
    assert "column 'name' holds 40 different texts in 40 rows" in str(caught.value)
    assert "or insist with --category name" in str(caught.value)
    (spec,) = fit_encoding(people, categories=["name"]).specs
    assert isinstance(spec, CategorySpec)
    assert len(spec.others) == 39


def test_a_text_that_never_repeats_is_an_identifier_even_in_a_small_table() -> None:
    with pytest.raises(DataError, match="6 different texts in 6 rows"):
        fit_encoding(table(texts("name", list("abcdef"))))
    assert len(fit_encoding(table(texts("name", list("abcdea")))).specs) == 1


def test_infinity_is_refused_with_its_row() -> None:
    with pytest.raises(DataError, match="column 'x', row 3: the value is infinite"):
        fit_encoding(table(numbers("x", [1, 2, float("-inf")])))
    with pytest.raises(DataError, match="column 'x', row 1: the value is infinite"):
        encode((NumberSpec("x", 0, 1),), table(numbers("x", [float("inf")])), blank=True)


def test_a_category_never_seen_names_column_row_and_value() -> None:
    specs = fit_encoding(table(texts("colour", COLOURS))).specs
    new = table(texts("colour", ["blue", "mauve"]))
    with pytest.raises(DataError) as caught:
        encode(specs, new)
    assert (
        "column 'colour', row 2: the category 'mauve' did not occur in training "
        "(known: 'red', 'blue', 'green')" in str(caught.value)
    )
    encoded = encode(specs, new, blank=True)
    np.testing.assert_array_equal(encoded.usable, [True, False])
    np.testing.assert_array_equal(encoded.X, [[1, 0], [0, 0]])


@pytest.mark.parametrize("missing", ["refuse", "drop"])
def test_a_new_gap_names_column_and_row(missing: Missing) -> None:
    specs = fit_encoding(table(numbers("x", [1, 2, 4]), texts("c", ["a", "b", "a"])), missing).specs
    with pytest.raises(DataError, match="column 'x', row 2: the value is missing"):
        encode(specs, table(numbers("x", [1, NAN]), texts("c", ["a", "a"])))
    with pytest.raises(DataError, match="column 'c', row 1: the value is missing"):
        encode(specs, table(numbers("x", [1, 2]), texts("c", [None, "a"])))


def test_text_for_a_number_is_refused() -> None:
    with pytest.raises(DataError, match="column 'x' holds text where the model learnt numbers"):
        encode((NumberSpec("x", 0, 1),), table(texts("x", ["a"])))


def test_a_long_constant_text_is_named_by_its_beginning() -> None:
    learned = fit_encoding(table(texts("t", ["x" * 5000] * 6), numbers("x", [1, 2, 2, 4, 5, 6])))
    assert learned.notes == (f"column 't' is constant ('{'x' * 39}…'): left out.",)
