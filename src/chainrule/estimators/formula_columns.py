"""The columns of a formula at the rows of a fit, moved or set for marginal effects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.raw_columns import ColumnChange, central
from chainrule.errors import DataError
from chainrule.estimators.formulas import design_columns
from chainrule.formulas.columns import Column, Numbers, Words
from chainrule.formulas.design import Formula


@dataclass(frozen=True, eq=False)
class FormulaColumns:
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
    def is_plain(self) -> bool:
        """Whether every column of the design is one of the data, or a level of one."""
        return all(len(term.factors) == 1 for term in self.formula.terms) and all(
            factor.kind == "category" or factor.text == factor.columns[0]
            for factor in self.formula.factors
        )

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

    def changes(self, *, discrete: bool) -> Iterator[ColumnChange]:
        """Yield the contrasts of all columns, in the order of the formula."""
        columns, levels = self._columns(), self._levels()
        for name in self.formula.columns:
            column = columns[name]
            if name in levels:
                base, *others = levels[name]
                for level in others:
                    ends = (self._all(name, base), self._all(name, level))
                    yield self._change(name, f"{level} - {base}", ends)
            elif isinstance(column, Numbers):
                values = column.values
                if discrete and set(np.unique(values)) == {0.0, 1.0}:
                    zeros = np.zeros_like(values)
                    yield self._change(name, "1 - 0", (Numbers(zeros), Numbers(zeros + 1)))
                    continue
                before, after, step = central(values)
                yield self._change(name, "dY/dX", (Numbers(before), Numbers(after)), step)

    def levels(self, factor: str, weight: FloatArray) -> tuple[list[str], FloatArray]:
        """Return the levels of a category, and the design of each, averaged over the others.

        As in emmeans: the other categories take all their levels, which count alike, and numbers
        are at their means. Columns in no product with the factor cancel in every comparison.

        Raises
        ------
        DataError
            When there is no such category.
        """
        columns, levels = self._columns(), self._levels()
        if factor not in levels:
            known = ", ".join(levels) or "none: the formula has no category"
            raise DataError(f"{factor!r} is not a factor; factors are {known}")
        of = {f.text: f.columns for f in self.formula.factors}
        terms = [{n for text in term.factors for n in of[text]} for term in self.formula.terms]
        beside = {name for term in terms if factor in term for name in term}
        others = [name for name in levels if name in beside and name != factor]
        grid = list(product(*(levels[name] for name in others)))
        means: dict[str, Column] = {}
        for name, column in columns.items():
            if isinstance(column, Numbers):
                middle = float(weight @ column.values / weight.sum())
                means[name] = Numbers(np.full(len(grid), middle))
            else:
                means[name] = self._all(name, levels[name][0], len(grid))
        for k, name in enumerate(others):
            means[name] = _joined([self._all(name, row[k], 1) for row in grid])
        found = [
            self._design({**means, factor: self._all(factor, level, len(grid))})[0].mean(axis=0)
            for level in levels[factor]
        ]
        return list(levels[factor]), np.array(found)

    def _columns(self) -> Mapping[str, Column]:
        if self.given is None:
            raise DataError(
                "this needs the columns of the formula: pass the data frame as X to inference()"
            )
        return self.given

    def _levels(self) -> dict[str, tuple[str, ...]]:
        return {f.columns[0]: f.levels for f in self.formula.factors if f.kind == "category"}

    def _all(self, name: str, level: str, n_rows: int | None = None) -> Column:
        """Return a column whose rows all have one level."""
        column = self._columns()[name]
        if isinstance(column, Numbers):
            count = len(column.values) if n_rows is None else n_rows
            return Numbers(np.full(count, float(level)))
        count = len(column.codes) if n_rows is None else n_rows
        return Words(np.zeros(count, dtype=np.int64), (level,))

    def _change(
        self, name: str, contrast: str, ends: tuple[Column, Column], length: float = 1.0
    ) -> ColumnChange:
        return ColumnChange(name, contrast, partial(self._moved, name, ends), length)

    def _moved(
        self, name: str, ends: tuple[Column, Column], is_after: bool, rows: IntArray
    ) -> tuple[FloatArray, bool]:
        here = {**self._columns(), name: ends[is_after]}
        return self._design({key: taken(column, rows) for key, column in here.items()})

    def _design(self, columns: Mapping[str, Column]) -> tuple[FloatArray, bool]:
        found = np.stack(list(design_columns(self.formula, columns, strict=False).values()), axis=1)
        return found, not np.isnan(found).any()


def taken(column: Column, rows: IntArray) -> Column:
    """Return some rows of a column."""
    if isinstance(column, Numbers):
        return Numbers(column.values[rows])
    return replace(column, codes=column.codes[rows])


def _joined(parts: list[Column]) -> Column:
    """Return columns of one row each as one column."""
    if isinstance(parts[0], Numbers):
        return Numbers(np.array([part.values[0] for part in parts if isinstance(part, Numbers)]))
    words = [part.words[0] for part in parts if isinstance(part, Words)]
    known = tuple(dict.fromkeys(words))
    return Words(np.array([known.index(word) for word in words], dtype=np.int64), known)
