"""`PoissonRegressorCV`, `GammaRegressorCV`, `TweedieRegressorCV`, `LinearModelCV`.

Regressions whose penalty is chosen by cross-validation; by default the fold's score is minus the
mean loss on its held-out rows, counted from its least value.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import get_scorer
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from chainrule.engine.arrays import FloatArray
from chainrule.errors import DataError
from chainrule.estimators.base import LinearEstimator, Matrix
from chainrule.estimators.cross_validation import (
    CrossValidated,
    as_l1_ratios,
    as_strengths,
    has_own_columns,
)
from chainrule.estimators.fold_fits import Grid, Rows
from chainrule.estimators.folds import folds_of
from chainrule.estimators.glm import (
    GammaRegressor,
    PoissonRegressor,
    TweedieRegressor,
)
from chainrule.estimators.inputs import as_offset, as_weights
from chainrule.estimators.linear_model import LinearModel
from chainrule.estimators.regressors import LinearRegressor, as_targets
from chainrule.estimators.relaxed_folds import as_gammas
from chainrule.estimators.scoring import raw_at_points
from chainrule.estimators.selection import check_rule


class RegressorCV(CrossValidated, LinearRegressor):
    """Base class of regressors that choose their penalty by cross-validation."""

    alphas: npt.ArrayLike | None
    relax: bool | Sequence[float]

    def fit(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
        *,
        groups: Matrix | None = None,
        time: Matrix | None = None,
    ) -> Self:
        """Choose the penalty by cross-validation, and fit all rows with it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Targets in the range of the loss.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; k means k repetitions of the row, in fits and scores.
        offset : array-like of shape (n_samples,), optional
            Added to the scores, such as the logarithm of an exposure.
        groups : array-like of shape (n_samples,), optional
            Rows of one group are held out together.
        time : array-like of shape (n_samples,), optional
            Each fold holds out later rows than it trains on.

        Returns
        -------
        RegressorCV
            Itself.

        Raises
        ------
        DataError
            When the data cannot be used, or folds cannot be made of them or be compared.
        """
        self._check_common_parameters()
        check_rule(self.rule)
        grid = self._grid()
        data, targets = self._data(X), as_targets(y)
        check_consistent_length(data, targets)
        weights = as_weights(sample_weight, len(targets))
        shift = as_offset(offset, len(targets), 1)
        rows = Rows(data, targets, weights, None if shift is None else shift[:, 0])
        folds = folds_of(self.cv, X, targets, classifier=False, groups=groups, time=time)
        params = {} if sample_weight is None else {"sample_weight": weights}
        fits = self._fit_folds(rows, folds, grid, params)
        ratio, strength = fits.selection.index(self.rule)
        self._refit(X, rows, grid, fits, ratio, strength)
        total = float(weights.sum())
        other = 1 / (grid.strengths * total)
        self.alphas_, self.Cs_ = (grid.strengths, other)[:: 1 if grid.in_alpha else -1]
        self.l1_ratios_ = np.array(grid.l1_ratios)
        self.alpha_, self.C_ = float(self.alphas_[strength]), float(self.Cs_[strength])
        self.l1_ratio_ = grid.at(ratio)[0]
        self.scores_ = grid.unfolded(fits.selection.scores, 1)
        self.n_iter_path_ = grid.unfolded(fits.n_iter, 1)
        self.mean_score_ = grid.unfolded(fits.selection.mean, 0)
        self.std_error_ = grid.unfolded(fits.selection.std_error, 0)
        self.certificates_ = grid.unfolded(fits.certificates, 1)
        if not has_own_columns(data):
            table = fits.table(with_intercept=self.fit_intercept)
            self.coefs_paths_ = grid.unfolded(table[:, :, :, 0], 1)
        return self

    def score(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> float:
        """Return the score by `scoring`; by default D2, the share of the deviance explained.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
        offset : array-like of shape (n_samples,), optional
            Required if the fit had one; 0 for none.

        Returns
        -------
        float
        """
        check_is_fitted(self)
        scorer = self._get_scorer()
        if scorer is None:
            return super().score(X, y, sample_weight, offset)
        if offset is not None:
            raise DataError("with an offset, scoring must be None, the default")
        given = {} if sample_weight is None else {"sample_weight": sample_weight}
        return float(scorer(self, X, y, **given))

    def inference(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return errors, intervals and tests of the last fit; see `LinearModel.inference`.

        They take the penalty as given: the choice among penalties is not part of the errors.

        Parameters
        ----------
        *args, **kwargs
            As in `LinearModel.inference`.

        Returns
        -------
        Inference
        """
        check_is_fitted(self)
        return self.best_estimator_.inference(*args, **kwargs)

    def _grid(self) -> Grid:
        """Return the penalties to try."""
        ratios = as_l1_ratios(self.l1_ratios)
        gammas = as_gammas(self.relax, ratios)
        return Grid(as_strengths(self.alphas, "alphas"), ratios, in_alpha=True, gammas=gammas)

    def _set_strength(self, model: Any, strength: float, in_alpha: bool, rows: Rows) -> None:  # noqa: ANN401
        if in_alpha:
            model.alpha = strength
        else:
            model.C = strength

    def _inverse_strength_of(self, model: Any, rows: Rows) -> float:  # noqa: ANN401
        return float(model._inverse_strength(float(rows.weights.sum())))

    def _place(self, model: Any, coef: FloatArray, intercept: FloatArray) -> None:  # noqa: ANN401
        model.coef_, model.intercept_ = coef[0], float(intercept[0])

    def _get_scorer(self) -> Any:  # noqa: ANN401
        """Return scikit-learn's scorer; None for minus the mean loss."""
        return None if self.scoring is None else get_scorer(self.scoring)

    def _score(
        self,
        model: Any,  # noqa: ANN401
        rows: Rows,
        params: Mapping[str, Any],
    ) -> float:
        """Return the score of a model on held-out rows."""
        if rows.offset is not None:
            raise DataError("with an offset, scoring must be None, the default")
        return float(self._get_scorer()(model, rows.X, rows.y, **params))

    def _can_score_together(self, params: Mapping[str, Any]) -> bool:
        return self._get_scorer() is None

    def _scores_together(
        self,
        model: Any,  # noqa: ANN401
        rows: Rows,
        params: Mapping[str, Any],
        coef: FloatArray,
        intercept: FloatArray,
    ) -> FloatArray:
        raws = raw_at_points(model, rows.X, rows.offset, coef, intercept)
        kernels, least = model._row.kernels, np.zeros(1)
        if model._row.facts.has_least and kernels.least is not None:  # half the deviance
            least = kernels.least(rows.y)
        losses = [kernels.terms(raw[:, 0], rows.y)[0] - least for raw in raws]
        return -np.asarray(np.average(losses, axis=1, weights=rows.given_weights))

    def _inverse_strength(self, total_weight: float) -> float:
        return self.C_


class GeneralizedLinearRegressorCV(RegressorCV):
    """Base class of generalised linear models that choose alpha."""

    def __init__(
        self,
        *,
        alphas: npt.ArrayLike = 10,
        l1_ratios: npt.ArrayLike | None = None,
        cv: Any = None,  # noqa: ANN401
        scoring: Any = None,  # noqa: ANN401
        rule: str = "best",
        relax: bool | Sequence[float] = False,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
        fit_intercept: bool = True,
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-8,
        verbose: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.alphas = alphas
        self.l1_ratios = l1_ratios
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.relax = relax
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.n_jobs = n_jobs


class PoissonRegressorCV(GeneralizedLinearRegressorCV, PoissonRegressor):
    """Poisson regression with the penalty chosen by cross-validation, each fit with its proof.

    Parameters
    ----------
    alphas : int or sequence of float, default=10
        Strengths of the penalty to try, as `alpha` of `PoissonRegressor`; an integer is so many
        from 1e-4 to 1e4.
    l1_ratios : sequence of float, optional
        Shares of the L1 penalty to try; None is ``(0.0,)``, the L2 penalty.
    cv : int, splitter or iterable, default=None
        Number of folds, a splitter of scikit-learn, or pairs of row numbers. None is 5.
    scoring : str or callable, optional
        As in scikit-learn; None is minus the mean loss of the held-out rows, counted
        from its least value: half the mean deviance.
    rule : {'best', 'min', '1se'}, default='best'
        As in `LogisticRegressionCV`.
    relax : bool or sequence of float, default=False
        As in `LogisticRegressionCV`: mixtures with refits of the chosen columns.
    penalty_factor, positive, bounds, adaptive, column_groups
        As in `PoissonRegressor`: a factor on the penalty of each coefficient, limits,
        weights by a pilot of its own for every fit, those on folds included, and groups.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    solver, max_iter, tol, verbose, n_jobs
        As in `PoissonRegressor`.

    Attributes
    ----------
    coef_, intercept_, certificate_, objective_, history_
        Of the last fit, as in `PoissonRegressor`.
    alpha_, C_, l1_ratio_ : float
        The chosen penalty.
    alphas_, Cs_ : ndarray of shape (n_alphas,)
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
    mean_score_, std_error_ : ndarray of shape (n_l1_ratios, n_alphas)
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas, n_dof)
        Coefficients of each fold, the intercept last.
    certificates_ : ndarray of shape (n_folds, n_l1_ratios, n_alphas)
        What is proven of the fit of each fold.
    gamma_, gammas_, relaxed_certificate_
        With `relax`, as in `LogisticRegressionCV`.
    best_estimator_ : PoissonRegressor
        The last fit.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import PoissonRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = rng.poisson(np.exp(X[:, 0]))
    >>> PoissonRegressorCV(alphas=[0.001, 0.1, 10.0]).fit(X, y).alpha_
    0.001
    """

    _single: ClassVar[type[LinearEstimator]] = PoissonRegressor


class GammaRegressorCV(GeneralizedLinearRegressorCV, GammaRegressor):
    """Gamma regression with the penalty chosen by cross-validation, each fit with its proof.

    Parameters
    ----------
    alphas, l1_ratios, cv, scoring, rule, relax, penalty_factor, positive, bounds, adaptive,
    column_groups, fit_intercept, solver, max_iter, tol, verbose, n_jobs
        As in `PoissonRegressorCV`, which lists the attributes too.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import GammaRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = np.exp(X[:, 0]) * rng.gamma(2.0, 0.5, size=200)
    >>> GammaRegressorCV(alphas=[0.001, 0.1, 10.0]).fit(X, y).alpha_
    0.001
    """

    _single: ClassVar[type[LinearEstimator]] = GammaRegressor


class TweedieRegressorCV(RegressorCV, TweedieRegressor):
    """Generalised linear model of a Tweedie loss with the penalty chosen by cross-validation.

    Parameters
    ----------
    power : float, default=0.0
        As in `TweedieRegressor`.
    link : {'auto', 'identity', 'log'}, default='auto'
    alphas, l1_ratios, cv, scoring, rule, relax, penalty_factor, positive, bounds, adaptive,
    column_groups, fit_intercept, solver, max_iter, tol, verbose, n_jobs
        As in `PoissonRegressorCV`, which lists the attributes too.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import TweedieRegressorCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = np.exp(X[:, 0]) * rng.gamma(2.0, 0.5, size=200)
    >>> TweedieRegressorCV(power=1.5, alphas=[0.001, 0.1, 10.0]).fit(X, y).alpha_
    0.001
    """

    _single: ClassVar[type[LinearEstimator]] = TweedieRegressor

    def __init__(
        self,
        *,
        power: float = 0.0,
        link: Literal["auto", "identity", "log"] = "auto",
        alphas: npt.ArrayLike = 10,
        l1_ratios: npt.ArrayLike | None = None,
        cv: Any = None,  # noqa: ANN401
        scoring: Any = None,  # noqa: ANN401
        rule: str = "best",
        relax: bool | Sequence[float] = False,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
        fit_intercept: bool = True,
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-8,
        verbose: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.power = power
        self.link = link
        self.alphas = alphas
        self.l1_ratios = l1_ratios
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.relax = relax
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.n_jobs = n_jobs


class LinearModelCV(RegressorCV, LinearModel):
    """Linear model with any loss and the penalty chosen by cross-validation.

    Parameters
    ----------
    loss : str or path, default='squared'
        As in `LinearModel`.
    Cs : int or sequence of float, default=10
        Inverse strengths of the penalty to try; an integer is so many from 1e-4 to 1e4.
    alphas : int or sequence of float, optional
        Replaces `Cs`: strengths of a penalty on the weighted *mean* of the losses.
    constants, link
        As in `LinearModel`.
    l1_ratios, cv, scoring, rule, relax, penalty_factor, positive, bounds, adaptive,
    column_groups, fit_intercept, solver, max_iter, tol, verbose, n_jobs
        As in `PoissonRegressorCV`, which lists the attributes too.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import LinearModelCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 3))
    >>> y = X[:, 0] + rng.normal(size=200)
    >>> LinearModelCV("log_cosh", Cs=[0.0001, 0.01, 1.0]).fit(X, y).C_
    1.0
    """

    _single: ClassVar[type[LinearEstimator]] = LinearModel

    def __init__(
        self,
        loss: str | os.PathLike[str] = "squared",
        *,
        Cs: npt.ArrayLike = 10,
        alphas: npt.ArrayLike | None = None,
        constants: Mapping[str, float] | None = None,
        link: str | None = None,
        l1_ratios: npt.ArrayLike | None = None,
        cv: Any = None,  # noqa: ANN401
        scoring: Any = None,  # noqa: ANN401
        rule: str = "best",
        relax: bool | Sequence[float] = False,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
        fit_intercept: bool = True,
        solver: str = "auto",
        max_iter: int = 100,
        tol: float = 1e-8,
        verbose: int | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.loss = loss
        self.Cs = Cs
        self.alphas = alphas
        self.constants = constants
        self.link = link
        self.l1_ratios = l1_ratios
        self.cv = cv
        self.scoring = scoring
        self.rule = rule
        self.relax = relax
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.n_jobs = n_jobs

    def _grid(self) -> Grid:
        """Return the penalties to try."""
        if self.alphas is not None:
            return super()._grid()
        ratios = as_l1_ratios(self.l1_ratios)
        gammas = as_gammas(self.relax, ratios)
        return Grid(as_strengths(self.Cs, "Cs"), ratios, in_alpha=False, gammas=gammas)
