"""The minimum of a quadratic model and a group lasso: block by block, then by Newton steps.

    q v + (v - origin) Q (v - origin) / 2 + sum_g l1_g |v_g|

A block's minimum is exact: with the eigenvalues of its part of Q it is one root of a scalar
equation. Once the blocks that are not 0 stay the same, the sum is smooth there, and Newton steps
end what block steps approach slowly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray

_MOST_SWEEPS: Final[int] = 500
_MOST_ROOT_STEPS: Final[int] = 100
_STUCK: Final[float] = 0.1
"""The share of a violation that one more pass over the blocks should leave at most."""

_FLAT: Final[float] = 1e-14
"""The share of the largest eigenvalue of a block that others are raised to."""


def minimise_groups(
    matrix: FloatArray,
    slope: FloatArray,
    origin: FloatArray,
    blocks: Sequence[IntArray],
    l1: FloatArray,
    unit: FloatArray,
    tolerance: float,
) -> FloatArray:
    """Return the minimum up to a tolerance.

    Parameters
    ----------
    matrix : ndarray of shape (k, k)
        Q, squares of the penalty included.
    slope, origin : ndarray of shape (k,)
        q, the gradient of the smooth part at the origin, and the point it belongs to.
    blocks : sequence of ndarray of int
        The places of each group; they share no place.
    l1, unit : ndarray of shape (n_blocks,)
        Strengths, and what violations are measured in.
    tolerance : float
        The largest violation of the conditions for a minimum, in these units.
    """
    # a power of two takes the curvature near 1, where squares neither overflow nor underflow
    power = np.ldexp(1.0, -int(np.frexp(float(np.diagonal(matrix).max(initial=0.0)))[1]))
    if 0 < power < np.inf:
        matrix, slope, l1, unit = matrix * power, slope * power, l1 * power, unit * power
    factors = [_turned(matrix[np.ix_(places, places)]) for places in blocks]
    v, pull = origin.copy(), slope.copy()
    last = np.inf
    for _ in range(_MOST_SWEEPS):
        worst, is_settled = 0.0, True
        for places, (bends, turn), strength, size in zip(blocks, factors, l1, unit, strict=True):
            here = v[places]
            turned = turn.T @ here
            there = _block_minimum(turn.T @ pull[places] - bends * turned, bends, strength)
            change = there - turned
            moved = float(np.abs(change).max())
            if moved == 0:
                continue
            worst = max(worst, float(np.linalg.norm(bends * change)) / size)
            is_settled &= bool(here.any()) == bool(there.any())
            v[places] = turn @ there if there.any() else 0.0
            pull += matrix[:, places] @ (v[places] - here)
        if worst <= tolerance:
            break
        if is_settled:
            if worst > _STUCK * last:
                break  # rounding: Newton steps have left this much before
            v, pull, has_ended = _newton_steps(matrix, slope, origin, blocks, l1, v, pull)
            last = worst if has_ended else np.inf
    return v


def _turned(block: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the eigenvalues of a block, none next to 0, and its eigenvectors."""
    bends, turn = np.linalg.eigh(block)
    return np.maximum(bends, _FLAT * max(float(bends[-1]), 1e-300)), turn


def _block_minimum(linear: FloatArray, bends: FloatArray, strength: float) -> FloatArray:
    """Return the minimum of linear u + sum bends u^2 / 2 + strength |u|."""
    size = float(np.linalg.norm(linear))
    if size <= strength:
        return np.zeros_like(linear)
    if strength == 0:
        return -linear / bends
    length = 0.0  # |u|: from below, Newton's steps on 1 / |linear / (bends length + strength)| = 1
    for _ in range(_MOST_ROOT_STEPS):
        divisor = bends * length + strength
        share = linear / divisor
        square = float(share @ share)
        if square <= 1:
            break
        rate = float((share * share) @ (bends / divisor))
        step = (np.sqrt(square) - 1) * square / rate
        length += step
        if step <= 1e-16 * length:
            break
    return -length * linear / (bends * length + strength)


def _newton_steps(
    matrix: FloatArray,
    slope: FloatArray,
    origin: FloatArray,
    blocks: Sequence[IntArray],
    l1: FloatArray,
    v: FloatArray,
    pull: FloatArray,
) -> tuple[FloatArray, FloatArray, bool]:
    """Return a better point with the same blocks at 0, and the gradient of the smooth part.

    The last is whether the steps have gone on until rounding ended them.
    """
    active = [(places, s) for places, s in zip(blocks, l1, strict=True) if v[places].any()]
    if not active:
        return v, pull, False
    kept = np.concatenate([places for places, _ in active])
    starts = np.cumsum([0, *(len(places) for places, _ in active)])
    left = np.inf
    for _ in range(20):
        bend, residual = matrix[np.ix_(kept, kept)].copy(), pull[kept].copy()
        for (places, strength), start in zip(active, starts[:-1].tolist(), strict=True):
            here = slice(start, start + len(places))
            size = float(np.linalg.norm(v[places]))
            direction = v[places] / size
            residual[here] += strength * direction
            part = np.eye(len(places)) - np.outer(direction, direction)
            bend[here, here] += strength / size * part
        now = float(np.abs(residual).max())
        if not now < 0.5 * left:
            return v, pull, True
        left = now
        try:
            step = np.linalg.solve(bend, residual)
        except np.linalg.LinAlgError:
            break
        there = v.copy()
        there[kept] -= step
        flips = any(float(there[places] @ v[places]) <= 0 for places, _ in active)
        if flips or not np.isfinite(step).all():
            break  # a block wants to pass through 0: the next sweep decides
        v, pull = there, slope + matrix @ (there - origin)
    return v, pull, False
