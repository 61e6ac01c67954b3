"""Some rows of a problem: a block of them, and how they are drawn at random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes.blocks import MatrixBlock

LARGEST_SAMPLE: Final[int] = 16
"""One row in so many is in the largest sample that a fit draws."""

_SEED: Final[int] = 20_260
_DRAWN: Final[int] = 2**16


@dataclass(frozen=True)
class RowBlock:
    """Some rows of a problem.

    Attributes
    ----------
    rows : slice
        Which rows of the data these are.
    X : MatrixBlock of shape (n_rows, n_features)
    y : ndarray of shape (n_rows,) or (n_rows, n_classes)
    sample_weight : ndarray of shape (n_rows,)
    offset : ndarray of shape (n_rows, n_outputs) or 0.0
        What is added to the raw predictions.
    """

    rows: slice
    X: MatrixBlock
    y: FloatArray
    sample_weight: FloatArray
    offset: FloatArray | float = 0.0


def stratified_rows(n_samples: int, n_rows: int, seed: int) -> IntArray:
    """Return the numbers of `n_rows` rows, one drawn at random from each of as many equal parts."""
    random, found = np.random.default_rng(seed), np.empty(n_rows, dtype=np.intp)
    for start in range(0, n_rows, _DRAWN):  # some at a time, as there may be very many
        part = found[start : start + _DRAWN]
        edges = np.arange(start, start + len(part) + 1) * n_samples // n_rows
        part[:] = edges[:-1] + (random.random(len(part)) * np.diff(edges)).astype(np.intp)
    return found


def largest_sample(n_samples: int, fraction: int = LARGEST_SAMPLE) -> IntArray:
    """Return the numbers of the rows of the largest sample: one in so many."""
    return stratified_rows(n_samples, n_samples // fraction, _SEED)
