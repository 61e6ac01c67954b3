"""The inverse of an information matrix, with what it may err, and without aliased columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import linalg

from chainrule.engine.arrays import FloatArray, IntArray, accumulated

ALIASED: Final[float] = 1e-11
"""A column whose part beyond the others is smaller than this, squared and relative, is aliased."""


@dataclass(frozen=True)
class Inverse:
    """The inverse of a symmetric positive definite matrix, on the columns that are not aliased.

    Attributes
    ----------
    kept : ndarray
        The columns that are not combinations of others, in ascending order.
    matrix : ndarray of shape (n_kept, n_kept)
    root : ndarray of shape (n_kept, n_kept)
        Upper triangular, with root root^T = matrix.
    relative_error : float
        No variance u^T matrix u differs from the true one by more than this, relative to it.
    """

    kept: IntArray
    matrix: FloatArray
    root: FloatArray
    relative_error: float


def invert(matrix: FloatArray, *, last: IntArray | None = None, roundings: float = 0.0) -> Inverse:
    """Return the inverse of an information matrix.

    Let D be its diagonal, R = D^-1/2 matrix D^-1/2 and C the computed inverse of R. If R errs by E,
    with |E_jk| <= e by Cauchy-Schwarz for sums of e roundings, then for delta = |I - R C| + p e |C|
    (spectral norms, bounded by those of Frobenius) below 1, the true inverse lies between
    C / (1 + t) and C (1 + t) in the order of forms, for t = delta / (1 - delta) times the condition
    number of C.

    Parameters
    ----------
    matrix : ndarray of shape (n, n)
        Symmetric, positive semi-definite.
    last : ndarray, optional
        Columns to leave out first where some are combinations of others.
    roundings : float
        A bound on the relative error of the sums in it.

    Raises
    ------
    numpy.linalg.LinAlgError
        When an entry is not finite.
    """
    size = np.sqrt(np.diag(matrix))
    if not np.isfinite(matrix).all():
        raise np.linalg.LinAlgError("the information matrix is not finite")
    kept = np.flatnonzero(size > 0)
    scaled = matrix[np.ix_(kept, kept)] / np.outer(size[kept], size[kept])
    factor = _factor(scaled)
    if factor is None:
        held_back = np.isin(kept, [] if last is None else last)
        independent = _independent(scaled, held_back)
        kept, scaled = kept[independent], scaled[np.ix_(independent, independent)]
        factor = linalg.cholesky(scaled)
    # Not solve_triangular: OpenBLAS takes milliseconds to share out even a small solve.
    triangle = np.triu(linalg.lapack.dtrtri(factor)[0])
    inverse = triangle @ triangle.T
    rounding = roundings + accumulated(len(kept) + 2)
    residue = np.linalg.norm(np.eye(len(kept)) - scaled @ inverse)
    residue += accumulated(len(kept) + 2) * np.linalg.norm(np.abs(scaled) @ np.abs(inverse))
    wrong = float(residue + len(kept) * rounding * np.linalg.norm(inverse))
    condition = float(np.linalg.norm(inverse) * np.linalg.norm(scaled))
    relative = wrong / (1 - wrong) * condition if wrong < 1 else float("inf")
    units = 1 / size[kept]
    return Inverse(
        kept, inverse * np.outer(units, units), units[:, None] * triangle, float(relative)
    )


def _factor(scaled: FloatArray) -> FloatArray | None:
    """Return the Cholesky factor of a matrix with unit diagonal; None if it is next to singular."""
    try:
        factor = np.asarray(linalg.cholesky(scaled, check_finite=False))
    except np.linalg.LinAlgError:
        return None
    return factor if (np.diag(factor) ** 2 > ALIASED).all() else None


def _independent(
    scaled: FloatArray, held_back: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> IntArray:
    """Return columns of which none is a combination of those before; some are looked at last."""
    n = len(scaled)
    order = np.concatenate([np.flatnonzero(~held_back), np.flatnonzero(held_back)])
    rest = scaled[np.ix_(order, order)].copy()
    taken = []
    for k in range(n):
        pivot = rest[k, k]
        if pivot <= ALIASED:
            continue
        taken.append(order[k])
        row = rest[k, k:] / np.sqrt(pivot)
        rest[k:, k:] -= np.outer(row, row)
    return np.sort(np.array(taken, dtype=np.intp))
