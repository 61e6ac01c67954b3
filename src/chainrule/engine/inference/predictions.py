"""Predictions at new rows with intervals."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError


def predicted(inference: Coefficients, X: Any, level: float) -> Table:  # noqa: ANN401
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
    half = float(stats.t.ppf((1 + level) / 2, inference.df_residual)) * error
    return Table(
        {
            "fitted": family.mean(score),
            "std.error": error,
            "conf.low": family.mean(score - half),
            "conf.high": family.mean(score + half),
        }
    )
