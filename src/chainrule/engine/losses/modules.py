"""Loss rows from the modules that `chainrule.emission` writes."""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from functools import lru_cache, wraps
from hashlib import sha256
from types import ModuleType
from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import Facts, Kernels, LossRow, Targets


def row_of(module: ModuleType, source: str) -> LossRow:
    """Return the row of a loss from its module.

    Parameters
    ----------
    module : module
        As `chainrule.emission` writes it.
    source : str
        Its text.
    """
    names: dict[str, Any] = vars(module)
    return LossRow(
        names["NAME"],
        names["FORMULA"],
        Targets(**names["TARGETS"]),
        Facts(**names["FACTS"]),
        Kernels(
            *(_quiet(names[name]) for name in ("terms", "errors", "curvature_range", "mean")),
            *(_quiet(names[name]) if name in names else None for name in ("link", "least")),
        ),
        names["LINK"],
        source,
    )


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let values overflow to infinity without a warning: solvers and bounds see them."""

    @wraps(function)
    def quiet(*arrays: FloatArray) -> Any:  # noqa: ANN401
        with np.errstate(all="ignore"):
            return function(*arrays)

    return quiet


@lru_cache(maxsize=256)
def row_of_source(source: str) -> LossRow:
    """Return the row of a loss from the text of its module; equal texts give one row.

    The text is one that `chainrule.emission` has written: names, constants and calls of the
    operations in its table, and nothing of what a user typed but the strings of the formula.
    """
    name = f"chainrule.engine.losses.emitted.at_{sha256(source.encode()).hexdigest()[:16]}"
    module = ModuleType(name)
    exec(compile(source, f"<{name}>", "exec"), vars(module))
    return row_of(module, source)


def _reduced(row: LossRow) -> tuple[Callable[[str], LossRow], tuple[str]]:
    """Pickle the text of the module: functions that were compiled from text have no address."""
    return row_of_source, (row.source,)


copyreg.pickle(LossRow, _reduced)
