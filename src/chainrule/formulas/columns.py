"""Columns as formulas take them: numbers, or words as codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column of numbers; NaN where missing.

    Parameters
    ----------
    values : ndarray of float64
    """

    values: Floats

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        return np.isnan(self.values)


@dataclass(frozen=True, eq=False)
class Words:
    """A column of words.

    Parameters
    ----------
    codes : ndarray of int64
        The place of each row's word; -1 where missing.
    words : tuple of str
    """

    codes: NDArray[np.int64]
    words: tuple[str, ...]

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which rows have no value."""
        return self.codes < 0


Column = Numbers | Words
