"""Saving learned values: ``.npz`` for arrays, ``.json`` as text."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile, ZipFile

import numpy as np

from chainrule.calculus.graph.model import Model
from chainrule.descent.binding import BoundTable
from chainrule.descent.result import DescentResult
from chainrule.errors import DataError
from chainrule.language.typeset import model_text
from chainrule.lecture import Array
from chainrule.tables.writing import atomic_text, check_writable

SCHEMA = "chainrule-values/1"
ABOUT = "about"
"""The member of an ``.npz`` file with everything but the values, as JSON."""


def result_document(
    result: DescentResult, model: Model, bound: BoundTable | None = None
) -> dict[str, Any]:
    """Return everything but the values as JSON values."""
    known: dict[str, Any] = {
        "schema": SCHEMA,
        "model": model_text(model),
        "objective": model.objective.name,
        "shapes": {name: list(value.shape) for name, value in result.values.items()},
        "settings": {
            "rate": result.rate,
            "batch": result.batch,
            "seed": result.seed,
            "step_rule": result.scaling.sentence(model.objective.name),
        },
        "examples": result.examples,
        "steps_taken": result.taken,
        "stopped": result.stopped.name.lower(),
        "report": result.report,
        "start_cost": _finite(result.start_cost),
        "cost": _finite(result.cost),
        "step": result.step,
        "gradient_norm": _finite(result.gradient_norm),
        "accuracy": result.accuracy,
        "gradient_check": None
        if result.check is None
        else {
            "passed": result.check.passed,
            "error": _finite(result.check.error),
            "entries": result.check.entries,
            "left_out": result.check.left_out,
        },
        "costs": [[step, _finite(cost)] for step, cost in result.costs],
    }
    if bound is not None:
        known["features"] = [
            {"name": f.name, "column": f.column, "mean": f.mean, "scale": f.scale, "base": f.base}
            for f in bound.features
        ]
        known["labels"] = {name: list(words) for name, words in bound.labels.items()}
        known["sizes"] = dict(bound.binding.sizes)
    return known


def check_values_path(path: str | Path) -> None:
    """Reject early a path that values cannot be written to."""
    if Path(path).suffix not in (".npz", ".json"):
        raise DataError(f"{path}: values are written as .npz or .json; name the file so.")
    check_writable(path)


def save_values(
    path: str | Path, result: DescentResult, model: Model, bound: BoundTable | None = None
) -> None:
    """Write the learned values atomically.

    Parameters
    ----------
    path : str or Path
        Ends in ``.npz`` or ``.json``.
    result : DescentResult
        The values and how they came about.
    model : Model
        The forward pass as it was written.
    bound : BoundTable, optional
        Adds the names of the features and labels.
    """
    check_values_path(path)
    known = result_document(result, model, bound)
    if Path(path).suffix == ".json":
        known["values"] = {name: value.tolist() for name, value in result.values.items()}
        with atomic_text(path) as file:
            json.dump(known, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        return
    arrays: dict[str, Any] = dict(result.values)
    arrays[_free(arrays)] = np.array(json.dumps(known, ensure_ascii=False, allow_nan=False))
    with atomic_text(path) as file, ZipFile(cast(Any, file).buffer, "w") as archive:
        # As numpy.savez writes it, but a variable may be named "file".
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def load_values(path: str | Path) -> dict[str, Array]:
    """Return values that `save_values` wrote, or the numeric arrays of any ``.npz``.

    Raises
    ------
    DataError
        When the file cannot be read; nothing in it is ever executed.
    """
    values: dict[str, Array] = {}
    try:
        if Path(path).suffix == ".json":
            read = json.loads(Path(path).read_text(encoding="utf-8"))
            found = read["values"] if isinstance(read, dict) else None
            if not isinstance(found, dict):
                raise DataError(f"{path}: this file holds no values of chainrule.")
            for name, value in found.items():
                values[name] = np.array(value, dtype=np.float64)
        else:
            with np.load(path, allow_pickle=False) as archive:
                for name in archive.files:
                    if archive[name].dtype.kind in "fiu":
                        values[name] = archive[name].astype(np.float64)
    except DataError:
        raise
    except (
        OSError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        BadZipFile,
        EOFError,
    ) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged"
        raise DataError(
            f"{path}: no values can be read from it ({why}). Give a .json or .npz file that "
            "chainrule train --out wrote."
        ) from None
    return values


def _free(names: dict[str, Any]) -> str:
    name = ABOUT
    while name in names:
        name += "_"
    return name


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
