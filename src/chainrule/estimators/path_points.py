"""The points of a path: the strengths, the columns that take part, and the fits with proofs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.class_paths import path_solver
from chainrule.engine.column_screening import needed_columns
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.null_points import deviance_ratio
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.results import PathPoint
from chainrule.engine.whole_paths import geometric, path_of
from chainrule.errors import DataError


@dataclass(frozen=True, eq=False)
class PathPoints:
    """The fits of a path, the strongest penalty first.

    Attributes
    ----------
    points : sequence of PathPoint
    strengths : ndarray
        Factors on the penalty beside the sum of the losses.
    source : InMemorySource
        The rows, with all columns.
    needed : ndarray or None
        The columns that took part: the coefficients of all others are 0. None for all.
    null : tuple of float
        The sum of the losses of the null model, and what remains at the best conceivable fit.
    n_passes : float
        How many times the columns that took part were read.
    seconds : float
    """

    points: Sequence[PathPoint]
    strengths: FloatArray
    source: InMemorySource
    needed: IntArray | None
    null: tuple[float, float]
    n_passes: float
    seconds: float

    @property
    def lambdas(self) -> FloatArray:
        """The strengths beside the mean of the losses."""
        return np.asarray(self.strengths / self.source.total_weight)

    @property
    def proven(self) -> BoolArray:
        """Whether each point's certificate proves the tolerance."""
        return np.array([point.met for point in self.points])

    def warning(self, tol: float) -> str | None:
        """Return what to say of points that are not proven; None where all are."""
        unproven = np.flatnonzero(~self.proven)
        if not len(unproven):
            return None
        first = unproven[0]
        return (
            f"tol={tol:g} is not proven at {len(unproven)} of {len(self.points)} points; the first "
            f"is lambda={self.lambdas[first]:.4g}. {self.points[first].certificate}"
        )

    def described(self) -> dict[str, Any]:
        """Return what a `Path` says of the points, under the names of its attributes."""
        coef = np.array([point.point.coef.T for point in self.points])
        intercept = np.array([point.point.intercept for point in self.points])
        nonzero = np.count_nonzero(coef, axis=(1, 2))
        coef, n_passes = self._of_all_columns(coef), self.n_passes
        if self.needed is not None:
            n_passes *= len(self.needed) / self.source.n_features
        is_one = coef.shape[1] == 1
        certificates = tuple(point.certificate for point in self.points)
        return {
            "lambdas": self.lambdas,
            "Cs": 1 / self.strengths,
            "coef": coef[:, 0] if is_one else coef,
            "intercept": intercept[:, 0] if is_one else intercept,
            "objective": np.array([point.value for point in self.points]),
            "gap": np.array([one.suboptimality_bound for one in certificates]),
            "relative_gap": np.array([one.relative_bound for one in certificates]),
            "proven": self.proven,
            "nonzero": nonzero,
            "deviance_ratio": np.array([deviance_ratio(self.null, p.loss) for p in self.points]),
            "coef_names": self.source.column_names,
            "certificates": certificates,
            "n_iter": np.array([point.n_iter for point in self.points]),
            "n_passes": n_passes,
        }

    def _of_all_columns(self, coef: FloatArray) -> FloatArray:
        if self.needed is None:
            return coef
        taken = np.flatnonzero(coef.any(axis=(0, 1)))  # memory of zeros is not touched
        whole = np.zeros((*coef.shape[:2], self.source.n_features))
        whole[:, :, self.needed[taken]] = coef[:, :, taken]
        return whole


def points_along(
    source: InMemorySource,
    shape: Shape,
    lambdas: npt.ArrayLike | None,
    *,
    n_lambdas: int,
    eps: float | None,
    all_columns: bool,
    fit_intercept: bool,
    tol: float,
    max_iter: int,
    n_threads: int,
) -> PathPoints:
    """Return the fits at the strengths that are given, or at those in equal ratios.

    Parameters
    ----------
    source : InMemorySource
    shape : Shape
    lambdas : array-like or None
        Strengths beside the mean of the losses, in any order.
    n_lambdas : int
    eps : float or None
        The last strength relative to the first, where none are given.
    all_columns : bool
        Whether columns that provably stay at 0 take part too.
    fit_intercept : bool
    tol : float
    max_iter : int
    n_threads : int

    Raises
    ------
    DataError
        When no strengths are given and all coefficients are 0 at any.
    """
    choose = partial(path_solver, row=None, fit_intercept=fit_intercept, n_threads=n_threads)
    solver = None
    if lambdas is None:
        solver = choose(source, shape=shape)
        if not solver.largest > 0:
            raise DataError(
                "no coefficient would leave 0 on this path: all columns are constant, held at 0, "
                "or without penalty. Pass lambdas, or check X and penalty_factor"
            )
        ratio = (1e-4 if source.n_samples > source.n_features else 1e-2) if eps is None else eps
        strengths = geometric(solver.largest, n_lambdas, ratio)
    else:
        strengths = _descending(lambdas) * source.total_weight
    needed = None if all_columns else needed_columns(source, None, shape, float(strengths[-1]))
    if needed is not None:
        solver = choose(source.take_columns(needed), shape=shape.of(needed))
    elif solver is None:
        solver = choose(source, shape=shape)
    points, seconds = path_of(solver, strengths, tol=tol, max_iter=max_iter)
    n_passes = solver.objective.passes + 1
    return PathPoints(points, strengths, source, needed, solver.null_and_least, n_passes, seconds)


def _descending(lambdas: npt.ArrayLike) -> FloatArray:
    values = np.asarray(lambdas, dtype=np.float64).ravel()
    if not len(values) or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"lambdas must be finite and positive, not {lambdas!r}")
    return np.sort(values)[::-1].copy()
