"""Bases of smooth functions: B-splines and orthogonal polynomials, fitted and applied."""

from __future__ import annotations

import numpy as np

from chainrule.errors import DataError
from chainrule.formulas.columns import Floats


def fit_splines(
    x: Floats, df: int | None, degree: int, knots: tuple[float, ...] | None, text: str
) -> tuple[float, ...]:
    """Return the knots of B-splines, those at the ends repeated, as R's ``bs`` places them.

    Parameters
    ----------
    x : ndarray
        Without missing values.
    df : int, optional
        The number of columns: the inner knots are at quantiles.
    degree : int
    knots : tuple of float, optional
        The inner knots.
    text : str
        The formula's words, for messages.
    """
    low, high = float(x.min()), float(x.max())
    if not low < high:
        raise DataError(f"{text}: the column is constant, so that no spline goes through it.")
    if knots is None:
        n_inner = (degree if df is None else df) - degree
        if n_inner < 0:
            raise DataError(
                f"{text}: df is {df}, and a spline of degree {degree} has that or more."
            )
        places = np.linspace(0, 1, n_inner + 2)[1:-1]
        inner = np.quantile(x, places)
    else:
        inner = np.sort(np.array(knots, dtype=np.float64))
        if df is not None:
            raise DataError(f"{text}: df and knots both choose the knots. Give one of them.")
    if len(inner) and not (low < inner.min() and inner.max() < high):
        raise DataError(
            f"{text}: an inner knot is not inside the range of the column, from {low:g} to "
            f"{high:g}. Choose fewer columns (df), or other knots."
        )
    ends = [low] * (degree + 1), [high] * (degree + 1)
    return (*ends[0], *(float(k) for k in inner), *ends[1])


def splines(x: Floats, knots: tuple[float, ...], degree: int) -> Floats:
    """Return the B-splines at x, without the first, which the intercept stands for.

    Outside the range of the fit the polynomials of the ends are continued.
    """
    from scipy.interpolate import BSpline  # half a second, for formulas with splines alone

    n_splines = len(knots) - degree - 1
    found = BSpline(np.array(knots), np.eye(n_splines), degree, extrapolate=True)(x)
    return np.asarray(found[:, 1:], dtype=np.float64)


def fit_polynomials(x: Floats, degree: int, text: str) -> tuple[float, ...]:
    """Return the recursion of orthogonal polynomials on x: ``degree`` shifts, then norms."""
    if len(np.unique(x)) <= degree:
        raise DataError(
            f"{text}: the degree is {degree}, and the column has {len(np.unique(x))} different "
            "values: one more than the degree is needed."
        )
    shifts: list[float] = []
    norms: list[float] = [float(len(x))]
    before, now = np.zeros(len(x)), np.ones(len(x))
    for k in range(degree):
        shifts.append(float((x * now**2).sum() / norms[k]))
        ratio = norms[k] / norms[k - 1] if k else 0.0
        before, now = now, (x - shifts[k]) * now - ratio * before
        norms.append(float((now**2).sum()))
    return (*shifts, *norms)


def polynomials(x: Floats, state: tuple[float, ...]) -> Floats:
    """Return orthogonal polynomials at x, of degree 1 and more, of unit length where fitted."""
    degree = (len(state) - 1) // 2
    shifts, norms = state[:degree], state[degree:]
    columns: list[Floats] = []
    before, now = np.zeros(len(x)), np.ones(len(x))
    for k in range(degree):
        ratio = norms[k] / norms[k - 1] if k else 0.0
        before, now = now, (x - shifts[k]) * now - ratio * before
        columns.append(now / np.sqrt(norms[k + 1]))
    return np.column_stack(columns)
