"""A point, and what one pass over the data finds out there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from chainrule.engine.arrays import FloatArray


@dataclass(frozen=True)
class Point:
    """Coefficients and intercept, or anything of their shape: a gradient, a direction.

    Attributes
    ----------
    coef : ndarray of shape (n_features, n_outputs)
    intercept : ndarray of shape (n_outputs,)
    """

    coef: FloatArray
    intercept: FloatArray

    def moved(self, step: float, direction: Point) -> Point:
        """Return self + step * direction."""
        return Point(self.coef + step * direction.coef, self.intercept + step * direction.intercept)


@dataclass(frozen=True)
class Evaluation:
    """Results of one pass over the data at a point.

    Attributes
    ----------
    point : Point
    value : float
        f, penalty included.
    floor, floor_size : float
        A lower bound of f that no coefficients can change, 0 for losses of classes; and the sum of
        the sizes of its terms.
    gradient : Point
    scores : callable
        Returns the raw predictions: those that were kept, or by another read of X.
    hessian : ndarray of shape (n_parameters, n_parameters) or None
        In the order of `Objective.pack`.
    """

    point: Point
    value: float
    gradient: Point
    scores: Callable[[], FloatArray]
    hessian: FloatArray | None = None
    floor: float = 0.0
    floor_size: float = 0.0

    @property
    def excess(self) -> float:
        """How far f is above its floor: what tolerances are relative to, never negative."""
        return max(self.value - self.floor, 0.0)

    @property
    def magnitude(self) -> float:
        """A bound of the sum of the sizes of all losses, about: what rounding scales with."""
        return self.excess + self.floor_size

    @cached_property
    def raw_prediction(self) -> FloatArray:
        """The raw predictions, (n_samples, n_outputs)."""
        return self.scores()


def comparable(value: float) -> float:
    """Return a value of f, NaN for -inf: where a kernel overflows, that is not an improvement."""
    return float("nan") if value == -np.inf else value
