"""The size of every dimension, collected from data, constants and options."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.calculus.graph.dims import Dim, base_names, measured, solved, written
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import DataError
from chainrule.lecture.roles import InputRoles


class SizeTable:
    """Collects the sizes of dimensions and detects contradictions."""

    def __init__(self, roles: InputRoles, given: Mapping[str, int]) -> None:
        self.roles = roles
        model = roles.model
        self.names = {name: s for s in model.symbols for dim in s.shape for name in base_names(dim)}
        self.sizes: dict[str, int] = {}
        self.computed: list[tuple[Dim, int, str]] = []
        self.source: dict[str, str] = {}
        for name, size in given.items():
            if name not in self.names:
                raise DataError(
                    f"--size {name}={size}: this forward pass has no dimension {name}; it has "
                    + ", ".join(sorted(self.names))
                )
            if name == roles.examples:
                raise DataError(
                    f"--size {name}={size}: {name} counts the examples, and the data determine it"
                )
            if size < 1:
                raise DataError(f"--size {name}={size}: a size is at least 1")
            self.note(name, size, f"--size {name}={size}")

    def columns(self, symbol: Symbol, found: int) -> None:
        """Match the columns of a table with their dimension."""
        dim = self.roles.width(symbol)
        word = f"{found} column{'s' if found != 1 else ''}"
        if isinstance(dim, int):
            if dim != found:
                raise DataError(
                    f"{symbol.name} is {written(symbol.shape)} and is bound to {word}; "
                    f"bind it to {dim}, or declare it with a named size"
                )
        else:
            self.note(dim, found, f"{symbol.name} is bound to {word}")

    def whole(self, symbol: Symbol, shape: tuple[int, int]) -> None:
        """Match a table that is one example as it stands."""
        for dim, found in zip(symbol.shape, shape, strict=True):
            if not isinstance(dim, int):
                self.note(dim, found, f"the table of {symbol.name} is {written(shape)}")
            elif dim != found:
                raise DataError(
                    f"{symbol.name} is {written(symbol.shape)} and its table is {written(shape)}"
                )

    def meet(self, symbol: Symbol, shape: tuple[int, ...]) -> None:
        """Match the shape of a constant."""
        for dim, found in zip(symbol.shape, shape, strict=True):
            if dim == self.roles.examples:
                raise DataError(
                    f"{symbol.name} is {written(symbol.shape)} and holds a value for each example "
                    f"along {dim}. Give one number for all, or bind it to data"
                )
            if not isinstance(dim, int):
                self.note(dim, found, f"{symbol.name} has the shape {written(shape)}")
            elif dim != found:
                raise DataError(
                    f"{symbol.name} is {written(symbol.shape)} and its value is {written(shape)}"
                )

    def note(self, dim: Dim, size: int, source: str) -> None:
        """Record one size; a computed one waits for the others."""
        if not isinstance(dim, str):
            self.computed.append((dim, size, source))
            return
        if self.sizes.setdefault(dim, size) != size:
            raise DataError(
                f"the size of {dim} is not clear: {self.source[dim]}, but {source}. Bind as many "
                "columns to each, or give the dimensions different names"
            )
        self.source.setdefault(dim, source)

    def complete(self) -> dict[str, int]:
        """Return the sizes, or raise for a missing one."""
        self._solve()
        for name, symbol in self.names.items():
            if name not in self.sizes and name != self.roles.examples:
                raise DataError(
                    f"the size of {name} is not determined by the data ({symbol.name} is "
                    f"{written(symbol.shape)}). Choose it: --size {name}=8"
                )
        for dim, size, source in self.computed:
            if set(base_names(dim)) <= set(self.sizes) and measured(dim, self.sizes) != size:
                known = ", ".join(f"{name} = {self.sizes[name]}" for name in base_names(dim))
                raise DataError(f"the size {dim} is not clear: {source}, but {known}")
        return self.sizes

    def _solve(self) -> None:
        """Solve computed sizes for names: ``2h`` columns give h."""
        progress = True
        while progress:
            progress = False
            for dim, size, source in self.computed:
                try:
                    found = solved(dim, size, self.sizes)
                except ValueError as error:
                    raise DataError(f"{source}: {error}") from None
                if found is not None:
                    self.note(*found, source)
                    progress = True
