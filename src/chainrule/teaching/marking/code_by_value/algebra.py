"""Operations, places and errors of a walk over code."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Generic, TypeVar

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

    @abstractmethod
    def unknown(self, name: str) -> V:
        """Return the value of a name that the code does not define."""

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
    def size(self, of: V, axis: int) -> Size:
        """Return the length of an axis."""

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
    def reduced(self, kind: str, value: V, axis: int | None, *, keeps: bool) -> V:
        """Return a sum, a mean or an extremum."""

    @abstractmethod
    def reshaped(self, value: V, sizes: tuple[object, ...]) -> V:
        """Return a vector in another shape."""

    @abstractmethod
    def picked(self, value: V, labels: V) -> V:
        """Return one entry per row, at the place that its label gives."""

    @abstractmethod
    def picked_added(self, value: V, labels: V, amount: V) -> V:
        """Return a matrix with an amount added at the places of the labels."""

    @abstractmethod
    def entry(self, value: V, places: tuple[int | Label | None, ...]) -> V:
        """Return an entry, a row or a column."""

    @abstractmethod
    def entry_added(self, value: V, places: tuple[int | Label | None, ...], amount: V) -> V:
        """Return a value with an amount added at a place."""

    @abstractmethod
    def masked(self, value: V, mask: V) -> V:
        """Return a value with zeros where the mask holds."""

    @abstractmethod
    def widened(self, value: V, axis: int) -> V:
        """Return a value with one more axis of length 1."""

    @abstractmethod
    def kept(self, name: str, value: V) -> V:
        """Note that a name has a value, and return it with what is added to it."""

    @abstractmethod
    def argument(self, value: V) -> V:
        """Note a value without a name, the argument of a function, and return it."""


__all__ = ["Algebra", "Event", "Label", "Misfit", "Mismatch", "Size"]
