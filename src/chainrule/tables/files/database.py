"""Tables and queries of SQLite and DuckDB files, opened for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from chainrule.errors import DataError
from chainrule.storage import byte_budget, refuse_size
from chainrule.tables.files.arrow_files import ArrowTableFile
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.files.values import arrow_column

_FETCHED = 1 << 14


def read_sqlite(path: Path, source: str, options: ReadOptions) -> ArrowTableFile:
    """Read a table or a query of an SQLite file."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True)
        try:
            connection.execute("pragma query_only = on")
            names = "select name from sqlite_master where type in ('table', 'view') order by name"
            known = [
                str(name)
                for (name,) in connection.execute(names)
                if not str(name).startswith("sqlite_")
            ]
            rows = connection.execute(_statement(source, options, known))
            return ArrowTableFile(_fetched(source, rows), source)
        finally:
            connection.close()
    except UnicodeDecodeError:  # of a name; of a cell, it is an error of SQLite
        raise DataError(
            f"{source}: the database holds a name that is not UTF-8, or is damaged. Write it again."
        ) from None
    except sqlite3.Error as error:
        raise _refused(source, options, error) from None


def read_duckdb(path: Path, source: str, options: ReadOptions) -> ArrowTableFile:
    """Read a table or a query of a DuckDB file."""
    try:
        import duckdb
    except ImportError:
        raise DataError(
            f"{source}: reading DuckDB files needs duckdb. Install it with: pip install "
            "'chainrule[files]'; or export the table as Parquet."
        ) from None
    try:
        connection = duckdb.connect(
            str(path), read_only=True, config={"enable_external_access": "false"}
        )
        try:
            known = [name for (name,) in connection.execute("show tables").fetchall()]
            found = connection.sql(_statement(source, options, known))
            if found is None:
                raise DataError(f"{source}: --query returns no rows; it must be a select.")
            return ArrowTableFile(found.to_arrow_table(), source)
        finally:
            connection.close()
    except duckdb.Error as error:
        raise _refused(source, options, error) from None


READERS: dict[str, Callable[[Path, str, ReadOptions], ArrowTableFile]] = {
    "sqlite": read_sqlite,
    "duckdb": read_duckdb,
}


def _statement(source: str, options: ReadOptions, known: list[str]) -> str:
    if options.query is not None:
        return options.query
    if options.table is None and len(known) != 1:
        listed = ", ".join(known[:12]) or "none"
        raise DataError(
            f"{source}: it holds {len(known)} tables ({listed}). Name one with --table, or choose "
            "rows with --query."
        )
    name = options.table if options.table is not None else known[0]
    if name not in known:
        raise DataError(f"{source}: no table is named {name!r}. There are: {', '.join(known)}.")
    quoted = name.replace('"', '""')
    return f'select * from "{quoted}"'


def _fetched(source: str, rows: sqlite3.Cursor) -> Any:  # noqa: ANN401 - pyarrow ships no types
    if rows.description is None:
        raise DataError(f"{source}: --query returns no rows; it must be a select.")
    names = [entry[0] for entry in rows.description]
    columns: list[list[Any]] = [[] for _ in names]
    budget, n_cells = byte_budget(), 0
    while some := rows.fetchmany(_FETCHED):
        n_cells += len(some) * len(names)
        refuse_size(source, 64 * n_cells, budget)
        for column, cells in zip(columns, zip(*some, strict=True), strict=True):
            column.extend(cells)
    return pa.Table.from_arrays([arrow_column(column) for column in columns], names=names)


def _refused(source: str, options: ReadOptions, error: Exception) -> DataError:
    said = str(error).splitlines()[0]
    asked = " The file is opened for reading only; --query is one select." if options.query else ""
    return DataError(f"{source}: the database refuses ({said}).{asked}")
