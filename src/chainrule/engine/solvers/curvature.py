"""A Hessian, scaled to unit diagonal and factored: solves, norms and its smallest eigenvalue.

Scaling each column by the square root of its own curvature makes every quantity here independent of
the units of the features (van der Sluis 1969: within a factor of the best diagonal scaling).
"""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import Final

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.runtime.lapack import lapack

_ROUNDS: Final[int] = 4
_SHARES: Final[tuple[float, ...]] = (0.9, 0.5, 0.1)


class Curvature:
    """A positive semi-definite Hessian in the order of `Objective.pack`.

    Parameters
    ----------
    hessian : ndarray of shape (n_parameters, n_parameters)
    n_outputs : int
        With more than one output, adding the same vector to all outputs changes no prediction. On
        those directions, where gradients vanish, the Hessian is completed to a positive one.

    Attributes
    ----------
    scale : ndarray of shape (n_parameters,)
        The same for all outputs, so that the completion stays orthogonal to what matters.
    """

    def __init__(self, hessian: FloatArray, n_outputs: int) -> None:
        self.n_outputs = n_outputs
        n_parameters = len(hessian)
        size = n_parameters // n_outputs
        peak = np.sqrt(np.maximum(np.diagonal(hessian).reshape(n_outputs, size).max(axis=0), 0.0))
        peak[peak == 0] = 1.0
        self.scale = np.tile(peak, n_outputs)
        self._scaled = hessian / self.scale
        self._scaled /= self.scale[:, None]
        if n_outputs > 1:
            blocks = self._scaled.reshape(n_outputs, size, n_outputs, size)
            every = np.arange(size)
            blocks[:, every, :, every] += 1.0 / n_outputs

    def times(self, factor: float) -> Curvature:
        """Return this curvature times a positive number, with the same factors."""
        scaled = copy(self)
        scaled.scale = self.scale * np.sqrt(factor)
        return scaled

    @cached_property
    def _cholesky(self) -> FloatArray | None:
        factor = _factored(self._scaled)
        if factor is None or factor.diagonal().min(initial=1.0) < np.sqrt(len(factor) * 64 * UNIT):
            return None
        return factor

    @cached_property
    def _spectrum(self) -> tuple[FloatArray, FloatArray]:
        from scipy import linalg

        values, vectors = linalg.eigh(self._scaled)
        return values, vectors

    @cached_property
    def _verified(self) -> float:
        """A lower bound on the smallest eigenvalue, proven by a factor; 0 where there is none.

        Where Cholesky's method runs through on A - shift I, the smallest eigenvalue of A is at
        least the shift, less what rounding may hide (Rump 2006, *Verification of positive
        definiteness*). Inverse iteration finds a shift worth trying.
        """
        if self._cholesky is None:
            return 0.0
        size = len(self._scaled)
        if size == 0:  # no parameter is free: no direction is flat
            return np.inf
        vector = np.cos(np.arange(size))  # without a symmetry that would hide a direction
        for _ in range(_ROUNDS):
            vector = _solved(self._cholesky, vector)
            vector /= np.linalg.norm(vector)
        estimate = 1 / float(vector @ _solved(self._cholesky, vector))
        hidden = 1.01 * (size + 2) * UNIT * float(np.trace(self._scaled))
        for share in _SHARES:
            shifted = self._scaled.copy()
            shifted.flat[:: size + 1] -= share * estimate
            if _factored(shifted, overwrite=True) is not None:
                return max(share * estimate - 2 * hidden, 0.0)
        return 0.0

    @property
    def is_definite(self) -> bool:
        """Whether a factor proves all eigenvalues to be positive, without their computation."""
        return self._verified > 0

    @property
    def eigenvalue_error(self) -> float:
        """Bound what `dual_norm` may not know of the spectrum (backward stability of eigh)."""
        if self._verified:
            return 0.0
        return 16 * len(self.scale) * UNIT * max(1.0, float(self._spectrum[0][-1]))

    @property
    def smallest(self) -> float:
        """A lower bound on the smallest eigenvalue of the scaled Hessian as it was computed."""
        return self._verified or float(self._spectrum[0][0]) - self.eigenvalue_error

    def solve(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian's inverse times a vector, or each column of a table.

        Where the Hessian is singular to working precision this is the solution of least norm:
        eigenvalues that cannot be told from zero are filtered out (Tikhonov; Hansen 1998, 4.2).
        """
        scaled = (vector.T / self.scale).T
        if self._cholesky is not None:
            return np.asarray((_solved(self._cholesky, scaled).T / self.scale).T)
        values, vectors = self._spectrum
        floor = 4 * len(values) * UNIT * max(1.0, float(values[-1]))
        turned = (vectors.T @ scaled).T * values / (values**2 + floor**2)
        return np.asarray(((vectors @ turned.T).T / self.scale).T)

    def flattest(self) -> tuple[float, FloatArray]:
        """Return the smallest eigenvalue of the scaled Hessian, and its direction in the scale."""
        values, vectors = self._spectrum
        return float(values[0]), np.asarray(vectors[:, 0])

    def dual_norm(self, vector: FloatArray) -> float:
        """Return sqrt(v^T H^-1 v), from above: for a gradient, the Newton decrement."""
        return float(self.dual_norms(vector[None])[0])

    def dual_norms(self, vectors: FloatArray) -> FloatArray:
        """Return `dual_norm` of every row of a table.

        With a solution x up to a residual r, v^T H^-1 v = v^T x + x^T r + r^T H^-1 r.
        """
        scaled = vectors / self.scale
        if not self._verified or self._cholesky is None:
            values, directions = self._spectrum
            turned = scaled @ directions
            return np.asarray(np.sqrt((turned * turned / values).sum(axis=1)))
        size = scaled.shape[1]
        solutions = _solved(self._cholesky, scaled.T).T
        residuals = scaled - solutions @ self._scaled
        long, short, left = (
            np.sqrt((part * part).sum(axis=1)) for part in (solutions, scaled, residuals)
        )
        unit = (size + 2) * UNIT
        unknown = left + unit * (float(np.trace(self._scaled)) * long + short)
        known = np.abs((scaled * solutions).sum(axis=1) + (solutions * residuals).sum(axis=1))
        known += 2 * unit * long * (short + left)
        return np.asarray(np.sqrt(known + unknown**2 / self._verified))

    def inverse_root_trace(self, keep: FloatArray) -> float:
        """Return sqrt(trace(K H^-1 K)) for K = diag(keep): a bound on |K u| over |u|_H <= 1."""
        weights = keep / self.scale
        top = float(weights.max(initial=0.0))
        if top == 0:
            return 0.0
        weights = (weights / top) ** 2
        return top * float(np.sqrt(weights @ self._inverse_diagonal))

    def largest_norm(self, bounds: FloatArray, *, quickly: bool = False) -> float:
        """Bound sqrt(v^T H^-1 v) over all v with |v_j| <= bounds_j."""
        return float(self.largest_norms(bounds[None], quickly=quickly)[0])

    def largest_norms(self, bounds: FloatArray, *, quickly: bool = False) -> FloatArray:
        """Return `largest_norm` of every row of a table.

        By the smallest eigenvalue, or entry by entry, which takes the inverse: where H is flat, few
        entries matter.
        """
        scaled = bounds / self.scale
        together = np.sqrt((scaled * scaled).sum(axis=1)) / np.sqrt(self.smallest)
        if not quickly:
            together = np.minimum(together, scaled @ np.sqrt(self._inverse_diagonal))
        return np.asarray(1.000001 * together)

    def widest_spread(self, row_bounds: FloatArray) -> float:
        """Bound max_k x^T u_k - min_k x^T u_k over |u|_H <= 1 and rows x within these bounds.

        With one output, |x^T u|.
        """
        units = np.eye(self.n_outputs)
        by_output = [self.largest_norm(np.outer(unit, row_bounds).ravel()) for unit in units]
        if self.n_outputs == 1:
            return by_output[0]
        whole = float(np.linalg.norm(row_bounds / self.scale[: len(row_bounds)]))
        return min(float(np.sqrt(2.0 / self.smallest)) * whole, 2 * max(by_output))

    @cached_property
    def _inverse_diagonal(self) -> FloatArray:
        """The diagonal of the scaled Hessian's inverse, rounded up."""
        if not len(self.scale):
            return self.scale
        if self._verified and self._cholesky is not None:
            root, _ = lapack().dtrtri(self._cholesky)
            doubt = 8 * len(self.scale) ** 2 * UNIT / self._verified
            return np.asarray(np.square(np.triu(root)).sum(axis=1) * (1 + doubt))
        values, vectors = self._spectrum
        return np.asarray((vectors * vectors) @ (1 / values))


def _factored(matrix: FloatArray, *, overwrite: bool = False) -> FloatArray | None:
    """Return the upper Cholesky factor, what is below it undefined; nothing if there is none.

    The transpose of a matrix in C order is what LAPACK reads in place.
    """
    factor, info = lapack().dpotrf(matrix.T, clean=0, overwrite_a=overwrite)
    return None if info else np.asarray(factor)


def _solved(factor: FloatArray, vector: FloatArray) -> FloatArray:
    if not len(factor):
        return vector.copy()
    return np.asarray(lapack().dpotrs(factor, vector)[0])


def positive_solve(matrix: FloatArray, lines: FloatArray) -> FloatArray | None:
    """Solve with a symmetric positive definite matrix, which is overwritten.

    Parameters
    ----------
    matrix : ndarray of shape (size, size)
        In C order.
    lines : ndarray of shape (n, size)
        Right sides, one a line.

    Returns
    -------
    ndarray of shape (n, size), or None
        Nothing where there is no Cholesky factor.
    """
    _, solutions, info = lapack().dposv(matrix.T, lines.T, lower=0, overwrite_a=True)
    return None if info else np.asarray(solutions.T)
