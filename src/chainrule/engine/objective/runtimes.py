"""The interface of what computes the passes of an objective elsewhere, as on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.runtime.executors import Partial

Objective: TypeAlias = Any
"""A `chainrule.engine.objective.objective.Objective`, which itself imports this module."""

BlockSum = Callable[..., Partial]
"""(objective, block, raw predictions of its rows, *arguments) -> sums: a function of a module."""


class Runtime(Protocol):
    """Where passes over the blocks of rows are computed."""

    def sums(
        self, objective: Objective, point: Point, *, with_hessian: bool, keep: bool
    ) -> Partial:
        """Return the sum of ``objective.block_sums`` over all blocks, in the fixed order."""

    def scores(self, objective: Objective, point: Point) -> Callable[[], FloatArray]:
        """Return what fetches the raw predictions at a point where sums were kept."""

    def holds(self, at: Evaluation) -> bool:
        """Tell whether the raw predictions of an evaluation are held there."""

    def bends(self, objective: Objective, point: Point) -> FloatArray:
        """Return the curvatures that a pass over sparse rows has found at a point."""

    def changes(self, objective: Objective, direction: Point) -> FloatArray:
        """Return the change of raw prediction along a direction."""

    def sums_at(
        self,
        objective: Objective,
        at: Evaluation,
        function: BlockSum,
        arguments: Sequence[Any],
    ) -> Partial:
        """Return the sum of a function of blocks and raw predictions that are held there."""

    def note(self, objective: Objective) -> str:
        """Return what a pass sends and receives, as a phrase."""
