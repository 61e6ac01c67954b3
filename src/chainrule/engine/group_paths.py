"""Fits with a group lasso: one strength, or a path of them."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from chainrule.engine.arrays import UNIT, FloatArray
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.certificates.group_gap import certify_groups
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.penalties.groups import GroupNorms
from chainrule.engine.solvers.group_newton import group_newton
from chainrule.engine.solvers.proximal_newton import Solution
from chainrule.engine.solvers.steps import Stop


class GroupPathSolver(PathSolver):
    """Solves for one strength after the other, with coefficients in groups; its shape is one."""

    _is_separable: ClassVar[bool] = False

    @property
    def is_wide(self) -> bool:
        """Whether steps read a copy of the columns that take part."""
        return False

    def _certified(self, penalty: ElasticNet, tol: float, stop: Stop) -> Certificate:
        assert isinstance(penalty, GroupNorms)
        return certify_groups(self.objective, penalty, self._here, enough=tol, stop=stop)

    def _units(self, penalty: ElasticNet) -> FloatArray:
        assert isinstance(penalty, GroupNorms)
        slopes = penalty.norms(self.start.gradient.coef[:, 0] / penalty.metric)
        steepest = float(slopes.max(initial=0.0)) or 1.0
        l1 = np.where(penalty.l1 > 0, penalty.l1, steepest)
        return np.clip(l1, UNIT * steepest, steepest)

    def _reach(
        self, strength: float, aim: float, max_iter: int, enough: float = 0.0
    ) -> tuple[ElasticNet, Solution]:
        penalty = self._penalty(strength)
        assert isinstance(penalty, GroupNorms)
        solution = group_newton(
            self.objective,
            penalty,
            self._here,
            self._units(penalty),
            self._model,
            tolerance=aim,
            max_iter=max_iter,
            monitor=self._monitor,
        )
        self._model = None if solution.model is None else replace(solution.model, is_exact=False)
        self._records += solution.history
        self._here, self._last = solution.evaluation, strength
        return penalty, solution
