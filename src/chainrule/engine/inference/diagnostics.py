"""Influence of single rows and columns on a fit: leverage, Cook's distance, dfbetas, inflation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.covariance import leverages
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.moments import scores_of


@dataclass(frozen=True)
class Influence:
    """The influence of each row, to first order in leaving it out.

    Attributes
    ----------
    leverage : ndarray of shape (n_rows,)
        h_i; their weighted sum is the number of coefficients.
    pearson_residual, standardised_residual : ndarray of shape (n_rows,)
        (y - mu) / sqrt(variance), and that over sqrt(dispersion (1 - h)).
    cooks_distance : ndarray of shape (n_rows,)
        As R's `cooks.distance`.
    dfbeta : ndarray of shape (n_rows, n_coefficients)
        By how much each coefficient falls if one such row is left out: one step of Newton's method.
    """

    leverage: FloatArray
    pearson_residual: FloatArray
    standardised_residual: FloatArray
    cooks_distance: FloatArray
    dfbeta: FloatArray

    def at(self, used: npt.NDArray[np.bool_]) -> Influence:
        """Return one row per row of `used`, with 0 where that is false."""

        def spread(values: FloatArray) -> FloatArray:
            found = np.zeros((len(used), *values.shape[1:]))
            found[used] = values
            return found

        return Influence(*(spread(getattr(self, part.name)) for part in fields(self)))


def influence(model: FittedModel, to_data: FloatArray) -> Influence:
    """Return the influence of each row on a fit of one score.

    Parameters
    ----------
    model : FittedModel
        With a family.
    to_data : ndarray of shape (n_coefficients, n_kept)
        From the parameters that are kept to the coefficients of the data.
    """
    family, inverse = model.family, model.inverse
    assert family is not None
    n_rows, kept = model.moments.n_rows, inverse.kept
    root = np.zeros((len(model.moments.gradient), len(kept)))
    root[kept] = inverse.root
    leverage, pearson = np.empty(n_rows), np.empty(n_rows)
    change = np.empty((n_rows, len(to_data)))
    back = to_data @ inverse.matrix
    for piece in model.estimate.pieces():
        terms = model.estimate.terms(piece)
        h = leverages(piece, terms.curvature[:, 0, 0], root)
        z = model.estimate.scores(piece)[:, 0]
        pearson[piece.rows] = (piece.y - family.mean(z)) / np.sqrt(family.variance(z))
        leverage[piece.rows] = h
        vectors = scores_of(piece.design, terms.slope)[:, kept]
        with np.errstate(divide="ignore", invalid="ignore"):
            change[piece.rows] = -(vectors @ back.T) / (1 - h)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = 1 - leverage
        standard = pearson / np.sqrt(model.dispersion * left)
        cook = standard**2 * leverage / (left * len(kept))
    return Influence(leverage, pearson, standard, cook, change)


def inflation_factors(
    covariance: FloatArray, groups: Sequence[IntArray], intercept: int | None
) -> FloatArray:
    """Return the generalised variance inflation factor of each group of coefficients.

    The determinants' ratio of Fox and Monette (1992), from the correlations of the coefficients;
    for a single column it is the variance inflation factor. The intercept takes no part.

    Parameters
    ----------
    covariance : ndarray of shape (n_coefficients, n_coefficients)
    groups : sequence of ndarray
        The coefficients that belong together: of one column, or of one factor.
    intercept : int or None
        Which coefficient is the intercept.
    """
    every = np.arange(len(covariance))
    used = every if intercept is None else np.delete(every, intercept)
    size = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(size, size)
    whole = _log_determinant(correlation, used)
    found = []
    for group in groups:
        rest = np.setdiff1d(used, group)
        found.append(
            np.exp(
                _log_determinant(correlation, group) + _log_determinant(correlation, rest) - whole
            )
        )
    return np.array(found)


def _log_determinant(table: FloatArray, chosen: IntArray) -> float:
    if not len(chosen):
        return 0.0
    return float(np.linalg.slogdet(table[np.ix_(chosen, chosen)])[1])


PseudoR2 = Mapping[str, float]


def pseudo_r2(log_likelihood: float, null: float, n: float, n_parameters: int) -> dict[str, float]:
    """Return the pseudo R2 that need likelihoods alone.

    >>> round(pseudo_r2(-50.0, -100.0, 200.0, 3)["mcfadden"], 3)
    0.5
    """
    cox_snell = 1 - np.exp(2 * (null - log_likelihood) / n)
    return {
        "mcfadden": 1 - log_likelihood / null,
        "mcfadden.adjusted": 1 - (log_likelihood - n_parameters) / null,
        "cox.snell": float(cox_snell),
        "nagelkerke": float(cox_snell / (1 - np.exp(2 * null / n))),
    }
