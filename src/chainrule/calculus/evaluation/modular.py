"""Exact values: arithmetic modulo a prime, with functions as seeded opaque atoms.

An identity of rational functions that holds at random points modulo a large prime holds, but for
a chance of about degree/prime (Schwartz 1980, Zippel 1979). Transcendental functions become
deterministic scramblers: equal arguments give equal values and nothing more is known of them. So
a disagreement proves nothing, and an agreement is as good as exact. Order is modelled by calling
the lower half of the residues positive, which makes masks, signs and absolute values behave.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeAlias
from zlib import crc32

import numpy as np
import numpy.typing as npt

PRIME = 2**31 - 1
Words: TypeAlias = npt.NDArray[np.int64]


class SingularError(ZeroDivisionError):
    """A matrix has no inverse modulo the prime."""


class Residues:
    """An array of residues modulo `PRIME`."""

    __slots__ = ("words",)
    __array_priority__ = 1000

    def __init__(self, words: Words) -> None:
        self.words = words

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return self.words.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.words.ndim

    @property
    def size(self) -> int:
        """The number of entries."""
        return self.words.size

    @property
    def T(self) -> Residues:
        """The transpose."""
        return Residues(self.words.T)

    def reshape(self, shape: tuple[int, ...]) -> Residues:
        """Return the same entries in another shape."""
        return Residues(self.words.reshape(shape))

    def transpose(self, order: tuple[int, ...]) -> Residues:
        """Return the array with its axes in another order."""
        return Residues(self.words.transpose(order))

    def __getitem__(self, key: Any) -> Residues:  # noqa: ANN401
        return Residues(self.words[key])

    def __add__(self, other: Any) -> Residues:  # noqa: ANN401
        return Residues((self.words + _words(other)) % PRIME)

    __radd__ = __add__

    def __neg__(self) -> Residues:
        return Residues((PRIME - self.words) % PRIME)

    def __sub__(self, other: Any) -> Residues:  # noqa: ANN401
        return Residues((self.words - _words(other)) % PRIME)

    def __mul__(self, other: Any) -> Residues:  # noqa: ANN401
        return Residues(self.words * _words(other) % PRIME)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Residues:  # noqa: ANN401
        return self * Residues(_inverse(_words(other)))

    def __rtruediv__(self, other: Any) -> Residues:  # noqa: ANN401
        return Residues(_words(other) * _inverse(self.words) % PRIME)

    def __pow__(self, exponent: int) -> Residues:
        return Residues(_power(self.words, exponent))

    def __matmul__(self, other: Residues) -> Residues:
        # Products of two residues fill 62 bits, so each is reduced before the sum.
        products = self.words[..., :, :, None] * other.words[..., None, :, :] % PRIME
        return Residues(products.sum(axis=-2) % PRIME)

    def __gt__(self, other: Any) -> npt.NDArray[np.bool_]:  # noqa: ANN401
        difference = (self - other).words
        positive: npt.NDArray[np.bool_] = (difference > 0) & (difference <= PRIME // 2)
        return positive


class _ModularLinalg:
    """Linear algebra over the residues, by elimination."""

    @staticmethod
    def inv(x: Residues) -> Residues:
        """Invert a matrix; refuse one that has no inverse."""
        size = len(x.words)
        return Residues(_eliminated(np.hstack([x.words, np.eye(size, dtype=np.int64)]))[0])

    @staticmethod
    def det(x: Residues) -> Residues:
        """Return the determinant."""
        try:
            return Residues(np.asarray([[_eliminated(x.words)[1]]]))
        except ZeroDivisionError:
            return Residues(np.zeros((1, 1), dtype=np.int64))


class Modular:
    """The array namespace of residues."""

    @staticmethod
    def full(shape: tuple[int, ...], value: Any) -> Residues:  # noqa: ANN401
        """Fill a shape with one number."""
        return Residues(np.broadcast_to(_words(value), shape))

    @staticmethod
    def sum(
        x: Residues, axis: int | tuple[int, ...] | None = None, keepdims: bool = False
    ) -> Residues:
        """Add along an axis."""
        return Residues(np.asarray(x.words.sum(axis=axis, keepdims=keepdims) % PRIME))

    @staticmethod
    def concatenate(parts: Sequence[Residues], axis: int = 0) -> Residues:
        """Put arrays one after another along an axis."""
        return Residues(np.concatenate([part.words for part in parts], axis=axis))

    @staticmethod
    def max(x: Residues, axis: int | None = None, keepdims: bool = False) -> Residues:
        """Return the largest along an axis, by the model of order."""
        signed = np.where(x.words > PRIME // 2, x.words - PRIME, x.words)
        return Residues(np.asarray(signed.max(axis=axis, keepdims=keepdims) % PRIME))

    @staticmethod
    def broadcast_to(x: Residues, shape: tuple[int, ...]) -> Residues:
        """Repeat."""
        return Residues(np.broadcast_to(x.words, shape))

    @staticmethod
    def where(mask: npt.NDArray[np.bool_], yes: Any, no: Any) -> Residues:  # noqa: ANN401
        """Choose entry by entry."""
        return Residues(np.where(mask, _words(yes), _words(no)))

    @staticmethod
    def maximum(x: Residues, floor: Any) -> Residues:  # noqa: ANN401
        """Return the larger, by the model of order."""
        return Residues(np.where(x > floor, x.words, _words(floor)))

    @staticmethod
    def minimum(x: Residues, ceiling: Any) -> Residues:  # noqa: ANN401
        """Return the smaller, by the model of order."""
        return Residues(np.where(x > ceiling, _words(ceiling), x.words))

    @staticmethod
    def amax(x: Residues, axis: int | None = None, keepdims: bool = False) -> Residues:
        """Return the largest; any total order will do, and this one is consistent."""
        return Residues(np.asarray(x.words.max(axis=axis, keepdims=keepdims)))

    @staticmethod
    def amin(x: Residues, axis: int | None = None, keepdims: bool = False) -> Residues:
        """Return the smallest."""
        return Residues(np.asarray(x.words.min(axis=axis, keepdims=keepdims)))

    @staticmethod
    def argsort(x: Residues, axis: int = -1, kind: str = "stable") -> npt.NDArray[np.intp]:
        """Return the places that sort; any total order will do, and this one is consistent."""
        return np.argsort(x.words, axis=axis, kind="stable")

    @staticmethod
    def take_along_axis(x: Residues, places: npt.NDArray[np.intp], axis: int) -> Residues:
        """Pick entries along an axis."""
        return Residues(np.take_along_axis(x.words, places, axis))

    @staticmethod
    def eye(size: int) -> Residues:
        """Return the identity."""
        return Residues(np.eye(size, dtype=np.int64))

    @staticmethod
    def arange(stop: int) -> Residues:
        """Count from 0."""
        return Residues(np.arange(stop, dtype=np.int64))

    @property
    def linalg(self) -> type[_ModularLinalg]:
        """Inverses and determinants, exact."""
        return _ModularLinalg

    @staticmethod
    def sign(x: Residues) -> Residues:
        """Return 1, 0 or -1."""
        return Residues(np.where(x > 0, 1, np.where(x.words == 0, 0, PRIME - 1)))

    @staticmethod
    def abs(x: Residues) -> Residues:
        """Return the value without its sign."""
        return Modular.sign(x) * x

    def __getattr__(self, name: str) -> Callable[[Residues], Residues]:
        return lambda x: Residues(_scrambled(x.words, crc32(name.encode())))


MODULAR = Modular()
"""The namespace of residues."""


def random_residues(rng: np.random.Generator, shape: tuple[int, ...]) -> Residues:
    """Draw residues, none of them zero."""
    return Residues(rng.integers(1, PRIME, size=shape, dtype=np.int64))


def _words(x: Any) -> Words:  # noqa: ANN401
    if isinstance(x, Residues):
        return x.words
    exact = Fraction(x)
    if exact.denominator % PRIME == 0:
        raise ZeroDivisionError("the denominator is zero modulo the prime")
    residue = exact.numerator * pow(exact.denominator, -1, PRIME) % PRIME
    return np.asarray(residue, dtype=np.int64)


def _power(words: Words, exponent: int) -> Words:
    result = np.ones_like(words)
    base = words
    while exponent:
        if exponent & 1:
            result = result * base % PRIME
        base = base * base % PRIME
        exponent >>= 1
    return result


FEW = 64
"""Up to so many residues, Euclid's algorithm for each is faster than Fermat's for the array."""


def _inverse(words: Words) -> Words:
    """Invert by Euclid or Fermat; refuse zero, which has no inverse."""
    if not words.all():
        raise ZeroDivisionError("a residue is zero")
    if words.size <= FEW:
        inverses = [pow(word, -1, PRIME) for word in words.ravel().tolist()]
        return np.array(inverses, dtype=np.int64).reshape(words.shape)
    return _power(words, PRIME - 2)


def _eliminated(rows: Words) -> tuple[Words, int]:
    """Eliminate by Gauss and Jordan: what stands right of the square, and the determinant."""
    rows, det, size = rows.copy(), 1, len(rows)
    for k in range(size):
        filled = np.nonzero(rows[k:, k])[0]
        if not len(filled):
            raise SingularError("a matrix has no inverse")
        other = k + int(filled[0])
        if other != k:
            rows[[k, other]], det = rows[[other, k]], -det
        pivot = int(rows[k, k])
        det = det * pivot % PRIME
        rows[k] = rows[k] * pow(pivot, -1, PRIME) % PRIME
        for place in range(size):
            if place != k:
                rows[place] = (rows[place] - rows[place, k] * rows[k]) % PRIME
    return rows[:, size:], det % PRIME


def _scrambled(words: Words, seed: int) -> Words:
    """Mix the bits (the finaliser of splitmix64, Steele, Lea & Flood 2014)."""
    mixed = words.astype(np.uint64) + np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15 % 2**32)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return (mixed % np.uint64(PRIME - 1)).astype(np.int64) + 1
