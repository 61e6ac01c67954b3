"""Fits of the same rows with one penalty after the other, each from where the last one ended."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from time import perf_counter
from typing import Any, Final

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
from chainrule.engine.whole_paths import path_of

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
    Cs : sequence of float
        The inverse strengths that will be asked for, from the strongest penalty to the weakest,
        where they are known: in small dense tables they are solved for and proven together.
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
        Cs: Sequence[float] = (),
    ) -> None:
        self._source, self._row, self._shape = source, row, shape
        self._Cs, self._ahead = Cs, dict[float, Fit]()
        self._fit_intercept, self._n_threads = fit_intercept, n_threads
        self._tol, self._max_iter = tol, max_iter
        self._solver: PathSolver | None = None
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
        if strength in self._ahead:
            return self._ahead.pop(strength)
        clock = perf_counter()
        is_first, solver = self._solver is None, self._solver or self._begun()
        passes = 0.0 if is_first else solver.objective.passes
        limits: dict[str, Any] = {"tol": self._tol, "max_iter": self._max_iter, "ample": _AMPLE}
        strengths = 1 / np.array([C for C in self._Cs if np.isfinite(C)])
        if is_first and solver.can_walk and strength in strengths:
            points, _ = path_of(solver, strengths, **limits)
        else:
            if is_first:
                solver.approach(strength, self._max_iter)
            points = [solver.solve(strength, **limits)]
        passes, seconds = solver.objective.passes - passes, perf_counter() - clock
        self._ahead = {
            point.strength: fit_of_point(
                point,
                solver.shape,
                plan_of(self._source, solver.shape),
                passes=passes / len(points),
                seconds=seconds / len(points),
                n_threads=self._n_threads,
            )
            for point in points
        }
        return self._ahead.pop(strength)

    def _begun(self) -> PathSolver:
        self._solver = path_solver(
            self._source,
            self._row,
            self._shape or Shape.checked(self._source.n_features, 0.0),
            fit_intercept=self._fit_intercept,
            n_threads=self._n_threads,
        )
        return self._solver
