"""How the objective depends on the number of examples, found by repeating some.

A step divides a sum by the number of its examples, and leaves a mean alone. The gradient tells
which of the two an objective is: with every example there twice, and three times, that of a sum
grows evenly and that of a mean stays. What does not grow with the examples (a penalty) belongs to
all of them once, so a batch must not count it in full at every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from chainrule.calculus.graph.node import Symbol
from chainrule.descent.objective import DescentObjective, Values
from chainrule.lecture import Array, Rows

_EXAMPLES = 50
_TRIES = 8
_TOLERANCE = 1e-8


class ExampleAggregation(Enum):
    """How the objective aggregates its examples; the value is the step rule."""

    SINGLES = (
        "step = rate x gradient / examples in the batch, since the cost adds {J} up over the "
        "examples"
    )
    SUM = "step = rate x gradient / examples in the batch, since {J} is a sum over the examples"
    MEAN = "step = rate x gradient, since {J} is a mean over the examples already"
    NEITHER = "step = rate x gradient, since {J} is neither a sum nor a mean over the examples"


@dataclass(frozen=True)
class StepScaling:
    """The divisor of a step.

    Parameters
    ----------
    adding : ExampleAggregation
        Sum, mean or neither.
    fixed : bool
        Whether a part of the gradient does not come from examples, such as that of a penalty.
    """

    adding: ExampleAggregation
    fixed: bool = False

    @property
    def divides(self) -> bool:
        """Whether a step is divided by the number of examples."""
        return self.adding in (ExampleAggregation.SINGLES, ExampleAggregation.SUM)

    def sentence(self, objective: str) -> str:
        """Return the step rule as a sentence."""
        said = self.adding.value.format(J=objective)
        if self.adding is ExampleAggregation.SUM and self.fixed:
            said += "; what does not come from examples (a penalty) is divided by all of them"
        return said


def find_scaling(
    objective: DescentObjective, around: Mapping[Symbol, Array], seed: int
) -> StepScaling:
    """Determine how the objective aggregates examples, by repeating some of them.

    Parameters
    ----------
    objective : DescentObjective
        With its data.
    around : mapping of Symbol to array
        Learned values close to which everything is finite.
    seed : int
        Seed for the points of comparison.
    """
    binding = objective.binding
    if binding.roles.examples is None:
        return StepScaling(ExampleAggregation.SINGLES)
    rng = np.random.default_rng((seed, 1))
    rows = np.arange(min(binding.count, _EXAMPLES))
    for attempt in range(_TRIES):
        width = 0.3 * 0.5**attempt
        values = {s: v + rng.normal(0.0, width, v.shape) for s, v in around.items()}
        once, twice, thrice = (
            _flat(objective.evaluate(values, np.tile(rows, copies)).gradient)
            for copies in (1, 2, 3)
        )
        if np.isfinite(thrice).all() and np.isfinite(once).all():
            return _judged(once, twice, thrice)
    return StepScaling(ExampleAggregation.SUM)


def fixed_gradient(objective: DescentObjective, values: Values, row: Rows) -> Values:
    """Return the part of a sum's gradient that does not depend on examples.

    It is the remainder when the contribution of the example in `row` is subtracted.
    """
    once = objective.evaluate(values, row).gradient
    twice = objective.evaluate(values, np.tile(row, 2)).gradient
    return {symbol: 2 * once[symbol] - twice[symbol] for symbol in once}


def _judged(once: Array, twice: Array, thrice: Array) -> StepScaling:
    close = _TOLERANCE * max(float(np.abs(thrice).max()), 1e-300)
    if np.abs(twice - once).max() <= close and np.abs(thrice - once).max() <= close:
        return StepScaling(ExampleAggregation.MEAN)
    if np.abs(thrice - 2 * twice + once).max() > close:
        return StepScaling(ExampleAggregation.NEITHER)
    return StepScaling(ExampleAggregation.SUM, fixed=bool(np.abs(2 * once - twice).max() > close))


def _flat(gradient: Values) -> Array:
    return np.concatenate([array.ravel() for array in gradient.values()])
