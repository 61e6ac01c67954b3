"""Data frames that speak Arrow, such as those of polars and pyarrow: numbers, and codes."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from chainrule.engine.data.cells import is_number_or_missing
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


def first_text(X: Frame) -> tuple[str, object, int] | None:
    """Return name, value and row of the first cell that cannot become a number."""
    table = pa.table(X)
    for name in table.column_names:
        kind = table.schema.field(name).type
        is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
        if is_number or pa.types.is_boolean(kind) or pa.types.is_decimal(kind):
            continue
        for row, value in enumerate(table.column(name).to_pylist()):
            if not is_number_or_missing(value):
                return name, value, row
    return None


def coded_columns(X: Frame, levels: Collection[str]) -> list[CodedColumn]:
    """Return the columns of a frame: dictionaries and those in `levels` as codes, else numbers."""
    table = pa.table(X)
    return [
        _codes(name, table.column(name))
        if name in levels or pa.types.is_dictionary(table.schema.field(name).type)
        else _numbers(name, table.column(name))
        for name in table.column_names
    ]


def _schema(X: Frame) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return the schema of a frame without reading its rows."""
    if isinstance(X, pa.Table | pa.RecordBatch):
        return X.schema
    return pa.table(X[:0] if hasattr(X, "__getitem__") else X).schema


def _codes(name: str, data: Any) -> CodedColumn:  # noqa: ANN401
    encoded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
    encoded = encoded.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0)
    indices = pc.fill_null(encoded.indices.cast(pa.int32()), UNKNOWN)
    levels = np.array(encoded.dictionary.to_pylist())
    every = np.arange(len(levels), dtype=np.int32)
    return CodedColumn(name, np.asarray(indices), levels, every)


def _numbers(name: str, data: Any) -> CodedColumn:  # noqa: ANN401
    kind = data.type
    if pa.types.is_boolean(kind):
        data = data.cast(pa.uint8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise DataError(
            f"column {name!r} holds neither numbers nor categories ({kind}): make it categorical"
        )
    if data.null_count or pa.types.is_decimal(kind):
        data = pc.fill_null(data.cast(pa.float64(), safe=False), float("nan"))
    return CodedColumn(name, data.to_numpy())
