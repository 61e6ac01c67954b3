"""Where a descent stands, so that it can go on as if it had not been interrupted."""

from __future__ import annotations

from dataclasses import dataclass, field

from chainrule.descent.objective import Values
from chainrule.descent.updates import Slots


@dataclass(frozen=True, eq=False)
class DescentState:
    """Everything that a descent needs to go on as if it had not been interrupted.

    Parameters
    ----------
    step : int
        Steps taken.
    values : mapping of Symbol to array
        The values after them.
    slots : mapping of str to values
        What the update rule keeps.
    best : mapping of Symbol to array
        The best values so far.
    best_cost, best_held : float
        The lowest recorded cost, and the lowest held-out one.
    best_step : int
        The step of the best values.
    first_cost : float
        The cost at the start.
    """

    step: int
    values: Values
    slots: Slots = field(default_factory=dict)
    best: Values | None = None
    best_cost: float = float("inf")
    best_held: float = float("inf")
    best_step: int = 0
    first_cost: float | None = None
