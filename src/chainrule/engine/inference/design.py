"""The rows of a problem as pieces of its design matrix: the intercept first, columns centred.

Columns that lie far from zero would cost digits of every covariance; around their middle they do
not, and covariances are brought back to the units of the data by one linear map.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.rows import stratified_rows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Point

_ROWS: Final[int] = 1024
_SAMPLED: Final[int] = 4096
_SEED: Final[int] = 0


@dataclass(frozen=True)
class Piece:
    """Some rows of a design matrix.

    Attributes
    ----------
    rows : slice
        Which rows of the data these are.
    design : ndarray of shape (n_rows, n_terms)
        Ones first, where there is an intercept.
    y : ndarray of shape (n_rows,) or (n_rows, n_classes)
    weight : ndarray of shape (n_rows,)
    offset : ndarray of shape (n_rows, n_outputs) or 0.0
    """

    rows: slice
    design: FloatArray
    y: FloatArray
    weight: FloatArray
    offset: FloatArray | float


class Design:
    """The design matrix of a problem, piece by piece.

    Parameters
    ----------
    source : InMemorySource
    fit_intercept : bool
    columns : ndarray, optional
        The columns that take part; all by default.
    centred : bool
        Whether columns are centred, where there is an intercept.

    Attributes
    ----------
    n_terms : int
        Columns of the design matrix, intercept included.
    middle : ndarray of shape (n_columns,)
        What is subtracted from the columns, in the units of the source's blocks.
    """

    def __init__(
        self,
        source: InMemorySource,
        *,
        fit_intercept: bool,
        columns: IntArray | None = None,
        centred: bool = True,
    ) -> None:
        self.source = source
        self.fit_intercept = fit_intercept
        every = np.arange(source.n_features)
        self.columns: IntArray = every if columns is None else columns
        self._is_whole = len(self.columns) == source.n_features
        self.n_terms = len(self.columns) + int(fit_intercept)
        self.middle = np.zeros(len(self.columns))
        if fit_intercept and centred:
            self.middle = self._sampled_means()

    def on(self, source: InMemorySource | None) -> Design:
        """Return the same columns of other rows; of none, where it is sent to those who have them.

        Columns stay around the same middle.
        """
        found = copy(self)
        found.__dict__["source"] = source
        return found

    def pieces(self, index: int) -> Iterator[Piece]:
        """Yield block number `index` of the source, piece by piece."""
        block = self.source.block(index)
        few, height = block.X.dense_rows(), len(block.y)
        rest = next(few)
        for start in range(0, height, _ROWS):
            part = slice(start, min(start + _ROWS, height))
            design = np.empty((part.stop - start, self.n_terms))
            design[:, : int(self.fit_intercept)] = 1.0
            filled = 0
            while True:
                taken = min(len(rest), len(design) - filled)
                self._fill(design[filled : filled + taken], rest[:taken])
                filled, rest = filled + taken, rest[taken:]
                if filled == len(design):
                    break
                rest = next(few)
            offset = block.offset if isinstance(block.offset, float) else block.offset[part]
            rows = slice(block.rows.start + start, block.rows.start + part.stop)
            yield Piece(rows, design, block.y[part], block.sample_weight[part], offset)

    def parameters(self, point: Point) -> FloatArray:
        """Return coefficients in the units of the data as parameters, (n_terms, n_outputs)."""
        source, columns = self.source, self.columns
        coef = point.coef[columns] * source.column_scale[columns, None]
        if not self.fit_intercept:
            return coef
        shift = source.column_shift[columns] @ point.coef[columns] + self.middle @ coef
        return np.vstack([point.intercept + shift, coef])

    def to_data(self) -> FloatArray:
        """Return the matrix that takes parameters to intercept and coefficients of the data."""
        source, columns = self.source, self.columns
        scale = 1 / source.column_scale[columns]
        if not self.fit_intercept:
            return np.diag(scale)
        found = np.diag(np.concatenate([[1.0], scale]))
        found[0, 1:] = -self.middle - source.column_shift[columns] * scale
        return found

    def _fill(self, design: FloatArray, few: FloatArray) -> None:
        """Write the columns of some rows into their place."""
        kept = few if self._is_whole else few[:, self.columns]
        np.subtract(kept, self.middle, out=design[:, int(self.fit_intercept) :])

    def _sampled_means(self) -> FloatArray:
        """Return the means of the columns over some rows, in the units of the source's blocks."""
        source = self.source
        n_rows = min(source.n_samples, _SAMPLED)
        few = source.take_rows(stratified_rows(source.n_samples, n_rows, _SEED))
        total = np.zeros(source.n_features)
        for index in range(few.n_blocks):
            for rows in few.matrix(index).dense_rows():
                total += rows.sum(axis=0)
        return total[self.columns] / n_rows
