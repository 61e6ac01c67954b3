"""Errors of files: what the operating system refuses, and strings in numeric columns."""

from __future__ import annotations

import lzma
import zlib
from pathlib import Path

from chainrule.errors import DataError
from chainrule.tables.cells import NumberStyle


def unreadable(path: Path, error: BaseException) -> DataError:
    """Return the error for a file that the operating system cannot read."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: there is no such file. Check the path.")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: this is a folder. Name one file in it.")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: no permission to read it. Change its permissions.")
    if isinstance(error, DataError):
        return error
    if isinstance(error, EOFError | zlib.error | lzma.LZMAError):
        return DataError(f"{path}: the compressed file is cut short. Fetch or write it again.")
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(f"{path}: the file cannot be read ({said}). Fetch or write it again.")


def not_a_number(
    source: str, name: str, row: int, word: str, style: NumberStyle | None = None
) -> DataError:
    """Return the error for a string in a numeric column."""
    written = f" ({style})" if style is not None and not style.is_plain else ""
    return DataError(
        f"{source}: column {name!r} holds numbers{written}, but row {row} says {word!r}. Correct "
        "that cell, or leave it empty if the value is missing."
    )
