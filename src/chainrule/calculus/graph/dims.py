"""Named dimensions, so that a transposed X is an error even when it is square.

A size may also be computed from names: ``m - 1``, ``2h``, ``m - k + 1``. Such a size is a
polynomial with whole coefficients in one normal form, so equal sizes are equal values.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Size:
    """A size computed from named ones. Build it with `plus`, `minus` and `times`.

    Parameters
    ----------
    terms : tuple of (tuple of str, int)
        Products of names, each with its coefficient, in the order in which they are written; the
        empty product is the constant.
    """

    terms: tuple[tuple[Names, int], ...]

    def __str__(self) -> str:
        text = ""
        for names, coefficient in self.terms:
            sign = " - " if coefficient < 0 else " + "
            text += sign if text else sign.strip(" +")
            number = "" if names and abs(coefficient) == 1 else str(abs(coefficient))
            text += number + " ".join(names)
        return text


Dim: TypeAlias = int | str | Size
"""A size: a name such as ``"n"``, a number when the model fixes it, or computed from these."""

Shape: TypeAlias = tuple[Dim, ...]
"""Rows and columns, behind further dimensions in a tensor such as (b, h, t, d). A vector is a
matrix with one row or column, and a scalar is (1, 1)."""

SCALAR: Shape = (1, 1)

MOST_DIMENSIONS = 6
"""The most dimensions of a tensor; batch, heads, time and features are four."""

LITERAL = 12
"""Sizes up to this number are used as they are in verification; larger ones are replaced."""


def plus(first: Dim, second: Dim) -> Dim:
    """Add two sizes.

    >>> str(plus(minus("m", "k"), 1)), plus("n", minus(3, "n"))
    ('m - k + 1', 3)
    """
    found = _terms(first)
    for names, coefficient in _terms(second).items():
        found[names] = found.get(names, 0) + coefficient
    return _dim(found)


def minus(first: Dim, second: Dim) -> Dim:
    """Subtract a size from another."""
    return plus(first, times(-1, second))


def times(first: Dim, second: Dim) -> Dim:
    """Multiply two sizes.

    >>> str(times(2, plus("h", 1)))
    '2h + 2'
    """
    found: dict[Names, int] = {}
    for names, coefficient in _terms(first).items():
        for others, factor in _terms(second).items():
            key = tuple(sorted((*names, *others)))
            found[key] = found.get(key, 0) + coefficient * factor
    return _dim(found)


def base_names(dim: Dim) -> Names:
    """Return the names that a size is computed from.

    >>> base_names(minus("m", 1)), base_names("n"), base_names(3)
    (('m',), ('n',), ())
    """
    return tuple(dict.fromkeys(name for names in _terms(dim) for name in names))


def measured(dim: Dim, sizes: Mapping[str, int]) -> int:
    """Return a size as a number.

    Parameters
    ----------
    dim : Dim
        A size.
    sizes : mapping of str to int
        The size of every name. A number that is given here, as text, stands for another size.
    """
    if isinstance(dim, str):
        return sizes[dim]
    if isinstance(dim, int):
        return sizes.get(str(dim), dim)
    return sum(factor * prod(sizes[name] for name in names) for names, factor in dim.terms)


def possible(dim: Dim) -> bool:
    """Whether some values of its names make a size 1 or more, as far as the signs tell."""
    return any(factor > 0 for factor in _terms(dim).values())


def factor_of(name: str, dim: Dim) -> Dim:
    """Return the coefficient of a name in a size that is linear in it; else 0.

    >>> str(factor_of("h", plus(times(2, times("d", "h")), 1))), factor_of("h", times("h", "h"))
    ('2d', 0)
    """
    holding = [names for names in _terms(dim) if name in names]
    if len(holding) != 1 or holding[0].count(name) != 1:
        return 0
    (names,) = holding
    return _dim({tuple(other for other in names if other != name): _terms(dim)[names]})


def solved(dim: Dim, size: int, sizes: Mapping[str, int]) -> tuple[str, int] | None:
    """Return the one unknown name of a size, and its value.

    None when no name or more than one is unknown, or when it stands in several terms.

    Raises
    ------
    ValueError
        When no whole number of at least 1 makes the size what it is.

    >>> solved(plus(times(2, "h"), 1), 7, {})
    ('h', 3)
    """
    unknown = [name for name in base_names(dim) if name not in sizes]
    factor = factor_of(unknown[0], dim) if len(unknown) == 1 else 0
    if factor == 0:
        return None
    (name,), multiple = unknown, measured(factor, sizes)
    rest = size - measured(minus(dim, times(factor, name)), sizes)
    if rest % multiple or rest // multiple < 1:
        raise ValueError(f"no size {name} makes {dim} equal {size}")
    return name, rest // multiple


def certain(dim: Dim) -> bool:
    """Whether a difference of sizes is non-negative, as far as its names tell.

    A name that is only taken off may be the larger one; a number is taken off freely.

    >>> certain(minus("m", 1)), certain(minus("n", "k")), certain(0)
    (True, False, True)
    """
    terms = _terms(dim)
    named = [factor for names, factor in terms.items() if names]
    return all(factor > 0 for factor in named) if named else terms.get((), 0) >= 0


def divided(dim: Dim, count: Dim) -> Dim | None:
    """Divide a size into equal parts; None where it is not a multiple of their number.

    >>> divided(times(4, "h"), 2) == times(2, "h"), divided(times("h", "k"), "h"), divided("h", 2)
    (True, 'k', None)
    """
    ((taken, factor), *more) = _terms(count).items()
    found: dict[Names, int] = {}
    for names, coefficient in _terms(dim).items():
        left = list(names)
        for name in taken:
            if name not in left:
                return None
            left.remove(name)
        if more or coefficient % factor:
            return None
        found[tuple(left)] = coefficient // factor
    return _dim(found)


def is_tensor(shape: Shape) -> bool:
    """Whether a shape has more than two dimensions."""
    return len(shape) > 2


def written(shape: Iterable[Dim]) -> str:
    """Format a shape as the lecture does.

    >>> written((1, "n"))
    '(1, n)'
    """
    return f"({', '.join(str(dim) for dim in shape)})"


def _terms(dim: Dim) -> dict[Names, int]:
    if isinstance(dim, Size):
        return dict(dim.terms)
    if isinstance(dim, str):
        return {(dim,): 1}
    return {(): dim} if dim else {}


def _dim(terms: Mapping[Names, int]) -> Dim:
    """Return the size of these terms, as a number or a name where possible."""
    # Positive terms first, then what is taken off; the constant last unless it must lead.
    kept = sorted(
        ((names, factor) for names, factor in terms.items() if factor),
        key=lambda term: (not term[0], term[1] < 0, term[0]),
    )
    if not kept:
        return 0
    if kept[0][1] < 0 and kept[-1][1] > 0:
        kept = [kept[-1], *kept[:-1]]
    (names, factor), *more = kept
    if more or len(names) > 1 or (names and factor != 1):
        return Size(tuple(kept))
    return names[0] if names else factor


@dataclass(frozen=True)
class Index:
    """A running index: ``i`` from 1 to ``m``."""

    name: str
    dim: Dim

    def __str__(self) -> str:
        return self.name
