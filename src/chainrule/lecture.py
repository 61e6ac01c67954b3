"""The bridge between the lecture's columns and the engine's rows.

The lecture writes ``X`` as (n, m), features x examples; the engine and every table hold (n_samples,
n_features). A model may lay its examples out as columns, ``X : (n, m)``, as rows, ``X : (m, n)``,
or have one example only, ``x : (n, 1)``. This is found from the model: the examples run along the
one named dimension that all of its data share and no learned value has. Data enter here with one
row per example, always, and leave in the shape that the model gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from chainrule.calculus.graph.dims import Dim, base_names, measured, solved, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import DataError, ModelError
from chainrule.language.reading import canonical

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class InputRoles:
    """The role of each input of a model, before any data are bound.

    Parameters
    ----------
    model : Model
        The forward pass.
    data : tuple of Symbol
        Inputs that hold examples.
    constants : tuple of Symbol
        Inputs with one given value for all examples.
    learned : tuple of Symbol
        Inputs whose values are to be found.
    examples : str or None
        The dimension along which examples run; None when the model has one example.
    """

    model: Model
    data: tuple[Symbol, ...]
    constants: tuple[Symbol, ...]
    learned: tuple[Symbol, ...]
    examples: str | None

    def width(self, symbol: Symbol) -> Dim:
        """Return the dimension that counts the columns of a table bound to this symbol."""
        rows, columns = symbol.shape
        if self.examples is None:
            return columns if rows == 1 else rows
        return rows if columns == self.examples else columns


@dataclass(frozen=True, eq=False)
class Binding:
    """A model with data: everything but the learned values.

    Parameters
    ----------
    roles : InputRoles
        The role of each input.
    data : mapping of Symbol to array
        One row an example, shape (n_samples, columns).
    constants : mapping of Symbol to array
        In the shapes of their symbols.
    sizes : mapping of str to int
        The size of every dimension but that of the examples.
    count : int
        The number of examples.
    """

    roles: InputRoles
    data: Mapping[Symbol, Array]
    constants: Mapping[Symbol, Array]
    sizes: Mapping[str, int]
    count: int

    def shape(self, symbol: Symbol) -> tuple[int, int]:
        """Return the shape of a learned value in numbers."""
        rows, columns = (measured(dim, self.sizes) for dim in symbol.shape)
        return rows, columns

    def runs(
        self, rows: Rows | None = None
    ) -> Iterator[tuple[dict[Symbol, Array], dict[str, int]]]:
        """Yield the inputs and sizes of each run of the model.

        Once for all the rows when the model has a dimension for examples, else once for each row.

        Parameters
        ----------
        rows : array of int, optional
            The indices of the examples; all by default.
        """
        examples = self.roles.examples
        if examples is not None:
            values = dict(self.constants)
            for symbol, table in self.data.items():
                chosen = table if rows is None else table[rows]
                values[symbol] = chosen.T if symbol.shape[1] == examples else chosen
            yield values, {**self.sizes, examples: self.count if rows is None else len(rows)}
            return
        for row in range(self.count) if rows is None else rows:
            values = dict(self.constants)
            for symbol, table in self.data.items():
                values[symbol] = table[row].reshape(self.shape(symbol))
            yield values, dict(self.sizes)


def find_input(model: Model, name: str) -> Symbol:
    """Find an input by any spelling of its name.

    Raises
    ------
    ModelError
        When there is none; the message lists the inputs there are.
    """
    try:
        wanted = canonical(name)
    except ValueError:
        wanted = ""
    inputs = ", ".join(symbol.name for symbol in model.inputs)
    for symbol in model.inputs:
        if wanted and canonical(symbol.name) == wanted:
            return symbol
    for definition in model.definitions:
        if wanted and canonical(definition.target.name) == wanted:
            raise ModelError(
                f"{definition.target.name} is computed by the forward pass; only its inputs can "
                f"be bound or learned: {inputs}"
            )
    raise ModelError(f"this forward pass has no input {name}; it has {inputs}")


def assign_roles(
    model: Model,
    data: Iterable[str],
    *,
    constants: Iterable[str] = (),
    wrt: Sequence[str] | None = None,
    examples: str | None = None,
) -> InputRoles:
    """Return the role of each input, and the dimension of the examples.

    Parameters
    ----------
    model : Model
        The forward pass.
    data, constants : iterable of str
        The inputs that are bound, in any spelling.
    wrt : sequence of str, optional
        The variables to learn; by default what the model asks for, else its usual parameters.
    examples : str, optional
        The dimension of the examples, where the model leaves several possible.

    Raises
    ------
    ModelError
        When a name is unknown.
    DataError
        When an input is neither bound nor learned, or the examples have no place.
    """
    held = tuple(dict.fromkeys(find_input(model, name) for name in data))
    fixed = tuple(dict.fromkeys(find_input(model, name) for name in constants))
    if not held:
        raise DataError("no input is bound to data. Bind one: --bind X=features")
    bound = {*held, *fixed}
    learned = _learned(model, bound, wrt)
    for symbol in model.inputs:
        if symbol not in bound and symbol not in learned:
            names = ",".join(s.name for s in model.inputs if s in (*learned, symbol))
            raise DataError(
                f"{symbol.name} is neither bound to data nor learned. Bind it: "
                f"--bind {symbol.name}=COLUMN (or a number: --bind {symbol.name}=1), or learn it: "
                f"--wrt '{names}'"
            )
    if not learned:
        raise DataError(
            "every input is bound, so nothing is left to learn. Leave the weights unbound, or say "
            "what to learn: --wrt NAME"
        )
    return InputRoles(model, held, fixed, learned, _examples(held, (*learned, *fixed), examples))


def examples_of(model: Model, wanted: str | None = None) -> str:
    """Return the dimension of the examples, before any data are bound.

    Parameters
    ----------
    model : Model
        The forward pass; inputs whose role is that of a parameter are no data.
    wanted : str, optional
        The dimension, where the model leaves several possible.

    Raises
    ------
    ModelError
        When there is none, or more than one.
    """
    parameters = replace(model, asked=()).parameters()
    data = tuple(symbol for symbol in model.inputs if symbol not in parameters)
    if not data:
        raise ModelError(
            "no input looks like data, so the examples have no dimension; name data x or y, or "
            "note what they are: X : (n, m)   # features"
        )
    try:
        found = _examples(data, parameters, wanted)
    except DataError as error:
        raise ModelError(str(error)) from error
    if found is None:
        shapes = " and ".join(f"{s.name} is {written(s.shape)}" for s in data)
        raise ModelError(
            f"{shapes}: this forward pass has one example, so there are no rows of examples. "
            "Give its data a dimension for the examples, as in X : (n, m)"
        )
    return found


def bind(
    roles: InputRoles,
    data: Mapping[str, npt.ArrayLike],
    *,
    constants: Mapping[str, npt.ArrayLike] | None = None,
    sizes: Mapping[str, int] | None = None,
) -> Binding:
    """Bind data to a model, and determine the size of every dimension.

    Parameters
    ----------
    roles : InputRoles
        From `assign_roles`, for the same names.
    data : mapping of str to array
        One row an example: (n_samples, columns), or (n_samples,) for one column.
    constants : mapping of str to array, optional
        Values in the shape of their input; a plain number fills the shape.
    sizes : mapping of str to int, optional
        Sizes of dimensions that no data determine.

    Raises
    ------
    DataError
        When shapes do not meet; the message says what was found and what to do.
    """
    model = roles.model
    known = _Sizes(roles, sizes or {})
    tables: dict[Symbol, Array] = {}
    for name, given in data.items():
        symbol = find_input(model, name)
        table = np.asarray(given, dtype=np.float64)
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2:
            raise DataError(f"the data of {symbol.name} have {table.ndim} dimensions; 2 are wanted")
        if not np.isfinite(table).all():
            raise DataError(f"the data of {symbol.name} hold values that are missing or infinite")
        known.columns(symbol, table.shape[1])
        tables[symbol] = table
    counts = {symbol.name: len(table) for symbol, table in tables.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise DataError(f"the bound data differ in their number of examples: {said}")
    count = next(iter(counts.values()))
    if count == 0:
        raise DataError("the bound data hold no example")
    fixed: dict[Symbol, Array] = {}
    for name, given in (constants or {}).items():
        symbol, value = find_input(model, name), np.asarray(given, dtype=np.float64)
        fixed[symbol] = value
        if value.ndim == 2:
            known.meet(symbol, value.shape)
    found = known.complete()
    binding = Binding(roles, tables, {}, found, count)
    return replace(
        binding, constants={s: np.broadcast_to(v, binding.shape(s)) for s, v in fixed.items()}
    )


class _Sizes:
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

    def meet(self, symbol: Symbol, shape: tuple[int, ...]) -> None:
        """Match the shape of a constant."""
        for dim, found in zip(symbol.shape, shape, strict=True):
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


def _learned(model: Model, bound: set[Symbol], wrt: Sequence[str] | None) -> tuple[Symbol, ...]:
    if wrt:
        chosen = tuple(dict.fromkeys(find_input(model, name) for name in wrt))
        for symbol in chosen:
            if symbol in bound:
                raise DataError(
                    f"{symbol.name} is both bound and to be learned; leave out one of --bind "
                    f"{symbol.name}=... and {symbol.name} in --wrt"
                )
        return chosen
    # What a lesson asks for may be no parameter (the gradient at a hidden unit, at an input).
    for asking in (model, replace(model, asked=())):
        found = tuple(
            s for s in dict.fromkeys(asking.parameters()) if s in model.inputs and s not in bound
        )
        if found:
            return found
    return ()


def _examples(
    data: tuple[Symbol, ...], others: tuple[Symbol, ...], wanted: str | None
) -> str | None:
    shapes = " and ".join(f"{s.name} is {written(s.shape)}" for s in data)
    shared = set.intersection(*(_named(symbol) for symbol in data))
    if wanted is not None:
        if wanted not in shared:
            raise DataError(f"--examples {wanted}: not a dimension of all the data: {shapes}")
        shared = {wanted}
    owners = {name: symbol for symbol in others for dim in symbol.shape for name in base_names(dim)}
    free = sorted(shared - set(owners))
    if len(free) > 1:
        raise DataError(
            f"the examples may run along {' or '.join(free)} ({shapes}). Say which: "
            f"--examples {free[-1]}"
        )
    if free:
        for symbol in data:
            if symbol.shape == (free[0], free[0]):
                raise DataError(f"{shapes}: one of its dimensions must count columns, not examples")
        return free[0]
    if wanted is None and all(1 in symbol.shape for symbol in data):
        return None
    taken = sorted(shared & set(owners))
    if taken:
        symbol = owners[taken[0]]
        raise DataError(
            f"{symbol.name} is {written(symbol.shape)}: it would have one value for each example "
            f"along {taken[0]}. Give it a shape without {taken[0]}"
        )
    raise DataError(
        f"{shapes}: no dimension is common to all, so the examples have no place. Give the "
        "dimension of the examples the same name in each"
    )


def _named(symbol: Symbol) -> set[str]:
    return {dim for dim in symbol.shape if isinstance(dim, str)}
