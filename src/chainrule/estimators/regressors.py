"""`LinearRegressor`: scikit-learn's interface to fits of any loss of one score."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.number_arrays import as_numbers
from chainrule.engine.losses.facts import Facts, LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.results import Fit
from chainrule.errors import DataError
from chainrule.estimators.base import LinearEstimator, Matrix, managed
from chainrule.estimators.deviance import explained_deviance
from chainrule.estimators.inputs import (
    are_implied,
    as_offset,
    as_weights,
    is_plain,
    positive,
)
from chainrule.estimators.label_types import as_column

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference


class LinearRegressor(RegressorMixin, LinearEstimator):  # type: ignore[misc]
    """Base class of linear models for numeric targets; subclasses choose loss and penalty."""

    coef_: FloatArray
    intercept_: float
    n_iter_: int
    facts_: Facts
    _row: LossRow

    @abstractmethod
    def _loss_row(self) -> LossRow:
        """Return the loss that the parameters describe."""

    def _loss_row_for(self, targets: FloatArray) -> LossRow:
        """Return the loss for some targets."""
        return self._loss_row()

    @abstractmethod
    def _inverse_strength(self, total_weight: float) -> float:
        """Return C, the inverse strength of the penalty; inf for none."""

    @managed
    def fit(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> Self:
        """Fit to numeric targets.

        Ctrl-C during the fit leaves the best iterate so far and its certificate in the estimator,
        and is raised again.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Columns of dtype `category` get one coefficient per level that occurs, without a one-hot
            matrix.
        y : array-like of shape (n_samples,)
            Targets in the range of the loss.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; k means k repetitions of the row.
        offset : array-like of shape (n_samples,), optional
            Added to the scores: a part known beforehand, such as the logarithm of an exposure.

        Returns
        -------
        LinearRegressor
            Itself.

        Raises
        ------
        DataError
            When X, y, weights or offset hold a value that cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LinearModel
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 2, 9]
        >>> model = LinearModel("poisson", C=10.0).fit(X, y)
        >>> model.coef_.round(2)
        array([1.32])
        """
        self._check_common_parameters()
        X = self._matrix(X, reset=True)
        targets = as_targets(y)
        check_consistent_length(X, targets)
        weights = as_weights(sample_weight, len(targets))
        rows = positive(weights)
        used = targets if rows is None else targets[rows]
        row = self._loss_row_for(used)
        check_range(used, row, rows)
        shift = as_offset(offset, len(targets), 1)
        C = self._inverse_strength(float(weights.sum()))
        attributes = partial(self._fitted_attributes, row)
        self._minimise(X, used, weights, rows, shift, C=C, attributes=attributes, row=row)
        return self

    def linear_predictor(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the scores z = X coef + intercept + offset, before the inverse link.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), optional
            Required if the fit had one; 0 for none.

        Returns
        -------
        ndarray of shape (n_samples,)
            On the scale of the link, such as the logarithm of the mean.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            When the offset is missing, or a value or a level cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LinearModel
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 2, 9]
        >>> model = LinearModel("poisson", C=10.0).fit(X, y)
        >>> model.linear_predictor([[4.0]]).round(1)
        array([3.5])
        """
        return self._raw_prediction(X, offset)[:, 0]

    def predict(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the mean at each row: the inverse link of the score.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        offset : array-like of shape (n_samples,), optional
            Required if the fit had one: with the logarithm of an exposure as offset, ``offset=0``
            gives the mean per unit of exposure.

        Returns
        -------
        ndarray of shape (n_samples,)
            In the unit of the target.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            When the offset is missing, or a value or a level cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LinearModel
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 2, 9]
        >>> model = LinearModel("poisson", C=10.0).fit(X, y)
        >>> model.predict([[4.0]]).round()
        array([33.])
        """
        score = self.linear_predictor(X, offset)
        return np.asarray(self._row.kernels.mean(score))

    def inference(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
        *,
        cov: str = "model",
        clusters: Matrix | None = None,
        level: float = 0.95,
        penalised: Literal["bayes", "sandwich"] | None = None,
    ) -> Inference:
        """Return errors, intervals and tests of the coefficients.

        Nothing is fitted again. The fit must not be penalised (``alpha=0`` or ``C=np.inf``), unless
        `penalised` says how errors are meant.

        Parameters
        ----------
        X, y, sample_weight, offset
            What the estimator was fitted to. A weight of k is k repetitions of the row.
        cov : {'model', 'HC0', 'HC1', 'HC2', 'HC3', 'CR0', 'CR1', 'CR1S', 'CR2', 'CR3'}
            The covariance: of the model, robust, or robust by clusters, named as in R's sandwich
            and clubSandwich.
        clusters : array-like of shape (n_samples,), optional
            The cluster of each row, for 'CR0' to 'CR3'.
        level : float, default=0.95
            Of confidence intervals.
        penalised : {None, 'bayes', 'sandwich'}, default=None
            How errors of a penalised fit are meant: of the posterior whose prior is the penalty, or
            the spread of the estimate around its own, biased, centre.

        Returns
        -------
        Inference
            Print it for the table; `table` is a data frame with the columns of R's broom. Also
            `glance`, `ratios`, `profile`, `lr`, `score`, `wald`, `ame`, `vif`, `influence`,
            `calibration` and `proven`.

        Raises
        ------
        DataError
            When the fit is penalised and `penalised` is not given, when coefficients were chosen by
            an L1 penalty or bounded, when separation leaves no row undecided, or when the data are
            not those of the fit in shape or range.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import PoissonRegressor
        >>> X, y = np.arange(6.0)[:, None], [1, 2, 2, 5, 4, 9]
        >>> model = PoissonRegressor(alpha=0).fit(X, y)
        >>> model.inference(X, y).std_errors.round(3)
        array([0.541, 0.14 ])
        """
        from chainrule.estimators.fit_facts import FitFacts
        from chainrule.estimators.inference import infer

        check_is_fitted(self)
        self._refuse_inference()
        given, X, targets = X, self._matrix(X, reset=False), as_targets(y)
        check_consistent_length(X, targets)
        weights = as_weights(sample_weight, len(targets))
        rows = positive(weights)
        used = targets if rows is None else targets[rows]
        check_range(used, self._row, rows)
        shift = as_offset(offset, len(targets), 1)
        return infer(
            FitFacts.of(self, given, rows),
            X if rows is None else X[rows],
            used,
            None if are_implied(weights) else weights if rows is None else weights[rows],
            shift if rows is None or shift is None else shift[rows],
            point=self._fitted_point(),
            row=self._row,
            C=self._inverse_strength(float(weights.sum())),
            classes=None,
            cov=cov,
            clusters=clusters if rows is None or clusters is None else np.asarray(clusters)[rows],
            level=level,
            penalised=penalised,
            base=None,
        )

    def score(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> float:
        """Return D2 = 1 - deviance / null deviance, R2 for the squared loss.

        The null model is the best constant score, plus the offset if there is one.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
        offset : array-like of shape (n_samples,), optional

        Returns
        -------
        float
            At most 1; negative if the best constant score fits better.

        Raises
        ------
        DataError
            When no least value of the loss is proven, from which a deviance is counted.

        Examples
        --------
        >>> from chainrule import LinearModel
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 1, 2, 9]
        >>> model = LinearModel("poisson", C=10.0).fit(X, y)
        >>> round(model.score(X, y), 2)
        0.96
        """
        raw = self.linear_predictor(X, offset)
        targets = as_targets(y)
        check_consistent_length(raw, targets)
        weights = as_weights(sample_weight, len(targets))
        shift = as_offset(offset, len(targets), 1)
        known = None if shift is None else shift[:, 0]
        rows = positive(weights)
        if rows is not None:
            raw, targets, weights = raw[rows], targets[rows], weights[rows]
            known = None if known is None else known[rows]
        check_range(targets, self._row, rows)
        return explained_deviance(self._row, raw, targets, weights, known)

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self._needs_positive_targets()
        return tags

    def _needs_positive_targets(self) -> bool:
        return False

    def _fitted_attributes(self, row: LossRow, point: Point) -> dict[str, Any]:
        return {
            "coef_": point.coef[:, 0].copy(),
            "intercept_": float(point.intercept[0]),
            "facts_": row.facts,
            "_row": row,
        }

    def _fitted_point(self) -> Point:
        """Return the fitted coefficients as the engine stores them."""
        coef = np.array(self.coef_, dtype=np.float64).reshape(-1, 1)
        return Point(coef, np.array([self.intercept_], dtype=np.float64))

    def _keep(self, fit: Fit) -> None:
        """Set the attributes that describe a fit."""
        super()._keep(fit)
        self.n_iter_ = fit.n_iter


def as_targets(y: Matrix) -> FloatArray:
    """Return targets as float64, shape (n_samples,).

    Raises
    ------
    DataError
        When one is not a finite number; the message names its row.
    """
    if y is None:
        raise ValueError("requires y to be passed, but the target y is None")
    if not is_plain(y, 1, "biuf"):
        y = as_numbers(column_or_1d(as_column(y), warn=True), "y")
    targets = np.asarray(y, dtype=np.float64)
    bad = np.flatnonzero(~np.isfinite(targets))
    if len(bad):
        raise DataError(f"y contains NaN or inf ({targets[bad[0]]}) in row {bad[0]}")
    return targets


def check_range(targets: FloatArray, row: LossRow, rows: IntArray | None = None) -> None:
    """Raise DataError if a target is out of the range of the loss, naming row, value and range.

    Parameters
    ----------
    targets : ndarray
    row : LossRow
    rows : ndarray, optional
        The numbers of their rows; 0, 1, ... by default.
    """
    bad = np.flatnonzero(~row.targets.holds(targets))
    if len(bad):
        number = int(bad[0] if rows is None else rows[bad[0]])
        raise DataError(
            f"y is {targets[bad[0]]:g} in row {number}, out of range for the loss {row.name}: "
            f"its targets are {row.targets}"
        )


def checked_alpha(alpha: Any, total_weight: float) -> float:  # noqa: ANN401
    """Return C for a penalty of alpha/2 |coef|^2 on the weighted mean of the losses.

    Parameters
    ----------
    alpha : float
    total_weight : float
        The sum of the sample weights.
    """
    if not isinstance(alpha, Real) or not 0 <= float(alpha) < np.inf:
        raise ValueError(f"alpha must be a finite number >= 0, not {alpha!r}")
    strength = float(alpha) * total_weight
    if not strength < 1 / np.finfo(np.float64).tiny:
        raise ValueError(f"alpha={alpha:g} is beyond the range of float64 for this many rows")
    return 1 / strength if strength > 0 else np.inf
