"""The emitted losses against their definitions, in 50 digits and more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from tests.loss_definitions import DEFINITIONS

from chainrule.emission.samples import samples
from chainrule.emission.shipped import SHIPPED
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import TABLE, find_loss

Number = Any
DIGITS = 60


def test_every_loss_has_a_definition_with_the_constants_of_its_entry() -> None:
    assert set(TABLE) == set(DEFINITIONS), "give the loss a row in tests/loss_definitions"
    for name, row in SHIPPED.items():
        defaults = {constant: entry.default for constant, entry in row.constants.items()}
        assert dict(DEFINITIONS[name].constants) == defaults


def precise(function: Callable[..., Number], *arguments: float) -> Number:
    """A value with 40 digits, computed with as many as it takes; 0 if it is below 1e-600."""
    known = None
    for digits in (DIGITS, 2 * DIGITS, 4 * DIGITS, 700, 1400, 9000, 18000):
        with mpmath.workdps(digits):
            try:
                found = function(*(mpmath.mpf(a) for a in arguments))
            except (ValueError, ZeroDivisionError):
                continue
            close = known is not None and abs(found - known) <= mpmath.mpf(10) ** -40 * abs(found)
            if close and (found or digits >= 700):
                return found
            known = found
    return known


def points(row: LossRow, count: int) -> Iterator[tuple[float, float]]:
    z, y = samples(row.targets)
    chosen = np.random.default_rng(0).permutation(len(z))[:count]
    return zip(z[chosen].tolist(), y[chosen].tolist(), strict=True)


@pytest.mark.parametrize("name", TABLE)
def test_the_loss_is_within_its_bound(name: str) -> None:
    row = find_loss(name)
    ratios = []
    for z, y in points(row, 300):
        at = np.array([z]), np.array([y])
        found, bound = row.kernels.terms(*at)[0][0], row.kernels.errors(*at)[0][0]
        true = precise(DEFINITIONS[name].value, z, y)
        if not np.isfinite(bound):
            assert abs(true) > 1e300, (z, y)
            continue
        assert abs(found - true) <= bound, (z, y)
        size = max(abs(found), 1.0, abs(z * y))
        ratios.append(bound / (2.0**-53 * size))
    assert np.median(ratios) < 100


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_are_differences_of_the_definition(name: str, order: int) -> None:
    row = find_loss(name)
    loss = DEFINITIONS[name]
    for z, y in points(row, 60):
        if np.any(loss.is_at_jump(z, y, 1e-9)) or not abs(z) < 800:
            continue
        at = np.array([z]), np.array([y])
        found, bound = row.kernels.terms(*at)[order][0], row.kernels.errors(*at)[order][0]
        if not np.isfinite(bound):
            continue
        with mpmath.workdps(900):
            step = mpmath.mpf(10) ** -100
            a, b = mpmath.mpf(z), mpmath.mpf(y)
            up, here, down = (loss.value(a + k * step, b) for k in (1, 0, -1))
            true = (up - down) / (2 * step) if order == 1 else (up - 2 * here + down) / step**2
            assert abs(found - true) <= bound + mpmath.mpf(10) ** -80 * (abs(true) + 1), (
                z,
                y,
                true,
            )
