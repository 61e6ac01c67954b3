"""The measured losses, by their definitions: half of the unit deviance under a log link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Terms = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Family:
    """A loss of a score z and a target y; arrays in, arrays of the same precision out.

    Attributes
    ----------
    formula : str
        The loss up to terms in y alone, as one's own loss would be written.
    value : callable
        Half of the unit deviance: the loss less its least value, never negative.
    first, second : callable
        The derivatives in z.
    """

    formula: str
    value: Terms
    first: Terms
    second: Terms


def _poisson(z: Array, y: Array) -> Array:
    logarithms = np.log(np.where(y > 0, y, 1))
    return np.asarray(np.exp(z) - y + y * (logarithms - z))


def _gamma(z: Array, y: Array) -> Array:
    d = np.log(y) - z
    return np.asarray(np.expm1(d) - d)


FAMILIES: Final[dict[str, Family]] = {
    "poisson": Family(
        "exp(z) - y z",
        _poisson,
        lambda z, y: np.asarray(np.exp(z) - y),
        lambda z, y: np.asarray(np.exp(z)),
    ),
    "gamma": Family(
        "y exp(-z) + z",
        _gamma,
        lambda z, y: np.asarray(1 - y * np.exp(-z)),
        lambda z, y: np.asarray(y * np.exp(-z)),
    ),
}
