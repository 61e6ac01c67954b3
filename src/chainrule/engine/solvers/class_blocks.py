"""A preconditioner for several classes: the part of the Hessian that each class has by itself.

For class k that is X^T diag(s p_k (1 - p_k)) X and the penalty, one small matrix per class. It is
much closer to the Hessian than any multiple of X^T X where most examples are certain of their
class: what is left for conjugate gradients is how classes are confused with each other. The sums
are over some of the rows, drawn in proportion to their weight, as a Hessian's inverse to within a
factor is all that is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import linalg

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.runtime.executors import map_in_order

ROWS_PER_PARAMETER: Final[int] = 4
"""Rows that are drawn for each parameter of a class."""

LEAST_ROWS: Final[int] = 2048
"""Rows up to which all are taken."""

_CHUNK: Final[int] = 256
_RIDGES: Final[tuple[float, ...]] = (0.0, 1e-12, 1e-9, 1e-6, 1e-3, 1.0)
_SINGLE_FROM: Final[int] = 2**16

Inverse = Callable[[FloatArray], FloatArray]


def blocks_inverse(objective: ClassObjective, proba: FloatArray) -> Inverse:
    """Return a vector -> the inverse of the Hessian's diagonal blocks times it.

    Parameters
    ----------
    objective : ClassObjective
        Of dense rows.
    proba : ndarray of shape (n_classes, n_samples)
        The probabilities where the Hessian is taken.
    """
    n_classes, size = len(proba), objective.n_rows_of_hessian
    source = objective.source
    strength = _strength(objective)
    single = size * size >= _SINGLE_FROM
    inverses = np.empty((n_classes, size, size), np.float32 if single else np.float64)
    scales = np.empty((n_classes, size))
    weight = np.concatenate([source.weights(source.rows(i)) for i in range(source.n_blocks)])

    def one(k: int) -> None:
        d = weight * proba[k] * (1 - proba[k])
        rows, drawn = _drawn(d, max(LEAST_ROWS, ROWS_PER_PARAMETER * size))
        block = gram(objective, rows, drawn)
        block[np.diag_indices(size)] += strength
        scales[k], inverses[k] = _inverted(block)

    for _ in map_in_order(one, n_classes, objective.n_threads):
        pass
    objective.passes += 1.0

    def apply(vector: FloatArray) -> FloatArray:
        scaled = (vector.reshape(n_classes, size) * scales).astype(inverses.dtype)
        found = np.empty((n_classes, size))

        def part(k: int) -> None:
            found[k] = inverses[k] @ scaled[k]

        if single:
            for _ in map_in_order(part, n_classes, objective.n_threads):
                pass
        else:
            np.matmul(inverses, scaled[:, :, None], out=found[:, :, None])
        found *= scales
        # what all classes share changes no prediction
        found -= found.mean(axis=0)
        return found.ravel()

    return apply


def level_inverse(objective: ClassObjective) -> Inverse:
    """Return a vector -> the inverse Hessian times it, where all classes are equally likely.

    Then the Hessian is (I - 11^T / K) / K for the classes times X^T S X for the columns, and on
    vectors that sum to zero over the classes each class is solved by itself (Boehning 1992).
    """
    n_classes, size = objective.loss.n_outputs, objective.n_rows_of_hessian
    source = objective.source

    def one(index: int) -> tuple[FloatArray]:
        rows = source.rows(index)
        return (gram(objective, np.arange(rows.start, rows.stop), source.weights(rows)),)

    from chainrule.engine.runtime.executors import sum_over_chunks

    (block,) = sum_over_chunks(one, source.n_blocks, objective.n_threads)
    objective.passes += 1.0
    block /= n_classes
    block[np.diag_indices(size)] += _strength(objective)
    scale, inverse = _inverted(block)

    def apply(vector: FloatArray) -> FloatArray:
        found = (vector.reshape(n_classes, size) * scale) @ inverse
        found *= scale
        found -= found.mean(axis=0)
        return found.ravel()

    return apply


def gram(objective: ClassObjective, rows: IntArray, weight: FloatArray) -> FloatArray:
    """Return X^T diag(weight) X over some rows, with a column of ones for the intercept.

    Only what is on and above the diagonal is filled in.
    """
    size, free = objective.n_rows_of_hessian, objective.free
    n_free = size - int(objective.fit_intercept)
    X = objective.source.given[0]
    total = np.zeros((size, size), order="F")
    part = np.ones((min(_CHUNK, max(1, len(rows))), size))
    root = np.sqrt(weight)
    for start in range(0, len(rows), _CHUNK):
        chosen = rows[start : start + _CHUNK]
        count = len(chosen)
        if isinstance(free, slice):
            np.multiply(X[chosen], root[start : start + count, None], out=part[:count, :n_free])
        else:
            np.multiply(
                X[chosen][:, free], root[start : start + count, None], out=part[:count, :n_free]
            )
        if objective.fit_intercept:
            part[:count, -1] = root[start : start + count]
        total = linalg.blas.dsyrk(1.0, part[:count].T, beta=1.0, c=total, overwrite_c=1)
    return np.asarray(total)


def _drawn(d: FloatArray, n_rows: int) -> tuple[IntArray, FloatArray]:
    """Return about so many rows and their weights, drawn in proportion to weights up to a cap.

    Where the sum of all chances passes a whole number, the row is drawn (systematic sampling): the
    same rows for the same weights.
    """
    if len(d) <= n_rows:
        rows = np.arange(len(d))
        return rows, d
    falling = np.sort(d)[::-1]
    left = np.cumsum(falling[::-1])[::-1]  # the sum of a weight and all smaller ones
    # the cap: where the k largest are certain, the others share what is left
    places = np.arange(n_rows)
    caps = left[:n_rows] / (n_rows - places)
    certain = int(np.argmax(caps >= falling[:n_rows])) if (caps >= falling[:n_rows]).any() else 0
    cap = float(caps[certain])
    if not cap > 0:
        rows = np.flatnonzero(d > 0)
        return rows, d[rows]
    chance = np.minimum(d / cap, 1.0)
    passed = np.floor(np.cumsum(chance) + 0.5)
    rows = np.flatnonzero(np.diff(passed, prepend=0.0) >= 1.0)
    return rows, np.maximum(d[rows], cap)


def _inverted(block: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return scales and a matrix whose product with both, left and right, inverts a block."""
    size = len(block)
    peak = np.sqrt(np.maximum(np.diagonal(block), 0.0))
    scale = 1.0 / np.where(peak > 0, peak, 1.0)
    scaled = block * scale
    scaled *= scale[:, None]
    for ridge in _RIDGES:
        tried = scaled.copy(order="F")
        tried[np.diag_indices(size)] = 1.0 + ridge
        factor, info = linalg.lapack.dpotrf(tried, clean=0, overwrite_a=1)
        if info == 0:
            inverse, info = linalg.lapack.dpotri(factor, overwrite_c=1)
            if info == 0:
                upper = np.triu(inverse)
                return scale, upper + np.triu(upper, 1).T
    return scale, np.eye(size)


def _strength(objective: ClassObjective) -> npt.NDArray[np.float64]:
    unpenalised = np.zeros(int(objective.fit_intercept))
    return np.append(objective.penalty.strength[objective.free], unpenalised)
