"""Tweedie losses of any power between 1 and 2: the facts are proven, whatever the denominator."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from chainrule.emission.shipped import shipped_loss


@pytest.mark.parametrize("power", [1.01, 1.25, 1.5, 1.7, 1.99, 1.9, 1.1234567, 1.2333333333333334])
def test_the_least_value_is_attained_at_the_log_of_the_target(power: float) -> None:
    row = shipped_loss("tweedie", {"p": power})
    assert row.facts.convex
    assert row.facts.has_least
    constant = row.facts.self_concordance
    assert constant is not None
    assert constant == pytest.approx(max(power - 1, 2 - power), abs=1e-2)
    assert constant >= max(power - 1, 2 - power)
    y = np.array([0.0, 1e-200, 1e-9, 0.3, 1.0, 7.5, 1e6])
    assert row.kernels.least is not None
    found = row.kernels.least(y)
    with mpmath.workdps(40):
        p = mpmath.mpf(repr(power))  # constants mean their decimal digits
        for target, least in zip(y.tolist(), found.tolist(), strict=True):
            true = mpmath.mpf(target) ** (2 - p) * (1 / (p - 1) + 1 / (2 - p))
            assert least <= true
            assert float(true - least) <= 1e-12 * float(true) + 1e-250
