"""The Hessian of a few columns: weighted products of columns, block by block."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.blocks import MatrixBlock, SparseBlock
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.runtime.executors import Partial

_THIN: Final[float] = 0.05
"""The share of entries below which products of sparse columns take less time than dense ones."""

_THIN_COMPILED: Final[float] = 0.2
"""The same where products of sparse columns are compiled."""


@dataclass(frozen=True)
class Snapshot:
    """A Hessian of the losses in some columns and the intercept, and where it was taken.

    Attributes
    ----------
    columns : ndarray of shape (k,)
        In ascending order.
    hessian : ndarray of shape (k + 1, k + 1)
    raw_prediction : ndarray of shape (n_samples, 1)
    factored : dict
        Room for the last factors of a part, by a description of it.
    """

    columns: IntArray
    hessian: FloatArray
    raw_prediction: FloatArray
    factored: dict[bytes, Any] = field(default_factory=dict, compare=False, repr=False)

    def places(self, columns: IntArray) -> IntArray | None:
        """Return where some columns stand in the Hessian; None where one lacks."""
        places = np.searchsorted(self.columns, columns)
        if len(self.columns) == 0 or (places >= len(self.columns)).any():
            return None
        return places if (self.columns[places] == columns).all() else None

    def part(self, places: IntArray) -> FloatArray:
        """Return the Hessian in some places, and the intercept."""
        kept = np.append(places, len(self.columns))
        found: FloatArray = self.hessian[np.ix_(kept, kept)]
        return found

    def drift(self, raw_prediction: FloatArray) -> float:
        """Return how far the scores have moved since, at most."""
        return float(np.abs(raw_prediction - self.raw_prediction).max(initial=0.0))


def gram(
    objective: Objective, at: Evaluation, columns: IntArray, *, bound: float | None
) -> FloatArray:
    """Return the Hessian of the losses in some coefficients and the intercept.

    Parameters
    ----------
    objective : Objective
        Of one score per row.
    at : Evaluation
        Where the curvature is taken.
    columns : ndarray of shape (k,)
    bound : float or None
        A curvature that takes the place of each example's own.

    Returns
    -------
    ndarray of shape (k + 1, k + 1)
        The last row and column belong to the intercept.
    """
    (found,) = objective.sum_at(at, block_gram, columns, bound)
    objective.passes -= 1 - len(columns) / max(1, objective.source.n_features)
    return found


def block_gram(
    objective: Objective,
    block: RowBlock,
    raw: FloatArray,
    columns: IntArray,
    bound: float | None,
) -> Partial:
    """Return what one block of rows adds to `gram`."""
    if bound is None:
        bend = objective.loss.pointwise_hessian(raw, block.y)[:, 0, 0]
    else:
        bend = np.full(len(block.y), bound)
    places = np.full(objective.source.n_features, -1, dtype=np.intp)
    places[columns] = np.arange(len(columns))
    square = np.empty((len(columns) + 1, len(columns) + 1))
    scattered = _compiled_columns(block.X, columns, places)
    if scattered is not None:
        weight = block.sample_weight * bend
        square[:-1, :-1] = scattered.sandwich(weight)
        square[:-1, -1] = square[-1, :-1] = scattered.rmatvec(weight[:, None])[:, 0]
        square[-1, -1] = weight.sum()
        return (square,)
    root = np.sqrt(block.sample_weight * bend)
    chosen = chosen_columns(block.X, columns, places)
    if isinstance(chosen, np.ndarray):
        table = np.empty((len(root), len(columns) + 1))
        np.multiply(chosen, root[:, None], out=table[:, :-1])
        table[:, -1] = root
        return (table.T @ table,)
    scaled = chosen.multiply(root[:, None]).tocsr()
    border = scaled.T @ root
    square[:-1, :-1] = (scaled.T @ scaled).toarray()
    square[:-1, -1] = square[-1, :-1] = border
    square[-1, -1] = root @ root
    return (square,)


def _compiled_columns(
    X: MatrixBlock, columns: IntArray, places: IntArray
) -> FusedSparseBlock | None:
    """Return some columns of a block with compiled products; None where they are not so sparse."""
    if not isinstance(X, FusedSparseBlock):
        return None
    n_rows, n_columns = X.shape[0], len(columns)
    first, last = int(X.indptr[0]), int(X.indptr[-1])
    if n_columns == X.n_features:
        return X if last - first <= _THIN_COMPILED * n_rows * n_columns else None
    place = places[X.indices[first:last]]
    kept = place >= 0
    ends = np.concatenate([[0], np.cumsum(kept)])
    if ends[-1] > _THIN_COMPILED * n_rows * n_columns:
        return None
    data, indices = X.data[first:last][kept], place[kept].astype(X.indices.dtype)
    indptr = ends[X.indptr - first].astype(X.indptr.dtype)
    return FusedSparseBlock(data, indices, indptr, n_columns)


def chosen_columns(X: MatrixBlock, columns: IntArray, places: IntArray) -> Any:  # noqa: ANN401
    """Return some columns of a block as float64: dense, or CSR where nearly all entries are 0.

    Parameters
    ----------
    X : MatrixBlock
    columns : ndarray of shape (k,)
    places : ndarray of shape (n_features,)
        The place of each column among them; -1 for others.
    """
    if isinstance(X, SparseBlock):
        data, indices, indptr = X.values.data, X.values.indices, X.values.indptr
    elif isinstance(X, FusedSparseBlock):
        first, last = int(X.indptr[0]), int(X.indptr[-1])
        data, indices, indptr = X.data[first:last], X.indices[first:last], X.indptr - first
    else:
        values: Any = getattr(X, "values")  # noqa: B009
        if len(columns) == values.shape[1]:
            return values
        return values.take(columns, axis=1)
    place = places[indices]
    kept = np.flatnonzero(place >= 0)
    n_rows, n_columns = X.shape[0], len(columns)
    lengths = np.diff(indptr)
    rows = np.repeat(np.arange(n_rows), lengths)[kept]
    if len(kept) > _THIN * n_rows * n_columns:
        dense = np.zeros((n_rows, n_columns))
        dense[rows, place[kept]] = data[kept]
        return dense
    from scipy import sparse

    return sparse.csr_array((data[kept], (rows, place[kept])), shape=(n_rows, n_columns))
