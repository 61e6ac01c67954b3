"""The record of a descent: when costs are recorded, the best values, and when to stop."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite

from chainrule.descent.objective import Values

PATIENCE = 20
RUNAWAY = 10.0  # times the starting cost
_PER_DOUBLING = 16
_EARLY = 25


class RecordingPlan:
    """The steps at which costs are recorded; they do not depend on how many steps will follow.

    The first steps are recorded densely and later ones more and more thinly. With batches, a record
    costs a pass over the data, so there is one per pass, and a few more before the first one.
    """

    def __init__(self, count: int, batch: int) -> None:
        self._pass = max(1, count // batch)

    def due(self, step: int) -> bool:
        """Whether the cost is recorded at a step."""
        every = 1
        while step >= 2 * _PER_DOUBLING * every:
            every *= 2
        if step % max(every, self._pass) == 0:
            return True
        early, rest = divmod(step, _EARLY)
        return step < self._pass and rest == 0 and early & (early - 1) == 0


@dataclass
class Watch:
    """Summary of the costs so far.

    Parameters
    ----------
    patience : int
        Records in a row of growth, or far above the start, after which a descent is given up.
    early : int or None
        Records in a row without a lower held-out cost, after which it ends.
    """

    patience: int = PATIENCE
    early: int | None = None
    first: float | None = None
    best: Values | None = None
    best_cost: float = float("inf")
    best_step: int = 0
    best_held: float = float("inf")
    without_better: int = 0
    above: int = 0
    rising: int = 0
    last: float = float("inf")
    peak: float = float("-inf")
    peak_step: int = 0

    def see(self, step: int, cost: float, values: Values, held: float | None) -> None:
        """Take a recorded cost, and the held-out one where there is one."""
        if self.first is None:
            self.first = cost
        by_held = self.early is not None and held is not None
        better = held < self.best_held if by_held and held is not None else cost < self.best_cost
        if better:
            self.best, self.best_cost, self.best_step = values, cost, step
            self.without_better = 0
        elif by_held:
            self.without_better += 1
        if held is not None and held < self.best_held:
            self.best_held = held
        self.rising = self.rising + 1 if cost > self.last else 0
        self.above = self.above + 1 if self.far_above(cost) else 0
        if cost > self.peak and step > 0:
            self.peak, self.peak_step = cost, step
        self.last = cost

    def far_above(self, cost: float) -> bool:
        """Whether a cost is many times the starting one."""
        first = self.first or 0.0
        return first != 0 and cost > first + (RUNAWAY - 1) * abs(first)

    @property
    def ran_away(self) -> bool:
        """Whether the growth has lasted."""
        first = self.first if self.first is not None else float("inf")
        return self.above >= self.patience or (self.rising >= self.patience and self.last > first)

    @property
    def is_early_enough(self) -> bool:
        """Whether the held-out cost has not improved for long."""
        return self.early is not None and self.without_better >= self.early

    @property
    def bump(self) -> str:
        """A sentence on a cost that rose above the start and came down again, or nothing."""
        first = self.first if self.first is not None else float("inf")
        if not (isfinite(self.peak) and self.peak > first and self.last < first):
            return ""
        return (
            f"on the way the cost rose to {self.peak:.4g} at step {self.peak_step}, above its "
            f"start of {first:.4g}, and came down again"
        )
