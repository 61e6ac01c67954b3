"""The columns of a formula at the rows of a fit, moved or set for marginal effects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.raw_columns import RawColumns, Setting
from chainrule.errors import DataError
from chainrule.estimators.formulas import design_columns
from chainrule.formulas.columns import Column, Numbers, Words
from chainrule.formulas.design import Formula
from chainrule.formulas.factors import words_of


@dataclass(frozen=True, eq=False)
class FormulaColumns(RawColumns):
    """The columns that the design of a formula is computed from.

    Parameters
    ----------
    formula : Formula
    given : mapping of str to Numbers or Words, or None
        At the rows of the fit; None where the design itself was given.
    """

    formula: Formula
    given: Mapping[str, Column] | None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of the formula."""
        return self.formula.columns

    @property
    def is_plain(self) -> bool:
        """Whether every column of the design is one of the data, or a level of one."""
        return self.formula.is_plain

    def parts(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of the design that each term has; none without the data."""
        if self.given is None:
            return {}
        few = {name: taken(column, np.arange(1)) for name, column in self.given.items()}
        labels = {factor.text: factor.label for factor in self.formula.factors}
        return {
            ":".join(labels[text] for text in term.factors): tuple(
                design_columns(replace(self.formula, terms=(term,)), few, strict=False)
            )
            for term in self.formula.terms
        }

    def numbers(self, name: str) -> FloatArray | None:
        """Return a column of numbers, NaN where missing; None for a category."""
        column = self._columns()[name]
        if name in self.formula.levels or not isinstance(column, Numbers):
            return None
        return column.values

    def levels_of(self, name: str) -> tuple[str, ...]:
        """Return the levels of a category, the reference first; none for numbers."""
        return self.formula.levels.get(name, ())

    def level_codes(self, name: str) -> IntArray:
        """Return the place of each row's level among those of a category; -1 where missing."""
        words, levels = words_of(self._columns()[name]), self.levels_of(name)
        places = [levels.index(word) if word in levels else -1 for word in words.words]
        return np.array([*places, -1], dtype=np.intp)[words.codes]

    def beside(self, name: str) -> set[str]:
        """Return the columns of the terms in which a column stands, itself included."""
        return self.formula.beside(name)

    def design(self, changed: Mapping[str, Setting], rows: IntArray) -> tuple[FloatArray, bool]:
        """Return the design of rows, some columns set, and whether all of them have one."""
        here = {
            name: _set(column, changed[name], len(rows)) if name in changed else taken(column, rows)
            for name, column in self._columns().items()
        }
        found = np.stack(list(design_columns(self.formula, here, strict=False).values()), axis=1)
        return found, not np.isnan(found).any()

    def _columns(self) -> Mapping[str, Column]:
        if self.given is None:
            raise DataError(
                "this needs the columns of the formula: pass the data frame as X to inference()"
            )
        return self.given


def taken(column: Column, rows: IntArray) -> Column:
    """Return some rows of a column."""
    if isinstance(column, Numbers):
        return Numbers(column.values[rows])
    return replace(column, codes=column.codes[rows])


def _set(column: Column, setting: Setting, n_rows: int) -> Column:
    """Return a column with new values, of the kind of the one that it replaces."""
    if isinstance(setting, str):
        if isinstance(column, Numbers):
            return Numbers(np.full(n_rows, float(setting)))
        return Words(np.zeros(n_rows, dtype=np.int64), (setting,))
    if isinstance(column, Numbers):
        return Numbers(np.array(setting, dtype=np.float64))
    words = [str(word) for word in setting]
    known = tuple(dict.fromkeys(words))
    places = {word: place for place, word in enumerate(known)}
    return Words(np.array([places[word] for word in words], dtype=np.int64), known)
