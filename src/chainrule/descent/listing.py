"""The roles of all inputs and the meaning of their labels, as lines for the user."""

from __future__ import annotations

from chainrule.calculus.graph.dims import measured, written
from chainrule.calculus.graph.node import Symbol
from chainrule.descent.binding import BoundTable
from chainrule.descent.columns import InputColumns, Reading
from chainrule.lecture import Binding

_MOST = 12


def role_lines(bound: BoundTable) -> list[tuple[str, str]]:
    """Return a heading and a sentence for everything that is bound, drawn or learned.

    Parameters
    ----------
    bound : BoundTable
        Model and table.
    """
    binding, lines = bound.binding, []
    for columns in bound.inputs:
        lines.append(("data", f"{_shaped(binding, columns.name)} from {_source(columns)}"))
        if said := _labels(columns):
            lines.append(("labels", said))
    for symbol, value in binding.constants.items():
        same = value.size and (value == value.flat[0]).all()
        what = f"{value.flat[0]:g} everywhere" if same else "given"
        lines.append(("constant", f"{_shaped(binding, symbol.name)}, {what}"))
    for symbol, draw in binding.draws.items():
        what = (
            f"1 with probability {draw.amount:g}, else 0"
            if draw.kind == "mask"
            else f"normal with standard deviation {draw.amount:g}"
        )
        lines.append(
            (
                "drawn",
                f"{_shaped(binding, symbol.name)}, {what}; anew at every step, and its mean "
                f"{draw.mean:g} in recorded costs and predictions",
            )
        )
    learned = ", ".join(_shaped(binding, s.name) for s in binding.roles.learned)
    count = sum(rows * columns for rows, columns in map(binding.shape, binding.roles.learned))
    numbers = "1 number" if count == 1 else f"{count} numbers"
    lines.append(("learned", f"{learned}: {numbers}"))
    return lines


def _shaped(binding: Binding, name: str) -> str:
    symbol = binding.roles.model.symbol(name)
    sizes = {**binding.sizes, **_examples_size(binding)}
    return f"{name} {written(symbol.shape)}{_numbers(symbol, sizes)}"


def _examples_size(binding: Binding) -> dict[str, int]:
    return {} if binding.roles.examples is None else {binding.roles.examples: binding.count}


def _numbers(symbol: Symbol, sizes: dict[str, int]) -> str:
    if all(isinstance(dim, int) for dim in symbol.shape):
        return ""
    return f" = {written([measured(dim, sizes) for dim in symbol.shape])}"


def _source(columns: InputColumns) -> str:
    names = [feature.name for feature in columns.features] or list(columns.columns)
    shown = ", ".join(names[:_MOST]) + (
        f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    )
    count = "" if len(names) == 1 else f"{len(names)} columns: "
    return f"{count}{shown}"


def _labels(columns: InputColumns) -> str:
    words = columns.words
    if not words:
        return ""
    if columns.reading is Reading.ONE_HOT:
        return f"{columns.name} has a row for each of {_few(words)}"
    if columns.reading is Reading.PLACES:
        return f"{columns.name} counts from 0: {_few(words)}"
    if columns.reading is Reading.SIGNS:
        return (
            f"{columns.name} is 1 for {words[1]} and -1 for {words[0]}, since the forward pass "
            f"multiplies {columns.name} with a score: a margin loss"
        )
    return f"{columns.name} is 1 for {words[1]} and 0 for {words[0]}"


def _few(words: tuple[str, ...]) -> str:
    return ", ".join(words[:_MOST]) + (
        f" and {len(words) - _MOST} more" if len(words) > _MOST else ""
    )
