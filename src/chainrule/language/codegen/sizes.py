"""Sizes in generated functions, read from the shapes of their matrices."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from chainrule.calculus.graph.dims import Dim, base_names, factor_of, minus, possible, times
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import DerivationError


def arithmetic(dim: Dim, names: Mapping[str, str]) -> str:
    """Return a size as code, with identifiers for its names.

    >>> from chainrule.calculus.graph.dims import times
    >>> arithmetic(minus(times(2, "h"), 1), {"h": "h"})
    '2 * h - 1'
    """
    if isinstance(dim, str):
        return names[dim]
    if isinstance(dim, int):
        return str(dim)
    text = ""
    for factors, coefficient in dim.terms:
        sign = " - " if coefficient < 0 else " + "
        text += sign if text else sign.strip(" +")
        number = [] if factors and abs(coefficient) == 1 else [str(abs(coefficient))]
        text += " * ".join([*number, *(names[name] for name in factors)])
    return text


class Sizes:
    """Reads sizes from the shapes of matrices.

    Parameters
    ----------
    symbols : sequence of Symbol
        The matrices, those first that are to be preferred.
    names : mapping of str to str
        The identifiers of the sizes.
    """

    def __init__(self, symbols: Sequence[Symbol], names: Mapping[str, str]) -> None:
        self.symbols = symbols
        self.names = names
        self._ranks = {d: 0 for s in symbols for d in s.shape if isinstance(d, str)}
        shapes = [dim for symbol in symbols for dim in symbol.shape]
        while True:
            rank = len(self._ranks)
            found = {
                name: rank
                for dim in shapes
                for name in base_names(dim)
                if name not in self._ranks and self._tells(dim, name)
            }
            if not found:
                break
            self._ranks |= found

    def source(self, name: str, among: Iterable[Symbol]) -> tuple[Symbol, int]:
        """Return a matrix and axis with a size; from `among` if possible.

        Raises
        ------
        DerivationError
            When no shape tells it.
        """
        wanted = set(among)
        for own in (True, False):
            near = [symbol for symbol in self.symbols if (symbol in wanted) is own]
            for symbol in near:
                if name in symbol.shape:
                    return symbol, symbol.shape.index(name)
            for symbol in near:
                for axis, dim in enumerate(symbol.shape):
                    if self._tells(dim, name):
                        return symbol, axis
        raise DerivationError(
            f"the size {name} cannot be read from the shapes of this forward pass; "
            f"declare an input with {name} rows or columns"
        )

    def closed(self, used: Iterable[str], among: Iterable[Symbol]) -> list[str]:
        """Return the used sizes, after those that they are computed from."""
        wanted, found, waiting = list(among), set[str](), list(used)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                symbol, axis = self.source(name, wanted)
                waiting += base_names(symbol.shape[axis])
        return sorted(found, key=lambda name: (self._ranks[name], name))

    def line(self, name: str, among: Iterable[Symbol], matrices: Mapping[Symbol, str]) -> str:
        """Write the statement that reads a size from the shape of a matrix."""
        symbol, axis = self.source(name, among)
        dim, found = symbol.shape[axis], f"{matrices[symbol]}.shape[{axis}]"
        factor = factor_of(name, dim)
        rest = minus(dim, times(factor, name))
        negative = not possible(factor)
        multiple = minus(rest, found) if negative else minus(found, rest)
        factor = times(-1, factor) if negative else factor
        names = {**self.names, found: found}
        read = arithmetic(multiple, names)
        if factor != 1:
            read = ast.unparse(ast.parse(f"({read}) // ({arithmetic(factor, names)})"))
        return f"{self.names[name]} = {read}"

    def _tells(self, dim: Dim, name: str) -> bool:
        """Whether a size determines a name, given the sizes known before it."""
        own = self._ranks.get(name, len(self._ranks) + 1)
        return factor_of(name, dim) != 0 and all(
            self._ranks.get(other, own) < own for other in base_names(dim) if other != name
        )
