"""Columns of many rows from blocks of few: numbers, and codes of strings.

A reader that returns whole columns holds them several times while it grows them. Here each block is
copied to its place in columns that are as long as all rows are expected to be, and given back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chainrule.tables.table import INTEGERS, integer_type

_GROWTH: Final = 1.25
_NOTHING: Final = -1
"""The code of no string."""


class _Column(Protocol):
    def add(self, data: Any) -> None:  # noqa: ANN401 - pyarrow ships no types
        """Take the next rows."""

    def arrow(self) -> Any:  # noqa: ANN401
        """Return all rows."""


def can_be_gathered(kind: Any) -> bool:  # noqa: ANN401
    """Whether a column of this type is gathered: of numbers, or of strings."""
    return _is_text(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _is_text(kind: Any) -> bool:  # noqa: ANN401
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind))


def gathered(blocks: Iterable[Any], n_bytes: float) -> Any:  # noqa: ANN401
    """Return blocks of rows as one Arrow table; strings become dictionaries.

    Parameters
    ----------
    blocks : iterable of pyarrow.RecordBatch
        At least one; columns of numbers or of strings.
    n_bytes : float
        How many blocks of the first one's size are expected: a guess, for no more than room.
    """
    columns: list[_Column] = []
    names: list[str] = []
    for block in blocks:
        if not columns:
            names = list(block.schema.names)
            room = max(1, int(block.num_rows * n_bytes))
            columns = [
                _Words(room) if _is_text(kind) else _Numbers(room) for kind in block.schema.types
            ]
        for column, data in zip(columns, block.columns, strict=True):
            column.add(data)
    arrays = []
    while columns:  # each gives its room back
        arrays.append(columns.pop().arrow())
    return pa.Table.from_arrays(arrays[::-1], names=names)


class _Rows:
    """An array that is longer than its rows, and grows."""

    def __init__(self, room: int, dtype: Any) -> None:  # noqa: ANN401
        self._values: NDArray[Any] = np.empty(room, dtype)
        self._n_rows = 0

    def add(self, values: NDArray[Any]) -> None:
        end = self._n_rows + len(values)
        if end > len(self._values):
            longer = np.empty(int(_GROWTH * end) + 1, self._values.dtype)
            longer[: self._n_rows] = self._values[: self._n_rows]
            self._values = longer
        self._values[self._n_rows : end] = values
        self._n_rows = end

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._values.dtype

    def widen(self, dtype: np.dtype[Any]) -> None:
        """Hold rows of a type that has all numbers of the one before."""
        if dtype != self.dtype:
            wider = np.empty(len(self._values), dtype)
            wider[: self._n_rows] = self.all
            self._values = wider

    @property
    def all(self) -> NDArray[Any]:
        return self._values[: self._n_rows]


class _Numbers:
    """A column of numbers, NaN where there is none; integers as long as the numbers are."""

    def __init__(self, room: int) -> None:
        self._rows = _Rows(room, INTEGERS[0])

    def add(self, data: Any) -> None:  # noqa: ANN401
        values = data.to_numpy(zero_copy_only=False)  # NaN for nulls of whole numbers, too
        if self._rows.dtype != np.float64:
            kind = integer_type(values) or np.float64
            self._rows.widen(np.promote_types(self._rows.dtype, kind))
        self._rows.add(values)

    def arrow(self) -> Any:  # noqa: ANN401
        return as_arrow(self._rows.all)


class _Words:
    """A column of strings, as codes of the different ones in the order of their first rows."""

    def __init__(self, room: int) -> None:
        self._rows = _Rows(room, np.int32)
        self._codes: dict[str, int] = {}

    def add(self, data: Any) -> None:  # noqa: ANN401
        if not pa.types.is_dictionary(data.type):
            data = data.dictionary_encode()
        codes = self._codes
        places = [codes.setdefault(word, len(codes)) for word in data.dictionary.to_pylist()]
        lookup = np.array([*places, _NOTHING], dtype=np.int32)  # a missing string picks the last
        indices = data.indices
        if indices.null_count:
            indices = indices.fill_null(_NOTHING)
        self._rows.add(lookup[indices.to_numpy()])

    def arrow(self) -> Any:  # noqa: ANN401
        indices = self._rows.all
        missing = indices == _NOTHING
        codes = as_arrow(indices, missing if missing.any() else None)
        return pa.DictionaryArray.from_arrays(codes, pa.array(self._codes, pa.string()))


def as_arrow(values: NDArray[Any], missing: NDArray[np.bool_] | None = None) -> Any:  # noqa: ANN401
    """Return numbers as an Arrow array of the same memory.

    `pyarrow.array` imports NumPy's masked arrays first, which takes longer than a small fit.
    """
    bits = None if missing is None else pa.py_buffer(np.packbits(~missing, bitorder="little"))
    kind = pa.from_numpy_dtype(values.dtype)
    return pa.Array.from_buffers(kind, len(values), [bits, pa.py_buffer(values)])
