"""Python values of one column as an Arrow array."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

_NUMBERS = (int, float, Decimal)


def arrow_column(values: Sequence[Any]) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return values as an array: numbers, truth values, dates or bytes if all are; else as strings.

    >>> arrow_column([1, None, 2.5]).to_pylist()
    [1.0, None, 2.5]
    >>> arrow_column([1, "a"]).to_pylist()
    ['1', 'a']
    """
    return as_kind(values, kind_of([values]))


def kind_of(parts: Iterable[Sequence[Any]]) -> Any:  # noqa: ANN401
    """Return the type of a column that comes in parts; None for one of values as they are."""
    kinds: set[type] = set()
    small = True
    for values in parts:
        found = {type(value) for value in values if value is not None}
        kinds |= found
        if int in found:
            small &= all(type(v) is not int or -(2**63) <= v < 2**63 for v in values)
    if kinds <= {int}:
        return (pa.int64() if kinds else pa.null()) if small else pa.string()
    if kinds <= {*_NUMBERS}:
        return pa.float64()
    if kinds == {bytes}:
        return pa.binary()  # refused where it is read: letters would be a guess
    if kinds in ({bool}, {datetime.date}, {datetime.datetime}, {datetime.time}):
        return None
    return pa.string()


def as_kind(values: Sequence[Any], kind: Any) -> Any:  # noqa: ANN401
    """Return values as an array of the type of their column."""
    if kind is None:
        return pa.array(values)
    if pa.types.is_string(kind):
        return _strings(values)
    if pa.types.is_float64(kind):
        return pa.array([None if v is None else float(v) for v in values], kind)
    return pa.array(values, kind)


def _strings(values: Sequence[Any]) -> Any:  # noqa: ANN401
    return pa.array([None if v is None else _string(v) for v in values], pa.string())


def _string(value: Any) -> str:  # noqa: ANN401
    return f"X'{value.hex().upper()}'" if isinstance(value, bytes) else str(value)
