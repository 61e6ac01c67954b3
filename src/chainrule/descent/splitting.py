"""Rows to learn from, and rows that are kept aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.errors import DataError
from chainrule.lecture import Rows


@dataclass(frozen=True, eq=False)
class Split:
    """A split of the rows, each part in the order of the table.

    Parameters
    ----------
    fitted : array of int
        The rows to learn from.
    held : array of int
        The rows that are kept aside.
    """

    fitted: Rows
    held: Rows


def split(count: int, share: float, seed: int) -> Split:
    """Split rows at random.

    Parameters
    ----------
    count : int
        The number of rows.
    share : float
        The share that is kept aside, from 0 to below 1.
    seed : int
        The same seed gives the same rows.

    Raises
    ------
    DataError
        When no row would be left on one of the two sides.
    """
    if share == 0:
        return Split(np.arange(count), np.arange(0))
    if not 0 < share < 1:
        raise DataError(f"a share of {share:g} is held out; it must be above 0 and below 1")
    held = round(share * count)
    if not 0 < held < count:
        raise DataError(
            f"a share of {share:g} of {count} rows leaves "
            + ("nothing to learn from" if held else "no row to hold out")
            + "; choose another share, or bring more rows"
        )
    order = np.random.default_rng((seed, 5)).permutation(count)
    return Split(np.sort(order[held:]), np.sort(order[:held]))
