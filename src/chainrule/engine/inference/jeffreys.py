r"""Firth's logistic regression: Jeffreys' prior as the penalty, finite whatever the data.

Maximises log L + 1/2 log |I|, I the information (Firth 1993; Heinze and Schemper 2002). Its slope
is that of the likelihood plus sum_i h_i (1/2 - p_i) x_i, with the leverages h_i. Profile limits
follow the penalised likelihood, its determinant that of all coefficients.

The penalised likelihood draws probabilities towards 1/2. Two corrections (Puhr, Heinze, Nold, Lusa
and Geroldinger 2017): FLIC fits the intercept again by maximum likelihood, all else held; FLAC fits
by maximum likelihood with every row also as two pseudo-rows, one of each label, weight h_i / 2, and
a column that tells them from the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from scipy import linalg, sparse
from scipy.special import expit

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.inference.constrained import at, flat
from chainrule.engine.inference.covariance import leverages
from chainrule.engine.inference.design import Piece
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.runtime.executors import Partial
from chainrule.errors import DataError

_LONGEST: Final[float] = 5.0
_HALVINGS: Final[int] = 30
_SMALL: Final[float] = 1e-12
_STEPS: Final[int] = 60


@dataclass(frozen=True)
class PenalisedFit:
    """A point where the penalised likelihood is stationary.

    Attributes
    ----------
    model : FittedModel
    value : float
        Loss less half the log-determinant of the information.
    decrement : float
        |slope|_{I^-1}: how far from stationary, in standard errors.
    n_iter : int
    """

    model: FittedModel
    value: float
    decrement: float
    n_iter: int


def penalised_value(model: FittedModel) -> float:
    """Return the loss less half the log-determinant of the information."""
    determinant = -2 * float(np.log(np.abs(np.diag(model.inverse.root))).sum())
    return model.moments.loss - determinant / 2


def penalised_gradient(model: FittedModel) -> FloatArray:
    """Return its slope, in the parameters of the design."""
    root = np.zeros((len(model.moments.gradient), len(model.inverse.kept)))
    root[model.inverse.kept] = model.inverse.root

    def part(piece: Piece) -> Partial:
        terms = model.estimate.terms(piece)
        h = leverages(piece, terms.curvature[:, 0, 0], root)
        p = expit(model.estimate.scores(piece)[:, 0])
        return ((piece.weight * h * (0.5 - p)) @ piece.design,)

    return np.asarray(model.moments.gradient - model.estimate.sums(part)[0])


def fit_penalised(
    model: FittedModel, fixed: IntArray | None = None, *, max_iter: int = 200
) -> PenalisedFit:
    """Find where the penalised likelihood is stationary, some parameters held, by Fisher scoring.

    Parameters
    ----------
    model : FittedModel
        Where to start.
    fixed : ndarray, optional
        Parameters to hold where they are.
    max_iter : int
    """
    value, decrement = penalised_value(model), float("inf")
    for iteration in range(max_iter):
        free = model.inverse.kept if fixed is None else np.setdiff1d(model.inverse.kept, fixed)
        if not len(free):
            return PenalisedFit(model, value, 0.0, iteration)
        slope = penalised_gradient(model)[free]
        table = model.moments.information[np.ix_(free, free)]
        step = linalg.solve(table, slope, assume_a="pos")
        reached, decrement = decrement, float(np.sqrt(max(slope @ step, 0.0)))
        if decrement < _SMALL or (decrement < 1e-7 and decrement > 0.9 * reached):
            return PenalisedFit(model, value, decrement, iteration)
        step *= min(1.0, _LONGEST / float(np.abs(step).max()))
        for halving in range(_HALVINGS):
            moved = flat(model)
            moved[free] -= step / 2**halving
            there = at(model, moved)
            new = penalised_value(there)
            if new <= value + 1e-13 * abs(value):
                break
        model, value = there, new
    return PenalisedFit(model, value, decrement, max_iter)


def penalised_limit(best: PenalisedFit, parameter: int, rise: float, sign: int) -> float:
    """Return where the profile of the penalised likelihood has risen by so much.

    Newton's method in the parameter, from the limit of Wald, all others fitted at each step.
    """
    model, inverse = best.model, best.model.inverse
    place = int(np.flatnonzero(inverse.kept == parameter)[0])
    error = float(np.sqrt(inverse.matrix[place, place]))
    here = flat(model)
    here[inverse.kept] += sign * np.sqrt(2 * rise) * inverse.matrix[:, place] / error
    fixed = np.array([parameter])
    for _ in range(_STEPS):
        found = fit_penalised(at(model, here), fixed)
        excess = found.value - best.value - rise
        slope = float(penalised_gradient(found.model)[parameter])
        if abs(excess) < 1e-11 * max(rise, abs(best.value)):
            return float(flat(found.model)[parameter])
        here = flat(found.model)
        step = excess / slope if slope * sign > 0 else -sign * error
        here[parameter] -= float(np.clip(step, -2 * error, 2 * error))
    return float("nan")


def corrected(
    best: PenalisedFit, source: InMemorySource, point: Point, correction: str, *, tol: float
) -> Point:
    """Return the coefficients after FLIC or FLAC, in the units of the data."""
    X, _, offset = source.given
    y, weight = (
        np.concatenate([source.labels(k)[part] for k in range(source.n_blocks)]) for part in (1, 2)
    )
    if correction == "flic":
        scores = _scores(best.model) - float(point.intercept[0])
        return Point(point.coef, np.array([_intercept(scores, y, weight)]))
    if not isinstance(X, np.ndarray) and not sparse.issparse(X):
        raise DataError("penalty='jeffreys-flac' takes columns of numbers: encode categories first")
    root = np.zeros((len(best.model.moments.gradient), len(best.model.inverse.kept)))
    root[best.model.inverse.kept] = best.model.inverse.root
    h = np.concatenate(
        [
            leverages(piece, best.model.estimate.terms(piece).curvature[:, 0, 0], root)
            for piece in best.model.estimate.pieces()
        ]
    )
    pseudo = np.concatenate([np.zeros(len(y)), np.ones(2 * len(y))])[:, None]
    rows: Any
    if isinstance(X, np.ndarray):
        rows = np.hstack([np.vstack([X, X, X]), pseudo])
    else:
        rows = sparse.csr_array(sparse.hstack([sparse.vstack([X, X, X]), pseudo]))
    half = weight * h / 2
    fit = fit_linear_model(
        InMemorySource(
            rows,
            np.concatenate([y, y, 1 - y]),
            np.concatenate([weight, half, half]),
            offset=None if offset is None else np.vstack([offset] * 3),
        ),
        C=np.inf,
        tol=tol,
    )
    return Point(fit.point.coef[:-1], fit.point.intercept)


def _scores(model: FittedModel) -> FloatArray:
    return np.concatenate([model.estimate.scores(piece)[:, 0] for piece in model.estimate.pieces()])


def _intercept(scores: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Return the intercept of maximum likelihood for known parts of the scores."""
    found = 0.0
    for _ in range(100):
        p = expit(scores + found)
        step = float(weight @ (y - p)) / float(weight @ (p * (1 - p)))
        found += float(np.clip(step, -_LONGEST, _LONGEST))
        if abs(step) < 1e-14 * (1 + abs(found)):
            break
    return found
