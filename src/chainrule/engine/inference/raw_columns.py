"""The columns that a design is computed from, as marginal effects move and set them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray

_STEP: Final = 1e-5
"""The step of a central difference, in standard deviations."""


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


class RawColumns(Protocol):
    """The columns that a design is computed from, at the rows of a fit."""

    @property
    def is_plain(self) -> bool:
        """Whether every column of the design is one of the data, or a level of one."""

    def changes(self, *, discrete: bool) -> Iterable[ColumnChange]:
        """Return the contrasts of all columns; `discrete` as in `Inference.ame`."""

    def levels(self, factor: str, weight: FloatArray) -> tuple[list[str], FloatArray]:
        """Return the levels of a category, and the design of each, averaged over the others."""


def central(values: FloatArray) -> tuple[FloatArray, FloatArray, float]:
    """Return values half a step lower and higher, and the step; NaN stays NaN."""
    step = _STEP * float(np.nanstd(values)) or _STEP
    before, after = values - step / 2, values + step / 2
    # What the step is after rounding, on average: far values move by a little more or less.
    return before, after, float(np.nanmean(after - before))
