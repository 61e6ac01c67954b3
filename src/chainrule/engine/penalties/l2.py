"""Penalties on the coefficients. The intercept is never penalised."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray

_STRONGEST: Final[float] = 1e300


@dataclass(frozen=True)
class L2Penalty:
    """sum_j strength_j |coef_j|^2 / 2; all zeros means no penalty.

    Parameters
    ----------
    strength : ndarray of shape (n_features,)
        The curvature that the penalty adds to each feature: 1 / C in the units of the data.
    """

    strength: FloatArray

    @classmethod
    def from_inverse(cls, C: float, column_scale: FloatArray) -> L2Penalty:
        """Build |coef|^2 / (2 C) for coefficients that were multiplied by `column_scale`."""
        if np.isinf(C):
            return cls(np.zeros_like(column_scale))
        with np.errstate(over="ignore"):  # columns of size 1e-200: coef is zero there anyway
            strength = (np.sqrt(1 / C) / column_scale) ** 2
        return cls(np.minimum(strength, _STRONGEST))

    @cached_property
    def is_none(self) -> bool:
        """Whether nothing is penalised."""
        return not bool(self.strength.any())

    def value(self, coef: FloatArray) -> float:
        """Return the penalty of `coef`, shape (n_features, n_outputs)."""
        if self.is_none:
            return 0.0
        return float(0.5 * (self.strength[:, None] * coef * coef).sum())

    def added(self, gradient: FloatArray, coef: FloatArray) -> FloatArray:
        """Return the sum of a gradient and the penalty's; the same array where there is none."""
        return gradient if self.is_none else gradient + self.gradient(coef)

    def gradient(self, coef: FloatArray) -> FloatArray:
        """Return its gradient, the shape of `coef`."""
        return self.strength[:, None] * coef
