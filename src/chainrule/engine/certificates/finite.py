"""The last gate of a fit: coefficients that float64 can hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.data.unusable import LARGEST
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.errors import DataError

_SMALLEST: Final[float] = 1e-120
"""The square of a smaller target, times a tolerance, is nothing in float64."""


def refuse_overflow(point: Point, names: Sequence[str], column_maxima: FloatArray) -> None:
    """Raise if a coefficient is infinite in the units of the data, naming its column.

    Parameters
    ----------
    point : Point
        In the units of the data.
    names : sequence of str
        The names of the columns.
    column_maxima : ndarray of shape (n_features,)
        max_i |x_ij|.
    """
    if not np.isfinite(point.coef).all():
        bad = np.flatnonzero(~np.isfinite(point.coef).all(axis=1))
        largest = float(column_maxima[bad[0]])
        raise DataError(
            f"the coefficient of {names[bad[0]]!r} is beyond the range of float64, for its "
            f"values are at most {largest:g}: multiply the column by a power of ten"
        )
    if not np.isfinite(point.intercept).all():
        raise DataError(
            "the intercept is beyond the range of float64: move the columns and the offset closer "
            "to zero"
        )


def refuse_targets(source: InMemorySource, row: LossRow) -> None:
    """Raise if all targets of a loss in their own units are so large or small that squares vanish.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow
    """
    _, y, _ = source.given
    if row.link_name != "identity" or not len(y):
        return
    place = int(np.abs(y).argmax())
    largest = abs(float(y[place]))
    if largest == 0 or _SMALLEST <= largest <= LARGEST:
        return
    raise DataError(
        f"the largest target is {largest:g}, in row {source.row_number(place)}: its square leaves "
        "the range of float64. Multiply the targets by a power of ten"
    )
