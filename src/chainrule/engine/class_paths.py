"""Fits of several classes with an elastic net: one strength, or a path of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.certificates.class_gap import certify_class_elastic_net
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.group_paths import GroupPathSolver
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.null_points import EXACTLY, holding, is_best, steepest_of, units_of
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import ElasticNet, Shape
from chainrule.engine.penalties.groups import GroupShape
from chainrule.engine.solvers.class_proximal import class_proximal_newton
from chainrule.engine.solvers.proximal_newton import Solution
from chainrule.engine.solvers.steps import Stop
from chainrule.errors import DataError


class ClassPathSolver(PathSolver):
    """Solves for one strength after the other for more than two classes.

    The penalty counts the coefficients of every class, as in scikit-learn and glmnet.
    """

    _is_separable: ClassVar[bool] = False

    @property
    def is_wide(self) -> bool:
        """Whether steps read a copy of the columns that take part."""
        return False

    def _penalty(self, strength: float | FloatArray) -> ElasticNet:
        return _of_classes(super()._penalty(strength), self.objective.loss.n_outputs)

    def _certified(self, penalty: ElasticNet, tol: float, stop: Stop) -> Certificate:
        return certify_class_elastic_net(self.objective, penalty, self._here, enough=tol, stop=stop)

    def _solved_null(self, start: Evaluation, held: BoolArray) -> Evaluation:
        if is_best(start, held):
            return start
        penalty = holding(self.shape, self.source.column_scale, held)
        penalty = _of_classes(penalty, self.objective.loss.n_outputs)
        unit = np.full(len(penalty.l1), steepest_of(start))
        solution = class_proximal_newton(
            self.objective, penalty, start, unit, tolerance=EXACTLY, max_iter=100
        )
        return solution.evaluation

    def _reach(
        self, strength: float, aim: float, max_iter: int, enough: float = 0.0
    ) -> tuple[ElasticNet, Solution]:
        penalty = self._penalty(strength)
        solution = class_proximal_newton(
            self.objective,
            penalty,
            self._here,
            units_of(penalty, self.start),
            self._model,
            tolerance=aim,
            max_iter=max_iter,
            monitor=self._monitor,
        )
        self._model = None if solution.model is None else replace(solution.model, is_exact=False)
        self._records += solution.history
        self._here, self._last = solution.evaluation, strength
        return penalty, solution


def path_solver(
    source: InMemorySource,
    row: LossRow | None,
    shape: Shape,
    **choices: Any,  # noqa: ANN401
) -> PathSolver:
    """Return the solver for a penalty, and for one score per row or several classes.

    Raises
    ------
    DataError
        For groups of columns with several classes.
    """
    if isinstance(shape, GroupShape):
        if source.n_classes > 2:
            raise DataError(
                f"groups of columns are for two classes or one score per row, and y has "
                f"{source.n_classes} classes"
            )
        return GroupPathSolver(source, row, shape, **choices)
    kind = ClassPathSolver if source.n_classes > 2 else PathSolver
    return kind(source, row, shape, **choices)


def _of_classes(penalty: ElasticNet, n_classes: int) -> ElasticNet:
    """Return the penalty of every column for all classes, side by side."""
    parts = (penalty.l1, penalty.l2, penalty.lower, penalty.upper)
    return ElasticNet(*(np.repeat(part, n_classes) for part in parts))
