"""How a text file is written: encoding, separator, title lines, header, decimal mark."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chainrule.errors import DataError
from chainrule.tables.cells import MISSING_WORDS, find_style, is_number
from chainrule.tables.files.compression import DAMAGE, open_bytes
from chainrule.tables.files.errors import unreadable
from chainrule.tables.files.options import ReadOptions

SEPARATORS: Final = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "vertical bar",
    "^": "caret",
    "~": "tilde",
}

_SAMPLE_BYTES: Final = 1 << 18
_SAMPLE_LINES: Final = 2000
_LEAST_LINES: Final = 4
_LONGEST_SAMPLE: Final = 1 << 26
_LINES_OF_TWO_ROWS: Final = 50
"""Cells with line breaks included."""
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ROW_NAME: Final = "(row name)"
_HEXADECIMAL: Final = re.compile(r"\s*[-+]?0[xX]")
_PLAIN: Final = {mark: re.compile(rf"[-+0-9{re.escape(mark)}eE]*") for mark in ".,"}


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Parameters
    ----------
    separator, encoding, decimal : str
    skipped : int
        The lines before the header: titles, comments, ``sep=;``.
    names : tuple of str
        The column names.
    header : bool
        Whether pyarrow reads the names as they are; otherwise it is told them, as where the first
        column has none.
    codes : tuple of str
        Columns of digits with leading zeros, which are text.
    styled : tuple of str
        Columns of numbers that are not written as programs write them, or that pyarrow would take
        for numbers, as ``0x1F``: they are read as strings.
    notes : tuple of str
        What was found out, in sentences for the user.
    """

    separator: str = ","
    encoding: str = "utf-8"
    decimal: str = "."
    skipped: int = 0
    names: tuple[str, ...] = ()
    header: bool = True
    codes: tuple[str, ...] = ()
    styled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def sniff(path: Path, options: ReadOptions) -> Dialect:
    """Find out how a text file is written, from its first lines.

    Raises
    ------
    DataError
        When the file is empty or is not text.
    """
    try:
        with open_bytes(path) as file:
            sample = file.read(_SAMPLE_BYTES)
            while sample.count(b"\n") < _LEAST_LINES and len(sample) < _LONGEST_SAMPLE:
                more = file.read(len(sample))  # a wide table has long lines
                sample += more
                if not more:
                    break
            whole = not file.read(1)
    except DAMAGE as error:
        raise unreadable(path, error) from None
    encoding = options.encoding or _encoding(path, sample)
    lines = _lines(path, sample, encoding, whole=whole)
    notes = []
    if encoding not in ("utf-8", "utf-8-sig") and options.encoding is None:
        notes.append(f"the file is read as {encoding}; another encoding is set by --encoding.")
    separator, skipped, rows = _layout(path, lines, options.separator)
    _refuse_open_quote(path, lines[skipped:], separator)
    titles = [line for line in lines[:skipped] if line.strip()]
    if titles and not titles[0].lower().startswith("sep="):
        notes.append(
            f"{len(titles)} line{'s' * (len(titles) > 1)} before the header left out "
            f"({_shortened(titles[0])})."
        )
    names, body = rows[0], [row for row in rows[1:] if row]
    header = not (body and all(len(row) == len(names) + 1 for row in body))
    if not header:
        names = [_ROW_NAME, *names]
    elif names and not names[0].strip():
        names = [_ROW_NAME, *names[1:]]
    if names[0] == _ROW_NAME:
        notes.append("the first column has no name, as a row number or row name: left out.")
    header = header and not sample.startswith(2 * codecs.BOM_UTF8)  # pyarrow drops one
    columns = [[row[k] for row in body if len(row) == len(names)] for k in range(len(names))]
    decimal = options.decimal or _decimal(columns, separator)
    if decimal == "," and options.decimal is None:
        notes.append("numbers are read with a decimal comma; --decimal . sets a point.")
    codes = tuple(name for name, cells in zip(names, columns, strict=True) if _are_codes(cells))
    styled = tuple(
        name
        for name, cells in zip(names, columns, strict=True)
        if name not in codes and _is_styled(cells, decimal)
    )
    return Dialect(
        separator, encoding, decimal, skipped, tuple(names), header, codes, styled, tuple(notes)
    )


def _encoding(path: Path, sample: bytes) -> str:
    for mark, name in _BYTE_ORDER_MARKS:
        if sample.startswith(mark):
            return name
    if sample[:400].count(0) > len(sample[:400]) // 4:
        return "utf-16-le" if sample[1:2] == b"\x00" else "utf-16-be"
    if b"\x00" in sample:
        raise DataError(f"{path}: this is not a text file. Name a table, such as a .csv file.")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    text = sample.decode("latin-1")
    if sum(ord(letter) < 32 and letter not in "\t\r\n\f" for letter in text) > len(text) / 100:
        raise DataError(f"{path}: this is not a text file. Name a table, such as a .csv file.")
    try:
        codecs.getincrementaldecoder("cp1252")().decode(sample)
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def _lines(path: Path, sample: bytes, encoding: str, *, whole: bool) -> list[str]:
    """Return the first lines, without what is cut at the end of the sample."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample, final=whole)
    except UnicodeError as error:  # UTF-16 and UTF-32 raise it for a missing mark
        said = "no byte order mark"
        if isinstance(error, UnicodeDecodeError):
            said = f"{error.reason} at byte {error.start}"
        raise DataError(
            f"{path}: the file is not {encoding} text ({said}). Omit --encoding to let it be "
            "found, or name another."
        ) from None
    text = text.lstrip("\ufeff")  # twice, of files that were joined
    if not text.strip():
        raise DataError(
            f"{path}: the file is empty. A table starts with one line of column names, followed by "
            "one line for each row."
        )
    lines = re.split(r"\r\n|\n|\r", text)
    if not whole and len(lines) > 1:
        lines.pop()
    return lines[:_SAMPLE_LINES]


def _layout(
    path: Path, lines: list[str], separator: str | None
) -> tuple[str, int, list[list[str]]]:
    """Return the separator, the number of lines before the header, and the rows from there on."""
    told = re.fullmatch(r"\s*\"?sep=(.)\"?\s*", lines[0], re.IGNORECASE)
    first = 1 if told else 0
    if told and separator is None:
        separator = told[1]
    while first < len(lines) - 1 and (not lines[first].strip() or _is_comment(lines, first)):
        first += 1
    text = "".join(lines[first:])
    # A comma is the separator of a file of one column, too, without any.
    candidates = [mark for mark in SEPARATORS if mark == "," or mark in text]
    if separator:
        candidates = [separator]
    found = [_tried(lines, first, mark) for mark in candidates]
    best = max(found, key=lambda tried: tried[0])
    return best[1], best[2], best[3]


def _is_comment(lines: list[str], place: int) -> bool:
    """Whether a line is a comment; ``#id,age`` before a line with as many cells is a header."""
    line = lines[place].strip()
    if not line.startswith("#"):
        return False
    after = lines[place + 1]
    if after.startswith("#") or re.match(r"#+\s", line):
        return True
    some = lines[place : place + _LINES_OF_TWO_ROWS]
    tables = [_parsed(some, mark) for mark in SEPARATORS]
    return not any(len(rows) > 1 and len(rows[0]) == len(rows[1]) > 1 for rows in tables)


_Tried = tuple[tuple[float, ...], str, int, list[list[str]]]


def _tried(lines: list[str], first: int, separator: str) -> _Tried:
    """Return how well a separator fits, with the place of the header and the rows."""
    rows = _parsed(lines[first:], separator)
    widths = Counter(len(row) for row in rows[1:] if row) or Counter([len(rows[0])])
    width, n_common = max(widths.items(), key=lambda item: (item[1], item[0]))
    share = n_common / sum(widths.values())
    skipped = first
    if width > 1:
        while len(rows) > 2 and (_is_title(rows[0], width) or _header_follows(rows, width)):
            skipped += 1
            rows = _parsed(lines[skipped:], separator)
    fits = len(rows[0]) in (width, width - 1) and width > 1
    several = float(width > 1 or separator == ",")
    score = (float(fits and share > 0.7), -float(skipped), several * share, float(width))
    return score, separator, skipped, rows


def _is_title(row: list[str], width: int) -> bool:
    """Whether a line before the header is a title: one cell alone where the rows have several."""
    n_filled = sum(bool(cell.strip()) for cell in row)
    return n_filled <= 1 and (len(row) < width or width > 2)


def _header_follows(rows: list[list[str]], width: int) -> bool:
    """Whether a short first line stands before a header: a line of names, above numbers."""
    names, below = rows[1], [row for row in rows[2:] if len(row) == width]
    if len(rows[0]) >= width or len(names) != width or not below:
        return False
    if any(is_number(name) or not name.strip() for name in names[1:]):
        return False
    return any(all(is_number(row[k]) for row in below) for k in range(width))


def _parsed(lines: Sequence[str], separator: str) -> list[list[str]]:
    rows: list[list[str]] = []
    reader = csv.reader((line + "\n" for line in lines), delimiter=separator)
    with suppress(csv.Error):  # the full read names the place
        rows.extend(reader)
    return rows or [[""]]


def _refuse_open_quote(path: Path, lines: Sequence[str], separator: str) -> None:
    """Raise where a quoted cell spans lines, and letters follow the quotation mark that ends it.

    Then a quotation mark has opened that never closes, and the next one was taken for its end.
    """
    reader = csv.reader((line + "\n" for line in lines), delimiter=separator, strict=True)
    row, before = -1, 0
    try:
        for cells in reader:
            row, before = row + bool(cells), reader.line_num
    except csv.Error as error:
        if "expected after" in str(error) and reader.line_num > before + 1:
            raise DataError(
                f"{path}: a quotation mark opened in row {row + 1} does not close in its line. "
                "Close the quotation, or double a mark that is part of the text."
            ) from None


def _decimal(columns: list[list[str]], separator: str) -> str:
    """Return the decimal mark that the columns of a sample use."""
    for cells in columns:
        if not any("," in cell for cell in cells):
            continue
        found = find_style(cell for cell in cells if cell not in MISSING_WORDS)
        sure = found is not None and found.other is None
        if found is not None and sure and found.style.decimal == ",":
            return ","
        if separator == ";" and found is not None and found.other is not None:
            return ","
    return "."


def _are_codes(cells: list[str]) -> bool:
    """Whether these are digits of which some start with a zero, as postal codes do."""
    if not any(cell.startswith("0") for cell in cells):
        return False
    digits = [cell for cell in cells if cell not in MISSING_WORDS]
    if not digits or not all(re.fullmatch(r"\d+", cell) for cell in digits):
        return False
    return any(len(cell) > 1 and cell.startswith("0") for cell in digits)


def _is_styled(cells: list[str], decimal: str) -> bool:
    if _PLAIN[decimal].fullmatch("".join(cells)):
        return False
    found = find_style((c for c in cells if c not in MISSING_WORDS), decimal=decimal)
    if found is None:
        return any(map(_HEXADECIMAL.match, cells))
    style = found.style
    return bool(style.thousands or style.percent or style.currency or style.decimal != decimal)


def _shortened(line: str) -> str:
    text = line.strip()
    return repr(text if len(text) <= 40 else text[:39] + "…")
