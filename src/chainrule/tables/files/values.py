"""Python values of one column as an Arrow array."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa

_NUMBERS = (int, float, Decimal)


def arrow_column(values: Sequence[Any]) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return values as an array: numbers, truth values or dates if all are; else as strings.

    >>> arrow_column([1, None, 2.5]).to_pylist()
    [1.0, None, 2.5]
    >>> arrow_column([1, "a"]).to_pylist()
    ['1', 'a']
    """
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int}:
        small = all(v is None or -(2**63) <= v < 2**63 for v in values)
        return pa.array(values, pa.int64() if kinds else pa.null()) if small else _strings(values)
    if kinds <= {*_NUMBERS}:
        return pa.array([None if v is None else float(v) for v in values], pa.float64())
    if kinds in ({bool}, {datetime.date}, {datetime.datetime}, {datetime.time}):
        return pa.array(values)
    return _strings(values)


def _strings(values: Sequence[Any]) -> Any:  # noqa: ANN401
    return pa.array([None if v is None else _string(v) for v in values], pa.string())


def _string(value: Any) -> str:  # noqa: ANN401
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
