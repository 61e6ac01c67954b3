"""Compiled passes over rows of several classes: see `kernels.softmax`.

Tables of raw predictions and of probabilities hold all examples, one row per class, in C order; a
block of rows is told where its own begin.
"""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.runtime.native import NativeModule

TABLE: Final[int] = 2**14
"""Numbers of a table at most: with another one, a part of the L2 cache."""

MOST_ROWS: Final[int] = 512
"""Rows of one inner step at most."""

LEAST_ROWS: Final[int] = 64

STEP_BYTES: Final[int] = 2**19
"""What the rows of one inner step occupy, at most."""

SMALL_PRODUCT: Final[int] = 1_000_000
"""Multiplications up to which OpenBLAS takes matrices as they are, without copies of panels."""

_softmax = NativeModule("softmax")


@cache
def matrix_product() -> int:
    """Return the address of BLAS's `dgemm`."""
    from scipy.linalg import cython_blas  # some milliseconds, for dense rows alone

    capsule = cython_blas.__pyx_capi__["dgemm"]
    name = ctypes.pythonapi.PyCapsule_GetName
    name.restype, name.argtypes = ctypes.c_char_p, [ctypes.py_object]
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
    return int(pointer(capsule, name(capsule)))


def rows_per_step(n_features: int, n_classes: int) -> int:
    """Return how many dense rows a pass works on at a time; sums are first taken over these."""
    width = max(1, n_features)
    most = min(SMALL_PRODUCT // (width * n_classes), STEP_BYTES // (8 * width))
    return max(min(TABLE // n_classes, MOST_ROWS, most), LEAST_ROWS) // 8 * 8


class _Rows:
    """Rows as the kernels take them: dense ones, or three arrays of sparse ones."""

    def __init__(self, X: Any, n_rows: int, n_features: int, n_classes: int) -> None:  # noqa: ANN401
        self.X, self.n_classes = X, n_classes
        self.is_dense = isinstance(X, np.ndarray)
        shape = 0, n_features
        self.step = min(rows_per_step(n_features if self.is_dense else 1, n_classes), n_rows)
        if self.is_dense and not (X.flags.c_contiguous and X.dtype == np.float64):
            shape = self.step, n_features
        self.columns = -(-n_classes // 4) * 4
        self.of_sums = (
            (n_classes if self.is_dense else n_features),
            (n_features if self.is_dense else self.columns),
        )
        self.table, self.buffer = np.empty((n_classes, self.step)), np.empty(shape)
        self.lines = np.empty((5, self.step))

    @property
    def product(self) -> int:
        """The address that products of matrices are called by; 0 where there are none."""
        return matrix_product() if self.is_dense else 0

    def laid_out(self, coef: FloatArray) -> FloatArray:
        """Return coefficients, (n_features, n_classes), as the kernels take them."""
        if self.is_dense:
            return np.ascontiguousarray(coef.T)
        if self.columns == self.n_classes:
            return np.ascontiguousarray(coef)
        found = np.zeros(self.of_sums)
        found[:, : self.n_classes] = coef
        return found

    def by_class(self, total: FloatArray) -> FloatArray:
        """Return sums as (n_features, n_classes)."""
        return total.T if self.is_dense else total[:, : self.n_classes]


def gradient_pass(
    X: Any,  # noqa: ANN401
    shape: tuple[int, int],
    codes: IntArray,
    weight: FloatArray | None,
    coef: FloatArray,
    intercept: FloatArray,
    raw: FloatArray | None = None,
    start: int = 0,
) -> tuple[float, FloatArray, FloatArray]:
    """Return the sums over rows of a softmax problem, and fill in raw predictions if asked.

    Parameters
    ----------
    X : ndarray, or data, indices and indptr of sparse rows
    shape : tuple of int
        Number of rows and of features.
    codes : ndarray of shape (n_rows,)
        The number of each row's class.
    weight : ndarray of shape (n_rows,) or None
        None for 1.
    coef : ndarray of shape (n_features, n_classes)
    intercept : ndarray of shape (n_classes,)
    raw : ndarray of shape (n_classes, n_samples), optional
        Filled in from column `start` on.
    start : int

    Returns
    -------
    loss : float
    gradient : ndarray of shape (n_features, n_classes)
    residual : ndarray of shape (n_classes,)
        Their sum over the rows.
    """
    rows = _Rows(X, *shape, len(intercept))
    gradient, total = np.empty(rows.of_sums), np.empty(len(intercept))
    loss: float = _softmax.gradient_pass(
        rows.product,
        X,
        codes,
        np.ones(shape[0]) if weight is None else weight,
        rows.laid_out(coef),
        np.ascontiguousarray(intercept),
        np.empty_like(rows.table) if raw is None else raw,
        start,
        raw is not None,
        gradient,
        total,
        rows.table,
        rows.buffer,
        rows.lines,
        np.empty(rows.step, np.intp),
    )
    return loss, rows.by_class(gradient), total


def product_pass(
    X: Any,  # noqa: ANN401
    shape: tuple[int, int],
    proba: FloatArray,
    start: int,
    weight: FloatArray,
    coef: FloatArray,
    intercept: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the Hessian of the sum of losses times a direction, in one read of the rows.

    Parameters
    ----------
    X, shape
        As above.
    proba : ndarray of shape (n_classes, n_samples)
        The probabilities, from column `start` on.
    start : int
    weight : ndarray of shape (n_rows,)
    coef : ndarray of shape (n_features, n_classes)
    intercept : ndarray of shape (n_classes,)

    Returns
    -------
    coef : ndarray of shape (n_features, n_classes)
    intercept : ndarray of shape (n_classes,)
    """
    rows = _Rows(X, *shape, len(intercept))
    gradient, total = np.empty(rows.of_sums), np.empty(len(intercept))
    _softmax.product_pass(
        rows.product,
        X,
        proba,
        start,
        weight,
        rows.laid_out(coef),
        np.ascontiguousarray(intercept),
        gradient,
        total,
        rows.table,
        rows.buffer,
        rows.lines,
    )
    return rows.by_class(gradient), total


def probabilities(raw: FloatArray, start: int, stop: int, proba: FloatArray) -> None:
    """Fill in the probabilities of the examples from column `start` up to `stop`."""
    table, lines, best = _room(len(raw), stop - start)
    _softmax.probabilities(raw, start, stop, proba, table, lines, best)


def along(
    raw: FloatArray,
    change: FloatArray,
    start: int,
    step: float,
    codes: IntArray,
    weight: FloatArray | None,
) -> tuple[float, float]:
    """Return the loss of some examples on a line, and its derivative with respect to the step."""
    table, *room = _room(len(raw), len(codes))
    weights = np.ones(len(codes)) if weight is None else weight
    found: tuple[float, float] = _softmax.along(
        raw, change, start, float(step), codes, weights, np.empty_like(table), table, *room
    )
    return found


def shifted(
    raw: FloatArray,
    start: int,
    shift: FloatArray,
    codes: IntArray,
    weight: FloatArray | None,
) -> tuple[float, FloatArray]:
    """Return the loss of some examples with shifted scores, and the sums of their residuals."""
    table, *room = _room(len(raw), len(codes))
    weights = np.ones(len(codes)) if weight is None else weight
    total, shift = np.empty(len(raw)), np.ascontiguousarray(shift)
    loss: float = _softmax.shifted(
        raw, start, shift, codes, weights, np.empty_like(table), table, *room, total
    )
    return loss, total


def _room(n_classes: int, n_rows: int) -> tuple[FloatArray, FloatArray, npt.NDArray[np.intp]]:
    step = min(max(TABLE // n_classes, LEAST_ROWS), MOST_ROWS, max(1, n_rows))
    return np.empty((n_classes, step)), np.empty((5, step)), np.empty(step, np.intp)
