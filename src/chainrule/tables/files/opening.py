"""From what the user names to a file that can be read: kinds, folders, patterns, standard input."""

from __future__ import annotations

import atexit
import glob
import os
import sys
import tempfile
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Final

from chainrule.errors import DataError
from chainrule.storage import byte_budget, check_regular, refuse_size
from chainrule.tables.files.arrow_files import (
    STREAM_MAGIC,
    JsonLinesFile,
    ParquetFile,
    read_feather,
)
from chainrule.tables.files.compression import DAMAGE, inner_name, open_bytes
from chainrule.tables.files.delimited import DelimitedFile
from chainrule.tables.files.errors import unreadable
from chainrule.tables.files.options import AS_FOUND, ReadOptions
from chainrule.tables.files.parts import PartedFile
from chainrule.tables.files.table_file import TableFile

STANDARD_INPUT: Final = "-"

_KINDS: Final = {
    "text": (".csv", ".tsv", ".txt", ".psv", ".tab", ".dat", ".data"),
    "parquet": (".parquet", ".pq"),
    "feather": (".feather", ".arrow", ".arrows", ".ipc"),
    "json": (".jsonl", ".ndjson"),
    "workbook": (".xlsx", ".xlsm"),
    "sqlite": (".sqlite", ".sqlite3", ".db"),
    "duckdb": (".duckdb", ".ddb"),
}
_MAGIC: Final = {
    b"PAR1": "parquet",
    b"ARROW1": "feather",
    b"FEA1": "feather",
    STREAM_MAGIC: "feather",
    b"SQLite format 3\x00": "sqlite",
    b"{": "json",
}
_CHUNK: Final = 1 << 20


def open_table(
    path: str | Path, options: ReadOptions = AS_FOUND, missing: Collection[str] = ()
) -> TableFile:
    """Open what the user names as a table.

    Parameters
    ----------
    path : str or Path
        A file of any kind that chainrule reads, a folder or a pattern of parts, or ``-`` for the
        standard input.
    options : ReadOptions
    missing : collection of str
        The words that mean "no value" in numeric columns.

    Raises
    ------
    DataError
        When there is no such file, or nothing tells how to read it.
    """
    if str(path) == STANDARD_INPUT:
        return _open_file(_spooled(), options, missing, "standard input")
    if not str(path):  # Path("") is the folder where the command runs
        raise DataError("the name of the file is empty. Name a file, a folder or a pattern.")
    path = Path(path)
    try:
        files = files_of(path)
        if files != [path]:
            return _open_parts(str(path), files, options, missing)
        return _open_file(path, options, missing, str(path))
    except DAMAGE as error:
        raise unreadable(path, error) from None


def files_of(path: str | Path) -> list[Path]:
    """Return the files that a table is read from: those of a folder or of a pattern, or the one."""
    path = _spooled() if str(path) == STANDARD_INPUT else Path(path)
    if path.is_dir():
        return _in_folder(path)
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    found = sorted(map(Path, glob.glob(str(path), recursive=True)))
    files = [part for part in found if part.is_file()]
    if not path.name.startswith("_"):
        files = [part for part in files if not _is_mark(part)]
    if not files:
        raise DataError(f"{path}: no file matches this pattern. Check it.")
    return files


def _open_file(
    path: Path, options: ReadOptions, missing: Collection[str], source: str
) -> TableFile:
    check_regular(path)
    kind = _kind(path, source)
    if options.query is not None and kind not in ("sqlite", "duckdb"):
        raise DataError(f"{source}: --query is for SQLite and DuckDB files. Omit it.")
    if options.table is not None and kind not in ("sqlite", "duckdb", "workbook"):
        raise DataError(f"{source}: --table is for databases and workbooks. Omit it.")
    if kind == "text":
        return DelimitedFile(path, options, missing, source)
    if kind == "parquet":
        return ParquetFile(path, source)
    if kind == "feather":
        return read_feather(path, source)
    if kind == "json":
        return JsonLinesFile(path, source)
    if kind == "workbook":
        from chainrule.tables.files.workbook import read_workbook

        return read_workbook(path, source, options.table)
    from chainrule.tables.files.database import READERS

    return READERS[kind](path, source, options)


def _kind(path: Path, source: str) -> str:
    """Return the kind of a file, by its name, or else by its first bytes."""
    name = inner_name(path).lower()
    for kind, endings in _KINDS.items():
        if name.endswith(endings):
            if kind in ("sqlite", "duckdb") and path.suffix.lower() == ".db":
                return "sqlite" if _starts(path, b"SQLite format 3") else "duckdb"
            if kind != "text" and kind != "json" and name != path.name.lower():
                raise DataError(f"{source}: unpack it first; a {kind} file is compressed already.")
            return kind
    if path.stat().st_size == 0:
        raise DataError(
            f"{source}: the file is empty. A table starts with one line of column names, followed "
            "by one line for each row."
        )
    with open_bytes(path) as file:
        start = file.read(16)
    for magic, kind in _MAGIC.items():
        if start.startswith(magic):
            return kind
    if start[8:12] == b"DUCK":
        return "duckdb"
    if start.startswith(b"PK\x03\x04"):
        return "workbook"
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[") and name.endswith(".json"):
        raise DataError(
            f"{source}: this is a JSON array. chainrule reads JSON lines, one object per line: in "
            "pandas, to_json(FILE, orient='records', lines=True); with jq, jq -c '.[]'."
        )
    if Path(name).suffix in ("", ".asc", ".out", ".log", ".part"):
        return "text"
    raise DataError(
        f"{source}: cannot tell what kind of file this is. chainrule reads .csv, .tsv, .txt, "
        ".jsonl (also .gz, .bz2, .xz, .zst, .zip), .parquet, .feather, .xlsx, .sqlite and .duckdb; "
        "rename or convert it."
    )


def _starts(path: Path, magic: bytes) -> bool:
    with path.open("rb") as file:
        return file.read(len(magic)) == magic


def _in_folder(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    parts = [path for path in files if not _is_mark(path)]
    if not parts:
        raise DataError(f"{folder}: this is a folder without a file. Name a file, or its folder.")
    return parts


def _is_mark(path: Path) -> bool:
    """Whether a file is a mark such as _SUCCESS or .crc, which writers leave beside the parts."""
    return path.name.startswith((".", "_"))


def _open_parts(
    source: str, files: list[Path], options: ReadOptions, missing: Collection[str]
) -> TableFile:
    parts = [_open_file(path, options, missing, str(path)) for path in files]
    return parts[0] if len(parts) == 1 else PartedFile(parts, source)


@cache
def _spooled() -> Path:
    """Return a file with all of the standard input, once: a table is read more than once."""
    if sys.stdin is None or sys.stdin.closed:
        raise DataError("standard input is closed: '-' reads a table from it. Name a file.")
    if sys.stdin.isatty():
        raise DataError(
            "standard input is a terminal: '-' reads a table from it, as in: chainrule fit - < DATA"
        )
    budget, n_bytes = byte_budget(), 0
    handle, name = tempfile.mkstemp(prefix="chainrule-", suffix=".part")
    atexit.register(_remove, name)
    with os.fdopen(handle, "wb") as file:
        while chunk := sys.stdin.buffer.read(_CHUNK):
            n_bytes += len(chunk)
            refuse_size("standard input", n_bytes, budget)
            file.write(chunk)
    return Path(name)


def _remove(name: str) -> None:
    Path(name).unlink(missing_ok=True)
