"""Events of an interpreted program: one per value that gets a name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from chainrule.teaching.marking.code_as_program.values import (
    CannotRun,
    Finished,
    Value,
    as_numbers,
)

Kind = Literal["assigned", "changed", "returned", "given", "step"]
"""Assigned, changed in place, returned, given to a function, or the amount of a step."""

MOST_EVENTS = 4000


@dataclass(frozen=True)
class Event:
    """One value that gets a name.

    Parameters
    ----------
    index : int
        Its number.
    line : int
        Its row.
    name : str
        The name, the attribute, the key, or the function that returns the value.
    value : ndarray
        A copy of the value.
    kind : str
        How it gets the name.
    frame : int
        The number of the call that it is in; 0 outside functions.
    """

    index: int
    line: int
    name: str
    value: np.ndarray
    kind: Kind
    frame: int


@dataclass
class Trace:
    """The events of one run, in order.

    Parameters
    ----------
    changes : mapping
        Per number of an event what the value becomes, as for a difference of the loss.
    until : int, optional
        The number of the last event that is asked for; the run ends behind it.
    """

    changes: Mapping[int, Callable[[np.ndarray], np.ndarray]] = field(default_factory=dict)
    until: int | None = None
    events: list[Event] = field(default_factory=list)
    taken: set[str] = field(default_factory=set)  # what is assumed of the program
    failed: dict[int, str] = field(default_factory=dict)
    misshapen: set[int] = field(default_factory=set)  # rows in which lengths do not meet
    supplied: Mapping[int, np.ndarray] = field(default_factory=dict)  # for rows that fail

    def signature(self) -> int:
        """Return a number that is the same for runs with the same values."""
        return hash(tuple((one.line, one.name, one.value.tobytes()) for one in self.events))

    def note(self, line: int, name: str, value: Value, kind: Kind, frame: int) -> Value:
        """Note a value that gets a name, and return it, changed where this run changes it."""
        numbers = as_numbers(value)
        if numbers is None:
            return value
        index = len(self.events)
        if self.until is not None and index > self.until:
            raise Finished
        if index >= MOST_EVENTS:
            raise CannotRun("more values than are followed")
        if (change := self.changes.get(index)) is not None:
            changed = np.asarray(change(numbers), dtype=float)
            if isinstance(value, np.ndarray) and kind == "changed":
                value[...] = changed
            elif isinstance(value, np.ndarray):
                value = changed
            else:
                value = float(changed)
            numbers = changed
        self.events.append(Event(index, line, name, np.array(numbers), kind, frame))
        return value


__all__ = ["Event", "Kind", "Trace"]
