"""Data that break what the forward pass says of them, refused by row before the first step."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from chainrule.calculus.graph.dims import measured
from chainrule.calculus.graph.node import Apply, Symbol
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.ops import TABLE
from chainrule.descent.meaning import Meaning, meaning, nodes_of
from chainrule.errors import DataError
from chainrule.language.typeset import unicode
from chainrule.lecture import Array, Binding, InputRoles

_SUMMING_TO_ONE = tuple(TABLE[name] for name in ("softmax", "logsumexp"))
_NEAR = 1e-9

RowName = Callable[[int], str]


def check_facts(
    binding: Binding, row_name: RowName | None = None, *, trained: bool = False
) -> None:
    """Refuse data that break what the forward pass says of them.

    Parameters
    ----------
    binding : Binding
        Model and data.
    row_name : callable, optional
        Names an example by its index; by default "example 3", counted from 1.
    trained : bool
        Whether the values are learned already, so that no size can be chosen any more.

    Raises
    ------
    DataError
        Naming the input, the row, what was found and what to do.
    """
    named = row_name or (lambda row: f"example {row + 1}")
    roles = binding.roles
    _refuse_one_class(binding)
    _refuse_missing_places(binding)
    for symbol, table in binding.data.items():
        kind = meaning(roles, symbol)
        if kind is Meaning.PLACES:
            _check_places(binding, symbol, table, named, trained=trained)
        elif any(declared.symbol is symbol for declared in roles.model.onehot):
            _check_one_hot(symbol, table, roles, named)
        elif kind is Meaning.BINARY:
            if not trained:
                _refuse_one_label(symbol, table)
            _refuse(
                (table < 0) | (table > 1),
                symbol,
                table,
                named,
                f"{symbol.name} is a label between 0 and 1, since the forward pass holds "
                f"it to a probability; code the labels as 0 and 1",
            )
        elif kind is Meaning.MARGIN:
            if not trained:
                _refuse_one_label(symbol, table)
            _refuse(
                np.abs(table) != 1,
                symbol,
                table,
                named,
                f"the labels of a margin loss are -1 and 1, since the forward pass multiplies "
                f"{symbol.name} with the score; code them so",
            )


def _refuse(
    bad: npt.NDArray[np.bool_], symbol: Symbol, table: Array, named: RowName, said: str
) -> None:
    if bad.any():
        row, column = (int(at) for at in np.argwhere(bad)[0])
        count = f" ({int(bad.any(axis=1).sum())} such rows)" if bad.any(axis=1).sum() > 1 else ""
        raise DataError(f"{named(row)}: {symbol.name} is {table[row, column]:g}{count}; {said}.")


def _refuse_one_label(symbol: Symbol, table: Array) -> None:
    """Refuse examples that all have the same label: any bias would fit them."""
    if len(table) > 1 and np.unique(table).size == 1 and table[0, 0] in (-1, 0, 1):
        raise DataError(
            f"{symbol.name} is {table[0, 0]:g} in all {len(table)} examples, so there is nothing "
            "to tell apart; give examples of both labels."
        )


def _check_places(
    binding: Binding, symbol: Symbol, table: Array, named: RowName, *, trained: bool
) -> None:
    dim = binding.roles.model.numbered[symbol]
    examples = binding.roles.examples
    sizes = binding.sizes if examples is None else {**binding.sizes, examples: binding.count}
    most = measured(dim, sizes)
    _refuse(
        table != np.floor(table),
        symbol,
        table,
        named,
        f"{symbol.name} holds numbers of places, which are whole numbers from 0 to {most - 1}",
    )
    larger = int(table.max()) + 1
    remedy = ""
    if trained:
        remedy = "; others did not occur in training"
    elif isinstance(dim, str):
        remedy = f"; for more places: --size {dim}={larger}"
    _refuse(
        (table < 0) | (table >= most),
        symbol,
        table,
        named,
        f"the {most} places of {dim} are numbered from 0 to {most - 1}{remedy}",
    )


def _check_one_hot(symbol: Symbol, table: Array, roles: InputRoles, named: RowName) -> None:
    total = table.sum(axis=1)
    bad = np.flatnonzero((np.abs(total - 1) > _NEAR) | (table < 0).any(axis=1))
    if len(bad):
        row = int(bad[0])
        count = f" ({len(bad)} such rows)" if len(bad) > 1 else ""
        raise DataError(
            f"{named(row)}: {symbol.name} is declared one-hot, and its {table.shape[1]} entries "
            f"add to {total[row]:g}{count}. Bind one column of class labels, which gives a row per "
            f"class, or columns that add to 1."
        )


def _refuse_one_class(binding: Binding) -> None:
    sizes = {**binding.sizes}
    if binding.roles.examples is not None:
        sizes[binding.roles.examples] = max(binding.count, 2)
    for node in nodes_of(binding.roles.model):
        if not (isinstance(node, Apply) and node.op in _SUMMING_TO_ONE):
            continue
        axis, shape = node.attrs[0], node.args[0].shape
        lengths = [measured(dim, sizes) for dim in shape]
        if (lengths[axis] if axis is not None else lengths[0] * lengths[1]) == 1:
            along = f" (a size {shape[axis]} of 1)" if axis is not None else ""
            raise DataError(
                f"{unicode(node)} is over one {'row' if axis != 1 else 'column'}{along}, so it is "
                "the same for any weights and nothing is learned. Give the labels one row per "
                "class: bind a column of class labels, with the number of classes if needed "
                f"(--size {shape[axis or 0]}=3); for two classes a sigmoid of one row does."
            )


def _refuse_missing_places(binding: Binding) -> None:
    """Refuse sizes at which a part, such as ``X[4, :]``, has no such row or column."""
    examples = binding.roles.examples
    sizes = binding.sizes if examples is None else {**binding.sizes, examples: binding.count}
    for node in nodes_of(binding.roles.model):
        if not (isinstance(node, Apply) and node.op.notation.layout is Layout.PART):
            continue
        (whole,) = node.args
        sides = (("rows", node.attrs[:2]), ("columns", node.attrs[2:]))
        for dim, (side, places) in zip(whole.shape, sides, strict=True):
            ends = [measured(end, sizes) for end in places if end is not None]
            size = measured(dim, sizes)
            if max(ends, default=0) > size:
                raise DataError(
                    f"{unicode(whole)} has {size} {side} here, and {unicode(node)} takes "
                    f"{side} up to {max(ends) - 1}, counted from 0. Bind {max(ends)} columns of "
                    "the table or more, or take fewer places in the forward pass"
                )
