"""One compiled pass over rows of any kind, for any loss of one score.

Scores, losses, gradient and, on demand, the Hessian come out of one read of X. The kind of rows
gives three verbs, chosen by the type of X when the pass is compiled: `scores_of`,
`add_transposed_of` and `add_curvature_of`. The loss gives the address of its kernel.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt
from numba import types
from numba.extending import overload

from chainrule.engine.losses.pointwise import call_kernel
from chainrule.engine.losses.vectorised import Vector, exact
from chainrule.engine.passes.kernels import fused, fused_sparse
from chainrule.engine.passes.kernels.columns import mirror

Rows = Any
"""A dense array; or data, indices and indptr of sparse rows, integers unsigned."""


def scores_of(X: Rows, start: int, stop: int, coef: Vector, intercept: float, out: Vector) -> None:
    """Put X coef + intercept of some rows into `out`."""
    raise TypeError("compiled for arrays and for tuples of arrays")


@overload(scores_of, inline="always")
def _scores_by_kind(X: Any, start: Any, stop: Any, coef: Any, intercept: Any, out: Any) -> Any:  # noqa: ANN401
    def dense(X: Any, start: Any, stop: Any, coef: Any, intercept: Any, out: Any) -> None:  # noqa: ANN401
        fused.scores_of(X, start, stop, coef, intercept, out)

    def scattered(X: Any, start: Any, stop: Any, coef: Any, intercept: Any, out: Any) -> None:  # noqa: ANN401
        fused_sparse.row_scores(X[0], X[1], X[2][start : stop + 1], coef, intercept, out)

    return dense if isinstance(X, types.Array) else scattered


def add_transposed_of(
    X: Rows, start: int, stop: int, u: Vector, part: Vector, total: Vector
) -> None:
    """Add X^T u of some rows to the total; `part` is room for the sum over these rows."""
    raise TypeError("compiled for arrays and for tuples of arrays")


@overload(add_transposed_of, inline="always")
def _transposed_by_kind(X: Any, start: Any, stop: Any, u: Any, part: Any, total: Any) -> Any:  # noqa: ANN401
    def dense(X: Any, start: Any, stop: Any, u: Any, part: Any, total: Any) -> None:  # noqa: ANN401
        part[:] = 0.0
        fused.add_transposed_of(X, start, stop, u, part)
        total += part

    def scattered(X: Any, start: Any, stop: Any, u: Any, part: Any, total: Any) -> None:  # noqa: ANN401
        fused_sparse.add_transposed(X[0], X[1], X[2][start : stop + 1], u, total)

    return dense if isinstance(X, types.Array) else scattered


def add_curvature_of(
    X: Rows,
    start: int,
    stop: int,
    d: Vector,
    room: npt.NDArray[Any],
    part: Vector,
    hessian: npt.NDArray[Any],
    border: Vector,
) -> None:
    """Add the lower half of X^T diag(d) X of some rows, and X^T d, to two totals."""
    raise TypeError("compiled for arrays and for tuples of arrays")


@overload(add_curvature_of, inline="always")
def _curvature_by_kind(
    X: Any,  # noqa: ANN401
    start: Any,  # noqa: ANN401
    stop: Any,  # noqa: ANN401
    d: Any,  # noqa: ANN401
    room: Any,  # noqa: ANN401
    part: Any,  # noqa: ANN401
    hessian: Any,  # noqa: ANN401
    border: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    def dense(
        X: Any,  # noqa: ANN401
        start: Any,  # noqa: ANN401
        stop: Any,  # noqa: ANN401
        d: Any,  # noqa: ANN401
        room: Any,  # noqa: ANN401
        part: Any,  # noqa: ANN401
        hessian: Any,  # noqa: ANN401
        border: Any,  # noqa: ANN401
    ) -> None:
        B = fused.rows_of(X, start, stop, room[4:])
        fused.add_sandwich(B, d, room[:4], hessian)
        part[:] = 0.0
        fused.add_transposed(B, d, part)
        border += part

    def scattered(
        X: Any,  # noqa: ANN401
        start: Any,  # noqa: ANN401
        stop: Any,  # noqa: ANN401
        d: Any,  # noqa: ANN401
        room: Any,  # noqa: ANN401
        part: Any,  # noqa: ANN401
        hessian: Any,  # noqa: ANN401
        border: Any,  # noqa: ANN401
    ) -> None:
        rows = X[2][start : stop + 1]
        fused_sparse.add_sandwich(X[0], X[1], rows, d, hessian)
        fused_sparse.add_transposed(X[0], X[1], rows, d, border)

    return dense if isinstance(X, types.Array) else scattered


@exact
def score_pass(
    kernel: int,
    X: Rows,
    y: Vector,
    weight: Vector,
    offset: Vector,
    coef: Vector,
    intercept: float,
    raw_prediction: Vector,
    curvatures: Vector,
    gradient: Vector,
    hessian: npt.NDArray[Any],
    border: Vector,
    room: npt.NDArray[Any],
    lines: npt.NDArray[Any],
) -> tuple[float, float, float]:
    """Fill in raw predictions and X^T residual, and return sums over the rows.

    Parameters
    ----------
    kernel : int
        The address of the loss.
    X : ndarray of shape (n_rows, n_features), or data, indices and indptr of sparse rows
    y, weight, raw_prediction : ndarray of shape (n_rows,)
    offset : ndarray of shape (n_rows,)
        Added to the scores; no entries where there is none.
    coef, gradient : ndarray of shape (n_features,)
    intercept : float
    curvatures : ndarray of shape (n_rows,)
        Filled in; without entries where nobody asks.
    hessian : ndarray of shape (n_features, n_features)
        X^T diag(h) X, filled in; without entries where nobody asks, as is `border`: X^T h.
    border : ndarray of shape (n_features,)
    room : ndarray of shape (5 + inner, n_features)
        What lies between; one row is enough where no Hessian is asked for.
    lines : ndarray of shape (3, inner)
        The same, for the rows that are worked on at a time.

    Returns
    -------
    loss : float
    slope : float
        The sum of the residuals.
    corner : float
        The sum of h.
    """
    n_rows, inner, part = raw_prediction.shape[0], lines.shape[1], room[0]
    with_hessian = hessian.shape[0] > 0
    losses, residual, bend = lines[0], lines[1], lines[2]
    gradient[:] = 0.0
    hessian[:] = 0.0
    border[:] = 0.0
    loss, slope, corner = 0.0, 0.0, 0.0
    for start in range(0, n_rows, inner):
        stop = min(start + inner, n_rows)
        count = stop - start
        raw = raw_prediction[start:stop]
        scores_of(X, start, stop, coef, intercept, raw)
        if offset.shape[0]:
            for i in range(count):
                raw[i] += offset[start + i]
        call_kernel(kernel, (raw, y[start:stop], weight[start:stop], losses, residual, bend))
        add_transposed_of(X, start, stop, residual[:count], part, gradient)
        loss += losses[:count].sum()
        slope += residual[:count].sum()
        if curvatures.shape[0]:
            for i in range(count):
                curvatures[start + i] = bend[i]
        if with_hessian:
            add_curvature_of(X, start, stop, bend[:count], room[1:], part, hessian, border)
            corner += bend[:count].sum()
    mirror(hessian)
    return loss, slope, corner
