"""Files with types of their own: Parquet, Feather, JSON lines; and tables that are in memory."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.storage import byte_budget, refuse_size
from chainrule.tables.cells import NumberStyle
from chainrule.tables.files.compression import open_bytes
from chainrule.tables.files.errors import unreadable
from chainrule.tables.files.gathering import as_arrow
from chainrule.tables.files.table_file import ArrowTable, TableFile
from chainrule.tables.files.tasks import all_tasks_done
from chainrule.tables.table import number_word

BATCH_ROWS: Final = 1 << 16
STREAM_MAGIC: Final = b"\xff\xff\xff\xff"
"""First bytes of an Arrow IPC stream."""
_READ_BYTES: Final = 1 << 20


@cache
def _parquet() -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return pyarrow's Parquet, whose import other files do not wait for."""
    import pyarrow.parquet

    return pyarrow.parquet


class ParquetFile(TableFile):
    """A Parquet file."""

    def __init__(self, path: Path, source: str) -> None:
        self.path, self.source, self.notes = path, source, []

    def names(self) -> list[str]:
        """Return the column names."""
        return list(_parquet().read_schema(self.path).names)

    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns."""
        with _parquet().ParquetFile(self.path) as file:
            refuse_size(self.source, _expanded_bytes(file, names), byte_budget())
            return _checked(file.read(columns=list(names)))

    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order, in bounded memory."""
        # Strings that the file keeps as codes stay codes. One thread reads: what a batch is for
        # takes longer, and is done by others meanwhile.
        with _parquet().ParquetFile(
            self.path, read_dictionary=list(texts), pre_buffer=False, buffer_size=_READ_BYTES
        ) as file:
            batches = file.iter_batches(BATCH_ROWS, columns=list(names), use_threads=False)
            yield from map(_checked, batches)

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
        try:
            _checked(arrow)
        except pa.ArrowInvalid:
            raise DataError(
                f"{source}: the table holds text that is not UTF-8, or is damaged. Write it again."
            ) from None

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


def arrow_rows(names: Sequence[str], columns: Sequence[Any]) -> ArrowTable:
    """Return columns as an Arrow table: arrays of numbers, or pairs of codes (-1: none) and words.

    Words stay codes, and NaN becomes null.
    """
    arrays = []
    for column in columns:
        if isinstance(column, tuple):
            codes, words = column
            indices = as_arrow(codes.astype(np.int32, copy=False), _where_any(codes < 0))
            arrays.append(pa.DictionaryArray.from_arrays(indices, pa.array(words, pa.string())))
        else:
            numbers = np.ascontiguousarray(column)
            arrays.append(as_arrow(numbers, _where_any(np.isnan(numbers))))
    return pa.Table.from_arrays(arrays, names=list(names))


def _where_any(missing: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    return missing if missing.any() else None


class ParquetRows:
    """Writes a Parquet file, some rows at a time: words and numbers.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, rows: ArrowTable) -> None:
        """Write the next rows, as `arrow_rows` returns them."""
        if self._writer is None:
            words = [field.name for field in rows.schema if pa.types.is_dictionary(field.type)]
            # Probabilities hardly repeat and do not compress: plain numbers are written faster.
            self._writer = _parquet().ParquetWriter(
                self._path,
                rows.schema,
                use_dictionary=words,
                compression=dict.fromkeys(words, "snappy") or "none",
                # The least and largest of codes takes longer to find than all else of their column.
                write_statistics=[name for name in rows.schema.names if name not in words] or False,
                store_schema=False,
            )
        self._writer.write_table(rows)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


def parquet_bytes(path: Path) -> int:
    """Return about how much memory the columns of a Parquet file take; 0 if it is none."""
    try:
        with _parquet().ParquetFile(path) as file:
            cells: int = 8 * file.metadata.num_rows * file.metadata.num_columns
            return max(cells, _expanded_bytes(file, file.metadata.schema.to_arrow_schema().names))
    except (pa.ArrowException, OSError):  # said where the file is read
        return 0


def read_feather(path: Path, source: str) -> ArrowTableFile:
    """Open a Feather file, an Arrow IPC file or an Arrow IPC stream, mapped and not copied."""
    from pyarrow import feather

    try:
        with path.open("rb") as file:
            is_stream = file.read(len(STREAM_MAGIC)) == STREAM_MAGIC
        if is_stream:
            with pa.memory_map(str(path)) as mapped, pa.ipc.open_stream(mapped) as stream:
                arrow = stream.read_all()
        else:
            arrow = feather.read_table(path, memory_map=True)
        return ArrowTableFile(_without_runs(_checked(arrow)), source)
    except (pa.ArrowException, OSError) as error:
        raise _binary_fault(path, error, "Feather", b"ARROW1") from None


class JsonLinesFile(ArrowTableFile):
    """A file with one JSON object per line.

    Parameters
    ----------
    path : Path
    source : str
    """

    def __init__(self, path: Path, source: str) -> None:
        self._path = path
        super().__init__(_json_table(path, source), source)

    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns; in `texts`, dates and large whole numbers stay as written."""
        schema = self.arrow.schema
        dates = [n for n in names if n in texts and pa.types.is_temporal(schema.field(n).type)]
        arrow = self.arrow
        if dates:
            kept = pa.schema([(name, pa.string()) for name in dates])
            arrow = _checked(_json_table(self._path, self.source, kept))
        rounded = [n for n in names if n in texts and _may_be_rounded(self.arrow.column(n))]
        for name, words in _json_words(self._path, rounded).items():
            arrow = arrow.set_column(arrow.schema.get_field_index(name), name, words)
        return arrow.select(list(names))

    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order."""
        yield from self.read(names, texts).to_batches(max_chunksize=BATCH_ROWS)


def _may_be_rounded(data: Any) -> bool:  # noqa: ANN401
    """Whether a column of float64 may have held whole numbers that float64 cannot."""
    if not pa.types.is_float64(data.type):
        return False
    return bool((np.abs(data.to_numpy()) >= 2.0**53).any())


def _json_words(path: Path, names: Sequence[str]) -> dict[str, Any]:
    """Return columns of numbers as strings: whole numbers digit by digit."""
    words: dict[str, list[str | None]] = {name: [] for name in names}
    if not words:
        return {}
    try:
        with open_bytes(path) as file:
            lines = map(bytes.strip, file)
            for record in (json.loads(line, parse_int=str) for line in lines if line):
                for name, column in words.items():
                    cell = record.get(name)
                    column.append(number_word(cell) if isinstance(cell, float) else cell)
    except ValueError as error:  # an object of several lines, which pyarrow reads
        raise _json_fault(path, error) from None
    return {name: pa.array(column, pa.string()) for name, column in words.items()}


def _json_table(path: Path, source: str, schema: Any = None) -> ArrowTable:  # noqa: ANN401
    """Read a file of JSON lines; a schema names the types of some columns."""
    from pyarrow import json as json_lines

    try:
        with all_tasks_done() as lender, open_bytes(path) as file:
            refuse_size(source, path.stat().st_size, byte_budget())
            options = json_lines.ParseOptions(explicit_schema=schema)
            return json_lines.read_json(lender.lend_file(file), parse_options=options)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise _json_fault(path, error) from None


def _without_runs(arrow: ArrowTable) -> ArrowTable:
    """Return a table whose run-end encoded columns have one value per row."""
    for place, field in enumerate(arrow.schema):
        if pa.types.is_run_end_encoded(field.type):
            from pyarrow import compute

            plain = compute.run_end_decode(arrow.column(place))
            arrow = arrow.set_column(place, field.name, plain)
    return arrow


def _checked(arrow: ArrowTable) -> ArrowTable:
    """Return a table whose lengths, places of strings, codes and letters are those of its types.

    A damaged file may hold others, and to use them may end the process.

    Raises
    ------
    pyarrow.ArrowInvalid
    """
    try:
        _ = arrow.schema.names
        arrow.validate(full=True)
    except UnicodeDecodeError as error:
        raise pa.ArrowInvalid(f"a name is not UTF-8: {error}") from None
    return arrow


def _json_fault(path: Path, error: BaseException) -> DataError:
    """Return the error that names the first line that is not a JSON object, or its changed type."""
    if isinstance(error, OSError) and not isinstance(error, pa.ArrowException):
        return unreadable(path, error)
    if "Empty JSON file" in str(error):
        return DataError(f"{path}: the file is empty. A JSON lines file holds one object per line.")
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


_ENCRYPTED: Final = b"PARE"
"""The first bytes of a Parquet file whose columns are encrypted, footer and all."""


def _binary_fault(path: Path, error: BaseException, kind: str, magic: bytes) -> DataError:
    if isinstance(error, DataError):
        return error
    if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
        return unreadable(path, error)
    if path.stat().st_size == 0:
        return DataError(f"{path}: the file is empty. Write it again.")
    with path.open("rb") as file:
        start = file.read(len(magic))
    if start == _ENCRYPTED:
        return DataError(
            f"{path}: this Parquet file is encrypted. Write it without encryption, or decrypt it "
            "first."
        )
    if start != magic:
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
