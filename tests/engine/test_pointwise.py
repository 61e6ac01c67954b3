"""Our exp and log1p against 50 digits, and the compiled formulas against the plain ones."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit

from chainrule.engine.arrays import UNIT
from chainrule.engine.losses import _emitted, pointwise

RNG = np.random.default_rng(17)
LN2 = float(np.log(2))
SPLIT = 2**0.5 - 1
NEAR = [1 - 1e-15, 1.0, 1 + 1e-15]
EDGES = -np.array([k * LN2 / 2 * f for k in (1, 2, 3, 5, 64, 2000) for f in NEAR])
TO_EXP = np.concatenate([-np.logspace(-20, 2.85, 1500), -RNG.uniform(0, 40, 1500), EDGES, [0.0]])
SPLITS = [SPLIT * f for f in NEAR]
TO_LOG1P = np.concatenate([np.logspace(-300, 0, 1500), RNG.random(1500), SPLITS, [0.0, 1.0]])


@njit(error_model="numpy")
def exp_of(x: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        out[i] = pointwise.exp(x[i])


@njit(error_model="numpy")
def log1p_of(x: Any, out: Any) -> None:
    for i in range(x.shape[0]):
        out[i] = pointwise.log1p(x[i])


@pytest.mark.parametrize(
    ("function", "true", "points"),
    [(exp_of, mpmath.exp, TO_EXP[TO_EXP > -708]), (log1p_of, mpmath.log1p, TO_LOG1P)],
    ids=["exp", "log1p"],
)
def test_the_error_stays_within_the_bound(function: Any, true: Any, points: Any) -> None:
    found = np.empty(len(points))
    function(points, found)
    with mpmath.workdps(50):
        for x, computed in zip(points, found, strict=True):
            exact = true(mpmath.mpf(float(x)))
            assert abs(mpmath.mpf(float(computed)) - exact) <= pointwise.ERROR * UNIT * exact, x


def test_below_the_normal_numbers_exp_stays_tiny_and_positive() -> None:
    found = np.empty(3)
    exp_of(np.array([-709.0, -1e4, -np.inf]), found)
    assert (found > 0).all()
    assert (found < 1e-300).all()


def test_the_compiled_formulas_are_the_emitted_ones() -> None:
    raw = np.concatenate([RNG.normal(size=500) * 10, [0.0, -0.0, 700.0, -700.0]])
    y, weight = RNG.integers(0, 2, len(raw)).astype(float), RNG.random(len(raw)) + 0.5
    loss, gradient, hessian = np.empty((3, len(raw)))
    pointwise.pointwise(raw, y, weight, loss, gradient, hessian)
    close: Any = {"rtol": 1e-14, "atol": 1e-300}
    np.testing.assert_allclose(loss, weight * _emitted.binary_loss(raw, y), **close)
    np.testing.assert_allclose(gradient, weight * _emitted.binary_gradient(raw, y), **close)
    np.testing.assert_allclose(hessian, weight * _emitted.binary_hessian(raw), **close)
    change = RNG.normal(size=len(raw))
    total, rise, curve = pointwise.line_sums(raw, change, 0.5, y, weight)
    there = raw + 0.5 * change
    assert total == pytest.approx(weight @ _emitted.binary_loss(there, y), rel=1e-12)
    assert rise == pytest.approx((weight * change) @ _emitted.binary_gradient(there, y), rel=1e-11)
    assert curve == pytest.approx((weight * change**2) @ _emitted.binary_hessian(there), rel=1e-12)
