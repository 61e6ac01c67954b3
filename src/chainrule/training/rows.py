"""Some rows of a problem: a block of them, how they are drawn at random, how they are copied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from chainrule.training.arrays import FloatArray, IntArray
from chainrule.training.blocks import MatrixBlock
from chainrule.training.executors import map_in_order

_COPIED_ROWS: Final[int] = 2**10


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


def spread_rows(n_samples: int, n_rows: int, seed: int) -> IntArray:
    """Return the numbers of `n_rows` rows, one drawn at random from each of as many equal parts."""
    edges = np.arange(n_rows + 1) * n_samples // n_rows
    draw = np.random.default_rng(seed).random(n_rows)
    return np.asarray(edges[:-1] + (draw * np.diff(edges)).astype(np.intp))


def copied_rows(X: Any, rows: IntArray, n_threads: int) -> Any:  # noqa: ANN401
    """Return some rows of a dense array; what takes time is fresh memory, which threads share."""
    found = np.empty((len(rows), X.shape[1]), dtype=X.dtype)

    def one(index: int) -> None:
        part = slice(index * _COPIED_ROWS, (index + 1) * _COPIED_ROWS)
        np.take(X, rows[part], axis=0, out=found[part], mode="clip")

    for _ in map_in_order(one, -(-len(rows) // _COPIED_ROWS), n_threads):
        pass
    return found
