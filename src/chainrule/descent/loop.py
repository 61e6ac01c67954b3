"""Gradient descent, full or in batches, with the derived gradient.

The update is values minus rate times gradient. Steps are scaled by how the objective aggregates its
examples (a sum or a mean), and a cost that diverges stops the descent with the best values kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import pairwise
from math import ceil

import numpy as np

from chainrule.descent.advice import lower_rate
from chainrule.descent.check import GradientCheck, check_gradient
from chainrule.descent.objective import DescentObjective, Values
from chainrule.descent.result import CostRecord, DescentResult, StopReason, accuracy
from chainrule.descent.scaling import ExampleAggregation, find_scaling, fixed_gradient
from chainrule.errors import DataError, ProofError
from chainrule.lecture import Rows

Callback = Callable[[CostRecord], None]

MOST_RECORDS = 400
FEWEST_RECORDS = 20
SINGLE_RUNS = 200_000  # of a model of one example, for all its recorded costs together
RUNAWAY = 10.0  # times the starting cost
PATIENCE = 3  # costs in a row above that
WINDOW = 10  # costs in a row, each above the one before


class Descent:
    """One descent: iterate over its records, or `run` it.

    Parameters
    ----------
    objective : DescentObjective
        Cost and derived gradient, with the data.
    start : mapping of Symbol to array
        The initial values.
    rate, steps, batch, seed
        As in `chainrule.descent.descend`.
    """

    def __init__(
        self,
        objective: DescentObjective,
        start: Values,
        *,
        rate: float,
        steps: int,
        batch: int | None = None,
        seed: int = 0,
    ) -> None:
        if not (np.isfinite(rate) and rate > 0):
            raise DataError(f"the rate is {rate:g}; it must be a number above 0, such as 0.1")
        if steps < 1:
            raise DataError(f"{steps} steps: take at least 1")
        if batch is not None and batch < 1:
            raise DataError(f"a batch of {batch} examples: it needs at least 1")
        self.objective, self.rate, self.steps, self.seed = objective, rate, steps, seed
        self.count = objective.binding.count
        single = objective.binding.roles.examples is None
        self.batch = min(batch or (1 if single else self.count), self.count)
        self.scaling = find_scaling(objective, start, seed)
        if self.scaling.adding is ExampleAggregation.NEITHER and self.batch < self.count:
            raise DataError(
                f"{objective.model.objective.name} is neither a sum nor a mean over its examples, "
                "so the gradient on a batch says nothing of the whole. Leave out --batch"
            )
        self.values, self.best = start, start
        self.best_cost, self.best_step = np.inf, 0
        self.costs: list[tuple[int, float]] = []
        self.taken = 0
        self.stopped = StopReason.INTERRUPTED
        self.why = ""
        self.checked: GradientCheck | None = None
        self._above = 0
        self._recent: deque[float] = deque(maxlen=WINDOW + 1)

    @property
    def every(self) -> int:
        """Steps between two recorded costs; with batches, a record costs a pass over the data."""
        fewest = FEWEST_RECORDS
        if self.objective.binding.roles.examples is None:
            fewest = max(4, min(fewest, SINGLE_RUNS // self.count))
        few = ceil(self.steps / fewest)
        return max(1, ceil(self.steps / MOST_RECORDS), min(self.count // self.batch, few))

    def check(self) -> GradientCheck | None:
        """Compare the derived gradient with finite differences at the start.

        Returns
        -------
        GradientCheck or None
            Nothing where the forward pass is not finite; the descent will say so.

        Raises
        ------
        ProofError
            When they disagree.
        """
        if self.objective.evaluate(self.values).finite:
            self.checked = check_gradient(self.objective, self.values, self.seed)
            if self.checked.failed:
                raise ProofError(
                    f"the gradient check {self.checked}. This is a defect of chainrule: please "
                    "report the forward pass"
                )
        return self.checked

    def run(self, callback: Callback | None = None) -> DescentResult:
        """Run to the end; Ctrl-C keeps the best iterate so far."""
        try:
            for record in self:
                if callback is not None:
                    callback(record)
        except KeyboardInterrupt:
            self.stopped = StopReason.INTERRUPTED
        return self._result()

    def __iter__(self) -> Iterator[CostRecord]:
        full = self.batch == self.count
        batches = self._batches()
        for step in range(self.steps + 1):
            here = self.objective.evaluate(self.values) if full else None
            due = step % self.every == 0 or step == self.steps
            if here is not None or due:
                cost = here.cost if here is not None else self.objective.cost(self.values)
                ended = self._watch(step, cost)
                if due or ended or self._above:
                    self.costs.append((step, cost))
                    yield CostRecord(step, step * self.batch / self.count, cost)
                if ended:
                    return
            if step == self.steps:
                break
            rows = None if full else next(batches)
            here = here or self.objective.evaluate(self.values, rows)
            if not here.finite:
                self._lost(step, rows)
                return
            moved = self._moved(here.gradient, rows)
            self.taken = step + 1
            if full and all(np.array_equal(moved[s], v) for s, v in self.values.items()):
                self.stopped = StopReason.FLAT
                return
            self.values = moved
        self.stopped = StopReason.ALL_STEPS

    # ---- one step ----------------------------------------------------------------------------

    def _batches(self) -> Iterator[Rows]:
        rng = np.random.default_rng((self.seed, 3))
        while True:
            order = rng.permutation(self.count)
            for first in range(0, self.count, self.batch):
                yield order[first : first + self.batch]

    def _moved(self, gradient: Values, rows: Rows | None) -> Values:
        with np.errstate(all="ignore"):
            if not self.scaling.divides:
                return {s: v - self.rate * gradient[s] for s, v in self.values.items()}
            size = self.count if rows is None else len(rows)
            if rows is None or not self.scaling.fixed:
                return {s: v - self.rate / size * gradient[s] for s, v in self.values.items()}
            fixed = fixed_gradient(self.objective, self.values, rows[:1])
            return {
                s: v - self.rate * ((gradient[s] - fixed[s]) / size + fixed[s] / self.count)
                for s, v in self.values.items()
            }

    # ---- watching ----------------------------------------------------------------------------

    def _watch(self, step: int, cost: float) -> bool:
        """Record a cost; return whether the descent has ended."""
        if not np.isfinite(cost):
            self._lost(step, None)
            return True
        if cost < self.best_cost:
            self.best, self.best_cost, self.best_step = self.values, cost, step
        first = self.costs[0][1] if self.costs else cost
        self._above = self._above + 1 if cost > first + (RUNAWAY - 1) * abs(first) else 0
        self._recent.append(cost)
        seen = list(self._recent)
        rising = len(seen) > WINDOW and all(a < b for a, b in pairwise(seen))
        if (self._above >= PATIENCE and first != 0) or (rising and cost > first):
            self.stopped = StopReason.DIVERGED
            times = f", {cost / first:.3g} times as much" if first > 0 else ""
            self.why = f"at step {step} the cost is {cost:.4g}; it started at {first:.4g}{times}"
            return True
        return False

    def _lost(self, step: int, rows: Rows | None) -> None:
        self.stopped = StopReason.NOT_FINITE
        where = self.objective.first_non_finite(self.values, rows) or "the gradient is not finite"
        self.why = f"at step {step}, {where}"

    # ---- the end -----------------------------------------------------------------------------

    def _result(self) -> DescentResult:
        objective = self.objective
        gradient = objective.evaluate(self.best).gradient
        with np.errstate(all="ignore"):
            norm = float(np.sqrt(sum(float(np.sum(g**2)) for g in gradient.values())))
        return DescentResult(
            values={symbol.name: value.copy() for symbol, value in self.best.items()},
            cost=float(self.best_cost),
            step=self.best_step,
            gradient_norm=norm,
            costs=tuple(self.costs),
            taken=self.taken,
            stopped=self.stopped,
            report=self._report(),
            check=self.checked,
            scaling=self.scaling,
            rate=self.rate,
            batch=self.batch,
            examples=self.count,
            seed=self.seed,
            accuracy=accuracy(objective, self.best),
            derivation=objective.derivation,
        )

    def _report(self) -> str:
        said = self.stopped.value
        if self.why:
            said += f": {self.why}"
        if not self.stopped.failed:
            if self.stopped is not StopReason.FLAT and self.best_step < self.taken:
                said += f"; the lowest recorded cost was at step {self.best_step}"
            return said + "."
        if not np.isfinite(self.best_cost):
            return (
                f"{said}, at the starting values already. Start elsewhere (--seed, --start), or "
                "bring the data to a common scale."
            )
        single = self.batch == 1 < self.count
        lower = lower_rate(self.objective, self.best, self.rate, self.scaling, single=single)
        return (
            f"{said}. Take a lower rate, such as {lower:g}. Kept: the values of "
            f"step {self.best_step}, cost {self.best_cost:.6g}."
        )
