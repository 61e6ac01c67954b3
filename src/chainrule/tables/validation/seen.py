"""Rows of a test file that the model was fitted to: measures on them flatter it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.table import RowNumbers

_DISTINCT: Final = 0.5
"""Share of distinct rows of the fit below which equal rows say nothing: few categories repeat."""
_MANY: Final = 0.1


def seen_notes(
    measured: NDArray[np.float64],
    numbers: RowNumbers,
    fitted: NDArray[np.float64],
    where: str,
) -> Iterator[str]:
    """Yield a note where many measured rows have the target and the prediction of rows of the fit.

    Equal columns give equal predictions. Nothing is said where rows of the fit repeat each other,
    so that new rows equal them by chance.

    Parameters
    ----------
    measured, fitted : ndarray of shape (n_samples, n_numbers)
        Target and predictions of each row.
    numbers : ndarray of int
        The numbers of the measured rows.
    where : str
        Which rows are measured.
    """
    known = np.unique(_rounded(fitted), axis=0)
    if len(known) < _DISTINCT * len(fitted):
        return
    both, place = np.unique(np.vstack([known, _rounded(measured)]), axis=0, return_inverse=True)
    is_known = np.zeros(len(both), dtype=np.bool_)
    is_known[place[: len(known)]] = True
    n, n_rows = len(np.unique(numbers[is_known[place[len(known) :]]])), len(np.unique(numbers))
    if n >= max(2, _MANY * n_rows):
        yield (
            f"{n} of {n_rows} {where} have the target and the prediction of a row of the fit, as "
            "if they were the same rows: measures on rows of the fit flatter the model. Give a "
            "file of other rows."
        )


def _rounded(keys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers to 12 digits, for a prediction in another batch may round differently."""
    with np.errstate(divide="ignore"):
        unit = 10.0 ** np.floor(np.log10(np.abs(keys)))
    unit[~np.isfinite(unit) | (unit == 0)] = 1.0
    return np.asarray(np.round(keys / unit, 11) * unit)
