"""Fits with an elastic net: one strength, or a path of them, each with its certificate.

Where columns are few, every step reads all of X. Where they are many, steps read a copy of the
columns that matter, and X as a whole is read once or twice per strength: to find columns that are
missing, and to prove the bound. Every fit starts where the last one of the path ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import ClassVar, Final

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.certificates.certificate import Certificate, with_rounded_intercept
from chainrule.engine.certificates.findings import free_separation
from chainrule.engine.certificates.finite import refuse_overflow, refuse_targets
from chainrule.engine.certificates.separable_gap import certify_elastic_net, curvature_drift
from chainrule.engine.data.duplicates import merged
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.monitor import OnIteration, Progress
from chainrule.engine.null_points import EXACTLY, holding, is_best, steepest_of, units_of
from chainrule.engine.objective.clusters import cluster_passes
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.penalties.elastic_net import ElasticNet, Shape
from chainrule.engine.results import PathPoint, Sketch, in_units
from chainrule.engine.runtime.journal import Journal
from chainrule.engine.runtime.machine import quiet_algebra
from chainrule.engine.solvers.compiled_proximal import MOST_ENTRIES
from chainrule.engine.solvers.limits import FULL_VECTORS
from chainrule.engine.solvers.proximal_newton import Model, Solution
from chainrule.engine.solvers.proximal_steps import ProximalSteps
from chainrule.engine.solvers.starting import null_point
from chainrule.engine.solvers.steps import IterationRecord, Outcome, Stop
from chainrule.engine.working_sets import (
    WorkingSet,
    first_columns,
    losses_alone,
    stretch_columns,
    widened,
)
from chainrule.errors import DataError

_FEW: Final[int] = 200
_FEW_ONCE: Final[int] = 16
"""Columns up to which all are read in every step: of a path, and of a fit of one strength."""

_LIGHT: Final[float] = 2e5
"""Entries of X up to which compiled steps take less time than a proof that saves them."""

_LONG: Final[float] = 100
"""The mean of a sparse column's entries from which several points are proven together."""

_CAREFUL: Final[float] = 0.25
_EXACTLY: Final[float] = 0.1
"""The shares of the tolerance up to which conditions hold before a proof, of one point or many."""
_TIGHTER: Final[float] = 1e-2
_LEAST_AIM: Final[float] = 1e-5
_DROWNED: Final[float] = 0.1
"""The share of its rounding up to which a gradient is not what keeps a bound from the tolerance."""
_LEAST_RATIO: Final[float] = 1e-3
"""The l1_ratio from which the strongest point of a path of squares is counted, as in glmnet."""

_NEARBY: Final[float] = 1.0
"""The drift of the logarithm of the curvature below which a new Hessian would prove no more."""

_STRIDE: Final[float] = 0.3
_MOST_STRIDES: Final[int] = 30
"""Strides after which a penalty is lost in the rounding of the slopes."""

_ROUGH: Final[float] = 1e-2


class PathSolver:
    """Solves for one strength after the other, from where the last one ended.

    Parameters
    ----------
    source : InMemorySource
        Of one score per row.
    row : LossRow or None
        The loss; None for the cross-entropy of two classes.
    shape : Shape
        The penalty, in the units of the data.
    fit_intercept : bool
    n_threads : int
        The answer has the same bits for any number.
    on_iteration : callable, optional
        Called with the progress; True ends the fit.
    journal : Journal, optional
        Keeps the results of passes over all rows.
    is_single : bool
        Whether one strength is all that is asked for, so that few columns may ever take part.

    Attributes
    ----------
    objective : Objective
        Of the losses alone.
    start, null : Evaluation
        The best points without penalised coefficients, and without any.

    Raises
    ------
    DataError
        When the loss is not convex.
    """

    _is_separable: ClassVar[bool] = True
    """Whether the penalty is a sum over the coefficients of one score."""

    def __init__(
        self,
        source: InMemorySource,
        row: LossRow | None,
        shape: Shape,
        *,
        fit_intercept: bool = True,
        n_threads: int = 1,
        on_iteration: OnIteration | None = None,
        journal: Journal | None = None,
        is_single: bool = False,
    ) -> None:
        if row is not None:
            refuse_targets(source, row)
        self.n_samples = source.n_samples
        with quiet_algebra():
            fewer = merged(source, n_threads)
        self.source = source if fewer is None else fewer
        self.source.keep_labels()
        self.shape, self._on_iteration, self._is_single = shape, on_iteration, is_single
        # not a method: rows in files go when their last reader does, not with a cycle of readers
        losses_of = partial(losses_alone, row, fit_intercept, n_threads)
        self.objective = losses_of(self.source)
        self.source.reserve_vectors(FULL_VECTORS * self.objective.loss.n_outputs)
        self.objective.journal = journal
        facts = self.objective.loss.facts
        if not facts.convex:
            raise DataError(
                "an L1 penalty, bounds and penalty factors are for convex losses, and this one is "
                "not proven convex; use l1_ratio=0"
            )
        self._model: Model | None = None
        may_compile = on_iteration is None
        self._steps = ProximalSteps(self.objective, compiled=may_compile and not self.is_wide)
        self.source = self.objective.source
        if not self._steps.are_compiled:
            self.objective.runtime = cluster_passes(self.source)
        self._near = WorkingSet(
            self.objective, losses_of, compiled=may_compile, looks_ahead=not is_single
        )
        self._ever = np.zeros(source.n_features, dtype=bool)
        self._records: list[IterationRecord] = []
        self._stop = False
        self._seen: Evaluation | None = None
        self._n_steps = 0
        with quiet_algebra():
            start = self.objective.evaluate(null_point(self.objective))
            self.null = self._solved_null(start, np.ones(source.n_features, dtype=bool))
            penalised = (shape.factors > 0) & ((shape.lower < 0) | (shape.upper > 0))
            self.start = self.null
            if not penalised.all():
                self.start = self._solved_null(self.null, penalised)
        self._here = self.start
        self._last = self.largest

    @property
    def largest(self) -> float:
        """The least strength at which all penalised coefficients are 0."""
        shape = self.shape
        counted = replace(shape, l1_ratio=max(shape.l1_ratio, _LEAST_RATIO))
        slopes, scale = self.start.gradient.coef.T, self.source.column_scale
        return max(counted.largest(of_output, scale) for of_output in slopes)

    @property
    def null_and_least(self) -> tuple[float, float]:
        """The sum of the losses of the null model, and the least that it could be."""
        return self.null.value, self.objective.floor(self.null.value)

    def approach(self, strength: float, max_iter: int) -> None:
        """Go near a strength in strides, roughly: with very many columns, few take part.

        The steps are counted with those of the next `solve`, and are at most half of them.
        """
        if not self.is_wide or strength == 0 or self.shape.l1_ratio == 0:
            return  # without absolute values, all columns take part
        for _ in range(_MOST_STRIDES):
            left = max_iter // 2 - len(self._records)
            if self._last * _STRIDE <= strength or left <= 0 or self._stop:
                return
            with quiet_algebra():
                self._reach(self._last * _STRIDE, _ROUGH, left)

    def begin_at(self, start: Point, strength: float) -> None:
        """Start from a point in the units of the data, where it is better than no coefficients."""
        source = self.source
        penalty = self._penalty(strength)
        shifted = start.intercept + source.column_shift @ start.coef
        scaled = start.coef * source.column_scale[:, None]
        coef = penalty.nearest(scaled.ravel()).reshape(scaled.shape)
        with quiet_algebra():
            there = self.objective.evaluate(Point(coef, shifted))
        if there.value + penalty.value(coef.ravel()) < self.start.value:
            self._here, self._last = there, strength

    def solve(self, strength: float, *, tol: float, max_iter: int, ample: float = 0.0) -> PathPoint:
        """Return the fit of a strength.

        Parameters
        ----------
        strength : float
        tol : float
            Bound on (f - f*) / f* to be proven, f* counted from the sum of the least losses.
        max_iter : int
        ample : float
            The part of the tolerance that the model may predict to be left where a proof is tried;
            0 to let the derivatives vanish up to the tolerance first.
        """
        # on the columns that take part, exact steps take less time than a proof by second order
        exactly = self.is_wide or self.is_light
        aim, enough = _CAREFUL * tol, 0.0 if exactly else ample * tol
        with quiet_algebra():
            while True:
                left = max_iter - len(self._records)
                penalty, solution = self._reach(strength, aim, left, enough)
                here = self._here
                certificate = self._certified(penalty, tol, solution.stop)
                if certificate.relative_bound <= tol or solution.stop != "converged":
                    break
                drowned = _DROWNED * certificate.gradient_rounding
                if self.is_wide and certificate.gradient_norm <= drowned:
                    break  # what rounding leaves of collinear columns takes very many steps
                if enough > 0:
                    enough = _TIGHTER * enough if enough > _LEAST_AIM * tol else 0.0
                    continue
                aim *= _TIGHTER
                if aim <= _LEAST_AIM * tol:
                    break
            if certificate.relative_bound > tol and self.objective.loss.n_outputs == 1:
                whole = replace(here, value=solution.value)
                outcome = Outcome(whole, solution.stop)
                certificate = free_separation(self.objective, penalty, outcome) or certificate
            return self._at(strength, penalty, certificate, solution.stop, tol)

    @property
    def can_walk(self) -> bool:
        """Whether several strengths may be solved for before X is read for their proofs."""
        source, facts = self.source, self.objective.loss.facts
        has_long_columns = self.is_wide and source.n_entries >= _LONG * source.n_features
        return (
            self._is_separable
            and (self.is_wide or (self._steps.are_compiled and not self._takes_few))
            and (source.is_dense or has_long_columns)
            and self._on_iteration is None
            and self.shape.l1_ratio > 0
            and facts.has_least
            and facts.self_concordance is not None
        )

    @property
    def is_light(self) -> bool:
        """Whether steps take less time than proofs one by one."""
        return self.can_walk and self._steps.are_compiled and self.source.n_entries <= _LIGHT

    def walk(
        self, strengths: FloatArray, *, tol: float, max_iter: int, ample: float
    ) -> tuple[ElasticNet, list[Solution]]:
        """Go to the fits of some strengths, without proofs, or of the first of them.

        The tolerances are those of `solve`; the penalties come as a stack.
        """
        penalties, here = self._penalty(strengths[:, None]), self._here
        walk: Callable[..., list[Solution]] = self._steps.walk
        if self.is_wide:
            walk = partial(self._near.walk, stretch_columns(here, penalties.at(-1)))
        found = walk(
            penalties,
            here,
            units_of(penalties, self.start),
            self._model,
            tolerance=(_CAREFUL if ample else _EXACTLY) * tol,
            max_iter=max_iter,
            enough=ample * tol,
        )
        self.source = self.objective.source
        for strength, solution in zip(strengths.tolist(), found, strict=False):
            self._here, self._model, self._last = solution.evaluation, solution.model, strength
            self._ever |= self._here.point.coef[:, 0] != 0
        return penalties, found

    def proven(self, sketch: Sketch, certificate: Certificate, *, tol: float) -> PathPoint:
        """Return a sketch as the fit of its strength, with what is proven of it."""
        self._here, self._last = sketch.candidate.evaluation, sketch.strength
        self._records = list(sketch.records)
        penalty = sketch.candidate.penalty
        return self._at(sketch.strength, penalty, certificate, sketch.stop, tol)

    def resumed(self, sketch: Sketch, *, tol: float, max_iter: int, ample: float) -> PathPoint:
        """Go on from a sketch, up to what a proof of its own needs."""
        self._here, self._last = sketch.candidate.evaluation, sketch.strength
        self._records, self._model = list(sketch.records), None
        point = self.solve(sketch.strength, tol=tol, max_iter=max_iter, ample=ample)
        self._model = None  # those who go on from a later sketch are elsewhere
        return point

    def stopped(self, strength: float, *, tol: float) -> PathPoint | None:
        """Return where an interrupt has left the way to a strength; None before the first step."""
        if self._seen is None:
            return None
        self._here, self._model = self._seen, None
        penalty = self._penalty(strength)
        with quiet_algebra():
            certificate = self._certified(penalty, tol, "interrupted")
            return self._at(strength, penalty, certificate, "interrupted", tol)

    def _penalty(self, strength: float | FloatArray) -> ElasticNet:
        """Return the penalty of all coefficients, those of a column side by side."""
        return self.shape.penalty(strength, self.source.column_scale)

    def _certified(self, penalty: ElasticNet, tol: float, stop: Stop) -> Certificate:
        """Return what is proven where the solver stands.

        A Hessian that a proof needs is the next model's, too.
        """
        model, here = self._model, self._here
        known = None if model is None else model.snapshot
        prove = partial(certify_elastic_net, self.objective, penalty, here, enough=tol, stop=stop)
        if model is None or known is None or curvature_drift(self.objective, known, here) < _NEARBY:
            return prove(known=known)
        found = prove(known=known, forming=False, reading=False)
        if found.relative_bound <= tol:
            return found
        self._model = self._steps.model_at(here, model.columns)
        return prove(known=self._model.snapshot, scaling=False)

    def _at(
        self,
        strength: float,
        penalty: ElasticNet,
        certificate: Certificate,
        stop: Stop,
        tol: float,
    ) -> PathPoint:
        """Return the point where the solver stands, as the fit of a strength."""
        here, records = self._here, self._records
        n_steps = self._n_steps if stop == "interrupted" else len(records)
        self._records, self._n_steps = [], 0
        value = here.value + penalty.value(here.point.coef.ravel())
        certificate = with_rounded_intercept(
            certificate, self.objective, replace(here, value=value)
        )
        point = in_units(self.source, here.point)
        refuse_overflow(point, self.source.column_names, self.source.column_maxima)
        met = certificate.proven and certificate.kind != "separation"
        met = met and certificate.relative_bound <= tol
        told = (certificate, met, stop, n_steps, tuple(records))
        return PathPoint(strength, point, value, here.value, *told)

    def _monitor(self, evaluation: Evaluation) -> bool:
        self._seen, self._n_steps = evaluation, self._n_steps + 1
        if self._on_iteration is None:
            return False
        slope = float(np.abs(evaluation.gradient.intercept).max(initial=0.0))
        progress = Progress(
            self._n_steps,
            evaluation.value,
            slope,
            self.objective.passes,
            0.0,
            lambda: in_units(self.source, self._here.point),
        )
        self._stop = bool(self._on_iteration(progress))
        return self._stop

    def _solved_null(self, start: Evaluation, held: BoolArray) -> Evaluation:
        """Return the best point with some coefficients at 0."""
        if is_best(start, held):
            return start
        penalty = holding(self.shape, self.source.column_scale, held)
        unit = np.full(len(held), steepest_of(start))
        solution = self._steps.solve(penalty, start, unit, None, tolerance=EXACTLY, max_iter=100)
        return solution.evaluation

    def _reach(
        self, strength: float, aim: float, max_iter: int, enough: float = 0.0
    ) -> tuple[ElasticNet, Solution]:
        """Solve for a strength up to violations of `aim` or a gain of `enough`; stand there."""
        penalty = self._penalty(strength)
        unit = units_of(penalty, self.start)
        if self.is_wide or self._takes_few:
            solution = self._solve_wide(penalty, unit, strength, aim, max_iter, enough)
        else:
            solution = self._steps.solve(
                penalty,
                self._here,
                unit,
                self._model,
                tolerance=aim,
                max_iter=max_iter,
                enough=enough,
                monitor=self._monitor,
            )
            self._keep(solution)
        self._here, self._last = solution.evaluation, strength
        return penalty, solution

    def _keep(self, solution: Solution) -> None:
        """Keep the model and the steps of a solution."""
        self._model = solution.model
        self._records += solution.history
        if solution.history:
            self._seen, self._n_steps = solution.evaluation, len(self._records)

    @property
    def is_wide(self) -> bool:
        """Whether steps read a copy of the columns that take part."""
        return self.source.n_features > _FEW and self.source.can_take_columns

    @property
    def _takes_few(self) -> bool:
        """Whether a copy of the columns that take part may serve even where columns are few."""
        light = _LIGHT if self._is_single else MOST_ENTRIES
        return (
            self._is_separable
            and self.shape.l1_ratio > 0
            and self.source.n_features > _FEW_ONCE
            and self.source.n_entries > light
            and self.source.can_take_columns
        )

    def _solve_wide(
        self,
        penalty: ElasticNet,
        unit: FloatArray,
        strength: float,
        aim: float,
        max_iter: int,
        enough: float,
    ) -> Solution:
        """Solve on the columns that take part, until no other column is missing."""
        here, done = self._here, len(self._records)
        fall = strength / self._last if self._last > 0 else 1.0
        wanted = first_columns(self._ever, here, penalty, unit, fall)
        while True:
            columns = np.flatnonzero(wanted)
            left = max_iter - (len(self._records) - done)
            solution = self._solve_on(columns, penalty, unit, here, aim, left, enough)
            here = solution.evaluation
            self._ever |= here.point.coef[:, 0] != 0
            violation = penalty.violation(here.point.coef[:, 0], here.gradient.coef[:, 0]) / unit
            # a violation enters the gap squared, so small ones wait for the proof
            missing = (violation > max(aim, float(np.sqrt(enough)))) & ~wanted
            if not missing.any() or solution.stop in ("interrupted", "max_iter"):
                return solution
            slope = np.abs(here.gradient.coef[:, 0])
            wanted = widened(wanted, missing, slope, penalty.l1)

    def _solve_on(
        self,
        columns: IntArray,
        penalty: ElasticNet,
        unit: FloatArray,
        here: Evaluation,
        aim: float,
        max_iter: int,
        enough: float,
    ) -> Solution:
        """Solve with all other columns held, where they are not read."""
        if not self._near.is_worth(len(columns)):
            solution = self._steps.solve(
                penalty,
                here,
                unit,
                self._model,
                tolerance=aim,
                max_iter=max_iter,
                enough=enough,
                monitor=self._monitor,
            )
            self._keep(solution)
            return solution
        solution = self._near.solve(
            columns,
            penalty,
            here,
            unit,
            self._model,
            tolerance=aim,
            max_iter=max_iter,
            enough=enough,
        )
        self.source = self.objective.source
        self._keep(solution)
        if solution.history:
            self._n_steps -= 1  # of which the monitor takes note
            self._monitor(solution.evaluation)
        return replace(solution, stop="interrupted") if self._stop else solution
