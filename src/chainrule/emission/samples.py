"""Scores and targets at which kernels are measured, and true values there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import mpmath
import numpy as np

from chainrule.emission.tape import Place, Tape
from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.facts import Targets
from chainrule.errors import ModelError

_SIZES = (
    1e-300,
    1e-17,
    1e-9,
    1e-4,
    0.1,
    0.5,
    1,
    1.7,
    3,
    6,
    12,
    20,
    36.5,
    41,
    90,
    350,
    700,
    1e3,
    1e4,
)
_STEPS = (1e-12, 1e-5, 0.03, 0.7, 2.3)
_TARGETS = (-1e3, -7.5, -1, -0.3, 0.0, 1e-3, 0.2, 0.5, 1.0, 2.0, 3.0, 7.5, 40.0, 1e3)
DIGITS = 50
_MOST_DIGITS = 12_800
_ENOUGH = 800


def sample_targets(targets: Targets) -> FloatArray:
    """Return targets over the whole of their range."""
    ends = [end for end in (targets.low, targets.high) if np.isfinite(end)]
    inner = np.array(sorted({*_TARGETS, *ends, *targets.values}))
    return inner[targets.holds(inner)]


def sample_scores(y: float) -> FloatArray:
    """Return scores of both signs from 1e-300 to 1e4, and scores near a target."""
    near = [y + side * step for step in _STEPS for side in (-1, 1)]
    if y > 0:
        near += [float(np.log(y)) + side * step for step in _STEPS[:3] for side in (-1, 1)]
    sizes = [side * size for size in _SIZES for side in (-1, 1)]
    return np.array(sorted({0.0, y, *sizes, *near}))


def samples(targets: Targets) -> tuple[FloatArray, FloatArray]:
    """Return scores and targets, two arrays of one length."""
    pairs = [(z, y) for y in sample_targets(targets) for z in sample_scores(float(y))]
    if not pairs:
        raise ModelError(f"none of the usual targets is among {targets}; choose other targets")
    z, y = np.array(pairs).T
    return z, y


def true_values(tape: Tape, roots: Sequence[Place], z: float, y: float) -> list[Any]:
    """Return values with at least 30 true digits, however many it takes to compute them.

    The digits are doubled until two results agree: 1 - exp(-u) at u = 1e-300 takes 600.
    """
    digits = DIGITS
    found: list[Any] | None
    known: list[Any] | None = None
    while digits <= _MOST_DIGITS:
        with mpmath.workdps(digits):
            try:
                values = tape.values({"z": mpmath.mpf(z), "y": mpmath.mpf(y)})
                found = [values[root] for root in roots]
                if not all(isinstance(value, mpmath.mpf) for value in found):
                    found = None  # a logarithm or a root of a negative number
            except (ZeroDivisionError, ValueError):
                found = None
            if found is not None and known is not None and _agree(found, known):
                return found
        if found is None and digits >= _ENOUGH:
            raise ModelError(
                f"the loss, or one of its derivatives, has no value at z = {z:g}, y = {y:g}; a "
                "loss has two derivatives at every score"
            )
        known = found
        digits *= 2
    assert known is not None
    return known


def _agree(found: Sequence[Any], known: Sequence[Any]) -> bool:
    return all(
        abs(a - b) <= mpmath.mpf(10) ** -30 * abs(a) and (a != 0 or mpmath.mp.dps >= 800)
        for a, b in zip(found, known, strict=True)
    )
