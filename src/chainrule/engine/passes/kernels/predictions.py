"""Compiled: probabilities of dense rows, in one read of X."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.emitted import logistic
from chainrule.engine.losses.vectorised import (
    Vector,
    exact,
    exp_nonpositive,
    inlined,
    with_functions,
)
from chainrule.engine.passes.kernels.fused import scores_of
from chainrule.engine.passes.kernels.softmax import class_scores, plain_rows, proba_of, shares

Matrix = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]

_mean = inlined(with_functions(logistic.mean, exp=exp_nonpositive))


@exact
def two_classes(
    X: Matrix, coef: Vector, intercept: float, offset: Matrix, found: Matrix, lines: Matrix
) -> bool:
    """Fill in the probabilities of two classes; tell whether all scores are finite.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
    coef : ndarray of shape (n_features,)
    intercept : float
    offset : ndarray of shape (n_rows, 1)
        Without rows where there is none.
    found : ndarray of shape (n_rows, 2)
    lines : ndarray of shape (3, n)
        Room for the rows that are worked on at a time.
    """
    n_rows, inner, lost = X.shape[0], lines.shape[1], 0
    raw, low, high = lines[0], lines[1], lines[2]
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        count = stop - start
        scores_of(X, start, stop, coef, intercept, raw[:count])
        if offset.shape[0]:
            for i in range(count):
                raw[i] += offset[start + i, 0]
        for i in range(count):
            lost += not abs(raw[i]) < np.inf
            low[i] = _mean(-raw[i])
            high[i] = _mean(raw[i])
        for i in range(count):
            found[start + i, 0] = low[i]
            found[start + i, 1] = high[i]
    return lost == 0


@exact
def several_classes(
    product: int,
    X: Matrix,
    coef: Matrix,
    intercept: Vector,
    offset: Matrix,
    found: Matrix,
    scores: Matrix,
    table: Matrix,
    buffer: Matrix,
    lines: Matrix,
    best: Codes,
) -> bool:
    """Fill in the probabilities of several classes; tell whether all scores are finite.

    Parameters
    ----------
    product : int
        The address of BLAS's `dgemm`.
    X : ndarray of shape (n_rows, n_features)
    coef : ndarray of shape (n_classes, n_features)
    intercept : ndarray of shape (n_classes,)
    offset, found : ndarray of shape (n_rows, n_classes)
        The offset has no rows where there is none.
    scores, table : ndarray of shape (n_classes, step)
        Room for one step, as are the others: (step, n_features), where X is not float64 in C
        order; (5, step); (step,).
    """
    n_rows, n_classes, step, lost = X.shape[0], intercept.shape[0], scores.shape[1], 0
    others = lines[1]
    for first in range(0, n_rows, step):
        stop = min(first + step, n_rows)
        count = stop - first
        part = plain_rows(X, first, stop, buffer)
        class_scores(product, X, part, coef, scores, 0)
        for k in range(n_classes):
            row = scores[k]
            for i in range(count):
                row[i] += intercept[k]
            if offset.shape[0]:
                for i in range(count):
                    row[i] += offset[first + i, k]
            for i in range(count):
                lost += not abs(row[i]) < np.inf
        shares(scores, 0, count, table, lines, best)
        for k in range(n_classes):
            share = table[k]
            for i in range(count):
                share[i] = proba_of(share[i], others[i])
        for i in range(count):
            for k in range(n_classes):
                found[first + i, k] = table[k, i]
    return lost == 0
