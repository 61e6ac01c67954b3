"""One fit with an elastic net from end to end: solve, prove, and say how."""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

from chainrule.engine.class_paths import path_solver
from chainrule.engine.column_screening import needed_columns, widened_fit
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import MEASURED_BYTES
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.monitor import OnIteration
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.results import Fit, PathPoint
from chainrule.engine.runtime.constants import machine_constants
from chainrule.engine.runtime.journal import Journal
from chainrule.engine.runtime.machine import memory, quiet_algebra
from chainrule.engine.solvers.plans import Alternative, Cost, Plan

METHOD = "newton-elastic-net"


@quiet_algebra()  # once: to limit threads takes longer than some steps
def fit_elastic_net(
    source: InMemorySource,
    row: LossRow | None,
    shape: Shape,
    *,
    C: float = 1.0,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    start: Point | None = None,
    n_threads: int = 1,
    on_iteration: OnIteration | None = None,
    journal: Journal | None = None,
) -> Fit:
    """Minimise sum_i s_i loss_i + P(coef) / C and prove how far the answer is from optimal.

    An interrupt (Ctrl-C) ends it as it ends `fit_linear_model`.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of two classes.
    shape : Shape
        P, in the units of the data.
    C : float
        Inverse strength of the penalty; inf for none, which leaves bounds.
    fit_intercept, tol, max_iter, start, n_threads, on_iteration, journal
        As in `fit_linear_model`.

    Raises
    ------
    DataError
        When the loss is not convex.
    """
    clock = perf_counter()
    is_large = source.n_bytes >= MEASURED_BYTES  # to ask takes longer than some steps
    held = memory() if is_large else None
    if source.is_moved and not fit_intercept:
        raise ValueError("the source has moved its columns, which only an intercept makes good")
    strength, interrupted = 1 / C, False
    # those who watch a fit see all columns
    is_watched = on_iteration is not None or journal is not None
    needed = None if is_watched else needed_columns(source, row, shape, strength)
    share = 1.0 if needed is None else len(needed) / source.n_features
    if needed is not None and start is not None:
        start = Point(start.coef[needed], start.intercept)
    solver = path_solver(
        source if needed is None else source.take_columns(needed),
        row,
        shape if needed is None else shape.of(needed),
        fit_intercept=fit_intercept,
        n_threads=n_threads,
        on_iteration=on_iteration,
        journal=journal,
        is_single=True,
    )
    try:
        if start is not None:
            solver.begin_at(start, strength)
        else:
            solver.approach(strength, max_iter)
        found = solver.solve(strength, tol=tol, max_iter=max_iter)
    except KeyboardInterrupt:
        last = solver.stopped(strength, tol=tol)
        if last is None:
            raise
        found, interrupted = last, True
    if needed is not None:
        found = widened_fit(found, needed, source.n_features)
    if journal is not None:
        journal.is_finished = not interrupted
    plan, runtime = plan_of(source, shape), solver.objective.runtime
    if runtime is not None:
        plan = replace(plan, reason=f"{runtime.note(solver.objective)}; {plan.reason}")
    after = memory() if is_large else None
    grew = after[1] - held[0] if held and after and after[1] > held[1] else None
    return fit_of_point(
        found,
        shape,
        plan,
        passes=share * solver.objective.passes + 1,  # the source's check
        seconds=perf_counter() - clock,
        n_threads=n_threads,
        megabytes=grew,
        interrupted=interrupted,
    )


def fit_of_point(
    found: PathPoint,
    shape: Shape,
    plan: Plan,
    *,
    passes: float,
    seconds: float,
    n_threads: int,
    megabytes: float | None = None,
    interrupted: bool = False,
) -> Fit:
    """Return a point of a path as a fit of its own."""
    return Fit(
        found.point,
        found.value,
        found.met,
        found.stop,
        METHOD,
        found.n_iter,
        passes,
        seconds,
        megabytes,
        n_threads,
        lambda: found.certificate,
        lambda: list(found.history),
        lambda: plan,
        interrupted,
        obstacles=() if found.met else _obstacles(found, shape),
    )


def plan_of(source: InMemorySource, shape: Shape) -> Plan:
    """Return the one method that there is, with what it is expected to take."""
    kinds = ["absolute values"] * (shape.l1_ratio > 0) + ["bounds"] * shape.is_bounded
    what = " and ".join(kinds) or "a strength for each column"
    reason = (
        f"the penalty has {what}: quadratic models of the losses, minimised with the penalty, on "
        "the columns that take part"
    )
    passes = 15.0
    width = min(source.n_features, 1000)
    hessian = 2 * source.n_entries * width
    vectors = 5 * 8e-6 * source.n_samples + 8e-6 * width**2
    cost = Cost(passes, hessian, 0.0, vectors)
    seconds = cost.seconds(source, machine_constants())
    alternatives = (Alternative(METHOD, passes, seconds),)
    return Plan(METHOD, reason, passes, seconds, vectors, alternatives)


def _obstacles(found: PathPoint, shape: Shape) -> tuple[str, ...]:
    if found.stop != "converged" and found.stop != "stalled":
        return ()
    if found.strength == 0 or not shape.factors.all():
        return ("columns without penalty may be collinear, or separate the classes",)
    return ()
