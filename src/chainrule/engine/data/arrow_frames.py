"""Data frames that speak Arrow, such as those of polars and pyarrow: numbers, and codes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chainrule.engine.data.cells import first_other
from chainrule.engine.data.coded_rows import UNKNOWN, CodedColumn
from chainrule.errors import DataError

Frame = Any


def has_dictionaries(X: Frame) -> bool:
    """Tell whether a frame has categorical columns."""
    return any(pa.types.is_dictionary(field.type) for field in _schema(X))


def first_temporal(X: Frame) -> tuple[str, str] | None:
    """Return name and type of the first column of dates or times; None if there is none."""
    for field in _schema(X):
        if pa.types.is_temporal(field.type):
            return field.name, str(field.type)
    return None


def first_text(X: Frame, levels: Collection[str]) -> tuple[str, int, object] | None:
    """Return name, row and value of the first cell that is not a number; not of any levels."""
    if all(_is_numeric(field.type) or field.name in levels for field in _schema(X)):
        return None
    table = as_table(X)
    for name in table.column_names:
        kind = table.schema.field(name).type
        if _is_numeric(kind) or pa.types.is_dictionary(kind) or name in levels:
            continue
        found = first_other(table.column(name).to_pylist())
        if found is not None:
            return name, *found
    return None


def coded_columns(X: Frame, levels: Collection[str]) -> list[CodedColumn]:
    """Return the columns of a frame: dictionaries and those in `levels` as codes, else numbers."""
    table = as_table(X)
    return [
        _codes(name, table.column(name))
        if name in levels or pa.types.is_dictionary(table.schema.field(name).type)
        else _numbers(name, table.column(name))
        for name in table.column_names
    ]


def _is_numeric(kind: Any) -> bool:  # noqa: ANN401
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    return bool(is_number or pa.types.is_boolean(kind) or pa.types.is_decimal(kind))


def _schema(X: Frame) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return the schema of a frame without reading its rows."""
    if isinstance(X, pa.Table | pa.RecordBatch):
        return X.schema
    try:
        return as_table(X[:0]).schema
    except TypeError:  # rows of some frames are not to be chosen
        return as_table(X).schema


def as_table(X: Frame) -> Any:  # noqa: ANN401
    """Return a frame as a table of pyarrow, without a copy of what is in Arrow's memory."""
    try:
        return pa.table(X)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = str(error).strip().splitlines()[0]
        raise DataError(
            f"{_unreadable(X)} has a type that Arrow cannot read ({reason}): cast it, such as to "
            "float64, or leave it out"
        ) from error


def _unreadable(X: Frame) -> str:
    """Return what errors call the first column that Arrow cannot read."""
    for name in X.columns:
        try:
            pa.table(X[[name]])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return f"column {name!r}"
        except (KeyError, TypeError, ValueError):
            break
    return "a column"


def _codes(name: str, data: Any) -> CodedColumn:  # noqa: ANN401
    encoded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
    encoded = _in_one_piece(encoded)
    if not _are_distinct(encoded.dictionary):
        encoded = _in_one_piece(_decoded(encoded).dictionary_encode())
    indices = pc.fill_null(encoded.indices.cast(pa.int32()), UNKNOWN)
    levels = np.array(encoded.dictionary.to_pylist())
    every = np.arange(len(levels), dtype=np.int32)
    return CodedColumn(name, np.asarray(indices), levels, every)


def _in_one_piece(encoded: Any) -> Any:  # noqa: ANN401
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    return encoded.chunk(0) if isinstance(encoded, pa.ChunkedArray) else encoded


def _are_distinct(levels: Any) -> bool:  # noqa: ANN401
    """Tell whether no level is missing, and none is there twice."""
    has_nan = pa.types.is_floating(levels.type) and pc.any(pc.is_nan(levels)).as_py()
    return not (levels.null_count or has_nan) and len(set(levels.to_pylist())) == len(levels)


def _decoded(encoded: Any) -> Any:  # noqa: ANN401
    """Return the values of a dictionary, with NaN as a missing value."""
    values = encoded.dictionary.take(encoded.indices)
    if pa.types.is_floating(values.type):
        return pc.if_else(pc.is_nan(values), None, values)
    return values


def _numbers(name: str, data: Any) -> CodedColumn:  # noqa: ANN401
    kind = data.type
    if pa.types.is_boolean(kind):
        data = data.cast(pa.uint8())
    elif not _is_numeric(kind):
        raise DataError(
            f"column {name!r} holds neither numbers nor categories ({kind}): make it categorical"
        )
    if data.null_count or pa.types.is_decimal(kind):
        data = pc.fill_null(data.cast(pa.float64(), safe=False), float("nan"))
    return CodedColumn(name, data.to_numpy())
