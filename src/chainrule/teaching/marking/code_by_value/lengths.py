"""Lengths of axes that are to be found: equal ones, sums, multiples and products of others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from chainrule.teaching.marking.code_by_value.algebra import Misfit

_SMALL = (5, 3, 4, 6, 7, 8, 9, 11)


class Dim:
    """A length that is to be found.

    Parameters
    ----------
    size : int or None
        The length, where it is known.
    """

    def __init__(self, size: int | None = None) -> None:
        self.same: Dim | None = None
        self.size = size
        self.made: Linear | tuple[Dim, ...] | None = None  # a sum, or the factors of a product

    def root(self) -> Dim:
        """Return the length that stands for all that are equal to this one."""
        here = self
        while here.same is not None:
            here = here.same
        return here

    def is_one(self) -> bool:
        """Whether this is the length 1."""
        return self.root().size == 1


@dataclass(frozen=True)
class Linear:
    """A sum of multiples of lengths and a number.

    Parameters
    ----------
    terms : tuple of (Dim, int)
        The lengths with their factors.
    plus : int
        The number.
    """

    terms: tuple[tuple[Dim, int], ...] = ()
    plus: int = 0

    def added(self, other: Linear, times: int = 1) -> Linear:
        """Return the sum with a multiple of another one."""
        found: dict[Dim, int] = {}
        for dim, factor in (*self.terms, *((d, times * f) for d, f in other.terms)):
            root = dim.root()
            found[root] = found.get(root, 0) + factor
        terms = tuple((dim, factor) for dim, factor in found.items() if factor)
        return Linear(terms, self.plus + times * other.plus)

    def dim(self) -> Dim:
        """Return a length that is equal to this."""
        if not self.terms:
            return Dim(max(self.plus, 1))
        if len(self.terms) == 1 and self.terms[0][1] == 1 and not self.plus:
            return self.terms[0][0]
        found = Dim()
        found.made = self
        return found


def linear(dim: object) -> Linear:
    """Return a length as a sum.

    Raises
    ------
    Misfit
        When it is none.
    """
    if isinstance(dim, Linear):
        return dim
    if isinstance(dim, int):
        return Linear((), dim)
    if not isinstance(dim, Dim):
        raise Misfit("a length that is not read")
    root = dim.root()
    if isinstance(root.made, Linear):
        return root.made.added(Linear())
    return Linear((), root.size) if root.size is not None else Linear(((root, 1),))


def equal(one: Dim, other: Dim) -> None:
    """Make two lengths equal.

    Raises
    ------
    Misfit
        When both are known, and differ.
    """
    left, right = one.root(), other.root()
    if left is right:
        return
    if left.size is not None and right.size is not None:
        if left.size != right.size:
            raise Misfit("shapes that do not meet")
        return
    _divide(left, right.size)
    _divide(right, left.size)
    if left.size is None and (left.made is None or right.made is not None):
        _check_round(right, left)
        left.same = right
    elif right.size is None:
        _check_round(left, right)
        right.same = left
    else:
        left.same = right


def _divide(whole: Dim, size: int | None) -> None:
    """Find the one open factor of a product that is a known length."""
    if size is None or not isinstance(whole.made, tuple):
        return
    factors = [dim.root() for dim in whole.made]
    open_ones = [dim for dim in factors if dim.size is None]
    known = math.prod(dim.size or 1 for dim in factors)
    if len(open_ones) == 1 and open_ones[0].made is None and size % known == 0:
        open_ones[0].size = size // known


def _check_round(whole: Dim, part: Dim) -> None:
    """Raise where a length would be made of itself."""
    stack = [whole]
    while stack:
        made = stack.pop().root().made
        parts = [d for d, _ in made.terms] if isinstance(made, Linear) else list(made or ())
        if any(one.root() is part for one in parts):
            raise Misfit("a length that is a part of itself")
        stack.extend(parts)


def product(dims: Iterable[Dim]) -> Dim:
    """Return the length of several axes that become one."""
    wide = [dim for dim in dims if not dim.is_one()]
    if len(wide) < 2:
        return wide[0] if wide else Dim(1)
    found = Dim()
    found.made = tuple(wide)
    return found


def numbers_for(dims: Iterable[Dim], used: set[int]) -> dict[Dim, int]:
    """Return a number for every length; open ones are all different."""
    roots: dict[Dim, int] = {}
    free = (n for n in itertools.chain(_SMALL, itertools.count(10)) if n not in used)

    def number(dim: Dim) -> int:
        root = dim.root()
        if root not in roots:
            if root.size is not None:
                roots[root] = root.size
            elif isinstance(root.made, Linear):
                total = root.made.plus + sum(f * number(d) for d, f in root.made.terms)
                roots[root] = max(total, 1)
            elif root.made is not None:
                whole = 1
                for factor in root.made:
                    whole *= number(factor)
                roots[root] = whole
            else:
                roots[root] = next(free)
        return roots[root]

    for dim in dims:
        number(dim)
    return roots


__all__ = ["Dim", "Linear", "equal", "linear", "numbers_for", "product"]
