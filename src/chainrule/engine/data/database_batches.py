"""Rows of a query, some at a time: SQLite, and DuckDB where it is installed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from chainrule.errors import DataError

BATCH_ROWS: Final[int] = 1 << 14

_SQLITE: Final[bytes] = b"SQLite format 3\x00"


def query_batches(path: Path, sql: str) -> Iterator[Any]:
    """Yield the rows of a query to a database file, which is opened for reading.

    Parameters
    ----------
    path : Path
    sql : str
        A select.

    Yields
    ------
    mapping or RecordBatch

    Raises
    ------
    DataError
        When the file is not a database, or the query is refused.
    """
    try:
        with path.open("rb") as file:
            begins = file.read(len(_SQLITE))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    return _of_sqlite(path, sql) if begins == _SQLITE else _of_duckdb(path, sql)


def _of_sqlite(path: Path, sql: str) -> Iterator[dict[str, list[Any]]]:
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            connection.execute("pragma query_only = on")
            rows = connection.execute(sql)
            names = _checked(path, [column[0] for column in rows.description or ()])
            while found := rows.fetchmany(BATCH_ROWS):
                yield dict(zip(names, map(list, zip(*found, strict=True)), strict=True))
    except sqlite3.Error as error:
        raise _refused(path, error) from None


def _of_duckdb(path: Path, sql: str) -> Iterator[Any]:
    try:
        import duckdb
    except ImportError:
        raise DataError(
            f"{path}: this is not an SQLite file, and DuckDB files need duckdb. Install it with: "
            "pip install 'chainrule[files]'"
        ) from None
    try:
        settings: dict[str, Any] = {
            "enable_external_access": "false",
            "preserve_insertion_order": "true",
        }
        with closing(duckdb.connect(str(path), read_only=True, config=settings)) as connection:
            found = connection.sql(sql)
            names = [] if found is None else found.columns
            _checked(path, names)
            reader = getattr(found, "to_arrow_reader", None) or found.fetch_arrow_reader
            yield from reader(BATCH_ROWS)
    except duckdb.Error as error:
        raise _refused(path, error) from None


def _checked(path: Path, names: list[str]) -> list[str]:
    """Return the names of the columns, which must differ."""
    if not names:
        raise DataError(f"{path}: the query returns no columns. Give a select")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"{path}: two columns of the query are named {twice!r}. Rename one: select ... as ..."
        )
    return names


def _refused(path: Path, error: Exception) -> DataError:
    what = str(error).splitlines()[0]
    return DataError(f"{path}: the query was refused ({what}). Correct it; it must be a select")
