"""Newton's method for small dense problems of several classes in one compiled call.

`kernels.class_newton` does the work; here is the room that it takes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.passes.class_rows import LEAST_ROWS, MOST_ROWS, TABLE
from chainrule.engine.runtime.native import NativeModule, can_compile

_LINES: Final[int] = 7
_FOUND: Final = slice(7, 14)
"""Places among the arguments of the kernel."""

_kernels = NativeModule("class_newton")


@dataclass(frozen=True)
class ClassFit:
    """Where a fit of several classes ended, in the order of `Objective.pack`.

    Attributes
    ----------
    steps : int
        -1 where the optimum was not reached.
    value : float
    point, gradient : ndarray of shape (n_parameters,)
    raw : ndarray of shape (n_classes, n_samples)
    hessian : ndarray of shape (n_parameters, n_parameters)
    reference, held : ndarray
        Where the Hessian was taken: the parameters and the raw predictions.
    log : ndarray of shape (max_iter, 3)
        For each step: the objective and the norm of the gradient before it, and its length.
    """

    steps: int
    value: float
    point: FloatArray
    gradient: FloatArray
    raw: FloatArray
    hessian: FloatArray
    reference: FloatArray
    held: FloatArray
    log: FloatArray


def fit_classes(
    X: FloatArray,
    codes: IntArray,
    weight: FloatArray,
    strength: FloatArray,
    point: FloatArray,
    *,
    fit_intercept: bool,
    tolerance: float,
    max_iter: int,
) -> ClassFit:
    """Minimise a softmax objective.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    codes, weight : ndarray of shape (n_samples,)
    strength : ndarray of shape (n_features,)
    point : ndarray of shape (n_parameters,)
        Where to start.
    fit_intercept : bool
    tolerance : float
    max_iter : int
    """
    n_rows, n_features = X.shape
    size = n_features + int(fit_intercept)
    columns = np.empty((n_rows, size), order="F")
    columns[:, :n_features] = X
    strengths = np.zeros(size)
    strengths[:n_features] = strength
    if fit_intercept:
        columns[:, n_features] = 1.0
    per_class: FloatArray = np.zeros(len(point) // size)
    per_class += np.bincount(codes, weight, minlength=len(per_class))
    arguments = _arguments(
        columns, codes, weight, strengths, per_class, tolerance, max_iter, point.copy()
    )
    steps, value = _kernels.fit(*arguments)
    return ClassFit(steps, value, *arguments[_FOUND])


def load() -> None:
    """Load the compiled loop, compiled where it never was."""
    fit_classes(
        np.array([[1.0], [0.0], [-1.0]]),
        np.arange(3),
        np.ones(3),
        np.ones(1),
        np.zeros(6),
        fit_intercept=True,
        tolerance=1.0,
        max_iter=1,
    )
    is_at_hand.cache_clear()


@cache
def is_at_hand() -> bool:
    """Tell whether the compiled loop is loaded, or kept on disk by an earlier process.

    The answer holds for as long as the process lives, so that equal data get equal bits.
    """
    if not can_compile():
        return False
    column = np.zeros((3, 2), order="F")
    three = np.ones(3)
    arguments = _arguments(column, np.arange(3), three, np.ones(2), three, 1.0, 1, np.zeros(6))
    return bool(_kernels.fit.is_at_hand(*arguments))


def _arguments(
    columns: FloatArray,
    codes: IntArray,
    weight: FloatArray,
    strength: FloatArray,
    per_class: FloatArray,
    tolerance: float,
    max_iter: int,
    point: FloatArray,
) -> tuple[Any, ...]:
    (n_rows, size), n_parameters, n_classes = columns.shape, len(point), len(per_class)
    step = min(max(TABLE // n_classes, LEAST_ROWS), MOST_ROWS, max(1, n_rows))
    return (
        columns,
        codes,
        weight,
        strength,
        per_class,
        tolerance,
        max_iter,
        point,
        np.empty(n_parameters),
        np.empty((n_classes, n_rows)),
        np.empty((n_parameters, n_parameters)),
        np.empty(n_parameters),
        np.empty((n_classes, n_rows)),
        np.empty((max_iter, 3)),
        np.empty((4, n_parameters)),
        np.empty((n_parameters, n_parameters)),
        np.empty((n_classes * (n_classes - 1) // 2, size, size)),
        np.empty((n_classes, step)),
        np.empty((_LINES, step)),
        np.empty(step, np.intp),
    )
