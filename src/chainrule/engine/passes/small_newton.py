"""Newton's method for small dense problems in one compiled call: the room that it takes.

`kernels.newton` does the work, for one fit and for thousands in a row.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.compiled import LOGISTIC, logistic_kernel
from chainrule.engine.passes.fused_blocks import NOTHING, inner_rows
from chainrule.engine.runtime.native import NativeModule, can_compile, is_kept

FINE: Final[float] = 1e-3
"""The compiled loop aims at this part of the tolerance; its last step about squares the error."""

_RAW: Final[int] = -8
_VECTORS: Final[int] = -5
"""Places among the arguments of the kernel."""

_NO_TABLE: Final[FloatArray] = np.empty((0, 0))
_NO_TABLES: Final = (_NO_TABLE, _NO_TABLE, _NO_TABLE)

_LONGEST_STRIDE: Final[int] = 8
_SAMPLED_FROM: Final[int] = 12
_ROWS_PER_PARAMETER: Final[int] = 8

_kernels = NativeModule("newton")


def fit_each(
    kernel: int,
    X: FloatArray,
    targets: FloatArray,
    weights: FloatArray,
    which: npt.NDArray[np.int64],
    strength: FloatArray,
    floors: FloatArray,
    found: tuple[FloatArray, FloatArray, FloatArray, FloatArray, npt.NDArray[np.int64]],
    *,
    offset: FloatArray | None = None,
    fit_intercept: bool = True,
    tolerance: float = 1e-11,
    max_iter: int = 100,
    curvature: FloatArray = _NO_TABLE,
    reference: FloatArray = _NO_TABLE,
    log: FloatArray = _NO_TABLE,
) -> tuple[FloatArray, FloatArray]:
    """Solve the problems of `which`; return raw predictions and gradient where the last fit ended.

    Parameters are those of `kernels.newton.fit_each`; `found` are coef, intercept, value, gap and
    n_iter, which are filled in.
    """
    arguments = _arguments(
        kernel,
        X,
        targets,
        weights,
        which,
        strength,
        floors,
        found,
        NOTHING if offset is None else offset,
        fit_intercept,
        tolerance,
        max_iter,
        curvature,
        reference,
        log,
    )
    _kernels.fit_each(*arguments)
    raw, vectors = arguments[_RAW], arguments[_VECTORS]
    return raw, vectors[2]


def load() -> None:
    """Load the compiled loop and the kernel of two classes, compiled where they never were."""
    one, table = np.ones(1), np.ones((1, 1))
    found = np.zeros((1, 1)), np.zeros(1), one, one, np.zeros(1, dtype=np.int64)
    which = np.array([[0, 1, 0, 0]])
    fit_each(logistic_kernel(), table, table, table, which, one, one, found)
    is_at_hand.cache_clear()


@cache
def is_at_hand() -> bool:
    """Tell whether the compiled loop is there: loaded, or kept on disk by an earlier process.

    The answer holds for as long as the process lives, so that equal data get equal bits.
    """
    if not can_compile():
        return False
    one, table = np.ones(1), np.ones((1, 1))
    found = table, one, one, one, np.zeros(1, dtype=np.int64)
    which = np.zeros((1, 4), dtype=np.int64)
    arguments = _arguments(
        0, table, table, table, which, one, one, found, NOTHING, True, 1.0, 1, *_NO_TABLES
    )
    return bool(_kernels.fit_each.is_at_hand(*arguments)) and is_kept(LOGISTIC)


def _arguments(
    kernel: int,
    X: FloatArray,
    targets: FloatArray,
    weights: FloatArray,
    which: npt.NDArray[np.int64],
    strength: FloatArray,
    floors: FloatArray,
    found: tuple[FloatArray, FloatArray, FloatArray, FloatArray, npt.NDArray[np.int64]],
    offset: FloatArray,
    fit_intercept: bool,
    tolerance: float,
    max_iter: int,
    curvature: FloatArray,
    reference: FloatArray,
    log: FloatArray,
) -> tuple[Any, ...]:
    n_features = X.shape[1]
    size = n_features + int(fit_intercept)
    lengths = (which[:, 1] - which[:, 0]).tolist()
    longest, stride = max([1, *lengths]), 1
    if n_features >= _SAMPLED_FROM:
        parts = min(lengths, default=longest) // (_ROWS_PER_PARAMETER * size)
        stride = min(max(1, parts), _LONGEST_STRIDE)
    n_drawn = -(-longest // stride) if stride > 1 else 0
    inner = min(inner_rows(n_features), longest)
    return (
        kernel,
        X,
        targets,
        weights,
        offset,
        which,
        strength,
        floors,
        tolerance,
        max_iter,
        *found,
        stride,
        curvature,
        reference,
        log,
        np.empty(longest),
        np.empty((size, size)),
        np.empty((n_features, n_features)),
        np.empty((6, size)),
        np.empty((n_drawn, n_features)),
        np.empty((4, n_drawn)),
        np.empty((5 + inner, n_features)),
        np.empty((4, inner)),
    )
