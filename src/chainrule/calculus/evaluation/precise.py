"""Values with fifty digits: arrays of mpmath numbers."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np

DIGITS = 50

_ARRANGING = frozenset(
    {"maximum", "minimum", "amax", "amin", "broadcast_to", "abs", "arange", "concatenate"}
    | {"argsort", "take_along_axis"}
)
"""What NumPy does with arrays of any numbers."""

_NAMES = {"arccos": "acos", "arctan": "atan"}
"""What mpmath calls otherwise than NumPy."""

_LOGARITHMS = {"log2": 2, "log10": 10}
"""Logarithms by their base."""

_POLYGAMMA = "polygamma_"
"""What the name of a polygamma function begins with; its order follows."""


class _Linalg:
    """Linear algebra on arrays of mpmath numbers."""

    @staticmethod
    def inv(x: Any) -> Any:  # noqa: ANN401
        """Invert a matrix."""
        return np.array((mpmath.matrix(x.tolist()) ** -1).tolist(), dtype=object)

    @staticmethod
    def det(x: Any) -> Any:  # noqa: ANN401
        """Return the determinant."""
        return np.array([[mpmath.det(mpmath.matrix(x.tolist()))]], dtype=object)


class Precise:
    """The array namespace of mpmath numbers; use it inside ``mpmath.workdps(DIGITS)``."""

    @staticmethod
    def full(shape: tuple[int, ...], value: Any) -> Any:  # noqa: ANN401
        """Fill a shape with one exact number."""
        return np.full(shape, precise_number(value), dtype=object)

    @staticmethod
    def where(mask: Any, yes: Any, no: Any) -> Any:  # noqa: ANN401
        """Choose entry by entry."""
        return np.where(mask, precise_number(yes), precise_number(no))

    @staticmethod
    def sign(x: Any) -> Any:  # noqa: ANN401
        """Return 1, 0 or -1."""
        return np.frompyfunc(mpmath.sign, 1, 1)(x)

    @staticmethod
    def sum(x: Any, **options: Any) -> Any:  # noqa: ANN401
        """Add along an axis."""
        return np.asarray(np.sum(x, **options), dtype=object)  # one number stays an array

    @staticmethod
    def eye(size: int) -> Any:  # noqa: ANN401
        """Return the identity."""
        return np.vectorize(precise_number, otypes=[object])(np.eye(size, dtype=int))

    @property
    def linalg(self) -> type[_Linalg]:
        """Inverses and determinants."""
        return _Linalg

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        if name in _ARRANGING:
            return getattr(np, name)
        if name in _LOGARITHMS:
            return np.frompyfunc(lambda x: mpmath.log(x, _LOGARITHMS[name]), 1, 1)
        if name.startswith(_POLYGAMMA):
            order = int(name.removeprefix(_POLYGAMMA))
            return np.frompyfunc(lambda x: mpmath.psi(order, x), 1, 1)
        return np.frompyfunc(getattr(mpmath, _NAMES.get(name, name)), 1, 1)


PRECISE = Precise()
"""The namespace of fifty-digit values."""


def precise_number(value: Any) -> Any:  # noqa: ANN401
    """Convert a number without rounding it to float first."""
    if isinstance(value, Fraction):
        return mpmath.mpf(value.numerator) / value.denominator
    return mpmath.mpf(value)
