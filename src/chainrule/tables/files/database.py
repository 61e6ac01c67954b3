"""Tables and queries of SQLite and DuckDB files, opened for reading only."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from chainrule.errors import DataError
from chainrule.tables.files.arrow_files import ArrowTableFile
from chainrule.tables.files.options import ReadOptions
from chainrule.tables.files.spooling import Spool
from chainrule.tables.files.values import as_kind, kind_of

_FETCHED = 1 << 14

_DUCKDB_TABLES = """
    select table_schema, table_name from information_schema.tables
    where table_catalog = current_database()
    order by table_schema <> 'main', table_schema, table_name
"""


def read_sqlite(path: Path, source: str, options: ReadOptions) -> ArrowTableFile:
    """Read a table or a query of an SQLite file."""
    uri = f"file:{quote(str(path.absolute()))}?mode=ro"
    try:
        connection = sqlite3.connect(uri, uri=True)
        try:
            connection.execute("pragma query_only = on")
            names = "select name from sqlite_master where type in ('table', 'view') order by name"
            known = {
                str(name): _quoted(str(name))
                for (name,) in connection.execute(names)
                if not str(name).startswith("sqlite_")
            }
            statement = _statement(source, options, known)
            return ArrowTableFile(_fetched(source, connection, statement), source)
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
            listed = connection.execute(_DUCKDB_TABLES).fetchall()
            known = {
                n if s == "main" else f"{s}.{n}": f"{_quoted(s)}.{_quoted(n)}" for s, n in listed
            }
            statement = _statement(source, options, known)
            if len(connection.extract_statements(statement)) > 1:
                raise DataError(f"{source}: --query holds several statements; it is one select.")
            found = connection.sql(statement)
            if found is None:
                raise DataError(f"{source}: --query returns no rows; it must be a select.")
            reader = (getattr(found, "to_arrow_reader", None) or found.fetch_arrow_reader)(_FETCHED)
            spool = Spool(reader.schema)
            try:
                for batch in reader:
                    spool.add(batch)
                return ArrowTableFile(spool.table(), source)
            finally:
                spool.discard()
        finally:
            connection.close()
    except duckdb.Error as error:
        raise _refused(source, options, error) from None


READERS: dict[str, Callable[[Path, str, ReadOptions], ArrowTableFile]] = {
    "sqlite": read_sqlite,
    "duckdb": read_duckdb,
}


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _statement(source: str, options: ReadOptions, known: Mapping[str, str]) -> str:
    """Return the query, or that of all rows of a table; `known` are the tables, and as SQL."""
    if options.query is not None:
        return options.query
    if options.table is None and len(known) != 1:
        listed = ", ".join(islice(known, 12)) or "none"
        raise DataError(
            f"{source}: it holds {len(known)} tables ({listed}). Name one with --table, or choose "
            "rows with --query."
        )
    name = options.table if options.table is not None else next(iter(known))
    if name.startswith("main.") and name not in known:
        name = name.removeprefix("main.")
    if name not in known:
        raise DataError(f"{source}: no table is named {name!r}. There are: {', '.join(known)}.")
    return f"select * from {known[name]}"


def _fetched(source: str, connection: sqlite3.Connection, statement: str) -> Any:  # noqa: ANN401 - pyarrow ships no types
    """Return the rows of a statement, which is run again to tell types if the first do not."""
    rows = connection.execute(statement)
    if rows.description is None:
        raise DataError(f"{source}: --query returns no rows; it must be a select.")
    names = [entry[0] for entry in rows.description]
    first = _columns(names, rows.fetchmany(_FETCHED))
    kinds = [kind_of([column]) for column in first]
    found = _spooled(names, kinds, chain([first], _parts(names, rows)))
    if found is not None:
        return found
    seen: list[list[Any]] = [[] for _ in names]  # one value of each kind, or number too large
    for part in _parts(names, connection.execute(statement)):
        for column, cells in zip(seen, part, strict=True):
            for cell in {(type(c), _is_long(c)): c for c in cells}.values():
                if not any(_is_like(cell, other) for other in column):
                    column.append(cell)
    kinds = [kind_of([column]) for column in seen]
    found = _spooled(names, kinds, _parts(names, connection.execute(statement)), is_known=True)
    if found is None:
        raise DataError(f"{source}: the query returns other rows each time. Add an order by.")
    return found


def _spooled(
    names: list[str],
    kinds: list[Any],
    parts: Iterable[list[list[Any]]],
    *,
    is_known: bool = False,
) -> Any:  # noqa: ANN401
    """Return the rows of columns of given types; None where a part shows that one has another.

    Types that are known are those of all rows: strings, then, hold numbers too.
    """
    spool = Spool(pa.schema(list(zip(names, kinds, strict=True))))
    try:
        for part in parts:
            for column, kind in zip(part, kinds, strict=True):
                here = kind_of([column])
                if not (_holds(kind, here) or (is_known and pa.types.is_string(kind))):
                    return None
            columns = [as_kind(c, kind) for c, kind in zip(part, kinds, strict=True)]
            spool.add(pa.RecordBatch.from_arrays(columns, schema=spool.schema))
        return spool.table()
    finally:
        spool.discard()


def _holds(kind: Any, other: Any) -> bool:  # noqa: ANN401
    """Tell whether a column of a type holds values of another, as it does in one piece."""
    is_wider = pa.types.is_float64(kind) and pa.types.is_int64(other)
    return bool(is_wider or pa.types.is_null(other) or kind == other)


def _parts(names: list[str], rows: sqlite3.Cursor) -> Iterator[list[list[Any]]]:
    while some := rows.fetchmany(_FETCHED):
        yield _columns(names, some)


def _columns(names: list[str], rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(cells) for cells in zip(*rows, strict=True)] if rows else [[] for _ in names]


def _is_long(cell: Any) -> bool:  # noqa: ANN401
    return isinstance(cell, int) and not -(2**63) <= cell < 2**63


def _is_like(cell: Any, other: Any) -> bool:  # noqa: ANN401
    return type(cell) is type(other) and _is_long(cell) == _is_long(other)


def _refused(source: str, options: ReadOptions, error: Exception) -> DataError:
    said = str(error).splitlines()[0]
    asked = " The file is opened for reading only; --query is one select." if options.query else ""
    return DataError(f"{source}: the database refuses ({said}).{asked}")
