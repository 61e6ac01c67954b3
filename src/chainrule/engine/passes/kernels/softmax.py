"""Compiled passes for several classes: loss and gradient, and Hessian-vector products.

Some rows at a time stay in the cache for both products with X, which are BLAS's for dense rows and
loops for sparse ones. Between them lie tables with one row per class, so that the emitted formulas
run over many examples at once. Labels are codes.

A table of probabilities is one of exponentials whose sum is 1: the formulas take it for `relative`,
with `others` = 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types
from numba.extending import overload

from chainrule.engine.losses import _emitted_classes as formulas
from chainrule.engine.losses.vectorised import (
    Vector,
    exact,
    exp_nonpositive,
    inlined,
    log1p_nonnegative,
    with_functions,
)
from chainrule.engine.passes.kernels import fused_sparse
from chainrule.engine.passes.kernels.lanes import dot, total_of
from chainrule.engine.passes.kernels.products import gemm

Matrix = npt.NDArray[Any]
Codes = npt.NDArray[np.intp]
Rows = Any
"""A dense array; or data, indices and indptr of sparse rows, integers unsigned."""


def _compiled(function: Any) -> Any:  # noqa: ANN401
    return inlined(with_functions(function, exp=exp_nonpositive, log1p=log1p_nonnegative))


_relative = _compiled(formulas.softmax_relative)
_other = _compiled(formulas.softmax_other)
_distance = _compiled(formulas.softmax_distance)
_loss = _compiled(formulas.softmax_loss)
proba_of = _compiled(formulas.softmax_proba)
_doubt = _compiled(formulas.softmax_doubt)
drift_part = _compiled(formulas.softmax_drift)
pull_of = _compiled(formulas.softmax_pull)


def plain_rows(X: Rows, start: int, stop: int, buffer: Matrix) -> Matrix:
    """Return some rows of a dense X as float64 in C order, in the buffer unless they are."""
    raise TypeError("compiled for arrays and for tuples of arrays")


@overload(plain_rows, inline="always")
def _plain_rows_by_kind(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
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

    def scattered(X: Any, start: Any, stop: Any, buffer: Any) -> Any:  # noqa: ANN401
        return X[2][start : stop + 1]

    if not isinstance(X, types.Array):
        return scattered
    if X.layout != "C":
        return by_columns
    return direct if X.dtype == types.float64 else by_rows


def class_scores(
    product: int, X: Rows, part: Matrix, coef: Matrix, scores: Matrix, at: int
) -> None:
    """Fill in the products of some rows with the coefficients, by class, from column `at` on."""
    raise TypeError("compiled for arrays and for tuples of arrays")


@overload(class_scores, inline="always")
def _class_scores_by_kind(
    product: Any,  # noqa: ANN401
    X: Any,  # noqa: ANN401
    part: Any,  # noqa: ANN401
    coef: Any,  # noqa: ANN401
    scores: Any,  # noqa: ANN401
    at: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    def dense(
        product: Any,  # noqa: ANN401
        X: Any,  # noqa: ANN401
        part: Any,  # noqa: ANN401
        coef: Any,  # noqa: ANN401
        scores: Any,  # noqa: ANN401
        at: Any,  # noqa: ANN401
    ) -> None:
        count, n_features = part.shape
        n_classes, apart = scores.shape
        place = scores.ctypes.data + 8 * at
        rows, table = part.ctypes.data, coef.ctypes.data
        gemm(
            product, 1, 0, count, n_classes, n_features,
            rows, n_features, table, n_features, 0.0, place, apart,
        )  # fmt: skip

    def scattered(
        product: Any,  # noqa: ANN401
        X: Any,  # noqa: ANN401
        part: Any,  # noqa: ANN401
        coef: Any,  # noqa: ANN401
        scores: Any,  # noqa: ANN401
        at: Any,  # noqa: ANN401
    ) -> None:
        fused_sparse.class_scores(X[0], X[1], part, coef, scores, at)

    return dense if isinstance(X, types.Array) else scattered


def add_class_pulls(product: int, X: Rows, part: Matrix, table: Matrix, total: Matrix) -> None:
    """Add X^T U of some rows to the total, `table` being U^T."""
    raise TypeError("compiled for arrays and for tuples of arrays")


@overload(add_class_pulls, inline="always")
def _add_class_pulls_by_kind(
    product: Any,  # noqa: ANN401
    X: Any,  # noqa: ANN401
    part: Any,  # noqa: ANN401
    table: Any,  # noqa: ANN401
    total: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    def dense(
        product: Any,  # noqa: ANN401
        X: Any,  # noqa: ANN401
        part: Any,  # noqa: ANN401
        table: Any,  # noqa: ANN401
        total: Any,  # noqa: ANN401
    ) -> None:
        count, n_features = part.shape
        n_classes, apart = table.shape
        rows, pulls, sums = part.ctypes.data, table.ctypes.data, total.ctypes.data
        gemm(
            product, 0, 0, n_features, n_classes, count,
            rows, n_features, pulls, apart, 1.0, sums, n_features,
        )  # fmt: skip

    def scattered(
        product: Any,  # noqa: ANN401
        X: Any,  # noqa: ANN401
        part: Any,  # noqa: ANN401
        table: Any,  # noqa: ANN401
        total: Any,  # noqa: ANN401
    ) -> None:
        fused_sparse.add_class_pulls(X[0], X[1], part, table, total)

    return dense if isinstance(X, types.Array) else scattered


@exact
def shares(
    scores: Matrix, first: int, count: int, relative: Matrix, lines: Matrix, best: Codes
) -> None:
    """Fill in the exponentials of a table, and of each example its largest score and their sum.

    `scores` are looked up from column `first` on; the first lines are shift and others.
    """
    n_classes, shift, others = scores.shape[0], lines[0], lines[1]
    row = scores[0]
    for i in range(count):
        shift[i], best[i], others[i] = row[first + i], 0, 0.0
    for k in range(1, n_classes):
        row = scores[k]
        for i in range(count):
            ahead = row[first + i] > shift[i]
            shift[i] = row[first + i] if ahead else shift[i]
            best[i] = k if ahead else best[i]
    for k in range(n_classes):
        row, out = scores[k], relative[k]
        for i in range(count):
            share = _relative(row[first + i], shift[i])
            out[i] = share
            others[i] += _other(1.0 if best[i] == k else 0.0, share)


@exact
def residuals(
    scores: Matrix,
    first: int,
    codes: Codes,
    weight: Vector,
    residual: Matrix,
    lines: Matrix,
    best: Codes,
) -> float:
    """Fill in the weighted residuals of a table of scores; return the weighted loss."""
    count = codes.shape[0]
    shift, others, own = lines[0], lines[1], lines[2]
    score, favoured = lines[3], lines[4]
    shares(scores, first, count, residual, lines, best)
    for i in range(count):  # what belongs to the labels is picked out, then computed at once
        k = codes[i]
        own[i], score[i] = residual[k, i], scores[k, first + i]
        favoured[i] = 1.0 if best[i] == k else 0.0
    for i in range(count):
        own[i] = weight[i] * _doubt(favoured[i], own[i], others[i])
        score[i] = weight[i] * _loss(_distance(score[i], shift[i]), others[i])
    for k in range(scores.shape[0]):
        out = residual[k]
        for i in range(count):
            out[i] = weight[i] * proba_of(out[i], others[i])
    for i in range(count):
        residual[codes[i], i] = own[i]
    total: float = total_of(score[:count])
    return total


@exact
def gradient_pass(
    product: int,
    X: Rows,
    codes: Codes,
    weight: Vector,
    coef: Matrix,
    intercept: Vector,
    raw: Matrix,
    start: int,
    is_kept: bool,
    gradient: Matrix,
    total: Vector,
    residual: Matrix,
    buffer: Matrix,
    lines: Matrix,
    best: Codes,
) -> float:
    """Fill in raw predictions and sums over the rows of a softmax problem; return the loss.

    Parameters
    ----------
    product : int
        The address of BLAS's `dgemm`.
    X : ndarray of shape (n_rows, n_features), or data, indices and indptr of sparse rows
    codes, weight : ndarray of shape (n_rows,)
    coef, gradient : ndarray of shape (n_classes, n_features); (n_features, columns) for sparse rows
        What a number of sparse rows is multiplied by lies side by side, in columns that are a
        multiple of four.
    intercept, total : ndarray of shape (n_classes,)
        The total is the sum of the residuals.
    raw : ndarray of shape (n_classes, ...)
        Filled in from column `start` on where it is kept; else room for one step.
    start : int
    is_kept : bool
    residual : ndarray of shape (n_classes, step)
        Room for one step, as are the others: (step, n_features), where X is not float64 in C
        order; (5, step); (step,).
    """
    n_rows, n_classes, step = codes.shape[0], intercept.shape[0], residual.shape[1]
    gradient[:] = 0.0
    total[:] = 0.0
    loss = 0.0
    for first in range(0, n_rows, step):
        stop = min(first + step, n_rows)
        count, at = stop - first, start + first if is_kept else 0
        part = plain_rows(X, first, stop, buffer)
        class_scores(product, X, part, coef, raw, at)
        for k in range(n_classes):
            row = raw[k]
            for i in range(at, at + count):
                row[i] += intercept[k]
        loss += residuals(raw, at, codes[first:stop], weight[first:stop], residual, lines, best)
        add_class_pulls(product, X, part, residual, gradient)
        for k in range(n_classes):
            total[k] += total_of(residual[k, :count])
    return loss


@exact
def product_pass(
    product: int,
    X: Rows,
    proba: Matrix,
    start: int,
    weight: Vector,
    coef: Matrix,
    intercept: Vector,
    gradient: Matrix,
    total: Vector,
    change: Matrix,
    buffer: Matrix,
    lines: Matrix,
) -> None:
    """Fill in the Hessian of the sum of losses times a direction.

    Parameters
    ----------
    product, X, weight, coef, intercept, gradient, total, change, buffer, lines
        As for `gradient_pass`: the direction and what becomes of it; `change` is like `residual`.
    proba : ndarray of shape (n_classes, ...)
        The probabilities, from column `start` on.
    start : int
    """
    n_rows, n_classes, step = weight.shape[0], intercept.shape[0], change.shape[1]
    gradient[:] = 0.0
    total[:] = 0.0
    largest, top, drift = lines[0], lines[1], lines[2]
    for first in range(0, n_rows, step):
        stop = min(first + step, n_rows)
        count, at = stop - first, start + first
        weights = weight[first:stop]
        part = plain_rows(X, first, stop, buffer)
        class_scores(product, X, part, coef, change, 0)
        for i in range(count):
            largest[i], top[i], drift[i] = -1.0, 0.0, 0.0
        for k in range(n_classes):
            share, moved = proba[k], change[k]
            for i in range(count):
                moved[i] += intercept[k]
                ahead = share[at + i] > largest[i]
                largest[i] = share[at + i] if ahead else largest[i]
                top[i] = moved[i] if ahead else top[i]
        for k in range(n_classes):
            share, moved = proba[k], change[k]
            for i in range(count):
                drift[i] += drift_part(share[at + i], 0.0, moved[i] - top[i])
        for k in range(n_classes):
            share, moved = proba[k], change[k]
            for i in range(count):
                moved[i] = weights[i] * pull_of(share[at + i], 0.0, moved[i] - top[i], drift[i])
            total[k] += total_of(moved[:count])
        add_class_pulls(product, X, part, change, gradient)


@exact
def probabilities(
    raw: Matrix, start: int, stop: int, proba: Matrix, table: Matrix, lines: Matrix, best: Codes
) -> None:
    """Fill in the probabilities of the examples from `start` up to `stop`."""
    others, step = lines[1], table.shape[1]
    for at in range(start, stop, step):
        count = min(step, stop - at)
        shares(raw, at, count, table, lines, best)
        for k in range(raw.shape[0]):
            share, out = table[k], proba[k]
            for i in range(count):
                out[at + i] = proba_of(share[i], others[i])


@exact
def along(
    raw: Matrix,
    change: Matrix,
    start: int,
    step: float,
    codes: Codes,
    weight: Vector,
    scores: Matrix,
    residual: Matrix,
    lines: Matrix,
    best: Codes,
) -> tuple[float, float]:
    """Return the loss at raw + step * change, and its derivative with respect to the step.

    The examples begin at column `start` of both; `scores` is room like `residual`.
    """
    n_rows, inner, loss, rise = codes.shape[0], residual.shape[1], 0.0, 0.0
    for first in range(0, n_rows, inner):
        stop = min(first + inner, n_rows)
        count, at = stop - first, start + first
        for k in range(raw.shape[0]):
            row, moved, out = raw[k], change[k], scores[k]
            for i in range(count):
                out[i] = row[at + i] + step * moved[at + i]
        loss += residuals(scores, 0, codes[first:stop], weight[first:stop], residual, lines, best)
        for k in range(raw.shape[0]):
            rise += dot(residual[k, :count], change[k, at : at + count])
    return loss, rise


@exact
def shifted(
    raw: Matrix,
    start: int,
    shift: Vector,
    codes: Codes,
    weight: Vector,
    scores: Matrix,
    residual: Matrix,
    lines: Matrix,
    best: Codes,
    total: Vector,
) -> float:
    """Return the loss at raw + shift, one number per class, and fill in the sums of residuals."""
    n_rows, inner, loss = codes.shape[0], residual.shape[1], 0.0
    total[:] = 0.0
    for first in range(0, n_rows, inner):
        stop = min(first + inner, n_rows)
        count, at = stop - first, start + first
        for k in range(raw.shape[0]):
            row, out = raw[k], scores[k]
            for i in range(count):
                out[i] = row[at + i] + shift[k]
        loss += residuals(scores, 0, codes[first:stop], weight[first:stop], residual, lines, best)
        for k in range(raw.shape[0]):
            total[k] += total_of(residual[k, :count])
    return loss
