"""Names in errors of columns that have none: made when one is asked for, not for each fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from chainrule.engine.arrays import IntArray


class NumberedColumns(Sequence[str]):
    """``column 0``, ``column 1``, ...: of wide data, a list of them takes longer than a pass.

    Parameters
    ----------
    n_features : int
    """

    def __init__(self, n_features: int) -> None:
        self._places = range(n_features)

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Return the name at a place, or those of a slice."""
        if isinstance(place, slice):
            return [f"column {j}" for j in self._places[place]]
        return f"column {self._places[place]}"


class ChosenColumns(Sequence[str]):
    """The names of some columns, looked up when one is asked for.

    Parameters
    ----------
    names : sequence of str
        Of all columns.
    columns : ndarray of int
    """

    def __init__(self, names: Sequence[str], columns: IntArray) -> None:
        self._names, self._columns = names, columns

    def __len__(self) -> int:
        return len(self._columns)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        """Return the name at a place, or those of a slice."""
        if isinstance(place, slice):
            return [self._names[j] for j in self._columns[place].tolist()]
        return self._names[int(self._columns[place])]


def quoted(names: Sequence[str], j: int) -> str:
    """Name column j as its owner would: ``column 3`` or ``column 'age'``."""
    name = names[j]
    return name if name == f"column {j}" else f"column {name!r}"
