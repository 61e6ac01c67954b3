"""Relaxed fits along a path: the chosen columns refitted without penalty."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.refits import Refits, is_separated
from chainrule.engine.results import PathPoint


@dataclass(frozen=True, eq=False)
class Relaxed:
    """Fits without penalty of the columns that each point of a path chooses.

    Attributes
    ----------
    coef, intercept : ndarray
        Of the shapes of the path's own. NaN where `separated`.
    objective : ndarray of shape (n_lambdas,)
        The sum of the losses.
    gap, relative_gap : ndarray of shape (n_lambdas,)
        Proven bounds on ``objective - optimum``, and relative to the optimum; inf where nothing is
        proven.
    proven : ndarray of bool, shape (n_lambdas,)
        Whether `relative_gap` is at most the tolerance.
    separated : ndarray of bool, shape (n_lambdas,)
        Whether the chosen columns separate the classes, so that no finite refit exists.
    deviance_ratio : ndarray of shape (n_lambdas,)
        Share of the null deviance that is explained; NaN where `separated`.
    certificates : tuple of Certificate

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import logistic_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> y = X[:, 1] + rng.logistic(size=100) > 0
    >>> path = logistic_path(X, y, n_lambdas=10, relax=True)
    >>> bool(path.relaxed.proven.all())
    True
    >>> bool(abs(path.relaxed.coef[1, 1]) > abs(path.coef[1, 1]))
    True
    """

    coef: FloatArray
    intercept: FloatArray
    objective: FloatArray
    gap: FloatArray
    relative_gap: FloatArray
    proven: BoolArray
    separated: BoolArray
    deviance_ratio: FloatArray
    certificates: tuple[Certificate, ...] = field(repr=False)


def relaxed_along(
    points: Sequence[PathPoint],
    refits: Refits,
    *,
    lambdas: FloatArray,
    null: tuple[float, float],
    n_outputs: int,
) -> Relaxed:
    """Return the refits of the points of a path, with a warning where there is none.

    Parameters
    ----------
    points : sequence of PathPoint
    refits : Refits
    lambdas : ndarray
        Strengths to name in the warning.
    null : tuple of float
        The sum of the losses of the null model, and what remains at the best conceivable fit.
    n_outputs : int
    """
    found = [refits.at(point.point) for point in points]
    separated = np.array([fit is not None and is_separated(fit) for fit in found])
    places = [p.point if f is None else f.point for p, f in zip(points, found, strict=True)]
    coef = np.array([place.coef.T for place in places])
    intercept = np.array([place.intercept for place in places])
    loss = np.array([p.loss if f is None else f.value for p, f in zip(points, found, strict=True)])
    certificates = tuple(
        p.certificate if f is None else f.certificate for p, f in zip(points, found, strict=True)
    )
    met = np.array([p.met if f is None else f.met for p, f in zip(points, found, strict=True)])
    coef[separated], intercept[separated], loss[separated] = np.nan, np.nan, np.nan
    proven = met & ~separated
    if not proven.all():
        _warn(lambdas, separated, proven, certificates)
    start, least = null
    return Relaxed(
        coef[:, 0] if n_outputs == 1 else coef,
        intercept[:, 0] if n_outputs == 1 else intercept,
        loss,
        np.array([certificate.suboptimality_bound for certificate in certificates]),
        np.array([certificate.relative_bound for certificate in certificates]),
        proven,
        separated,
        (start - loss) / (start - least) if start > least else np.zeros(len(loss)),
        certificates,
    )


def _warn(
    lambdas: FloatArray,
    separated: BoolArray,
    proven: BoolArray,
    certificates: Sequence[Certificate],
) -> None:
    """Say where the chosen columns have no finite refit, or none that is proven."""
    said = []
    for places, what in (
        (separated, "have no finite refit, and NaN as relaxed coefficients"),
        (~proven & ~separated, "have a refit that is not proven within tol"),
    ):
        if places.any():
            first = int(np.flatnonzero(places)[0])
            said.append(
                f"{int(places.sum())} of {len(places)} points of the path {what}; the first is "
                f"lambda={lambdas[first]:.4g}: {certificates[first]}"
            )
    warnings.warn(" ".join(said), RuntimeWarning, stacklevel=4)
