"""Fits of a fold in which a class has no row: its probability is 0, the limit of the optimum.

Its intercept, which nothing penalises, falls for ever: it is minus infinity.
"""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray
from chainrule.estimators.labels import Labels


def widened(model: Any, classes: Labels, present: npt.NDArray[np.bool_]) -> Any:  # noqa: ANN401
    """Return a model of all classes from one of the present ones, two or more."""
    found = copy.copy(model)
    coef = np.zeros((len(present), model.coef_.shape[1]))
    intercept = np.full(len(present), -np.inf)
    if present.sum() == 2:  # one row of coefficients is the difference of two
        coef[present] = np.concatenate([-model.coef_ / 2, model.coef_ / 2])
        intercept[present] = np.append(-model.intercept_ / 2, model.intercept_ / 2)
    else:
        coef[present], intercept[present] = model.coef_, model.intercept_
    found.classes_, found.coef_, found.intercept_ = classes, coef, intercept
    return found


def lone_intercept(present: npt.NDArray[np.bool_]) -> FloatArray:
    """Return the intercept of a fit to rows of one class."""
    if len(present) == 2:
        return np.array([np.inf if present[1] else -np.inf])
    return np.where(present, 0.0, -np.inf)
