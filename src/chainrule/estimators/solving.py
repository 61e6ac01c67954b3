"""The fit of an estimator's problem: on its own, or as the next one of a course of fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.engine.continued import ContinuedFits
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.elastic_net import fit_elastic_net
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.monitor import OnIteration
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.refits import Refits
from chainrule.engine.results import Fit, refuse_interrupted
from chainrule.engine.runtime.journal import current_journal
from chainrule.engine.solvers.plans import Method
from chainrule.estimators.inputs import threads_of


@dataclass(frozen=True)
class Problem:
    """Checked rows, a loss and a penalty.

    Attributes
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of the classes.
    shape : Shape or None
        The penalty without its strength; None for the L2 penalty, the same for all columns.
    attributes : callable
        Returns coefficients and intercept at a point as attributes of the estimator.
    """

    source: InMemorySource
    row: LossRow | None
    shape: Shape | None
    attributes: Callable[[Point], dict[str, Any]]


def solved(
    model: Any,  # noqa: ANN401
    problem: Problem,
    C: float,
    method: Method,
    on_iteration: OnIteration | None,
) -> Fit:
    """Return the fit of a problem with the parameters of an estimator."""
    source, row, shape = problem.source, problem.row, problem.shape
    choices: dict[str, Any] = {
        "C": C,
        "fit_intercept": model.fit_intercept,
        "tol": model.tol,
        "max_iter": model.max_iter,
        "start": model._start(1 if source.n_classes == 2 else source.n_classes, source.n_features),
        "n_threads": _threads(model, source),
        "on_iteration": on_iteration,
        "journal": current_journal(),
    }
    if shape is None or (np.isinf(C) and not shape.is_bounded):
        return fit_linear_model(source, row, method=method, **choices)
    choices["n_threads"] = threads_of(model.n_jobs, source, absolute=True)
    return fit_elastic_net(source, row, shape, **choices)


class Course:
    """Fits of one estimator to the same rows, one penalty after the other.

    The estimator's own `fit` is the first of them. Rows are checked once, and each fit starts where
    the last one ended, with its Hessian.

    Parameters
    ----------
    Cs : sequence of float
        The inverse strengths of all fits, from the strongest penalty to the weakest, where they are
        known.
    """

    def __init__(self, Cs: Sequence[float] = ()) -> None:
        self._Cs = Cs
        self._problem: Problem | None = None
        self._fits: ContinuedFits | None = None
        self._refits: Refits | None = None

    def begin(self, model: Any, problem: Problem, C: float) -> Fit:  # noqa: ANN401
        """Return the first fit."""
        self._problem = problem
        self._fits = ContinuedFits(
            problem.source,
            problem.row,
            problem.shape,
            fit_intercept=model.fit_intercept,
            tol=model.tol,
            max_iter=model.max_iter,
            n_threads=_threads(model, problem.source),
            Cs=self._Cs,
        )
        return self._fits.fit(C)

    def refit(self, model: Any) -> Fit | None:  # noqa: ANN401
        """Return the fit without penalty of the columns of the last fit; None for no columns."""
        assert self._problem is not None
        problem = self._problem
        if self._refits is None:
            self._refits = Refits(
                problem.source,
                problem.row,
                problem.shape or Shape.checked(problem.source.n_features),
                fit_intercept=model.fit_intercept,
                tol=model.tol,
                max_iter=model.max_iter,
                n_threads=_threads(model, problem.source),
            )
        return self._refits.at(model._fitted_point())

    def go_on(self, model: Any, C: float) -> None:  # noqa: ANN401
        """Fit with another strength, and keep the fit in the estimator."""
        assert self._problem is not None
        assert self._fits is not None
        model._take(self._problem.attributes, refuse_interrupted(self._fits.fit(C)))


def _threads(model: Any, source: InMemorySource) -> int:  # noqa: ANN401
    return threads_of(model.n_jobs, source)
