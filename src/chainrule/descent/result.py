"""The result of a descent: values, costs, and the reason for stopping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self

import numpy as np

from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.node import Apply, Symbol
from chainrule.calculus.ops import TABLE
from chainrule.descent.check import GradientCheck
from chainrule.descent.objective import DescentObjective, Values, objective_values
from chainrule.descent.scaling import StepScaling
from chainrule.errors import DivergenceError
from chainrule.lecture import Array


class StopReason(Enum):
    """The reason for stopping; the value is the sentence."""

    ALL_STEPS = "all steps were taken"
    FLAT = "the values no longer change: the gradient is zero to rounding"
    DIVERGED = "the cost ran away, so the rate is too high"
    NOT_FINITE = "the forward pass left the finite numbers"
    INTERRUPTED = "stopped by hand"

    @property
    def failed(self) -> bool:
        """Whether the last values are unusable."""
        return self in (StopReason.DIVERGED, StopReason.NOT_FINITE)


@dataclass(frozen=True)
class CostRecord:
    """The cost at one step, on all examples.

    Parameters
    ----------
    step : int
        Steps taken before; 0 is the start.
    passes : float
        The number of passes over the examples.
    cost : float
        The objective.
    """

    step: int
    passes: float
    cost: float


@dataclass(frozen=True, eq=False)
class DescentResult:
    """The result of a descent.

    Parameters
    ----------
    values : mapping of str to array
        The learned values where the recorded cost was lowest, in the shapes of the model.
    cost : float
        The cost there.
    step : int
        After how many steps that was.
    gradient_norm : float
        The length of the gradient of the objective there, all variables together.
    costs : tuple of (int, float)
        The recorded steps and costs, from the start on.
    taken : int
        Steps taken.
    stopped : StopReason
        Why it ended.
    report : str
        A report with numbers, and with advice where the descent failed.
    check : GradientCheck or None
        The gradient check at the start; None when it was not asked for.
    scaling : StepScaling
        The divisor of a step.
    rate : float
        The rate.
    batch : int
        Examples a step.
    examples, seed : int
        The number of examples; the seed.
    accuracy : float or None
        The share of labels that are predicted, where labels are 0 and 1 and the model's last
        activation is their probability.
    derivation : Derivation
        With the formula that was run.
    """

    values: Mapping[str, Array]
    cost: float
    step: int
    gradient_norm: float
    costs: tuple[tuple[int, float], ...]
    taken: int
    stopped: StopReason
    report: str
    check: GradientCheck | None
    scaling: StepScaling
    rate: float
    batch: int
    examples: int
    seed: int
    accuracy: float | None
    derivation: Derivation

    @property
    def start_cost(self) -> float:
        """The cost at the starting values."""
        return self.costs[0][1] if self.costs else float("nan")

    def raise_if_failed(self) -> Self:
        """Return the result, or raise where the last values are unusable.

        Raises
        ------
        DivergenceError
            With the report; `values` still holds the best values.
        """
        if self.stopped.failed:
            raise DivergenceError(self.report)
        return self

    def __str__(self) -> str:
        return self.report


def accuracy(objective: DescentObjective, values: Values) -> float | None:
    """Return the fraction of labels that are predicted; None where there are no labels.

    It has when one input holds a single 0 or 1 for each example and the last sigmoid of the
    forward pass has its shape.
    """
    binding = objective.binding
    for label, table in binding.data.items():
        if table.shape[1] != 1 or not np.isin(table, (0.0, 1.0)).all():
            continue
        proba = _probability(objective, label)
        if proba is None:
            continue
        right = 0
        with np.errstate(all="ignore"):
            for inputs, sizes in binding.runs():
                known = objective_values(objective.model, {**inputs, **values}, sizes)
                right += int(((known[proba] > 0.5) == (known[label] > 0.5)).sum())
        return right / binding.count
    return None


def _probability(objective: DescentObjective, label: Symbol) -> Symbol | None:
    for definition in reversed(objective.model.definitions):
        value = definition.value
        if (
            definition.target.shape == label.shape
            and isinstance(value, Apply)
            and value.op is TABLE["sigmoid"]
        ):
            return definition.target
    return None
