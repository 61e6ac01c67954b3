"""`logistic_path`: logistic regression for a whole path of penalties, each point with its proof."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import partial
from time import perf_counter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from chainrule.engine.adaptive import adaptive_factors, pilot_fit, weighted
from chainrule.engine.arrays import FloatArray, is_sparse
from chainrule.engine.class_paths import path_solver
from chainrule.engine.column_screening import needed_columns
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.deviations import standard_deviations
from chainrule.engine.data.frames import (
    coded,
    has_levels,
    is_frame,
    names_of,
    refuse_dates,
    with_plain_columns,
)
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.null_points import deviance_ratio
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.refits import Refits
from chainrule.engine.whole_paths import geometric, path_of
from chainrule.errors import DataError
from chainrule.estimators.coefficient_paths import Path
from chainrule.estimators.functional import as_table
from chainrule.estimators.inputs import (
    are_implied,
    as_labels,
    as_offset,
    as_weights,
    class_weighted,
    codes_of,
    distinct,
    n_cores,
    n_threads,
    threads_of,
)
from chainrule.estimators.inputs import (
    positive as positive_rows,
)
from chainrule.estimators.penalties import adaptive_gamma, check_relax, shape_of, shared_l1_ratio
from chainrule.estimators.relaxed_paths import relaxed_along

Matrix = Any


def logistic_path(
    X: Matrix,
    y: npt.ArrayLike,
    *,
    l1_ratio: float = 1.0,
    n_lambdas: int = 100,
    eps: float | None = None,
    lambdas: npt.ArrayLike | None = None,
    penalty_factor: Any = None,  # noqa: ANN401
    positive: bool = False,
    bounds: Any = None,  # noqa: ANN401
    standardize: bool = False,
    column_groups: Any = None,  # noqa: ANN401
    adaptive: bool | float = False,
    relax: bool = False,
    sample_weight: npt.ArrayLike | None = None,
    class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
    offset: npt.ArrayLike | None = None,
    fit_intercept: bool = True,
    tol: float = 1e-8,
    max_iter: int = 100,
    n_jobs: int | None = None,
) -> Path:
    """Fit logistic regression for a path of penalties, with a proven gap at every point.

    Each point minimises the weighted mean of the losses plus
    ``lambda (r |coef|_1 + (1 - r)/2 |coef|^2)`` for ``r = l1_ratio``: glmnet's objective. Points
    start from the one before.

    Parameters
    ----------
    X : array-like, SciPy sparse matrix or data frame of shape (n_samples, n_features)
    y : array-like of shape (n_samples,)
        Labels of two classes.
    l1_ratio : float, default=1.0
        Share of absolute values in the penalty.
    n_lambdas : int, default=100
        Number of points, in equal ratios from the least strength at which all coefficients are 0.
    eps : float, optional
        The last strength relative to the first: 1e-4, or 1e-2 where columns outnumber rows.
    lambdas : array-like, optional
        Strengths to use instead; they are put in descending order.
    penalty_factor : array-like or dict, optional
        Factors on the strength, by coefficient or by name of a column; 0 for none.
    positive : bool, default=False
        Whether coefficients must be at least 0.
    bounds : tuple of (lower, upper), optional
        Bounds of the coefficients, in the units of the data, with 0 between them.
    standardize : bool, default=False
        Whether the penalty acts on coefficients of columns divided by their standard deviation, as
        glmnet does; coefficients are returned in the units of the data either way.
    column_groups : 'levels', dict or array-like of shape (n_coefficients,), optional
        Groups of columns, by label or by name of a column, whose coefficients leave 0 together:
        the norm of each, times the root of its size, takes the place of absolute values. With
        'levels' the levels of each categorical column are a group. For two classes, no bounds.
    adaptive : bool or float, default=False
        Weight the absolute values in the penalty by ``1 / |pilot|**adaptive``, True for 1: Zou's
        adaptive lasso. The pilot has the penalty ``|coef|^2 / 2`` on the sum of the losses, of
        standardised columns with `standardize`. The factors are `Path.penalty_factor`.
    relax : bool, default=False
        Whether to refit the columns of every point without penalty, as glmnet does: see
        `Path.relaxed` and `Path.mixed`. Bounds are kept.
    sample_weight : array-like of shape (n_samples,), optional
        Non-negative; k means k repetitions of the row.
    class_weight : dict or 'balanced', optional
        Factors on the sample weights, by class.
    offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
        Added to the scores; of one column per class with more than two classes.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    tol : float, default=1e-8
        Relative gap to be proven at every point.
    max_iter : int, default=100
        Largest number of steps per point.
    n_jobs : int, optional
        Threads; -1 for all cores. The answer has the same bits for any number.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        When the data cannot be used.

    Warns
    -----
    RuntimeWarning
        When `tol` is not proven at some point; the path holds the bounds that are. With `relax`,
        also when the columns of a point separate the classes, so that no finite refit exists.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import logistic_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 5))
    >>> y = (X[:, 2] - X[:, 4] + rng.logistic(size=100) > 0).astype(int)
    >>> path = logistic_path(X, y, n_lambdas=20)
    >>> sorted(entry.name for entry in path.entered()[:2])
    ['column 2', 'column 4']
    >>> bool(path.proven.all())
    True
    """
    _check_numbers(n_lambdas, eps, tol, max_iter)
    l1_ratio = shared_l1_ratio(l1_ratio)
    check_relax(relax, (l1_ratio,))
    gamma = adaptive_gamma(adaptive, l1_ratio)
    labels = as_labels(y)
    weights = as_weights(sample_weight, len(labels))
    weights, classes = class_weighted(class_weight, weights, labels, distinct(labels))
    table, names, levels = _rows_of(X)
    if table.shape[0] != len(labels):
        raise DataError(f"X has {table.shape[0]} rows and y {len(labels)} labels: pass one per row")
    n_outputs = 1 if len(classes) == 2 else len(classes)
    shift = as_offset(offset, len(labels), n_outputs)
    rows = positive_rows(weights)
    if rows is not None:
        table, labels, weights = table[rows], labels[rows], weights[rows]
        shift = None if shift is None else shift[rows]
    if isinstance(table, CodedRows):
        table = table.occurring(rows)
        names, levels = list(table.names), table.levels
    source = InMemorySource(
        table,
        codes_of(labels, classes),
        None if are_implied(weights) else weights,
        column_names=names,
        row_numbers=rows,
        offset=shift,
        n_classes=len(classes),
        center=fit_intercept,
        n_threads=n_threads(n_jobs, default=n_cores()),
    )
    shape = shape_of(
        source.n_features,
        l1_ratio,
        penalty_factor,
        bounds,
        positive=positive,
        names=names,
        levels=levels,
        column_groups=column_groups,
    ) or Shape.checked(source.n_features, l1_ratio)
    used, deviations = shape.factors, None
    if standardize:
        deviations = standard_deviations(source)
        shape = shape.standardised(deviations)
    threads = threads_of(n_jobs, source, absolute=True)
    if gamma > 0:
        pilot = pilot_fit(
            source,
            None,
            deviations=deviations,
            fit_intercept=fit_intercept,
            tol=tol,
            max_iter=max_iter,
            n_threads=threads,
        )
        factors = adaptive_factors(pilot, gamma, shape, deviations)
        shape, used = weighted(shape, factors), used * factors
    choose = partial(path_solver, row=None, fit_intercept=fit_intercept, n_threads=threads)
    total = source.total_weight
    if lambdas is None:
        solver = choose(source, shape=shape)
        if not solver.largest > 0:
            raise DataError(
                "no coefficient would leave 0 on this path: all columns are constant, held at 0, "
                "or without penalty. Pass lambdas, or check X and penalty_factor"
            )
        ratio = (1e-4 if source.n_samples > source.n_features else 1e-2) if eps is None else eps
        strengths = geometric(solver.largest, n_lambdas, ratio)
    else:
        strengths = _strengths(lambdas) * total
    needed = None if relax else needed_columns(source, None, shape, float(strengths[-1]))
    if needed is not None:
        solver = choose(source.take_columns(needed), shape=shape.of(needed))
    elif lambdas is not None:
        solver = choose(source, shape=shape)
    points, seconds = path_of(solver, strengths, tol=tol, max_iter=max_iter)
    proven = np.array([point.met for point in points])
    if not proven.all():
        first = int(np.flatnonzero(~proven)[0])
        warnings.warn(
            f"tol={tol:g} is not proven at {int((~proven).sum())} of {len(points)} points; the "
            f"first is lambda={strengths[first] / total:.4g}. {points[first].certificate}",
            RuntimeWarning,
            stacklevel=2,
        )
    null = solver.null_and_least
    relaxed, passes = None, solver.objective.passes + 1
    if relax:
        refits = Refits(
            source,
            None,
            shape,
            fit_intercept=fit_intercept,
            tol=tol,
            max_iter=max_iter,
            n_threads=threads,
        )
        clock = perf_counter()
        relaxed = relaxed_along(
            points,
            refits,
            lambdas=strengths / total,
            null=null,
            n_outputs=n_outputs,
        )
        passes, seconds = passes + refits.passes, seconds + perf_counter() - clock
    coef = np.array([point.point.coef.T for point in points])
    nonzero = np.count_nonzero(coef, axis=(1, 2))
    if needed is not None:
        taken = np.flatnonzero(coef.any(axis=(0, 1)))  # memory of zeros is not touched
        some, coef = coef[:, :, taken], np.zeros((len(points), n_outputs, source.n_features))
        coef[:, :, needed[taken]] = some
        passes *= len(needed) / source.n_features
    intercept = np.array([point.point.intercept for point in points])
    path = Path(
        lambdas=strengths / total,
        Cs=1 / strengths,
        coef=coef[:, 0] if n_outputs == 1 else coef,
        intercept=intercept[:, 0] if n_outputs == 1 else intercept,
        objective=np.array([point.value for point in points]),
        gap=np.array([point.certificate.suboptimality_bound for point in points]),
        relative_gap=np.array([point.certificate.relative_bound for point in points]),
        proven=proven,
        nonzero=nonzero,
        deviance_ratio=np.array([deviance_ratio(null, point.loss) for point in points]),
        classes=classes,
        coef_names=source.column_names,
        l1_ratio=l1_ratio,
        certificates=tuple(point.certificate for point in points),
        n_iter=np.array([point.n_iter for point in points]),
        n_passes=passes,
        seconds=seconds,
        penalty_factor=used,
        relaxed=relaxed,
    )
    for value in (*vars(path).values(), *({} if relaxed is None else vars(relaxed)).values()):
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return path


def _rows_of(X: Matrix) -> tuple[Matrix, list[str] | None, Mapping[str, Any]]:
    """Return X as the engine takes it, names of its columns, and levels of categorical ones."""
    if not is_frame(X) or is_sparse(X):
        return as_table(X), None, {}
    refuse_dates(X)
    X = with_plain_columns(X)
    names = [str(name) for name in names_of(X)]
    if has_levels(X):
        return coded(X), names, {}
    return as_table(X.to_numpy() if hasattr(X, "to_numpy") else X), names, {}


def _strengths(lambdas: npt.ArrayLike) -> FloatArray:
    values = np.asarray(lambdas, dtype=np.float64).ravel()
    if not len(values) or not (np.isfinite(values) & (values > 0)).all():
        raise ValueError(f"lambdas must be finite and positive, not {lambdas!r}")
    return np.sort(values)[::-1].copy()


def _check_numbers(n_lambdas: int, eps: float | None, tol: float, max_iter: int) -> None:
    if isinstance(n_lambdas, bool) or not isinstance(n_lambdas, int | np.integer) or n_lambdas < 1:
        raise ValueError(f"n_lambdas must be an integer >= 1, not {n_lambdas!r}")
    if eps is not None and not 0 < eps < 1:
        raise ValueError(f"eps must lie between 0 and 1, not {eps!r}")
    if not (tol >= 0 and max_iter >= 0):
        raise ValueError(f"tol and max_iter must be >= 0, not {tol!r} and {max_iter!r}")
