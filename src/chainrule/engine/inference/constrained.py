"""Optima under constraints: some coefficients held at zero, or the likelihood held at a level."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from scipy import linalg

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.fitted import FittedModel

_STEPS: Final[int] = 60
_CLOSE: Final[float] = 1e-11
_FARTHEST: Final[float] = 1e3
"""How many standard errors away a profile limit is looked for."""


@dataclass(frozen=True)
class ConstrainedFit:
    """The optimum where some parameters are zero.

    Attributes
    ----------
    model : FittedModel
        At that optimum.
    decrement : float
        Newton decrement of the free parameters there: how far from the optimum it may be.
    """

    model: FittedModel
    decrement: float


def at(model: FittedModel, parameters: FloatArray) -> FittedModel:
    """Return the model at other parameters, flattened output by output."""
    shape = model.estimate.parameters.shape
    table = parameters.reshape(shape[1], shape[0]).T
    return replace(model, estimate=replace(model.estimate, parameters=table))


def flat(model: FittedModel) -> FloatArray:
    """Return a copy of the parameters, output by output."""
    return model.estimate.parameters.T.flatten()


def at_zero(model: FittedModel, zeros: IntArray) -> FittedModel:
    """Return the model where the quadratic one has its optimum with some parameters at zero."""
    free = np.setdiff1d(model.inverse.kept, zeros)
    start, information = flat(model), model.moments.information
    if len(free):
        cross = information[np.ix_(free, zeros)] @ start[zeros]
        start[free] += linalg.solve(information[np.ix_(free, free)], cross, assume_a="pos")
    start[zeros] = 0.0
    return at(model, start)


def fit_with_zeros(model: FittedModel, zeros: IntArray) -> ConstrainedFit:
    """Fit again with some parameters held at zero, by Fisher scoring from where they are 0.

    The start is the constrained optimum of the quadratic model at the fit.
    """
    free = np.setdiff1d(model.inverse.kept, zeros)
    here = at_zero(model, zeros)
    decrement = np.inf
    for _ in range(_STEPS):
        if not len(free):
            return ConstrainedFit(here, 0.0)
        moments = here.moments
        gradient = moments.gradient[free]
        step = linalg.solve(moments.information[np.ix_(free, free)], gradient, assume_a="pos")
        reached, decrement = decrement, float(np.sqrt(max(gradient @ step, 0.0)))
        if decrement < _CLOSE or (decrement < 1e-6 and decrement > 0.5 * reached):
            break
        here = _lower(here, free, step)
    return ConstrainedFit(here, decrement)


def _lower(here: FittedModel, free: IntArray, step: FloatArray) -> FittedModel:
    """Return the model a step on, halved until the loss does not rise."""
    base = here.moments.loss
    parameters = flat(here)
    for halvings in range(30):
        moved = parameters.copy()
        moved[free] -= step / 2**halvings
        there = at(here, moved)
        if there.moments.loss <= base + 1e-12 * abs(base):
            return there
    return here


def profile_limit(model: FittedModel, parameter: int, rise: float, sign: int) -> float:
    """Return where the profile of the loss along one parameter has risen by so much.

    Solves: loss = least + rise, all other slopes zero, by Newton's method on both at once (Venzon
    and Moolgavkar 1988), with steps kept within what the quadratic model trusts.

    Parameters
    ----------
    model : FittedModel
        At the optimum.
    parameter : int
    rise : float
    sign : {-1, 1}

    Returns
    -------
    float
        Infinite, with the sign, where the loss never rises so far; NaN if no solution was found.
    """
    inverse, kept = model.inverse, model.inverse.kept
    place = int(np.flatnonzero(kept == parameter)[0])
    direction = inverse.matrix[:, place] / np.sqrt(inverse.matrix[place, place])
    error = float(np.sqrt(inverse.matrix[place, place]))
    least, start = model.moments.loss, flat(model)
    here, length = start.copy(), sign * np.sqrt(2 * rise)
    here[kept] += length * direction
    others = np.delete(np.arange(len(kept)), place)
    for _ in range(_STEPS):
        moments = at(model, here).moments
        excess = moments.loss - least - rise
        gradient, table = moments.gradient[kept], moments.information[np.ix_(kept, kept)]
        if not np.isfinite(excess):
            here = (here + start) / 2
            continue
        system = table.copy()
        system[place] = gradient
        target = np.concatenate([gradient[others]])
        right = np.empty(len(kept))
        right[others], right[place] = target, excess
        try:
            step = linalg.solve(system, right)
        except linalg.LinAlgError:
            return float("nan")
        reach = abs(step[place]) / error
        limit = max(1.0, 0.5 * abs(here[parameter] - start[parameter]) / error)
        if reach > limit:
            step *= limit / reach
        here[kept] -= step
        far = (here[parameter] - start[parameter]) / error
        if abs(far) > _FARTHEST:
            return sign * float("inf")
        if far * sign < 0:  # on the other side of the optimum
            here = start.copy()
            length /= 2
            here[kept] += length * direction
        if abs(step[place]) <= 1e-13 * (abs(here[parameter]) + error) and abs(excess) < 1e-9 * rise:
            return float(here[parameter])
    return float(here[parameter]) if abs(excess) < 1e-8 * rise else float("nan")
