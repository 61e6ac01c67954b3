"""The shipped losses against their definitions in sixty digits: kernels, rounding bounds, facts."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from tests.loss_definitions import DEFINITIONS, TARGETS, LossDefinition

table = pytest.importorskip(
    "chainrule.engine.losses.table", reason="chainrule does not ship losses beyond logistic yet"
)

Array = npt.NDArray[Any]

DIGITS: Final = 60
SCORES: Final = (
    *(-1e4, -750.0, -709.5, -300.0, -37.0, -20.1, -7.25, -1.5, -0.1, -1e-8, 0.0),
    *(1e-8, 0.3, 1.0, 2.75, 9.0, 25.0, 36.9, 120.0, 700.0, 1e4),
)

every_loss = pytest.mark.parametrize("loss", DEFINITIONS.values(), ids=str)


def grid(loss: LossDefinition) -> tuple[Array, Array]:
    """Scores and targets, in all combinations; scores close to a target too."""
    near = (-3.0, -1e-3, 1e-9, 0.5)
    pairs = [
        (z, y)
        for y in TARGETS[loss.targets].taken
        for z in (*SCORES, *(y + d for d in near if loss.targets == "real"))
    ]
    z, y = np.array(pairs).T
    return z, y


def exactly(function: Any, z: Array, y: Array) -> list[Any]:
    pairs = zip(z, y, strict=True)
    return [function(mpmath.mpf(float(a)), mpmath.mpf(float(b))) for a, b in pairs]


@every_loss
@pytest.mark.parametrize("order", [0, 1, 2])
def test_no_kernel_is_further_off_than_its_bound(loss: LossDefinition, order: int) -> None:
    row = table.find_loss(loss.name)
    z, y = grid(loss)
    if order == 2 and loss.jumps:
        apart = ~loss.is_at_jump(z, y, 1e-6)
        z, y = z[apart], y[apart]
    with np.errstate(all="ignore"):
        computed, bounds = row.kernels.terms(z, y)[order], row.kernels.errors(z, y)[order]
    with mpmath.workdps(DIGITS):
        truth = exactly((loss.value, loss.first, loss.second)[order], z, y)
        for at, true in enumerate(truth):
            if np.isfinite(bounds[at]):
                is_close = abs(mpmath.mpf(float(computed[at])) - true) <= bounds[at]
            else:
                is_close = abs(true) >= 1e250 or abs(z[at]) > 700
            # the message is built on failure alone: e^(e^10000) is not written out in a moment
            assert is_close, f"z={z[at]}, y={y[at]}: {computed[at]} for {mpmath.nstr(true, 20)}"


@every_loss
def test_least_is_a_lower_bound_and_close(loss: LossDefinition) -> None:
    row = table.find_loss(loss.name)
    if row.kernels.least is None:
        assert not row.facts.has_least
        return
    y = np.array(TARGETS[loss.targets].taken)
    found = row.kernels.least(y)
    with mpmath.workdps(DIGITS):
        for computed, target in zip(found, y, strict=True):
            true = loss.least(mpmath.mpf(float(target)))
            assert float(computed) <= true
            assert true - float(computed) <= 1e-12 * (1 + abs(true) + abs(target))


@every_loss
def test_the_range_of_the_curvature_holds_it(loss: LossDefinition) -> None:
    row = table.find_loss(loss.name)
    z, y = grid(loss)
    for width in (0.0, 0.3, 4.0):
        with np.errstate(all="ignore"):
            low, high = row.kernels.curvature_range(z, z + width, y)
        for share in (0.0, 0.25, 0.9, 1.0):
            at = np.minimum(z + share * width, z + width)
            with mpmath.workdps(DIGITS):
                for true, least, most in zip(exactly(loss.second, at, y), low, high, strict=True):
                    assert float(least) <= true or not np.isfinite(least)
                    assert true <= float(most) or not np.isfinite(most)


@every_loss
def test_facts_hold_where_they_are_sampled(loss: LossDefinition) -> None:
    facts = table.find_loss(loss.name).facts
    rng = np.random.default_rng(11)
    y = rng.choice(TARGETS[loss.targets].taken, 300)
    anywhere, near = rng.uniform(-8, 8, 300), np.clip(y, -50, 50) + rng.normal(size=300)
    z = np.where(rng.uniform(size=300) < 0.5, anywhere, near)
    assert facts.convex <= loss.convex
    with mpmath.workdps(DIGITS):
        for second, at, target in zip(exactly(loss.second, z, y), z, y, strict=True):
            assert second >= 0 or not facts.convex
            low, high = facts.curvature
            assert low <= second <= high
            if facts.self_concordance is not None:
                along = partial(_second_at, loss, mpmath.mpf(float(target)))
                third = mpmath.diff(along, mpmath.mpf(float(at)))
                assert abs(third) <= facts.self_concordance * second * (1 + 1e-12) + 1e-25


def _second_at(loss: LossDefinition, y: Any, z: Any) -> Any:
    return loss.second(z, y)


@every_loss
def test_the_mean_inverts_the_link(loss: LossDefinition) -> None:
    row = table.find_loss(loss.name)
    if row.kernels.link is None:
        pytest.skip(f"{loss.name} has no link")
    z = np.linspace(-4, 2, 13)
    np.testing.assert_allclose(row.kernels.link(row.kernels.mean(z)), z, rtol=1e-12, atol=1e-12)


@every_loss
def test_targets_are_those_of_the_loss(loss: LossDefinition) -> None:
    targets = table.find_loss(loss.name).targets
    assert targets.holds(np.array(TARGETS[loss.targets].taken)).all()
    for y in TARGETS[loss.targets].refused:
        assert not targets.holds(np.array([y]))[0]
