"""Sheets of .xlsx workbooks, read and written; the only file that imports openpyxl."""

from __future__ import annotations

import itertools
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from chainrule.errors import DataError
from chainrule.storage import byte_budget, refuse_size
from chainrule.tables.files.arrow_files import ArrowTableFile
from chainrule.tables.files.values import arrow_column

_DAMAGE: Final = (
    *(zipfile.BadZipFile, zlib.error, SyntaxError, EOFError, NotImplementedError),
    *(LookupError, ValueError, TypeError, AttributeError),
)
"""What openpyxl raises for a damaged workbook: whatever its parsers run into."""


def read_workbook(path: Path, source: str, sheet: str | None) -> ArrowTableFile:
    """Read one sheet of a workbook, with the values that its formulas had when it was saved.

    Parameters
    ----------
    path : Path
    source : str
        The file, for messages.
    sheet : str, optional
        The name of the sheet; by default the first.

    Raises
    ------
    DataError
        When openpyxl is not installed, or the sheet holds no table.
    """
    try:
        import openpyxl
    except ImportError:
        raise DataError(
            f"{source}: reading .xlsx needs openpyxl. Install it with: pip install "
            "'chainrule[files]'; or save the sheet as CSV."
        ) from None
    try:
        with zipfile.ZipFile(path) as archive:
            refuse_size(source, sum(info.file_size for info in archive.infolist()), byte_budget())
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except _DAMAGE:
        raise _damaged(source) from None
    names = [sheet.title for sheet in book.worksheets]  # a page with a chart alone has no cells
    if not names:
        raise _damaged(source)
    if sheet is not None and sheet not in names:
        raise DataError(f"{source}: no sheet is named {sheet!r}. There are: {', '.join(names)}.")
    notes = []
    if sheet is None and len(names) > 1:
        notes.append(
            f"sheet {names[0]!r} of {len(names)} is read; another is named by --table: "
            f"{', '.join(names[1:6])}."
        )
    try:
        chosen = book[sheet or names[0]]
        chosen.reset_dimensions()
        found = chosen.iter_rows(values_only=True)
        rows = [row for row in found if any(v is not None for v in row)]
    except _DAMAGE:
        raise _damaged(source) from None
    finally:
        book.close()
    if not rows:
        raise DataError(f"{source}: the sheet is empty. Name another one with --table.")
    n_titles = _title_rows(rows)
    if n_titles:
        notes.append(f"{n_titles} row{'s' * (n_titles > 1)} before the header left out.")
    table = _table(rows[n_titles:])
    if any(column.null_count for column in table.columns):
        _refuse_unsaved_formulas(path, source, chosen.title)
    return ArrowTableFile(table, source, notes)


def _title_rows(rows: list[tuple[Any, ...]]) -> int:
    """Return how many rows before the header hold one cell, where all rows below hold more."""
    filled = [sum(value is not None for value in row) for row in rows]
    n_titles = next((k for k, n in enumerate(filled) if n > 1), 0)
    return n_titles if all(n > 1 for n in filled[n_titles:]) else 0


def _refuse_unsaved_formulas(path: Path, source: str, sheet: str) -> None:
    """Raise for a formula without a value: no program has worked it out.

    One whose value is an empty string has a value, of type 'str'.
    """
    import openpyxl

    books = [
        openpyxl.load_workbook(path, read_only=True, data_only=data_only)
        for data_only in (False, True)
    ]
    try:
        sheets = [book[sheet] for book in books]
        for chosen in sheets:
            chosen.reset_dimensions()
        for written, found in zip(*(chosen.iter_rows() for chosen in sheets), strict=False):
            for cell, value in zip(written, found, strict=False):
                if cell.data_type == "f" and value.value is None and value.data_type == "n":
                    raise DataError(
                        f"{source}: cell {cell.coordinate} holds a formula whose value was not "
                        "saved. Open the workbook in a spreadsheet program and save it, or write "
                        "the values."
                    )
    finally:
        for book in books:
            book.close()


MOST_ROWS: Final = 1_048_576
"""What a sheet holds, names included."""
_MOST_CHARACTERS: Final = 32_767


def write_workbook(
    path: Path, source: str, names: Sequence[str], rows: Iterable[Sequence[str | float | None]]
) -> None:
    """Write a workbook of one sheet: words, numbers and nothing.

    A word is never a formula, whatever it begins with.

    Parameters
    ----------
    path : Path
    source : str
        The file, for messages.
    names : sequence of str
    rows : iterable of sequences

    Raises
    ------
    DataError
        When openpyxl is not installed, the sheet is full, or a cell cannot hold a word.
    """
    try:
        import openpyxl
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils.exceptions import IllegalCharacterError
    except ImportError:
        raise DataError(
            f"{source}: writing .xlsx needs openpyxl. Install it with: pip install "
            "'chainrule[files]'; or name a .csv file."
        ) from None
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("predictions")

    def cell(value: str | float | None) -> Any:  # noqa: ANN401 - openpyxl ships no types
        if not isinstance(value, str):
            return value
        if len(value) > _MOST_CHARACTERS:
            raise IllegalCharacterError
        found = WriteOnlyCell(sheet, value=value)
        found.data_type = "s"
        return found

    number = 0
    try:
        for number, row in enumerate(itertools.chain([names], rows), 1):
            if number > MOST_ROWS:
                raise DataError(
                    f"{source}: a sheet holds {MOST_ROWS} rows, and there are more. Name a .csv or "
                    ".parquet file."
                )
            sheet.append([cell(value) for value in row])
        book.save(path)
    except IllegalCharacterError:
        raise DataError(
            f"{source}, row {number}: a cell of a sheet holds no control characters and at most "
            f"{_MOST_CHARACTERS} letters. Name a .csv or .parquet file."
        ) from None
    finally:
        if not sheet.closed:
            sheet.close()


def _damaged(source: str) -> DataError:
    return DataError(f"{source}: this is not an .xlsx workbook, or it is damaged. Save it again.")


def _table(rows: list[tuple[Any, ...]]) -> Any:  # noqa: ANN401 - pyarrow ships no types
    width = max(len(row) for row in rows)
    header = [*rows[0], *[None] * (width - len(rows[0]))]
    while (
        header
        and header[-1] is None
        and all(len(r) < len(header) or r[len(header) - 1] is None for r in rows)
    ):
        header.pop()
    names = ["" if name is None else str(name) for name in header]
    columns = [
        arrow_column([row[place] if place < len(row) else None for row in rows[1:]])
        for place in range(len(names))
    ]
    while len(names) > 1 and not names[0] and columns[0].null_count == len(rows) - 1:
        del names[0], columns[0]  # the table does not begin in column A
    return pa.Table.from_arrays(columns, names=names)
