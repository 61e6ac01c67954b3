"""Errors of text files: a second, slow read that locates what the fast reader rejects."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from chainrule.errors import DataError
from chainrule.tables.cells import NumberStyle, is_number
from chainrule.tables.files.compression import DAMAGE, open_bytes
from chainrule.tables.files.dialect import Dialect
from chainrule.tables.files.errors import not_a_number, unreadable


def diagnose(
    path: Path,
    dialect: Dialect,
    numbers: Mapping[str, NumberStyle] | None = None,
    missing: Collection[str] = (),
) -> DataError | None:
    """Return the error of the first row that does not fit the table.

    Parameters
    ----------
    path : Path
        A text file with a header.
    dialect : Dialect
        How it is written.
    numbers : mapping of str to NumberStyle, optional
        The columns that must hold numbers, and how these are written.
    missing : collection of str
        The words that mean "no value".

    Returns
    -------
    DataError or None
        The sentence for the user; None when every row is sound.
    """
    row = 0
    try:
        _decompress(path)
        with open_bytes(path) as file:
            text = io.TextIOWrapper(file, encoding=_plain(dialect.encoding), newline="")
            for _ in range(dialect.skipped):
                text.readline()
            cells_of_rows = csv.reader(text, delimiter=dialect.separator, strict=True)
            header = next(cells_of_rows, [])
            names = header if dialect.header else list(dialect.names)
            watched = [
                (place, name, numbers[name])
                for place, name in enumerate(names)
                if numbers and name in numbers
            ]
            for row, cells in _numbered(cells_of_rows):
                if len(cells) != len(names) and cells[0].startswith("#"):
                    continue
                fault = _fault(path, names, row, cells, watched, missing, more=cells_of_rows)
                if fault is not None:
                    return fault
    except UnicodeDecodeError as error:
        return _not_encoded(path, dialect.encoding, error)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return DataError(
                f"{path}: the file is cut short: a quotation mark opened in row {row + 1} never "
                "closes. Fetch or write the file again, or close the quotation."
            )
        return DataError(f"{path}: row {row + 1} cannot be read ({error}). Correct that row.")
    except DAMAGE as error:
        return unreadable(path, error)
    return None


def _plain(encoding: str) -> str:
    return "utf-8-sig" if encoding == "utf-8" else encoding


def _decompress(path: Path) -> None:
    """Read a file to its end, which checks the checksum of a compressed one."""
    with open_bytes(path) as file:
        while file.read(1 << 20):
            pass


def _numbered(rows: Iterator[list[str]]) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with their numbers from 1; blank lines do not count."""
    row = 0
    for cells in rows:
        if cells:
            row += 1
            yield row, cells


def _fault(
    path: Path,
    header: list[str],
    row: int,
    cells: list[str],
    watched: list[tuple[int, str, NumberStyle]],
    missing: Collection[str],
    more: Iterator[list[str]],
) -> DataError | None:
    if len(cells) != len(header):
        width = f"{len(cells)} {'cell' if len(cells) == 1 else 'cells'}"
        if len(cells) < len(header) and not any(more):
            return DataError(
                f"{path}: the file is cut short: its last row, row {row}, has {width} where the "
                f"header has {len(header)}. Fetch or write the file again, or remove that row."
            )
        return DataError(
            f"{path}: row {row} has {width} where the header has {len(header)}. "
            "Correct that row (a text that holds the separator needs quotation marks)."
        )
    for place, name, style in watched:
        word = cells[place]
        if word in missing or (style.is_plain and is_number(word)):
            continue
        if style.number(word) is None:
            return not_a_number(str(path), name, row, word, style)
    return None


def _not_encoded(path: Path, encoding: str, error: UnicodeDecodeError) -> DataError:
    if encoding.startswith("utf-8"):
        with open_bytes(path) as file:
            for number, line in enumerate(file, start=1):
                try:
                    line.decode("utf-8")
                except UnicodeDecodeError as here:
                    byte = line[here.start]
                    return DataError(
                        f"{path}: line {number} is not UTF-8 text (byte 0x{byte:02x}). Save the "
                        "file as UTF-8, or name its encoding: --encoding latin-1."
                    )
    return DataError(
        f"{path}: the file is not {encoding} text ({error.reason}). Name its encoding: --encoding."
    )
