"""One compiled pass over dense rows of several classes: loss and gradient in one read of X.

A few rows at a time stay in the L2 cache. Their products with the coefficients, and back, are
BLAS's; between them lie tables with one row a class, so that the emitted formulas run over many
examples at once. Labels are codes. Rows of another type or order are copied, a few at a time.

The digest is written here: numba's disk cache looks at this file alone.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import overload

from chainrule.engine.losses import _emitted_classes as formulas
from chainrule.engine.losses.vectorised import (
    Vector,
    exp_nonpositive,
    inlined,
    kept,
    log1p_nonnegative,
    with_functions,
)

Matrix = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]

FORMULAS: Final = "402e8448eb891264"
"""The digest of the formulas that are compiled in; written by `make emit`."""

INNER_ROWS: Final[int] = 256
"""Rows of one inner step at most."""

INNER_BYTES: Final[int] = 2**18
"""What they occupy at most: a part of the L2 cache."""


def inner_rows(n_features: int) -> int:
    """Return how many rows a pass works on at a time."""
    return int(np.clip(INNER_BYTES // (8 * max(1, n_features)), 32, INNER_ROWS) // 8 * 8)


def _compiled(function: Any) -> Any:  # noqa: ANN401
    return inlined(with_functions(function, exp=exp_nonpositive, log1p=log1p_nonnegative))


_relative = _compiled(formulas.softmax_relative)
_other = _compiled(formulas.softmax_other)
_distance = _compiled(formulas.softmax_distance)
_loss = _compiled(formulas.softmax_loss)
_proba = _compiled(formulas.softmax_proba)
_doubt = _compiled(formulas.softmax_doubt)


def _plain_rows(X: Matrix, start: int, stop: int, buffer: Matrix) -> Matrix:
    """Return some rows of X as float64 in C order, in the buffer unless they are already."""
    # What it means; compiled, numba picks one of the two below by the type of X.
    return np.ascontiguousarray(X[start:stop], dtype=np.float64)


@overload(_plain_rows, inline="always")
def _plain_rows_by_type(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
    def direct(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
        return X[start:stop]

    def by_rows(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
        for i in range(start, stop):
            for j in range(X.shape[1]):
                buffer[i - start, j] = X[i, j]
        return buffer[: stop - start]

    def by_columns(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
        for j in range(X.shape[1]):
            for i in range(start, stop):
                buffer[i - start, j] = X[i, j]
        return buffer[: stop - start]

    if X.layout != "C":
        return by_columns
    return direct if X.dtype == types.float64 else by_rows


@kept
def _residuals(
    scores: Matrix,
    codes: Codes,
    weight: Vector,
    residual: Matrix,
    shift: Vector,
    others: Vector,
    best: Codes,
    own: Vector,
) -> float:
    """Fill in the weighted residuals of a table of scores; return the weighted loss.

    The other arrays are room for one number an example.
    """
    n_classes, count = scores.shape
    for i in range(count):
        shift[i], best[i], others[i] = scores[0, i], 0, 0.0
    for k in range(1, n_classes):
        for i in range(count):
            ahead = scores[k, i] > shift[i]
            shift[i] = scores[k, i] if ahead else shift[i]
            best[i] = k if ahead else best[i]
    for k in range(n_classes):
        for i in range(count):
            relative = _relative(scores[k, i], shift[i])
            residual[k, i] = relative
            others[i] += _other(1.0 if best[i] == k else 0.0, relative)
    loss = 0.0
    for i in range(count):
        k = codes[i]
        top_class = 1.0 if best[i] == k else 0.0
        own[i] = _doubt(top_class, residual[k, i], others[i])
        loss += weight[i] * _loss(_distance(scores[k, i], shift[i]), others[i])
    for k in range(n_classes):
        for i in range(count):
            elsewhere = _proba(residual[k, i], others[i])
            residual[k, i] = weight[i] * (own[i] if codes[i] == k else elsewhere)
    return loss


@kept
def softmax_pass(
    X: Matrix,
    codes: Codes,
    weight: Vector,
    coef: Matrix,
    intercept: Vector,
    raw_prediction: Matrix,
    inner: int,
) -> tuple[float, Matrix, Vector]:
    """Return the sums over rows of a softmax problem, and fill `raw_prediction`.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    codes : ndarray of shape (n_rows,)
    weight : ndarray of shape (n_rows,)
    coef : ndarray of shape (n_features, n_classes)
    intercept : ndarray of shape (n_classes,)
    raw_prediction : ndarray of shape (n_classes, n_rows)
        Left alone where it has no columns.
    inner : int

    Returns
    -------
    loss : float
    gradient : ndarray of shape (n_classes, n_features)
    residual : ndarray of shape (n_classes,)
        Their sum over the rows.
    """
    n_rows, n_features = X.shape
    n_classes, keep = coef.shape[1], raw_prediction.shape[1] > 0
    buffer, product = np.empty((inner, n_features)), np.empty((inner, n_classes))
    level, table = np.empty(n_classes * inner), np.empty(n_classes * inner)
    room = np.empty((3, inner))
    best = np.empty(inner, dtype=np.intp)
    gradient, part = np.zeros((n_classes, n_features)), np.empty((n_classes, n_features))
    total, loss = np.zeros(n_classes), 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        count = stop - start
        B = _plain_rows(X, start, stop, buffer)
        np.dot(B, coef, product[:count])
        # in one piece, so that products and loops know that numbers follow each other
        scores = level[: n_classes * count].reshape(n_classes, count)
        residual = table[: n_classes * count].reshape(n_classes, count)
        for k in range(n_classes):
            for i in range(count):
                scores[k, i] = product[i, k] + intercept[k]
        if keep:
            raw_prediction[:, start:stop] = scores
        loss += _residuals(
            scores,
            codes[start:stop],
            weight[start:stop],
            residual,
            room[0],
            room[1],
            best,
            room[2],
        )
        np.dot(residual, B, part)
        gradient += part
        for k in range(n_classes):
            total[k] += residual[k].sum()
    return loss, gradient, total
