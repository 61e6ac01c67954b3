"""Tables whose columns are in files: read one column at a time, or some rows of all columns.

A table is converted once, some columns at a time, by the reader that reads whole tables. So what
a column is taken for, its levels, its mean and its scale do not depend on the memory that there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import count, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.runtime.checksums import checksums_of
from chainrule.engine.runtime.stored_arrays import (
    HELD_BYTES,
    ArrayWriter,
    StoredArray,
)
from chainrule.storage import atomic_text
from chainrule.tables.cells import NumberStyle
from chainrule.tables.reading import OpenedTable
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn, gaps_of, numbered

Rows = NDArray[np.intp]

_GROUP_SHARE: Final = 8
"""A group of columns is read at once if the file holds less of them than budget / this."""

_HELD_SHARE: Final = 2
"""A fit takes budget / this; the rest is for the columns of the table."""

TABLE: Final = "table.json"
"""Names the columns of a folder; its presence says that all are there."""

_CODE = np.dtype(np.int32)
_NUMBER = np.dtype(np.float64)


@dataclass(frozen=True)
class StoredColumn:
    """A column in a file.

    Parameters
    ----------
    name : str
    path : Path
        Numbers (NaN where missing), or codes (-1 where missing).
    n_rows : int
    words : tuple of str, optional
        The strings that the codes mean.
    from_numbers : bool
    checksums : tuple of int
    """

    name: str
    path: Path
    n_rows: int
    words: tuple[str, ...] | None
    from_numbers: bool
    checksums: tuple[int, ...]

    @classmethod
    def write(cls, column: Column, path: Path) -> StoredColumn:
        """Write a column."""
        if isinstance(column, TextColumn):
            sums = _written(path, column.codes, _CODE)
            words, from_numbers = column.words, column.from_numbers
            return cls(column.name, path, len(column), words, from_numbers, sums)
        sums = _written(path, column.values, _NUMBER)
        return cls(column.name, path, len(column), None, from_numbers=False, checksums=sums)

    def read(self, rows: Rows | slice) -> Column:
        """Return some rows of the column."""
        dtype = _NUMBER if self.words is None else _CODE
        values = StoredArray(self.path, dtype, (self.n_rows,))[rows]
        if self.words is None:
            return NumberColumn(self.name, values, gaps_of(values))
        return TextColumn(self.name, values, self.words, self.from_numbers)

    @property
    def is_whole(self) -> bool:
        """Whether the file holds what was written."""
        return self.path.exists() and checksums_of(self.path) == list(self.checksums)


def _written(path: Path, values: NDArray[Any], dtype: np.dtype[Any]) -> tuple[int, ...]:
    """Write a vector to a file and return its checksums."""
    with ArrayWriter(path, dtype) as writer:
        writer.append(values)
    return tuple(writer.checksums)


class StoredColumns(Mapping[str, Column]):
    """Columns in files, each read whenever it is asked for.

    Parameters
    ----------
    stored : sequence of StoredColumn
    rows : ndarray, optional
        The rows that are selected; all, if not given.
    """

    def __init__(self, stored: Sequence[StoredColumn], rows: Rows | None = None) -> None:
        self._stored = {column.name: column for column in stored}
        self._rows = rows

    def __getitem__(self, name: str) -> Column:
        return self._stored[name].read(slice(None) if self._rows is None else self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)

    def at(self, rows: Rows | slice) -> Rows | slice:
        """Return which rows of the files some rows of these columns are."""
        return rows if self._rows is None else self._rows[rows]

    def take(self, rows: Rows) -> StoredColumns:
        """Return the columns at some rows, without reading them."""
        selected = self.at(rows)
        assert not isinstance(selected, slice)
        return StoredColumns(list(self._stored.values()), selected)

    def without(self, names: set[str]) -> StoredColumns:
        """Return the other columns."""
        kept = [column for name, column in self._stored.items() if name not in names]
        return StoredColumns(kept, self._rows)

    def part(self, rows: slice) -> dict[str, Column]:
        """Return some consecutive rows of all columns, in memory."""
        return {name: column.read(self.at(rows)) for name, column in self._stored.items()}


@dataclass(frozen=True, eq=False)
class StoredTable(Table):
    """A table whose columns are in the files of a folder.

    Parameters
    ----------
    folder : Path
        Where encoded rows are written, too.
    held_bytes : int
        Memory for what a fit holds of encoded rows, and for its vectors over them.
    """

    folder: Path = Path()
    held_bytes: int = HELD_BYTES

    def new_file(self, name: str) -> Path:
        """Return the path of a file that is not there yet."""
        place = next(k for k in count() if not (self.folder / f"{name}-{k}").exists())
        return self.folder / f"{name}-{place}"

    @property
    def _columns(self) -> StoredColumns:
        assert isinstance(self.columns, StoredColumns)
        return self.columns

    def take(self, rows: Rows) -> StoredTable:
        """Return the table at `rows` (indices), without reading it."""
        numbers = self.row_numbers[rows]
        return replace(self, columns=self._columns.take(rows), row_numbers=numbers)

    def view(self, rows: Rows) -> StoredTable:
        """Return the table at `rows` (indices), without reading it."""
        return self.take(rows)

    def without(self, names: set[str]) -> StoredTable:
        """Return the table without the columns in `names`."""
        return replace(self, columns=self._columns.without(names))

    def parts(self, n_rows: int) -> Iterator[Table]:
        """Yield all rows as tables in memory of at most `n_rows` rows."""
        for start in range(0, self.n_rows, n_rows):
            rows = slice(start, min(start + n_rows, self.n_rows))
            numbers = self.row_numbers[rows]
            yield Table(self.source, self._columns.part(rows), numbers, {}, self.styles)


def store_table(
    opened: OpenedTable, folder: Path, n_bytes: int, budget: int, made_from: dict[str, Any]
) -> StoredTable:
    """Convert a file to columns in a folder, some columns at a time.

    Parameters
    ----------
    opened : OpenedTable
    folder : Path
    n_bytes : int
        About what all columns take in memory.
    budget : int
        Bytes of memory that may be used.
    made_from : dict
        Kept with the columns: what they were converted from, and how.
    """
    wanted, n_rows = list(opened.names), 0
    found: list[StoredColumn] = []
    for group in _groups(wanted, n_bytes, budget // _GROUP_SHARE):
        arrow = opened.read(group)
        n_rows = arrow.num_rows
        for name in group:
            for column in opened.reader.of(name, arrow.column(name), 1):
                place = folder / f"column-{len(found)}"
                found.append(StoredColumn.write(column, place))
        del arrow
    reader = opened.reader
    table = StoredTable(
        opened.file.source,
        StoredColumns(found),
        numbered(n_rows),
        {},
        reader.styles,
        reader.formats,
        opened.notes,
        folder,
        budget // _HELD_SHARE,
    )
    _save(table, found, folder, made_from)
    return table


def origin_of_table(folder: Path) -> dict[str, Any] | None:
    """Return what a folder's table was converted from, and how; None if there is no table."""
    data = _loaded(folder)
    return None if data is None else dict(data["made_from"])


def load_table(folder: Path, budget: int) -> StoredTable | None:
    """Return the table that was converted in a folder; None if it is not whole."""
    data = _loaded(folder)
    if data is None:
        return None
    found = [
        StoredColumn(
            entry["name"],
            folder / entry["path"],
            entry["n_rows"],
            None if entry["words"] is None else tuple(entry["words"]),
            entry["from_numbers"],
            tuple(entry["checksums"]),
        )
        for entry in data["columns"]
    ]
    if not all(column.is_whole for column in found):
        return None
    return StoredTable(
        data["source"],
        StoredColumns(found),
        numbered(found[0].n_rows),
        {},
        {name: NumberStyle(**style) for name, style in data["styles"].items()},
        data["formats"],
        tuple(data["notes"]),
        folder,
        budget // _HELD_SHARE,
    )


def _loaded(folder: Path) -> dict[str, Any] | None:
    try:
        data: dict[str, Any] = json.loads((folder / TABLE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if "made_from" in data else None


def _save(
    table: StoredTable, columns: Sequence[StoredColumn], folder: Path, made_from: dict[str, Any]
) -> None:
    """Write what the files of the columns do not hold."""
    entries: list[dict[str, Any]] = [
        asdict(column) | {"path": column.path.name} for column in columns
    ]
    data = {
        "made_from": made_from,
        "source": table.source,
        "columns": entries,
        "styles": {name: asdict(style) for name, style in table.styles.items()},
        "formats": dict(table.formats),
        "notes": table.notes,
    }
    with atomic_text(folder / TABLE) as file:
        json.dump(data, file)


def _groups(names: Sequence[str], n_bytes: int, most: int) -> Iterator[list[str]]:
    """Yield names in groups that take at most so many bytes, or one at a time."""
    size = max(1, int(most * len(names) / max(1, n_bytes)))
    left = iter(names)
    while group := list(islice(left, size)):
        yield group
