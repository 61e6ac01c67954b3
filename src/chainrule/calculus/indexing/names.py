"""Letters for running indices, as the lecture chooses them."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from itertools import chain, count

from chainrule.calculus.graph.dims import Dim, Index
from chainrule.calculus.graph.node import Position

EXAMPLES = "m"
FEATURES = "n"
SPARE = "jlstuv"
"""Letters for indices when their own are names: ``U_ij`` is easier to read than ``U_ii2``."""

_POOLS: dict[Dim, str] = {EXAMPLES: "iuvst", "k": "cdef"}
"""Letters by dimension, where the usual ones are ambiguous: no k from 1 to k."""


class Letters:
    """Assigns letters to running indices: i over examples, p and j over features, else k, l, ...

    Parameters
    ----------
    dims : iterable of Dim
        The dimensions of the model. Without examples, i is free for the features.
    taken : iterable of Position or str, optional
        Indices and names whose letters are in use.
    own : iterable of str, optional
        Dimensions whose first index has the letter of the dimension: ``Q_bhtd`` of a tensor
        (b, h, t, d).
    """

    def __init__(
        self,
        dims: Iterable[Dim],
        taken: Iterable[Position | str] = (),
        own: Iterable[str] = (),
    ) -> None:
        taken = tuple(taken)
        indices = {place.name for place in taken if isinstance(place, Index)}
        self._own = set(own) - indices
        self._has_examples = EXAMPLES in set(dims)
        self._taken = {place.name if isinstance(place, Index) else str(place) for place in taken}

    def besides(self, places: Iterable[Position]) -> Letters:
        """Return letters of the same names and dimensions, with more indices in use."""
        other = copy(self)
        indices = {place.name for place in places if isinstance(place, Index)}
        other._own, other._taken = self._own - indices, self._taken | indices
        return other

    def free(self, dim: Dim) -> Position:
        """Return the index of an entry that is asked for."""
        if dim == FEATURES:
            return self._take(dim, "pqrs" if self._has_examples else "ipqr")
        return self._take(dim, _POOLS.get(dim, "klrst"))

    def bound(self, dim: Dim) -> Position:
        """Return an index of summation."""
        if dim == FEATURES:
            return self._take(dim, "jlqrs")
        return self._take(dim, _POOLS.get(dim, "jklrstuvq"))

    def _take(self, dim: Dim, pool: str) -> Position:
        if dim == 1:
            return None
        if isinstance(dim, str) and dim in self._own:
            self._own.discard(dim)
            return Index(dim, dim)
        numbered = (f"{letter}{k}" for k in count(2) for letter in pool)
        letter = next(word for word in chain(pool, SPARE, numbered) if word not in self._taken)
        self._taken.add(letter)
        return Index(letter, dim)
