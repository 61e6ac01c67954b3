"""Errors of text files: a second, slow read that locates what the fast reader rejects."""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from chainrule.errors import DataError

MISSING_WORDS = ("", "NA", "N/A", "#N/A", "NaN", "nan", "null", "NULL")
"""Cells that mean "no value", in any column."""

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}


def is_number(word: str) -> bool:
    """Whether a string is a number.

    >>> is_number(" 1e3 "), is_number("1,5"), is_number("1_000")
    (True, False, False)
    """
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def open_bytes(path: Path) -> BinaryIO:
    """Open a text file, through gzip by its extension."""
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.open(path, "rb"))
    return path.open("rb")


def sniff_separator(path: Path) -> str:
    """Return the separator that the header uses most; a comma when it uses none.

    Raises
    ------
    DataError
        When the file is empty.
    """
    try:
        with open_bytes(path) as file:
            header = file.readline(1 << 20)
    except (OSError, EOFError, zlib.error) as error:
        raise unreadable(path, error) from None
    if not header.strip(b"\xef\xbb\xbf \r\n\t"):
        raise DataError(
            f"{path}: the file is empty. A table starts with one line of column names, "
            "followed by one line for each row."
        )
    return max(SEPARATORS, key=lambda mark: (header.count(mark.encode()), mark == ","))


def unreadable(path: Path, error: BaseException) -> DataError:
    """Return the error for a file that the operating system cannot read."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path}: there is no such file. Check the path.")
    if isinstance(error, IsADirectoryError):
        return DataError(f"{path}: this is a folder. Name one file in it.")
    if isinstance(error, PermissionError):
        return DataError(f"{path}: no permission to read it. Change its permissions.")
    if isinstance(error, EOFError):
        return DataError(f"{path}: the compressed file is cut short. Fetch or write it again.")
    said = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DataError(f"{path}: the file cannot be read ({said}). Fetch or write it again.")


def diagnose(path: Path, separator: str, numbers: Collection[str] = ()) -> DataError | None:
    """Return the error of the first row that does not fit the table.

    Parameters
    ----------
    path : Path
        A text file with a header.
    separator : str
        What stands between two cells.
    numbers : collection of str
        The columns that must hold numbers.

    Returns
    -------
    DataError or None
        The sentence for the user; None when every row is sound.
    """
    row = 0
    try:
        _decompress(path)
        with open_bytes(path) as file:
            text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
            cells_of_rows = csv.reader(text, delimiter=separator, strict=True)
            header = next(cells_of_rows, [])
            watched = [(place, name) for place, name in enumerate(header) if name in numbers]
            for row, cells in _numbered(cells_of_rows):
                fault = _fault(path, header, row, cells, watched, more=cells_of_rows)
                if fault is not None:
                    return fault
    except UnicodeDecodeError as error:
        return _not_utf8(path, error)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return DataError(
                f"{path}: the file is cut short: a quotation mark opened in row {row + 1} never "
                "closes. Fetch or write the file again, or close the quotation."
            )
        return DataError(f"{path}: row {row + 1} cannot be read ({error}). Correct that row.")
    except (OSError, EOFError, zlib.error) as error:
        return unreadable(path, error)
    return None


def _decompress(path: Path) -> None:
    """Read a compressed file to its checksum, which detects damaged bytes."""
    if path.suffix == ".gz":
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
    watched: list[tuple[int, str]],
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
    for place, name in watched:
        word = cells[place]
        if word not in MISSING_WORDS and not is_number(word):
            return not_a_number(str(path), name, row, word)
    return None


def not_a_number(source: str, name: str, row: int, word: str) -> DataError:
    """Return the error for a string in a numeric column."""
    return DataError(
        f"{source}: column {name!r} holds numbers, but row {row} says {word!r}. Correct that "
        "cell, or leave it empty if the value is missing."
    )


def _not_utf8(path: Path, error: UnicodeDecodeError) -> DataError:
    with open_bytes(path) as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as here:
                byte = line[here.start]
                return DataError(
                    f"{path}: line {number} is not UTF-8 text (byte 0x{byte:02x}). Save the file "
                    "as UTF-8; spreadsheets call it 'CSV UTF-8'."
                )
    return DataError(f"{path}: the file is not UTF-8 text ({error.reason}). Save it as UTF-8.")
