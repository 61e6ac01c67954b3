"""The claims of a posted text, with its definitions and the evaluations that are left."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.teaching.marking.by_value.passage import (
    Passage,
)
from chainrule.teaching.marking.by_value.points import Budget
from chainrule.teaching.marking.by_value.terms import (
    Condition,
    Named,
    Term,
)
from chainrule.teaching.marking.transcript import TranscriptStatement

MOST_SPENT = 300_000
"""The most evaluations that are made for one text."""


MOST_FOR_CHANGES = 150_000
"""The most evaluations that are made for changes of the claims of one text."""


@dataclass
class Claim:
    """One statement with its parsed sides; None for a side that is not read."""

    said: TranscriptStatement
    sides: list[Term | None]
    order: int
    defines: bool = False
    conditions: tuple[Condition, ...] = ()
    why: str = ""
    starts: int = 0  # the number of sides taken from the line before
    other: Claim | None = None  # where derivatives reach over what follows their brackets
    nearby: tuple[Condition, ...] = ()  # conditions in the prose around it
    led: tuple[Condition, ...] = ()  # the condition in the words right before it
    last: bool = False  # whether it is judged at the last time of a recurrence


@dataclass
class Reader:
    """The claims of a text.

    Parameters
    ----------
    passage : Passage
        Its definitions.
    claims : list of Claim
        Its statements in order.
    """

    passage: Passage
    claims: list[Claim] = field(default_factory=list)
    budget: Budget = field(default_factory=lambda: Budget(MOST_SPENT))
    for_changes: int = MOST_FOR_CHANGES  # the evaluations left for them
    held: set[int] = field(default_factory=set)  # the readings in which some claim is right
    hurried: bool = False  # whether not every reading was compared
    opened: dict[str, list[Named]] = field(default_factory=dict)
    moving: list[Named] = field(default_factory=list)
    guessed: set[str] = field(default_factory=set)  # names that a chain introduces at its end
    one_term: str = ""  # why a gradient may be that of one term of the objective
