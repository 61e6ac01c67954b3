"""Average marginal effects of the columns of a table, through formula and encoding.

The features of a formula are not free of each other: a spline of age has several, and `a:b` moves
with a. So the column itself is moved, the design computed again, and the mean change taken: for a
number by a central difference, for a level or a 0/1 column by setting all rows to it. Errors are by
the delta method.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from scipy import special

from chainrule.formulas.design import Formula
from chainrule.tables.encoding import Matrix, encode
from chainrule.tables.formula import design_of
from chainrule.tables.inference_record import EffectRow
from chainrule.tables.own_units import in_units
from chainrule.tables.records import Floats
from chainrule.tables.specs import CategorySpec, Spec
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference

_STEP: Final = 1e-5
"""The step of a central difference, in standard deviations."""
_ROWS: Final = 2**15


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


@dataclass(frozen=True)
class _Change:
    """A contrast of a column: its values before and after, and what the change is divided by."""

    name: str
    contrast: str
    before: Column
    after: Column
    length: float = 1.0


def column_effects(inference: Inference, inputs: EffectInputs) -> tuple[EffectRow, ...]:
    """Return the average marginal effect of every column, class by class for several."""
    found = [(change, *_moved(inference, inputs, change)) for change in _changes(inputs)]
    several = len(inference.terms.outputs) > 1
    outputs = _classes(inference) if several else ("",)
    return tuple(
        _row(inference, output, change, values[k], jacobians[k])
        for k, output in enumerate(outputs)
        for change, values, jacobians in found
    )


def _classes(inference: Inference) -> tuple[str, ...]:
    base = int(getattr(inference.model.likelihood, "base", 0))
    names = list(inference.terms.outputs)
    names.insert(base, inference.base)
    return tuple(names)


def _changes(inputs: EffectInputs) -> Iterator[_Change]:
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
                yield _Change(name, f"{level} - {base}", before, after)
        elif isinstance(column, NumberColumn):
            yield _of_number(name, column)


def _of_number(name: str, column: NumberColumn) -> _Change:
    values = column.values
    present = values[~column.missing]
    if set(np.unique(present[:1000])) <= {0.0, 1.0} and set(np.unique(present)) == {0.0, 1.0}:
        before, after = (np.where(column.missing, np.nan, v) for v in (0.0, 1.0))
        length, contrast = 1.0, "1 - 0"
    else:
        length, contrast = _STEP * float(present.std()) or _STEP, "dY/dX"
        before, after = values - length / 2, values + length / 2
        # What the step is after rounding, on average: far values move by a little more or less.
        length = float((after - before)[~column.missing].mean())
    low, high = (NumberColumn(name, part, column.missing) for part in (before, after))
    return _Change(name, contrast, low, high, length)


def _all(column: Column, word: str) -> TextColumn:
    """Return a column whose rows all have one level; missing rows stay missing."""
    codes = np.where(column.missing, -1, 0)
    from_numbers = isinstance(column, NumberColumn) or column.from_numbers
    return TextColumn(column.name, codes, (word,), from_numbers)


def _moved(
    inference: Inference, inputs: EffectInputs, change: _Change
) -> tuple[Floats, list[Floats]]:
    """Return the mean change of each output, and its Jacobian in the coefficients."""
    n_rows = inputs.table.n_rows
    weights = np.ones(n_rows) if inputs.weights is None else inputs.weights
    values: Any = 0.0
    jacobians: Any = 0.0
    for start in range(0, n_rows, _ROWS):
        rows = np.arange(start, min(start + _ROWS, n_rows))
        part = inputs.table.take(rows)
        weight = weights[rows] / (weights.sum() * change.length)
        offset = 0.0 if inputs.offset is None else inputs.offset[rows]
        for end, sign in ((change.after, 1.0), (change.before, -1.0)):
            here = replace(part, columns={**part.columns, change.name: end.take(rows)})
            if inputs.formula is not None:
                here = design_of(inputs.formula, here, blank=True)
            encoded = encode(inputs.specs, here, blank=True)
            X = in_units(encoded.X, inputs.specs)
            lost = not encoded.usable.all()
            mean, jacobian = _means(inference, X, sign * weight, offset)
            values = values + (np.nan if lost else mean)
            jacobians = jacobians + jacobian
    return np.asarray(values), list(jacobians)


def _means(
    inference: Inference, X: Matrix, weight: Floats, offset: Floats | float
) -> tuple[Floats, Floats]:
    """Return weighted sums of the means, and of their slopes in the coefficients."""
    first = int(inference.model.design.fit_intercept)
    coef = inference.coefficients
    z = np.asarray(X @ coef[:, first:].T) + (coef[:, 0] if first else 0.0)
    z = z + np.reshape(offset, (-1, 1))

    def slopes(d: Floats) -> Floats:
        weighted = d * weight[:, None]
        ends = [weighted.sum(axis=0)[:, None]] if first else []
        return np.hstack([*ends, np.asarray(X.T @ weighted).T]).ravel()

    family = inference.model.family
    if len(inference.terms.outputs) == 1:
        assert family is not None
        return np.array([weight @ family.mean(z[:, 0])]), slopes(family.mean_slope(z))[None]
    base = int(getattr(inference.model.likelihood, "base", 0))
    p = special.softmax(np.insert(z, base, 0.0, axis=1), axis=1)
    others = np.delete(np.arange(p.shape[1]), base)
    parts = [slopes(p[:, [k]] * ((others == k) - p[:, others])) for k in range(p.shape[1])]
    return weight @ p, np.array(parts)


def _row(
    inference: Inference, output: str, change: _Change, value: float, jacobian: Floats
) -> EffectRow:
    covariance = np.nan_to_num(inference.covariance)
    variance = float(jacobian @ covariance @ jacobian)
    error = float(np.sqrt(max(variance, 0.0)))
    if np.isnan(value):
        error = float("nan")
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = float(np.float64(value) / error)
    half = inference.quantile * error
    return EffectRow(
        output=output,
        term=change.name,
        contrast=change.contrast,
        estimate=float(value),
        std_error=error,
        statistic=statistic,
        p_value=float(inference.two_sided(np.array([statistic]))[0]),
        low=float(value - half),
        high=float(value + half),
    )
