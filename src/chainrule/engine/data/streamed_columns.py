"""The columns of a stream on their way into files, of the type that the first rows give them.

A type is kept: what a later part would round, or merge with another value, is refused. Targets of
whole numbers and of truth values stay what they are, for they may be labels.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from chainrule.engine.data.coded_rows import UNKNOWN, CodedColumn
from chainrule.engine.runtime.allowance import Allowance
from chainrule.engine.runtime.stored_arrays import ArrayWriter, StoredArray
from chainrule.errors import DataError

Role = Literal["feature", "target", "other"]


@dataclass
class StreamedColumn:
    """A column on its way into a file: numbers, or codes in the order of first appearance.

    Parameters
    ----------
    name : str
    path : Path
        The file.
    kind : DataType
        Of pyarrow, as the first rows have it.
    dtype : dtype
        Of the file.
    role : {'feature', 'target', 'other'}
    """

    name: str
    path: Path
    kind: Any
    dtype: np.dtype[Any]
    role: Role
    places: dict[Any, int] = field(default_factory=dict)
    """The levels, in the order of their codes."""
    n_rows: int = 0
    checksums: list[int] = field(default_factory=list)
    _writer: ArrayWriter | None = None

    @property
    def is_category(self) -> bool:
        """Whether the column holds text."""
        return is_category(self.kind)

    @property
    def is_x(self) -> bool:
        """Whether the column is a feature."""
        return self.role == "feature"

    def values(self, data: Any, first_row: int) -> npt.NDArray[Any]:  # noqa: ANN401
        """Return the next rows as numbers or codes."""
        if pa.types.is_null(data.type):
            data = data.cast(pa.string() if self.is_category else pa.from_numpy_dtype(self.dtype))
        if self.dtype.kind in "biu" and not self.is_category and data.null_count:
            row = first_row + np.flatnonzero(data.is_null())[0]
            raise DataError(f"the target {self.name!r} is missing in row {row}")
        if not self._takes(data.type):
            raise self._changed(data.type, first_row)
        if self.is_category:
            return self._codes(data)
        try:
            return self._numbers(data)
        except pa.ArrowInvalid:
            raise self._changed(data.type, first_row) from None

    def _takes(self, kind: Any) -> bool:  # noqa: ANN401
        """Whether values of another type mean the same in the type of this column."""
        if self.is_category or is_category(kind):
            return self.is_category and is_category(kind)
        if self.role == "target" and pa.types.is_boolean(kind) != (self.dtype == np.bool_):
            return False
        if self.dtype == np.float32:
            return bool(pa.types.is_float32(kind) or pa.types.is_float16(kind))
        if self.dtype.kind in "iu":
            return bool(pa.types.is_integer(kind))
        return is_number(kind)

    def _changed(self, kind: Any, row: int) -> DataError:  # noqa: ANN401
        if self.is_category:
            before = "text"
        elif self.dtype == np.float64 and not pa.types.is_integer(kind):
            before = "numbers"
        else:
            before = str(self.kind)
        return DataError(
            f"column {self.name!r} changes from {before} to {kind} in row {row}: give all parts of "
            "the stream one type"
        )

    def append(self, values: npt.NDArray[Any]) -> None:
        """Write the next rows."""
        if self._writer is None:
            self._writer = ArrayWriter(self.path, values.dtype)
        self._writer.append(values)

    def close(self) -> None:
        """Finish the file, if there is one."""
        if self._writer is not None:
            self._writer.close()
            self.n_rows, self.checksums = self._writer.n_rows, self._writer.checksums

    def vector(self, allowance: Allowance | None = None) -> StoredArray:
        """Return the numbers or codes."""
        return StoredArray(self.path, self.dtype, (self.n_rows,), allowance=allowance)

    def coded(self, allowance: Allowance) -> CodedColumn:
        """Return the column as rows of codes have it, its levels in sorted order."""
        vector = self.vector(allowance)
        if not self.is_category:
            return CodedColumn(self.name, vector)
        levels, places = self._sorted()
        return CodedColumn(self.name, vector, levels, places)

    def whole(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any] | None]:
        """Return the column in memory: numbers and nothing, or codes and the labels they mean."""
        values = self.vector()[:]
        if not self.is_category:
            return values, None
        missing = np.flatnonzero(values == UNKNOWN)
        if len(missing):
            raise DataError(f"the target {self.name!r} is missing in row {missing[0]}")
        labels, places = self._sorted()
        return places.astype(np.min_scalar_type(len(labels)))[values], labels

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return the column in memory as float64."""
        if self.is_category:
            raise DataError(f"column {self.name!r} holds text; expected numbers")
        return self.vector()[:].astype(np.float64, copy=False)

    def _sorted(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.int32]]:
        levels = np.array(list(self.places))
        order = np.argsort(levels, kind="stable")
        places = np.empty(len(levels), dtype=np.int32)
        places[order] = np.arange(len(levels))
        return levels[order], places

    def _codes(self, data: Any) -> npt.NDArray[np.int32]:  # noqa: ANN401
        encoded = data if pa.types.is_dictionary(data.type) else data.dictionary_encode()
        encoded = encoded.unify_dictionaries()
        found = [np.empty(0, dtype=np.int32)]
        for chunk in encoded.chunks:
            indices = np.asarray(pc.fill_null(chunk.indices.cast(pa.int32()), UNKNOWN))
            words = chunk.dictionary.to_pylist()
            used = np.unique(indices[indices >= 0])  # of the levels, those that occur
            lookup = np.full(len(words) + 1, UNKNOWN, dtype=np.int32)
            for k in used.tolist():
                if words[k] is not None:
                    lookup[k] = self.places.setdefault(words[k], len(self.places))
            found.append(lookup[indices])
        return np.concatenate(found)

    def _numbers(self, data: Any) -> npt.NDArray[Any]:  # noqa: ANN401
        if pa.types.is_boolean(data.type) and self.dtype != np.bool_:
            data = data.cast(pa.uint8())
        # a rounded label would be another label; features are rounded as they are in memory
        exact = self.role == "target" and pa.types.is_integer(data.type)
        filled = data.cast(pa.from_numpy_dtype(self.dtype), safe=exact)
        return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=self.dtype)


def dtype_of(name: str, kind: Any, role: Role, *, single: bool) -> np.dtype[Any]:  # noqa: ANN401
    """Return the type of the file of a column; `single` keeps features in single precision."""
    if is_category(kind):
        return np.dtype(np.int32)
    if not is_number(kind):
        raise DataError(
            f"column {name!r} holds neither numbers nor text ({kind}): convert it, or choose other "
            "columns"
        )
    if role == "target" and (pa.types.is_boolean(kind) or pa.types.is_integer(kind)):
        whole: np.dtype[Any] = np.dtype(kind.to_pandas_dtype())
        return whole
    if pa.types.is_float32(kind) and (single if role == "feature" else role == "target"):
        return np.dtype(np.float32)
    return np.dtype(np.float64)


def is_category(kind: Any) -> bool:  # noqa: ANN401 - pyarrow ships no types
    """Whether a type of pyarrow is text, or codes of it."""
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(is_text or pa.types.is_dictionary(kind))


def is_number(kind: Any) -> bool:  # noqa: ANN401
    """Whether a type of pyarrow is one of numbers or truth values."""
    kinds = pa.types
    return bool(
        kinds.is_boolean(kind)
        or kinds.is_integer(kind)
        or kinds.is_floating(kind)
        or kinds.is_decimal(kind)
    )
