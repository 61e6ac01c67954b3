"""Formulas on tables: the options they imply, and the table of the columns that they make."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.formulas.columns import Column as FormulaColumn
from chainrule.formulas.columns import Numbers, Words
from chainrule.formulas.design import Formula, fit_formula
from chainrule.formulas.parsing import parse
from chainrule.tables.options import FitOptions
from chainrule.tables.specs import CategorySpec, Spec
from chainrule.tables.table import Column, NumberColumn, Table, TextColumn


def with_formula(choices: FitOptions, text: str) -> FitOptions:
    """Return the options of a fit by a formula: its target, and its categories."""
    parsed = parse(text)
    if choices.target not in ("", parsed.target):
        raise DataError(
            f"--target is {choices.target!r}, and the formula is of {parsed.target!r}. Omit "
            "--target."
        )
    categories = tuple(dict.fromkeys((*choices.categories, *parsed.categories)))
    return replace(choices, target=parsed.target, categories=categories, formula=parsed)


def formula_columns(table: Table, choices: FitOptions) -> Table:
    """Return the table with the columns of the formula and of the roles alone."""
    if choices.formula is None:
        return table
    roles = {name: role for role, name in choices.roles.items()}
    for name in choices.formula.columns:
        if name in roles:
            raise DataError(
                f"column {name!r} is the {roles[name]} and stands in the formula. Choose one."
            )
        table.column(name)
    kept = {*choices.formula.columns, *roles}
    return table.without(set(table.columns) - kept)


def fit_design(
    table: Table, choices: FitOptions, training: NDArray[np.intp]
) -> tuple[Table, Formula | None]:
    """Return the table with the columns of the design, and the formula, fitted to some rows.

    Parameters
    ----------
    table : Table
        From `formula_columns`.
    choices : FitOptions
    training : ndarray of int
        The rows that the formula learns from.
    """
    if choices.formula is None:
        return table, None
    inputs = table.without(set(choices.roles.values()))
    formula = fit_formula(choices.formula, _columns(inputs.take(training)))
    return design_of(formula, table, keep=choices.roles.values()), formula


def design_of(
    formula: Formula, table: Table, *, keep: Collection[str] = (), blank: bool = False
) -> Table:
    """Return a table with the columns of the design in place of its own.

    Parameters
    ----------
    formula : Formula
    table : Table
    keep : collection of str
        Columns to keep as they are.
    blank : bool
        Whether an expression without a value, as log(0), is missing instead of an error.
    """
    given = {name: table.column(name) for name in formula.columns}
    made = formula.design(_columns(replace(table, columns=given)), strict=not blank)
    columns: dict[str, Column] = {}
    for name, column in made.items():
        if isinstance(column, Words):
            own = given.get(name)
            is_numeric = isinstance(own, NumberColumn) or (
                isinstance(own, TextColumn) and own.from_numbers
            )
            columns[name] = TextColumn(name, column.codes, column.words, is_numeric)
        else:
            columns[name] = NumberColumn(name, column.values, column.missing)
    kept = {name: table.column(name) for name in keep}
    return replace(table, columns=kept | columns)


def with_bases(specs: tuple[Spec, ...], formula: Formula | None) -> tuple[Spec, ...]:
    """Return specs whose categories have the reference levels of the formula."""
    bases = {} if formula is None else formula.bases
    return tuple(_rebased(spec, bases) for spec in specs)


def _rebased(spec: Spec, bases: dict[str, str]) -> Spec:
    base = bases.get(spec.name)
    if not isinstance(spec, CategorySpec) or base not in spec.others:
        return spec
    others = (spec.base, *(word for word in spec.others if word != base))
    return replace(spec, base=str(base), others=tuple(sorted(others)))


def _columns(table: Table) -> dict[str, FormulaColumn]:
    return {
        name: Numbers(np.where(column.missing, np.nan, column.values))
        if isinstance(column, NumberColumn)
        else Words(column.codes, column.words)
        for name, column in table.columns.items()
    }
