"""The comments of a module, line by line: its title, and what every argument is."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import wrap

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Symbol
from chainrule.language.codegen.plan import Plan
from chainrule.language.codegen.target import WIDTH

ROOM = WIDTH - 4
"""The room for a line inside a comment."""


def title_lines(plan: Plan, quoted: Callable[[str], str]) -> list[str]:
    """Return the comment on top of a module.

    Parameters
    ----------
    plan : Plan
        The plan of the module.
    quoted : callable
        Makes a text by the author of the forward pass safe inside a comment of the target.
    """
    title = quoted(plan.model.title) or "a forward pass"
    first = f"{title[:1].upper()}{title[1:].rstrip('.')}: forward pass and gradients."
    lines = [*wrap(first, ROOM)[:1], ""]
    if len(first) > ROOM:
        lines = ["Forward pass and gradients.", "", *wrap(f"{title}.", ROOM), ""]
    lines += ["Written by chainrule from its derivation. Every gradient has the shape of its"]
    lines += ["variable; `check()` compares them all with central differences."]
    if plan.program.reading:
        lines += [""]
    for note in plan.program.reading:
        lines += wrap(quoted(note), ROOM)
    if plan.program.transposed:
        rows = (
            f"One example per row: {quoted(plan.program.by_rows or '')} counts the rows. A "
            "matrix marked transposed is the transpose of the one on the board, and so is its "
            "gradient."
        )
        lines += ["", *wrap(rows, ROOM)]
    return lines


def forward_lines(plan: Plan, quoted: Callable[[str], str]) -> list[str]:
    """Return the comment of the forward pass, with one entry per argument."""
    lines = [f"Return what the gradients need, and the cost {plan.cost}, by name.", ""]
    for symbol in plan.model.inputs:
        note = quoted(plan.model.notes.get(symbol.name, ""))
        if symbol in plan.program.transposed:
            note = f"transposed; {note}" if note else "transposed"
        lines += _entry(plan.names[symbol], symbol, note, quoted)
    for symbol in plan.program.given:
        lines += _entry(plan.names[symbol], symbol, "computed, unless it is given", quoted)
    return lines


def backward_line(plan: Plan) -> str:
    """Return the comment of the backward pass."""
    return f"Return the gradient of {plan.cost} with respect to every variable, in its shape."


def _entry(name: str, symbol: Symbol, note: str, quoted: Callable[[str], str]) -> list[str]:
    text = f"{name}: {quoted(written(symbol.shape))}" + (f", {note}" if note else "")
    return wrap(text, ROOM, subsequent_indent="    ")
