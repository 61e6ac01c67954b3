"""Adversarial fits against Newton's method in 60 digits: what is proven must be true.

Columns and weights over many orders of magnitude, separated classes, duplicated and collinear
columns, constant columns, strong and weak penalties. A fit ends in a proof that the referee
confirms, in a warning, or in an error with a place.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from random import Random
from typing import Any

import mpmath
import numpy as np

from chainrule import LogisticRegression
from chainrule.errors import ChainruleError

_DIGITS = 60
_ROUNDS = 400


def case(rng: Random, folder: Path) -> str:
    """Fit a small problem and compare its certificate with the truth."""
    X, y, weights, C = _problem(rng)
    model = LogisticRegression(C=C, tol=rng.choice([1e-4, 1e-8, 1e-10]))
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            model.fit(X, y, sample_weight=weights)
        except (ChainruleError, ValueError):
            return "refused"
    coef, intercept = model.coef_[0], float(model.intercept_[0])
    assert np.isfinite(coef).all(), coef
    assert math.isfinite(intercept), intercept
    proba = model.predict_proba(X)
    assert not np.isnan(proba).any()
    certificate = model.certificate_
    if certificate.kind == "separation":
        assert said or math.isinf(C), certificate
        return "separated"
    bound = certificate.suboptimality_bound
    if not certificate.proven:
        assert said, f"neither proven nor warned of: {certificate}"
        return "warned of"
    with mpmath.workdps(_DIGITS):
        here = _objective(X, y, weights, C, [*coef, intercept])
        least = _least(X, y, weights, C, [*coef, intercept])
        if least is None:
            return "proven, not judged"
        gap = here - least
        assert gap <= mpmath.mpf(bound) * (1 + mpmath.mpf(10) ** -12), (
            f"proven to {bound:.3g}, but the objective is {mpmath.nstr(gap, 5)} above the least"
        )
    return "proven and true"


def _problem(rng: Random) -> tuple[Any, Any, Any, float]:
    n, p = rng.randint(4, 14), rng.randint(1, 3)
    random = np.random.default_rng(rng.randrange(2**32))
    X = random.normal(size=(n, p))
    if rng.random() < 0.2:
        X = np.round(X)
    if p > 1 and rng.random() < 0.25:
        X[:, 1] = X[:, 0] * rng.choice([1.0, -2.0, 1 + 1e-9]) + rng.choice([0.0, 1.0, 1e-8])
    if rng.random() < 0.1:
        X[:, 0] = rng.choice([0.0, 1.0, 1e6])
    scales = [10.0 ** rng.choice([0, 0, 0, 3, -3, 8, -8, 30, -30, 100, -100]) for _ in range(p)]
    shifts = [rng.choice([0.0, 0.0, 1.0, 1e4, 1e8]) for _ in range(p)]
    X = (X + shifts) * scales
    z = (X[:, 0] / scales[0] - shifts[0]) * rng.choice([0.0, 1.0, 3.0, 50.0])
    y = (random.random(n) < 1 / (1 + np.exp(-np.clip(z, -500, 500)))).astype(int)
    y[:2] = [0, 1]
    weights = None
    if rng.random() < 0.4:
        weights = 10.0 ** random.uniform(-1, 1, n) * rng.choice([1.0, 1e-10, 1e10, 1e-100, 1e100])
        if rng.random() < 0.3:
            weights[rng.randrange(2, n)] = 0.0
    C = rng.choice([1.0, 1.0, 1e-6, 1e-3, 1e3, 1e6, 1e12, math.inf])
    return X, y, weights, C


def _objective(X: Any, y: Any, weights: Any, C: float, at: list[Any]) -> Any:
    """Return sum of weights times losses, plus |coef|^2 / (2 C), in many digits."""
    coef, intercept = [mpmath.mpf(float(w)) for w in at[:-1]], mpmath.mpf(float(at[-1]))
    return _value(*_exact(X, weights), y, C, [*coef, intercept])


def _exact(X: Any, weights: Any) -> tuple[list[list[Any]], list[Any]]:
    rows = [[mpmath.mpf(float(v)) for v in row] for row in X]
    return rows, [mpmath.mpf(1 if weights is None else float(weights[i])) for i in range(len(rows))]


def _value(rows: list[list[Any]], w: list[Any], y: Any, C: float, at: list[Any]) -> Any:
    total = mpmath.mpf(0)
    if math.isfinite(C):
        total += mpmath.fsum(v * v for v in at[:-1]) / (2 * mpmath.mpf(C))
    for row, weight, label in zip(rows, w, y, strict=True):
        z = mpmath.fdot(row, at[:-1]) + at[-1]
        total += weight * mpmath.log1p(mpmath.exp(-z if label else z))
    return total


def _least(X: Any, y: Any, weights: Any, C: float, start: list[Any]) -> Any:
    """Return the least objective by damped Newton steps from the fit; None if it is not reached.

    Each system is solved in units in which its diagonal is 1.
    """
    rows, w = _exact(X, weights)
    p = len(rows[0])
    at = [mpmath.mpf(float(v)) for v in start]
    value = _value(rows, w, y, C, at)
    for _ in range(_ROUNDS):
        gradient, H = mpmath.zeros(p + 1, 1), mpmath.zeros(p + 1, p + 1)
        if math.isfinite(C):
            for j in range(p):
                gradient[j] += at[j] / C
                H[j, j] += 1 / mpmath.mpf(C)
        for row, weight, label in zip(rows, w, y, strict=True):
            z = mpmath.fdot(row, at[:-1]) + at[-1]
            mean = 1 / (1 + mpmath.exp(-z))
            features = [*row, mpmath.mpf(1)]
            for j in range(p + 1):
                gradient[j] += weight * (mean - int(label)) * features[j]
                for k in range(p + 1):
                    H[j, k] += weight * mean * (1 - mean) * features[j] * features[k]
        units = [1 / mpmath.sqrt(H[j, j]) if H[j, j] > 0 else mpmath.mpf(1) for j in range(p + 1)]
        for j in range(p + 1):
            gradient[j] *= units[j]
            for k in range(p + 1):
                H[j, k] *= units[j] * units[k]
        try:
            step = mpmath.lu_solve(H, -gradient)
        except ZeroDivisionError:
            return None
        decrement = -mpmath.fdot(list(gradient), list(step))
        if decrement < 0:
            return None
        if decrement <= mpmath.mpf(10) ** -40 * value:
            return value - decrement
        t = mpmath.mpf(1)
        while t > mpmath.mpf(10) ** -20:
            there = [a + t * s * u for a, s, u in zip(at, step, units, strict=True)]
            new = _value(rows, w, y, C, there)
            if new <= value - t * decrement / 4:
                break
            t /= 2
        else:
            return None
        at, value = there, new
    return None
