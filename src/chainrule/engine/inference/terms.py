"""The terms of a fit by name, and the limit that stands for an optimum where there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chainrule.engine.arrays import IntArray
from chainrule.engine.inference.fitted import FittedModel

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Terms:
    """The names of what is estimated.

    Attributes
    ----------
    names : tuple of str
        One per coefficient of an output, the intercept's first.
    outputs : tuple of str
        The classes other than the base; one empty name for a single score.
    factors : mapping of str to tuple of int
        The coefficients of each factor: a categorical column.
    bases : mapping of str to str
        The reference level of factors where it has no coefficient. Elsewhere it is the first.
    products : mapping of str to tuple of int
        The coefficients of other terms of a formula: products as `a:b`, splines, polynomials.
    """

    names: tuple[str, ...]
    outputs: tuple[str, ...] = ("",)
    factors: Mapping[str, tuple[int, ...]] | None = None
    bases: Mapping[str, str] = field(default_factory=dict)
    products: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def product(self, term: str) -> tuple[int, ...]:
        """Return the coefficients of a product, its factors in any order; none if not there."""

        def plain(text: str) -> list[str]:
            return sorted("".join(text.split()).split(":"))

        wanted = plain(term)
        return next((p for name, p in self.products.items() if plain(name) == wanted), ())

    def level(self, factor: str, place: int) -> str:
        """Return the level of a factor that a coefficient is of."""
        name = self.names[place]
        for mark in ("_", " = "):  # of data frames, and of tables
            if name.startswith(f"{factor}{mark}"):
                return name[len(factor) + len(mark) :]
        return name

    def references(self) -> dict[int, str]:
        """Return the level that each coefficient of a factor compares with."""
        found = {}
        for factor, places in (self.factors or {}).items():
            base = self.bases.get(factor) or self.level(factor, places[0])
            found.update(dict.fromkeys(places, base))
        return found


@dataclass(frozen=True)
class Limit:
    """Where there is no optimum: which coefficients run off, and what can still be said.

    Attributes
    ----------
    signs : ndarray of shape (n_terms,)
        -1 or 1 for a coefficient that runs off, else 0.
    infimum : float
        What the loss of all rows tends to.
    whole : FittedModel
        All rows, at the last iterate of the fit; `Coefficients.model` has the undecided ones.
    n_directions : int
    infimum_without : callable
        What the loss tends to without some columns, given by their numbers.
    infimum_at : callable
        What the loss tends to with one coefficient, given by the number of its column, held at a
        value.
    """

    signs: IntArray
    infimum: float
    whole: FittedModel
    n_directions: int
    infimum_without: Callable[[IntArray], float]
    infimum_at: Callable[[int, float], float]
