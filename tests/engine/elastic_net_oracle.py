"""The optimum of an elastic net in 50 digits: an active-set Newton method from the definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
DIGITS = 50


@dataclass(frozen=True)
class Loss:
    """A loss of one score: its value and two derivatives, for mpmath numbers."""

    value: Callable[[Any, Any], Any]
    slope: Callable[[Any, Any], Any]
    bend: Callable[[Any, Any], Any]


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + mpmath.exp(-z))


LOSSES = {
    "logistic": Loss(
        lambda z, y: mpmath.log1p(mpmath.exp(z)) - y * z,
        lambda z, y: _sigmoid(z) - y,
        lambda z, _: _sigmoid(z) * (1 - _sigmoid(z)),
    ),
    "poisson": Loss(
        lambda z, y: mpmath.exp(z) - y * z,
        lambda z, y: mpmath.exp(z) - y,
        lambda z, _: mpmath.exp(z),
    ),
    "gamma": Loss(
        lambda z, y: y * mpmath.exp(-z) + z,
        lambda z, y: 1 - y * mpmath.exp(-z),
        lambda z, y: y * mpmath.exp(-z),
    ),
}


@dataclass(frozen=True)
class Oracle:
    """sum_i s_i loss(x_i w + b + offset_i, y_i) + sum_j l1_j |w_j| + l2_j w_j^2 / 2, w >= lower."""

    X: Array
    y: Array
    l1: Array
    l2: Array
    loss: str = "logistic"
    weights: Array | None = None
    offset: Array | None = None
    fit_intercept: bool = True
    lower: Array | None = None

    def value(self, coef: Array, intercept: float) -> Any:
        """The objective at a float64 point."""
        with mpmath.workdps(DIGITS):
            theta = [mpmath.mpf(float(v)) for v in [*coef, intercept]]
            return self._value(theta)

    def solve(self) -> tuple[Any, Array, float]:
        """f*, coefficients and intercept: an optimum by the conditions of Karush, Kuhn, Tucker."""
        with mpmath.workdps(DIGITS):
            return self._solve()

    def _rows(self) -> Any:
        n = len(self.y)
        s = np.ones(n) if self.weights is None else self.weights
        o = np.zeros(n) if self.offset is None else self.offset
        for i in range(n):
            x = [mpmath.mpf(float(v)) for v in self.X[i]] + [mpmath.mpf(int(self.fit_intercept))]
            yield x, mpmath.mpf(float(self.y[i])), mpmath.mpf(float(s[i])), mpmath.mpf(float(o[i]))

    def _value(self, theta: list[Any]) -> Any:
        loss = LOSSES[self.loss].value
        total = mpmath.mpf(0)
        for x, y, s, o in self._rows():
            total += s * loss(o + mpmath.fdot(x, theta), y)
        for w, first, second in zip(theta, self.l1, self.l2, strict=False):
            total += mpmath.mpf(float(first)) * abs(w) + mpmath.mpf(float(second)) * w * w / 2
        return total

    def _derivatives(self, theta: list[Any]) -> tuple[list[Any], Any]:
        loss, size = LOSSES[self.loss], len(theta)
        gradient = [mpmath.mpf(0)] * size
        hessian = mpmath.zeros(size, size)
        for x, y, s, o in self._rows():
            z = o + mpmath.fdot(x, theta)
            pull, bend = s * loss.slope(z, y), s * loss.bend(z, y)
            for a in range(size):
                gradient[a] += pull * x[a]
                for b in range(size):
                    hessian[a, b] += bend * x[a] * x[b]
        for j, second in enumerate(self.l2):
            gradient[j] += mpmath.mpf(float(second)) * theta[j]
            hessian[j, j] += mpmath.mpf(float(second))
        return gradient, hessian

    def _solve(self) -> tuple[Any, Array, float]:
        size = self.X.shape[1] + 1
        theta = [mpmath.mpf(0)] * size
        l1 = [mpmath.mpf(float(v)) for v in self.l1] + [mpmath.mpf(0)]
        lower = np.full(size - 1, -np.inf) if self.lower is None else self.lower
        signs = [0] * (size - 1)
        free = {j for j in range(size - 1) if l1[j] == 0 and lower[j] == -np.inf}
        for _ in range(200):
            moving = [j for j in range(size - 1) if signs[j] or j in free]
            moving += [size - 1] * self.fit_intercept
            theta = self._newton(theta, moving, signs, l1)
            gradient, _ = self._derivatives(theta)
            worst, entering = mpmath.mpf(10) ** -35, None
            for j in range(size - 1):
                if signs[j] or j in free:
                    continue
                for sign in (1, -1):
                    if sign < 0 and lower[j] == 0:
                        continue
                    if -sign * gradient[j] - l1[j] > worst:
                        worst, entering = -sign * gradient[j] - l1[j], (j, sign)
            if entering is None:
                coef = np.array([float(w) for w in theta[:-1]])
                return self._value(theta), coef, float(theta[-1])
            signs[entering[0]] = entering[1]
        raise AssertionError("the oracle itself has not converged")

    def _newton(self, theta: list[Any], moving: list[int], signs: list[int], l1: list[Any]) -> Any:
        """Minimise over some coefficients; one that reaches 0 stays there."""
        for _ in range(100):
            gradient, hessian = self._derivatives(theta)
            active = [j for j in moving if j == len(signs) or signs[j] or l1[j] == 0]
            if not active:
                return theta
            pull = mpmath.matrix(
                [gradient[j] + (l1[j] * signs[j] if j < len(signs) else 0) for j in active]
            )
            part = mpmath.matrix([[hessian[a, b] for b in active] for a in active])
            step = mpmath.lu_solve(part, -pull)
            slope = (pull.T * step)[0]
            if -slope < mpmath.mpf(10) ** -70:
                return theta
            length, first = mpmath.mpf(1), None
            for place, j in enumerate(active):
                if j < len(signs) and signs[j] and step[place] * signs[j] < 0:
                    most = -theta[j] / step[place]
                    if most < length:
                        length, first = most, j
            value, noise = self._value(theta), mpmath.mpf(10) ** -45
            while True:
                trial = list(theta)
                for place, j in enumerate(active):
                    trial[j] = theta[j] + length * step[place]
                if first is not None:
                    trial[first] = mpmath.mpf(0)
                if self._value(trial) <= value + abs(value) * noise + length * slope / 10000:
                    break
                length, first = length / 2, None
            if first is not None:
                signs[first] = 0
            theta = trial
        raise AssertionError("the oracle's Newton steps have not converged")
