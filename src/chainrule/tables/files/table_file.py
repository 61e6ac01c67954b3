"""The interface of a file that holds a table."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from chainrule.tables.cells import NumberStyle

ArrowTable = Any


class TableFile(ABC):
    """A table on disk: its column names, and its rows as Arrow columns.

    Attributes
    ----------
    source : str
        The file, for messages.
    notes : list of str
        What was found out about the file, in sentences for the user.
    styles : dict of str to NumberStyle
        Numeric columns that are not written as programs write numbers; found while reading.
    decimal : str
        The decimal mark of the file.
    codes : collection of str
        Columns of digits that are text.
    """

    source: str
    notes: list[str]
    decimal: str = "."
    codes: Collection[str] = ()
    styled: Collection[str] = ()

    @abstractmethod
    def names(self) -> list[str]:
        """Return the column names, distinct and not empty."""

    @abstractmethod
    def read(self, names: Sequence[str], texts: Collection[str]) -> ArrowTable:
        """Return whole columns; those in `texts` as strings, byte for byte."""

    @abstractmethod
    def batches(
        self, names: Sequence[str], texts: Collection[str], numbers: Collection[str]
    ) -> Iterator[ArrowTable]:
        """Yield the rows in order, in bounded memory; `numbers` as numbers, `texts` as strings."""

    @abstractmethod
    def explain(
        self, error: BaseException, numbers: Mapping[str, NumberStyle] | None = None
    ) -> Exception:
        """Return the located error for what reading raised."""
