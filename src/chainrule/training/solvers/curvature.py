"""A Hessian, scaled to unit diagonal and factored: solves, norms and its smallest eigenvalue.

Scaling each column by the square root of its own curvature makes every quantity here independent of
the units of the features (van der Sluis 1969: within a factor of the best diagonal scaling).
"""

from __future__ import annotations

from copy import copy
from functools import cached_property

import numpy as np
from scipy import linalg

from chainrule.training.arrays import UNIT, FloatArray


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
        self._scaled = hessian / self.scale / self.scale[:, None]
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
    def _cholesky(self) -> tuple[FloatArray, bool] | None:
        try:
            factor, lower = linalg.cho_factor(self._scaled, lower=True)
        except linalg.LinAlgError:
            return None
        if np.diagonal(factor).min() < np.sqrt(len(factor) * 64 * UNIT):
            return None
        return factor, lower

    @cached_property
    def _spectrum(self) -> tuple[FloatArray, FloatArray]:
        values, vectors = linalg.eigh(self._scaled)
        return values, vectors

    @property
    def eigenvalue_error(self) -> float:
        """Bound the error of the computed eigenvalues (backward stability of eigh)."""
        return 16 * len(self.scale) * UNIT * max(1.0, float(self._spectrum[0][-1]))

    @property
    def smallest(self) -> float:
        """A lower bound on the smallest eigenvalue of the scaled Hessian as it was computed."""
        return float(self._spectrum[0][0]) - self.eigenvalue_error

    def solve(self, vector: FloatArray) -> FloatArray:
        """Return the Hessian's inverse times `vector`.

        Where the Hessian is singular to working precision this is the solution of least norm:
        eigenvalues that cannot be told from zero are filtered out (Tikhonov; Hansen 1998, 4.2).
        """
        scaled = vector / self.scale
        if self._cholesky is not None:
            return np.asarray(linalg.cho_solve(self._cholesky, scaled) / self.scale)
        values, vectors = self._spectrum
        floor = 4 * len(values) * UNIT * max(1.0, float(values[-1]))
        turned = (vectors.T @ scaled) * values / (values**2 + floor**2)
        return np.asarray((vectors @ turned) / self.scale)

    def flattest(self) -> tuple[float, FloatArray]:
        """Return the smallest eigenvalue of the scaled Hessian, and its direction in the scale."""
        values, vectors = self._spectrum
        return float(values[0]), np.asarray(vectors[:, 0])

    def dual_norm(self, vector: FloatArray) -> float:
        """Return sqrt(v^T H^-1 v): for a gradient, the Newton decrement."""
        values, vectors = self._spectrum
        turned = vectors.T @ (vector / self.scale)
        return float(np.sqrt((turned * turned / values).sum()))

    def inverse_root_trace(self, keep: FloatArray) -> float:
        """Return sqrt(trace(K H^-1 K)) for K = diag(keep): a bound on |K u| over |u|_H <= 1."""
        values, vectors = self._spectrum
        weights = keep / self.scale
        top = float(weights.max())
        if top == 0:
            return 0.0
        weights = (weights / top) ** 2
        return top * float(np.sqrt((weights @ (vectors * vectors)) @ (1 / values)))
