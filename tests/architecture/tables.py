"""The table of tables: every kind of row in the product, and an outside oracle for each row.

A table lists its rows as the product has them, not as a test remembers them, so a new row appears
here by itself; without an oracle it fails `test_tables`. An oracle is called with the row and
returns what is wrong, or nothing. It compares with something that is not the row: a formula written
down again with NumPy or SciPy, a parser of another library, an answer worked out by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Oracle = Callable[[Any], str]
"""``oracle(row)``: what is wrong with a row, or an empty string."""


@dataclass(frozen=True)
class Table:
    """One kind of row.

    Parameters
    ----------
    kind : str
        What its rows are, in the singular.
    rows : callable
        The rows by name, enumerated from the product.
    oracle : callable
        Gives the oracle of the row of a name, or nothing where none is registered.
    """

    kind: str
    rows: Callable[[], Mapping[str, Any]]
    oracle: Callable[[str], Oracle | None]

    def complaint(self, name: str, row: object) -> str:
        """Return what is wrong with a row: it has no oracle, raises, or differs from it."""
        oracle = self.oracle(name)
        if oracle is None:
            return f"{self.kind} {name}: no outside oracle is registered"
        try:
            wrong = oracle(row)
        except Exception as error:
            return f"{self.kind} {name}: {type(error).__name__}: {error}"
        return f"{self.kind} {name}: {wrong}" if wrong else ""


def complaints(table: Table, rows: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with some rows of a table."""
    for name, row in rows.items():
        if wrong := table.complaint(name, row):
            yield wrong
