"""The vectorised functions against 50 digits, and compiled kernels against the plain formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit

from chainrule.engine.arrays import UNIT
from chainrule.engine.losses import _emitted, vectorised
from chainrule.engine.losses.compiled import logistic_kernel
from chainrule.engine.runtime.native import NativeModule

RNG = np.random.default_rng(17)
LN2 = float(np.log(2))
SPLIT = 2**0.5 - 1
NEAR = [1 - 1e-15, 1.0, 1 + 1e-15]
EDGES = np.array([k * LN2 / 2 * f for k in (1, 2, 3, 5, 64, 2000) for f in NEAR])
DOWN = -np.concatenate([np.logspace(-20, 2.85, 1500), RNG.uniform(0, 40, 1500), EDGES, [0.0]])
SPLITS = [SPLIT * f for f in NEAR]
UNIT_RANGE = np.concatenate([np.logspace(-300, 0, 1500), RNG.random(1500), SPLITS, [0.0, 1.0]])
BEYOND = np.logspace(0, 300, 1500)
BELOW = -np.concatenate(
    [np.logspace(-300, -0.0001, 1500), RNG.random(1500), [0.29 * f for f in NEAR]]
)
TINY = np.array([5e-324, 1e-310, 2.0**-1022, 2.0**-1022 * (1 - 2.0**-52), 1.7e308])


def looped(function: Callable[..., Any]) -> Callable[..., Any]:
    @njit(error_model="numpy")
    def run(x: Any, out: Any) -> None:
        for i in range(x.shape[0]):
            out[i] = function(x[i])

    return run


BOTH_SIGNS = np.concatenate([DOWN[DOWN > -708], -DOWN[DOWN > -709]])
CASES: dict[str, tuple[Any, Any, Any, float]] = {
    "exp_nonpositive": (vectorised.exp_nonpositive, mpmath.exp, DOWN[DOWN > -708], 2),
    "exp": (vectorised.exp, mpmath.exp, BOTH_SIGNS, 2),
    "log1p_unit": (
        vectorised.log1p_unit,
        mpmath.log1p,
        np.concatenate([UNIT_RANGE, BELOW[BELOW > -0.29]]),
        2,
    ),
    "log1p_nonnegative": (
        vectorised.log1p_nonnegative,
        mpmath.log1p,
        np.concatenate([UNIT_RANGE, BEYOND]),
        2,
    ),
    "log1p": (
        vectorised.log1p,
        mpmath.log1p,
        np.concatenate([UNIT_RANGE, BEYOND, BELOW]),
        vectorised.ERROR,
    ),
    "log": (
        vectorised.log,
        mpmath.log,
        np.concatenate([NEAR, UNIT_RANGE[UNIT_RANGE > 0], BEYOND, 1 + BELOW, 1 + UNIT_RANGE, TINY]),
        vectorised.ERROR,
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_error_stays_within_the_bound(name: str) -> None:
    function, true, points, units = CASES[name]
    found = np.empty(len(points))
    looped(function)(points, found)
    with mpmath.workdps(50):
        for x, computed in zip(points, found, strict=True):
            exact = true(mpmath.mpf(float(x)))
            error = abs(mpmath.mpf(float(computed)) - exact)
            assert error <= units * UNIT * abs(exact), x


@pytest.mark.parametrize("function", [vectorised.exp, vectorised.exp_nonpositive])
def test_below_the_normal_numbers_exp_stays_tiny_and_positive(function: Any) -> None:
    found = np.empty(3)
    looped(function)(np.array([-709.0, -1e4, -np.inf]), found)
    assert (found > 0).all()
    assert (found < 1e-300).all()


def test_above_the_normal_numbers_exp_is_infinite() -> None:
    found = np.empty(3)
    looped(vectorised.exp)(np.array([710.0, 1e4, np.inf]), found)
    assert np.isinf(found).all()


def test_log_has_the_limits_of_numpy() -> None:
    points = np.array([0.0, -0.0, -1.0, -np.inf, np.inf, np.nan])
    found = np.empty(len(points))
    looped(vectorised.log)(points, found)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(found, np.log(points))


def test_the_compiled_formulas_are_the_emitted_ones() -> None:
    raw = np.concatenate([RNG.normal(size=500) * 10, [0.0, -0.0, 700.0, -700.0]])
    y, weight = RNG.integers(0, 2, len(raw)).astype(float), RNG.random(len(raw)) + 0.5
    loss, gradient, hessian = (np.empty(len(raw)) for _ in range(3))
    kernels = NativeModule("chainrule.engine.losses.pointwise")
    kernels.pointwise(logistic_kernel(), raw, y, weight, loss, gradient, hessian)
    close: Any = {"rtol": 1e-14, "atol": 1e-300}
    np.testing.assert_allclose(loss, weight * _emitted.binary_loss(raw, y), **close)
    np.testing.assert_allclose(gradient, weight * _emitted.binary_gradient(raw, y), **close)
    np.testing.assert_allclose(hessian, weight * _emitted.binary_hessian(raw), **close)
    change = RNG.normal(size=len(raw))
    room = np.empty((4, 64))
    total, rise, curve = kernels.line_sums(logistic_kernel(), raw, change, 0.5, y, weight, room)
    there = raw + 0.5 * change
    assert total == pytest.approx(weight @ _emitted.binary_loss(there, y), rel=1e-12)
    assert rise == pytest.approx((weight * change) @ _emitted.binary_gradient(there, y), rel=1e-11)
    assert curve == pytest.approx((weight * change**2) @ _emitted.binary_hessian(there), rel=1e-12)
