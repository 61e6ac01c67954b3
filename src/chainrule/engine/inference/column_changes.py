"""Average marginal effects of the columns that a design is computed from.

The features of a formula are not free of each other: a spline of age has several, and `a:b` moves
with a. So the column itself is moved, the design computed again, and the mean change taken: for a
number by a central difference, for a level or a 0/1 column by setting all rows to it. Errors are by
the delta method.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy import special

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.raw_columns import ColumnChange
from chainrule.engine.inference.tables import Table

_ROWS: Final = 2**15


def average_changes(
    inference: Coefficients,
    changes: Iterable[ColumnChange],
    weights: FloatArray,
    offset: FloatArray | None,
) -> Table:
    """Return the mean change of each contrast, class by class for several.

    NaN where a design has no value, or needs a combination of columns that no row of the fit has.

    Parameters
    ----------
    inference : Coefficients
    changes : iterable of ColumnChange
    weights : ndarray of shape (n_rows,)
    offset : ndarray of shape (n_rows,) or (n_rows, n_outputs), or None
    """
    found = [(change, *_moved(inference, change, weights, offset)) for change in changes]
    several = len(inference.terms.outputs) > 1
    outputs = inference.classes if several else ("",)
    names: dict[str, list[str]] = {"y.level": [], "term": [], "contrast": []}
    estimates: list[float] = []
    jacobian: list[FloatArray] = []
    for k, output in enumerate(outputs):
        for change, values, jacobians in found:
            names["y.level"].append(output)
            names["term"].append(change.name)
            names["contrast"].append(change.contrast)
            estimates.append(values[k])
            jacobian.append(jacobians[k])
    rows = np.reshape(jacobian, (len(estimates), inference.coefficients.size))
    estimate = np.where(inference.estimable(rows), np.array(estimates), np.nan)
    variance = np.einsum("ij,jk,ik->i", rows, np.nan_to_num(inference.covariance), rows)
    error = np.where(np.isnan(estimate), np.nan, np.sqrt(np.maximum(variance, 0.0)))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    half = inference.quantile * error
    columns: dict[str, npt.NDArray[Any]] = {
        name: np.array(texts) for name, texts in names.items() if several or name != "y.level"
    }
    return Table(
        columns
        | {
            "estimate": estimate,
            "std.error": error,
            "statistic": statistic,
            "p.value": inference.two_sided(statistic),
            "conf.low": estimate - half,
            "conf.high": estimate + half,
        }
    )


def _moved(
    inference: Coefficients, change: ColumnChange, weights: FloatArray, offset: FloatArray | None
) -> tuple[FloatArray, list[FloatArray]]:
    """Return the mean change of each output, and its Jacobian in the coefficients."""
    values: Any = 0.0
    jacobians: Any = 0.0
    for start in range(0, len(weights), _ROWS):
        rows = np.arange(start, min(start + _ROWS, len(weights)))
        weight = weights[rows] / (weights.sum() * change.length)
        shift = 0.0 if offset is None else offset[rows]
        for is_after, sign in ((True, 1.0), (False, -1.0)):
            X, is_complete = change.design(is_after, rows)
            mean, jacobian = _means(inference, X, sign * weight, shift)
            values = values + (mean if is_complete else np.nan)
            jacobians = jacobians + jacobian
    return np.asarray(values), list(jacobians)


def _means(
    inference: Coefficients,
    X: Any,  # noqa: ANN401
    weight: FloatArray,
    offset: FloatArray | float,
) -> tuple[FloatArray, FloatArray]:
    """Return weighted sums of the means, and of their slopes in the coefficients."""
    first = int(inference.model.design.fit_intercept)
    coef = inference.coefficients
    z = np.asarray(X @ coef[:, first:].T) + (coef[:, 0] if first else 0.0)
    z = z + (offset if np.ndim(offset) == 2 else np.reshape(offset, (-1, 1)))

    def slopes(d: FloatArray) -> FloatArray:
        weighted = d * weight[:, None]
        ends = [weighted.sum(axis=0)[:, None]] if first else []
        return np.hstack([*ends, np.asarray(X.T @ weighted).T]).ravel()

    family = inference.model.family
    if len(inference.terms.outputs) == 1:
        assert family is not None
        return np.array([weight @ family.mean(z[:, 0])]), slopes(family.mean_slope(z))[None]
    base = int(getattr(inference.model.likelihood, "base", 0))
    p = special.softmax(np.insert(z, base, 0.0, axis=1), axis=1)
    others = np.delete(np.arange(p.shape[1]), base)
    parts = [slopes(p[:, [k]] * ((others == k) - p[:, others])) for k in range(p.shape[1])]
    return weight @ p, np.array(parts)
