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
from chainrule.descent.objective import Values
from chainrule.descent.prediction import Score
from chainrule.descent.reading_file import reading_document
from chainrule.descent.result import DescentResult
from chainrule.descent.state import DescentState
from chainrule.descent.value_documents import ABOUT, SCHEMA, load_document
from chainrule.errors import DataError
from chainrule.language.typeset import model_text
from chainrule.lecture import Array, Binding
from chainrule.storage import atomic_text, check_regular, check_writable, read_small_text


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
            **result.settings,
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
        "score": _score_document(result.score),
        "held_out_score": _score_document(result.held_score),
        "held_out_costs": [[step, _finite(cost)] for step, cost in result.held_costs],
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
        known["reading"] = reading_document(bound)
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
    arrays: dict[str, Any] = dict(result.values)
    if Path(path).suffix == ".json":
        known["values"] = {name: value.tolist() for name, value in result.values.items()}
        known["statistics"] = [value.tolist() for value in result.statistics]
        known["continue"] = _state_document(result.state)
        with atomic_text(path) as file:
            json.dump(known, file, indent=1, ensure_ascii=False, allow_nan=False)
            file.write("\n")
        return
    known["statistics"] = [value.tolist() for value in result.statistics]
    known["continue"] = _state_document(result.state)
    arrays[_free(arrays)] = np.array(json.dumps(known, ensure_ascii=False, allow_nan=False))
    with atomic_text(path) as file, ZipFile(cast(Any, file).buffer, "w") as archive:
        # As numpy.savez writes it, but a variable may be named "file".
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asarray(array), allow_pickle=False)


def _state_document(state: DescentState) -> dict[str, Any]:
    def written(values: Values) -> dict[str, Any]:
        return {symbol.name: value.tolist() for symbol, value in values.items()}

    return {
        "step": state.step,
        "values": written(state.values),
        "slots": {slot: written(values) for slot, values in state.slots.items()},
        "best": written(state.best or state.values),
        "best_step": state.best_step,
        "best_cost": _finite(state.best_cost),
        "best_held": _finite(state.best_held),
        "first_cost": None if state.first_cost is None else _finite(state.first_cost),
    }


def load_state(path: str | Path, binding: Binding) -> DescentState | None:
    """Return where the descent of a file stopped; None where the file holds values alone.

    Parameters
    ----------
    path : str or Path
        A file that `save_values` wrote.
    binding : Binding
        The model that goes on, with its data.

    Raises
    ------
    DataError
        When the file was learned with another forward pass or has other shapes.
    """
    known = load_document(path)
    if known is None or known.get("continue") is None:
        return None
    if known.get("model") != model_text(binding.roles.model):
        return None
    found = known["continue"]
    try:
        state = DescentState(
            int(found["step"]),
            _read_values(found["values"], binding, path),
            {slot: _read_values(v, binding, path) for slot, v in found["slots"].items()},
            _read_values(found["best"], binding, path),
            _number(found["best_cost"]),
            _number(found["best_held"]),
            int(found["best_step"]),
            None if found["first_cost"] is None else float(found["first_cost"]),
        )
    except DataError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{path}: the place to go on from is damaged.") from None
    return state


def _read_values(written: dict[str, Any], binding: Binding, path: str | Path) -> Values:
    values: Values = {}
    for symbol in binding.roles.learned:
        value = np.array(written[symbol.name], dtype=np.float64).reshape(-1)
        shape = binding.shape(symbol)
        if value.size != shape[0] * shape[1]:
            raise DataError(
                f"{path}: {symbol.name} has {value.size} entries there, and here it is "
                f"{shape[0]} x {shape[1]}. Go on with the same data and sizes."
            )
        values[symbol] = value.reshape(shape)
    return values


def _number(value: float | None) -> float:
    return math.inf if value is None else float(value)


def _score_document(score: Score | None) -> dict[str, Any] | None:
    return None if score is None else {"name": score.name, "value": score.value}


def load_values(path: str | Path) -> dict[str, Array]:
    """Return values that `save_values` wrote, or the numeric arrays of any ``.npz``.

    Raises
    ------
    DataError
        When the file cannot be read; nothing in it is ever executed.
    """
    values: dict[str, Array] = {}
    try:
        check_regular(path)
        if Path(path).suffix == ".json":
            read = json.loads(read_small_text(path))
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
