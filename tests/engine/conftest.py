"""Oracles from outside the engine: 40-digit arithmetic, written from the definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest

Array = npt.NDArray[Any]
DIGITS = 40


@dataclass(frozen=True)
class Problem:
    """A small problem in 40 digits; classes are 0..n_classes-1."""

    X: Array
    y: Array
    weights: Array
    C: float
    fit_intercept: bool
    n_classes: int

    @property
    def n_outputs(self) -> int:
        return 1 if self.n_classes == 2 else self.n_classes

    def value(self, coef: Array, intercept: Array) -> Any:
        """The objective at a float64 point, in 40 digits. coef is (n_features, n_outputs)."""
        with mpmath.workdps(DIGITS):
            table = [[mpmath.mpf(float(v)) for v in row] for row in coef.T]
            shift = [mpmath.mpf(float(v)) for v in intercept]
            return self._value(table, shift)

    def _value(self, table: list[list[Any]], shift: list[Any]) -> Any:
        total = mpmath.mpf(0)
        for i in range(len(self.X)):
            scores = self._scores(i, table, shift)
            total += mpmath.mpf(float(self.weights[i])) * (
                mpmath.log(mpmath.fsum(mpmath.exp(s) for s in scores)) - scores[int(self.y[i])]
            )
        if np.isfinite(self.C):
            squares = mpmath.fsum(w * w for row in table for w in row)
            total += squares / (2 * mpmath.mpf(self.C))
        return total

    def _scores(self, i: int, table: list[list[Any]], shift: list[Any]) -> list[Any]:
        x = [mpmath.mpf(float(v)) for v in self.X[i]]
        scores = [
            b + mpmath.fsum(w * v for w, v in zip(row, x, strict=True))
            for row, b in zip(table, shift, strict=True)
        ]
        return [mpmath.mpf(0), *scores] if self.n_outputs == 1 else scores

    def solve(self, start: Any = None) -> tuple[Any, Array, Array]:
        """Return f*, coef* (n_features, n_outputs) and intercept*, by damped Newton.

        The optimum is unique, so it does not depend on a start; only the time does.
        """
        with mpmath.workdps(DIGITS):
            return self._solve(start)

    def _solve(self, start: Any) -> tuple[Any, Array, Array]:
        n_features, k = self.X.shape[1], self.n_outputs
        size = n_features + int(self.fit_intercept)
        theta = mpmath.zeros(size * k, 1)
        if start is not None:
            table = np.vstack([start.coef, start.intercept])[:size]
            theta = mpmath.matrix([mpmath.mpf(float(v)) for v in table.T.ravel()])

        def split(at: Any) -> tuple[list[list[Any]], list[Any]]:
            rows = [[at[c * size + j] for j in range(n_features)] for c in range(k)]
            shift = [at[c * size + n_features] if self.fit_intercept else 0 for c in range(k)]
            return rows, [mpmath.mpf(b) for b in shift]

        strength = 1 / mpmath.mpf(self.C) if np.isfinite(self.C) else mpmath.mpf(0)
        for _ in range(100):
            value = self._value(*split(theta))
            gradient, hessian = mpmath.zeros(size * k, 1), mpmath.zeros(size * k, size * k)
            for i in range(len(self.X)):
                scores = self._scores(i, *split(theta))
                total = mpmath.fsum(mpmath.exp(s) for s in scores)
                p = [mpmath.exp(s) / total for s in scores][-k:]
                first = self.n_classes - k
                s = mpmath.mpf(float(self.weights[i]))
                x = [mpmath.mpf(float(v)) for v in self.X[i]] + [mpmath.mpf(1)]
                for c in range(k):
                    residual = s * (p[c] - int(int(self.y[i]) == c + first))
                    for a in range(size):
                        gradient[c * size + a] += residual * x[a]
                    for d in range(k):
                        bend = s * p[c] * (int(c == d) - p[d])
                        for a in range(size):
                            for b in range(size):
                                hessian[c * size + a, d * size + b] += bend * x[a] * x[b]
            for c in range(k):
                for a in range(size):
                    where = c * size + a
                    if a < n_features:
                        gradient[where] += strength * theta[where]
                        hessian[where, where] += strength
                    if k > 1:  # what all outputs share changes no prediction
                        for d in range(k):
                            hessian[where, d * size + a] += 1
            if not any(gradient):
                break
            step = mpmath.lu_solve(hessian, -gradient)
            slope = (gradient.T * step)[0]
            if -slope < mpmath.mpf(10) ** -32 * value:
                break
            length = mpmath.mpf(1)
            while self._value(*split(theta + length * step)) > value + length * slope / 10000:
                length /= 2
                if length < 2**-40:
                    raise AssertionError("the oracle itself has not converged")
            theta = theta + length * step
        rows, shift = split(theta)
        coef = np.array([[float(w) for w in row] for row in rows]).T
        return self._value(rows, shift), coef, np.array([float(b) for b in shift])


@pytest.fixture(scope="session")
def problem() -> Callable[..., Problem]:
    """Build a random small problem of labels with overlap."""

    def build(
        seed: int,
        *,
        n_samples: int = 24,
        n_features: int = 3,
        n_classes: int = 2,
        C: float = 1.0,
        fit_intercept: bool = True,
        weighted: bool = False,
        scales: Array | float = 1.0,
    ) -> Problem:
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(n_samples, n_features))
        truth = rng.normal(size=(n_features, n_classes))
        y = np.argmax(X @ truth + 2 * rng.gumbel(size=(n_samples, n_classes)), axis=1)
        y[:n_classes] = np.arange(n_classes)
        weights = rng.uniform(0.1, 3, size=n_samples) if weighted else np.ones(n_samples)
        return Problem(X * scales, y, weights, C, fit_intercept, n_classes)

    return build
