"""Marginal effects: how the mean changes with a column, and the error of that (delta method).

The average marginal effect of a number is the mean slope d mu / d x_j over the rows; of a level, or
of a 0/1 column on request, the mean change of mu when all rows take it. A factor is set as a whole:
no row is ever in two levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.inference.design import Piece
from chainrule.engine.inference.families import Family
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.moments import Estimate
from chainrule.engine.losses.classes import SoftmaxLoss
from chainrule.engine.runtime.executors import Partial


@dataclass(frozen=True)
class Effects:
    """Values and their Jacobian with respect to the parameters.

    Attributes
    ----------
    values : ndarray of shape (n_effects,)
    jacobian : ndarray of shape (n_effects, n_parameters)
    """

    values: FloatArray
    jacobian: FloatArray


def average_slopes(model: FittedModel, family: Family, coef: FloatArray) -> Effects:
    """Return the mean of d mu / d x_j for each column.

    Parameters
    ----------
    model : FittedModel
    family : Family
    coef : ndarray of shape (n_columns,)
        In the units of the data.
    """
    slope, bent = model.estimate.sums_of(_mean_slopes, family)
    n = model.moments.weight
    to_data = model.design.to_data()[int(model.design.fit_intercept) :]
    jacobian = np.outer(coef, bent / n) + to_data * float(slope[0]) / n
    return Effects(coef * float(slope[0]) / n, jacobian)


def average_change(
    model: FittedModel, family: Family, settings: tuple[FloatArray, FloatArray], columns: IntArray
) -> Effects:
    """Return the mean of mu with some columns set to one row of values less that to another.

    Parameters
    ----------
    model : FittedModel
    family : Family
    settings : tuple of ndarray of shape (n_columns_set,)
        From and to, in the units of the design (columns centred).
    columns : ndarray
        Which columns of the design are set.
    """
    found = model.estimate.sums_of(_means_at, family, settings, columns)
    at_low, slope_low, at_high, slope_high = found
    n = model.moments.weight
    return Effects((at_high - at_low) / n, ((slope_high - slope_low) / n)[None, :])


def average_class_change(
    model: FittedModel, base: int, settings: tuple[FloatArray, FloatArray], columns: IntArray
) -> Effects:
    """Return `average_change` of the probability of each class.

    Parameters
    ----------
    model : FittedModel
    base : int
        The class that the others are compared with.
    settings, columns
        As for `average_change`.
    """
    n_classes = model.likelihood.n_outputs + 1
    found = model.estimate.sums_of(_shares_at, base, settings, columns)
    at_low, slope_low, at_high, slope_high = found
    n = model.moments.weight
    return Effects((at_high - at_low) / n, ((slope_high - slope_low) / n).reshape(n_classes, -1))


def average_class_slopes(model: FittedModel, coef: FloatArray, base: int) -> Effects:
    """Return the mean of d p_k / d x_j for each class and column, class by class.

    Parameters
    ----------
    model : FittedModel
    coef : ndarray of shape (n_columns, n_classes - 1)
        Against the base class, in the units of the data.
    base : int
    """
    n_columns, n_classes = coef.shape[0], coef.shape[1] + 1
    values, jacobian, own = model.estimate.sums_of(_class_slopes, coef, base)
    to_data = model.design.to_data()[int(model.design.fit_intercept) :]
    jacobian = jacobian + np.einsum("ka,jt->kjat", own, to_data)
    n = model.moments.weight
    return Effects(values.ravel() / n, jacobian.reshape(n_classes * n_columns, -1) / n)


def _mean_slopes(estimate: Estimate, piece: Piece, family: Family) -> Partial:
    z = estimate.scores(piece)[:, 0]
    slope = piece.weight * family.mean_slope(z)
    bent = piece.weight * family.mean_curvature(z)
    return (np.array([slope.sum()]), bent @ piece.design)


def _means_at(
    estimate: Estimate,
    piece: Piece,
    family: Family,
    settings: tuple[FloatArray, FloatArray],
    columns: IntArray,
) -> Partial:
    found: list[FloatArray] = []
    for setting in settings:
        design = piece.design.copy()
        design[:, columns] = setting
        z = (design @ estimate.parameters + piece.offset)[:, 0]
        slope = piece.weight * family.mean_slope(z)
        found += [np.array([piece.weight @ family.mean(z)]), slope @ design]
    return tuple(found)


def _shares_at(
    estimate: Estimate,
    piece: Piece,
    base: int,
    settings: tuple[FloatArray, FloatArray],
    columns: IntArray,
) -> Partial:
    n_classes = estimate.likelihood.n_outputs + 1
    others = np.delete(np.arange(n_classes), base)
    loss, found = SoftmaxLoss(n_classes), list[FloatArray]()
    for setting in settings:
        design = piece.design.copy()
        design[:, columns] = setting
        z = design @ estimate.parameters + piece.offset
        p = loss.proba(np.insert(z, base, 0.0, axis=1))
        moved = p[:, :, None] * (np.eye(n_classes)[:, others] - p[:, None, others])
        slope = np.einsum("i,ika,it->kat", piece.weight, moved, design, optimize=True)
        found += [piece.weight @ p, slope]
    return tuple(found)


def _class_slopes(estimate: Estimate, piece: Piece, coef: FloatArray, base: int) -> Partial:
    n_columns, n_others = coef.shape
    n_classes, n_terms = n_others + 1, piece.design.shape[1]
    whole = np.insert(coef, base, 0.0, axis=1)
    others = np.delete(np.arange(n_classes), base)
    p = SoftmaxLoss(n_classes).proba(np.insert(estimate.scores(piece), base, 0.0, axis=1))
    lean = whole.T[None] - (p @ whole.T)[:, None]  # beta_kj less its mean, (rows, k, j)
    values = np.einsum("i,ik,ikj->kj", piece.weight, p, lean)
    jacobian = np.empty((n_classes, n_columns, n_others, n_terms))
    own = np.empty((n_classes, n_others))
    for place, a in enumerate(others):
        moved = p * ((np.arange(n_classes) == a) - p[:, [a]])  # d p_k / d z_a
        mean_moved = moved @ whole.T
        factor = moved[:, :, None] * lean - p[:, :, None] * mean_moved[:, None]
        factor *= piece.weight[:, None, None]
        jacobian[:, :, place] = np.einsum("ikj,it->kjt", factor, piece.design, optimize=True)
        own[:, place] = piece.weight @ moved
    return values, jacobian, own
