"""The offset of a fit: a column added to the score, and the logarithm of an exposure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.table import Table, TextColumn, refuse_infinite

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class OffsetColumns:
    """The columns that shift the score of each row by a known amount.

    Parameters
    ----------
    offset : str, optional
        Column added to the score as it is.
    exposure : str, optional
        Column of positive numbers whose logarithm is added: time at risk, area, population.
    """

    offset: str | None = None
    exposure: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, at most two."""
        return tuple(name for name in (self.offset, self.exposure) if name is not None)

    def of(self, table: Table, *, blank: bool = False) -> Floats:
        """Return what is added to the score of each row.

        Parameters
        ----------
        table : Table
        blank : bool
            Give NaN to rows whose offset is missing or whose exposure is not positive; otherwise
            they raise a `DataError` that names column and row.
        """
        total = np.zeros(table.n_rows)
        if self.offset is not None:
            total += self._numbers(table, self.offset, "offset", blank=blank)
        if self.exposure is not None:
            exposure = self._numbers(table, self.exposure, "exposure", blank=blank)
            low = exposure <= 0
            if low.any() and not blank:
                place = int(np.flatnonzero(low)[0])
                raise DataError(
                    f"{table.source}: the exposure {self.exposure!r}, row "
                    f"{table.row_numbers[place]}: {exposure[place]:g} is not above 0. Correct the "
                    "cell, or leave the row out: without exposure nothing can be counted."
                )
            total += np.log(np.where(low, np.nan, exposure))
        return total

    def _numbers(self, table: Table, name: str, role: str, *, blank: bool) -> Floats:
        column = table.column(name)
        if isinstance(column, TextColumn):
            raise DataError(
                f"{table.source}: the {role} {name!r} holds text. Choose a column of numbers."
            )
        refuse_infinite(table, column)
        if column.missing.any() and not blank:
            row = table.row_numbers[int(np.flatnonzero(column.missing)[0])]
            raise DataError(
                f"{table.source}: the {role} {name!r}, row {row}: the value is missing, and it "
                "cannot be filled in. Correct the cell, or leave the row out: --missing drop in a "
                "fit, --blank in a prediction."
            )
        return column.values
