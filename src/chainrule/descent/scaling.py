"""How an objective adds its examples up, found by repeating them.

A step divides a sum by the number of its examples, and leaves a mean alone. Which of the two an
objective is shows in its gradient: with every example there twice, and three times, that of a sum
grows evenly and that of a mean stays. What does not grow with the examples (a penalty) belongs to
all of them once, so a batch must not count it in full at every step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

import numpy as np

from chainrule.calculus.graph.node import Symbol
from chainrule.descent.objective import Objective, Values
from chainrule.lecture import Array, Rows

_EXAMPLES = 50
_TRIES = 8
_TOLERANCE = 1e-8


class Adding(Enum):
    """How an objective depends on the number of its examples; the value is the rule of a step."""

    SINGLES = (
        "step = rate x gradient / examples in the batch, since the cost adds {J} up over the "
        "examples"
    )
    SUM = "step = rate x gradient / examples in the batch, since {J} is a sum over the examples"
    MEAN = "step = rate x gradient, since {J} is a mean over the examples already"
    NEITHER = "step = rate x gradient, since {J} is neither a sum nor a mean over the examples"


@dataclass(frozen=True)
class Scaling:
    """What a step divides by.

    Parameters
    ----------
    adding : Adding
        Sum, mean or neither.
    fixed : bool
        Whether a part of the gradient does not come from examples, such as that of a penalty.
    """

    adding: Adding
    fixed: bool = False

    @property
    def divides(self) -> bool:
        """Whether a step divides by its examples."""
        return self.adding in (Adding.SINGLES, Adding.SUM)

    def sentence(self, objective: str) -> str:
        """Return the rule of a step in words."""
        said = self.adding.value.format(J=objective)
        if self.adding is Adding.SUM and self.fixed:
            said += "; what does not come from examples (a penalty) is divided by all of them"
        return said


def find_scaling(objective: Objective, around: Mapping[Symbol, Array], seed: int) -> Scaling:
    """Find how the objective adds its examples up, by repeating some of them.

    Parameters
    ----------
    objective : Objective
        With its data.
    around : mapping of Symbol to array
        Learned values close to which everything is finite.
    seed : int
        Of the places where it is tried.
    """
    binding = objective.binding
    if binding.layout.examples is None:
        return Scaling(Adding.SINGLES)
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
    return Scaling(Adding.SUM)


def fixed_gradient(objective: Objective, values: Values, row: Rows) -> Values:
    """Return the part of a sum's gradient that does not come from examples.

    It is what is left when the example in `row`, there once and there twice, is taken away.
    """
    once = objective.evaluate(values, row).gradient
    twice = objective.evaluate(values, np.tile(row, 2)).gradient
    return {symbol: 2 * once[symbol] - twice[symbol] for symbol in once}


def _judged(once: Array, twice: Array, thrice: Array) -> Scaling:
    close = _TOLERANCE * max(float(np.abs(thrice).max()), 1e-300)
    if np.abs(twice - once).max() <= close and np.abs(thrice - once).max() <= close:
        return Scaling(Adding.MEAN)
    if np.abs(thrice - 2 * twice + once).max() > close:
        return Scaling(Adding.NEITHER)
    return Scaling(Adding.SUM, fixed=bool(np.abs(2 * once - twice).max() > close))


def _flat(gradient: Values) -> Array:
    return np.concatenate([array.ravel() for array in gradient.values()])
