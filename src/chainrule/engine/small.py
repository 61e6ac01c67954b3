"""Small dense fits of two classes: Newton's method in one compiled call, then a proof.

The general method takes some milliseconds of Python around a few of arithmetic, or a tenth of one.
Here the tolerance is proven by the cheapest theorem at once; the certificate, history and plan that
a user may look at are computed from what the fit left behind when they are asked for. What cannot
be proven so is left to the general method.
"""

from __future__ import annotations

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
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.losses.compiled import logistic_kernel
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.passes.small_newton import FINE, fit_each, is_at_hand
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit, in_units
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.plans import choose_plan
from chainrule.engine.solvers.steps import IterationRecord, Outcome

MOST_COLUMNS: Final[int] = 256
"""Columns up to which factors by a plain compiled loop take no longer than LAPACK's, about."""

MOST_OPERATIONS: Final[float] = 1e8
"""Operations of a Hessian up to which one thread takes no longer than the general method."""

MOST_ROWS: Final[int] = 40_000
"""Rows up to which the same holds of losses and their proofs."""

_EXAMPLE: Final[int] = 40
"""Operations of an example's loss, per column: what a row costs beside its part of the Hessian."""

_MOST_STEPS: Final[int] = 50

_ALL_ROWS: Final = np.zeros((1, 4), dtype=np.int64)
_FLOOR: Final = np.zeros(1)


def suits(source: InMemorySource) -> bool:
    """Tell whether a problem of two classes is solved here."""
    n_samples, n_features = source.n_samples, source.n_features
    return (
        source.is_dense
        and source.n_classes == 2
        and source.offset is None
        and n_features <= MOST_COLUMNS
        and n_samples <= MOST_ROWS
        and n_samples * n_features * (n_features + _EXAMPLE) <= MOST_OPERATIONS
        and (source.is_one_array if source.is_fused else source.n_blocks == 1)
        and is_at_hand()
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
    objective = Objective(kept, BinaryLoss(), penalty, fit_intercept=fit_intercept)
    n_features = source.n_features
    size = n_features + int(fit_intercept)
    coef, intercept = np.zeros((1, n_features)), np.zeros(1)
    if start is not None:
        coef[0] = start.coef[:, 0] * source.column_scale
        intercept[:] = start.intercept + source.column_shift @ start.coef
    value, gap, n_iter = np.empty(1), np.empty(1), np.empty(1, dtype=np.int64)
    most = min(max_iter, _MOST_STEPS)
    hessian, log = np.full((size, size), np.nan), np.empty((most, 3))
    reference = np.empty((2, max(size, source.n_samples)))
    which = _ALL_ROWS.copy()
    which[0, 1] = source.n_samples
    raw, gradient = fit_each(
        logistic_kernel(),
        X.values,
        np.ascontiguousarray(block.y)[None],
        np.ascontiguousarray(block.sample_weight)[None],
        which,
        penalty.strength,
        _FLOOR,
        (coef, intercept, value, gap, n_iter),
        fit_intercept=fit_intercept,
        tolerance=FINE * tol,
        max_iter=most,
        curvature=hessian,
        reference=reference,
        log=log,
    )
    steps = int(n_iter[0])
    if steps < 0 or not np.isfinite(hessian[-1, -1]):
        return None
    point = Point(coef.T, intercept)
    evaluation = Evaluation(
        point,
        float(value[0]),
        Point(gradient[:n_features, None], gradient[n_features:] if fit_intercept else np.zeros(1)),
        lambda: raw[:, None],
    )
    prove = partial(_proven, objective, evaluation, hessian, reference, tol)
    if penalty.is_none or not relative_gap(objective, evaluation) <= tol:
        # the curvature knows more than the penalty, and rows tell how their numbers are rounded
        whole = Objective(source, BinaryLoss(), penalty, fit_intercept=fit_intercept)
        certificate = certify(whole, _ended(objective, evaluation, hessian, reference), enough=tol)
        certificate = with_rounded_intercept(certificate, objective, evaluation)
        if not certificate.relative_bound <= tol:
            return None
        prove = partial(_same, certificate)
    seconds = perf_counter() - clock
    return Fit(
        in_units(source, point),
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
        partial(_records, log[:steps], seconds),
        partial(
            choose_plan,
            "auto",
            kept,
            size,
            penalised=not penalty.is_none,
            in_one_call=True,
        ),
    )


def _proven(
    objective: Objective,
    evaluation: Evaluation,
    hessian: FloatArray,
    reference: FloatArray,
    tol: float,
) -> Certificate:
    """Return the certificate by the Hessian where the fit ended."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        outcome = _ended(objective, evaluation, hessian, reference)
        found = certify(objective, outcome, enough=tol, reading=False)
    return with_rounded_intercept(found, objective, evaluation)


def _ended(
    objective: Objective, evaluation: Evaluation, hessian: FloatArray, reference: FloatArray
) -> Outcome:
    """Return where the fit ended, with the last Hessian.

    Parameters
    ----------
    objective : Objective
    evaluation : Evaluation
    hessian : ndarray of shape (n_parameters, n_parameters)
    reference : ndarray of shape (2, at least n_parameters and n_samples)
        Where the Hessian was taken: the parameters, and the raw predictions.
    """
    n_samples, n_features = objective.source.n_samples, objective.source.n_features
    intercept = np.zeros(1)
    if objective.fit_intercept:
        intercept = reference[0, n_features : n_features + 1].copy()
    moved = evaluation.raw_prediction - reference[1, :n_samples, None]
    return Outcome(
        evaluation,
        "converged",
        curvature=Curvature(hessian, 1),
        reference=Point(reference[0, :n_features, None].copy(), intercept),
        # bounds |log| of what the curvature has changed by since it was formed
        drift=float(objective.loss.log_curvature_change(moved).max()),
    )


def _same(certificate: Certificate) -> Certificate:
    return certificate


def _records(log: FloatArray, seconds: float) -> list[IterationRecord]:
    """Return the steps of the compiled loop, which take equal shares of the time."""
    share = seconds / max(1, len(log))
    return [IterationRecord(value, size, step, share) for value, size, step in log.tolist()]
