"""The role of every input: data, constant, drawn at every step, or learned.

The examples run along the one named dimension that all data share and no learned value has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chainrule.calculus.graph.dims import Dim, base_names, times, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.errors import DataError, ModelError
from chainrule.language.reading import canonical
from chainrule.lecture.learnable import learnable, names_of

ONE_ROW = "row"
"""For `examples`: every row of a table is one example, of which the model is written."""

WHOLE_TABLE = "table"
"""For `examples`: the model is written of the table as it stands, which is one example."""


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
    drawn : tuple of Symbol
        Inputs that are drawn anew at every step, such as a dropout mask.
    whole : bool
        Whether a table is one example as it stands, as in a factorisation ``R = U V``.
    """

    model: Model
    data: tuple[Symbol, ...]
    constants: tuple[Symbol, ...]
    learned: tuple[Symbol, ...]
    examples: str | None
    drawn: tuple[Symbol, ...] = ()
    whole: bool = False

    def width(self, symbol: Symbol) -> Dim:
        """Return the dimension that counts the columns of a table bound to this symbol."""
        rows, columns = symbol.shape
        if self.whole:
            return rows if columns == 1 and rows != 1 else columns
        if self.examples is None:
            return times(rows, columns)
        return rows if columns == self.examples else columns


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
    drawn: Iterable[str] = (),
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
    drawn : iterable of str
        The inputs that are drawn at every step.
    wrt : sequence of str, optional
        The variables to learn; by default what the model asks for, else every other input that
        the objective uses together with data.
    examples : str, optional
        The dimension of the examples, where the model leaves several possible; `ONE_ROW` or
        `WHOLE_TABLE` where there is none.

    Raises
    ------
    ModelError
        When a name is unknown, or a loop has any number of rounds.
    DataError
        When an input is neither bound nor learned, the examples have no place, or an input has
        more than two dimensions.
    """
    model.hold_lengths("training")
    for symbol in model.inputs:
        if len(symbol.shape) != 2:
            raise DataError(
                f"{symbol.name} has {len(symbol.shape)} dimensions, and training takes matrices "
                "and vectors. Write the module with `chainrule code` and train with it"
            )
    held = tuple(dict.fromkeys(find_input(model, name) for name in data))
    fixed = tuple(dict.fromkeys(find_input(model, name) for name in constants))
    random = tuple(dict.fromkeys(find_input(model, name) for name in drawn))
    if not held:
        raise DataError("no input is bound to data. Bind one: --bind X=features")
    bound = {*held, *fixed, *random}
    for group, word in ((fixed, "a number"), (random, "drawn")):
        for symbol in group:
            if symbol in held:
                raise DataError(f"{symbol.name} is both data and {word}; keep one of the two")
    learned = _learned(model, held, bound, wrt, examples)
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
    whole = examples == WHOLE_TABLE and WHOLE_TABLE not in names_of(held)
    along = None if whole else _examples(held, learned, examples)
    return InputRoles(model, held, fixed, learned, along, random, whole)


def examples_of(model: Model, wanted: str | None = None) -> str:
    """Return the dimension of the examples, before any data are bound.

    Parameters
    ----------
    model : Model
        The forward pass; inputs whose role is that of a parameter are not data.
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


def _learned(
    model: Model,
    data: tuple[Symbol, ...],
    bound: set[Symbol],
    wrt: Sequence[str] | None,
    examples: str | None,
) -> tuple[Symbol, ...]:
    if wrt:
        chosen = tuple(dict.fromkeys(find_input(model, name) for name in wrt))
        for symbol in chosen:
            if symbol in bound:
                raise DataError(
                    f"{symbol.name} is both bound and to be learned; leave out one of --bind "
                    f"{symbol.name}=... and {symbol.name} in --wrt"
                )
        return chosen
    # A lesson may ask for the gradient at a hidden unit, or at an input that holds data.
    asked = tuple(
        s
        for s in dict.fromkeys(a.symbol for a in model.asked)
        if s in model.inputs and s not in bound
    )
    single = examples in (ONE_ROW, WHOLE_TABLE) and examples not in names_of(data)
    return asked or tuple(learnable(model, data, bound, single=single))


def _examples(
    data: tuple[Symbol, ...], others: tuple[Symbol, ...], wanted: str | None
) -> str | None:
    shapes = " and ".join(f"{s.name} is {written(s.shape)}" for s in data)
    shared = set.intersection(*(_named(symbol) for symbol in data))
    if wanted == ONE_ROW and ONE_ROW not in shared:
        return None
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
    if wanted is None and all(_one_example(symbol) for symbol in data):
        return None
    taken = sorted(shared & set(owners))
    if taken:
        symbol = owners[taken[0]]
        raise DataError(
            f"{symbol.name} is {written(symbol.shape)}: it would have one value for each example "
            f"along {taken[0]}. Give it a shape without {taken[0]}; or take the whole table as one "
            f"example, as a factorisation does: --examples {WHOLE_TABLE}"
        )
    raise DataError(
        f"{shapes}: no dimension is common to all, so the examples have no place. Give the "
        "dimension of the examples the same name in each"
    )


def _one_example(symbol: Symbol) -> bool:
    """Whether a shape is that of one example: a vector, or an image of known size."""
    return 1 in symbol.shape or all(isinstance(dim, int) for dim in symbol.shape)


def _named(symbol: Symbol) -> set[str]:
    return {dim for dim in symbol.shape if isinstance(dim, str)}
