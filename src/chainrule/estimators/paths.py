"""`logistic_path`: logistic regression for a whole path of penalties, each point with its proof."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from chainrule.engine.adaptive import adaptive_factors, pilot_fit, weighted
from chainrule.engine.data.deviations import standard_deviations
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.refits import Refits
from chainrule.estimators.coefficient_paths import Path
from chainrule.estimators.inputs import threads_of
from chainrule.estimators.path_points import points_along
from chainrule.estimators.path_rows import path_rows
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
    rows = path_rows(
        X,
        y,
        sample_weight=sample_weight,
        class_weight=class_weight,
        offset=offset,
        fit_intercept=fit_intercept,
        n_jobs=n_jobs,
    )
    source = rows.source
    shape = shape_of(
        source.n_features,
        l1_ratio,
        penalty_factor,
        bounds,
        positive=positive,
        names=rows.names,
        levels=rows.levels,
        column_groups=column_groups,
    ) or Shape.checked(source.n_features, l1_ratio)
    used, deviations = shape.factors, None
    if standardize:
        deviations = standard_deviations(source)
        shape = shape.standardised(deviations)
    choices: dict[str, Any] = {
        "fit_intercept": fit_intercept,
        "tol": tol,
        "max_iter": max_iter,
        "n_threads": threads_of(n_jobs, source, absolute=True),
    }
    if gamma > 0:
        pilot = pilot_fit(source, None, deviations=deviations, **choices)
        factors = adaptive_factors(pilot, gamma, shape, deviations)
        shape, used = weighted(shape, factors), used * factors
    found = points_along(
        source, shape, lambdas, n_lambdas=n_lambdas, eps=eps, all_columns=relax, **choices
    )
    unproven = found.warning(tol)
    if unproven is not None:
        warnings.warn(unproven, RuntimeWarning, stacklevel=2)
    said, seconds, relaxed = found.described(), found.seconds, None
    if relax:
        refits = Refits(source, None, shape, **choices)
        clock = perf_counter()
        relaxed = relaxed_along(
            found.points,
            refits,
            lambdas=found.lambdas,
            null=found.null,
            n_outputs=rows.n_outputs,
        )
        said["n_passes"] += refits.passes
        seconds += perf_counter() - clock
    path = Path(
        **said,
        classes=rows.classes,
        l1_ratio=l1_ratio,
        seconds=seconds,
        penalty_factor=used,
        relaxed=relaxed,
    )
    for value in (*vars(path).values(), *({} if relaxed is None else vars(relaxed)).values()):
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return path


def _check_numbers(n_lambdas: int, eps: float | None, tol: float, max_iter: int) -> None:
    if isinstance(n_lambdas, bool) or not isinstance(n_lambdas, int | np.integer) or n_lambdas < 1:
        raise ValueError(f"n_lambdas must be an integer >= 1, not {n_lambdas!r}")
    if eps is not None and not 0 < eps < 1:
        raise ValueError(f"eps must lie between 0 and 1, not {eps!r}")
    if not (tol >= 0 and max_iter >= 0):
        raise ValueError(f"tol and max_iter must be >= 0, not {tol!r} and {max_iter!r}")
