"""One fit from end to end: choose a method, solve, prove, and say what is in the way.

Everything here is in whole problems; the estimator above only speaks scikit-learn's language.
Rooms that few fits enter are imported by those, so that a first fit does not wait for them: the
solvers, and what looks for collinear columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib import import_module
from time import perf_counter
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.engine.arrays import IntArray
from chainrule.engine.certificates.certificate import (
    Certificate,
    certify,
    with_rounded_intercept,
)
from chainrule.engine.certificates.findings import no_optimum, obstacles, qualified
from chainrule.engine.certificates.finite import refuse_overflow, refuse_targets
from chainrule.engine.data.duplicates import merged
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.loss import Loss
from chainrule.engine.losses.scores import ScoreLoss
from chainrule.engine.monitor import FitMonitor, OnIteration
from chainrule.engine.objective.accumulators import objective_for
from chainrule.engine.objective.clusters import cluster_passes
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.fused_blocks import FUSED_FROM
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit, in_units
from chainrule.engine.runtime.journal import Journal
from chainrule.engine.runtime.machine import memory, single_threaded_algebra
from chainrule.engine.runtime.native import can_compile
from chainrule.engine.small import fit_small, suits
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.limits import FULL_VECTORS, needs_bound
from chainrule.engine.solvers.plans import UNPENALISED_LIMIT, Method, Plan, choose_plan
from chainrule.engine.solvers.starting import starting_point, value_without_coefficients
from chainrule.engine.solvers.steps import IterationRecord, Outcome
from chainrule.errors import DataError

if TYPE_CHECKING:
    from chainrule.engine.certificates.collinearity import Relations

Solver = Callable[..., Outcome]

_SOLVERS: Final[dict[str, str]] = {
    "newton-cholesky": "newton.newton",
    "newton-classes": "class_newton.class_newton",
    "newton-sampled": "sampled.sampled_newton",
    "newton-rows": "dual.row_newton",
    "newton-blocks": "newton_blocks.block_newton",
    "newton-cg": "newton_cg.newton_cg",
}
"""The solver of each method, in `chainrule.engine.solvers`."""

_SMALL: Final[int] = 1_000_000
"""Entries of X up to which a read costs next to nothing."""

MEASURED_BYTES: Final[int] = 2**22
"""Size of X from which the growth of memory is measured."""


def fit_linear_model(
    source: InMemorySource,
    row: LossRow | None = None,
    *,
    C: float = 1.0,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    method: Method = "auto",
    start: Point | None = None,
    n_threads: int = 1,
    on_iteration: OnIteration | None = None,
    journal: Journal | None = None,
) -> Fit:
    """Minimise sum_i s_i loss_i + |coef|^2 / (2 C) and prove how far the answer is from optimal.

    An interrupt (Ctrl-C) during the fit ends it at the best iterate so far, with what can be proven
    there; before there is one, it is raised.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow, optional
        The loss; by default the cross-entropy of the source's classes.
    C : float
        Inverse strength of the penalty; inf for none.
    fit_intercept : bool
    tol : float
        Bound on (f - f*) / f* to be proven, f* counted from the sum of the least losses. Where that
        is next to nothing, f - f* within this of what float64 resolves of f at zero will do.
    max_iter : int
        Largest number of solver iterations in all.
    method : Method
    start : Point, optional
        In the units of the data.
    n_threads : int
        The answer has the same bits for any number.
    on_iteration : callable, optional
        Told the progress; True ends the fit.
    journal : Journal, optional
        Keeps the results of passes over X: the same fit, begun again, does not repeat them.
    """
    clock = perf_counter()
    if source.is_moved and not fit_intercept:
        raise ValueError("the source has moved its columns, which only an intercept makes good")
    if row is not None:
        refuse_targets(source, row)
    if (
        row is None
        and on_iteration is None
        and method in ("auto", "newton-cholesky")
        and suits(source)
    ):
        small = fit_small(
            source, C=C, fit_intercept=fit_intercept, tol=tol, max_iter=max_iter, start=start
        )
        if small is not None:
            refuse_overflow(small.point, source.column_names, source.column_maxima)
            if journal is not None:
                journal.is_finished = True
            return small
    is_large = source.n_bytes >= MEASURED_BYTES  # to ask takes a millisecond
    held = memory() if is_large else None
    fewer, n_samples = merged(source, n_threads), source.n_samples
    source = source if fewer is None else fewer
    loss = engine_loss(source, row)
    n_parameters = loss.n_outputs * (source.n_features + int(fit_intercept))
    relations: Relations | None = None
    columns: IntArray | None = None
    if np.isinf(C) and n_parameters <= UNPENALISED_LIMIT:
        from chainrule.engine.certificates.collinearity import find_relations

        with _surroundings(source, n_threads):
            relations = find_relations(source, fit_intercept=fit_intercept, n_threads=n_threads)
        if len(relations.dropped):
            columns, start = relations.kept, None
    plan = choose_plan(
        method, source, n_parameters, penalised=bool(np.isfinite(C)), convex=loss.facts.convex
    )
    if plan.method != "newton-sampled":
        source.reserve_vectors(FULL_VECTORS * loss.n_outputs)
    notes = [source.note]
    if fewer is not None:
        notes.append(f"{n_samples} rows are {fewer.n_samples} that repeat, with weights")
        plan = plan.after(perf_counter() - clock)
    if not source.is_fused and source.n_entries >= FUSED_FROM and not can_compile():
        notes.append("numba is not installed (extra: fast), so passes are not compiled")
    plan = replace(plan, reason="; ".join(filter(None, [*notes, plan.reason])))
    objective = objective_for(
        source,
        loss,
        L2Penalty.from_inverse(C, source.column_scale),
        fit_intercept=fit_intercept,
        n_threads=n_threads,
        columns=columns,
    )
    objective.journal, objective.runtime = journal, cluster_passes(source)
    if objective.runtime is not None:
        plan = replace(plan, reason=f"{objective.runtime.note(objective)}; {plan.reason}")
    of_data = None if relations is None else relations.in_units(source)

    def restored(point: Point) -> Point:
        plain = in_units(source, point)
        return plain if of_data is None else of_data.expand(plain)

    with _surroundings(source, n_threads):
        origin, at_origin = starting_point(objective), objective.value_at_origin
        objective.floor(at_origin)  # once, while the threads of BLAS sleep
    # Of weights that add to more than 1/eps, not more than the tolerance of their mean.
    resolved = min(float(np.finfo(np.float64).eps), 1 / max(source.total_weight, 1.0))
    scale = abs(at_origin - objective.floor(at_origin))
    if row is not None and row.link_name == "log" and origin.intercept.any():
        # At zero a loss of counts or amounts may be astronomical.
        best = value_without_coefficients(objective, origin)
        scale = min(scale, max(abs(best), abs(best - objective.floor(best))))
    negligible = tol * resolved * scale
    if start is not None:
        shifted = start.intercept + source.column_shift @ start.coef
        warm = objective.centred(Point(start.coef * source.column_scale[:, None], shifted))
        # a start worse than zero, where every curvature may have underflowed, is none
        if objective.evaluate(warm).value <= at_origin:
            origin = warm
    monitor = FitMonitor(
        objective,
        on_iteration,
        search=n_parameters <= UNPENALISED_LIMIT and loss.facts.can_separate,
        expected_passes=plan.passes,
        negligible=0.5 * negligible if objective.loss.facts.has_least else -1.0,
        restore=restored,
        patience=plan.patience,
    )
    interrupted = False
    try:
        with _surroundings(source, n_threads):
            certificate, outcome, history = _solve_and_prove(
                objective, origin, plan, tol=tol, max_iter=max_iter, monitor=monitor
            )
    except KeyboardInterrupt:
        if monitor.best is None:
            raise
        interrupted, history = True, monitor.records
        outcome = Outcome(monitor.best, "interrupted", history)
        certificate = certify(objective, outcome)
    if not np.isfinite(outcome.evaluation.value):
        raise DataError(
            f"the objective becomes {outcome.evaluation.value} on the way: the loss falls without "
            "bound for these targets, or overflows. Check the range of the targets"
        )
    ran = plan.fallback if monitor.exhausted_after else plan.method
    if monitor.exhausted_after:
        plan = replace(
            plan,
            reason=f"{plan.reason}; after {monitor.exhausted_after:.0f} reads of X, when "
            f"{plan.passes:.0f} had been expected, {ran} went on from the best point",
        )
    certificate = with_rounded_intercept(certificate, objective, outcome.evaluation)
    if objective.way:
        plan = replace(plan, reason=f"{plan.reason}; {objective.way}")
    if journal is not None:
        journal.is_finished = not interrupted
    if relations is not None and len(relations.dropped):
        certificate = qualified(certificate, relations, source)
    met = (
        (certificate.proven or certificate.is_local)
        and certificate.kind != "separation"
        and (
            certificate.relative_bound <= tol
            or (certificate.kind != "none" and certificate.suboptimality_bound <= negligible)
        )
    )
    # the source's check, and that of relations
    passes = objective.passes + 1 + (0.0 if relations is None else relations.passes)
    point = restored(outcome.evaluation.point)
    refuse_overflow(point, source.column_names, source.column_maxima)
    return Fit(
        point,
        outcome.evaluation.value,
        met,
        outcome.stop,
        ran,
        len(history),
        passes,
        perf_counter() - clock,
        _growth(held, memory() if is_large else None),
        n_threads,
        lambda: certificate,
        lambda: history,
        lambda: plan,
        interrupted,
        () if met else obstacles(certificate, outcome, objective),
    )


def certify_point(
    source: InMemorySource,
    row: LossRow | None,
    point: Point,
    *,
    C: float,
    fit_intercept: bool,
    tol: float,
) -> Certificate:
    """Prove how far a point is from the optimum, without a step towards it.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of the source's classes.
    point : Point
        In the units of the data.
    C, fit_intercept : float, bool
        As in `fit_linear_model`.
    tol : float
        A relative bound at which to stop looking for a lower one.
    """
    penalty = L2Penalty.from_inverse(C, source.column_scale)
    loss = engine_loss(source, row)
    objective = objective_for(source, loss, penalty, fit_intercept=fit_intercept)
    shifted = point.intercept + source.column_shift @ point.coef
    with _surroundings(source, 1):
        here = objective.evaluate(Point(point.coef * source.column_scale[:, None], shifted))
        outcome = Outcome(here, "converged")
        certificate, outcome = _with_hessian(
            objective, certify(objective, outcome, enough=tol), outcome, tol
        )
    return with_rounded_intercept(certificate, objective, outcome.evaluation)


@contextmanager
def _surroundings(source: InMemorySource, n_threads: int) -> Iterator[None]:
    # Threads of BLAS inside threads of ours wait for each other: 10 times the seconds, and more.
    # What is left to them are products of dense rows; dot products would have other bits in each.
    busy = n_threads > 1 or source.is_fused or not source.is_dense or source.n_classes > 2
    alone = single_threaded_algebra() if busy else nullcontext()
    with alone, np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # proof judges
        yield


def engine_loss(source: InMemorySource, row: LossRow | None) -> Loss:
    """Return a loss as the engine uses it: by default the cross-entropy of the classes."""
    if row is not None:
        return ScoreLoss(row, compiled=source.is_fused)
    if source.n_classes > 2:
        return SoftmaxLoss(source.n_classes)
    return BinaryLoss(compiled=source.is_fused)


def _growth(before: tuple[float, float] | None, after: tuple[float, float] | None) -> float | None:
    """Return how far the largest memory rose above what was held; nothing if it did not rise."""
    if before is None or after is None or after[1] <= before[1]:
        return None
    return after[1] - before[0]


def _solve_and_prove(
    objective: Objective,
    start: Point,
    plan: Plan,
    *,
    tol: float,
    max_iter: int,
    monitor: FitMonitor,
) -> tuple[Certificate, Outcome, list[IterationRecord]]:
    method, wrong = plan.method, False
    form_hessian = objective.n_parameters <= UNPENALISED_LIMIT
    history: list[IterationRecord] = []
    source = objective.source
    is_small = source.n_samples * source.n_features <= _SMALL
    # a last Newton step about squares the error; what has none goes on, where reads are cheap
    finer = is_small and method in ("newton-cg", "newton-rows", "newton-classes")
    aim, point = max(1e-8 * tol, 1e-20) if finer else tol / 4, start
    while True:
        outcome = _solved(objective, method, point, aim, max_iter - len(history), monitor)
        history.extend(outcome.history)
        if monitor.exhausted_after and not wrong:
            # the plan was wrong: the other method starts from the best point found
            wrong, method, aim = True, plan.fallback, tol / 4
            point = outcome.evaluation.point if monitor.best is None else monitor.best.point
            continue
        if outcome.stop == "interrupted" and monitor.separation is not None:
            return no_optimum(objective, outcome, monitor.separation), outcome, history
        certificate = certify(objective, outcome, enough=tol)
        if certificate.relative_bound > tol and form_hessian:
            certificate, outcome = _with_hessian(objective, certificate, outcome, tol)
        if certificate.relative_bound <= tol:
            break
        if outcome.stop == "stalled" and is_small and form_hessian and method != "newton-cholesky":
            method, point = "newton-cholesky", outcome.evaluation.point
            continue
        if outcome.stop != "converged" or aim < tol * 1e-9:
            break
        if certificate.gradient_norm <= certificate.gradient_rounding:
            break  # what is left of the gradient is rounding: no step can be seen to help
        aim, point = aim * 1e-3, outcome.evaluation.point
        if method == "newton-sampled":
            # a sample has no more to say this close to the optimum
            method = "newton-cholesky" if objective.loss.n_outputs == 1 else "newton-classes"
        elif method == "newton-rows":
            method = "newton-cg"  # nor has the Gram matrix, beyond its rounding
    if certificate.relative_bound > tol and objective.penalty.is_none:
        monitor.search(outcome.evaluation.point)
        if monitor.separation is not None:
            certificate = no_optimum(objective, outcome, monitor.separation)
    return certificate, outcome, history


def _solved(
    objective: Objective, method: str, point: Point, aim: float, max_iter: int, monitor: FitMonitor
) -> Outcome:
    """Run a solver; where curvatures may vanish, it starts and ends with a bound of them."""
    solver = _solver(method)
    bounded = needs_bound(objective.loss.facts) and objective.n_parameters <= UNPENALISED_LIMIT
    if method == "newton-cg" and not (bounded or point.coef.any()):
        return _through_condensed(objective, point, aim, max_iter, monitor)
    if not bounded:
        return solver(objective, point, tolerance=aim, max_iter=max_iter, monitor=monitor)
    from chainrule.engine.solvers.bounded import descend, rough_start

    start = rough_start(objective, point)
    outcome = solver(objective, start, tolerance=aim, max_iter=max_iter, monitor=monitor)
    done = outcome.history
    if outcome.stop != "stalled" or len(done) >= max_iter:
        return outcome
    point, left = outcome.evaluation.point, max_iter - len(done)
    last = descend(objective, point, tolerance=aim, max_iter=left, monitor=monitor)
    return replace(last, history=done + last.history)


def _through_condensed(
    objective: Objective, point: Point, aim: float, max_iter: int, monitor: FitMonitor
) -> Outcome:
    """Go most of the way on condensed rows, where data are sparse, and the rest on the data."""
    from chainrule.engine.objective.condensed import can_condense
    from chainrule.engine.solvers.newton_cg import newton_cg

    history: list[IterationRecord] = []
    if can_condense(objective):
        from chainrule.engine.solvers.condensed_newton import Interrupted, condensed_newton

        try:
            point, history = condensed_newton(
                objective,
                point,
                tolerance=aim,
                max_iter=max_iter,
                notice=monitor.notice,
                patience=monitor.patience,
            )
        except Interrupted as interrupt:
            monitor(objective.evaluate(interrupt.point))
            raise
    left = max_iter - len(history)
    outcome = newton_cg(objective, point, tolerance=aim, max_iter=left, monitor=monitor)
    return replace(outcome, history=history + outcome.history)


def _solver(method: str) -> Solver:
    module, name = _SOLVERS[method].split(".")
    found: Solver = getattr(import_module(f"chainrule.engine.solvers.{module}"), name)
    return found


def _with_hessian(
    objective: Objective, certificate: Certificate, outcome: Outcome, tol: float
) -> tuple[Certificate, Outcome]:
    """Prove more by a Hessian that is formed at the end, for the proof alone."""
    facts = objective.loss.facts
    if not facts.convex or facts.self_concordance is None:
        from chainrule.engine.certificates.local import local_certificate

        found = local_certificate(objective, outcome)
        better = found.suboptimality_bound < certificate.suboptimality_bound
        return (found if better else certificate), outcome
    if outcome.curvature is not None:
        return certificate, outcome
    outcome = _with_curvature(objective, outcome)
    return certify(objective, outcome, enough=tol), outcome


def _with_curvature(objective: Objective, outcome: Outcome) -> Outcome:
    """Form the Hessian at the end."""
    evaluation = objective.evaluate(outcome.evaluation.point, with_hessian=True)
    assert evaluation.hessian is not None
    curvature = Curvature(evaluation.hessian, objective.loss.n_outputs)
    return replace(outcome, evaluation=evaluation, curvature=curvature, reference=evaluation.point)
