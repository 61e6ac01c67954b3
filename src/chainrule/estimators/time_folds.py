"""Folds forward in time. NumPy alone: the command line makes its folds by it too."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import IntArray
from chainrule.errors import DataError

Folds = list[tuple[IntArray, IntArray]]


def time_folds(time: npt.NDArray[Any], n_folds: int) -> Folds:
    """Return folds forward in time: each holds out a stretch, and trains on all that is earlier.

    The moments are cut into ``n_folds + 1`` stretches of about the same number of rows.

    Raises
    ------
    DataError
        When a time is missing, or there are too few moments.
    """
    # NaN and NaT differ from themselves
    missing = np.flatnonzero([t is None for t in time] if time.dtype == object else time != time)
    if not len(missing) and time.dtype == object:
        missing = np.flatnonzero([t != t for t in time])
    if len(missing):
        raise DataError(
            f"time is missing in row {missing[0]}: fill it in, or leave the row out of the fit"
        )
    try:
        moments, codes = np.unique(time, return_inverse=True)
    except TypeError as error:
        raise DataError("time mixes kinds of values; make all of them dates or numbers") from error
    if len(moments) < n_folds + 1:
        raise DataError(
            f"time has {len(moments)} distinct values, and {n_folds} folds forward in time need "
            f"{n_folds + 1}: use fewer folds"
        )
    ends = np.cumsum(np.bincount(codes))  # rows up to each moment
    aims = len(time) * np.arange(1, n_folds + 1) / (n_folds + 1)
    borders = np.searchsorted(ends, aims) + 1
    least = np.arange(1, n_folds + 1)
    borders = np.maximum(borders, least)
    borders = np.maximum.accumulate(borders - least) + least  # each stretch has a moment
    borders = np.minimum(borders, len(moments) - n_folds - 1 + least)
    edges = np.append(borders, len(moments))
    return [
        (np.flatnonzero(codes < start), np.flatnonzero((codes >= start) & (codes < end)))
        for start, end in pairwise(edges)
    ]
