"""Derivatives of one value with respect to another one, such as ``dz_dw`` and ``da_dz``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from chainrule.teaching.marking.code_by_value.factors import Line
from chainrule.teaching.marking.code_by_value.gradients import STEP, Slopes
from chainrule.teaching.marking.code_by_value.numeric import Array

_WAYS = 2
LAYOUT = "a derivative of an array by an array, of which the code does not say the layout"


def compare_local(line: Line, slopes: Slopes, value: Array, of: str, by: str) -> None:
    """Judge a derivative of one value with respect to another one.

    Parameters
    ----------
    line : Line
        Gets the verdict.
    slopes : Slopes
        The values of the code.
    value : ndarray
        What the code computes.
    of, by : str
        The two values; ``of`` is empty for the output.
    """
    losses = {name for name, _ in slopes.walk.losses}
    of = of or next((one for one in reversed(slopes.walk.forward) if one not in losses), "")
    place = slopes.numbers.places.get(by)
    held = slopes.walk.known.get(of)
    if place is None or not isinstance(held, np.ndarray):
        line.why = f"{by if place is None else of} has no value in this code, as far as it is read"
        return
    right = True
    shape = slopes.numbers.seen[place][1].shape
    random = np.random.default_rng(place + 7)
    for _ in range(_WAYS):
        way = random.normal(size=shape)
        ends = [np.asarray(slopes.reading.walk(slopes.seed, place, sign * STEP * way).known[of])
                for sign in (1, -1)]  # fmt: skip
        true = (ends[0] - ends[1]) / (2 * STEP)
        right = right and any(
            one.size == true.size and np.allclose(one.ravel(), true.ravel(), rtol=1e-5, atol=1e-8)
            for one in _applied(value, way)
        )
        if not right and true.size == 1 and way.size == 1 and value.size == 1:
            line.verdict = "wrong"
            line.numbers = (float(value.ravel()[0]), float(true.ravel()[0] / way.ravel()[0]))
            line.why = f"not the derivative of {of} with respect to {by}: {line.numbers[0]:.6g} " \
                       f"against {line.numbers[1]:.6g}"  # fmt: skip
            return
    line.verdict = "proven" if right else "unproven"
    line.why = f"agrees with differences of {of} along random directions of {by}" if right else \
        LAYOUT  # fmt: skip


def _applied(value: Array, way: Array) -> Iterator[Array]:
    """Yield what a derivative makes of a direction, in the layouts that people use."""
    with suppress(ValueError):
        yield np.asarray(value * way)
    for one, other in ((value, way), (way, value), (value.T, way), (way, value.T),
                       (way.T, value), (value, way.T)):  # fmt: skip
        with suppress(ValueError):
            yield np.asarray(np.dot(one, other))


__all__ = ["LAYOUT", "compare_local"]
