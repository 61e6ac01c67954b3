"""The Hessian of a softmax problem in some coefficients: products of columns, class by class."""

from __future__ import annotations

import numpy as np

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.rows import RowBlock
from chainrule.engine.losses.classes import SoftmaxLoss
from chainrule.engine.objective.evaluation import Evaluation
from chainrule.engine.objective.gram import chosen_columns
from chainrule.engine.objective.objective import Objective
from chainrule.engine.runtime.executors import Partial


def class_gram(objective: Objective, at: Evaluation, places: IntArray) -> FloatArray:
    """Return the Hessian of a softmax problem in some coefficients, and all intercepts.

    Adding a number to all intercepts changes no prediction: on that direction, where gradients
    vanish, the Hessian is completed to a positive one.

    Parameters
    ----------
    objective : Objective
    at : Evaluation
        Where the curvature is taken.
    places : ndarray of shape (k,)
        Of the coefficients, in ascending order, those of a column side by side.

    Returns
    -------
    ndarray of shape (k + n_classes, k + n_classes)
    """
    n_classes, size = objective.loss.n_outputs, len(places)
    (found,) = objective.sum_at(at, class_block_gram, places)
    corner = found[size:, size:]
    corner += max(float(np.trace(corner)), 1e-300) / n_classes**2
    return found


def class_block_gram(
    objective: Objective, block: RowBlock, raw: FloatArray, places: IntArray
) -> Partial:
    """Return what one block of rows adds to `class_gram`."""
    n_classes, size = objective.loss.n_outputs, len(places)
    columns, of_class = places // n_classes, places % n_classes
    features, place_of = np.unique(columns, return_inverse=True)
    numbers = np.full(objective.source.n_features, -1, dtype=np.intp)
    numbers[features] = np.arange(len(features))
    rows = [np.append(np.flatnonzero(of_class == k), size + k) for k in range(n_classes)]
    taken = [place_of[of_class == k] for k in range(n_classes)]
    assert isinstance(objective.loss, SoftmaxLoss)
    shares, weight = objective.loss.proba(raw), block.sample_weight
    chosen = chosen_columns(block.X, features, numbers)
    table = chosen if isinstance(chosen, np.ndarray) else chosen.toarray()
    ones = np.ones((len(table), 1))
    tables = [np.hstack([table[:, few], ones]) for few in taken]
    square = np.empty((size + n_classes, size + n_classes))
    for k in range(n_classes):
        for other in range(k + 1):
            bend = -shares[:, other]
            if k == other:  # 1 - shares[:, k] with all its digits
                bend = np.delete(shares, k, axis=1).sum(axis=1)
            bend *= weight * shares[:, k]
            product = tables[k].T @ (bend[:, None] * tables[other])
            square[np.ix_(rows[k], rows[other])] = product
            square[np.ix_(rows[other], rows[k])] = product.T
    return (square,)
