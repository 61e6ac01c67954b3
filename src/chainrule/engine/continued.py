"""Fits of the same rows with one penalty after the other, each from where the last one ended."""

from __future__ import annotations

from functools import cached_property
from time import perf_counter
from typing import Final

import numpy as np

from chainrule.engine.class_paths import path_solver
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.elastic_net import fit_of_point, plan_of
from chainrule.engine.fitting import engine_loss, fit_linear_model
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.results import Fit
from chainrule.engine.small import suits
from chainrule.engine.solvers.compiled_proximal import is_at_hand, is_small
from chainrule.engine.solvers.plans import Plan

_MOST_COLUMNS: Final[int] = 300
"""Columns up to which neighbouring fits without absolute values share a Hessian."""

_AMPLE: Final[float] = 1e-4
"""What is ample here: scores on other rows change with the root of the gap."""


class ContinuedFits:
    """Fits that share checks of the rows, Hessians and factors.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of the classes.
    shape : Shape or None
        The penalty without its strength; None for the L2 penalty, the same for all columns.
    fit_intercept, tol, max_iter, n_threads
        As in `fit_linear_model`.
    """

    def __init__(
        self,
        source: InMemorySource,
        row: LossRow | None,
        shape: Shape | None,
        *,
        fit_intercept: bool,
        tol: float,
        max_iter: int,
        n_threads: int,
    ) -> None:
        self._source, self._row, self._shape = source, row, shape
        self._fit_intercept, self._n_threads = fit_intercept, n_threads
        self._tol, self._max_iter = tol, max_iter
        self._solver: PathSolver | None = None
        self._plan: Plan | None = None
        self._last: Point | None = None

    def fit(self, C: float) -> Fit:
        """Return the fit of an inverse strength; inf for no penalty."""
        walked = self._next_of_path(1 / C) if self._is_walked(C) else None
        if walked is not None and (walked.met or self._shape is not None):
            fit = walked
        else:
            fit = fit_linear_model(
                self._source,
                self._row,
                C=C,
                fit_intercept=self._fit_intercept,
                tol=self._tol,
                max_iter=self._max_iter,
                n_threads=self._n_threads,
                start=self._last,
            )
        self._last = fit.point
        return fit

    def _is_walked(self, C: float) -> bool:
        """Tell whether a fit is one of a path of proximal Newton steps."""
        if self._shape is not None:
            return bool(np.isfinite(C)) or self._shape.is_bounded
        return bool(np.isfinite(C)) and self._is_walked_without_l1

    @cached_property
    def _is_walked_without_l1(self) -> bool:
        source = self._source
        if source.n_classes > 2:
            return False
        if suits(source) and not (is_small(source) and is_at_hand()):
            return False
        facts = engine_loss(source, self._row).facts
        few = source.n_features <= min(_MOST_COLUMNS, source.n_samples)
        return few and facts.convex and facts.self_concordance is not None

    def _next_of_path(self, strength: float) -> Fit:
        clock = perf_counter()
        is_first = self._solver is None
        if self._solver is None or self._plan is None:
            shape = self._shape or Shape.checked(self._source.n_features, 0.0)
            self._plan = plan_of(self._source, shape)
            self._solver = path_solver(
                self._source,
                self._row,
                shape,
                fit_intercept=self._fit_intercept,
                n_threads=self._n_threads,
            )
        passes = 0.0 if is_first else self._solver.objective.passes
        if is_first:
            self._solver.approach(strength, self._max_iter)
        found = self._solver.solve(strength, tol=self._tol, max_iter=self._max_iter, ample=_AMPLE)
        return fit_of_point(
            found,
            self._solver.shape,
            self._plan,
            passes=self._solver.objective.passes - passes,
            seconds=perf_counter() - clock,
            n_threads=self._n_threads,
        )
