"""Predictions at new rows with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.distributions import student_quantile
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError


def predicted(
    inference: Coefficients,
    X: Any,  # noqa: ANN401
    level: float,
    offset: npt.ArrayLike | None = None,
) -> Table:
    """Return mean, error of the score, and the interval of the mean at each row."""
    family = inference.model.family
    if family is None or len(inference.terms.outputs) > 1:
        raise DataError("intervals of predictions are for a single score with a distribution")
    if not 0 < level < 1:
        raise DataError(f"level must be between 0 and 1, as 0.95, not {level!r}")
    source = InMemorySource(X, np.zeros(X.shape[0]))
    first = int(inference.model.design.fit_intercept)
    coef = inference.coefficients[0]
    covariance = np.nan_to_num(inference.covariance)
    score, error = np.empty(source.n_samples), np.empty(source.n_samples)
    start = 0
    for index in range(source.n_blocks):
        for rows in source.matrix(index).dense_rows():
            plain = rows * source.column_scale + source.column_shift
            design = np.column_stack([np.ones((len(rows), first)), plain])
            here = slice(start, start + len(rows))
            score[here] = design @ coef
            error[here] = np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
            start = here.stop
    score += _offsets(inference, offset, source.n_samples)
    half = student_quantile((1 + level) / 2, inference.df_residual) * error
    return Table(
        {
            "fitted": family.mean(score),
            "std.error": error,
            "conf.low": family.mean(score - half),
            "conf.high": family.mean(score + half),
        }
    )


def _offsets(
    inference: Coefficients, offset: npt.ArrayLike | None, n_rows: int
) -> FloatArray | float:
    """Return the offsets of new rows: one per row, or one for all."""
    if offset is None:
        if inference.model.design.source.offset is not None:
            raise DataError(
                "the model was fitted with an offset: pass offset= for these rows (offset=0 with "
                "the logarithm of an exposure predicts per unit of exposure)"
            )
        return 0.0
    values = np.asarray(offset, dtype=np.float64)
    if values.shape not in ((), (n_rows,)):
        raise DataError(f"offset has shape {values.shape}, expected ({n_rows},)")
    if not np.isfinite(values).all():
        raise DataError("offset holds a value that is not finite: every row needs a number")
    return values
