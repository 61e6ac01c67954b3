"""The bridge between the lecture's columns and the engine's rows.

The lecture writes ``X`` as (n, m), features x examples; the engine and every table hold (n_samples,
n_features). A model may lay its examples out as columns, ``X : (n, m)``, as rows, ``X : (m, n)``,
or have one example only, ``x : (n, 1)``. This is found from the model: the examples run along the
one named dimension that all of its data share and no learned value has. Data enter here with one
row per example, always, and leave in the shape that the model gives them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from chainrule.calculus.graph.dims import base_names, measured
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import DataError
from chainrule.lecture.roles import InputRoles, find_input
from chainrule.lecture.sizes import SizeTable

Array = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Draw:
    """Numbers that are drawn anew at every step.

    Parameters
    ----------
    kind : {"mask", "normal"}
        Ones with the probability `amount` and zeros else, or normal numbers of mean zero.
    amount : float
        The probability of a one, or the standard deviation.
    """

    kind: Literal["mask", "normal"]
    amount: float

    def __post_init__(self) -> None:
        good = 0 < self.amount <= 1 if self.kind == "mask" else 0 <= self.amount < np.inf
        if not good:
            wanted = "above 0, at most 1" if self.kind == "mask" else "finite, at least 0"
            raise DataError(f"the {self.kind} is drawn with {self.amount:g}; it must be {wanted}")

    @property
    def mean(self) -> float:
        """The mean, which stands in where nothing is drawn: in recorded costs, at prediction."""
        return self.amount if self.kind == "mask" else 0.0

    def sample(self, shape: tuple[int, int], rng: np.random.Generator) -> Array:
        """Draw once."""
        if self.kind == "mask":
            return (rng.random(shape) < self.amount).astype(np.float64)
        return rng.normal(0.0, self.amount, shape)


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
        In the shapes of their symbols; one number for what has a value for each example.
    sizes : mapping of str to int
        The size of every dimension but that of the examples.
    count : int
        The number of examples.
    draws : mapping of Symbol to Draw
        What is drawn at every step.
    """

    roles: InputRoles
    data: Mapping[Symbol, Array]
    constants: Mapping[Symbol, Array]
    sizes: Mapping[str, int]
    count: int
    draws: Mapping[Symbol, Draw] = field(default_factory=dict)

    def shape(self, symbol: Symbol) -> tuple[int, int]:
        """Return the shape of a learned value in numbers."""
        rows, columns = (measured(dim, self.sizes) for dim in symbol.shape)
        return rows, columns

    def taking(self, rows: Rows) -> Binding:
        """Return the same binding with some of the examples."""
        return replace(
            self, data={s: table[rows] for s, table in self.data.items()}, count=len(rows)
        )

    def runs(
        self, rows: Rows | None = None, rng: np.random.Generator | None = None
    ) -> Iterator[tuple[dict[Symbol, Array], dict[str, int]]]:
        """Yield the inputs and sizes of each run of the model.

        Once for all the rows when the model has a dimension for examples, else once for each row.

        Parameters
        ----------
        rows : array of int, optional
            The indices of the examples; all by default.
        rng : Generator, optional
            Draws what is drawn at every step; by default its mean stands in.
        """
        examples = self.roles.examples
        if examples is not None:
            sizes = {**self.sizes, examples: self.count if rows is None else len(rows)}
            values = self._given(sizes, rng)
            for symbol, table in self.data.items():
                chosen = table if rows is None else table[rows]
                values[symbol] = chosen.T if symbol.shape[1] == examples else chosen
            yield values, sizes
            return
        for row in range(self.count) if rows is None else rows:
            values = self._given(self.sizes, rng)
            for symbol, table in self.data.items():
                values[symbol] = (
                    table if self.roles.whole else table[row].reshape(self.shape(symbol))
                )
            yield values, dict(self.sizes)

    def _given(
        self, sizes: Mapping[str, int], rng: np.random.Generator | None
    ) -> dict[Symbol, Array]:
        values: dict[Symbol, Array] = {}
        for symbol, value in self.constants.items():
            rows, columns = (measured(dim, sizes) for dim in symbol.shape)
            values[symbol] = np.broadcast_to(value, (rows, columns))
        for symbol, draw in self.draws.items():
            rows, columns = (measured(dim, sizes) for dim in symbol.shape)
            values[symbol] = (
                np.full((rows, columns), draw.mean)
                if rng is None
                else draw.sample((rows, columns), rng)
            )
        return values


def bind(
    roles: InputRoles,
    data: Mapping[str, npt.ArrayLike],
    *,
    constants: Mapping[str, npt.ArrayLike] | None = None,
    sizes: Mapping[str, int] | None = None,
    draws: Mapping[str, Draw] | None = None,
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
    draws : mapping of str to Draw, optional
        What is drawn at every step.

    Raises
    ------
    DataError
        When shapes do not meet; the message says what was found and what to do.
    """
    model = roles.model
    known = SizeTable(roles, sizes or {})
    tables: dict[Symbol, Array] = {}
    for name, given in data.items():
        symbol = find_input(model, name)
        table = np.asarray(given, dtype=np.float64)
        table = table[:, None] if table.ndim == 1 else table
        if table.ndim != 2:
            raise DataError(f"the data of {symbol.name} have {table.ndim} dimensions; 2 are wanted")
        if not np.isfinite(table).all():
            raise DataError(f"the data of {symbol.name} hold values that are missing or infinite")
        if roles.whole:
            table = table.T if symbol.shape[0] == 1 and table.shape[0] != 1 else table
            known.whole(symbol, (table.shape[0], table.shape[1]))
        else:
            known.columns(symbol, table.shape[1])
        tables[symbol] = table
    count = 1 if roles.whole else _common_count(tables)
    fixed: dict[Symbol, Array] = {}
    for name, given in (constants or {}).items():
        symbol, value = find_input(model, name), np.asarray(given, dtype=np.float64)
        if value.ndim not in (0, 2):
            raise DataError(f"the value of {symbol.name} is neither a number nor a matrix")
        fixed[symbol] = value
        if value.ndim == 2:
            known.meet(symbol, (value.shape[0], value.shape[1]))
    found = known.complete()
    for symbol, value in fixed.items():
        if roles.examples not in {name for dim in symbol.shape for name in base_names(dim)}:
            rows, columns = (measured(dim, found) for dim in symbol.shape)
            fixed[symbol] = np.broadcast_to(value, (rows, columns))
    drawn = {find_input(model, name): draw for name, draw in (draws or {}).items()}
    return Binding(roles, tables, fixed, found, count, drawn)


def _common_count(tables: Mapping[Symbol, Array]) -> int:
    counts = {symbol.name: len(table) for symbol, table in tables.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise DataError(f"the bound data differ in their number of examples: {said}")
    count = next(iter(counts.values()))
    if count == 0:
        raise DataError("the bound data hold no example")
    return count
