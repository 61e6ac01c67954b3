"""A preconditioner for several classes: the part of the Hessian that each class has by itself.

For class k that is X^T diag(s p_k (1 - p_k)) X and the penalty, one small matrix per class. It is
much closer to the Hessian than any multiple of X^T X where most examples are certain of their
class: what is left for conjugate gradients is how classes are confused with each other. The sums
are over some of the rows, drawn in proportion to their weight, and large ones are float32: an
inverse to within a factor is all that is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import linalg

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.objective.class_objective import ClassObjective
from chainrule.engine.runtime.executors import map_in_order, sum_over_chunks
from chainrule.engine.solvers.limits import n_drawn

TOGETHER: Final[int] = 40
"""Parameters of a class up to which the blocks of all classes are formed by one product."""

_DOUBLE: Final[int] = 96
"""Parameters of a class up to which its block is float64."""

_CHUNK: Final[int] = 256
_AT_ONCE: Final[int] = 2**17
"""Numbers of weighted rows that are multiplied in one call, in more rows than a chunk."""

_RIDGES: Final[tuple[float, ...]] = (1e-6, 1e-4, 1e-2)
"""What is added to a unit diagonal, one after the other, where a block is not definite."""

Inverse = Callable[[FloatArray], FloatArray]


def blocks_price(objective: ClassObjective) -> float:
    """Return about what the blocks cost, in products with the Hessian."""
    n_samples, size = objective.source.n_samples, objective.n_rows_of_hessian
    rows = n_drawn(n_samples, size)
    if size <= TOGETHER:
        return 1.0 + 0.6 * rows * size / (4 * n_samples)
    return (0.3 * rows * size + 0.7 * size**2) / (4 * n_samples)


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
    dtype = _kind(size)
    inverses, scales = np.empty((n_classes, size, size), dtype), np.empty((n_classes, size))
    strength, weight = _strength(objective), _weights(objective)
    unit, n_rows = _units(objective), n_drawn(len(weight), size)
    # where every class takes all rows, these are divided by the units once
    shared = (
        _scaled(objective, slice(None), unit) if size > TOGETHER and n_rows == len(weight) else None
    )

    def one(k: int) -> None:
        d = weight * proba[k] * (1 - proba[k])
        if shared is not None:
            block = _gram(shared.__getitem__, d, size)
        else:
            rows, drawn = _drawn(d, n_rows)
            block = _gram(lambda part: _scaled(objective, rows[part], unit), drawn, size)
        scale, inverses[k] = _inverted(block, strength / unit**2)
        scales[k] = scale / unit

    if size <= TOGETHER:
        blocks = _blocks_together(objective, proba, weight)
        scales, inverses = _inverted_together(blocks, strength)
    else:
        for _ in map_in_order(one, n_classes, objective.n_threads):
            pass
    objective.passes += 1.0

    def apply(vector: FloatArray) -> FloatArray:
        scaled, largest = _normalised(vector.reshape(n_classes, size) * scales, dtype)
        found = np.empty((n_classes, size))

        def part(k: int) -> None:
            found[k] = inverses[k] @ scaled[k]

        if dtype == np.float32:
            for _ in map_in_order(part, n_classes, objective.n_threads):
                pass
        else:
            found[:] = np.matmul(inverses, scaled[:, :, None])[:, :, 0]
        return _centred(found * scales * largest)

    return apply


def level_inverse(objective: ClassObjective) -> Inverse:
    """Return a vector -> the inverse Hessian times it, where all classes are equally likely.

    Then the Hessian is (I - 11^T / K) / K for the classes times X^T S X for the columns, and on
    vectors that sum to zero over the classes each class is solved by itself (Boehning 1992).
    """
    n_classes, size = objective.loss.n_outputs, objective.n_rows_of_hessian
    source, n_samples = objective.source, objective.source.n_samples
    # so few parts that adding their sums up takes no longer than forming them
    unit, n_parts = _units(objective), int(np.clip(n_samples // (2 * size), 2, source.n_blocks))
    weight = _weights(objective)

    def one(index: int) -> tuple[FloatArray]:
        rows = np.arange(index * n_samples // n_parts, (index + 1) * n_samples // n_parts)
        share = weight[rows] / n_classes
        return (_gram(lambda part: _scaled(objective, rows[part], unit), share, size),)

    (block,) = sum_over_chunks(one, n_parts, objective.n_threads)
    objective.passes += 1.0
    scale, inverse = _inverted(block, _strength(objective) / unit**2)
    scale = scale / unit

    def apply(vector: FloatArray) -> FloatArray:
        table = vector.reshape(n_classes, size) * scale
        scaled, largest = _normalised(table, inverse.dtype)
        return _centred((scaled @ inverse) * scale * largest)

    return apply


def _normalised(table: FloatArray, dtype: Any) -> tuple[npt.NDArray[Any], float]:  # noqa: ANN401
    """Return a table as numbers of at most 1, which float32 holds, and what they are times of."""
    largest = float(np.abs(table).max()) or 1.0
    return (table / largest).astype(dtype, copy=False), largest


def _centred(table: FloatArray) -> FloatArray:
    """Return a packed vector without what all classes share, which changes no prediction."""
    return np.asarray(table - table.mean(axis=0)).ravel()


def _blocks_together(
    objective: ClassObjective, proba: FloatArray, weight: FloatArray
) -> FloatArray:
    """Return the blocks of all classes, (n_classes, size, size).

    A table of curvatures, one row per class, times a table of products of two columns.
    """
    n_classes, size = len(proba), objective.n_rows_of_hessian
    spread = weight * (1 - np.einsum("ki,ki->i", proba, proba))
    rows, drawn = _drawn(spread, n_drawn(len(weight), size))
    factor = weight[rows] * np.divide(
        drawn, spread[rows], where=spread[rows] > 0, out=np.ones(len(rows))
    )
    first, second = np.triu_indices(size)

    def one(index: int) -> tuple[FloatArray]:
        part = slice(index * _CHUNK, (index + 1) * _CHUNK)
        shares = proba[:, rows[part]]
        columns = np.ascontiguousarray(_columns(objective, rows[part]).T)
        return ((shares * (1 - shares) * factor[part]) @ (columns[first] * columns[second]).T,)

    (halves,) = sum_over_chunks(one, -(-len(rows) // _CHUNK), objective.n_threads)
    found = np.zeros((n_classes, size, size))
    found[:, first, second] = found[:, second, first] = halves
    return found


def _gram(table: Callable[[slice], npt.NDArray[Any]], weight: FloatArray, size: int) -> FloatArray:
    """Return X^T diag(weight) X of rows with so many columns, of which the table returns a slice.

    Only what is on and above the diagonal is filled in.
    """
    kind = _kind(size)
    update = linalg.blas.ssyrk if kind is np.float32 else linalg.blas.dsyrk
    total: Any = np.zeros((size, size), kind, order="F")
    root, step = np.sqrt(weight).astype(kind, copy=False), max(_CHUNK, _AT_ONCE // size)
    for start in range(0, len(weight), step):
        part = slice(start, start + step)
        weighted = table(part) * root[part, None]
        total = update(1.0, weighted.T, beta=1.0, c=total, overwrite_c=1)
    return np.asarray(total)


def _scaled(
    objective: ClassObjective, rows: IntArray | slice, unit: FloatArray
) -> npt.NDArray[Any]:
    """Return some rows, their columns divided by units, as precise as their products need be."""
    return (_columns(objective, rows) / unit).astype(_kind(len(unit)), copy=False)


def _units(objective: ClassObjective) -> FloatArray:
    """Return what columns are divided by, so that float32 does for them."""
    bounds = objective.row_bounds
    return np.where(bounds > 0, bounds, 1.0)


def _weights(objective: ClassObjective) -> FloatArray:
    source = objective.source
    return np.concatenate([source.weights(source.rows(i)) for i in range(source.n_blocks)])


def _columns(objective: ClassObjective, rows: IntArray | slice) -> FloatArray:
    """Return some rows of the free columns, and a last one of ones for the intercept."""
    X = objective.source.given[0]
    chosen = X[rows] if objective.columns is None else X[rows][:, objective.columns]
    if not objective.fit_intercept:
        return np.asarray(chosen, dtype=np.float64)
    found = np.ones((len(chosen), chosen.shape[1] + 1))
    found[:, :-1] = chosen
    return found


def _drawn(d: FloatArray, n_rows: int) -> tuple[IntArray, FloatArray]:
    """Return about so many rows and their weights, drawn in proportion to weights up to a cap.

    A row is drawn where the sum of all chances so far passes a whole number (systematic sampling):
    the same rows for the same weights.
    """
    if len(d) <= n_rows:
        return np.arange(len(d)), d
    total = float(d.sum())
    cap = total / n_rows
    for _ in range(6):  # rows above the cap are certain; the others share the places that are left
        certain = d > cap
        n_certain = int(np.count_nonzero(certain))
        if n_certain >= n_rows:
            break
        cap = (total - float(d[certain].sum())) / (n_rows - n_certain)
    if not cap > 0:
        rows = np.flatnonzero(d > 0)
        return rows, d[rows]
    passed = np.floor(np.cumsum(np.minimum(d / cap, 1.0)) + 0.5)
    rows = np.flatnonzero(np.diff(passed, prepend=0.0) >= 1.0)
    return rows, np.maximum(d[rows], cap)


def _inverted(block: FloatArray, strength: FloatArray) -> tuple[FloatArray, npt.NDArray[Any]]:
    """Return scales and a matrix whose product with both, left and right, inverts a block.

    The block is read on and above its diagonal; the strength of the penalty is added there. Where
    that is more than float32 loses, float32 will do.
    """
    size = len(block)
    diagonal = np.diagonal(block) + strength
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    lost = size * float(np.finfo(np.float32).eps)
    firm = float(np.median(strength * scale**2)) > lost
    kind = np.float32 if firm and _kind(size) is np.float32 else np.float64
    factored = linalg.lapack.spotrf if kind is np.float32 else linalg.lapack.dpotrf
    inverted = linalg.lapack.spotri if kind is np.float32 else linalg.lapack.dpotri
    scaled: Any = np.asfortranarray(block, dtype=kind)
    scaled = scaled * scale.astype(kind) * scale[:, None].astype(kind)
    for ridge in (lost if kind is np.float32 else 0.0, *_RIDGES):
        tried = scaled.copy(order="F")
        tried[np.diag_indices(size)] = 1.0 + ridge
        factor, failed = factored(tried, clean=0, overwrite_a=1)
        if not failed:
            inverse, failed = inverted(factor, overwrite_c=1)
        if not failed and np.isfinite(inverse).all():
            upper = np.triu(inverse)
            return scale, upper + np.triu(upper, 1).T
    return scale, np.eye(size)


def _inverted_together(blocks: FloatArray, strength: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the same as `_inverted` for many small blocks, in few calls."""
    size = blocks.shape[1]
    diagonal = np.diagonal(blocks, axis1=1, axis2=2) + strength
    scales = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled = blocks * scales[:, None, :] * scales[:, :, None]
    scaled[:, np.arange(size), np.arange(size)] = 1.0
    try:
        np.linalg.cholesky(scaled)  # raises where one of them is not definite
        inverses = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        found = [_inverted(block, strength) for block in blocks]
        return np.stack([scale for scale, _ in found]), np.stack([one for _, one in found])
    return scales, np.asarray((inverses + inverses.transpose(0, 2, 1)) / 2)


def _strength(objective: ClassObjective) -> npt.NDArray[np.float64]:
    unpenalised = np.zeros(int(objective.fit_intercept))
    return np.append(objective.penalty.strength[objective.free], unpenalised)


def _kind(size: int) -> type[np.float32] | type[np.float64]:
    return np.float64 if size <= _DOUBLE else np.float32
