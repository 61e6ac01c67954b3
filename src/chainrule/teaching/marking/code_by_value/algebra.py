"""Operations, places and errors of a walk over code."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

V = TypeVar("V")


class Misfit(Exception):  # noqa: N818
    """Shapes that do not meet, or an operation without a rule."""


class Mismatch(Misfit):
    """Shapes that do not meet."""


@dataclass(frozen=True)
class Size:
    """The length of an axis."""

    dim: object


@dataclass(frozen=True)
class Label:
    """A place that is taken from a list of the data, such as ``inputs[t]``."""

    name: str


@dataclass(frozen=True)
class Part:
    """A part of an axis, from one length to another.

    Parameters
    ----------
    first, last : object
        Lengths or numbers; None for the ends of the axis.
    """

    first: object = None
    last: object = None


@dataclass(frozen=True)
class Rows:
    """Every row, with an entry of its own: ``range(n)`` in ``p[range(n), y]``."""


@dataclass(frozen=True)
class NewAxis:
    """One more axis of length 1."""


@dataclass(frozen=True)
class Chosen(Generic[V]):
    """Places that an array gives: numbers of rows, or a mask.

    Parameters
    ----------
    by : value
        The array.
    mask : bool
        Whether it is a mask.
    """

    by: V
    mask: bool = False


Place: TypeAlias = "int | Label | Part | Rows | NewAxis | Chosen[V]"
"""One part of an index."""


@dataclass(frozen=True)
class Event:
    """One assignment to the name of a gradient.

    Parameters
    ----------
    line : int
        Its row.
    target : str
        The name.
    operation : str
        ``=``, ``+=``, ``-=``, ``*=`` or ``/=``.
    value : ast.expr
        The right side.
    places : ast.expr or None
        The index on the left side.
    scope : tuple of (str, int)
        The variables of the loops around it.
    """

    line: int
    target: str
    operation: str
    value: ast.expr
    places: ast.expr | None
    scope: tuple[tuple[str, int], ...]


class Algebra(ABC, Generic[V]):
    """Operations on the values of a walk."""

    infers = False
    """Whether values are shapes that are to be found."""

    @abstractmethod
    def unknown(self, name: str) -> V:
        """Return the value of a name that the code does not define."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Whether a value of a name that the code does not define was used."""

    @abstractmethod
    def number(self, value: float) -> V:
        """Return a number."""

    @abstractmethod
    def drawn(self, name: str, sizes: tuple[object, ...]) -> V:
        """Return the value of a name that the code initialises with these lengths."""

    @abstractmethod
    def length(self, name: str) -> object:
        """Return a length that the code gives by a name only."""

    @abstractmethod
    def size(self, of: V, axis: int, rank: int = 2) -> Size:
        """Return the length of an axis."""

    @abstractmethod
    def total(self, of: V) -> Size:
        """Return the number of all entries."""

    @abstractmethod
    def length_of(self, sign: str, one: object, other: object) -> Size:
        """Return the sum, the difference or the product of two lengths."""

    @abstractmethod
    def rank(self, value: V, least: int) -> int:
        """Return the number of axes of a value; an open one gets the least number."""

    def meet(self, value: V, axis: int, size: Size) -> None:
        """Take an axis, over which a loop runs, to have the length of the loop."""

    def decided(self, sign: str, one: V, other: V) -> bool | None:
        """Return whether a comparison holds; None where the values are not known."""
        del sign, one, other
        return None

    @abstractmethod
    def is_column(self, value: V) -> bool:
        """Whether a matrix has one column."""

    @abstractmethod
    def is_vector(self, value: V) -> bool:
        """Whether a matrix has one row or one column."""

    @abstractmethod
    def elementwise(self, name: str, *values: V) -> V:
        """Return a function of the entries."""

    @abstractmethod
    def dot(self, one: V, other: V) -> V:
        """Return the matrix product."""

    @abstractmethod
    def outer(self, one: V, other: V) -> V:
        """Return the outer product."""

    @abstractmethod
    def turned(self, value: V) -> V:
        """Return the transpose."""

    @abstractmethod
    def permuted(self, value: V, axes: tuple[int, ...]) -> V:
        """Return a value with its axes in another order."""

    @abstractmethod
    def reduced(self, kind: str, value: V, axes: tuple[int, ...] | None, *, keeps: bool) -> V:
        """Return a sum, a mean or an extremum."""

    @abstractmethod
    def einsum(self, signature: str, values: tuple[V, ...]) -> V:
        """Return a sum over the indices that a signature names."""

    @abstractmethod
    def joined(self, values: tuple[V, ...], axis: int, *, new: bool) -> V:
        """Return several values one after another along an axis, or along a new one."""

    @abstractmethod
    def filled(self, number: float, sizes: tuple[object, ...]) -> V:
        """Return an array of one number."""

    @abstractmethod
    def noise(self, like: V, key: str) -> V:
        """Return random numbers between 0 and 1 in the shape of a value."""

    @abstractmethod
    def identity(self, size: object) -> V:
        """Return the identity matrix."""

    @abstractmethod
    def reshaped(self, value: V, sizes: tuple[object, ...]) -> V:
        """Return a value in another shape."""

    @abstractmethod
    def reshaped_as(self, value: V, other: V) -> V:
        """Return a value in the shape of another one."""

    @abstractmethod
    def entry(self, value: V, places: tuple[Place[V], ...]) -> V:
        """Return the entries at an index."""

    @abstractmethod
    def entry_changed(self, value: V, places: tuple[Place[V], ...], operation: str, amount: V) -> V:
        """Return a value with its entries at an index changed by an operation, or set."""

    @abstractmethod
    def kept(self, name: str, value: V) -> V:
        """Note that a name has a value, and return it with what is added to it."""

    @abstractmethod
    def argument(self, value: V) -> V:
        """Note a value without a name, the argument of a function, and return it."""


__all__ = [
    "Algebra", "Chosen", "Event", "Label", "Misfit", "Mismatch", "NewAxis", "Part", "Place", "Rows",
    "Size",
]  # fmt: skip
