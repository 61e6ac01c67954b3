"""Binding of tables and ``--bind`` options to the inputs of a model, one example per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.descent.labels import label_columns
from chainrule.errors import DataError
from chainrule.lecture import Array, Binding, InputRoles, assign_roles, bind, find_input
from chainrule.tables.encoding import encode
from chainrule.tables.encoding_fit import complete_rows, fit_encoding, refuse_missing
from chainrule.tables.reading import column_names, read_table
from chainrule.tables.specs import Feature, Missing, NumberSpec, features
from chainrule.tables.table import NumberColumn, Table, refuse_infinite, some_of, unknown_column

FEATURES = "features"
TARGET = "target"


@dataclass(frozen=True)
class BindOption:
    """One ``--bind``: an input, and its columns or its number.

    Parameters
    ----------
    symbol : Symbol
        The input.
    text : str
        What was written after ``=``.
    columns : tuple of str
        Columns of the table; none for `FEATURES` and for a number.
    number : float or None
        The value, when a number was written.
    """

    symbol: Symbol
    text: str
    columns: tuple[str, ...] = ()
    number: float | None = None

    @property
    def features(self) -> bool:
        """Whether this input takes all columns that no other takes."""
        return not self.columns and self.number is None


@dataclass(frozen=True)
class BindingOptions:
    """The options for reading a table.

    Parameters
    ----------
    target : str, optional
        The column that ``target`` stands for.
    positive : str, optional
        The label that counts as 1.
    raw : bool
        Leave features on the scale of the file.
    missing : {"refuse", "drop", "mean", "indicator"}
        The treatment of missing values.
    categories, ignore : tuple of str
        Columns to take as words; columns to leave out.
    wrt : tuple of str
        The variables to learn; empty for the model's parameters.
    sizes : mapping of str to int
        Dimensions that the data do not determine.
    examples : str, optional
        The dimension of the examples.
    """

    target: str | None = None
    positive: str | None = None
    raw: bool = False
    missing: Missing = "refuse"
    categories: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    wrt: tuple[str, ...] = ()
    sizes: Mapping[str, int] = field(default_factory=dict)
    examples: str | None = None


@dataclass(frozen=True, eq=False)
class BoundTable:
    """A model bound to a table.

    Parameters
    ----------
    binding : Binding
        Model and data.
    features : tuple of Feature
        The columns of the input that takes the features: names, means and scales.
    featured : str
        Which input that is, if any.
    labels : mapping of str to tuple of str
        For an input that takes words: what 0 and 1, or its rows, stand for.
    notes : tuple of str
        Notes for the user.
    """

    binding: Binding
    features: tuple[Feature, ...]
    featured: str
    labels: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def bind_file(
    model: Model, path: str | Path, texts: Sequence[str], choices: BindingOptions
) -> BoundTable:
    """Bind the inputs of a model to the columns of a file.

    Parameters
    ----------
    model : Model
        The forward pass.
    path : str or Path
        A table.
    texts : sequence of str
        ``NAME=WHAT``, where WHAT is a column, a comma list of columns, ``features``, ``target`` or
        a number.
    choices : BindingOptions
        The options for reading the table.

    Raises
    ------
    DataError
        Naming the input, the file or the column, and the next action.
    """
    names = column_names(path)
    options = read_bind_options(model, texts, names, str(path), choices)
    roles = assign_roles(
        model,
        [w.symbol.name for w in options if w.number is None],
        constants=[w.symbol.name for w in options if w.number is not None],
        wrt=choices.wrt or None,
        examples=choices.examples,
    )
    explicit = {name for option in options for name in option.columns}
    unused = set() if any(w.features for w in options) else set(names) - explicit
    ignore = sorted((set(choices.ignore) | unused) - explicit)
    table = read_table(path, categories=set(choices.categories), ignore=ignore)
    return bind_table(roles, table, options, choices)


def bind_table(
    roles: InputRoles, table: Table, options: Sequence[BindOption], choices: BindingOptions
) -> BoundTable:
    """Bind the inputs of a model to a table in memory; see `bind_file`."""
    notes: list[str] = []
    if choices.missing == "drop":
        rows = complete_rows(table)
        lost = table.n_rows - len(rows)
        if lost:
            said = (
                "1 row with missing values is"
                if lost == 1
                else f"{lost} rows with missing values are"
            )
            notes.append(f"{said} left out.")
        if not len(rows):
            raise DataError(f"{table.source}: every row has a missing value; none is left.")
        table = table.take(rows)
    explicit = {name for option in options for name in option.columns}
    data: dict[str, Array] = {}
    labels: dict[str, tuple[str, ...]] = {}
    featured = ""
    named: tuple[Feature, ...] = ()
    for option in options:
        if option.features:
            featured = option.symbol.name
            data[featured], named = _features(table.without(explicit), choices, notes)
        elif option.columns:
            data[option.symbol.name] = _columns(roles, table, option, choices, labels)
    if choices.positive is not None and not any(
        choices.positive in seen for seen in labels.values()
    ):
        raise DataError(f"--positive {choices.positive}: no bound column holds this label.")
    numbers = {w.symbol.name: w.number for w in options if w.number is not None}
    binding = bind(roles, data, constants=numbers, sizes=choices.sizes)
    return BoundTable(binding, named, featured, labels, tuple(notes))


def read_bind_options(
    model: Model, texts: Sequence[str], names: Sequence[str], source: str, choices: BindingOptions
) -> list[BindOption]:
    """Return ``NAME=COLUMNS`` texts as options, with names of inputs and columns resolved."""
    if not texts:
        inputs = ", ".join(f"{s.name} {written(s.shape)}" for s in model.inputs)
        raise DataError(
            f"say which inputs hold data: --bind {model.inputs[0].name}=features. "
            f"The inputs are {inputs}; those left out are learned."
        )
    options: list[BindOption] = []
    for text in texts:
        name, sign, what = (part.strip() for part in text.partition("="))
        if not (name and sign and what):
            raise DataError(f"--bind {text}: write NAME=COLUMN, such as --bind Y=target")
        option = _option(find_input(model, name), what, names, source, choices)
        for other in options:
            if other.symbol is option.symbol:
                raise DataError(f"{option.symbol.name} is bound twice; keep one --bind {name}=...")
            if other.features and option.features:
                raise DataError(
                    f"both {other.symbol.name} and {option.symbol.name} are to take the features; "
                    "list the columns of one of them"
                )
        options.append(option)
    return options


def _option(
    symbol: Symbol, what: str, names: Sequence[str], source: str, choices: BindingOptions
) -> BindOption:
    if what == FEATURES:
        return BindOption(symbol, what)
    if what == TARGET and choices.target is not None:
        what = choices.target
    if what in names:
        return BindOption(symbol, what, (what,))
    if what == TARGET:
        raise DataError(
            f"{source}: no column is named 'target'. Say which one is: --target COLUMN, or --bind "
            f"{symbol.name}=COLUMN. The columns are: {some_of(list(names), 12)}."
        )
    try:
        return BindOption(symbol, what, number=float(what))
    except ValueError:
        pass
    listed = tuple(part.strip() for part in what.split(","))
    for name in listed:
        if name not in names:
            raise unknown_column(name, list(names), source)
    return BindOption(symbol, what, listed)


def _features(
    table: Table, choices: BindingOptions, notes: list[str]
) -> tuple[Array, tuple[Feature, ...]]:
    learned = fit_encoding(table, choices.missing, choices.categories)
    notes += learned.notes
    named = features(learned.specs)
    X = encode(learned.specs, table).X
    if choices.raw:
        X = X * [f.scale for f in named] + [f.mean for f in named]
        named = tuple(replace(f, mean=0.0, scale=1.0) for f in named)
    elif any(isinstance(spec, NumberSpec) for spec in learned.specs):
        notes.append("features are standardised; --raw leaves them on the scale of the file.")
    return np.asarray(X, dtype=np.float64), named


def _columns(
    roles: InputRoles,
    table: Table,
    option: BindOption,
    choices: BindingOptions,
    labels: dict[str, tuple[str, ...]],
) -> Array:
    """Return the listed columns; text becomes 0 and 1, or one row per label."""
    columns = {name: table.column(name) for name in option.columns}
    refuse_missing(Table(table.source, columns, table.row_numbers))
    parts: list[Array] = []
    for name, column in columns.items():
        if isinstance(column, NumberColumn) and not (
            choices.positive is not None and choices.positive in column.as_text().words
        ):
            refuse_infinite(table, column)
            parts.append(column.values[:, None])
            continue
        if len(columns) > 1:
            raise DataError(
                f"{table.source}: column {name!r} holds words; bind it to an input of its own, or "
                f"use --bind {option.symbol.name}=features, which turns words into numbers."
            )
        width = roles.width(option.symbol)
        part, seen = label_columns(column.as_text(), width == 1, table.source, choices.positive)
        labels[option.symbol.name] = seen
        parts.append(part)
    return np.hstack(parts)
