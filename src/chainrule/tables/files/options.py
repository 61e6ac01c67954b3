"""How a file is to be read, as far as the user has said it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chainrule.errors import DataError


@dataclass(frozen=True)
class ReadOptions:
    """Options for reading a file; everything else is detected and reported.

    Parameters
    ----------
    separator : str, optional
        What stands between two cells of a text file.
    encoding : str, optional
        The encoding of a text file.
    decimal : {".", ","}, optional
        The decimal mark of a text file.
    na : tuple of str, optional
        The words that mean "no value", beside the empty cell; by default NA, N/A, NaN, null.
    table : str, optional
        The table of a database, or the sheet of a workbook.
    query : str, optional
        The rows of a database, as one SQL query.
    """

    separator: str | None = None
    encoding: str | None = None
    decimal: str | None = None
    na: tuple[str, ...] | None = None
    table: str | None = None
    query: str | None = None

    def __post_init__(self) -> None:
        if self.separator is not None and len(self.separator) != 1:
            raise DataError(
                f"--separator is one character, such as ';' or a tab, not {self.separator!r}."
            )
        if self.encoding is not None:
            try:
                "".encode(self.encoding)
            except LookupError:
                raise DataError(
                    f"--encoding {self.encoding!r} is not an encoding that Python knows; common "
                    "ones are utf-8, utf-16, latin-1 and cp1252."
                ) from None
        if self.decimal not in (None, ".", ","):
            raise DataError(f"--decimal is '.' or ',', not {self.decimal!r}.")
        if self.table is not None and self.query is not None:
            raise DataError("--table and --query both choose rows; give one of them.")


AS_FOUND: Final = ReadOptions()
"""Nothing is said: everything is found out."""
