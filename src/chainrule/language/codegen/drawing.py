"""The inputs that a module's `check` draws: their sizes and their kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.calculus.evaluation.forward import with_inverses, with_places
from chainrule.calculus.graph.dims import Size, base_names, measured
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol, walk
from chainrule.calculus.graph.sizes import assigned

LARGER = (6, 7, 8, 9)
"""Sizes for dimensions with computed sizes."""

SMALL = (3, 5, 2, 4)
"""Sizes of the dimensions in turn: unequal, so that a missing transpose cannot hide."""


@dataclass(frozen=True)
class Drawn:
    """An input as it is drawn.

    Parameters
    ----------
    symbol : Symbol
        The input.
    shape : tuple of int
        Its sizes.
    count : int or None
        How many places its numbers name, where they name places.
    """

    symbol: Symbol
    shape: tuple[int, ...]
    count: int | None


def drawn_inputs(model: Model) -> Iterator[Drawn]:
    """Yield the inputs of a forward pass with sizes at which every value has a size."""
    counted = model.numbered
    dims = [
        dim for s in model.inputs for dim in (*s.shape, *((counted[s],) if s in counted else ()))
    ]
    named = list(dict.fromkeys(name for dim in dims for name in base_names(dim)))
    values = (node for d in model.definitions for node in walk(d.value))
    computed = dict.fromkeys((*dims, *(d for v in values for d in v.shape)))
    sizes = assigned(named, [dim for dim in computed if isinstance(dim, Size)], SMALL, LARGER)
    sizes = with_inverses(model, with_places(model, sizes))
    for symbol in model.inputs:
        shape = tuple(measured(dim, sizes) for dim in symbol.shape)
        count = measured(counted[symbol], sizes) if symbol in counted else None
        yield Drawn(symbol, shape, count)
