"""Gradient descent, full or in batches, with the derived gradient.

The update is values minus rate times gradient, or another rule of `updates`. Steps are scaled by
how the objective aggregates its examples (a sum or a mean). A cost that is not finite, or that
keeps growing, stops the descent with the best values kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from chainrule.descent.advice import lower_rate
from chainrule.descent.check import GradientCheck, check_gradient
from chainrule.descent.objective import CostAndGradient, DescentObjective, Values
from chainrule.descent.prediction import Predictor, Score, find_prediction
from chainrule.descent.result import CostRecord, DescentResult, StopReason
from chainrule.descent.scaling import ExampleAggregation, find_scaling, fixed_gradient
from chainrule.descent.schedule import Schedule
from chainrule.descent.state import DescentState
from chainrule.descent.updates import PLAIN, UpdateRule
from chainrule.descent.watching import PATIENCE, RecordingPlan, Watch
from chainrule.errors import DataError, ProofError
from chainrule.lecture import Array, Binding, Rows

_LASTING = 3  # records in a row far above the start, at the end of a descent

Callback = Callable[[CostRecord], None]


class Descent:
    """One descent: iterate over its records, or `run` it.

    Parameters
    ----------
    objective : DescentObjective
        Cost and derived gradient, with the data.
    start : mapping of Symbol to array, or DescentState
        The initial values, or where an earlier descent stopped.
    rate, steps, batch, seed, update, schedule, clip, patience, early_stop, held_out
        As in `chainrule.descent.descend`.
    """

    def __init__(
        self,
        objective: DescentObjective,
        start: Values | DescentState,
        *,
        rate: float,
        steps: int,
        batch: int | None = None,
        seed: int = 0,
        update: UpdateRule = PLAIN,
        schedule: Schedule | None = None,
        clip: float | None = None,
        patience: int = PATIENCE,
        early_stop: int | None = None,
        held_out: Binding | None = None,
    ) -> None:
        if not (np.isfinite(rate) and rate > 0):
            raise DataError(f"the rate is {rate:g}; it must be a number above 0, such as 0.1")
        if steps < 1:
            raise DataError(f"{steps} steps: take at least 1")
        if batch is not None and batch < 1:
            raise DataError(f"a batch of {batch} examples: it needs at least 1")
        if clip is not None and not (np.isfinite(clip) and clip > 0):
            raise DataError(f"gradients are clipped at {clip:g}; it must be a number above 0")
        for number, word in ((patience, "patience"), (early_stop, "early stopping")):
            if number is not None and number < 1:
                raise DataError(f"{word} of {number} records: it needs at least 1")
        if early_stop is not None and held_out is None:
            raise DataError("early stopping watches held-out rows: keep some with --holdout 0.2")
        state = start if isinstance(start, DescentState) else DescentState(0, start)
        self.objective, self.rate, self.steps, self.seed = objective, rate, steps, seed
        self.update, self.schedule, self.clip = update, schedule or Schedule(), clip
        self.count = objective.binding.count
        single = objective.binding.roles.examples is None
        self.batch = min(batch or (1 if single else self.count), self.count)
        self.scaling = find_scaling(objective, state.values, seed)
        if self.scaling.adding is ExampleAggregation.NEITHER and self.batch < self.count:
            raise DataError(
                f"{objective.model.objective.name} is neither a sum nor a mean over its examples, "
                "so the gradient on a batch says nothing of the whole. Leave out --batch"
            )
        self.values = state.values
        self.slots = state.slots or update.start(state.values)
        self.begin, self.taken = state.step, state.step
        self.held_out = objective.with_data(held_out) if held_out is not None else None
        found = find_prediction(objective.binding.roles)
        self.predictor = Predictor(found) if found is not None else None
        if self.batch == 1 < self.count and self.predictor is not None and self.predictor.names:
            raise DataError(
                "the forward pass takes means over the examples of a step, as batch normalisation "
                "does, and one example has nothing to be normalised by. Take --batch 2 or more"
            )
        self.costs: list[tuple[int, float]] = []
        self.held_costs: list[tuple[int, float]] = []
        self.clipped = 0
        self.stopped = StopReason.INTERRUPTED
        self.why = ""
        self.checked: GradientCheck | None = None
        self.watch = Watch(
            patience,
            early_stop,
            state.first_cost,
            state.best or state.values,
            state.best_cost,
            state.best_step,
            state.best_held,
        )
        self._settled = self._snapshot()

    @property
    def state(self) -> DescentState:
        """Where the descent stands, to go on from later."""
        step, best, cost, held = self._settled
        return DescentState(
            self.taken, self.values, self.slots, best, cost, held, step, self.watch.first
        )

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
        return self.result()

    def __iter__(self) -> Iterator[CostRecord]:
        full = self.batch == self.count
        plan = RecordingPlan(self.count, self.batch)
        batches = self._batches(self.begin)
        drawing = bool(self.objective.binding.draws)
        end = self.begin + self.steps
        for step in range(self.begin, end + 1):
            due = plan.due(step)
            here = self.objective.evaluate(self.values) if full and not drawing else None
            if here is not None or due or step == end:
                cost = here.cost if here is not None else self.objective.cost(self.values)
                record = self._watched(step, cost, due=due, last=step == end)
                if record is not None:
                    yield record
                if self.stopped is not StopReason.INTERRUPTED:
                    return
            if step == self.begin and not self.costs:
                yield self._start_of_continuation(step, here)
            if step == end:
                break
            rows = None if full else next(batches)
            here = here or self._gradient(step, rows)
            if not here.finite:
                self._lost(step, rows)
                return
            gradient = self._clipped(self._scaled(here.gradient, rows))
            rate = self.rate * self.schedule.factor(step)
            with np.errstate(all="ignore"):
                moved, self.slots = self.update.move(
                    self.values, gradient, self.slots, rate, step + 1
                )
            self.taken = step + 1
            if full and due and rate > 0 and _same(moved, self.values):
                self.stopped = StopReason.FLAT
                return
            self.values = moved
        self.stopped = StopReason.ALL_STEPS
        if self.watch.above >= _LASTING and not self.stopped.failed:
            self._ran_away(end, self.watch.last)

    # ---- one step ----------------------------------------------------------------------------

    def _batches(self, taken: int = 0) -> Iterator[Rows]:
        """Yield the batches after some steps: every pass sees each example once."""
        rng = np.random.default_rng((self.seed, 3))
        passes, inside = divmod(taken, -(-self.count // self.batch))
        for _ in range(passes):
            rng.permutation(self.count)
        while True:
            order = rng.permutation(self.count)
            for first in range(inside * self.batch, self.count, self.batch):
                yield order[first : first + self.batch]
            inside = 0

    def _gradient(self, step: int, rows: Rows | None) -> CostAndGradient:
        drawing = self.objective.binding.draws
        rng = np.random.default_rng((self.seed, 4, step)) if drawing else None
        return self.objective.evaluate(self.values, rows, rng, with_cost=False)

    def _scaled(self, gradient: Values, rows: Rows | None) -> Values:
        """Divide the gradient of a sum by its examples."""
        if not self.scaling.divides:
            return gradient
        with np.errstate(all="ignore"):
            size = self.count if rows is None else len(rows)
            if rows is None or not self.scaling.fixed:
                return {s: g / size for s, g in gradient.items()}
            fixed = fixed_gradient(self.objective, self.values, rows[:1])
            return {s: (g - fixed[s]) / size + fixed[s] / self.count for s, g in gradient.items()}

    def _clipped(self, gradient: Values) -> Values:
        """Shorten a gradient that is longer than the limit, in its own direction."""
        if self.clip is None:
            return gradient
        length = _length(gradient)
        if length <= self.clip:
            return gradient
        self.clipped += 1
        return {s: g * (self.clip / length) for s, g in gradient.items()}

    # ---- watching ----------------------------------------------------------------------------

    def _watched(self, step: int, cost: float, *, due: bool, last: bool) -> CostRecord | None:
        """Take a cost into account; return what is to be recorded of it."""
        if not np.isfinite(cost):
            self._lost(step, None)
            if due or last:
                self.costs.append((step, cost))
                return CostRecord(step, step * self.batch / self.count, cost)
            return None
        recorded = due or last
        held = self.held_out.cost(self.values) if recorded and self.held_out is not None else None
        if held is None and self.watch.early is not None:
            return None
        self.watch.see(step, cost, self.values, held)
        if due or self.batch == self.count:
            self._settled = self._snapshot()
        if self.watch.ran_away:
            self._ran_away(step, cost)
        elif self.watch.is_early_enough:
            self.stopped = StopReason.HELD_OUT
        ended = self.stopped is not StopReason.INTERRUPTED
        if not (recorded or ended or self.watch.above):
            return None
        self.costs.append((step, cost))
        if held is not None:
            self.held_costs.append((step, held))
        return CostRecord(step, step * self.batch / self.count, cost, held)

    def _start_of_continuation(self, step: int, here: CostAndGradient | None) -> CostRecord:
        """Record where a continuation starts, whether or not one long run records that step."""
        cost = here.cost if here is not None else self.objective.cost(self.values)
        held = self.held_out.cost(self.values) if self.held_out is not None else None
        self.costs.append((step, cost))
        if held is not None:
            self.held_costs.append((step, held))
        return CostRecord(step, step * self.batch / self.count, cost, held)

    def _snapshot(self) -> tuple[int, Values, float, float]:
        watch = self.watch
        return watch.best_step, watch.best or self.values, watch.best_cost, watch.best_held

    def _ran_away(self, step: int, cost: float) -> None:
        first = self.watch.first if self.watch.first is not None else cost
        self.stopped = StopReason.DIVERGED
        times = f", {cost / first:.3g} times as much" if first > 0 else ""
        self.why = f"at step {step} the cost is {cost:.4g}; it started at {first:.4g}{times}"

    def _lost(self, step: int, rows: Rows | None) -> None:
        self.stopped = StopReason.NOT_FINITE
        where = self.objective.first_non_finite(self.values, rows) or "the gradient is not finite"
        self.why = f"at step {step}, {where}"

    # ---- the end -----------------------------------------------------------------------------

    def result(self) -> DescentResult:
        """Return the result so far."""
        objective, best = self.objective, self.watch.best or self.values
        with np.errstate(all="ignore"):
            norm = _length(objective.evaluate(best).gradient)
        score, held_score, statistics = self._scores(best)
        return DescentResult(
            values={symbol.name: value.copy() for symbol, value in best.items()},
            cost=float(self.watch.best_cost),
            step=self.watch.best_step,
            gradient_norm=norm,
            costs=tuple(self.costs),
            held_costs=tuple(self.held_costs),
            taken=self.taken,
            stopped=self.stopped,
            report=self._report(),
            check=self.checked,
            scaling=self.scaling,
            rate=self.rate,
            batch=self.batch,
            examples=self.count,
            seed=self.seed,
            score=score,
            held_score=held_score,
            statistics=statistics,
            settings=self.settings,
            state=self.state,
            derivation=objective.derivation,
        )

    @property
    def settings(self) -> dict[str, str | float | None]:
        """The options of the descent beside rate, batch and seed."""
        return {
            "update": str(self.update),
            "schedule": self.schedule.text or None,
            "clip": self.clip,
            "patience": self.watch.patience,
            "early_stop": self.watch.early,
        }

    def _scores(self, best: Values) -> tuple[Score | None, Score | None, tuple[Array, ...]]:
        if self.predictor is None:
            return None, None, ()
        binding = self.objective.binding
        statistics = self.predictor.statistics(binding, best)
        score = self.predictor.score(binding, best, statistics)
        held = None
        if self.held_out is not None:
            held = self.predictor.score(self.held_out.binding, best, statistics)
        return score, held, tuple(statistics[name] for name in self.predictor.names)

    def _report(self) -> str:
        said = self.stopped.value
        if self.why:
            said += f": {self.why}"
        if not self.stopped.failed:
            if self.stopped is not StopReason.FLAT and self.watch.best_step < self.taken:
                kind = "held-out" if self.watch.early is not None else "recorded"
                said += f"; the lowest {kind} cost was at step {self.watch.best_step}"
            if self.watch.bump:
                said += f"; {self.watch.bump}"
            return said + "."
        if not np.isfinite(self.watch.best_cost):
            return (
                f"{said}, at the starting values already. Start elsewhere (--seed, --start), or "
                "bring the data to a common scale."
            )
        single = self.batch == 1 < self.count
        best = self.watch.best or self.values
        lower = lower_rate(self.objective, best, self.rate, self.scaling, single=single)
        return (
            f"{said}. Take a lower rate, such as {lower:g}. Kept: the values of "
            f"step {self.watch.best_step}, cost {self.watch.best_cost:.6g}."
        )


def _same(one: Values, other: Values) -> bool:
    return all(np.array_equal(one[s], v) for s, v in other.items())


def _length(values: Values) -> float:
    return float(np.sqrt(sum(float(np.sum(g * g)) for g in values.values())))
