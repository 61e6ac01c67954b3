"""Runs of a program, and the losses that they compute."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.trace import Trace
from chainrule.teaching.marking.code_by_value.naming import is_objective

LOSS = re.compile(
    r"(?i)\w*(?:loss|cost|objective|cross_?entropy|mse|nll|bce|log_?likelihood)\w*|[JLE]"
)


"""Names of losses, and of functions that compute one."""

EARLIER = " in row"
"""What stands behind the name of a loss that gets another value later."""


@dataclass
class Run:
    """One run.

    Parameters
    ----------
    trace : Trace
        Its events.
    incoming : list
        The events of what a layer returns, each with the gradient that comes from outside.
    """

    trace: Trace
    incoming: list[tuple[int, np.ndarray]] = field(default_factory=list)
    called: set[str] = field(default_factory=set)
    steps: int = 0
    asked: int = 10**9  # the number of the last event that is a gradient
    lone: bool = False  # whether a name of the number of examples is 1
    counts: frozenset[int] = frozenset()  # whole numbers with names of a number of examples


def losses_of(run: Run) -> dict[str, int]:
    """Return the events that are losses of a run: the last of each name, and earlier ones."""
    found: dict[str, list[int]] = {}
    for event in run.trace.events:
        name = event.name.removeprefix("return ")
        if event.value.size == 1 and event.kind != "given" and event.name and not (
            re.fullmatch(r"(?i)err(?:or)?\d?", name) and event.value.shape
        ) and (
            is_objective(name) or LOSS.fullmatch(name)
        ) and not re.search(r"(?i)grad|prime|deriv|rate|_d$|^d_?l", name):  # fmt: skip
            found.setdefault(name, []).append(event.index)
    chosen = {name: places[-1] for name, places in found.items()}
    for name, places in found.items():  # the last one may be of other values, as for a plot
        before = [one for one in places if one <= run.asked][-1:]
        for one in (*before, *[one for one in places if one > run.asked][:1]):
            if one != places[-1]:
                chosen[f"{name}{EARLIER} {run.trace.events[one].line}"] = one
    return chosen


__all__ = ["EARLIER", "LOSS", "Run", "losses_of"]
