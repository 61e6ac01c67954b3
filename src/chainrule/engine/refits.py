"""Fits without penalty of the columns that a penalty has chosen: glmnet's relaxed fits.

The penalty chooses columns and shrinks their coefficients. A refit keeps the choice and undoes the
shrinking; bounds stay. Points along a path that choose the same columns share one refit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.elastic_net import fit_elastic_net
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.results import Fit, refuse_interrupted


class Refits:
    """Refits of the columns that points of a path choose, for one problem.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of the classes.
    shape : Shape
        The penalty that chooses, whose bounds are kept.
    fit_intercept, tol, max_iter, n_threads
        As in `fit_linear_model`.
    """

    def __init__(
        self,
        source: InMemorySource,
        row: LossRow | None,
        shape: Shape,
        *,
        fit_intercept: bool,
        tol: float,
        max_iter: int,
        n_threads: int,
    ) -> None:
        self._source, self._row, self._shape = source, row, shape
        self._fit_intercept, self._n_threads = fit_intercept, n_threads
        self._tol, self._max_iter = tol, max_iter
        self._found: dict[bytes, Fit] = {}
        self.passes = 0.0

    def at(self, point: Point) -> Fit | None:
        """Return the refit of the columns whose coefficients are not 0; None where there are none.

        With several classes, a column is chosen by a coefficient of any class, and has one for
        every class in the refit.

        Parameters
        ----------
        point : Point
            In the units of the data.
        """
        chosen = (point.coef != 0).any(axis=1)
        if not chosen.any():
            return None
        name = np.packbits(chosen).tobytes()
        if name not in self._found:
            self._found[name] = refuse_interrupted(self._refit(chosen, point))
            self.passes += self._found[name].passes
        return self._found[name]

    def _refit(self, chosen: BoolArray, point: Point) -> Fit:
        source, shape = self._source, self._shape
        columns = np.flatnonzero(chosen)
        takes = source.can_take_columns
        choices: dict[str, Any] = {
            "C": np.inf,
            "fit_intercept": self._fit_intercept,
            "tol": self._tol,
            "max_iter": self._max_iter,
            "n_threads": self._n_threads,
        }
        if not takes:  # codes, and rows in files: the other coefficients are bounded to 0
            held = Shape(
                0.0,
                shape.factors,
                shape.square_factors,
                np.where(chosen, shape.lower, 0.0),
                np.where(chosen, shape.upper, 0.0),
            )
            if chosen.all() and not held.is_bounded:
                return fit_linear_model(source, self._row, **choices)
            return fit_elastic_net(source, self._row, held, **choices)
        part = source.take_columns(columns)
        ones = np.ones(len(columns))
        bounded = Shape(0.0, ones, ones, shape.lower[columns], shape.upper[columns])
        start = Point(point.coef[columns], point.intercept)
        if bounded.is_bounded:
            fit = fit_elastic_net(part, self._row, bounded, start=start, **choices)
        else:
            fit = fit_linear_model(part, self._row, start=start, **choices)
        coef: FloatArray = np.zeros(point.coef.shape)
        coef[columns] = fit.point.coef
        return replace(fit, point=Point(coef, fit.point.intercept))


def is_separated(fit: Fit) -> bool:
    """Tell whether a fit has no finite optimum, which its certificate proves."""
    return fit.certificate.kind == "separation"
