"""A fitted problem: the point, what is proven of it, and how it was found.

Certificate, history and plan are computed when they are asked for, where a fit takes less time
than they do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.certificates.stacked_gap import Candidate
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.solvers.plans import Plan
from chainrule.engine.solvers.steps import IterationRecord, Stop

_LATER = ("certificate", "history", "plan")


@dataclass(frozen=True)
class Fit:
    """A fitted problem.

    Attributes
    ----------
    point : Point
        In the units of the data.
    value : float
        The objective there.
    met : bool
        Whether the certificate proves the tolerance.
    stop : {'converged', 'stalled', 'interrupted', 'max_iter'}
        Why the solver stopped.
    method : str
        The solver that ran.
    n_iter : int
        Number of iterations.
    passes : float
        How many times X was read, checks and proof included.
    seconds : float
    megabytes : float or None
        By how much the memory of the process grew beyond what it held before; nothing if that is
        not to be known.
    n_threads : int
    prove, record, choose : callable
        Return certificate, history and plan. They hold no rows of X.
    interrupted : bool
        Whether Ctrl-C ended it.
    obstacles : tuple of str
        What is in the way of the tolerance, as far as it is known.
    """

    point: Point
    value: float
    met: bool
    stop: Stop
    method: str
    n_iter: int
    passes: float
    seconds: float
    megabytes: float | None
    n_threads: int
    prove: Callable[[], Certificate] = field(repr=False)
    record: Callable[[], list[IterationRecord]] = field(repr=False)
    choose: Callable[[], Plan] = field(repr=False)
    interrupted: bool = False
    obstacles: tuple[str, ...] = ()

    @cached_property
    def certificate(self) -> Certificate:
        """The proven bounds of the fit."""
        return self.prove()

    @cached_property
    def history(self) -> list[IterationRecord]:
        """The iterations."""
        return self.record()

    @cached_property
    def plan(self) -> Plan:
        """The solver that was chosen, why, and what it was expected to take."""
        return self.choose()

    def __getstate__(self) -> dict[str, Any]:
        """Return everything computed: a copy or a pickle holds no functions."""
        computed = {name: getattr(self, name) for name in _LATER}
        return self.__dict__ | computed | dict.fromkeys(("prove", "record", "choose"))

    def explain(self) -> str:
        """Say which solver ran and why, what it took, and what was expected."""
        plan = self.plan
        grew = "" if self.megabytes is None else f", and memory grew by {self.megabytes:.0f} MB"
        return (
            f"{plan}. X was read {self.passes:.1f} times, checks and proof included, in "
            f"{self.n_iter} steps and {self.seconds:.3g} s on {self.n_threads} "
            f"thread{'s' * (self.n_threads > 1)}{grew}. Expected were about {plan.passes:.0f} "
            f"reads, {plan.seconds:.2g} s and {plan.megabytes:.2g} MB beside X, once what is "
            f"compiled is loaded. {self.certificate}\n"
            f"Methods that this problem admits, as predicted:\n{plan.table()}"
        )

    def shortfall(self, tol: float, max_iter: int) -> str:
        """Say how far the fit may be from a tolerance that it does not prove, and why."""
        if self.certificate.kind == "separation":
            return (
                f"{self.certificate} These coefficients grow for ever: the fit holds its last "
                "iterate. Penalise (a finite C, or alpha > 0), or drop these columns."
            )
        ways = list(self.obstacles)
        if self.stop == "max_iter":
            ways.insert(0, f"max_iter={max_iter} iterations were too few")
        elif self.stop == "interrupted":
            ways.insert(0, "the fit was stopped")
        why = "; ".join(ways) or "float64 can tell no better point from this one"
        return f"tol={tol:g} is not proven. {self.certificate} In the way: {why}."


@dataclass(frozen=True)
class Sketch:
    """Where the solver has come for a strength, to be proven."""

    strength: float
    candidate: Candidate
    stop: Stop
    records: tuple[IterationRecord, ...]


@dataclass(frozen=True)
class PathPoint:
    """A fit of one strength.

    Attributes
    ----------
    strength : float
        1 / C: the factor on the penalty, where losses are added and not averaged.
    point : Point
        In the units of the data.
    value, loss : float
        The objective, and the sum of the losses.
    certificate : Certificate
    met : bool
        Whether the certificate proves the tolerance.
    stop : str
    n_iter : int
    history : tuple of IterationRecord
    """

    strength: float
    point: Point
    value: float
    loss: float
    certificate: Certificate
    met: bool
    stop: Stop
    n_iter: int
    history: tuple[IterationRecord, ...]


def refuse_interrupted(fit: Fit) -> Fit:
    """Return a fit that others build on; KeyboardInterrupt where Ctrl-C ended it."""
    if fit.interrupted:
        raise KeyboardInterrupt("a fit that others build on was stopped")
    return fit


def in_units(source: InMemorySource, point: Point) -> Point:
    """Return a point of the source's columns as one of the data's."""
    coef = point.coef.copy()
    if source.is_scaled:
        with np.errstate(over="ignore"):  # judged at the end of the fit
            coef = coef / source.column_scale[:, None]
    if not source.is_moved:
        return Point(coef, point.intercept)
    return Point(coef, point.intercept - source.column_shift @ coef)
