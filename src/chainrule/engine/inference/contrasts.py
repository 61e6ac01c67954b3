"""Comparisons of the levels of a factor, all pairs, with p-values that allow for their number."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.distributions import student_quantile
from chainrule.engine.inference.tables import Table
from chainrule.errors import DataError

ADJUSTMENTS = ("tukey", "holm", "bonferroni", "none")


def pairwise(inference: Coefficients, factor: str, adjust: str) -> Table:
    """Return the differences of the coefficients of all pairs of levels."""
    if adjust not in ADJUSTMENTS:
        raise DataError(f"adjust must be one of {', '.join(ADJUSTMENTS)}, not {adjust!r}")
    if len(inference.terms.outputs) > 1:
        raise DataError("comparisons of levels are for a single score, not for several classes")
    names, rows = _levels(inference, factor)
    pairs = list(combinations(range(len(names)), 2))
    L = np.array([rows[a] - rows[b] for a, b in pairs])
    coef, covariance = inference.coefficients[0], inference.covariance
    estimate, error = np.empty(len(pairs)), np.empty(len(pairs))
    for k, row in enumerate(L):
        used = np.flatnonzero(row)  # a coefficient without error, elsewhere, takes no part
        estimate[k] = row[used] @ coef[used]
        known = np.setdiff1d(used, _references(inference))
        error[k] = np.sqrt(row[known] @ covariance[np.ix_(known, known)] @ row[known])
    if inference.columns is not None and inference.limit is None:
        # A coefficient that was left out is 0 in what the rows determine.
        error = np.sqrt(np.einsum("ij,jk,ik->i", L, np.nan_to_num(covariance), L))
        estimate, error = (
            np.where(inference.estimable(L), values, np.nan) for values in (estimate, error)
        )
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / error
    half = _half_width(inference, len(names), len(pairs), adjust) * error
    return Table(
        {
            "contrast": np.array([f"{names[a]} - {names[b]}" for a, b in pairs]),
            "estimate": estimate,
            "std.error": error,
            "statistic": statistic,
            "p.value": _adjusted(inference, statistic, len(names), adjust),
            "conf.low": estimate - half,
            "conf.high": estimate + half,
        }
    )


def _levels(inference: Coefficients, factor: str) -> tuple[list[str], FloatArray]:
    """Return the levels of a factor, and what each multiplies the coefficients by."""
    first = int(inference.model.design.fit_intercept)
    if inference.columns is not None:
        model = inference.model if inference.limit is None else inference.limit.whole
        weight = np.concatenate([piece.weight for piece in model.estimate.pieces()])
        names, rows = inference.columns.levels(factor, weight)
        return names, np.hstack([np.ones((len(names), first)), rows])
    factors = inference.terms.factors or {}
    if factor not in factors:
        known = ", ".join(factors) or "none: only columns of dtype category are factors"
        raise DataError(f"{factor!r} is not a factor; factors are {known}")
    places = factors[factor]
    names = [inference.terms.level(factor, j) for j in places]
    rows = np.eye(len(inference.terms.names))[list(places)]
    if factor in inference.terms.bases:  # it has coefficient 0
        names.insert(0, inference.terms.bases[factor])
        rows = np.vstack([np.zeros(rows.shape[1]), rows])
    return names, rows


def _references(inference: Coefficients) -> list[int]:
    """Return the coefficients of reference levels: zero, without error."""
    bases = inference.terms.bases
    return [p[0] for name, p in (inference.terms.factors or {}).items() if name not in bases]


def _adjusted(
    inference: Coefficients, statistic: FloatArray, n_levels: int, adjust: str
) -> FloatArray:
    plain, count = inference.two_sided(statistic), len(statistic)
    if adjust == "tukey":
        spread = np.abs(statistic) * np.sqrt(2)
        from scipy.stats import studentized_range  # slow to import

        return np.asarray(studentized_range.sf(spread, n_levels, inference.df_residual))
    if adjust == "bonferroni":
        return np.minimum(plain * count, 1.0)
    if adjust == "holm":
        order = np.argsort(plain)
        found = np.empty(count)
        found[order] = np.maximum.accumulate(plain[order] * (count - np.arange(count)))
        return np.minimum(found, 1.0)
    return plain


def _half_width(inference: Coefficients, n_levels: int, n_pairs: int, adjust: str) -> float:
    df, level = inference.df_residual, inference.level
    if adjust == "tukey":
        from scipy.stats import studentized_range

        return float(studentized_range.ppf(level, n_levels, df)) / float(np.sqrt(2))
    count = 1 if adjust == "none" else n_pairs
    return student_quantile(1 - (1 - level) / (2 * count), df)
