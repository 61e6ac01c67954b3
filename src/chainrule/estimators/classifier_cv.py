"""`LogisticRegressionCV`: logistic regression whose penalty is chosen by cross-validation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.utils.metadata_routing import UNUSED, process_routing
from sklearn.utils.metadata_routing import (
    _raise_for_params as raise_for_params,
)
from sklearn.utils.metadata_routing import (
    _routing_enabled as routing_enabled,
)
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from chainrule.engine.arrays import FloatArray
from chainrule.errors import DataError
from chainrule.estimators.base import LinearEstimator, Matrix
from chainrule.estimators.class_folds import LOG_LOSS, CrossValidatedClasses
from chainrule.estimators.classifier import LogisticRegression
from chainrule.estimators.cross_validation import as_l1_ratios, as_strengths, has_own_columns
from chainrule.estimators.fold_fits import FoldFits, Grid, Rows
from chainrule.estimators.folds import folds_of
from chainrule.estimators.inputs import as_offset, as_weights, class_weighted
from chainrule.estimators.labels import class_labels
from chainrule.estimators.legacy_attributes import legacy_form
from chainrule.estimators.relaxed_folds import as_gammas
from chainrule.estimators.selection import check_rule

_PENALTIES: Final = ("deprecated", "l1", "l2", "elasticnet")


class LogisticRegressionCV(CrossValidatedClasses, LogisticRegression):
    """Logistic regression with the penalty chosen by cross-validation.

    Every fit has its certificate, those on folds in `certificates_`; fits that do not prove the
    tolerance are told of in one warning.

    Parameters and attributes are those of scikit-learn 1.9, with the defaults that scikit-learn
    announces: `scoring` is the log-loss, and attributes are arrays.

    Parameters
    ----------
    Cs : int or sequence of float, default=10
        Inverse strengths of the penalty to try; an integer is so many from 1e-4 to 1e4.
    l1_ratios : sequence of float, optional
        Shares of the L1 penalty to try; None is ``(0.0,)``, the L2 penalty.
    alphas : int or sequence of float, optional
        Replaces `Cs`: strengths of a penalty on the weighted *mean* of the losses, as glmnet's
        ``lambda``. The same alpha holds in folds of any size.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    cv : int, splitter or iterable, default=None
        Number of folds, stratified by class; a splitter of scikit-learn; or pairs of row numbers.
        None is 5.
    dual : bool, default=False
        Accepted for compatibility.
    penalty : {'deprecated', 'l1', 'l2', 'elasticnet'}, default='deprecated'
        scikit-learn's former way to choose `l1_ratios`.
    scoring : str or callable, default='neg_log_loss'
        Name of a scorer of scikit-learn, or a callable ``scorer(estimator, X, y)``; None is the
        accuracy.
    solver : str, default='auto'
        As in `LogisticRegression`.
    tol : float, default=1e-8
        Every fit stops once ``(f - f*) / f*`` is proven to be at most this.
    max_iter : int, default=100
        Largest number of solver iterations per fit.
    class_weight : dict, 'balanced' or None, default=None
        Factors on the sample weights, by class; 'balanced' is computed from all rows.
    n_jobs : int, optional
        Threads of each fit, -1 for all cores. The answer has the same bits for any number.
    verbose : int or None, default=None
        As in `LogisticRegression`, for the last fit.
    refit : bool, default=True
        Fit all rows with the chosen penalty. False averages the best fits of the folds, which has
        no certificate.
    intercept_scaling : float, default=1
        Accepted for compatibility.
    random_state : int, RandomState or None, default=None
        Accepted for compatibility; the folds come from `cv`.
    use_legacy_attributes : bool, default=False
        Attributes in the form that scikit-learn had before 1.10.
    rule : {'best', 'min', '1se'}, default='best'
        'best' is scikit-learn's: the highest mean score. 'min' and '1se' are glmnet's: the highest
        mean by weight of the folds, and the strongest penalty within one standard error of it.
    relax : bool or sequence of float, default=False
        Refit the columns that a fit chooses without penalty, and try mixtures: gamma times the
        penalised coefficients plus 1 - gamma times the refitted ones, as glmnet does. True tries
        the gammas 0, 0.25, 0.5, 0.75 and 1. Needs `l1_ratios` above 0, and ``refit=True``.
    penalty_factor, positive, bounds, adaptive, column_groups
        As in `LogisticRegression`: a factor on the penalty of each coefficient, limits,
        weights by a pilot of its own for every fit, those on folds included, and groups.
    on_separation : {'warn', 'raise'}, default='warn'
        As in `LogisticRegression`.
    handle_unknown : {'error', 'ignore'}, default='error'
        As in `LogisticRegression`; with 'ignore', held-out rows may have levels of their own.

    Attributes
    ----------
    coef_, intercept_, classes_, certificate_, objective_, history_, coef_names_
        Of the last fit, as in `LogisticRegression`.
    C_ : float
        The chosen inverse strength.
    alpha_ : float
        The same, as strength on the mean of the losses.
    l1_ratio_ : float
    Cs_ : ndarray of shape (n_cs,)
        What was tried, for all rows.
    alphas_ : ndarray of shape (n_cs,)
    l1_ratios_ : ndarray of shape (n_l1_ratios,)
    scores_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
    mean_score_, std_error_ : ndarray of shape (n_l1_ratios, n_cs)
        Means of the folds by their weight, and their standard errors.
    coefs_paths_ : ndarray of shape (n_folds, n_l1_ratios, n_cs, n_classes or 1, n_dof)
        Coefficients of each fold, the intercept last.
    n_iter_ : ndarray of shape (n_folds, n_l1_ratios, n_cs)
    certificates_ : ndarray of the same shape
        What is proven of the fit of each fold.
    best_estimator_ : LogisticRegression
        The last fit.
    gamma_ : float
        With `relax`: the chosen share of the penalised fit. Then `scores_` and the other tables
        have an axis of `gammas_` after that of the l1_ratios; a score is -inf where the chosen
        columns separate the classes in a fold. `certificate_` is that of the penalised fit.
    gammas_ : ndarray of shape (n_gammas,)
    relaxed_certificate_ : Certificate
        Of the refit, where `gamma_` is below 1.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import LogisticRegressionCV
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(120, 3))
    >>> y = X[:, 0] + rng.logistic(size=120) > 0
    >>> model = LogisticRegressionCV(Cs=[0.01, 0.1, 1.0], rule="1se").fit(X, y)
    >>> model.C_
    0.1
    >>> bool(model.certificate_.proven and all(c.proven for c in model.certificates_.flat))
    True
    """

    _single: ClassVar[type[LinearEstimator]] = LogisticRegression
    # Weights of `score` are the scorer's to request, not this class's.
    __metadata_request__score: ClassVar[dict[str, str]] = {"sample_weight": UNUSED}

    C_: Any
    l1_ratio_: Any
    scores_: Any
    coefs_paths_: Any
    n_iter_: Any

    def __init__(
        self,
        *,
        Cs: npt.ArrayLike = 10,
        l1_ratios: npt.ArrayLike | None = None,
        alphas: npt.ArrayLike | None = None,
        fit_intercept: bool = True,
        cv: Any = None,  # noqa: ANN401
        dual: bool = False,
        penalty: str = "deprecated",
        scoring: Any = LOG_LOSS,  # noqa: ANN401
        solver: str = "auto",
        tol: float = 1e-8,
        max_iter: int = 100,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        n_jobs: int | None = None,
        verbose: int | None = None,
        refit: bool = True,
        intercept_scaling: float = 1,
        random_state: Any = None,  # noqa: ANN401
        use_legacy_attributes: bool = False,
        rule: str = "best",
        relax: bool | Sequence[float] = False,
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
        on_separation: Literal["warn", "raise"] = "warn",
        handle_unknown: Literal["error", "ignore"] = "error",
    ) -> None:
        self.Cs = Cs
        self.l1_ratios = l1_ratios
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.cv = cv
        self.dual = dual
        self.penalty = penalty
        self.scoring = scoring
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.n_jobs = n_jobs
        self.verbose = verbose
        self.refit = refit
        self.intercept_scaling = intercept_scaling
        self.random_state = random_state
        self.use_legacy_attributes = use_legacy_attributes
        self.rule = rule
        self.relax = relax
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups
        self.on_separation = on_separation
        self.handle_unknown = handle_unknown

    def fit(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
        *,
        groups: Matrix | None = None,
        time: Matrix | None = None,
        **params: Any,  # noqa: ANN401
    ) -> Self:
        """Choose the penalty by cross-validation, and fit all rows with it.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; k means k repetitions of the row, in fits and scores.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Added to the scores as it is.
        groups : array-like of shape (n_samples,), optional
            Rows of one group are held out together.
        time : array-like of shape (n_samples,), optional
            Each fold holds out later rows than it trains on.
        **params : dict
            Metadata for splitter and scorer, with scikit-learn's metadata routing.

        Returns
        -------
        LogisticRegressionCV
            Itself.

        Raises
        ------
        DataError
            When the data cannot be used, or folds cannot be made of them or be compared.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegressionCV
        >>> X, y = np.arange(20.0)[:, None] % 5, [0, 0, 1, 0, 1] * 4
        >>> LogisticRegressionCV(Cs=[0.01, 1.0], cv=4).fit(X, y).C_
        1.0
        """
        raise_for_params(params, self, "fit")
        grid = self._grid()
        data = self._data(X)
        labels, known = class_labels(y)
        check_consistent_length(data, labels)
        weights = as_weights(sample_weight, len(labels))
        weighted, self.classes_ = class_weighted(self.class_weight, weights, labels, known)
        shift = as_offset(offset, len(labels), self._n_outputs)
        of_fit = None if self.class_weight is None else weighted
        rows = Rows(data, labels, weights, _flat(shift), of_fit)
        split_params, score_params = self._routed(
            None if sample_weight is None else weights, params
        )
        folds = folds_of(
            self.cv, X, labels, classifier=True, groups=groups, time=time, params=split_params
        )
        self._n_features = None if has_own_columns(data) else data.shape[1]
        fits = self._fit_folds(rows, folds, grid, score_params)
        total = float(weighted.sum())
        self._keep_curve(fits, grid, total)
        if self.refit:
            ratio, strength = fits.selection.index(self.rule)
            self._refit(X, rows, grid, fits, ratio, strength)
            self.C_, self.l1_ratio_ = float(self.Cs_[strength]), grid.at(ratio)[0]
        else:
            self._average(fits, grid, has_offset=shift is not None)
        self.alpha_ = 1 / (self.C_ * total)
        self.n_iter_ = grid.unfolded(fits.n_iter, 1)
        if self.use_legacy_attributes:
            keys = self.classes_[1:] if self._n_outputs == 1 else self.classes_
            self.__dict__.update(legacy_form(vars(self), keys, one_ratio=self.l1_ratios is None))
        return self

    def score(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
        **params: Any,  # noqa: ANN401
    ) -> float:
        """Return the score by `scoring`: by default minus the mean log-loss.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Required if the fit had one; 0 for none.
        **params : dict
            Metadata for the scorer, with scikit-learn's metadata routing.

        Returns
        -------
        float
            The larger, the better: 0 is the best log-loss.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegressionCV
        >>> X, y = np.arange(20.0)[:, None] % 5, [0, 0, 1, 0, 1] * 4
        >>> model = LogisticRegressionCV(Cs=[0.01, 1.0], cv=4).fit(X, y)
        >>> round(model.score(X, y), 2)
        -0.49
        """
        raise_for_params(params, self, "score")
        check_is_fitted(self)
        if sample_weight is not None:
            params["sample_weight"] = sample_weight
        if routing_enabled():
            params = process_routing(self, "score", **params).scorer.score
        if offset is not None:
            labels, _ = class_labels(y)
            weights = as_weights(params.get("sample_weight"), len(labels))
            return self._score(self, Rows(X, labels, weights, np.asarray(offset)), params)
        return float(self._get_scorer()(self, X, y, **params))

    def inference(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Return errors, intervals and tests of the last fit; see `LogisticRegression.inference`.

        They take the penalty as given: the choice among penalties is not part of the errors.

        Parameters
        ----------
        *args, **kwargs
            As in `LogisticRegression.inference`.

        Returns
        -------
        Inference

        Raises
        ------
        DataError
            With ``refit=False``, and as `LogisticRegression.inference`.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegressionCV
        >>> X, y = np.arange(20.0)[:, None] % 5, [0, 0, 1, 0, 1] * 4
        >>> model = LogisticRegressionCV(Cs=[0.01, 1.0], cv=4).fit(X, y)
        >>> model.inference(X, y, penalised="bayes").std_errors.round(2)
        array([1.07, 0.4 ])
        """
        check_is_fitted(self)
        if not self.refit:
            raise DataError("an average of fits has no errors of its own; use refit=True")
        return self.best_estimator_.inference(*args, **kwargs)

    def _grid(self) -> Grid:
        """Return the penalties to try; refuse senseless parameters."""
        self._check_common_parameters()
        check_rule(self.rule)
        if self.penalty not in _PENALTIES:
            raise ValueError(
                f"penalty must be one of {', '.join(map(repr, _PENALTIES[1:]))}, not "
                f"{self.penalty!r}; Cs=(np.inf,) means none"
            )
        if self.penalty == "elasticnet" and self.l1_ratios is None:
            raise ValueError("penalty='elasticnet' needs l1_ratios, numbers between 0 and 1")
        ratios = as_l1_ratios(self.l1_ratios)
        if self.penalty in ("l1", "l2"):
            only = float(self.penalty == "l1")
            if self.l1_ratios is not None and set(ratios) != {only}:
                warnings.warn(
                    f"penalty={self.penalty!r} is l1_ratios=({only:g},); {self.l1_ratios!r} is not "
                    "used",
                    stacklevel=3,
                )
            ratios = (only,)
        gammas = as_gammas(self.relax, ratios)
        if gammas != (1.0,) and not self.refit:
            raise ValueError("relax needs refit=True: mixtures of folds are not averaged")
        in_alpha = self.alphas is not None
        if in_alpha:
            return Grid(as_strengths(self.alphas, "alphas", least=0.0), ratios, in_alpha, gammas)
        return Grid(as_strengths(self.Cs, "Cs"), ratios, in_alpha, gammas)

    def _routed(
        self, sample_weight: Matrix | None, params: dict[str, Any]
    ) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Return the metadata for the splitter, and for the scorer."""
        if routing_enabled():
            routed = process_routing(self, "fit", sample_weight=sample_weight, **params)
            return routed.splitter.split, routed.scorer.score
        return {}, {} if sample_weight is None else {"sample_weight": sample_weight}

    def _keep_curve(self, fits: FoldFits, grid: Grid, total: float) -> None:
        """Set the attributes that describe grid and folds."""
        strengths = grid.strengths
        other = 1 / (strengths * total)
        self.Cs_, self.alphas_ = (other, strengths) if grid.in_alpha else (strengths, other)
        self.l1_ratios_ = np.array(grid.l1_ratios)
        self.scores_ = grid.unfolded(fits.selection.scores, 1)
        self.mean_score_ = grid.unfolded(fits.selection.mean, 0)
        self.std_error_ = grid.unfolded(fits.selection.std_error, 0)
        self.certificates_ = grid.unfolded(fits.certificates, 1)
        if self._n_features is not None:
            table = fits.table(with_intercept=self.fit_intercept)
            self.coefs_paths_ = grid.unfolded(table, 1)

    def _average(self, fits: FoldFits, grid: Grid, *, has_offset: bool) -> None:
        """Average the best fits of the folds."""
        if self._n_features is None:
            raise DataError("refit=False averages columns of numbers; encode categorical columns")
        best = []
        for k, scores in enumerate(fits.selection.scores):
            strength, ratio = np.unravel_index(int(np.argmax(scores.T)), scores.T.shape)
            best.append((k, int(ratio), int(strength)))
        self.coef_ = np.mean([fits.coef[k][j][i] for k, j, i in best], axis=0)
        self.intercept_ = np.mean([fits.intercept[k][j][i] for k, j, i in best], axis=0)
        if not np.isfinite(self.intercept_).all():
            raise DataError("a fold lacks a class, so its fit cannot be averaged; use refit=True")
        self.C_ = float(np.mean([self.Cs_[i] for _, _, i in best]))
        self.l1_ratio_ = float(np.mean([grid.l1_ratios[j] for _, j, _ in best]))
        self.levels_, self.coef_names_ = {}, getattr(self, "feature_names_in_", None)
        self._has_offset = has_offset
        self.__dict__.pop("_fit", None)


def _flat(offset: FloatArray | None) -> FloatArray | None:
    return offset[:, 0] if offset is not None and offset.shape[1] == 1 else offset
