"""How a table was read, as JSON values: so that a new table is read in the same way."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from chainrule.descent.binding import BoundTable
from chainrule.descent.columns import InputColumns, Reading
from chainrule.errors import DataError
from chainrule.language.reading import read_model
from chainrule.lecture import ONE_ROW, WHOLE_TABLE, Binding, Draw, assign_roles, bind
from chainrule.tables.specs import CategorySpec, NumberSpec, Spec
from chainrule.tables.table import Table


def reading_document(bound: BoundTable) -> dict[str, Any]:
    """Return roles, constants, draws and columns of a bound table."""
    binding = bound.binding
    return {
        "inputs": [_columns_document(columns) for columns in bound.inputs],
        "constants": {s.name: np.asarray(v).tolist() for s, v in binding.constants.items()},
        "draws": {s.name: asdict(draw) for s, draw in binding.draws.items()},
        "learned": [s.name for s in binding.roles.learned],
        "examples": WHOLE_TABLE if binding.roles.whole else binding.roles.examples or ONE_ROW,
        "raw": [columns.name for columns in bound.inputs if columns.raw],
    }


def _columns_document(columns: InputColumns) -> dict[str, Any]:
    return {
        "name": columns.name,
        "reading": columns.reading.value,
        "columns": list(columns.columns),
        "words": list(columns.words),
        "against_rest": columns.against_rest,
        "raw": columns.raw,
        "specs": [
            {"kind": "number" if isinstance(spec, NumberSpec) else "category", **asdict(spec)}
            for spec in columns.specs
        ],
    }


def read_inputs(known: dict[str, Any], source: str) -> list[InputColumns]:
    """Return how the columns of each input are read.

    Raises
    ------
    DataError
        When the document is damaged.
    """
    try:
        return [
            InputColumns(
                str(entry["name"]),
                Reading(entry["reading"]),
                tuple(map(str, entry["columns"])),
                tuple(map(str, entry["words"])),
                bool(entry["against_rest"]),
                tuple(_spec(spec) for spec in entry["specs"]),
                bool(entry["raw"]),
            )
            for entry in known["reading"]["inputs"]
        ]
    except (KeyError, TypeError, ValueError):
        raise DataError(
            f"{source}: it does not say how its table was read. Train again with --out"
        ) from None


def read_binding(known: dict[str, Any], inputs: list[InputColumns], table: Table) -> Binding:
    """Return the model of a document bound to a new table, of which labels may be missing.

    Parameters
    ----------
    known : dict
        The document of `save_values`.
    inputs : list of InputColumns
        From `read_inputs`.
    table : Table
        The new rows.
    """
    reading = known["reading"]
    model = read_model(known["model"])
    roles = assign_roles(
        model,
        [columns.name for columns in inputs],
        constants=reading["constants"],
        drawn=reading["draws"],
        wrt=reading["learned"],
        examples=reading["examples"],
    )
    sizes = {name: int(size) for name, size in known["sizes"].items()}
    present = [c for c in inputs if set(c.columns) <= set(table.columns)]
    if not present:
        for name in inputs[0].columns:
            table.column(name)
    return bind(
        roles,
        {columns.name: columns.read(table) for columns in present},
        constants=reading["constants"],
        sizes=sizes,
        draws={name: Draw(d["kind"], d["amount"]) for name, d in reading["draws"].items()},
    )


def _spec(known: dict[str, Any]) -> Spec:
    entries = {name: value for name, value in known.items() if name != "kind"}
    if known["kind"] == "number":
        return NumberSpec(**entries)
    several: dict[str, Any] = {
        name: tuple(entries[name]) for name in ("others", "rare") if name in entries
    }
    return CategorySpec(**{**entries, **several})
