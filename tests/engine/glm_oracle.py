"""The optimum of a small generalised linear model in fifty digits, and problems to ask it about.

Minimises sum_i s_i l(x_i coef + intercept + offset_i, y_i) + |coef|^2 / (2 C), by Newton's method
in multiple precision, for any loss of `loss_definitions`. Nothing here depends on the package.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Any, Final

import mpmath
import numpy as np
import numpy.typing as npt
from tests.loss_definitions import LossDefinition

Array = npt.NDArray[Any]

DIGITS: Final = 50
_WORKING: Final = 65
_MOST_STEPS: Final = 200
_WORST_CONDITION: Final = 1e3
_FLATTEST: Final = mpmath.mpf(2) ** -20


@dataclass(frozen=True)
class Optimum:
    """Where the objective is least; for a loss that is not convex, where its gradient vanishes.

    Attributes
    ----------
    value : mpf
        The objective.
    excess : mpf
        The objective less sum_i s_i least(y_i): never negative, what a relative bound refers to.
    coef : list of mpf
    intercept : mpf
        0 where none is fitted.
    """

    value: Any
    excess: Any
    coef: list[Any]
    intercept: Any

    def distance(self, coef: Array) -> Any:
        """The Euclidean distance of some coefficients from these."""
        with mpmath.workdps(_WORKING):
            ours = [mpmath.mpf(float(w)) for w in np.ravel(coef)]
            return mpmath.norm([a - b for a, b in zip(ours, self.coef, strict=True)])


@dataclass(frozen=True)
class GlmProblem:
    """A small problem; C may be infinite.

    Attributes
    ----------
    loss : LossDefinition
    X : ndarray of shape (n_samples, n_features)
    y, weights, offset : ndarray of shape (n_samples,)
    C : float
    fit_intercept : bool
    """

    loss: LossDefinition
    X: Array
    y: Array
    weights: Array
    offset: Array
    C: float
    fit_intercept: bool = True

    @property
    def n_features(self) -> int:
        return int(self.X.shape[1])

    @property
    def alpha(self) -> float:
        """scikit-learn's strength of the penalty, for the mean of the losses."""
        return 0.0 if np.isinf(self.C) else float(1 / (self.C * self.weights.sum()))

    def value(self, coef: Array, intercept: float = 0.0) -> Any:
        """The objective at a float64 point."""
        with mpmath.workdps(_WORKING):
            point = [mpmath.mpf(float(v)) for v in [*np.ravel(coef), float(intercept)]]
            return _Exact(self).value(point[: _Exact(self).size])

    def excess(self, coef: Array, intercept: float = 0.0) -> Any:
        """The objective at a float64 point less what it cannot fall below."""
        with mpmath.workdps(_WORKING):
            return self.value(coef, intercept) - _Exact(self).least()

    def gradient(self, coef: Array, intercept: float = 0.0) -> list[Any]:
        """The gradient at a float64 point, the intercept's entry last."""
        with mpmath.workdps(_WORKING):
            exact = _Exact(self)
            point = [mpmath.mpf(float(v)) for v in [*np.ravel(coef), float(intercept)]]
            return list(exact.derivatives(point[: exact.size])[0])

    def solve(self, coef: Array | None = None, intercept: float = 0.0) -> Optimum:
        """Return the optimum.

        A start saves time where the loss is convex, and elsewhere decides which stationary point.
        """
        start = np.zeros(self.n_features) if coef is None else np.ravel(coef)
        with mpmath.workdps(_WORKING):
            return _newton(_Exact(self), [mpmath.mpf(float(v)) for v in [*start, intercept]])


class _Exact:
    """The numbers of a problem in multiple precision, and its objective."""

    def __init__(self, problem: GlmProblem) -> None:
        self.problem = problem
        number = np.vectorize(lambda v: mpmath.mpf(float(v)), otypes=[object])
        rows = number(problem.X)
        if problem.fit_intercept:
            rows = np.hstack([rows, number(np.ones((len(rows), 1)))])
        self.rows, self.size = rows, rows.shape[1]
        self.y, self.weights, self.offset = (
            number(column) for column in (problem.y, problem.weights, problem.offset)
        )
        strength = mpmath.mpf(0) if np.isinf(problem.C) else 1 / mpmath.mpf(problem.C)
        self.strengths = [strength] * problem.n_features + [mpmath.mpf(0)] * problem.fit_intercept

    def scores(self, point: list[Any]) -> Any:
        return self.rows @ np.array(point, dtype=object) + self.offset

    def value(self, point: list[Any]) -> Any:
        losses = [
            s * self.problem.loss.value(z, y)
            for s, z, y in zip(self.weights, self.scores(point), self.y, strict=True)
            if s
        ]
        squares = [a * w**2 / 2 for a, w in zip(self.strengths, point, strict=True)]
        return mpmath.fsum([*losses, *squares])

    def least(self) -> Any:
        pairs = zip(self.weights, self.y, strict=True)
        return mpmath.fsum(s * self.problem.loss.least(y) for s, y in pairs if s)

    def derivatives(self, point: list[Any]) -> tuple[Any, Any]:
        triples = list(zip(self.weights, self.scores(point), self.y, strict=True))
        loss = self.problem.loss
        slopes = np.array([s * loss.first(z, y) if s else s for s, z, y in triples], dtype=object)
        bends = np.array([s * loss.second(z, y) if s else s for s, z, y in triples], dtype=object)
        ridge = np.array(self.strengths, dtype=object)
        gradient = self.rows.T @ slopes + ridge * np.array(point, dtype=object)
        return gradient, (self.rows.T * bends) @ self.rows + np.diag(ridge)


def _newton(exact: _Exact, start: list[Any]) -> Optimum:
    """Newton's method with step halving."""
    point = start[: exact.size]
    value = exact.value(point)
    for _ in range(_MOST_STEPS):
        gradient, hessian = exact.derivatives(point)
        step = _descent(exact, gradient, hessian)
        slope = mpmath.fsum(g * d for g, d in zip(gradient, step, strict=True))
        if -slope <= mpmath.mpf(10) ** -(DIGITS + 5) * (1 + abs(value)):
            # the decrement is below what a difference of two values shows; the last step squares it
            point = [w + d for w, d in zip(point, step, strict=True)]
            return _optimum(exact, point)
        length = mpmath.mpf(1)
        while True:
            trial = [w + length * d for w, d in zip(point, step, strict=True)]
            at = exact.value(trial)
            if at <= value + length * slope / 10000:
                break
            length /= 2
            if length < mpmath.mpf(2) ** -100:
                raise AssertionError(f"no descent: the oracle fails for {exact.problem.loss}")
        point, value = trial, at
    raise AssertionError(f"the oracle has not converged for {exact.problem.loss}")


def _descent(exact: _Exact, gradient: Any, hessian: Any) -> list[Any]:
    """Return Newton's step, or where the Hessian is not positive definite that of |Hessian|."""
    try:
        return list(mpmath.cholesky_solve(mpmath.matrix(hessian.tolist()), -_column(gradient)))
    except (ValueError, ZeroDivisionError):
        scales = 1 / np.array([max(map(abs, column)) for column in exact.rows.T], dtype=object)
        scaled = mpmath.matrix((hessian * scales * scales[:, None]).tolist())
        values, vectors = mpmath.eigsy(scaled)
        least = max(map(abs, values)) * _FLATTEST
        along = vectors.T * -_column(gradient * scales)
        step = vectors * _column(
            [g / max(abs(v), least) for g, v in zip(along, values, strict=True)]
        )
        return [d * s for d, s in zip(step, scales, strict=True)]


def _column(entries: Any) -> Any:
    return mpmath.matrix(list(entries))


def _optimum(exact: _Exact, point: list[Any]) -> Optimum:
    value = exact.value(point)
    n_features = exact.problem.n_features
    intercept = point[n_features] if exact.problem.fit_intercept else mpmath.mpf(0)
    return Optimum(value, value - exact.least(), point[:n_features], intercept)


def random_problem(
    loss: LossDefinition,
    seed: int,
    *,
    n_samples: int = 10,
    n_features: int = 2,
    C: float = 1.0,
    fit_intercept: bool = True,
    weighted: bool = False,
    with_offset: bool = False,
    decades: float = 0.0,
) -> GlmProblem:
    """Draw a problem whose optimum exists and whose columns are far from collinear.

    Parameters
    ----------
    loss : LossDefinition
    seed : int
    n_samples, n_features : int
        At least two rows per coefficient, the intercept included.
    C : float
    fit_intercept, weighted, with_offset : bool
        Weights are fractions and whole numbers; one of them is zero.
    decades : float
        The columns' scales run from 1 to 10 to this power.
    """
    size = n_features + fit_intercept
    if n_samples < 2 * size:
        raise ValueError(f"{n_samples} rows are fewer than two per coefficient ({2 * size})")
    rng = np.random.default_rng([seed, zlib.crc32(str(loss).encode())])
    X = _spread_columns(rng, n_samples, n_features)
    offset = rng.uniform(-0.5, 0.5, n_samples) if with_offset else np.zeros(n_samples)
    truth = rng.uniform(-1, 1, n_features)
    y = loss.draw(rng, X @ truth + 0.3 * fit_intercept + offset)
    if loss.is_binary:
        # both labels in the same places: no direction separates them
        X[size : 2 * size], offset[size : 2 * size] = X[:size], offset[:size]
        low = -1.0 if loss.targets == "-1/1" else 0.0
        y[:size], y[size : 2 * size] = 1.0, low
    elif loss.targets in ("non-negative", "counts"):
        # where no mean may tend to zero, the loss grows in every direction
        y[:size] = np.maximum(y[:size], 1.0)
    weights = np.ones(n_samples)
    if weighted:
        weights = np.where(rng.uniform(size=n_samples) < 0.5, rng.integers(1, 5, n_samples), 0.7)
        weights[-1] = 0.0 if n_samples > 2 * size else 1.0
    scales = 10.0 ** np.linspace(0, decades, n_features)
    return GlmProblem(loss, X * scales, y, weights, offset, C, fit_intercept)


def _spread_columns(rng: np.random.Generator, n_samples: int, n_features: int) -> Array:
    while True:
        X = rng.normal(size=(n_samples, n_features))
        size = min(n_samples, n_features + 1)
        if np.linalg.cond(np.column_stack([np.ones(size), X[:size]])) < _WORST_CONDITION:
            return X


def fixed_problems(loss: LossDefinition) -> list[GlmProblem]:
    """Return eight small sets: penalised and not, weights, offsets, scales, more columns."""
    # there a gradient may vanish at infinity
    free = np.inf if loss.convex else 1e4
    sets: tuple[dict[str, Any], ...] = (
        {"C": 1.0},
        {"C": free, "n_samples": 14},
        {"C": 1e-3, "weighted": True},
        {"C": 100.0, "with_offset": True},
        {"C": 1.0, "fit_intercept": False},
        {"C": free, "weighted": True, "with_offset": True, "n_samples": 16},
        {"C": 10.0, "n_features": 4, "n_samples": 16, "decades": 3.0},
        {"C": 1.0, "n_features": 1, "n_samples": 6, "decades": -2.0},
    )
    return [random_problem(loss, 100 + seed, **options) for seed, options in enumerate(sets)]


def repeated(problem: GlmProblem) -> GlmProblem:
    """Return the same problem with whole weights written as repeated rows."""
    times = problem.weights.astype(int)
    if np.any(times != problem.weights):
        raise ValueError("only whole weights can be written as repetitions")
    return replace(
        problem,
        X=np.repeat(problem.X, times, axis=0),
        y=np.repeat(problem.y, times),
        offset=np.repeat(problem.offset, times),
        weights=np.ones(times.sum()),
    )
