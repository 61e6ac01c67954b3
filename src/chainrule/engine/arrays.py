"""The array types of the engine, and what one rounding costs."""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]

UNIT: Final[float] = float(np.finfo(np.float64).eps) / 2
"""The unit roundoff u of float64: one operation errs by a factor of at most 1 + u."""

_SQUARES: Final = (1e-200, 1e200)
"""A sum of squares within these has lost nothing to underflow and nothing to overflow."""


def accumulated(n_operations: float) -> float:
    """Bound the relative error that `n_operations` roundings in a row can build up.

    The constant gamma_n = n u / (1 - n u) of Higham, *Accuracy and Stability of Numerical
    Algorithms*, 2nd ed., lemma 3.1. It holds for a sum in any order.
    """
    grown = n_operations * UNIT
    return grown / (1 - grown) if grown < 1 else float("inf")


def distinct_values(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the different values in order; there is no NaN among them.

    `numpy.unique` imports masked arrays first, which takes longer than a small fit.

    >>> distinct_values(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values)
    is_new = np.ones(len(ordered), dtype=np.bool_)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]


def norm(*parts: FloatArray) -> float:
    """Return the Euclidean norm of all entries together, without overflow or underflow."""
    plain = sum(float(np.vdot(part, part)) for part in parts)
    if _SQUARES[0] < plain < _SQUARES[1]:
        return float(np.sqrt(plain))
    top = max((float(np.abs(part).max(initial=0.0)) for part in parts), default=0.0)
    if top == 0 or not np.isfinite(top):
        return top
    return top * float(np.sqrt(sum(float(((part / top) ** 2).sum()) for part in parts)))


def is_sparse(X: Any) -> bool:  # noqa: ANN401
    """Tell whether this is a SciPy matrix, without an import: there is none before SciPy's."""
    module = sys.modules.get("scipy.sparse")
    return module is not None and bool(module.issparse(X))
