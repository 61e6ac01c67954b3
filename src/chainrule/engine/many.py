"""Many fits at once: the same rows with other targets or weights, or many groups of rows.

A compiled loop solves one small problem after the other (`passes.kernels.newton`); threads share
them. What it does not solve, the general method fits. A proof costs more than such a fit, so each
is made when it is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import certify_point, fit_linear_model
from chainrule.engine.losses.compiled import kernel_of
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.passes.small_newton import FINE, fit_each
from chainrule.engine.results import Fit
from chainrule.engine.runtime.executors import map_in_order
from chainrule.engine.runtime.native import can_compile

_CHUNKS_A_THREAD: Final[int] = 4


@dataclass(frozen=True)
class Problems:
    """Several problems on the same table of rows.

    Attributes
    ----------
    X : ndarray of shape (n_samples, n_features)
        float64, in C order.
    targets, weights : ndarray of shape (n_tables, n_samples)
    offset : ndarray of shape (n_samples,) or None
    which : ndarray of int64, shape (n_fits, 4)
        First row, row after the last, row of `targets`, row of `weights`.
    row : LossRow
        The loss.
    C : float
    fit_intercept : bool
    tol : float
    max_iter : int
    """

    X: FloatArray
    targets: FloatArray
    weights: FloatArray
    offset: FloatArray | None
    which: npt.NDArray[np.int64]
    row: LossRow
    C: float
    fit_intercept: bool
    tol: float
    max_iter: int

    def source(self, k: int) -> InMemorySource:
        """Return the rows of one of them that have a weight."""
        first, last, y, weight = (int(number) for number in self.which[k])
        weights = self.weights[weight, first:last]
        used = np.flatnonzero(weights > 0)
        rows = np.arange(first, last)[used]
        return InMemorySource(
            self.X[rows],
            self.targets[y, rows],
            weights[used],
            row_numbers=rows,
            offset=None if self.offset is None else self.offset[rows, None],
            center=self.fit_intercept,
        )

    def fit(self, k: int) -> Fit:
        """Fit one of them by the general method, with its proof."""
        return fit_linear_model(
            self.source(k),
            self.row,
            C=self.C,
            fit_intercept=self.fit_intercept,
            tol=self.tol,
            max_iter=self.max_iter,
        )

    def certificate(self, k: int, point: Point) -> Certificate:
        """Prove how far a point is from the optimum of one of them."""
        return certify_point(
            self.source(k),
            self.row,
            point,
            C=self.C,
            fit_intercept=self.fit_intercept,
            tol=self.tol,
        )


@dataclass(frozen=True)
class ManyFits:
    """Fits to many problems.

    Attributes
    ----------
    coef : ndarray of shape (n_fits, n_features)
    intercept : ndarray of shape (n_fits,)
    objective : ndarray of shape (n_fits,)
    expected_gap : ndarray of shape (n_fits,)
        Half the squared Newton decrement: about f - f*, and no proof. `certificate` proves.
    n_iter : ndarray of int64, shape (n_fits,)
        Newton steps.
    one_by_one : ndarray of int
        Which were left to the general method: where columns are collinear, or no optimum exists.
    names : ndarray of shape (n_fits,)
        Which group each is of, or 0, 1, ...
    """

    coef: FloatArray
    intercept: FloatArray
    objective: FloatArray
    expected_gap: FloatArray
    n_iter: npt.NDArray[np.int64]
    one_by_one: IntArray
    names: npt.NDArray[Any]
    _problems: Problems = field(repr=False)

    def __len__(self) -> int:
        return len(self.intercept)

    def certificate(self, k: int) -> Certificate:
        """Prove how far fit number k can be from its optimum."""
        k = range(len(self))[k]
        if k in self.one_by_one:
            return self._problems.fit(k).certificate
        point = Point(self.coef[k][:, None].copy(), self.intercept[k : k + 1].copy())
        return self._problems.certificate(k, point)


def fit_problems(problems: Problems, names: npt.NDArray[Any], n_threads: int) -> ManyFits:
    """Solve several problems."""
    n_fits, n_features = len(problems.which), problems.X.shape[1]
    coef, intercept = np.zeros((n_fits, n_features)), np.zeros(n_fits)
    objective, gap = np.empty(n_fits), np.full(n_fits, np.inf)
    n_iter = np.full(n_fits, -1, dtype=np.int64)
    kernel = kernel_of(problems.row.source) if problems.row.source and can_compile() else 0
    facts = problems.row.facts
    if kernel and facts.convex and facts.has_least:
        _compiled_fits(problems, kernel, coef, intercept, objective, gap, n_iter, n_threads)
    left = np.flatnonzero(n_iter < 0)
    for k in left:
        fit = problems.fit(int(k))
        coef[k], intercept[k] = fit.point.coef[:, 0], fit.point.intercept[0]
        objective[k], n_iter[k] = fit.value, fit.n_iter
        gap[k] = fit.certificate.suboptimality_bound
    return ManyFits(coef, intercept, objective, gap, n_iter, left, names, problems)


def _compiled_fits(
    problems: Problems,
    kernel: int,
    coef: FloatArray,
    intercept: FloatArray,
    objective: FloatArray,
    gap: FloatArray,
    n_iter: npt.NDArray[np.int64],
    n_threads: int,
) -> None:
    which = problems.which
    strength = np.full(problems.X.shape[1], 1 / problems.C)
    floors = _floors(problems)
    n_chunks = min(len(which), _CHUNKS_A_THREAD * n_threads)
    edges = np.arange(n_chunks + 1) * len(which) // max(1, n_chunks)

    def one(chunk: int) -> None:
        part = slice(int(edges[chunk]), int(edges[chunk + 1]))
        fit_each(
            kernel,
            problems.X,
            problems.targets,
            problems.weights,
            which[part],
            strength,
            floors[part],
            (coef[part], intercept[part], objective[part], gap[part], n_iter[part]),
            offset=problems.offset,
            fit_intercept=problems.fit_intercept,
            tolerance=FINE * problems.tol,
            max_iter=problems.max_iter,
        )

    for _ in map_in_order(one, n_chunks, n_threads):
        pass


def _floors(problems: Problems) -> FloatArray:
    """Return the sum of the least losses of each problem."""
    assert problems.row.kernels.least is not None
    least = np.stack([np.asarray(problems.row.kernels.least(y)) for y in problems.targets])
    return np.array(
        [
            problems.weights[weight, first:last] @ least[y, first:last]
            for first, last, y, weight in problems.which
        ]
    )
