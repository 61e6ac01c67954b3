"""Rows of numbers and codes: a code stands for a one in the column of its level.

What a one-hot matrix says takes a number and an index for each entry; a code says it in one byte,
for up to 127 levels. So codes stay what they are, and only a block of rows at a time is written
out as the sparse rows that they mean, for the time of a pass: scores are looked up level by level,
gradients count levels, Hessians count pairs of them, and everything that can be done with sparse
rows can be done with codes, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import IntArray
from chainrule.engine.passes.fused_blocks import can_be_fused
from chainrule.engine.passes.fused_sparse_blocks import look_up, standardise
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.engine.data.sparse_rows import Arrays

UNKNOWN: Final[int] = -1
"""The place of a code that stands for no column: what is missing, or was not seen."""

_FEW: Final[int] = 2**16


@dataclass(frozen=True)
class CodedColumn:
    """A column of numbers, or of codes.

    Attributes
    ----------
    name : str
    values : ndarray or StoredArray of shape (n_samples,)
        Numbers, or codes: integers from -1, which means a missing value.
    levels : ndarray of shape (n_levels,) or None
        The levels that get a column each; None for numbers.
    places : ndarray of shape (n_codes,) or None
        Which of the levels each code means.
    shift, scale : float
        Numbers stand for (values - shift) / scale, so that whole numbers can stay as small as they
        are.
    """

    name: str
    values: npt.NDArray[Any] | StoredArray
    levels: npt.NDArray[Any] | None = None
    places: npt.NDArray[np.int32] | None = None
    shift: float = 0.0
    scale: float = 1.0

    @property
    def names(self) -> list[str]:
        """The names of the columns that it makes, in the manner of scikit-learn's OneHotEncoder."""
        if self.levels is None:
            return [self.name]
        return [f"{self.name}_{level}" for level in self.levels]

    def numbers(self, rows: slice) -> npt.NDArray[Any]:
        """Return what the values of some rows stand for, in a column of numbers."""
        values = self.values[rows]
        if self.shift == 0 and self.scale == 1:
            return values
        found = values - np.float64(self.shift)
        found /= self.scale
        return np.asarray(found)


class CodedRows:
    """A matrix whose columns are numbers or levels, as `InMemorySource` takes it.

    Parameters
    ----------
    columns : sequence of CodedColumn
    """

    format: Final = "coded"
    dtype: Final = np.dtype(np.float64)

    def __init__(self, columns: Sequence[CodedColumn]) -> None:
        self.columns = list(columns)
        self._firsts = np.cumsum([0, *(1 if c.levels is None else len(c.levels) for c in columns)])
        self.shape = (len(columns[0].values), int(self._firsts[-1]))

    @property
    def nnz(self) -> int:
        """How many entries all rows have as sparse rows."""
        return self.shape[0] * len(self.columns)

    @property
    def is_stored(self) -> bool:
        """Whether the columns are in files."""
        return any(isinstance(column.values, StoredArray) for column in self.columns)

    @property
    def names(self) -> list[str]:
        """The names of the columns that it makes."""
        return [name for column in self.columns for name in column.names]

    @property
    def levels(self) -> dict[str, npt.NDArray[Any]]:
        """The levels of the columns of codes, by name."""
        return {c.name: c.levels for c in self.columns if c.levels is not None}

    def __getitem__(self, rows: IntArray | slice) -> CodedRows:
        """Return some of the rows, with the same columns; of columns in files, many in files."""

        def some(values: Any) -> Any:  # noqa: ANN401
            if isinstance(values, StoredArray) and not isinstance(rows, slice):
                return values.rows_at(rows)
            return values[rows]

        return CodedRows([replace(column, values=some(column.values)) for column in self.columns])

    def cut(self, rows: slice) -> CodedRows:
        """Return some rows in one piece; columns in files stay there."""

        def some(values: Any) -> Any:  # noqa: ANN401
            return values.part(rows) if isinstance(values, StoredArray) else values[rows]

        return CodedRows([replace(column, values=some(column.values)) for column in self.columns])

    def part(self, rows: slice) -> Arrays:
        """Return data, indices and indptr of some rows as CSR."""
        n_rows, n_columns = rows.stop - rows.start, len(self.columns)
        compiled = can_be_fused(self)
        data = np.ones((n_rows, n_columns))
        indices = np.empty((n_rows, n_columns), dtype=np.int32)
        indices[:] = self._firsts[:-1]
        for k, (column, first) in enumerate(zip(self.columns, self._firsts, strict=False)):
            if column.places is None:
                if compiled:
                    standardise(column.values[rows], column.shift, column.scale, data[:, k])
                else:
                    data[:, k] = column.numbers(rows)
                continue
            is_somewhere, codes = column.places != UNKNOWN, column.values[rows]
            places = np.where(is_somewhere, column.places, 0).astype(np.int32) + np.int32(first)
            if compiled:
                look_up(codes, places, indices[:, k])
            else:
                indices[:, k] = places[codes]
            if not is_somewhere.all():
                np.take(is_somewhere.astype(np.float64), codes, out=data[:, k])
        indptr = np.arange(0, n_rows * n_columns + 1, n_columns, dtype=np.int32)
        return data.ravel(), indices.ravel(), indptr

    def occurring(self, row_numbers: IntArray | None = None) -> CodedRows:
        """Return the same rows with columns for those levels only that occur; refuse missing ones.

        Parameters
        ----------
        row_numbers : ndarray of shape (n_samples,), optional
            What errors call the rows, if not 0, 1, ...
        """
        found = []
        for column in self.columns:
            if column.levels is None or column.places is None:
                found.append(column)
                continue
            counts = np.zeros(len(column.places) + 1, dtype=np.intp)
            for start in range(0, len(column.values), _FEW):
                codes = column.values[start : start + _FEW].astype(np.intp)
                counts += np.bincount(codes + 1, minlength=len(counts))
            if counts[0]:
                row = int(np.flatnonzero(column.values[:] == UNKNOWN)[0])
                raise _refusal(column.name, None, row if row_numbers is None else row_numbers[row])
            here = np.zeros(len(column.levels), dtype=np.bool_)
            here[column.places[counts[1:] > 0]] = True
            places = np.where(here, np.cumsum(here) - 1, UNKNOWN).astype(np.int32)[column.places]
            found.append(replace(column, levels=column.levels[here], places=places))
        return CodedRows(found)

    def in_terms_of(
        self, levels: Mapping[str, npt.NDArray[Any]], *, ignore_unknown: bool = False
    ) -> CodedRows:
        """Return the same rows with the columns of other levels.

        Parameters
        ----------
        levels : mapping
            The levels of each column of codes.
        ignore_unknown : bool
            Let a level that is none of them be in no column, instead of refusing it.
        """
        found = []
        for column in self.columns:
            if column.levels is None or column.places is None:
                found.append(column)
                continue
            known = {level: place for place, level in enumerate(levels[column.name].tolist())}
            here = [column.levels[place] for place in column.places]
            places = np.array([known.get(level, UNKNOWN) for level in here], dtype=np.int32)
            none_of_them = np.zeros(len(places), np.bool_) if ignore_unknown else places == UNKNOWN
            codes = column.values[:]
            wrong = np.append(none_of_them, True)[codes]
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                code = int(codes[row])
                raise _refusal(column.name, None if code == UNKNOWN else [here[code]], row)
            found.append(replace(column, levels=levels[column.name], places=places))
        return CodedRows(found)


def _refusal(name: str, level: list[Any] | None, row: int) -> DataError:
    if level is None:
        return DataError(
            f"Input X contains a missing value in row {row}, column {name!r}: drop the row, or "
            "make missing a level of its own"
        )
    return DataError(
        f"Input X contains the level {level[0]} in row {row}, column {name!r}, which no row of "
        "the fit had"
    )


def reserve(X: Any, n_bytes: int) -> None:  # noqa: ANN401
    """Leave memory for vectors over all rows: what is held of rows in files is as much less."""
    columns = [c.values for c in X.columns] if isinstance(X, CodedRows) else [X]
    for column in columns:
        if isinstance(column, StoredArray):
            column.allowance.reserved = n_bytes
            column.drawn = None  # a sample that was drawn for another method
