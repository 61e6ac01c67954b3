"""Proximal Newton steps for one problem: compiled where that serves, the general ones elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.compiled_proximal import CompiledProximal, contiguous_rows
from chainrule.engine.solvers.proximal_newton import Model, Solution, proximal_newton
from chainrule.engine.solvers.steps import IterationRecord

_STALE: Final[float] = 0.5
"""The drift of the logarithm of the curvature from which a Hessian is formed anew."""

_STALE_IN_ONE_CALL: Final[float] = 3.0
"""The same where steps are compiled: a few more of them take less time than a Hessian."""

_STALE_IN_WALKS: Final[float] = 1.5
"""The same where several points are proven with one Hessian."""

_MANY_ROWS: Final[int] = 10
"""Rows per column from which that holds: proofs for fewer need a Hessian from nearby."""


class ProximalSteps:
    """Solves for one penalty after the other.

    Parameters
    ----------
    objective : Objective
        Of the losses alone. Where steps are compiled, its source is replaced by one whose bounds
        of rounding hold for them too.
    compiled : bool
        Whether steps may be compiled: not where every one of them is monitored.
    """

    def __init__(self, objective: Objective, *, compiled: bool = True) -> None:
        self.objective = objective
        self._compiled: CompiledProximal | None = None
        if compiled and CompiledProximal.suits(objective):
            rows = contiguous_rows(objective.source)
            sums = rows.longest_row, rows.longest_sum, rows.longest_sandwich
            objective.source = objective.source.with_sums_of(sums)
            self._compiled = CompiledProximal(objective, rows)

    @property
    def are_compiled(self) -> bool:
        """Whether steps are taken in one compiled call."""
        return self._compiled is not None

    def solve(
        self,
        penalty: ElasticNet,
        start: Evaluation,
        unit: FloatArray,
        model: Model | None,
        *,
        tolerance: float,
        max_iter: int,
        enough: float = 0.0,
        monitor: Callable[[Evaluation], bool] | None = None,
    ) -> Solution:
        """Do what `proximal_newton` does, with a Hessian from no further away than serves."""
        constant, done = self.objective.loss.facts.self_concordance, list[IterationRecord]()
        if self._compiled is not None:
            found = self._compiled.solve(
                penalty,
                start,
                unit,
                None if model is None else self._compiled.extended(model),
                tolerance=tolerance,
                max_iter=max_iter,
                enough=enough,
                stale=self._stale,
            )
            if found.stop != "stalled":
                return found
            start, model, done = found.evaluation, None, found.history
        known = None if model is None else model.snapshot
        if model is not None and known is not None and constant is not None:
            drift = constant * known.drift(start.raw_prediction)
            model = model if drift <= _STALE else self.model_at(start, model.columns)
        solution = proximal_newton(
            self.objective,
            penalty,
            start,
            unit,
            model,
            tolerance=tolerance,
            max_iter=max_iter - len(done),
            enough=enough,
            monitor=monitor,
        )
        return replace(solution, history=done + solution.history)

    def walk(
        self,
        penalties: ElasticNet,
        start: Evaluation,
        units: FloatArray,
        model: Model | None,
        *,
        tolerance: float,
        max_iter: int,
        enough: float = 0.0,
    ) -> list[Solution]:
        """Do what `CompiledProximal.walk` does, in one compiled call where steps are compiled."""
        if self._compiled is None:
            return self._walk_by_steps(
                penalties,
                start,
                units,
                model,
                tolerance=tolerance,
                max_iter=max_iter,
                enough=enough,
            )
        constant = self.objective.loss.facts.self_concordance
        return self._compiled.walk(
            penalties,
            start,
            units,
            None if model is None else self._compiled.extended(model),
            tolerance=tolerance,
            max_iter=max_iter,
            enough=enough,
            stale=min(self._stale, _STALE_IN_WALKS / constant if constant else np.inf),
        )

    def _walk_by_steps(
        self,
        penalties: ElasticNet,
        here: Evaluation,
        units: FloatArray,
        model: Model | None,
        **limits: Any,  # noqa: ANN401
    ) -> list[Solution]:
        found = list[Solution]()
        for t, unit in enumerate(units):
            found.append(self.solve(penalties.at(t), here, unit, model, **limits))
            here, model = found[-1].evaluation, found[-1].model
            if found[-1].stop == "stalled":
                break
        return found

    @property
    def _stale(self) -> float:
        """The change of a score from which compiled steps form the Hessian anew."""
        constant, source = self.objective.loss.facts.self_concordance, self.objective.source
        many = source.n_samples >= _MANY_ROWS * source.n_features
        far = _STALE_IN_ONE_CALL if many else _STALE
        return far / constant if constant else np.inf

    def model_at(self, here: Evaluation, columns: IntArray) -> Model:
        """Return a model of these columns, at least, with the Hessian at a point."""
        if self._compiled is not None:
            return self._compiled.model_at(here.point)
        return Model.at(self.objective, here, columns, None)
