"""Rows of a prediction outside the numbers that the fit saw, counted by column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.formulas.parsing import is_name
from chainrule.tables.records import ColumnRecord
from chainrule.tables.table import NumberColumn, Table

_MOST_COLUMNS: Final = 6


@dataclass
class _Outside:
    """The rows outside the range of one column."""

    low: float
    high: float
    n_rows: int = 0
    least: float = np.inf
    most: float = -np.inf

    def add(self, column: NumberColumn) -> None:
        values = column.values[(column.values < self.low) | (column.values > self.high)]
        if len(values):
            self.n_rows += len(values)
            self.least = min(self.least, float(values.min()))
            self.most = max(self.most, float(values.max()))


class Extrapolation:
    """Counts rows outside the range of the fit, part by part.

    Parameters
    ----------
    model : ColumnRecord
        Of a file without ranges, the ends of splines count alone.
    """

    def __init__(self, model: ColumnRecord) -> None:
        self._splines = _splines(model)
        ranges: Mapping[str, tuple[float, float]]
        if model.trained_on is None:
            ranges = {name: ends for name, (_, ends) in self._splines.items() if ends is not None}
        else:
            ranges = model.trained_on.ranges
        self._columns = {name: _Outside(*ends) for name, ends in ranges.items()}
        self._n_rows = 0

    def add(self, table: Table) -> None:
        """Count the rows of a table."""
        self._n_rows += table.n_rows
        for name, outside in self._columns.items():
            column = table.columns.get(name)
            if isinstance(column, NumberColumn):
                outside.add(column)

    @property
    def note(self) -> str:
        """One sentence on all columns; empty where no row is outside."""
        found = {name: outside for name, outside in self._columns.items() if outside.n_rows}
        if not found:
            return ""
        order = sorted(found, key=lambda name: -found[name].n_rows)
        parts = [self._said(name, found[name]) for name in order[:_MOST_COLUMNS]]
        if len(order) > _MOST_COLUMNS:
            parts.append(f"{len(order) - _MOST_COLUMNS} more columns")
        curves = [self._splines[name][0] for name in order if name in self._splines]
        beyond = f" Beyond its knots {curves[0]} continues a polynomial." if curves else ""
        if len(curves) > 1:
            beyond = f" Beyond their knots {', '.join(curves)} continue polynomials."
        return (
            "predictions are extrapolated where a number is outside the range of the fit, of "
            f"{self._n_rows} rows: {'; '.join(parts)}.{beyond}"
        )

    def _said(self, name: str, outside: _Outside) -> str:
        reached = [f"{outside.least:g}"] if outside.least < outside.low else []
        reached += [f"{outside.most:g}"] if outside.most > outside.high else []
        return (
            f"{name} in {outside.n_rows} (to {' and '.join(reached)}; the fit saw "
            f"{outside.low:g} to {outside.high:g})"
        )


def _splines(model: ColumnRecord) -> dict[str, tuple[str, tuple[float, float] | None]]:
    """Return the spline of each column that has one; its ends where it is of the column itself."""
    found: dict[str, tuple[str, tuple[float, float] | None]] = {}
    for factor in () if model.formula is None else model.formula.factors:
        if factor.kind == "splines":
            argument = factor.text.partition("(")[2].partition(",")[0].rstrip(") ").strip()
            ends = (factor.numbers[0], factor.numbers[-1]) if is_name(argument) else None
            for name in factor.columns:
                found[name] = factor.text, ends
    return found
