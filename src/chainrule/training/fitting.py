"""One fit from end to end: choose a method, solve, prove, and say what is in the way.

Everything here is in whole problems; the estimator above only speaks scikit-learn's language.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.training.arrays import FloatArray
from chainrule.training.certificate import Certificate, certify
from chainrule.training.collinearity import Relations, find_relations
from chainrule.training.losses import BinaryLoss, Loss, SoftmaxLoss
from chainrule.training.objective import Evaluation, Objective, Point
from chainrule.training.penalties import L2Penalty
from chainrule.training.plans import UNPENALISED_LIMIT, Method, Plan, choose_plan
from chainrule.training.separation import Separation, check_direction, find_separation
from chainrule.training.solvers.curvature import Curvature
from chainrule.training.solvers.dual import row_newton
from chainrule.training.solvers.newton import newton
from chainrule.training.solvers.newton_cg import newton_cg
from chainrule.training.solvers.sampled import sampled_newton
from chainrule.training.solvers.steps import IterationRecord, Outcome, Stop
from chainrule.training.sources import InMemorySource, Source, quoted

Solver = Callable[..., Outcome]

_SOLVERS: Final[dict[str, Solver]] = {
    "newton-cholesky": newton,
    "newton-sampled": sampled_newton,
    "newton-rows": row_newton,
    "newton-cg": newton_cg,
}

_PATIENCE: Final[int] = 6
_CONFIDENT: Final[float] = 12.0
_SATURATED: Final[float] = 36.0


@dataclass(frozen=True)
class Fit:
    """A fitted problem.

    Attributes
    ----------
    point : Point
        In the units of the data.
    value : float
        The objective there.
    certificate : Certificate
    history : list of IterationRecord
    met : bool
        Whether the certificate proves the tolerance.
    stop : {'converged', 'stalled', 'interrupted', 'max_iter'}
        Why the solver stopped.
    plan : Plan
        The solver that ran, and why.
    passes : float
        How many times X was read, checks and proof included.
    seconds : float
    n_threads : int
    """

    point: Point
    value: float
    certificate: Certificate
    history: list[IterationRecord]
    met: bool
    stop: Stop
    plan: Plan
    passes: float
    seconds: float
    n_threads: int

    def explain(self) -> str:
        """Say which solver ran and why, and what it took."""
        return (
            f"{self.plan}. X was read {self.passes:.1f} times (about {self.plan.passes:.0f} were "
            f"expected), checks and proof included, in {len(self.history)} steps and "
            f"{self.seconds:.3g} s on {self.n_threads} thread{'s' * (self.n_threads > 1)}. "
            f"{self.certificate}"
        )


def fit_logistic(
    source: InMemorySource,
    *,
    C: float = 1.0,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    method: Method = "auto",
    start: Point | None = None,
    n_threads: int = 1,
    on_iteration: Callable[[Evaluation], None] | None = None,
) -> Fit:
    """Minimise sum_i s_i loss_i + |coef|^2 / (2 C) and prove how far the answer is from optimal.

    Parameters
    ----------
    source : InMemorySource
    C : float
        Inverse strength of the penalty; inf for none.
    fit_intercept : bool
    tol : float
        Bound on (f - f*) / f* to be proven.
    max_iter : int
        Largest number of solver iterations in all.
    method : {'auto', 'newton-cholesky', 'newton-sampled', 'newton-rows', 'newton-cg'}
    start : Point, optional
        In the units of the data.
    n_threads : int
        The answer has the same bits for any number.
    on_iteration : callable, optional
        Told each evaluation.
    """
    clock = perf_counter()
    loss: Loss = BinaryLoss() if source.n_classes == 2 else SoftmaxLoss(source.n_classes)
    n_parameters = loss.n_outputs * (source.n_features + int(fit_intercept))
    relations: Relations | None = None
    used: Source = source
    begin = start
    if np.isinf(C) and n_parameters <= UNPENALISED_LIMIT:
        relations = find_relations(source, fit_intercept=fit_intercept, n_threads=n_threads)
        if len(relations.dropped):
            used = source.take_columns(relations.kept)
            begin = None
    plan = choose_plan(method, used, n_parameters, penalised=bool(np.isfinite(C)))
    objective = Objective(
        used,
        loss,
        L2Penalty.from_inverse(C, used.column_scale),
        fit_intercept=fit_intercept,
        n_threads=n_threads,
    )
    scale = used.column_scale[:, None]
    origin = objective.origin()
    if begin is not None:
        warm = objective.centred(Point(begin.coef * scale, begin.intercept))
        # a start worse than zero, where every curvature may have underflowed, is none
        if objective.evaluate(warm).value <= objective.value_at_origin():
            origin = warm
    watch = _Watch(objective, on_iteration, search=n_parameters <= UNPENALISED_LIMIT)
    certificate, outcome, history = _solve_and_prove(
        objective, origin, plan.method, tol=tol, max_iter=max_iter, watch=watch
    )
    point = Point(outcome.evaluation.point.coef / scale, outcome.evaluation.point.intercept)
    if relations is not None and len(relations.dropped):
        certificate = _qualified(certificate, relations, source)
        point = relations.expand(point)
    met = (
        certificate.proven
        and certificate.kind != "separation"
        and certificate.relative_bound <= tol
    )
    passes = objective.passes + 1 + (relations is not None)  # the source's check; the relations
    return Fit(
        point,
        outcome.evaluation.value,
        certificate,
        history,
        met,
        outcome.stop,
        plan,
        passes,
        perf_counter() - clock,
        n_threads,
    )


def raw_predictions(source: InMemorySource, point: Point) -> FloatArray:
    """Return raw predictions for new rows, (n_samples, n_outputs), block by block."""
    coef = point.coef * source.column_scale[:, None]
    raw = np.empty((source.n_samples, point.coef.shape[1]))
    for index in range(source.n_blocks):
        block = source.block(index)
        raw[block.rows] = block.X.matvec(coef) + point.intercept
    return raw


class _Watch:
    """Looks at each iterate of an unpenalised fit for signs of separation."""

    def __init__(
        self,
        objective: Objective,
        on_iteration: Callable[[Evaluation], None] | None,
        *,
        search: bool,
    ) -> None:
        self.objective = objective
        self.on_iteration = on_iteration
        self.separation: Separation | None = None
        self._search = search
        self._seen = 0

    def __call__(self, evaluation: Evaluation) -> bool:
        """Return whether to stop: there is proof that no optimum exists."""
        if self.on_iteration is not None:
            self.on_iteration(evaluation)
        if not self.objective.penalty.is_none:
            return False
        self._seen += 1
        if self._leads_everywhere(evaluation):
            self.separation = check_direction(self.objective, evaluation.point)
            if self.separation is not None and self.separation.proven:
                return True
        largest = float(np.abs(evaluation.raw_prediction).max())
        if self._search and (largest > _CONFIDENT or self._seen > _PATIENCE):
            self.search()
        if self.separation is None:
            return False
        return self.separation.proven or largest > _SATURATED

    def search(self) -> None:
        """Run the linear programme, once."""
        if self._search:
            self._search = False
            self.separation = find_separation(self.objective)

    def _leads_everywhere(self, evaluation: Evaluation) -> bool:
        source, loss = self.objective.source, self.objective.loss
        for index in range(source.n_blocks):
            rows, y, _ = source.labels(index)
            if not (loss.margin(evaluation.raw_prediction[rows], y) > 0).all():
                return False
        return True


def _solve_and_prove(
    objective: Objective,
    start: Point,
    method: str,
    *,
    tol: float,
    max_iter: int,
    watch: _Watch,
) -> tuple[Certificate, Outcome, list[IterationRecord]]:
    solver = _SOLVERS[method]
    form_hessian = objective.n_parameters <= UNPENALISED_LIMIT
    history: list[IterationRecord] = []
    aim, point = tol / 4, start
    while True:
        outcome = solver(
            objective, point, tolerance=aim, max_iter=max_iter - len(history), watch=watch
        )
        history.extend(outcome.history)
        if outcome.stop == "interrupted":
            assert watch.separation is not None
            return _no_optimum(objective, outcome, watch.separation), outcome, history
        certificate = certify(objective, outcome)
        if certificate.relative_bound > tol and outcome.curvature is None and form_hessian:
            outcome = _with_curvature(objective, outcome)
            certificate = certify(objective, outcome)
        if certificate.relative_bound <= tol or outcome.stop != "converged" or aim < tol * 1e-9:
            break
        if certificate.gradient_norm <= certificate.gradient_rounding:
            break  # what is left of the gradient is rounding: no step can be seen to help
        aim, point = aim * 1e-3, outcome.evaluation.point
        if solver is sampled_newton:
            solver = newton  # a sample has no more to say this close to the optimum
        elif solver is row_newton:
            solver = newton_cg  # nor has the Gram matrix, beyond its rounding
    if certificate.relative_bound > tol and objective.penalty.is_none:
        watch.search()
        if watch.separation is not None:
            certificate = _no_optimum(objective, outcome, watch.separation)
    return certificate, outcome, history


def _with_curvature(objective: Objective, outcome: Outcome) -> Outcome:
    """Form the Hessian at the end, for the proof alone."""
    evaluation = objective.evaluate(outcome.evaluation.point, with_hessian=True)
    assert evaluation.hessian is not None
    curvature = Curvature(evaluation.hessian, objective.loss.n_outputs)
    return replace(outcome, evaluation=evaluation, curvature=curvature, reference=evaluation.point)


def _no_optimum(objective: Objective, outcome: Outcome, separation: Separation) -> Certificate:
    base = certify(objective, replace(outcome, curvature=None))
    source, direction = objective.source, separation.direction
    moving = np.flatnonzero((direction.coef != 0).any(axis=1))
    names = tuple(quoted(source.column_names, int(j)) for j in moving)
    what = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
    subject = what if len(names) == 1 else f"a combination of {what or 'nothing but the intercept'}"
    how = "entirely" if separation.complete else "with some rows on the boundary"
    because = f"{subject} separates the classes {how}"
    if not separation.proven:
        because += " (to working precision)"
    return replace(
        base,
        kind="separation",
        suboptimality_bound=outcome.evaluation.value,
        proven=separation.proven,
        because=because,
        columns=names,
    )


def _qualified(
    certificate: Certificate, relations: Relations, source: InMemorySource
) -> Certificate:
    members = tuple(quoted(source.column_names, int(j)) for j in relations.members())
    if certificate.kind == "separation":
        return certificate
    listed = ", ".join(members[:8]) + (f" and {len(members) - 8} more" if len(members) > 8 else "")
    if relations.exact:
        note = f"{listed} are collinear, so coef is the solution of least norm"
        return replace(certificate, because=f"{certificate.because}; {note}", columns=members)
    note = f"{listed} are collinear to working precision, and the claim holds within their span"
    return replace(
        certificate, because=f"{certificate.because}; {note}", columns=members, proven=False
    )
