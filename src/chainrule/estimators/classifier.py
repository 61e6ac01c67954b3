"""`LogisticRegression`: scikit-learn's interface to fits of classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import column_or_1d
from sklearn.utils.validation import check_consistent_length

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.results import Fit
from chainrule.errors import DataError
from chainrule.estimators.base import managed
from chainrule.estimators.class_inference import FIRTH, ClassInference
from chainrule.estimators.class_penalty import ClassPenalty
from chainrule.estimators.inputs import (
    as_offset,
    as_proportions,
    as_weights,
    class_weighted,
    codes_of,
    positive,
    refuse_missing,
)
from chainrule.estimators.label_types import as_column, of_one_kind
from chainrule.estimators.labels import Labels, class_labels
from chainrule.estimators.predictions import Predictions
from chainrule.estimators.sparse_coefficients import SparseCoefficients

if TYPE_CHECKING:
    from chainrule.engine.data.streams import StoredStream

Matrix = Any


class LogisticRegression(
    ClassifierMixin,  # type: ignore[misc]
    SparseCoefficients,
    ClassPenalty,
    ClassInference,
    Predictions,
):
    """Logistic regression with a proof of how good the fit is.

    Minimises ``sum_i s_i loss_i + |coef|^2 / (2 C)``: scikit-learn's objective, the sum over
    examples, with the sigmoid's cross-entropy for two classes and the softmax's for more. With an
    `l1_ratio` r, the penalty is ``(r |coef|_1 + (1 - r)/2 |coef|^2) / C``. Every fit carries a
    `certificate_`: a proven bound on its distance from the optimum, or the proof that there is
    none.

    Parameters
    ----------
    penalty : {'l2', 'l1', 'elasticnet', None, 'jeffreys', ...}, default='l2'
        'l1' is the same as ``l1_ratio=1``; 'l2', 'elasticnet' and 'deprecated' (scikit-learn's
        placeholder) leave the kind of penalty to `l1_ratio`; None is the same as ``C=np.inf``.
        'jeffreys' is Firth's logistic regression for rare events and separated data, two classes;
        C is not used. FLIC and FLAC correct its intercept, so that predicted and observed agree
        on average.
    C : float, default=1.0
        Inverse strength of the penalty; ``np.inf`` for none.
    l1_ratio : float, default=0.0
        Share of absolute values in the penalty: 1 is the lasso, 0 (or None) L2, between them
        elastic net. Above 0, coefficients are exactly 0 where they do not help.
    dual : bool, default=False
        Accepted for compatibility; the optimum is the same.
    tol : float, default=1e-8
        The fit stops once ``(f - f*) / f*`` is proven to be at most this.
    fit_intercept : bool, default=True
        Whether to fit an intercept; it is never penalised.
    intercept_scaling : float, default=1
        Accepted for compatibility; the intercept needs no scaling here.
    class_weight : dict, 'balanced' or None, default=None
        Factors on the sample weights, by class; 'balanced' gives every class the same total weight.
    random_state : int, RandomState or None, default=None
        Accepted for compatibility; what is drawn at random is drawn from one fixed seed.
    solver : str, default='auto'
        'auto', 'newton-cholesky' (full Hessian), 'newton-classes' (few Hessians, for more than two
        classes), 'newton-blocks' (Hessian products, preconditioned class by class, for more than
        two classes), 'newton-sampled' (the curvature of a random sample of the rows, for many more
        rows than columns), 'newton-rows' (one unknown per row, for more columns than rows) or
        'newton-cg' (Hessian products only).
        scikit-learn's other names ('lbfgs', 'liblinear', 'sag', 'saga') mean 'auto': the optimum
        is the same.
    max_iter : int, default=100
        Largest number of solver iterations; a fit rarely takes 20.
    verbose : int or None, default=None
        None draws a bar in a terminal once a fit takes more than two seconds; 0 is silent, also
        after an interrupt; positive prints one line per iteration.
    warm_start : bool, default=False
        Start from the last fit's coefficients if their shape still fits.
    n_jobs : int or None, default=None
        Threads that share the blocks of rows, -1 for all cores. None is all cores where the passes
        are compiled (large dense data, two classes) and else one. The answer has the same bits for
        any number.
    on_separation : {'warn', 'raise'}, default='warn'
        What to do when coefficients that nothing penalises or bounds are proven to separate the
        classes, so no finite optimum exists: warn and keep the last iterate, or raise an error.
    handle_unknown : {'error', 'ignore'}, default='error'
        The treatment, in predictions, of a level of a categorical column that no row of the fit
        has: raise `DataError`, or give the row no coefficient for that column. In cross-validation
        a rare level may be in held-out rows alone.
    penalty_factor : array-like of shape (n_coefficients,) or dict, optional
        Factors on the strength of the penalty, by coefficient, or by name of a column; 0 for none.
    positive : bool, default=False
        Whether coefficients must be at least 0.
    bounds : tuple of (lower, upper), optional
        Bounds of the coefficients: numbers, arrays, dicts by name of a column, or None. They must
        hold 0 between them.
    adaptive : bool or float, default=False
        Weight the absolute values in the penalty by ``1 / |pilot|**adaptive``, True for 1, with
        the coefficients of a pilot fit with ``C=1, l1_ratio=0``: Zou's adaptive lasso.
        With several classes, ``|pilot|`` is the norm of a column's coefficients.
    column_groups : 'levels', dict or array-like of shape (n_coefficients,), optional
        Groups of columns, by label or by name of a column, whose coefficients are 0 together: the
        norm of each, times the root of its size, takes the place of absolute values (the group
        lasso). With 'levels' the levels of each categorical column are a group. For two
        classes, not with bounds.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels that occur with positive weight.
    coef_ : ndarray of shape (1, n_coefficients) or (n_classes, n_coefficients)
        One row for two classes. For more, rows sum to zero. A coefficient a column, or a level.
    intercept_ : ndarray of shape (1,) or (n_classes,)
    certificate_ : Certificate
        What is proven; print it.
    penalty_factor_ : ndarray of shape (n_coefficients,)
        With `adaptive`: the factors on the absolute values that were used, `penalty_factor`
        included; inf where the pilot is 0, which holds a coefficient at 0.
    objective_ : float
        The objective at the fit.
    history_ : list of IterationRecord
        Objective, gradient norm, step and seconds of each iteration.
    n_iter_ : ndarray of shape (1,)
    solver_ : str
        The solver that ran; `explain()` says why.
    n_passes_ : float
        How many times X was read, checks and proof included; part of its rows counts as that part.
    coef_names_ : ndarray of shape (n_coefficients,) or None
        Whose coefficients these are, if X had column names: a column, or ``column_level``.
    levels_ : dict
        The levels of each categorical column of a data frame, in the order of their coefficients.
    n_features_in_ : int
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Only if X had column names.

    Notes
    -----
    A weight of k is exactly k repetitions of the row, and a weight of zero is its absence. Where
    columns are collinear and nothing is penalised, `coef_` is the optimum of least norm.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> y = np.array(["no", "yes", "no", "yes"])
    >>> model = LogisticRegression().fit(X, y)
    >>> model.predict([[0.0], [3.0]]).tolist()
    ['no', 'yes']
    >>> model.certificate_.proven
    True
    """

    coef_: Any
    coef_names_: Any

    def __init__(
        self,
        penalty: str | None = "l2",
        *,
        C: float = 1.0,
        l1_ratio: float | None = 0.0,
        dual: bool = False,
        tol: float = 1e-8,
        fit_intercept: bool = True,
        intercept_scaling: float = 1,
        class_weight: Mapping[Any, float] | Literal["balanced"] | None = None,
        random_state: Any = None,  # noqa: ANN401
        solver: str = "auto",
        max_iter: int = 100,
        verbose: int | None = None,
        warm_start: bool = False,
        n_jobs: int | None = None,
        on_separation: Literal["warn", "raise"] = "warn",
        handle_unknown: Literal["error", "ignore"] = "error",
        penalty_factor: Any = None,  # noqa: ANN401
        positive: bool = False,
        bounds: Any = None,  # noqa: ANN401
        adaptive: bool | float = False,
        column_groups: Any = None,  # noqa: ANN401
    ) -> None:
        self.penalty = penalty
        self.C = C
        self.l1_ratio = l1_ratio
        self.dual = dual
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.class_weight = class_weight
        self.random_state = random_state
        self.solver = solver
        self.max_iter = max_iter
        self.verbose = verbose
        self.warm_start = warm_start
        self.n_jobs = n_jobs
        self.on_separation = on_separation
        self.handle_unknown = handle_unknown
        self.penalty_factor = penalty_factor
        self.positive = positive
        self.bounds = bounds
        self.adaptive = adaptive
        self.column_groups = column_groups

    @managed
    def fit(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> Self:
        """Fit to labels.

        Ctrl-C during the fit leaves the best iterate so far and its certificate in the estimator,
        and is raised again.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            Columns of dtype `category` get one coefficient per level that occurs, without a one-hot
            matrix.
        y : array-like of shape (n_samples,)
            Labels of any kind.
        sample_weight : array-like of shape (n_samples,), optional
            Non-negative; k means k repetitions of the row.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Added to the scores as it is, in the fit and in predictions: what is known beforehand.

        Returns
        -------
        LogisticRegression
            Itself.

        Raises
        ------
        DataError
            When X, y, weights or offset hold a value that cannot be used; the message names the
            row. With ``on_separation="raise"``, also for separable classes without a penalty.
        ValueError
            For a parameter out of its range.

        Warns
        -----
        ConvergenceWarning
            When `tol` is not proven, with the bound reached and the cause.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 1, 0, 1]).coef_.round(2)
        array([[0.45]])
        """
        C = self._check_parameters()
        X = self._matrix(X, reset=True)
        labels, known = class_labels(y)
        if X.shape[0] != len(labels):
            check_consistent_length(X, labels)
        weights = as_weights(sample_weight, len(labels))
        weights, classes = class_weighted(self.class_weight, weights, labels, known)
        rows = positive(weights)
        codes = codes_of(labels if rows is None else labels[rows], classes)
        shift = as_offset(offset, len(labels), 1 if len(classes) == 2 else len(classes))
        self._minimise(
            X,
            codes,
            weights,
            rows,
            shift,
            C=C,
            n_classes=len(classes),
            attributes=partial(self._fitted_attributes, classes),
        )
        return self

    @managed
    def fit_proportions(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> Self:
        """Fit to proportions instead of labels: the share of each class in each row.

        A row with proportions p counts as p_k rows of class k for every k. For successes out of
        trials, y is successes / trials, and sample_weight the trials.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
        y : array-like of shape (n_samples,) or (n_samples, n_classes)
            The share of the second of two classes, in [0, 1]; or of all classes, adding to one.
        sample_weight : array-like of shape (n_samples,), optional
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional

        Returns
        -------
        LogisticRegression
            Itself; `classes_` are 0, 1, ...

        Raises
        ------
        DataError
            When a share is not in [0, 1], shares do not add to one, or the data cannot be used.

        Examples
        --------
        >>> doses = [[1.69], [1.76], [1.81], [1.88]]
        >>> dead, beetles = [6, 28, 52, 60], [59, 62, 63, 60]
        >>> share = np.divide(dead, beetles)
        >>> model = LogisticRegression(C=np.inf).fit_proportions(doses, share, beetles)
        >>> model.predict_proba([[1.78]])[0, 1].round(2)
        np.float64(0.65)
        """
        C = self._check_parameters()
        if self.class_weight is not None:
            raise ValueError("class_weight is for labels; weight the rows of proportions instead")
        X = self._matrix(X, reset=True)
        shares = as_proportions(y, X.shape[0])
        weights = as_weights(sample_weight, len(shares))
        rows = positive(weights)
        n_classes = 2 if shares.ndim == 1 else shares.shape[1]
        classes = np.arange(n_classes)
        totals = weights @ (np.stack([1 - shares, shares], axis=1) if n_classes == 2 else shares)
        if (totals > 0).sum() < 2:
            raise DataError("y holds only one class; a classifier needs at least two")
        missing = np.flatnonzero(totals == 0)
        if len(missing):
            raise DataError(f"class {missing[0]} has no share in any row; leave its column out")
        shift = as_offset(offset, len(shares), 1 if n_classes == 2 else n_classes)
        used = shares if rows is None else shares[rows]
        self._minimise(
            X,
            used,
            weights,
            rows,
            shift,
            C=C,
            n_classes=n_classes,
            attributes=partial(self._fitted_attributes, classes),
        )
        return self

    def _fit_stored(self, rows: StoredStream) -> None:
        """Fit to the rows of a stream, whose labels are codes where they are text."""
        if rows.labels is None:
            self.fit(rows.X, rows.y, rows.weights, rows.offset)
            return
        labels, by_label = rows.labels, self.class_weight
        try:
            if isinstance(by_label, Mapping):
                code = {label: k for k, label in enumerate(labels.tolist())}
                # a label that does not occur keeps its name, for the error that names it
                self.class_weight = {code.get(label, label): w for label, w in by_label.items()}
            self.fit(rows.X, rows.y, rows.weights, rows.offset)
        finally:
            self.class_weight = by_label
        self.classes_ = labels[self.classes_]

    def score(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> float:
        """Return the accuracy: the weighted share of rows whose most probable label is right.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
        y : array-like of shape (n_samples,)
        sample_weight : array-like of shape (n_samples,), optional
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Required if the fit had one; 0 for none.

        Returns
        -------
        float
            From 0 to 1.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            As `predict`.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "yes", "yes"]
        >>> LogisticRegression(C=100.0).fit(X, y).score(X, y)
        1.0
        """
        labels = of_one_kind(np.asarray(column_or_1d(as_column(y))))
        refuse_missing(labels)
        predicted = self.predict(X, offset)
        check_consistent_length(predicted, labels)
        if (labels.dtype.kind in "OUS") != (self.classes_.dtype.kind in "OUS"):
            raise DataError(
                f"y holds {labels[0]!r}, and the classes of the fit are {self.classes_.tolist()}: "
                "pass labels of the same type"
            )
        return float(
            np.average(predicted == labels, weights=as_weights(sample_weight, len(labels)))
        )

    def _minimise(
        self,
        X: Matrix,
        y: npt.NDArray[Any],
        weights: FloatArray,
        rows: IntArray | None,
        offset: FloatArray | None,
        *,
        C: float,
        attributes: Callable[[Point], dict[str, Any]],
        n_classes: int = 2,
        row: LossRow | None = None,
    ) -> None:
        """Fit to some rows, or all, and keep the fit: with the engine, or Firth's penalty."""
        if self.penalty not in FIRTH:
            super()._minimise(
                X,
                y,
                weights,
                rows,
                offset,
                C=C,
                attributes=attributes,
                n_classes=n_classes,
                row=row,
            )
            return
        from chainrule.estimators.jeffreys import fit_firth

        if n_classes > 2:
            raise DataError(f"penalty={self.penalty!r} is for two classes, and y has {n_classes}")
        fit = fit_firth(self, X, y, weights, rows, offset)
        self.__dict__.update(attributes(fit.point))
        if not fit.met:
            few = f"max_iter={self.max_iter} iterations were too few. {fit.certificate}"
            warnings.warn(few, ConvergenceWarning, stacklevel=4)

    def _fitted_attributes(self, classes: Labels, point: Point) -> dict[str, Any]:
        return {
            "classes_": classes,
            "coef_": np.ascontiguousarray(point.coef.T),
            "intercept_": point.intercept.copy(),
        }

    def _labels(self) -> Labels:
        return np.asarray(self.classes_)

    def _refuse(self, fit: Fit) -> None:
        """Raise an error if the classes are separable and that is not to be accepted."""
        if fit.met or self.on_separation != "raise":
            return
        if fit.certificate.kind == "separation":
            raise DataError(fit.shortfall(self.tol, self.max_iter))

    def _keep(self, fit: Fit) -> None:
        """Set the attributes that describe a fit."""
        super()._keep(fit)
        self.n_iter_ = np.array([fit.n_iter], dtype=np.int32)
