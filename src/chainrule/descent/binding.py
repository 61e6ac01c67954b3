"""Binding of tables and ``--bind`` options to the inputs of a model, one example per row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from chainrule.calculus.graph.dims import Dim, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.descent.columns import InputColumns, Reading, read_labels
from chainrule.descent.facts import check_facts
from chainrule.descent.meaning import enters_a_product, meaning
from chainrule.descent.splitting import split
from chainrule.errors import DataError
from chainrule.lecture import (
    ONE_ROW,
    Array,
    Binding,
    Draw,
    InputRoles,
    Rows,
    assign_roles,
    bind,
    find_input,
)
from chainrule.tables.encoding_fit import complete_rows, fit_encoding
from chainrule.tables.reading import column_names, read_table
from chainrule.tables.specs import Feature, Missing, NumberSpec
from chainrule.tables.table import Table, some_of, unknown_column

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
    draws : mapping of str to Draw
        Inputs that are drawn at every step.
    holdout : float
        The share of the rows that are kept aside.
    seed : int
        Seed for the choice of these rows.
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
    draws: Mapping[str, Draw] = field(default_factory=dict)
    holdout: float = 0.0
    seed: int = 0


@dataclass(frozen=True, eq=False)
class BoundTable:
    """A model bound to a table.

    Parameters
    ----------
    binding : Binding
        Model and data.
    inputs : tuple of InputColumns
        How the columns of each input are read.
    notes : tuple of str
        Notes for the user.
    held_out : Binding or None
        The rows that are kept aside, if any.
    row_numbers : array of int
        The row of the file that each example is.
    """

    binding: Binding
    inputs: tuple[InputColumns, ...]
    notes: tuple[str, ...]
    held_out: Binding | None
    row_numbers: Rows

    @property
    def features(self) -> tuple[Feature, ...]:
        """The columns of the input that takes the features: names, means and scales."""
        return tuple(feature for columns in self.inputs for feature in columns.features)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """For an input that takes labels: what its codes, or its rows, stand for."""
        return {columns.name: columns.words for columns in self.inputs if columns.words}


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
    choices = replace(choices, draws=drawn_by(model, choices.draws, [w.symbol for w in options]))
    roles = assign_roles(
        model,
        [w.symbol.name for w in options if w.number is None],
        constants=[w.symbol.name for w in options if w.number is not None],
        drawn=choices.draws,
        wrt=choices.wrt or None,
        examples=choices.examples or _sequences(options),
    )
    explicit = {name for option in options for name in option.columns}
    unused = set() if any(w.features for w in options) else set(names) - explicit
    ignore = sorted((set(choices.ignore) | unused) - explicit)
    table = read_table(path, categories=set(choices.categories), ignore=ignore)
    return bind_table(roles, table, options, choices)


def _sequences(options: Sequence[BindOption]) -> str | None:
    """Return `ONE_ROW` where the columns are those of sequences: ``ids : (1, t)`` has several.

    Along the dimension of the examples such an input would take one column.
    """
    counts: dict[Dim, set[int]] = {}
    for option in options:
        if option.number is None and (option.features or 1 not in option.symbol.shape):
            return None
        if option.number is None:
            long = [dim for dim in option.symbol.shape if dim != 1]
            counts.setdefault(long[0] if long else 1, set()).add(len(option.columns))
    counts.pop(1, None)
    several = any(min(found) > 1 for found in counts.values())
    return ONE_ROW if several else None


def drawn_by(model: Model, given: Mapping[str, Draw], bound: Sequence[Symbol]) -> dict[str, Draw]:
    """Return what is drawn at every step: masks of the forward pass, and what options say."""
    own = {m.symbol: Draw("mask", m.keep) for m in model.masks if m.symbol not in bound}
    own |= {find_input(model, name): draw for name, draw in given.items()}
    return {symbol.name: draw for symbol, draw in own.items()}


def bind_table(
    roles: InputRoles, table: Table, options: Sequence[BindOption], choices: BindingOptions
) -> BoundTable:
    """Bind the inputs of a model to a table in memory; see `bind_file`."""
    notes: list[str] = []
    if choices.missing == "drop":
        table = _complete(table, notes)
    rows = split(table.n_rows, choices.holdout, choices.seed)
    if roles.whole and len(rows.held):
        raise DataError("--holdout keeps rows aside, and here the whole table is one example")
    fitting = table.take(rows.fitted) if len(rows.held) else table
    explicit = {name for option in options for name in option.columns}
    numbers = {w.symbol.name: w.number for w in options if w.number is not None}
    inputs = [
        _features(option, fitting.without(explicit), choices, notes)
        if option.features
        else _columns(roles, table, option, options, choices)
        for option in options
        if option.number is None
    ]
    inputs = _share_words(roles, inputs)
    if choices.positive is not None and not any(
        choices.positive in columns.words for columns in inputs
    ):
        raise DataError(f"--positive {choices.positive}: no bound column holds this label.")
    data = {columns.name: columns.read(fitting) for columns in inputs}
    sizes = {**_counted(roles, inputs, data, choices.sizes, notes), **choices.sizes}
    binding = bind(roles, data, constants=numbers, sizes=sizes, draws=choices.draws)
    check_facts(binding, lambda row: f"{table.source}, row {fitting.row_numbers[row]}")
    held_out = None
    if len(rows.held):
        held = table.take(rows.held)
        found = {find_input(roles.model, c.name): c.read(held) for c in inputs}
        held_out = replace(binding, data=found, count=held.n_rows)
        check_facts(held_out, lambda row: f"{table.source}, row {held.row_numbers[row]}")
    return BoundTable(binding, tuple(inputs), tuple(notes), held_out, fitting.row_numbers)


def _complete(table: Table, notes: list[str]) -> Table:
    rows = complete_rows(table)
    lost = table.n_rows - len(rows)
    if lost:
        said = (
            "1 row with missing values is" if lost == 1 else f"{lost} rows with missing values are"
        )
        notes.append(f"{said} left out.")
    if not len(rows):
        raise DataError(f"{table.source}: every row has a missing value; none is left.")
    return table.take(rows)


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
    option: BindOption, table: Table, choices: BindingOptions, notes: list[str]
) -> InputColumns:
    learned = fit_encoding(table, choices.missing, choices.categories, keep_constant=choices.raw)
    notes += learned.notes
    specs = learned.specs
    if not choices.raw and any(isinstance(spec, NumberSpec) for spec in specs):
        notes.append("features are standardised; --raw leaves them on the scale of the file.")
    return InputColumns(
        option.symbol.name,
        Reading.FEATURES,
        tuple(spec.name for spec in specs),
        specs=specs,
        raw=choices.raw,
    )


def _columns(
    roles: InputRoles,
    table: Table,
    option: BindOption,
    options: Sequence[BindOption],
    choices: BindingOptions,
) -> InputColumns:
    """Return how the listed columns are read, from what the input means in the forward pass."""
    symbol = option.symbol
    width = roles.width(symbol)
    known: int | None = width if isinstance(width, int) else choices.sizes.get(str(width))
    if enters_a_product(roles.model, symbol):
        known = None
    for other in options:
        if other.symbol is not symbol and len(other.columns) > 1 and known is None:
            known = len(other.columns) if roles.width(other.symbol) == width else None
    return read_labels(
        symbol.name, table, option.columns, meaning(roles, symbol), known, choices.positive
    )


def _share_words(roles: InputRoles, inputs: Sequence[InputColumns]) -> list[InputColumns]:
    """Give inputs that number the same places one vocabulary."""
    places = {s.name: dim for s, dim in roles.model.numbered.items()}
    words: dict[Dim, set[str]] = {}
    for columns in inputs:
        if columns.reading is Reading.PLACES:
            words.setdefault(places[columns.name], set()).update(columns.words)
    return [
        replace(columns, words=tuple(sorted(words[places[columns.name]])))
        if columns.reading is Reading.PLACES and words[places[columns.name]]
        else columns
        for columns in inputs
    ]


def _counted(
    roles: InputRoles,
    inputs: Sequence[InputColumns],
    data: Mapping[str, Array],
    given: Mapping[str, int],
    notes: list[str],
) -> dict[str, int]:
    """Return how many places the numbers count, where nothing else says so."""
    found: dict[str, int] = {}
    for columns in inputs:
        if columns.reading is not Reading.PLACES:
            continue
        dim = roles.model.numbered[find_input(roles.model, columns.name)]
        if isinstance(dim, str) and dim not in given:
            count = len(columns.words) or int(data[columns.name].max()) + 1
            if count > found.get(dim, 0):
                found[dim] = count
    for dim, count in found.items():
        notes.append(f"{dim} = {count}, counted from the data; --size {dim}=... sets it.")
    return {dim: count for dim, count in found.items() if count >= 1}
