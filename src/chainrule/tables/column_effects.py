"""Average marginal effects of the columns of a table, through formula and encoding."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from chainrule.engine.inference.column_changes import average_changes
from chainrule.engine.inference.raw_columns import ColumnChange, central
from chainrule.formulas.design import Formula
from chainrule.tables.encoding import Matrix, encode
from chainrule.tables.formula import design_of
from chainrule.tables.inference_record import EffectRow, estimated
from chainrule.tables.own_units import in_units
from chainrule.tables.records import Floats
from chainrule.tables.specs import CategorySpec, Spec
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference


@dataclass(frozen=True, eq=False)
class EffectInputs:
    """The rows of a fit, as they were before they were encoded.

    Parameters
    ----------
    table : Table
        The columns of the file that the design is computed from.
    specs : tuple of Spec
    formula : Formula or None
    weights : ndarray or None
    offset : ndarray or None
    """

    table: Table
    specs: tuple[Spec, ...]
    formula: Formula | None
    weights: Floats | None
    offset: Floats | None


def column_effects(inference: Inference, inputs: EffectInputs) -> tuple[EffectRow, ...]:
    """Return the average marginal effect of every column, class by class for several."""
    n_rows = inputs.table.n_rows
    weights = np.ones(n_rows) if inputs.weights is None else inputs.weights
    table = average_changes(inference, _changes(inputs), weights, inputs.offset)
    return tuple(effect_row(row) for row in table.rows())


def effect_row(row: dict[str, Any]) -> EffectRow:
    """Return a row of a table of effects as the model file keeps it."""
    return EffectRow(**estimated(row), contrast=str(row["contrast"]))


def _changes(inputs: EffectInputs) -> Iterator[ColumnChange]:
    table, formula = inputs.table, inputs.formula
    levels = {s.name: (s.base, *s.others) for s in inputs.specs if isinstance(s, CategorySpec)}
    if formula is not None:
        levels |= {f.columns[0]: f.levels for f in formula.factors if f.kind == "category"}
    names = [spec.name for spec in inputs.specs] if formula is None else list(formula.columns)
    for name in dict.fromkeys(names):
        column = table.column(name)
        if name in levels:
            base, *others = levels[name]
            for level in others:
                before, after = (_all(column, word) for word in (base, level))
                yield _change(inputs, f"{level} - {base}", before, after)
        elif isinstance(column, NumberColumn):
            yield _of_number(inputs, column)


def _of_number(inputs: EffectInputs, column: NumberColumn) -> ColumnChange:
    values = np.where(column.missing, np.nan, column.values)
    present = values[~column.missing]
    if set(np.unique(present[:1000])) <= {0.0, 1.0} and set(np.unique(present)) == {0.0, 1.0}:
        before, after = (np.where(column.missing, np.nan, v) for v in (0.0, 1.0))
        length, contrast = 1.0, "1 - 0"
    else:
        (before, after, length), contrast = central(values), "dY/dX"
    low, high = (NumberColumn(column.name, part, column.missing) for part in (before, after))
    return _change(inputs, contrast, low, high, length)


def _change(
    inputs: EffectInputs, contrast: str, before: Column, after: Column, length: float = 1.0
) -> ColumnChange:
    """Return the contrast of a column between two versions of it."""

    def design(is_after: bool, rows: NDArray[np.intp]) -> tuple[Matrix, bool]:
        part, column = inputs.table.take(rows), after if is_after else before
        here = replace(part, columns={**part.columns, column.name: column.take(rows)})
        if inputs.formula is not None:
            here = design_of(inputs.formula, here, blank=True)
        encoded = encode(inputs.specs, here, blank=True)
        return in_units(encoded.X, inputs.specs), bool(encoded.usable.all())

    return ColumnChange(before.name, contrast, design, length)


def _all(column: Column, word: str) -> TextColumn:
    """Return a column whose rows all have one level; missing rows stay missing."""
    codes = np.where(column.missing, -1, 0)
    from_numbers = isinstance(column, NumberColumn) or column.from_numbers
    return TextColumn(column.name, codes, (word,), from_numbers)
