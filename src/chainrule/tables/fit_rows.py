"""The rows of a fit in its model file: ranges of numbers, and a fingerprint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.tables.fingerprint import Fingerprint, FingerprintMaker, row_hashes
from chainrule.tables.table import NumberColumn, Table

_PART: Final = 1 << 16

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True)
class FitRows:
    """The rows of a fit in short.

    Parameters
    ----------
    ranges : mapping of str to tuple of float
        Least and largest value of each column of numbers.
    fingerprint : Fingerprint
    """

    ranges: Ranges
    fingerprint: Fingerprint


def fit_rows(table: Table, names: Sequence[str]) -> FitRows:
    """Return the rows of a fit in short.

    Parameters
    ----------
    table : Table
        The training rows.
    names : sequence of str
        The columns that the model reads.
    """
    ends: dict[str, tuple[float, float]] = {}
    maker = FingerprintMaker(table.n_rows)
    for part in table.parts(_PART):
        maker.add(row_hashes(part, names))
        for name in names:
            column = part.columns[name]
            if isinstance(column, NumberColumn) and not column.missing.all():
                low, high = ends.get(name, (np.inf, -np.inf))
                least, most = np.nanmin(column.stored), np.nanmax(column.stored)
                ends[name] = min(low, float(least)), max(high, float(most))
    return FitRows(ends, maker.fingerprint())
