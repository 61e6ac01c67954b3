"""The columns that a model encodes: those of a table, or those that its formula makes of them."""

from __future__ import annotations

from chainrule.tables.formula import design_of
from chainrule.tables.records import ColumnRecord
from chainrule.tables.table import Table


def file_columns(model: ColumnRecord) -> tuple[str, ...]:
    """Return the columns of the file that the features of a model are made of."""
    if model.formula is None:
        return tuple(spec.name for spec in model.specs)
    return model.formula.columns


def designed(model: ColumnRecord, table: Table, *, blank: bool = False) -> Table:
    """Return the table that a model encodes.

    Parameters
    ----------
    model : ColumnRecord
    table : Table
        With the columns of the file.
    blank : bool
        Whether an expression without a value is missing instead of an error.
    """
    if model.formula is None:
        return table
    return design_of(model.formula, table, blank=blank)
