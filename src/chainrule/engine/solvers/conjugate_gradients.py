"""Preconditioned conjugate gradients for one Newton step (Hestenes and Stiefel 1952)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.objective.products import Products
from chainrule.engine.runtime.native import NativeModule

_vectors = NativeModule("vectors")

Inverse = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Corrected:
    """A diagonal preconditioner, some of whose entries another one takes the place of.

    Attributes
    ----------
    diagonal : ndarray of shape (n_parameters,)
    correct : callable
        (residual, conditioned) -> what that adds to residual @ conditioned, which it changes.
    """

    diagonal: FloatArray
    correct: Callable[[FloatArray, FloatArray], float]


def conjugate_gradients(
    curvature: Products,
    gradient: FloatArray,
    preconditioner: FloatArray | Inverse | Corrected,
    forcing: float,
    max_inner: int,
    in_gap: FloatArray,
    enough: float,
) -> FloatArray:
    """Return about -H^-1 gradient.

    Parameters
    ----------
    curvature : Products
        H; it is told every step, to follow the predictions.
    gradient : ndarray of shape (n_parameters,)
    preconditioner : ndarray of shape (n_parameters,), callable or Corrected
        A positive diagonal, which may be corrected; or a vector -> an approximate inverse of H
        times it.
    forcing : float
        The quadratic rule of Nash and Sofer (1990): stop when an iteration improves the model by
        less than this share of the average improvement.
    max_inner : int
        Largest number of iterations.
    in_gap : ndarray of shape (n_parameters,)
        What the square of each entry of a gradient adds to a bound of f - f*; all zero if nothing.
    enough : float
        Stop also where the gradient that is left bounds f - f* by this.
    """
    solution, residual = np.zeros_like(gradient), -gradient
    if callable(preconditioner):
        conditioned, advance = preconditioner(residual), partial(_advance, preconditioner)
    else:
        plain = preconditioner
        diagonal = plain if isinstance(plain, np.ndarray) else plain.diagonal
        conditioned = residual / diagonal
        advance = partial(_advance, lambda vector: vector / diagonal)
        if curvature.is_compiled:
            advance = partial(_compiled_advance, diagonal)
        if not isinstance(preconditioner, np.ndarray):
            preconditioner.correct(residual, conditioned)
            advance = partial(_corrected_advance, advance, preconditioner)
    direction = conditioned.copy()
    energy = float(residual @ conditioned)
    model, penalised = 0.0, bool(in_gap.any())
    for inner in range(1, max_inner + 1):
        if energy <= 0:
            break
        product = curvature.times(direction)
        bent = float(direction @ product)
        if bent <= 0:
            if inner == 1:
                solution += direction
                curvature.advance(1.0)
            break
        step = energy / bent
        curvature.advance(step)
        fresh, left = advance(step, direction, product, in_gap, solution, residual, conditioned)
        gain = 0.5 * step * energy
        model -= gain
        if (penalised and left <= enough) or inner * gain <= forcing * -model:
            break
        if curvature.is_compiled:
            _vectors.turn(direction, conditioned, fresh / energy)
        else:
            direction *= fresh / energy
            direction += conditioned
        energy = fresh
    return solution


def _advance(
    inverse: Inverse,
    step: float,
    direction: FloatArray,
    product: FloatArray,
    in_gap: FloatArray,
    solution: FloatArray,
    residual: FloatArray,
    conditioned: FloatArray,
) -> tuple[float, float]:
    """Take a step; return residual @ conditioned, and what the residual adds to the gap."""
    solution += step * direction
    residual -= step * product
    conditioned[:] = inverse(residual)
    return float(residual @ conditioned), float(np.square(residual) @ in_gap)


def _compiled_advance(
    preconditioner: FloatArray,
    step: float,
    direction: FloatArray,
    product: FloatArray,
    *vectors: FloatArray,
) -> tuple[float, float]:
    found: tuple[float, float] = _vectors.advance(
        float(step), direction, product, preconditioner, *vectors
    )
    return found


def _corrected_advance(
    advance: Callable[..., tuple[float, float]],
    preconditioner: Corrected,
    step: float,
    *vectors: FloatArray,
) -> tuple[float, float]:
    energy, left = advance(step, *vectors)
    *_, residual, conditioned = vectors
    return energy + preconditioner.correct(residual, conditioned), left
