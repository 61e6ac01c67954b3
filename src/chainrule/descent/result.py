"""The result of a descent: values, costs, and the reason for stopping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Self

from chainrule.calculus.derivation.steps import Derivation
from chainrule.descent.check import GradientCheck
from chainrule.descent.prediction import Score
from chainrule.descent.scaling import StepScaling
from chainrule.descent.state import DescentState
from chainrule.errors import DivergenceError
from chainrule.lecture import Array


class StopReason(Enum):
    """The reason for stopping; the value is the sentence."""

    ALL_STEPS = "all steps were taken"
    FLAT = "the values no longer change: the gradient is zero to rounding"
    DIVERGED = "the cost ran away, so the rate is too high"
    NOT_FINITE = "the forward pass left the finite numbers"
    HELD_OUT = "the held-out cost improves no more"
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
    held : float or None
        The objective on the held-out examples.
    """

    step: int
    passes: float
    cost: float
    held: float | None = None


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
    held_costs : tuple of (int, float)
        The same on the held-out examples, if there are any.
    taken : int
        Steps taken, with those of the descent that was continued.
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
    score, held_score : Score or None
        Accuracy, or the share of the variance that is explained, on the examples trained on and on
        the held-out ones; None where the forward pass has no labels.
    statistics : tuple of array
        The means over the training examples that a prediction uses.
    settings : mapping
        Update rule, schedule, clipping and the like.
    state : DescentState
        Where the descent stands, to go on from later.
    derivation : Derivation
        With the formula that was run.
    """

    values: Mapping[str, Array]
    cost: float
    step: int
    gradient_norm: float
    costs: tuple[tuple[int, float], ...]
    held_costs: tuple[tuple[int, float], ...]
    taken: int
    stopped: StopReason
    report: str
    check: GradientCheck | None
    scaling: StepScaling
    rate: float
    batch: int
    examples: int
    seed: int
    score: Score | None
    held_score: Score | None
    statistics: tuple[Array, ...]
    settings: Mapping[str, str | float | None]
    state: DescentState
    derivation: Derivation

    @property
    def accuracy(self) -> float | None:
        """The share of labels that are predicted, where there are classes."""
        named = self.score is not None and self.score.name == "accuracy"
        return self.score.value if named and self.score is not None else None

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
