"""Passes over dense rows of several classes: tables with one row per class, a few examples each.

A table of some thousand numbers stays in the cache while its shift, exponentials, sums and
residuals are taken, and numbers of one class follow each other, so that every operation runs over
many examples at once; products with X are left to BLAS. Labels stay codes: what holds for the label
of an example is computed for that class alone. The formulas are the emitted ones, part by part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.losses import _emitted_classes as formulas

TABLE: Final[int] = 10_240
"""Numbers of a table: a part of the L2 cache, and less than malloc maps afresh."""

PAIR_ROWS: Final[int] = 512
PAIR_COLUMNS: Final[int] = 8
"""Examples and columns whose products with all others are held at a time, for a Hessian."""


def steps(n_rows: int, n_classes: int) -> Iterator[slice]:
    """Yield the rows of one table after the other."""
    step = int(np.clip(2 ** int(np.log2(TABLE / n_classes)), 64, 4096))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))


@dataclass(frozen=True)
class Shares:
    """Terms that all formulas of some examples share; tables are (n_classes, n_rows).

    Attributes
    ----------
    shift : ndarray of shape (n_rows,)
        The largest score.
    top_class : ndarray of bool
        True for the first class that has it.
    relative : ndarray
        The exponentials, 1 for the top class.
    others : ndarray of shape (n_rows,)
        Their sum over all classes but the top class.
    """

    shift: FloatArray
    top_class: BoolArray
    relative: FloatArray
    others: FloatArray

    @classmethod
    def of(cls, scores: FloatArray) -> Shares:
        """Take the exponentials of a table of scores."""
        shift = scores.max(axis=0)
        top_class = np.equal(scores, shift)
        if np.count_nonzero(top_class) != len(shift):  # some scores are level, or not a number
            classes = np.arange(len(scores))
            top_class = np.equal(scores.argmax(axis=0), classes[:, None])
        relative = formulas.softmax_relative(scores, shift)
        np.putmask(relative, top_class, 0.0)
        others = relative.sum(axis=0)
        np.putmask(relative, top_class, 1.0)
        return cls(shift, top_class, relative, others)


def class_pass(
    X: npt.NDArray[Any],
    codes: IntArray,
    weight: FloatArray | None,
    coef: FloatArray,
    intercept: FloatArray,
    raw_prediction: FloatArray | None,
) -> tuple[float, FloatArray, FloatArray]:
    """Return the sums over rows of a softmax problem, and fill `raw_prediction` if it is given.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Numbers of float64 or float32, in any order.
    codes : ndarray of shape (n_rows,)
        The number of each row's class.
    weight : ndarray of shape (n_rows,) or None
        None for 1.
    coef : ndarray of shape (n_features, n_classes)
    intercept : ndarray of shape (n_classes,)
    raw_prediction : ndarray of shape (n_classes, n_rows) or None

    Returns
    -------
    loss : float
    gradient : ndarray of shape (n_features, n_classes)
    residual : ndarray of shape (n_classes,)
        Their sum over the rows.
    """
    n_classes, loss = len(intercept), 0.0
    gradient, total = np.zeros((n_classes, X.shape[1])), np.zeros(n_classes)
    level = intercept[:, None]
    for part in steps(len(X), n_classes):
        rows = X[part].astype(np.float64, copy=False)
        scores = np.add((rows @ coef).T, level, order="C")
        if raw_prediction is not None:
            raw_prediction[:, part] = scores
        s = None if weight is None else weight[part]
        more, residual = _residuals(scores, codes[part], s)
        loss += more
        gradient += residual @ rows
        total += residual.sum(axis=1)
    return loss, gradient.T, total


def _residuals(
    scores: FloatArray, codes: IntArray, weight: FloatArray | None
) -> tuple[float, FloatArray]:
    """Return the weighted loss of a table of scores, and the weighted residuals."""
    shares = Shares.of(scores)
    count = len(codes)
    label = codes * count + np.arange(count)  # where it is in a table
    own = shares.relative.ravel()[label]
    favoured = shares.top_class.ravel()[label].astype(np.float64)
    distance = formulas.softmax_distance(scores[codes, np.arange(count)], shares.shift)
    losses = formulas.softmax_loss(distance, shares.others)
    residual = formulas.softmax_proba(shares.relative, shares.others)
    residual.ravel()[label] = formulas.softmax_doubt(favoured, own, shares.others)
    if weight is None:
        return float(losses.sum()), residual
    residual *= weight
    return float(weight @ losses), residual


def class_pairs(
    X: npt.NDArray[Any],
    weight: FloatArray | None,
    raw_prediction: FloatArray,
    *,
    fit_intercept: bool,
) -> FloatArray:
    """Return sum_i s_i h_ikl x_ij x_ij' for all classes k < l: see `class_hessian`.

    Row (k, l) of one matrix holds the curvatures h of two classes, column (j, j') of another the
    products of two columns of X, and BLAS multiplies them: half the work of as many sandwiches.

    Returns
    -------
    halves : ndarray of shape (n_pairs, size, size)
        Only what is below the diagonal is filled in, and some of what is above.
    """
    n_classes, n_features = len(raw_prediction), X.shape[1]
    size = n_features + int(fit_intercept)
    first, second = np.triu_indices(n_classes, 1)
    halves = np.zeros((len(first), size, size))
    # room that is used again and again: fresh memory would take longer than the products
    room, answers = (
        np.empty(PAIR_COLUMNS * size * PAIR_ROWS),
        np.empty(len(first) * size * PAIR_COLUMNS),
    )
    for start in range(0, len(X), PAIR_ROWS):
        part = slice(start, min(start + PAIR_ROWS, len(X)))
        columns = np.ones((size, part.stop - start))
        columns[:n_features] = X[part].T
        shares = Shares.of(raw_prediction[:, part])
        one, other = shares.relative[first], shares.relative[second]
        pairs = formulas.softmax_pair(one, other, shares.others)
        if weight is not None:
            pairs *= weight[part]
        for j in range(0, size, PAIR_COLUMNS):
            width = min(j + PAIR_COLUMNS, size)
            shape = width - j, width, part.stop - start
            products = room[: np.prod(shape)].reshape(shape)
            np.multiply(columns[j:width, None, :], columns[:width], out=products)
            found = answers[: len(first) * shape[0] * width].reshape(len(first), -1)
            np.matmul(pairs, products.reshape(-1, shape[2]).T, out=found)
            halves[:, j:width, :width] += found.reshape(len(first), *shape[:2])
    return halves


def class_hessian(halves: FloatArray, n_classes: int) -> FloatArray:
    """Return the Hessian of the sum of losses, (n_classes, size, n_classes, size).

    What two different classes do to each other is given; what a class does to itself follows, since
    a direction that all classes share changes nothing. No term of that sum has another sign, so no
    digit is lost.
    """
    size = halves.shape[1]
    total = np.zeros((n_classes, size, n_classes, size))
    lower = np.tril(halves)
    for number, (k, other) in enumerate(zip(*np.triu_indices(n_classes, 1), strict=True)):
        block = lower[number] + np.tril(lower[number], -1).T
        total[k, :, other, :] = total[other, :, k, :] = block
        total[k, :, k, :] -= block
        total[other, :, other, :] -= block
    return total
