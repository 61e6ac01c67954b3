"""From Arrow columns to numbers and strings, with one meaning of missing for every kind of file."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.cells import NumberStyle
from chainrule.tables.table import (
    Column,
    NumberColumn,
    TextColumn,
    WordCodes,
    gaps_of,
    number_word,
)

ArrowColumn = Any

_EXACT_INTEGERS: Final = (pa.int8(), pa.int16(), pa.int32())
"""Types of integers whose numbers float64 holds."""


def is_text(data: ArrowColumn) -> bool:
    """Whether a column holds strings."""
    kind = _value_type(data)
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()
    )


def is_temporal(data: ArrowColumn) -> bool:
    """Whether a column holds dates, times of day or durations."""
    return bool(pa.types.is_temporal(_value_type(data)))


def without_date(name: str, data: ArrowColumn) -> str | None:
    """Return how to use a column of times of day or of durations; None for any other column."""
    kind = _value_type(data)
    if pa.types.is_time(kind):
        return (
            f"column {name!r} holds times of day. Use the hour with --date {name}=hour, take it "
            f"as text with --category {name}, or leave it out with --ignore {name}."
        )
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return (
            f"column {name!r} holds durations. Write them as numbers, such as seconds, or leave it "
            f"out with --ignore {name}."
        )
    return None


def _value_type(data: ArrowColumn) -> Any:  # noqa: ANN401 - pyarrow ships no types
    return data.type.value_type if pa.types.is_dictionary(data.type) else data.type


def natural_column(
    name: str, data: ArrowColumn, source: str, missing: Collection[str] = ()
) -> Column:
    """Return a column as its type suggests: numbers, or strings.

    Raises
    ------
    DataError
        When it holds neither.
    """
    kind = _value_type(data)
    if is_text(data) or pa.types.is_boolean(kind):
        return text_column(name, data, source, missing)
    if pa.types.is_null(kind):
        nothing = np.full(len(data), np.nan)
        return NumberColumn(name, nothing, np.ones(len(data), dtype=np.bool_))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        if pa.types.is_dictionary(data.type):
            data = data.cast(kind)
        if kind in _EXACT_INTEGERS and not data.null_count:
            return number_column(name, np.array(data.to_numpy()), missing)
        values = data if kind == pa.float64() else data.cast(pa.float64(), safe=False)
        numbers = _nan_for_null(values)
        if isinstance(values, pa.ChunkedArray):  # a whole file, whose memory is then given back
            numbers = np.array(numbers)
        return number_column(name, numbers, missing)
    if is_temporal(data):
        other = without_date(name, data)
        if other is not None:
            raise DataError(f"{source}: {other}")
        raise DataError(
            f"{source}: column {name!r} holds dates or times. Use its year, month, weekday and "
            f"days with --date {name}, take it as text with --category {name}, or leave it out "
            f"with --ignore {name}."
        )
    raise _unfit(name, kind, source)


def _unfit(name: str, kind: Any, source: str) -> DataError:  # noqa: ANN401
    held = "lists or records" if pa.types.is_nested(kind) else f"values of type {kind}"
    return DataError(
        f"{source}: column {name!r} holds {held}, which chainrule does not fit. Turn it into "
        f"numbers or text, or leave it out with --ignore {name}."
    )


def number_column(name: str, values: NDArray[Any], missing: Collection[str] = ()) -> NumberColumn:
    """Return numbers as a column; those that a word for "no value" spells are missing."""
    for word in missing:
        try:
            marked = float(word)
        except ValueError:
            continue
        if marked == marked and (is_marked := values == marked).any():
            values = np.where(is_marked, np.nan, values.astype(np.float64))
    return NumberColumn(name, values, gaps_of(values))


def text_column(
    name: str, data: ArrowColumn, source: str, missing: Collection[str] = ()
) -> TextColumn:
    """Return any column as strings: byte for byte where it holds strings."""
    typed = not is_text(data)
    if typed:
        data = _spelled(name, data, source)
    encoded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # what combining no chunk at all returns
            return TextColumn(name, np.empty(0, dtype=np.int32), ())
    codes = _codes(encoded.indices)
    words = encoded.dictionary.to_pylist()
    kept = [k for k, word in enumerate(words) if word is not None and word not in missing]
    if len(kept) < len(words) or len(set(words)) < len(words):
        codes, words = _recoded(codes, words, kept)
    return TextColumn(name, codes, tuple(words), from_numbers=typed and _is_number(data, words))


def raw_cells(name: str, data: ArrowColumn, source: str) -> TextColumn:
    """Return a column to be copied: every cell as it stands, missing ones empty."""
    return text_column(name, data, source)


def styled_column(
    text: TextColumn, style: NumberStyle, missing: Collection[str] = ()
) -> NumberColumn:
    """Return the numbers that strings spell in some style; NaN where they spell none."""
    values = np.append(style.numbers(text.words), np.nan)  # a missing code, -1, picks the last
    return number_column(text.name, values[text.codes], missing)


def _is_number(data: ArrowColumn, words: list[str]) -> bool:
    return bool(words) and all(word.lstrip("-")[:1].isdigit() for word in words)


def _recoded(codes: WordCodes, words: list[str], kept: list[int]) -> tuple[WordCodes, list[str]]:
    distinct = list(dict.fromkeys(words[k] for k in kept))
    place = {word: k for k, word in enumerate(distinct)}
    lookup = np.full(len(words) + 1, -1, dtype=np.int32)
    for k in kept:
        lookup[k] = place[words[k]]
    return lookup[codes], distinct


def _codes(indices: ArrowColumn) -> WordCodes:
    """Return the indices of a dictionary, -1 where there is none."""
    if indices.null_count:
        indices = indices.cast(pa.int64()).fill_null(-1)
    return np.array(indices.to_numpy(), dtype=np.int32)


def _nan_for_null(data: ArrowColumn) -> Any:  # noqa: ANN401
    """Return float64 values, NaN where there is none."""
    if isinstance(data, pa.ChunkedArray):
        return data.to_numpy()
    return data.to_numpy(zero_copy_only=False)


def _spelled(name: str, data: ArrowColumn, source: str) -> ArrowColumn:
    """Return typed values as the strings that spell them: whole numbers without a point."""
    kind = data.type
    if pa.types.is_dictionary(kind):
        return _spelled(name, data.cast(kind.value_type), source)
    if pa.types.is_boolean(kind):
        from pyarrow import compute  # for truth values alone: its import takes longer than a fit

        return compute.if_else(data, "True", "False")
    if pa.types.is_floating(kind):
        values = np.array(_nan_for_null(data.cast(pa.float64())), dtype=np.float64)
        distinct, codes = np.unique(values, return_inverse=True)
        words = [None if v != v else v if np.isinf(v) else number_word(v) for v in distinct]
        dictionary = pa.array([None if w is None else str(w) for w in words], pa.string())
        return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int64()), dictionary)
    if pa.types.is_nested(kind) or pa.types.is_binary(kind):
        raise _unfit(name, kind, source)
    try:
        return data.cast(pa.string())
    except pa.ArrowNotImplementedError:  # intervals, which have no spelling
        raise _unfit(name, kind, source) from None
