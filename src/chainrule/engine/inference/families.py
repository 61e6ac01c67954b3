"""Distribution of the targets that a loss implies: mean, variance, likelihood.

A loss of an exponential dispersion family is linear in the target: l'(z, y) = h(z) (mu(z) - y).
Then everything that inference needs follows from the generated kernels, whatever the link:

    h = l'(z, y) - l'(z, y + 1),   mu' = l''(z, mu) / h,   variance V(mu) = mu' / h,

and the expected curvature is l''(z, mu), since l'' is linear in y, too. No formula is typed here
but the normalising constants of the likelihoods, which a loss leaves out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy.special import gammaln

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import LossRow

Constant = Callable[[FloatArray, FloatArray, float], FloatArray]
"""(y, weight, dispersion) -> what to add to -weight loss / dispersion for the log-likelihood."""

_LINEAR: Final[float] = 1e-9
_STEP: Final[float] = 2.0**-7
_FIRST: Final = ((-2, 1 / 12), (-1, -2 / 3), (1, 2 / 3), (2, -1 / 12))
"""Places and factors of a first derivative of fourth order, over the step."""


@dataclass(frozen=True)
class Family:
    """The distribution of targets that a loss stands for.

    Attributes
    ----------
    row : LossRow
    name : str
        "binomial", "Poisson", ...; "quasi" where only mean and variance are known.
    has_dispersion : bool
        Whether the variance has an unknown factor, estimated by Pearson's statistic.
    constant : callable or None
        The normalising constant; None where the likelihood has no closed form.
    """

    row: LossRow
    name: str
    has_dispersion: bool
    constant: Constant | None

    def mean(self, z: FloatArray) -> FloatArray:
        """Return the mean of the target at scores z."""
        return np.asarray(self.row.kernels.mean(z))

    def slope_in_target(self, z: FloatArray) -> FloatArray:
        """Return h = -d/dy dl/dz at scores z."""
        y = np.full_like(z, self._base)
        return self._slope(z, y) - self._slope(z, y + 1)

    @cached_property
    def is_canonical(self) -> bool:
        """Whether h = 1: then mu' = V, and l'' does not depend on the target."""
        z = np.linspace(-2.0, 2.0, 9)
        return bool(np.allclose(self.slope_in_target(z), 1.0, rtol=1e-12, atol=0.0))

    def information(self, z: FloatArray) -> FloatArray:
        """Return the expected curvature at scores z: l'' at the mean."""
        y = np.full_like(z, self._base) if self.is_canonical else self.mean(z)
        return np.asarray(self.row.kernels.terms(z, y)[2])

    def mean_slope(self, z: FloatArray) -> FloatArray:
        """Return d mu/dz at scores z: the expected curvature over h."""
        found = self.information(z)
        return found if self.is_canonical else found / self.slope_in_target(z)

    def mean_curvature(self, z: FloatArray) -> FloatArray:
        """Return d2 mu/dz2, by central differences of fourth order of the slope."""
        total = np.zeros_like(z)
        for place, factor in _FIRST:
            total += factor * self.mean_slope(z + place * _STEP)
        return total / _STEP

    def variance(self, z: FloatArray) -> FloatArray:
        """Return V(mu) at scores z: the variance of one target over the dispersion."""
        found = self.mean_slope(z)
        return found if self.is_canonical else found / self.slope_in_target(z)

    def log_likelihood(
        self, loss: FloatArray, y: FloatArray, weight: FloatArray, dispersion: float
    ) -> float:
        """Return the log-likelihood of examples with these losses; NaN without closed form."""
        if self.constant is None:
            return float("nan")
        return float((self.constant(y, weight, dispersion) - weight * loss / dispersion).sum())

    @property
    def _base(self) -> float:
        targets = self.row.targets
        return targets.low + (not targets.has_low) if np.isfinite(targets.low) else 0.0

    def _slope(self, z: FloatArray, y: FloatArray) -> FloatArray:
        return np.asarray(self.row.kernels.terms(z, y)[1])


def family_of(row: LossRow) -> Family | None:
    """Return the family that a loss stands for; None for a loss that no distribution has.

    >>> from chainrule.engine.losses.table import find_loss
    >>> family_of(find_loss("poisson")).name
    'Poisson'
    >>> family_of(find_loss("huber")) is None
    True
    """
    if row.targets.values or not _is_linear_in_target(row):
        return None
    name, has_dispersion = _NAMES.get(row.name, ("quasi", True))
    return Family(row, name, has_dispersion, _constant_of(row))


def _is_linear_in_target(row: LossRow) -> bool:
    """Tell whether dl/dz is linear in y with a negative slope, and zero at the mean."""
    z = np.linspace(-2.0, 2.0, 17)
    low = row.targets.low if np.isfinite(row.targets.low) else -1.0
    y = low + (0.25 if row.targets.high <= low + 1 else 0.5)
    step = (0.25 if row.targets.high <= low + 1 else 1.0) * np.ones_like(z)
    with np.errstate(all="ignore"):
        slopes = [np.asarray(row.kernels.terms(z, y + k * step)[1]) for k in range(3)]
        at_mean = np.asarray(row.kernels.terms(z, np.asarray(row.kernels.mean(z)))[1])
    size = np.max([np.abs(slope) for slope in slopes], axis=0) + 1
    bent = np.abs(slopes[2] - 2 * slopes[1] + slopes[0])
    falls = slopes[1] < slopes[0]
    return bool((bent <= _LINEAR * size).all() and falls.all() and (abs(at_mean) <= _LINEAR).all())


_NAMES: Final[Mapping[str, tuple[str, bool]]] = {
    "logistic": ("binomial", False),
    "probit": ("binomial", False),
    "cloglog": ("binomial", False),
    "poisson": ("Poisson", False),
    "negative_binomial": ("negative binomial", False),
    "squared": ("Gaussian", True),
    "gamma": ("gamma", True),
    "inverse_gaussian": ("inverse Gaussian", True),
    "tweedie": ("Tweedie", True),
}


def _constant_of(row: LossRow) -> Constant | None:
    if row.name == "negative_binomial":
        alpha = _negative_binomial_dispersion(row)
        return lambda y, weight, _: (
            weight
            * (gammaln(y + 1 / alpha) - gammaln(1 / alpha) - gammaln(y + 1) + y * np.log(alpha))
        )
    return _CONSTANTS.get(row.name)


def _negative_binomial_dispersion(row: LossRow) -> float:
    """Return alpha of the variance mu + alpha mu^2: at z = 0 the mean is 1."""
    return float(Family(row, "", False, None).variance(np.zeros(1))[0]) - 1


def _binomial(y: FloatArray, weight: FloatArray, _: float) -> FloatArray:
    """Return log(trials choose successes): 0 for labels."""
    successes = weight * y
    found = gammaln(weight + 1) - gammaln(successes + 1) - gammaln(weight - successes + 1)
    return np.where((y == 0) | (y == 1), 0.0, found)


def _poisson(y: FloatArray, weight: FloatArray, _: float) -> FloatArray:
    return np.asarray(-weight * gammaln(y + 1))


def _gaussian(_: FloatArray, weight: FloatArray, dispersion: float) -> FloatArray:
    return -weight * float(np.log(2 * np.pi * dispersion)) / 2


def _gamma(y: FloatArray, weight: FloatArray, dispersion: float) -> FloatArray:
    shape = 1 / dispersion
    level = shape * float(np.log(shape)) - float(gammaln(shape))
    return np.asarray(weight * (level + (shape - 1) * np.log(y)))


def _inverse_gaussian(y: FloatArray, weight: FloatArray, dispersion: float) -> FloatArray:
    """Return the constant of -(y - mu)^2 / (2 mu^2 y dispersion), whose loss leaves out 1/(2y)."""
    return -weight * (np.log(2 * np.pi * dispersion * y**3) / 2 + 1 / (2 * y * dispersion))


_CONSTANTS: Final[Mapping[str, Constant]] = {
    "logistic": _binomial,
    "probit": _binomial,
    "cloglog": _binomial,
    "poisson": _poisson,
    "squared": _gaussian,
    "gamma": _gamma,
    "inverse_gaussian": _inverse_gaussian,
}
