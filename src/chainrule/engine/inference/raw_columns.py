"""The columns that a design is computed from, as marginal effects move and set them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.errors import DataError

_STEP: Final = 1e-5
"""The step of a central difference, in standard deviations."""

_LEAST_STEP: Final = 1e-8
"""The step of a central difference at least, relative to the value: a given one may be far off."""

Setting = FloatArray | str | Sequence[str]
"""Values of a column of numbers; the level of all rows of a category, or one level per row."""


@dataclass(frozen=True, eq=False)
class ColumnChange:
    """A contrast of a column: the designs before and after, and what the change is divided by.

    Parameters
    ----------
    name, contrast : str
    design : callable
        (whether after, rows) -> the design of these rows in the units of the data, and whether all
        of them have one.
    length : float
    """

    name: str
    contrast: str
    design: Callable[[bool, IntArray], tuple[Any, bool]]
    length: float = 1.0


class RawColumns(ABC):
    """The columns that a design is computed from, at the rows of a fit."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The columns, in the order of effects."""

    @property
    @abstractmethod
    def is_plain(self) -> bool:
        """Whether every column of the design is one of the data, or a level of one."""

    @abstractmethod
    def parts(self) -> dict[str, tuple[str, ...]]:
        """Return the columns of the design of each term; none where they are not known."""

    @abstractmethod
    def numbers(self, name: str) -> FloatArray | None:
        """Return a column of numbers, NaN where missing; None for a category."""

    @abstractmethod
    def levels_of(self, name: str) -> tuple[str, ...]:
        """Return the levels of a category, the reference first; none for numbers."""

    @abstractmethod
    def level_codes(self, name: str) -> IntArray:
        """Return the place of each row's level among those of a category; -1 where missing."""

    @abstractmethod
    def beside(self, name: str) -> set[str]:
        """Return the columns of the terms in which a column stands, itself included."""

    @abstractmethod
    def design(self, changed: Mapping[str, Setting], rows: IntArray) -> tuple[Any, bool]:
        """Return the design of rows, some columns set, and whether all of them have one.

        Parameters
        ----------
        changed : mapping of str to Setting
            One value per row that is asked for; if every column is set, `rows` only counts.
        rows : ndarray of int
        """

    def changes(self, *, discrete: bool) -> Iterator[ColumnChange]:
        """Yield the contrasts of all columns over the rows; `discrete` as in `Inference.ame`."""
        for name in self.names:
            values = self.numbers(name)
            if values is None:
                base, *others = self.levels_of(name)
                for level in others:
                    yield self._of_levels(name, base, level, {})
            elif discrete and _is_indicator(values):
                missing = np.where(np.isnan(values), np.nan, 0.0)
                yield self._of_numbers(name, "1 - 0", (missing, missing + 1.0))
            else:
                before, after, step = central(values)
                yield self._of_numbers(name, "dY/dX", (before, after), step)

    def changes_at(self, at: Mapping[str, object], weight: FloatArray) -> Iterator[ColumnChange]:
        """Yield the contrasts of all columns at one point.

        Numbers are at their means and categories at their most frequent level, where they are not
        given.

        Parameters
        ----------
        at : mapping of str to float or str
        weight : ndarray of shape (n_samples,)

        Raises
        ------
        DataError
            When there is no such column or level, or a number is not one.
        """
        point = self._point(at, weight)
        for name in self.names:
            values = self.numbers(name)
            if values is None:
                base, *others = self.levels_of(name)
                for level in others:
                    yield self._of_levels(name, [base], [level], point)
            else:
                here = np.asarray(point[name], dtype=np.float64)
                half = np.maximum(central(values)[2], _LEAST_STEP * np.abs(here)) / 2
                before, after = here - half, here + half
                length = float((after - before)[0])
                yield self._of_numbers(name, "dY/dX", (before, after), length, point)

    def levels(self, factor: str, weight: FloatArray) -> tuple[list[str], FloatArray]:
        """Return the levels of a category, and the design of each, averaged over the others.

        As in emmeans: the other categories take all their levels, which count alike, and numbers
        are at their means. Columns in no product with the factor cancel in every comparison.

        Raises
        ------
        DataError
            When there is no such category.
        """
        known = [name for name in self.names if self.numbers(name) is None]
        if factor not in known:
            listed = ", ".join(known) or "none: the formula has no category"
            raise DataError(f"{factor!r} is not a factor; factors are {listed}")
        beside = self.beside(factor)
        others = [name for name in known if name in beside and name != factor]
        grid = list(product(*(self.levels_of(name) for name in others)))
        rows = np.arange(len(grid))
        fixed: dict[str, Setting] = {}
        for name in self.names:
            values = self.numbers(name)
            if values is not None:
                fixed[name] = np.full(len(grid), _mean(values, weight))
            else:
                fixed[name] = [self.levels_of(name)[0]] * len(grid)
        for k, name in enumerate(others):
            fixed[name] = [row[k] for row in grid]
        levels = self.levels_of(factor)
        found = [
            self.design({**fixed, factor: [level] * len(grid)}, rows)[0].mean(axis=0)
            for level in levels
        ]
        return list(levels), np.array([np.ravel(row) for row in found])

    def _point(self, at: Mapping[str, object], weight: FloatArray) -> dict[str, Setting]:
        for name in at:
            if name not in self.names:
                known = ", ".join(self.names)
                raise DataError(f"there is no column {name!r}; known are {known}")
        found: dict[str, Setting] = {}
        for name in self.names:
            values = self.numbers(name)
            if values is not None:
                found[name] = np.array([_given_number(name, at, _mean(values, weight))])
                continue
            levels, codes = self.levels_of(name), self.level_codes(name)
            counts = np.bincount(codes[codes >= 0], weight[codes >= 0], minlength=len(levels))
            level = str(at.get(name, levels[int(counts.argmax())]))
            if level not in levels:
                raise DataError(f"{level!r} is none of the levels of {name!r}: {', '.join(levels)}")
            found[name] = [level]
        return found

    def _of_levels(
        self, name: str, base: Setting, level: Setting, point: Mapping[str, Setting]
    ) -> ColumnChange:
        words = [end if isinstance(end, str) else str(end[0]) for end in (level, base)]

        def design(is_after: bool, rows: IntArray) -> tuple[Any, bool]:
            return self.design({**point, name: level if is_after else base}, rows)

        return ColumnChange(name, " - ".join(words), design)

    def _of_numbers(
        self,
        name: str,
        contrast: str,
        ends: tuple[FloatArray, FloatArray],
        length: float = 1.0,
        point: Mapping[str, Setting] | None = None,
    ) -> ColumnChange:
        def design(is_after: bool, rows: IntArray) -> tuple[Any, bool]:
            return self.design({**(point or {}), name: ends[is_after][rows]}, rows)

        return ColumnChange(name, contrast, design, length)


def central(values: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return values half a step lower and higher, and the step; NaN stays NaN."""
    step = _STEP * float(np.nanstd(values)) or _STEP
    before, after = values - step / 2, values + step / 2
    # What the step is after rounding, on average: far values move by a little more or less.
    return before, after, float(np.nanmean(after - before))


def _mean(values: FloatArray, weight: FloatArray) -> float:
    present = ~np.isnan(values)
    return float(weight[present] @ values[present] / weight[present].sum())


def _given_number(name: str, at: Mapping[str, object], mean: float) -> float:
    value = at.get(name, mean)
    try:
        found = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise DataError(f"{name!r} is a column of numbers, and {value!r} is not one") from None
    if not np.isfinite(found):
        raise DataError(f"{name!r} is set to {found}: give a finite number")
    return found


def _is_indicator(values: FloatArray) -> bool:
    """Whether a column of numbers holds 0 and 1 and nothing else."""
    few = values[:1000]
    if not np.isin(few[~np.isnan(few)], (0.0, 1.0)).all():
        return False
    return set(np.unique(values[~np.isnan(values)])) == {0.0, 1.0}
