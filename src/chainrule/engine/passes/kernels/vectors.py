"""Compiled: sums of products, and what an iteration of conjugate gradients does to its vectors."""

from __future__ import annotations

from chainrule.engine.losses.vectorised import Vector, summing


@summing
def advance(
    step: float,
    direction: Vector,
    product: Vector,
    preconditioner: Vector,
    in_gap: Vector,
    solution: Vector,
    residual: Vector,
    conditioned: Vector,
) -> tuple[float, float]:
    """Take a step; return residual @ conditioned, and the sum of in_gap residual^2."""
    energy, gap = 0.0, 0.0
    for j in range(direction.shape[0]):
        solution[j] += step * direction[j]
        left = residual[j] - step * product[j]
        scaled = left / preconditioner[j]
        residual[j], conditioned[j] = left, scaled
        energy += left * scaled
        gap += left * left * in_gap[j]
    return energy, gap


@summing
def turn(direction: Vector, conditioned: Vector, ratio: float) -> None:
    """Turn a direction to the next conjugate one."""
    for j in range(direction.shape[0]):
        direction[j] = conditioned[j] + ratio * direction[j]


@summing
def leading_dot(left: Vector, right: Vector, size: int) -> float:
    """Return the sum of the products of the leading entries of two vectors."""
    total = 0.0
    for k in range(size):
        total += left[k] * right[k]
    return total
