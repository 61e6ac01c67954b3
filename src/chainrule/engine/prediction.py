"""Scores and probabilities of new rows, in one read of X.

Large dense rows are read in place by compiled loops, a few thousand at a time, so that scores are
turned into probabilities while they are in the cache. Numbers that cannot be used show in the
scores: only then is X read again, for their row and column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.compiled import evaluate, logistic_kernel
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.passes.fused_blocks import FusedBlock, can_be_fused
from chainrule.engine.runtime.executors import map_in_order
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
    kernel = logistic_kernel() if n_outputs == 1 and _is_compiled(X) else 0
    zeros, ones = np.zeros(_ROWS), np.ones(_ROWS)

    def keep(rows: slice, raw: FloatArray) -> None:
        if not kernel:
            found[rows] = loss.proba(raw)
            return
        score, n = raw[:, 0], len(raw)
        # the derivative of the loss is a - y: a for y = 0, and -(1 - a), with all digits, for y = 1
        found[rows, 1] = evaluate(kernel, score, zeros[:n])[1]
        np.negative(evaluate(kernel, score, ones[:n])[1], out=found[rows, 0])

    _read(X, point, offset, column_names, n_threads, keep)
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
    n_samples = X.shape[0]

    def some(index: int) -> bool:
        rows = slice(index * _ROWS, min((index + 1) * _ROWS, n_samples))
        raw = FusedBlock(X[rows]).matvec(point.coef) + point.intercept
        if offset is not None:
            raw += offset[rows]
        consume(rows, raw)
        return bool(np.isfinite(raw).all())

    with np.errstate(over="ignore", invalid="ignore"):
        are_finite = list(map_in_order(some, -(-n_samples // _ROWS), n_threads))
    if not all(are_finite):
        InMemorySource(X, np.zeros(n_samples), column_names=column_names)  # raises
