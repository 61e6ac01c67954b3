"""Elastic net: absolute values and squares of the coefficients, within bounds.

    P(w) = sum_j l1_j |w_j| + l2_j w_j^2 / 2,   lower_j <= w_j <= upper_j

Everything here is separable: one column at a time. The intercept is never penalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray, IntArray
from chainrule.engine.column_names import NumberedColumns
from chainrule.errors import DataError

STRONGEST: Final[float] = 1e300


@dataclass(frozen=True)
class ElasticNet:
    """The penalty; vectors have one number per column.

    Parameters
    ----------
    l1, l2 : ndarray of shape (n_features,)
        Strengths, at least 0.
    lower, upper : ndarray of shape (n_features,)
        Bounds of the coefficients; infinite where there are none.
    """

    l1: FloatArray
    l2: FloatArray
    lower: FloatArray
    upper: FloatArray

    @property
    def free(self) -> BoolArray:
        """Which columns have neither a penalty nor two finite bounds."""
        if self.l1.all():
            return np.zeros(self.l1.shape, dtype=bool)
        open_ended = np.isinf(self.lower) | np.isinf(self.upper)
        return np.asarray((self.l1 == 0) & (self.l2 == 0) & open_ended)

    @property
    def is_smooth(self) -> bool:
        """Whether there are neither absolute values nor bounds."""
        limited = np.isfinite(self.lower).any() or np.isfinite(self.upper).any()
        return not (limited or self.l1.any())

    @cached_property
    def _has_squares(self) -> bool:
        return bool(self.l2.any())

    @cached_property
    def _is_bounded(self) -> bool:
        return not (np.isinf(self.lower).all() and np.isinf(self.upper).all())

    def of(self, columns: IntArray) -> ElasticNet:
        """Return the penalty of some columns, or a stack of them."""
        parts = (self.l1, self.l2, self.lower, self.upper)
        return ElasticNet(*(part[..., columns] for part in parts))

    def at(self, place: int | slice) -> ElasticNet:
        """Return a penalty of a stack, or several."""
        return ElasticNet(self.l1[place], self.l2[place], self.lower, self.upper)

    def value(self, w: FloatArray) -> float:
        """Return P(w) for w within the bounds."""
        absolute = float(self.l1 @ np.abs(w))
        return absolute + 0.5 * float(self.l2 @ (w * w)) if self._has_squares else absolute

    def nearest(self, w: FloatArray) -> FloatArray:
        """Return the point within the bounds that is nearest to w."""
        return np.asarray(np.clip(w, self.lower, self.upper))

    def conjugate(self, u: FloatArray) -> FloatArray:
        """Return sup_v u v - P(v) of each column, inf where it is not bounded."""
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            best = np.sign(u) * np.maximum(np.abs(u) - self.l1, 0.0) / self.l2
        best = self.nearest(np.where(np.isnan(best), 0.0, best))
        with np.errstate(invalid="ignore", over="ignore"):
            # no terms that cancel: u and best have the same sign, as 0 lies within the bounds
            found = (np.abs(u) - self.l1 - 0.5 * self.l2 * np.abs(best)) * np.abs(best)
        return np.where(np.isfinite(best), found, np.inf)

    def violation(self, w: FloatArray, slope: FloatArray) -> FloatArray:
        """Return how far -slope lies from the subdifferential of P at w, entry by entry.

        0 in every column, for the slopes of the losses, is the condition for an optimum.
        """
        pull = slope + self.l2 * w if self._has_squares else slope
        found = np.abs(pull)
        found -= self.l1
        np.maximum(found, 0.0, out=found)
        inside = np.flatnonzero(w)
        found[inside] = np.abs(pull[inside] + self.l1[inside] * np.sign(w[inside]))
        if not self._is_bounded:
            return found
        up = np.maximum(-(pull + np.where(w < 0, -self.l1, self.l1)), 0.0)
        down = np.maximum(pull - np.where(w > 0, -self.l1, self.l1), 0.0)
        found = np.where(w <= self.lower, up, found)
        return np.where(w >= self.upper, np.where(w <= self.lower, 0.0, down), found)

    def residual(self, w: FloatArray, slope: FloatArray) -> FloatArray:
        """Return slope + p for the p nearest to -slope in the subdifferential of P at w."""
        pull = slope + self.l2 * w
        return np.sign(np.where(w == 0, pull, pull + self.l1 * np.sign(w))) * self.violation(
            w, slope
        )


@dataclass(frozen=True)
class Shape:
    """An elastic net without its strength: what stays the same along a path.

    Parameters
    ----------
    l1_ratio : float
        The share of absolute values, in [0, 1]; the rest is that of squares.
    factors : ndarray of shape (n_features,)
        Factors on the strength, column by column; 0 for none.
    square_factors : ndarray of shape (n_features,)
        The same for the squares; equal to `factors` unless columns are standardised.
    lower, upper : ndarray of shape (n_features,)
        Bounds in the units of the data.
    """

    l1_ratio: float
    factors: FloatArray
    square_factors: FloatArray
    lower: FloatArray
    upper: FloatArray

    @classmethod
    def checked(
        cls,
        n_features: int,
        l1_ratio: float = 1.0,
        penalty_factor: Any = None,  # noqa: ANN401
        bounds: Any = None,  # noqa: ANN401
        *,
        positive: bool = False,
        column_names: Sequence[str] | None = None,
    ) -> Shape:
        """Return what a user describes.

        Parameters
        ----------
        n_features : int
        l1_ratio : float
        penalty_factor : array-like of shape (n_features,), optional
        bounds : pair of float or array-like of shape (n_features,), optional
            (lower, upper); None for none.
        positive : bool
            Whether coefficients must be at least 0.
        column_names : sequence of str, optional

        Raises
        ------
        DataError
            When a number cannot be used; the message names its column.
        """
        if not isinstance(l1_ratio, int | float | np.number) or not 0 <= float(l1_ratio) <= 1:
            raise ValueError(f"l1_ratio must be a number from 0 to 1, not {l1_ratio!r}")
        names = column_names or NumberedColumns(n_features)
        factors = _vector(penalty_factor, n_features, "penalty_factor", 1.0)
        bad = np.flatnonzero(~(np.isfinite(factors) & (factors >= 0)))
        if len(bad):
            raise DataError(
                f"penalty_factor must be finite and >= 0, not {factors[bad[0]]:g} as for "
                f"{names[bad[0]]}; 0 leaves a column without penalty"
            )
        low, high = (None, None) if bounds is None else ends_of(bounds)
        lower = _vector(low, n_features, "the lower bound", -np.inf)
        upper = _vector(high, n_features, "the upper bound", np.inf)
        if positive:
            lower = np.maximum(lower, 0.0)
        bad = np.flatnonzero(~((lower <= 0) & (upper >= 0)))
        if len(bad):
            raise DataError(
                f"bounds must hold 0 between them, not [{lower[bad[0]]:g}, {upper[bad[0]]:g}] as "
                f"for {names[bad[0]]}; move the known part of a coefficient into an offset"
            )
        return cls(float(l1_ratio), factors, factors, lower, upper)

    @cached_property
    def is_bounded(self) -> bool:
        """Whether a coefficient has a bound."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def is_plain(self) -> bool:
        """Whether this is the L2 penalty, the same for all columns."""
        return self.l1_ratio == 0 and not self.is_bounded and bool((self.factors == 1).all())

    def of(self, columns: IntArray) -> Shape:
        """Return the penalty of some columns."""
        parts = (self.factors, self.square_factors, self.lower, self.upper)
        return Shape(self.l1_ratio, *(part[columns] for part in parts))

    def standardised(self, deviations: FloatArray) -> Shape:
        """Return the penalty of coefficients of columns divided by their standard deviations."""
        squares = self.square_factors * deviations**2
        return Shape(self.l1_ratio, self.factors * deviations, squares, self.lower, self.upper)

    def penalty(self, strength: float | FloatArray, column_scale: FloatArray) -> ElasticNet:
        """Return the penalty of a strength for coefficients multiplied by `column_scale`.

        A column of strengths makes a stack: l1 and l2 of shape (n, n_features).
        """
        with np.errstate(over="ignore"):
            l1 = np.asarray(strength * self.l1_ratio * self.factors)
            l1 /= column_scale
            l2 = np.zeros(l1.shape)
            if self.l1_ratio < 1:
                root = np.sqrt(strength * (1 - self.l1_ratio) * self.square_factors) / column_scale
                l2 = np.minimum(root * root, STRONGEST)
        lower, upper = self.lower, self.upper
        if self.is_bounded:
            lower, upper = lower * column_scale, upper * column_scale
        return ElasticNet(np.minimum(l1, STRONGEST, out=l1), l2, lower, upper)

    def largest(self, slopes: FloatArray, column_scale: FloatArray) -> float:
        """Return the least strength at which all penalised coefficients are 0.

        Parameters
        ----------
        slopes : ndarray of shape (n_features,)
            Derivatives of the losses where all penalised coefficients are 0.
        column_scale : ndarray of shape (n_features,)
        """
        with np.errstate(over="ignore"):
            pull = slopes * column_scale
        counted = self.factors > 0
        if self.is_bounded:
            counted &= ~np.where(pull > 0, self.lower == 0, self.upper == 0)
        if self.l1_ratio == 0 or not counted.any():
            return 0.0
        with np.errstate(over="ignore"):
            found = np.abs(pull, out=pull)
            np.divide(found, self.l1_ratio * self.factors, out=found, where=counted)
        return float(found.max(where=counted, initial=0.0)) * (1 + 4 * UNIT)


def _vector(given: Any, n_features: int, what: str, default: float) -> FloatArray:  # noqa: ANN401
    if given is None:
        return np.full(n_features, default)
    values = np.asarray(given, dtype=np.float64)
    if values.ndim == 0:
        return np.full(n_features, float(values))
    if values.shape != (n_features,):
        raise DataError(
            f"{what} has shape {values.shape}, expected ({n_features},): one per coefficient"
        )
    return values.copy()


def ends_of(bounds: Any) -> tuple[Any, Any]:  # noqa: ANN401
    """Return the two parts of bounds.

    Raises
    ------
    ValueError
        When there are not two.
    """
    try:
        low, high = bounds
    except (TypeError, ValueError):
        raise ValueError(
            f"bounds must be a pair (lower, upper) of numbers or arrays, not {bounds!r}"
        ) from None
    return low, high
