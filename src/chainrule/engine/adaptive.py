r"""Adaptive weights of the absolute values in a penalty, from a pilot fit.

    P(w) = sum_j f_j |w_j|,   f_j = 1 / |pilot_j|^gamma

A column with a large pilot coefficient is hardly shrunk, one with a small pilot is soon 0. With a
consistent pilot the choice of columns is consistent, and the coefficients are asymptotically those
of the fit that is told the columns (Zou 2006, The adaptive lasso and its oracle properties). The
squares of an elastic net keep their own factors (Zou and Zhang 2009).

The pilot has an L2 penalty, |coef|^2 / (2 C) beside the sum of the losses, with C = 1: it is finite
for separated classes and collinear columns, and its share vanishes as rows are added.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.elastic_net import fit_elastic_net
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.penalties.groups import GroupShape
from chainrule.engine.results import Fit, refuse_interrupted

PILOT_C: Final[float] = 1.0
"""Inverse strength of the pilot's L2 penalty."""

_LARGEST: Final[float] = 1e100
"""The factor from which a coefficient is held at 0."""


def pilot_fit(
    source: InMemorySource,
    row: LossRow | None,
    *,
    deviations: FloatArray | None = None,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_threads: int = 1,
) -> Fit:
    """Return the pilot fit, in the units of the data.

    Parameters
    ----------
    source : InMemorySource
    row : LossRow or None
        The loss; None for the cross-entropy of the classes.
    deviations : ndarray of shape (n_features,), optional
        Standard deviations by which columns are divided; by default they are taken as they are.
    fit_intercept, tol, max_iter, n_threads
        As in `fit_linear_model`.
    """
    choices: dict[str, Any] = {
        "C": PILOT_C,
        "fit_intercept": fit_intercept,
        "tol": tol,
        "max_iter": max_iter,
        "n_threads": n_threads,
    }
    if deviations is None:
        return refuse_interrupted(fit_linear_model(source, row, **choices))
    shape = Shape.checked(source.n_features, 0.0).standardised(deviations)
    return refuse_interrupted(fit_elastic_net(source, row, shape, **choices))


def adaptive_factors(
    pilot: Fit, gamma: float, shape: Shape, deviations: FloatArray | None = None
) -> FloatArray:
    """Return 1 / |pilot_j|^gamma of each column; inf where that is out of range.

    Columns without penalty have the factor 1.

    With several classes, |pilot_j| is the Euclidean norm of the column's coefficients, and with
    groups that of the group's (Wang and Leng 2008).

    Parameters
    ----------
    pilot : Fit
    gamma : float
    shape : Shape
        The penalty without these factors.
    deviations : ndarray of shape (n_features,), optional
        Standard deviations by which columns are divided.
    """
    size = np.linalg.norm(pilot.point.coef, axis=1)
    if deviations is not None:
        size = size * deviations
    if isinstance(shape, GroupShape):
        size = np.sqrt(np.bincount(shape.labels, size * size))[shape.labels]
    with np.errstate(divide="ignore", over="ignore"):
        factors = size**-gamma
    factors = np.where(factors < _LARGEST, factors, np.inf)
    return np.where(shape.factors > 0, factors, 1.0)


def weighted(shape: Shape, factors: FloatArray) -> Shape:
    """Return a penalty whose absolute values have further factors; inf holds a column at 0."""
    if isinstance(shape, GroupShape):
        return replace(shape, factors=shape.factors * np.minimum(factors, _LARGEST))
    held = np.isinf(factors)
    return replace(
        shape,
        factors=shape.factors * np.where(held, 1.0, factors),
        lower=np.where(held, 0.0, shape.lower),
        upper=np.where(held, 0.0, shape.upper),
    )
