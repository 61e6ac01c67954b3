"""Small dense fits of classes: Newton's method in one compiled call, then a proof.

The general method takes some milliseconds of Python around a few of arithmetic, or a tenth of one.
Here the tolerance is proven by the cheapest theorem at once; the certificate, history and plan that
a user may look at are computed from what the fit left behind when they are asked for. What cannot
be proven so is left to the general method.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.certificates.certificate import (
    Certificate,
    certify,
    with_rounded_intercept,
)
from chainrule.engine.certificates.duality_gap import relative_gap
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.compiled import logistic_kernel
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes import small_class_newton, small_newton
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.passes.small_newton import FINE
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit, in_units
from chainrule.engine.runtime.machine import quiet_algebra, single_threaded_algebra
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.plans import choose_plan
from chainrule.engine.solvers.steps import IterationRecord, Outcome

MOST_COLUMNS: Final[int] = 256
"""Columns up to which factors by a plain compiled loop take no longer than LAPACK's, about."""

MOST_OPERATIONS: Final[float] = 1e8
"""Operations of a Hessian up to which one thread takes no longer than the general method."""

MOST_OF_FEW_ROWS: Final[float] = 8e8
"""The same where rows are too few for a sample of them to know the curvature."""

FEW_ROWS: Final[int] = 150
"""Rows per column up to which they are."""

MOST_ROWS: Final[int] = 40_000
"""Rows up to which the same holds of losses and their proofs."""

MOST_PARAMETERS: Final[int] = 150
"""Parameters of several classes up to which their factors are worth one call."""

MOST_OF_CLASSES: Final[float] = 4e6
"""Operations of their Hessian and gradient up to which one call takes less time than many."""

_EXAMPLE: Final[int] = 40
"""Operations of an example's loss, per column: what a row costs beside its part of the Hessian."""

_MOST_STEPS: Final[int] = 50

_ALL_ROWS: Final = np.zeros((1, 4), dtype=np.int64)
_FLOOR: Final = np.zeros(1)


def suits(source: InMemorySource) -> bool:
    """Tell whether a problem is solved here."""
    if not source.is_dense or source.offset is not None or source.n_samples > MOST_ROWS:
        return False
    if source.n_classes > 2:
        return _suits_with_classes(source)
    n_samples, n_features = source.n_samples, source.n_features
    most = MOST_OF_FEW_ROWS if n_samples <= FEW_ROWS * n_features else MOST_OPERATIONS
    return (
        n_features <= MOST_COLUMNS
        and n_samples * n_features * (n_features + _EXAMPLE) <= most
        and (source.is_one_array if source.is_fused else source.n_blocks == 1)
        and small_newton.is_at_hand()
    )


def _suits_with_classes(source: InMemorySource) -> bool:
    n_samples, size, n_classes = source.n_samples, source.n_features + 1, source.n_classes
    pairs = n_classes * (n_classes - 1) // 2
    work = n_samples * (pairs * size * (size + 1) // 2 + n_classes * (2 * size + _EXAMPLE))
    return (
        source.has_codes
        and n_classes * size <= MOST_PARAMETERS
        and work <= MOST_OF_CLASSES
        and (source.is_one_array if source.is_fused else source.n_blocks == 1 or source.can_be_cut)
        and small_class_newton.is_at_hand()
    )


def fit_small(
    source: InMemorySource,
    *,
    C: float,
    fit_intercept: bool,
    tol: float,
    max_iter: int,
    start: Point | None = None,
) -> Fit | None:
    """Return the fit to a small problem; nothing where the tolerance is not proven that way."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # proof judges
        return _fit_small(source, C, fit_intercept, tol, max_iter, start)


def _fit_small(
    source: InMemorySource,
    C: float,
    fit_intercept: bool,
    tol: float,
    max_iter: int,
    start: Point | None,
) -> Fit | None:
    clock = perf_counter()
    block = source.all_rows()
    dense: Any = block.X
    X = FusedBlock(np.ascontiguousarray(dense.values))
    kept = source.without_rows(X)
    penalty = L2Penalty.from_inverse(C, source.column_scale)
    objective = Objective(kept, _loss(source), penalty, fit_intercept=fit_intercept)
    solve = _of_two_classes if source.n_classes == 2 else _of_classes
    ended = solve(objective, X.values, block, start, FINE * tol, min(max_iter, _MOST_STEPS))
    if ended is None:
        return None
    evaluation, steps = ended.evaluation, len(ended.log)
    prove = partial(_proven, objective, ended, tol)
    if penalty.is_none or not relative_gap(objective, evaluation) <= tol:
        # the curvature knows more than the penalty, and rows tell how their numbers are rounded
        whole = Objective(source, objective.loss, penalty, fit_intercept=fit_intercept)
        with single_threaded_algebra():  # factors of this size wait for a second thread
            certificate = certify(whole, _outcome(objective, ended), enough=tol)
        certificate = with_rounded_intercept(certificate, objective, evaluation)
        if not certificate.relative_bound <= tol:
            return None
        prove = partial(_same, certificate)
    seconds = perf_counter() - clock
    return Fit(
        in_units(source, evaluation.point),
        evaluation.value,
        True,
        "converged",
        "newton-cholesky",
        steps,
        steps + 2.0,  # the source's check, and the gradient where the fit ends
        seconds,
        None,
        1,
        prove,
        partial(_records, ended.log, seconds),
        partial(
            choose_plan,
            "auto",
            kept,
            objective.n_parameters,
            penalised=not penalty.is_none,
            in_one_call=True,
        ),
    )


@dataclass(frozen=True)
class _Ended:
    """Where the compiled loop ended.

    Attributes
    ----------
    evaluation : Evaluation
    hessian : ndarray of shape (n_parameters, n_parameters)
        The last one.
    reference : ndarray of shape (n_parameters,)
        Where it was taken.
    held : ndarray of shape (n_samples, n_outputs)
        The raw predictions there.
    log : ndarray of shape (n_steps, 3)
        For each step: the objective and the norm of the gradient before it, and its length.
    """

    evaluation: Evaluation
    hessian: FloatArray
    reference: FloatArray
    held: FloatArray
    log: FloatArray


def _loss(source: InMemorySource) -> BinaryLoss | SoftmaxLoss:
    return BinaryLoss() if source.n_classes == 2 else SoftmaxLoss(source.n_classes)


def _of_two_classes(
    objective: Objective,
    X: FloatArray,
    block: RowBlock,
    start: Point | None,
    tolerance: float,
    most: int,
) -> _Ended | None:
    """Run the compiled loop of two classes; nothing where it does not get to the optimum."""
    source, n_features, size = objective.source, X.shape[1], objective.n_parameters
    coef, intercept = np.zeros((1, n_features)), np.zeros(1)
    if start is not None:
        coef[0] = start.coef[:, 0] * source.column_scale
        intercept[:] = start.intercept + source.column_shift @ start.coef
    value, gap, n_iter = np.empty(1), np.empty(1), np.empty(1, dtype=np.int64)
    hessian, log = np.full((size, size), np.nan), np.empty((most, 3))
    reference = np.empty((2, max(size, len(X))))
    which = _ALL_ROWS.copy()
    which[0, 1] = len(X)
    raw, gradient = small_newton.fit_each(
        logistic_kernel(),
        X,
        np.ascontiguousarray(block.y)[None],
        np.ascontiguousarray(block.sample_weight)[None],
        which,
        objective.penalty.strength,
        _FLOOR,
        (coef, intercept, value, gap, n_iter),
        fit_intercept=objective.fit_intercept,
        tolerance=tolerance,
        max_iter=most,
        curvature=hessian,
        reference=reference,
        log=log,
    )
    steps = int(n_iter[0])
    if steps < 0 or not np.isfinite(hessian[-1, -1]):
        return None
    level = gradient[n_features:] if objective.fit_intercept else np.zeros(1)
    evaluation = Evaluation(
        Point(coef.T, intercept),
        float(value[0]),
        Point(gradient[:n_features, None], level),
        lambda: raw[:, None],
    )
    return _Ended(
        evaluation, hessian, reference[0, :size], reference[1, : len(X), None], log[:steps]
    )


def _of_classes(
    objective: Objective,
    X: FloatArray,
    block: RowBlock,
    start: Point | None,
    tolerance: float,
    most: int,
) -> _Ended | None:
    """Run the compiled loop of several classes; nothing where it does not get to the optimum."""
    if most < _MOST_STEPS:  # counted are the steps of which a callback is told, taken one by one
        return None
    source, origin = objective.source, objective.origin()
    if start is not None:
        level = start.intercept + source.column_shift @ start.coef
        origin = objective.centred(Point(start.coef * source.column_scale[:, None], level))
    _, codes, _ = source.given
    found = small_class_newton.fit_classes(
        X,
        codes.astype(np.intp, copy=False),
        np.ascontiguousarray(block.sample_weight),
        objective.penalty.strength,
        objective.pack(origin),
        fit_intercept=objective.fit_intercept,
        tolerance=tolerance,
        max_iter=most,
    )
    if found.steps < 0:
        return None
    evaluation = Evaluation(
        objective.unpack(found.point),
        found.value,
        objective.unpack(found.gradient),
        lambda: found.raw.T,
    )
    return _Ended(
        evaluation, found.hessian, found.reference, found.held.T, found.log[: found.steps]
    )


def _proven(objective: Objective, ended: _Ended, tol: float) -> Certificate:
    """Return the certificate by the Hessian where the fit ended."""
    with quiet_algebra():
        found = certify(objective, _outcome(objective, ended), enough=tol, reading=False)
    return with_rounded_intercept(found, objective, ended.evaluation)


def _outcome(objective: Objective, ended: _Ended) -> Outcome:
    """Return where the fit ended, with the last Hessian."""
    moved = ended.evaluation.raw_prediction - ended.held
    return Outcome(
        ended.evaluation,
        "converged",
        curvature=Curvature(ended.hessian, objective.loss.n_outputs),
        reference=objective.unpack(ended.reference),
        # bounds |log| of what the curvature has changed by since it was formed
        drift=float(objective.loss.log_curvature_change(moved).max()),
    )


def _same(certificate: Certificate) -> Certificate:
    return certificate


def _records(log: FloatArray, seconds: float) -> list[IterationRecord]:
    """Return the steps of the compiled loop, which take equal shares of the time."""
    share = seconds / max(1, len(log))
    return [IterationRecord(value, size, step, share) for value, size, step in log.tolist()]
