"""Scores and probabilities of new rows, in one read of X.

Large dense rows are read in place by compiled loops, a few thousand at a time, so that scores are
turned into probabilities while they are in the cache. Numbers that cannot be used show in the
scores: only then is X read again, for their row and column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.passes.fused_blocks import FusedBlock, can_be_fused
from chainrule.engine.passes.probabilities import fill_probabilities
from chainrule.engine.runtime.executors import map_in_order
from chainrule.engine.runtime.machine import single_threaded_algebra
from chainrule.engine.runtime.stored_arrays import StoredArray

_ROWS: Final[int] = 2**14

Consumer = Callable[[slice, FloatArray], None]
"""Takes some rows and their scores, (n_rows, n_outputs)."""


def raw_predictions(
    X: Any,  # noqa: ANN401
    point: Point,
    *,
    offset: FloatArray | None = None,
    column_names: Sequence[str] | None = None,
    n_threads: int = 1,
) -> FloatArray:
    """Return the scores of rows, shape (n_samples, n_outputs).

    Parameters
    ----------
    X : ndarray, sparse matrix or CodedRows
    point : Point
    offset : ndarray of shape (n_samples, n_outputs), optional
    column_names : sequence of str, optional
        What errors call the columns.
    n_threads : int
        The answer has the same bits for any number.

    Raises
    ------
    DataError
        When X holds NaN, inf or a number too large to use; it names row and column.
    """
    found = np.empty((X.shape[0], point.coef.shape[1]))

    def keep(rows: slice, raw: FloatArray) -> None:
        found[rows] = raw

    _read(X, point, offset, column_names, n_threads, keep)
    return found


def probabilities(
    X: Any,  # noqa: ANN401
    point: Point,
    *,
    offset: FloatArray | None = None,
    column_names: Sequence[str] | None = None,
    n_threads: int = 1,
) -> FloatArray:
    """Return the probability of each class, shape (n_samples, n_classes).

    Parameters are those of `raw_predictions`.
    """
    n_outputs = point.coef.shape[1]
    found = np.empty((X.shape[0], max(2, n_outputs)))
    loss = BinaryLoss() if n_outputs == 1 else SoftmaxLoss(n_outputs)

    def keep(rows: slice, raw: FloatArray) -> None:
        found[rows] = loss.proba(raw)

    if not _is_compiled(X):
        _read(X, point, offset, column_names, n_threads, keep)
        return found
    shift = np.empty((0, n_outputs)) if offset is None else np.ascontiguousarray(offset)

    def some(rows: slice) -> bool:
        return fill_probabilities(X[rows], point.coef, point.intercept, shift[rows], found[rows])

    # products of matrices of several outputs are BLAS's: its threads would wait for ours
    with single_threaded_algebra() if n_outputs > 1 else nullcontext():
        _check(X, _over_rows(some, X.shape[0], n_threads), column_names)
    return found


def _is_compiled(X: Any) -> bool:  # noqa: ANN401
    return isinstance(X, np.ndarray | StoredArray) and can_be_fused(X)


def _read(
    X: Any,  # noqa: ANN401
    point: Point,
    offset: FloatArray | None,
    column_names: Sequence[str] | None,
    n_threads: int,
    consume: Consumer,
) -> None:
    """Give all rows with their scores to a consumer, some at a time."""
    if not _is_compiled(X):
        source = InMemorySource(
            X, np.zeros(X.shape[0]), column_names=column_names, offset=offset, n_threads=n_threads
        )
        coef = point.coef * source.column_scale[:, None]
        for index in range(source.n_blocks):
            block = source.block(index)
            consume(block.rows, block.X.matvec(coef) + point.intercept + block.offset)
        return

    def some(rows: slice) -> bool:
        raw = FusedBlock(X[rows]).matvec(point.coef) + point.intercept
        if offset is not None:
            raw += offset[rows]
        consume(rows, raw)
        return bool(np.isfinite(raw).all())

    with np.errstate(over="ignore", invalid="ignore"):
        are_finite = _over_rows(some, X.shape[0], n_threads)
    _check(X, are_finite, column_names)


def _over_rows(function: Callable[[slice], bool], n_samples: int, n_threads: int) -> bool:
    """Call a function on some rows at a time; tell whether it is always true."""

    def one(index: int) -> bool:
        return function(slice(index * _ROWS, min((index + 1) * _ROWS, n_samples)))

    return all(list(map_in_order(one, -(-n_samples // _ROWS), n_threads)))


def _check(X: Any, are_finite: bool, column_names: Sequence[str] | None) -> None:  # noqa: ANN401
    """Raise a DataError that names the number of X that cannot be used, where there is one."""
    if not are_finite:
        InMemorySource(X, np.zeros(X.shape[0]), column_names=column_names)
