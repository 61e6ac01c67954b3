"""`PoissonRegressor`, `GammaRegressor`, `TweedieRegressor`: scikit-learn's, with a certificate."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any, Final, Literal

from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.table import find_loss
from chainrule.errors import DataError
from chainrule.estimators.losses import resolve_loss
from chainrule.estimators.regressors import LinearRegressor, checked_alpha

_NAMED: Final[Mapping[float, str]] = {
    0.0: "squared",
    1.0: "poisson",
    2.0: "gamma",
    3.0: "inverse_gaussian",
}
"""Losses whose power has a name."""


class GeneralizedLinearRegressor(LinearRegressor):
    """Base class of generalised linear models: half deviances, averaged, and an L2 penalty."""

    alpha: float

    def __init__(
        self,
        *,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-8,
        warm_start: bool = False,
        verbose: int | None = None,
        n_jobs: int | None = None,
        l1_ratio: float = 0.0,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
    ) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.l1_ratio = l1_ratio
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups

    def _inverse_strength(self, total_weight: float) -> float:
        """Return C, the inverse strength of the penalty; inf for none."""
        return checked_alpha(self.alpha, total_weight)

    def _needs_positive_targets(self) -> bool:
        return True


class PoissonRegressor(GeneralizedLinearRegressor):
    """Poisson regression of counts or rates, with a logarithmic link.

    Minimises the mean of ``exp(z) - y z`` plus ``alpha/2 |coef|^2``. The targets are >= 0. For
    counts over different exposures, give the logarithm of the exposure as offset.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 for none.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    solver : str, default='auto'
        As in `LogisticRegression`; scikit-learn's 'lbfgs' means 'auto'.
    max_iter : int, default=100
        Largest number of solver iterations.
    tol : float, default=1e-8
        The fit stops once ``(f - f*) / (f* - least)`` is proven to be at most this. scikit-learn's
        tol bounds the gradient instead.
    warm_start : bool, default=False
        Start from the last fit's coefficients if their shape still fits.
    verbose : int or None, default=None
        None draws a bar in a terminal once a fit takes more than two seconds; 0 is silent;
        positive prints one line per iteration.
    n_jobs : int or None, default=None
        Threads, -1 for all cores; None is all cores where the passes are compiled, and else one.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty, as in `LogisticRegression`; 1 is the lasso.
    penalty_factor : array-like of shape (n_coefficients,) or dict, optional
        Factors on the strength of the penalty, by coefficient, or by name of a column; 0 for none.
        A fit with a 0 is proven for self-concordant losses alone; see `LinearModel`.
    positive : bool, default=False
        Whether coefficients must be at least 0.
    bounds : tuple of (lower, upper), optional
        Bounds of the coefficients: numbers, arrays, dicts by name of a column, or None. They must
        hold 0 between them.
    adaptive : bool or float, default=False
        Weight the absolute values in the penalty by ``1 / |pilot|**adaptive``, True for 1, with
        the coefficients of a pilot fit whose penalty is ``|coef|^2 / 2`` on the sum of the losses:
        Zou's adaptive lasso.
    column_groups : 'levels', dict or array-like of shape (n_coefficients,), optional
        Groups of columns, by label or by name of a column, whose coefficients are 0 together: the
        norm of each, times the root of its size, takes the place of absolute values (the group
        lasso). With 'levels' the levels of each categorical column are a group. Not with bounds.

    Attributes
    ----------
    penalty_factor_ : ndarray of shape (n_coefficients,)
        With `adaptive`: the factors on the absolute values that were used, `penalty_factor`
        included; inf where the pilot is 0, which holds a coefficient at 0.
    coef_ : ndarray of shape (n_coefficients,)
        Changes of the log mean; one per column, or per level of a categorical column.
    intercept_ : float
    certificate_ : Certificate
        What is proven of the fit; print it.
    objective_ : float
        ``sum_i s_i loss_i + |coef|^2 / (2 C)`` at the fit.

    See Also
    --------
    LinearModel : Any other loss; lists the other attributes.

    Notes
    -----
    The objective is the weighted mean of the half deviances plus ``alpha/2 |coef|^2``, as in
    scikit-learn: the engine's ``C`` is ``1 / (alpha * sum of weights)``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]])
    >>> model = PoissonRegressor().fit(X, [12, 17, 22, 21])
    >>> model.predict([[1.0, 1.0]]).round(3)
    array([10.676])
    """

    def _loss_row(self) -> LossRow:
        """Return the Poisson loss."""
        return find_loss("poisson")


class GammaRegressor(GeneralizedLinearRegressor):
    """Gamma regression of positive amounts, with a logarithmic link.

    Minimises the mean of ``y exp(-z) + z`` plus ``alpha/2 |coef|^2``. The targets are > 0.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty; 0 for none.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    solver : str, default='auto'
        As in `LogisticRegression`; scikit-learn's 'lbfgs' means 'auto'.
    max_iter : int, default=100
        Largest number of solver iterations.
    tol : float, default=1e-8
        The fit stops once ``(f - f*) / (f* - least)`` is proven to be at most this. scikit-learn's
        tol bounds the gradient instead.
    warm_start : bool, default=False
        Start from the last fit's coefficients if their shape still fits.
    verbose : int or None, default=None
        None draws a bar in a terminal once a fit takes more than two seconds; 0 is silent;
        positive prints one line per iteration.
    n_jobs : int or None, default=None
        Threads, -1 for all cores; None is all cores where the passes are compiled, and else one.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty, as in `LogisticRegression`; 1 is the lasso.
    penalty_factor : array-like of shape (n_coefficients,) or dict, optional
        Factors on the strength of the penalty, by coefficient, or by name of a column; 0 for none.
        A fit with a 0 is proven for self-concordant losses alone; see `LinearModel`.
    positive : bool, default=False
        Whether coefficients must be at least 0.
    bounds : tuple of (lower, upper), optional
        Bounds of the coefficients: numbers, arrays, dicts by name of a column, or None. They must
        hold 0 between them.
    adaptive : bool or float, default=False
        Weight the absolute values in the penalty by ``1 / |pilot|**adaptive``, True for 1, with
        the coefficients of a pilot fit whose penalty is ``|coef|^2 / 2`` on the sum of the losses:
        Zou's adaptive lasso.
    column_groups : 'levels', dict or array-like of shape (n_coefficients,), optional
        Groups of columns, by label or by name of a column, whose coefficients are 0 together: the
        norm of each, times the root of its size, takes the place of absolute values (the group
        lasso). With 'levels' the levels of each categorical column are a group. Not with bounds.

    Attributes
    ----------
    penalty_factor_ : ndarray of shape (n_coefficients,)
        With `adaptive`: the factors on the absolute values that were used, `penalty_factor`
        included; inf where the pilot is 0, which holds a coefficient at 0.
    coef_ : ndarray of shape (n_coefficients,)
        Changes of the log mean; one per column, or per level of a categorical column.
    intercept_ : float
    certificate_ : Certificate
        What is proven of the fit; print it.
    objective_ : float
        ``sum_i s_i loss_i + |coef|^2 / (2 C)`` at the fit.

    See Also
    --------
    LinearModel : Any other loss; lists the other attributes.

    Notes
    -----
    The objective is the weighted mean of the half deviances plus ``alpha/2 |coef|^2``, as in
    scikit-learn: the engine's ``C`` is ``1 / (alpha * sum of weights)``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]])
    >>> model = GammaRegressor().fit(X, [19.0, 26.0, 33.0, 30.0])
    >>> model.predict([[1.0, 0.0]]).round(3)
    array([19.491])
    """

    def _loss_row(self) -> LossRow:
        """Return the gamma loss."""
        return find_loss("gamma")


class TweedieRegressor(GeneralizedLinearRegressor):
    """Tweedie regression: a variance proportional to a power of the mean.

    Minimises the mean of the half unit deviances of the power plus ``alpha/2 |coef|^2``.

    Parameters
    ----------
    power : float, default=0.0
        The variance is proportional to ``mean ** power``: 0 is the squared loss, 1 Poisson, between
        1 and 2 compound Poisson-gamma (amounts >= 0 with many zeros), 2 gamma, 3 inverse Gaussian.
        The losses of power 3, and of power 0 with a logarithmic link, are not convex: the fit is a
        local minimum, and the certificate claims no more. Other powers are refused.
    alpha : float, default=1.0
        Strength of the penalty; 0 for none.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    link : {'auto', 'identity', 'log'}, default='auto'
        'auto' is the identity for power 0 and the logarithm else.
    solver : str, default='auto'
        As in `LogisticRegression`; scikit-learn's 'lbfgs' means 'auto'.
    max_iter : int, default=100
        Largest number of solver iterations.
    tol : float, default=1e-8
        The fit stops once ``(f - f*) / (f* - least)`` is proven to be at most this. scikit-learn's
        tol bounds the gradient instead.
    warm_start : bool, default=False
        Start from the last fit's coefficients if their shape still fits.
    verbose : int or None, default=None
        None draws a bar in a terminal once a fit takes more than two seconds; 0 is silent;
        positive prints one line per iteration.
    n_jobs : int or None, default=None
        Threads, -1 for all cores; None is all cores where the passes are compiled, and else one.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty, as in `LogisticRegression`; 1 is the lasso.
    penalty_factor : array-like of shape (n_coefficients,) or dict, optional
        Factors on the strength of the penalty, by coefficient, or by name of a column; 0 for none.
        A fit with a 0 is proven for self-concordant losses alone; see `LinearModel`.
    positive : bool, default=False
        Whether coefficients must be at least 0.
    bounds : tuple of (lower, upper), optional
        Bounds of the coefficients: numbers, arrays, dicts by name of a column, or None. They must
        hold 0 between them.
    adaptive : bool or float, default=False
        Weight the absolute values in the penalty by ``1 / |pilot|**adaptive``, True for 1, with
        the coefficients of a pilot fit whose penalty is ``|coef|^2 / 2`` on the sum of the losses:
        Zou's adaptive lasso.
    column_groups : 'levels', dict or array-like of shape (n_coefficients,), optional
        Groups of columns, by label or by name of a column, whose coefficients are 0 together: the
        norm of each, times the root of its size, takes the place of absolute values (the group
        lasso). With 'levels' the levels of each categorical column are a group. Not with bounds.

    Attributes
    ----------
    penalty_factor_ : ndarray of shape (n_coefficients,)
        With `adaptive`: the factors on the absolute values that were used, `penalty_factor`
        included; inf where the pilot is 0, which holds a coefficient at 0.
    coef_ : ndarray of shape (n_coefficients,)
        Changes of the score; one per column, or per level of a categorical column.
    intercept_ : float
    certificate_ : Certificate
        What is proven of the fit; print it.
    objective_ : float
        ``sum_i s_i loss_i + |coef|^2 / (2 C)`` at the fit.

    See Also
    --------
    LinearModel : Any other loss; lists the other attributes.

    Notes
    -----
    The objective is the weighted mean of the half deviances plus ``alpha/2 |coef|^2``, as in
    scikit-learn: the engine's ``C`` is ``1 / (alpha * sum of weights)``.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0], [4.0, 3.0]])
    >>> model = TweedieRegressor(power=1.5).fit(X, [2.0, 3.5, 5.0, 5.5])
    >>> model.predict([[1.0, 1.0]]).round(3)
    array([2.246])
    """

    def __init__(
        self,
        *,
        power: float = 0.0,
        alpha: float = 1.0,
        fit_intercept: bool = True,
        link: Literal["auto", "identity", "log"] = "auto",
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-8,
        warm_start: bool = False,
        verbose: int | None = None,
        n_jobs: int | None = None,
        l1_ratio: float = 0.0,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
    ) -> None:
        super().__init__(
            alpha=alpha,
            fit_intercept=fit_intercept,
            solver=solver,
            max_iter=max_iter,
            tol=tol,
            warm_start=warm_start,
            verbose=verbose,
            n_jobs=n_jobs,
            l1_ratio=l1_ratio,
            penalty_factor=penalty_factor,
            positive=positive,
            bounds=bounds,
            adaptive=adaptive,
            column_groups=column_groups,
        )
        self.link = link
        self.power = power

    def _loss_row(self) -> LossRow:
        """Return the loss of the power and link."""
        return tweedie_loss(self.power, self.link)

    def _needs_positive_targets(self) -> bool:
        return isinstance(self.power, Real) and float(self.power) > 0


def tweedie_loss(power: float, link: str) -> LossRow:
    """Return the half unit deviance of a power of the mean, up to a constant.

    Parameters
    ----------
    power : float
        0, 1, 2, 3 or between 1 and 2.
    link : {'auto', 'identity', 'log'}

    Raises
    ------
    DataError
        When there is no loss for these.
    """
    if link not in ("auto", "identity", "log"):
        raise DataError(f"link must be 'auto', 'identity' or 'log', not {link!r}")
    is_number = isinstance(power, Real) and not isinstance(power, bool)
    if not is_number or not (float(power) in _NAMED or 1 < float(power) < 2):
        raise DataError(
            f"power must be 0, 1, 2, 3 or a number between 1 and 2, not {power!r}: nothing is "
            "proven of the losses of other powers"
        )
    if power == 0:
        return find_loss("squared") if link != "log" else _squared_with_log_link()
    if link == "identity":
        raise DataError(
            f"link='identity' is not offered for power={power:g}: the mean must be positive, and a "
            "linear score may be negative; use link='log'"
        )
    name = _NAMED.get(float(power))
    return resolve_loss("tweedie", {"p": float(power)}) if name is None else find_loss(name)


def _squared_with_log_link() -> LossRow:
    return resolve_loss("1/2 (exp(z) - y)^2", link="log")
