"""The columns of a table at the rows of a fit, moved or set for marginal effects.

They are moved through formula and encoding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.raw_columns import RawColumns, Setting
from chainrule.formulas.design import Formula
from chainrule.tables.encoding import Matrix, encode
from chainrule.tables.formula import design_of
from chainrule.tables.own_units import in_units
from chainrule.tables.specs import CategorySpec, Spec
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn


@dataclass(frozen=True, eq=False)
class TableColumns(RawColumns):
    """The columns of a table that features are computed from.

    Parameters
    ----------
    table : Table
        The rows of a fit that count, as they were before they were encoded.
    specs : tuple of Spec
    formula : Formula or None
    """

    table: Table
    specs: tuple[Spec, ...]
    formula: Formula | None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of the formula, else of the features."""
        if self.formula is not None:
            return self.formula.columns
        return tuple(spec.name for spec in self.specs)

    @property
    def is_plain(self) -> bool:
        """Whether every feature is a column of the table, or a level of one."""
        return self.formula is None or self.formula.is_plain

    def parts(self) -> dict[str, tuple[str, ...]]:
        """Return the features of each term of a formula."""
        if self.formula is None:
            return {}
        labels = {factor.text: factor.label for factor in self.formula.factors}
        found: dict[str, tuple[str, ...]] = {}
        for name, term in self.formula.column_terms.items():
            label = ":".join(labels[text] for text in term.factors)
            found[label] = (*found.get(label, ()), name)
        return found

    def numbers(self, name: str) -> FloatArray | None:
        """Return a column of numbers, NaN where missing; None for a category."""
        column = self.table.column(name)
        if name in self._levels or not isinstance(column, NumberColumn):
            return None
        return np.where(column.missing, np.nan, column.values)

    def levels_of(self, name: str) -> tuple[str, ...]:
        """Return the levels of a category, the reference first; none for numbers."""
        return self._levels.get(name, ())

    def level_codes(self, name: str) -> IntArray:
        """Return the place of each row's level among those of a category; -1 where missing."""
        column, levels = self.table.column(name).as_text(), self.levels_of(name)
        places = [levels.index(word) if word in levels else -1 for word in column.words]
        return np.array([*places, -1], dtype=np.intp)[column.codes]

    def beside(self, name: str) -> set[str]:
        """Return the columns of the terms in which a column stands, itself included."""
        return {name} if self.formula is None else self.formula.beside(name)

    def design(self, changed: Mapping[str, Setting], rows: IntArray) -> tuple[Matrix, bool]:
        """Return the design of rows, some columns set, and whether all of them have one."""
        columns = {
            name: _set(self.table.column(name), changed[name], rows)
            if name in changed
            else self.table.column(name).take(rows)
            for name in self.names
        }
        here = Table(self.table.source, columns, np.arange(1, len(rows) + 1))
        if self.formula is not None:
            here = design_of(self.formula, here, blank=True)
        encoded = encode(self.specs, here, blank=True)
        return in_units(encoded.X, self.specs), bool(encoded.usable.all())

    @property
    def _levels(self) -> dict[str, tuple[str, ...]]:
        if self.formula is not None:
            return self.formula.levels
        return {s.name: (s.base, *s.others) for s in self.specs if isinstance(s, CategorySpec)}


def _set(column: Column, setting: Setting, rows: IntArray) -> Column:
    """Return a column with new values; where all rows get one level, missing ones stay missing."""
    if isinstance(setting, np.ndarray):
        return NumberColumn(column.name, setting, np.isnan(setting))
    is_numeric = isinstance(column, NumberColumn) or column.from_numbers
    if isinstance(setting, str):
        codes = np.where(column.missing[rows], -1, 0)
        return TextColumn(column.name, codes, (setting,), is_numeric)
    words = tuple(dict.fromkeys(setting))
    places = {word: place for place, word in enumerate(words)}
    return TextColumn(column.name, np.array([places[w] for w in setting]), words, is_numeric)


__all__ = ["TableColumns"]
