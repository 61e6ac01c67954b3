"""Reading of CSV and Parquet files; the only file that imports pyarrow.

Two entry points: `read_table` for a whole file whose columns are not known yet, and `read_batches`
for a stream, in bounded memory, of columns whose kinds are known. Both use the fast reader first;
when it fails, `file_errors` reads the file again to name the row and the column.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.file_errors import (
    MISSING_WORDS,
    diagnose,
    is_number,
    not_a_number,
    sniff_separator,
    unreadable,
)
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn, some_of, unknown_column

_TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
_PARQUET_ENDINGS = (".parquet", ".pq")
_WHOLE_BYTES = 8 << 20
# Small: several blocks are on their way at once, and they bound the memory of a stream.
_STREAM_BYTES = 1 << 20
_BATCH_ROWS = 1 << 16


def read_table(
    path: str | Path, *, categories: Collection[str] = (), ignore: Collection[str] = ()
) -> Table:
    """Read a whole file.

    Parameters
    ----------
    path : str or Path
        A ``.csv``, ``.tsv`` or ``.txt`` file (also ``.gz``) with a header, or a ``.parquet`` file.
    categories : collection of str
        Columns to take as words even where they hold numbers.
    ignore : collection of str
        Columns to leave out.

    Returns
    -------
    Table
        Its columns as numbers or words.

    Raises
    ------
    DataError
        Naming the file, the column or row, and the next action.
    """
    path = Path(path)
    names = column_names(path)
    for name in (*categories, *ignore):
        if name not in names:
            raise unknown_column(name, names, str(path))
    kept = [name for name in names if name not in set(ignore)]
    arrow = _read_parquet(path, kept) if _is_parquet(path) else _read_text(path, kept)
    if arrow.num_rows == 0:
        raise DataError(
            f"{path}: the file has column names and no rows. Give it at least one row a class."
        )
    columns: dict[str, Column] = {}
    for name in kept:
        column = _column(name, arrow.column(name), str(path))
        columns[name] = column.as_text() if name in categories else column
        if isinstance(column, TextColumn) and name not in categories:
            _refuse_changing_type(column, str(path))
    return Table(str(path), columns, np.arange(1, arrow.num_rows + 1))


def column_names(path: str | Path) -> list[str]:
    """Return the names of the columns, which must be distinct and not empty."""
    path = Path(path)
    try:
        if _is_parquet(path):
            names = list(pq.read_schema(path).names)
        else:
            separator = sniff_separator(path)
            options = pacsv.ReadOptions(block_size=_STREAM_BYTES)
            with pacsv.open_csv(
                path, read_options=options, parse_options=_parse_options(separator)
            ) as reader:
                names = list(reader.schema.names)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _explain(path, error) from None
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise DataError(
                f"{path}: column {place} has no name (often a row number that a spreadsheet or "
                "pandas wrote). Name it in the header, or write the file without it."
            )
        if names.count(name) > 1:
            raise DataError(
                f"{path}: two columns are named {name!r}. Give each column a name of its own."
            )
    return names


def read_batches(
    path: str | Path, *, numbers: Collection[str], texts: Collection[str]
) -> Iterator[Table]:
    """Stream the named columns of a file, batch by batch, in bounded memory.

    Parameters
    ----------
    path : str or Path
        A file as in `read_table`.
    numbers, texts : collection of str
        The columns to read as numbers, and those to read as words.

    Yields
    ------
    Table
        The next rows, with their row numbers in the file.
    """
    path = Path(path)
    names = column_names(path)
    wanted = [*numbers, *texts]
    for name in wanted:
        if name not in names:
            raise unknown_column(name, names, str(path))
    first = 1
    try:
        for batch in (
            _parquet_batches(path, wanted)
            if _is_parquet(path)
            else _text_batches(path, wanted, set(texts))
        ):
            if batch.num_rows == 0:
                continue
            columns = {
                name: _column_of_kind(name, batch.column(name), str(path), first, name in texts)
                for name in wanted
            }
            rows = np.arange(first, first + batch.num_rows)
            first += batch.num_rows
            yield Table(str(path), columns, rows)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _explain(path, error, numbers) from None


def _is_parquet(path: Path) -> bool:
    name = path.name.lower()
    if name.endswith(_PARQUET_ENDINGS):
        return True
    if name.endswith(_TEXT_ENDINGS):
        return False
    raise DataError(
        f"{path}: cannot tell what kind of file this is. chainrule reads .csv, .tsv, .txt (also "
        ".gz) and .parquet; rename or convert it."
    )


def _parse_options(separator: str) -> Any:  # noqa: ANN401 - pyarrow ships no types
    # Without newlines_in_values a quoted line break may be cut at the edge of a block.
    return pacsv.ParseOptions(delimiter=separator, newlines_in_values=True)


def _convert_options(names: list[str], types: dict[str, Any]) -> Any:  # noqa: ANN401
    return pacsv.ConvertOptions(
        include_columns=names,
        column_types=types,
        null_values=list(MISSING_WORDS),
        strings_can_be_null=True,
        # Else True and False would be read as truth values here and as words in a stream.
        true_values=[],
        false_values=[],
    )


def _read_parquet(path: Path, names: list[str]) -> Any:  # noqa: ANN401
    try:
        return pq.read_table(path, columns=names)
    except (pa.ArrowException, OSError) as error:
        raise _explain(path, error) from None


def _read_text(path: Path, names: list[str]) -> Any:  # noqa: ANN401
    separator = sniff_separator(path)
    try:
        arrow = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(block_size=_WHOLE_BYTES),
            parse_options=_parse_options(separator),
            convert_options=_convert_options(names, {}),
        )
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise _explain(path, error) from None
    if _needs_a_second_look(arrow):
        fault = diagnose(path, separator)
        if fault is not None:
            raise fault
    return arrow


def _needs_a_second_look(arrow: Any) -> bool:  # noqa: ANN401
    """Whether the reader may have hidden a fault: bytes for text, or an open quote."""
    if any(pa.types.is_binary(kind) for kind in arrow.schema.types):
        return True
    last = arrow.slice(max(arrow.num_rows - 1, 0)).to_pylist()
    return any(isinstance(cell, str) and "\n" in cell for row in last for cell in row.values())


def _parquet_batches(path: Path, names: list[str]) -> Iterator[Any]:
    with pq.ParquetFile(path) as file:
        yield from file.iter_batches(batch_size=_BATCH_ROWS, columns=names)


def _text_batches(path: Path, names: list[str], texts: set[str]) -> Iterator[Any]:
    types = {name: pa.string() if name in texts else pa.float64() for name in names}
    with pacsv.open_csv(
        path,
        read_options=pacsv.ReadOptions(block_size=_STREAM_BYTES),
        parse_options=_parse_options(sniff_separator(path)),
        convert_options=_convert_options(names, types),
    ) as reader:
        yield from reader


def _explain(path: Path, error: BaseException, numbers: Collection[str] = ()) -> DataError:
    """Return the located error for a file that the fast reader rejects."""
    if isinstance(error, FileNotFoundError | IsADirectoryError | PermissionError):
        return unreadable(path, error)
    if path.is_dir():
        return unreadable(path, IsADirectoryError())
    if _is_parquet(path):
        if path.stat().st_size == 0:
            return DataError(f"{path}: the file is empty. Write it again.")
        with path.open("rb") as file:
            starts_well = file.read(4) == b"PAR1"
        if not starts_well:
            return DataError(
                f"{path}: this is no Parquet file, whatever its name says. If it is text, name "
                "it .csv."
            )
        return DataError(
            f"{path}: the Parquet file is cut short or damaged. Fetch or write it again."
        )
    return diagnose(path, sniff_separator(path), numbers) or unreadable(path, error)


def _column(name: str, data: Any, source: str) -> Column:  # noqa: ANN401
    """Return an Arrow column as numbers or text."""
    kind = data.type
    if pa.types.is_dictionary(kind):
        data = data.cast(kind.value_type)
        kind = data.type
    if pa.types.is_null(kind):
        nothing = np.full(len(data), np.nan)
        return NumberColumn(name, nothing, np.ones(len(data), dtype=np.bool_))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _number_column(name, data.cast(pa.float64(), safe=False))
    if pa.types.is_boolean(kind):
        data = pc.if_else(data, "True", "False")
        kind = data.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _text_column(name, data)
    if kind == pa.string_view():
        return _text_column(name, data.cast(pa.large_string()))
    raise DataError(
        f"{source}: column {name!r} holds {_kind_word(kind)}, which chainrule does not fit. Turn "
        f"it into a number (for a date: days since a start), or leave it out with --ignore {name}."
    )


def _kind_word(kind: Any) -> str:  # noqa: ANN401
    if pa.types.is_temporal(kind):
        return "dates or times"
    if pa.types.is_nested(kind):
        return "lists or records"
    return f"values of type {kind}"


def _number_column(name: str, data: Any) -> NumberColumn:  # noqa: ANN401
    values = np.array(pc.fill_null(data, float("nan")).to_numpy(), dtype=np.float64)
    missing: NDArray[np.bool_] = np.isnan(values)
    return NumberColumn(name, values, missing)


def _text_column(name: str, data: Any) -> TextColumn:  # noqa: ANN401
    encoded = data.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):  # what combining no chunk at all returns
            return TextColumn(name, np.empty(0, dtype=np.int64), ())
    codes = np.array(pc.fill_null(encoded.indices, -1).to_numpy(), dtype=np.int64)
    return TextColumn(name, codes, tuple(encoded.dictionary.to_pylist()))


def _column_of_kind(
    name: str,
    data: Any,  # noqa: ANN401
    source: str,
    first: int,
    text: bool,
) -> Column:
    column = _column(name, data, source)
    if text:
        return column.as_text()
    if isinstance(column, NumberColumn):
        return column
    present = np.flatnonzero(~column.missing)
    row = int(present[0])
    raise not_a_number(source, name, first + row, column.words[column.codes[row]])


def _refuse_changing_type(column: TextColumn, source: str) -> None:
    """Reject a text column of mostly numbers, for a guess would hide a typing error."""
    numeric = np.array([is_number(word) for word in column.words], dtype=np.bool_)
    if not numeric.any() or numeric.all():
        return
    counts = column.counts()
    n_numeric, n_words = int(counts[numeric].sum()), int(counts[~numeric].sum())
    if n_numeric < n_words:
        return
    odd = [word for word, is_num in zip(column.words, numeric, strict=True) if not is_num]
    is_odd = ~numeric[column.codes] & ~column.missing
    row = int(np.flatnonzero(is_odd)[0])
    raise DataError(
        f"{source}: column {column.name!r} changes type: {n_numeric} of its rows hold numbers, but "
        f"row {row + 1} says {column.words[column.codes[row]]!r} ({n_words} such "
        f"{'row' if n_words == 1 else 'rows'}: {some_of(odd, 3)}). Correct them, leave the cells "
        f"empty if the values are missing, or take the column as words: "
        f"--category {column.name}."
    )
