"""Changes where a descent goes on from a file: refused where values would mean something else."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.descent.reading_file import read_inputs
from chainrule.descent.state import DescentState
from chainrule.errors import DataError
from chainrule.tables.specs import NumberSpec

if TYPE_CHECKING:
    from chainrule.descent.binding import BoundTable
    from chainrule.descent.columns import InputColumns
    from chainrule.descent.loop import Descent
    from chainrule.descent.updates import UpdateRule

_SAME_SCALE = 1e-9


def changes(path: str | Path, known: dict[str, Any], bound: BoundTable) -> list[str]:
    """Return how the data differ from those that a file was learned from, as sentences.

    Parameters
    ----------
    path : str or Path
        The file of `save_values`, for messages.
    known : dict
        Its document.
    bound : BoundTable
        The data to go on with.

    Raises
    ------
    DataError
        Where labels or columns are others, so that the learned values would mean something else.
    """
    if "reading" not in known:
        return []
    before = {columns.name: columns for columns in read_inputs(known, str(path))}
    found = []
    for columns in bound.inputs:
        earlier = before.get(columns.name)
        if earlier is None:
            continue
        _refuse_others(path, earlier, columns)
        if (moved := _other_scale(earlier, columns)) is not None:
            found.append(
                f"{columns.name} is standardised by these data: {moved}. The learned values "
                "belong to the earlier scale; --raw keeps one scale for any data"
            )
    if known.get("examples") != bound.binding.count:
        found.append(f"{known.get('examples')} examples there, {bound.binding.count} here")
    return found


def resumed(
    state: DescentState, known: dict[str, Any], update: UpdateRule, *, other_data: bool
) -> DescentState:
    """Return where to go on from, without what was true of other data or of another update rule.

    Parameters
    ----------
    state : DescentState
        Where the descent of a file stopped.
    known : dict
        The document of the file.
    update : UpdateRule
        The rule of the steps to come.
    other_data : bool
        Whether the costs of the file were of other data.
    """
    if known.get("settings", {}).get("update") != str(update):
        state = replace(state, slots={})
    return DescentState(state.step, state.values, state.slots) if other_data else state


def changed_settings(known: dict[str, Any], descent: Descent) -> list[str]:
    """Return which options of a descent differ from those of a file, as ``rate 0.1, now 0.5``."""
    earlier = known.get("settings", {})
    every = earlier.get("batch") == known.get("examples") and descent.batch == descent.count
    now = {
        "rate": descent.rate,
        "batch": earlier.get("batch") if every else descent.batch,
        "seed": descent.seed,
        "update": str(descent.update),
        "schedule": descent.schedule.text or None,
        "clip": descent.clip,
    }
    return [
        f"{name} {_said(earlier[name])}, now {_said(value)}"
        for name, value in now.items()
        if name in earlier and earlier[name] != value
    ]


def _said(value: object) -> str:
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refuse_others(path: str | Path, earlier: InputColumns, now: InputColumns) -> None:
    for what, there, here in (
        ("labels", earlier.words, now.words),
        ("columns", _columns(earlier), _columns(now)),
    ):
        if there != here:
            raise DataError(
                f"{path}: {now.name} had the {what} {', '.join(there) or 'none'} there, and here "
                f"it has {', '.join(here) or 'none'}. Go on with the same {what}, or leave out "
                "--start"
            )


def _columns(columns: InputColumns) -> tuple[str, ...]:
    return tuple(f.name for f in columns.features) or columns.columns


def _other_scale(earlier: InputColumns, now: InputColumns) -> str | None:
    """Return the first feature whose mean or scale is another one."""
    if now.raw:
        return None
    for a, b in zip(earlier.specs, now.specs, strict=True):
        if not (isinstance(a, NumberSpec) and isinstance(b, NumberSpec)):
            continue
        for word in ("mean", "scale"):
            x, y = getattr(a, word), getattr(b, word)
            if not math.isclose(x, y, rel_tol=_SAME_SCALE, abs_tol=_SAME_SCALE):
                return f"the {word} of {a.name} is {y:.4g}, and was {x:.4g}"
    return None
