"""Files with types of their own: Parquet, Feather, JSON lines; and tables that are in memory."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.feather as pafeather
import pyarrow.json as pajson
import pyarrow.parquet as pq

from chainrule.errors import DataError
from chainrule.storage import byte_budget, refuse_size
from chainrule.tables.cells import NumberStyle
from chainrule.tables.files.compression import open_bytes
from chainrule.tables.files.errors import unreadable
from chainrule.tables.files.table_file import ArrowTable, TableFile

BATCH_ROWS: Final = 1 << 16


class ParquetFile(TableFile):
    """A Parquet file."""

    def __init__(self, path: Path, source: str) -> None:
        self.path, self.source, self.notes = path, source, []

    def names(self) -> list[str]:
        """Return the column names."""
        return list(pq.read_schema(self.path).names)

    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns."""
        with pq.ParquetFile(self.path) as file:
            refuse_size(self.source, _expanded_bytes(file, names), byte_budget())
            return file.read(columns=list(names))

    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order, in bounded memory."""
        with pq.ParquetFile(self.path) as file:
            yield from file.iter_batches(batch_size=BATCH_ROWS, columns=list(names))

    def explain(
        self, error: BaseException, numbers: Mapping[str, NumberStyle] | None = None
    ) -> Exception:
        """Return the located error for what reading raised."""
        return _binary_fault(self.path, error, "Parquet", b"PAR1")


class ArrowTableFile(TableFile):
    """A table that a library has read into memory: Feather, JSON lines, a workbook, a query.

    Parameters
    ----------
    arrow : pyarrow.Table
    source : str
    notes : list of str
    """

    def __init__(self, arrow: ArrowTable, source: str, notes: Sequence[str] = ()) -> None:
        self.arrow, self.source, self.notes = arrow, source, list(notes)

    def names(self) -> list[str]:
        """Return the column names."""
        return list(self.arrow.schema.names)

    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns."""
        return self.arrow.select(list(names))

    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order."""
        yield from self.arrow.select(list(names)).to_batches(max_chunksize=BATCH_ROWS)

    def explain(
        self, error: BaseException, numbers: Mapping[str, NumberStyle] | None = None
    ) -> Exception:
        """Return the located error for what reading raised."""
        return error if isinstance(error, DataError) else unreadable(Path(self.source), error)


class ParquetRows:
    """Writes a Parquet file, some rows at a time: words and numbers.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, names: Sequence[str], columns: Sequence[Any]) -> None:
        """Write the next rows: arrays of numbers, or pairs of codes (-1: none) and words."""
        arrays = []
        for column in columns:
            if isinstance(column, tuple):
                codes, words = column
                missing = codes < 0
                taken = pa.array(np.where(missing, 0, codes), mask=missing)
                arrays.append(pa.array(list(words), pa.string()).take(taken))
            else:
                arrays.append(pa.array(column, from_pandas=True))  # NaN is no value
        table = pa.Table.from_arrays(arrays, names=list(names))
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._path, table.schema)
        self._writer.write_table(table)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def parquet_bytes(path: Path) -> int:
    """Return about how much memory the columns of a Parquet file take; 0 if it is none."""
    try:
        with pq.ParquetFile(path) as file:
            cells: int = 8 * file.metadata.num_rows * file.metadata.num_columns
            return max(cells, _expanded_bytes(file, file.metadata.schema.to_arrow_schema().names))
    except (pa.ArrowException, OSError):  # said where the file is read
        return 0


def read_feather(path: Path, source: str) -> ArrowTableFile:
    """Open a Feather or Arrow IPC file, mapped and not copied."""
    try:
        return ArrowTableFile(pafeather.read_table(path, memory_map=True), source)
    except (pa.ArrowException, OSError) as error:
        raise _binary_fault(path, error, "Feather", b"ARROW1") from None


def read_json_lines(path: Path, source: str) -> ArrowTableFile:
    """Open a file with one JSON object per line."""
    try:
        with open_bytes(path) as file:
            refuse_size(source, path.stat().st_size, byte_budget())
            return ArrowTableFile(pajson.read_json(file), source)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _json_fault(path, error) from None


def _json_fault(path: Path, error: BaseException) -> DataError:
    """Return the error that names the first line that is not a JSON object, or its changed type."""
    if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
        return unreadable(path, error)
    kinds: dict[str, tuple[type, int]] = {}
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                record = None
            if not isinstance(record, dict):
                return DataError(
                    f"{path}: line {number} is not a JSON object. A JSON lines file holds one "
                    '{"column": value, ...} per line.'
                )
            for name, value in record.items():
                kind = float if type(value) is int else type(value)
                known, first = kinds.setdefault(name, (kind, number))
                if value is not None and known is type(None):
                    kinds[name] = (kind, number)
                elif value is not None and known is not kind:
                    return DataError(
                        f"{path}: {name!r} changes type: line {first} holds a {_word(known)}, line "
                        f"{number} a {_word(kind)} ({value!r}). Correct one of them."
                    )
    return unreadable(path, error)


def _word(kind: type) -> str:
    return {str: "string", float: "number", bool: "truth value", list: "list"}.get(kind, "record")


def _binary_fault(path: Path, error: BaseException, kind: str, magic: bytes) -> DataError:
    if isinstance(error, DataError):
        return error
    if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
        return unreadable(path, error)
    if path.stat().st_size == 0:
        return DataError(f"{path}: the file is empty. Write it again.")
    with path.open("rb") as file:
        starts_well = file.read(len(magic)) == magic
    if not starts_well:
        return DataError(
            f"{path}: this is no {kind} file, whatever its name says. If it is text, name it .csv."
        )
    return DataError(f"{path}: the {kind} file is cut short or damaged. Fetch or write it again.")


def _expanded_bytes(file: Any, names: Sequence[str]) -> int:  # noqa: ANN401
    """Return the uncompressed size of some columns, as the file states it."""
    wanted, metadata = set(names), file.metadata
    return sum(
        column.total_uncompressed_size
        for group in range(metadata.num_row_groups)
        for column in map(metadata.row_group(group).column, range(metadata.num_columns))
        if column.path_in_schema.split(".")[0] in wanted
    )
