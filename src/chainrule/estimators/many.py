"""`fit_many`: bootstraps, simulations, one fit per segment, in one call."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray
from chainrule.engine.data.number_arrays import as_numbers
from chainrule.engine.many import ManyFits, Problems, fit_problems
from chainrule.errors import DataError
from chainrule.estimators.inputs import n_cores, n_threads


def fit_many(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    sample_weight: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
    offset: npt.ArrayLike | None = None,
    loss: str | os.PathLike[str] = "logistic",
    C: float = 1.0,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_jobs: int | None = None,
) -> ManyFits:
    """Fit the same model many times, in one compiled loop.

    One fit for each row of `y` or of `sample_weight` (a bootstrap: how often each row was drawn),
    or for each group of rows. Each minimises ``sum_i s_i loss_i + |coef|^2 / (2 C)``.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features)
        Dense numbers.
    y : array-like of shape (n_samples,) or (n_fits, n_samples)
        Targets of the loss; 0 or 1, or booleans, for the logistic one.
    sample_weight : array-like of shape (n_samples,) or (n_fits, n_samples), optional
        Non-negative; k means k repetitions of the row.
    groups : array-like of shape (n_samples,), optional
        What group each row belongs to: one fit per group, in the order of the sorted groups.
    offset : array-like of shape (n_samples,), optional
        Added to the scores as it is.
    loss : str or path
        As `LinearModel` takes it.
    C : float
        Inverse strength of the penalty; ``np.inf`` for none.
    fit_intercept : bool
    tol : float
        A fit aims at (f - f*) / f* below this.
    max_iter : int
    n_jobs : int, optional
        Threads that share the fits; all cores by default.

    Returns
    -------
    ManyFits
        `coef`, `intercept`, `objective`, `expected_gap`, `n_iter`, `names`; `certificate(k)` proves
        fit number k.

    Raises
    ------
    DataError
        When shapes do not agree, or X, y, weights or offset hold what cannot be fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import fit_many
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 3))
    >>> y = X[:, 0] + rng.logistic(size=300) > 0
    >>> drawn = rng.multinomial(300, np.full(300, 1 / 300), size=200)
    >>> fits = fit_many(X, y, sample_weight=drawn)
    >>> fits.coef.shape
    (200, 3)
    >>> fits.certificate(7).proven
    True
    """
    from chainrule.estimators.losses import resolve_loss

    row = resolve_loss(loss)
    table = _numbers(X, "X")
    if table.ndim != 2 or 0 in table.shape:
        raise DataError(f"X must be a table with rows and columns, not of shape {table.shape}")
    n_samples = len(table)
    targets = _tables(y, "y", n_samples)
    weights = _tables(
        np.ones(n_samples) if sample_weight is None else sample_weight, "sample_weight", n_samples
    )
    if (weights < 0).any():
        raise DataError("sample_weight holds a negative number; weights count rows")
    allowed = row.targets.holds(targets)
    if not allowed.all():
        k, i = (int(place[0]) for place in np.nonzero(~allowed))
        raise DataError(f"y is {targets[k, i]:g} in row {i}: the targets of this loss are others")
    if not (C > 0 and tol > 0 and max_iter > 0):
        raise ValueError("C, tol and max_iter must be positive")
    shift = None if offset is None else _tables(offset, "offset", n_samples)[0]
    if groups is None:
        names, order, which = _by_table(targets, weights)
    else:
        names, order, which = _by_group(np.asarray(groups), targets, weights)
    if order is not None:
        table, targets, weights = table[order], targets[:, order], weights[:, order]
        shift = None if shift is None else shift[order]
    for k, (first, last, _, weight) in enumerate(which):
        if not weights[weight, first:last].any():
            raise DataError(f"fit {names[k]} has no row with a positive weight")
    problems = Problems(
        np.ascontiguousarray(table),
        np.ascontiguousarray(targets),
        np.ascontiguousarray(weights),
        shift,
        which,
        row,
        float(C),
        fit_intercept,
        tol,
        max_iter,
    )
    return fit_problems(problems, names, n_threads(n_jobs, default=n_cores()))


def _numbers(values: Any, name: str) -> FloatArray:  # noqa: ANN401
    if hasattr(values, "tocsr"):
        raise DataError(f"{name} is sparse; fit_many takes dense tables: fit these one by one")
    found = as_numbers(values, name).astype(np.float64, copy=False)
    bad = np.argwhere(~np.isfinite(found))
    if len(bad):
        place = ", ".join(str(int(index)) for index in bad[0])
        raise DataError(f"{name} contains {found[tuple(bad[0])]} at [{place}]")
    return found


def _tables(values: Any, name: str, n_samples: int) -> FloatArray:  # noqa: ANN401
    """Return one row for each set of numbers, (n_tables, n_samples)."""
    found = np.atleast_2d(_numbers(values, name))
    if found.ndim != 2 or found.shape[1] != n_samples:
        raise DataError(
            f"{name} has shape {np.shape(values)}; X has {n_samples} rows, so ({n_samples},) or "
            f"(n_fits, {n_samples}) is expected"
        )
    return found


def _by_table(
    targets: FloatArray, weights: FloatArray
) -> tuple[npt.NDArray[Any], None, npt.NDArray[np.int64]]:
    n_fits = max(len(targets), len(weights))
    for name, table in (("y", targets), ("sample_weight", weights)):
        if len(table) not in (1, n_fits):
            raise DataError(f"{name} is for {len(table)} fits, the other for {n_fits}")
    which = np.zeros((n_fits, 4), dtype=np.int64)
    which[:, 1] = targets.shape[1]
    which[:, 2] = np.arange(n_fits) % len(targets)
    which[:, 3] = np.arange(n_fits) % len(weights)
    return np.arange(n_fits), None, which


def _by_group(
    groups: npt.NDArray[Any], targets: FloatArray, weights: FloatArray
) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    if groups.shape != (targets.shape[1],):
        raise DataError(f"groups has shape {groups.shape}; one name per row is expected")
    if len(targets) > 1 or len(weights) > 1:
        raise DataError("with groups, y and sample_weight have one number per row")
    names, codes = np.unique(groups, return_inverse=True)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    which = np.zeros((len(names), 4), dtype=np.int64)
    which[:, 0], which[:, 1] = np.append(0, ends[:-1]), ends
    return names, order, which
