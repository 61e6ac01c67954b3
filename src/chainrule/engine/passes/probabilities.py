"""Probabilities of dense rows in one compiled read: see `kernels.predictions`."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.passes.class_rows import matrix_product, rows_per_step
from chainrule.engine.passes.fused_blocks import inner_rows
from chainrule.engine.runtime.native import NativeModule

_kernels = NativeModule("predictions")


def fill_probabilities(
    X: Any,  # noqa: ANN401
    coef: FloatArray,
    intercept: FloatArray,
    offset: FloatArray,
    found: FloatArray,
) -> bool:
    """Fill in the probability of each class; tell whether all scores are finite.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        float64 or float32, in C or Fortran order.
    coef : ndarray of shape (n_features, n_outputs)
    intercept : ndarray of shape (n_outputs,)
    offset : ndarray of shape (n_rows, n_outputs)
        Without rows where there is none.
    found : ndarray of shape (n_rows, n_classes)
    """
    n_features, n_outputs = coef.shape
    if n_outputs == 1:
        lines, slope = np.empty((3, inner_rows(n_features))), np.ascontiguousarray(coef[:, 0])
        given = X, slope, float(intercept[0]), offset, found
        return bool(_kernels.two_classes(*given, lines))
    step = min(rows_per_step(n_features, n_outputs), max(1, len(X)))
    plain = X.flags.c_contiguous and X.dtype == np.float64
    return bool(
        _kernels.several_classes(
            matrix_product(),
            X,
            np.ascontiguousarray(coef.T),
            np.ascontiguousarray(intercept, dtype=np.float64),
            offset,
            found,
            np.empty((n_outputs, step)),
            np.empty((n_outputs, step)),
            np.empty((0 if plain else step, n_features)),
            np.empty((5, step)),
            np.empty(step, np.intp),
        )
    )
