"""`LinearEstimator`: everything that chainrule's classifier and regressors have in common.

Matrices and parameters are checked here, the engine is called, its progress reported, and the fit
kept with its certificate. The targets are the subclasses' part.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any, Final, Self, TypeVar

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted, validate_data

from chainrule.display import html_of
from chainrule.engine.adaptive import adaptive_factors, pilot_fit, weighted
from chainrule.engine.arrays import FloatArray, IntArray, is_sparse
from chainrule.engine.certificates.certificate import Certificate
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.frames import (
    coded,
    has_levels,
    in_order,
    is_frame,
    names_of,
    refuse_dates,
    refuse_names,
    with_plain_columns,
)
from chainrule.engine.data.number_arrays import plain_table
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.data.sparse_places import refuse_places
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.prediction import probabilities, raw_predictions
from chainrule.engine.results import Fit
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.engine.small import suits
from chainrule.engine.solvers.compiled_proximal import is_small
from chainrule.engine.solvers.plans import Method
from chainrule.engine.solvers.steps import IterationRecord
from chainrule.errors import DataError
from chainrule.estimators.described_fit import DescribedFit
from chainrule.estimators.formulas import FromFormula, design_frame
from chainrule.estimators.inputs import (
    are_implied,
    as_offset,
    is_plain,
    n_cores,
    n_threads,
    threads_of,
)
from chainrule.estimators.penalties import adaptive_gamma, shape_of, shared_l1_ratio
from chainrule.estimators.reporting import NOBODY, Tasks, is_watched, reporters, told_to_all
from chainrule.estimators.solving import Course, Problem, solved
from chainrule.estimators.streaming import FromStream

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn before 1.9 has no callbacks
    from chainrule.estimators.reporting import NoCallbacks as CallbackSupportMixin
    from chainrule.estimators.reporting import same_method as with_callbacks

_Fit = TypeVar("_Fit", bound=Callable[..., Any])
managed: Callable[[_Fit], _Fit] = with_callbacks
"""Decorates a `fit` that reports to scikit-learn's callbacks."""

Matrix = Any

SOLVERS: Final[Mapping[str, Method]] = {
    "auto": "auto",
    "newton-cholesky": "newton-cholesky",
    "newton-classes": "newton-classes",
    "newton-blocks": "newton-blocks",
    "newton-sampled": "newton-sampled",
    "newton-rows": "newton-rows",
    "newton-cg": "newton-cg",
    "lbfgs": "auto",
    "liblinear": "auto",
    "sag": "auto",
    "saga": "auto",
}
"""The engine's method for each name of a solver."""


class LinearEstimator(
    FromFormula,
    FromStream,
    CallbackSupportMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
    ABC,
):
    """Base class of estimators that fit a linear model with the engine.

    Subclasses define the parameters below, check targets, and call `_minimise`.
    """

    fit_intercept: bool
    tol: float
    max_iter: int
    solver: str
    verbose: int | None
    warm_start: bool
    n_jobs: int | None

    _course: Course | None = None
    """The fits that the next one belongs to."""

    _fit: DescribedFit
    coef_: Any
    coef_names_: npt.NDArray[Any] | None
    levels_: Mapping[str, npt.NDArray[Any]]
    objective_: float
    solver_: str
    n_passes_: float

    @abstractmethod
    def fit(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
    ) -> Self:
        """Fit to rows in memory."""

    def explain(self) -> str:
        """Return how the fit was done: method and reason, reads of X, seconds, and the proof.

        Returns
        -------
        str
            One paragraph, and a table of the methods that the problem admits, with their predicted
            cost.

        Raises
        ------
        NotFittedError
            Before `fit`.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.explain().split(":")[0]
        'newton-cholesky'
        """
        check_is_fitted(self)
        return self._fit.explain()

    @property
    def certificate_(self) -> Certificate:
        """The proven bounds of the fit.

        Returns
        -------
        Certificate
            A bound on f - f*, where f is the objective (a sum over the rows), and on the distance
            of the coefficients from the optimum; print it for the sentence.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.certificate_.proven, model.certificate_.relative_bound < 1e-8
        (True, True)
        """
        return self._fitted("certificate_").certificate

    @property
    def history_(self) -> list[IterationRecord]:
        """Objective, gradient norm, step and seconds of each iteration.

        Returns
        -------
        list of IterationRecord
            Empty where the fit took no iteration.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.history_[0].objective > model.history_[-1].objective
        True
        """
        return self._fitted("history_").history

    def _fitted(self, name: str) -> DescribedFit:
        """Return the fit, of which an attribute is asked; AttributeError where there is none."""
        fit: DescribedFit | None = self.__dict__.get("_fit")
        if fit is None:
            raise AttributeError(
                f"{type(self).__name__} has no attribute {name!r} before it is fitted; call fit"
            )
        return fit

    def _html_repr(self) -> str:
        """Return scikit-learn's diagram, and below it the certificate of the fit."""
        drawn = str(super()._html_repr())
        certificate = getattr(self, "certificate_", None)
        return drawn if certificate is None else f"{drawn}\n{html_of(certificate)}"

    def __sklearn_tags__(self) -> Any:  # noqa: ANN401
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    @abstractmethod
    def _fitted_point(self) -> Point:
        """Return the fitted coefficients as the engine stores them."""

    def _refuse(self, fit: Fit) -> None:
        """Raise an error if a fit is not to be kept."""

    def _l1_ratio(self) -> float:
        """Return the share of absolute values in the penalty."""
        return shared_l1_ratio(getattr(self, "l1_ratio", 0.0))

    def _shape(self, n_coefficients: int) -> Shape | None:
        """Return the penalty; None where it is the L2 penalty alone, the same for all columns."""
        names = self.coef_names_
        return shape_of(
            n_coefficients,
            self._l1_ratio(),
            getattr(self, "penalty_factor", None),
            getattr(self, "bounds", None),
            positive=getattr(self, "positive", False),
            names=None if names is None else [str(name) for name in names],
            levels=self.levels_,
            column_groups=getattr(self, "column_groups", None),
        )

    def _weighted(
        self, shape: Shape | None, source: InMemorySource, row: LossRow | None, C: float
    ) -> Shape | None:
        """Return a penalty with the weights of a pilot fit, if it is to be adaptive."""
        self.__dict__.pop("penalty_factor_", None)
        gamma = adaptive_gamma(getattr(self, "adaptive", False), self._l1_ratio())
        if gamma == 0 or np.isinf(C) or shape is None:
            return shape
        pilot = pilot_fit(
            source,
            row,
            fit_intercept=self.fit_intercept,
            tol=self.tol,
            max_iter=self.max_iter,
            n_threads=threads_of(self.n_jobs, source),
        )
        factors = adaptive_factors(pilot, gamma, shape)
        self.penalty_factor_ = shape.factors * factors
        return weighted(shape, factors)

    def _refuse_inference(self) -> None:
        """Raise DataError where errors of the coefficients would not be what they seem."""
        limited = getattr(self, "positive", False) or getattr(self, "bounds", None) is not None
        if self._l1_ratio() == 0 and not limited:
            return
        raise DataError(
            "the coefficients were chosen or bounded by the data, so textbook errors do not apply: "
            "fit the chosen columns without penalty (C=np.inf, or alpha=0) on rows that this fit "
            "did not use, and ask that fit"
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
        """Fit to some rows, or all, and keep the fit.

        Parameters
        ----------
        X : ndarray, sparse matrix or CodedRows
            All rows.
        y : ndarray
            Targets of the rows to fit alone.
        weights : ndarray of shape (n_samples,)
        rows : ndarray or None
            The rows to fit; None for all.
        offset : ndarray or None
        C : float
            Inverse strength of the penalty; inf for none.
        attributes : callable
            Returns coefficients and intercept at a point as attributes of the estimator.
        n_classes : int
        row : LossRow, optional
            The loss; by default the cross-entropy of the classes.
        """
        if rows is not None:
            X = X.rows_at(rows) if isinstance(X, StoredArray) else X[rows]
            weights = weights[rows]
            offset = None if offset is None else offset[rows]
        if isinstance(X, CodedRows):
            X = X.occurring(rows)
        self._has_offset = offset is not None
        self.levels_ = getattr(X, "levels", {})
        names = getattr(X, "names", getattr(self, "feature_names_in_", None))
        self.coef_names_ = None if names is None else np.array(names, dtype=object)
        source = InMemorySource(
            X,
            y,
            None if are_implied(weights) else weights,
            n_classes=n_classes,
            column_names=names,
            row_numbers=rows,
            offset=offset,
            center=self.fit_intercept,
            n_threads=n_threads(self.n_jobs, default=n_cores()),
        )
        context = self._init_callback_context(max_subtasks=None) if is_watched(self) else NOBODY
        context.call_on_fit_task_begin(estimator=self)
        tasks = Tasks(self, context, lambda progress: attributes(progress.point()))
        shape = self._shape(source.n_features)
        is_quick = suits(source) if shape is None else is_small(source)
        listeners = [] if self.verbose is None and is_quick else reporters(self.verbose)
        if getattr(self, "_skl_callbacks", None):
            listeners.append(tasks)
        problem = Problem(source, row, self._weighted(shape, source, row, C), attributes)
        try:
            if self._course is None:
                fit = solved(self, problem, C, SOLVERS[self.solver], told_to_all(listeners))
            else:
                fit = self._course.begin(self, problem, C)
        finally:
            for listener in listeners:
                listener.close()
        self._take(attributes, fit)
        if fit.interrupted:
            raise KeyboardInterrupt("the estimator holds the best iterate so far")
        if tasks in listeners:
            tasks.finish(attributes(fit.point), fit.n_iter)
        context.call_on_fit_task_end(estimator=self, reconstruction_attributes={})
        if not fit.met and self._course is None:  # whoever runs a course tells of all its fits
            shortfall = fit.shortfall(self.tol, self.max_iter)
            warnings.warn(shortfall, ConvergenceWarning, stacklevel=4)

    def _take(self, attributes: Callable[[Point], dict[str, Any]], fit: Fit) -> None:
        """Set coefficients, intercept and what describes a fit, unless it is to be refused."""
        self._refuse(fit)
        for name, value in attributes(fit.point).items():
            setattr(self, name, value)
        self._keep(fit)

    def _keep(self, fit: Fit) -> None:
        """Set the attributes that describe a fit."""
        self._fit = fit
        self.objective_ = fit.value
        self.solver_ = fit.method
        self.n_passes_ = fit.passes

    def _start(self, n_outputs: int, n_features: int) -> Point | None:
        """Return the last fit's coefficients if the fit starts there and their shape still fits."""
        if not self.warm_start or not hasattr(self, "coef_"):
            return None
        point = self._fitted_point()
        if point.coef.shape != (n_features, n_outputs):
            return None
        return point if self.fit_intercept else Point(point.coef, np.zeros(n_outputs))

    def _raw_prediction(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        """Return raw predictions, shape (n_samples, n_outputs)."""
        return self._predicted(raw_predictions, X, offset)

    def _probabilities(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        """Return probabilities, shape (n_samples, n_classes)."""
        return self._predicted(probabilities, X, offset)

    def _predicted(
        self, how: Callable[..., FloatArray], X: Matrix, offset: Matrix | None
    ) -> FloatArray:
        check_is_fitted(self)
        if offset is None and self._has_offset:
            raise DataError(
                "the model was fitted with an offset, so predictions need one: pass offset=, one "
                "number per row, or offset=0 for none"
            )
        X, point = self._matrix(X, reset=False), self._fitted_point()
        return how(
            X,
            point,
            column_names=None if self.coef_names_ is None else self.coef_names_.tolist(),
            offset=as_offset(offset, X.shape[0], point.coef.shape[1]),
            n_threads=n_threads(self.n_jobs, default=n_cores()),
        )

    def _matrix(self, X: Matrix, *, reset: bool) -> Matrix:
        """Return X checked, as numbers, a sparse matrix or rows of codes."""
        if reset:
            self.__dict__.pop("formula_", None)
        if isinstance(X, StoredArray):
            return self._stored(X, reset=reset)
        if isinstance(X, CodedRows):
            self._set_names([column.name for column in X.columns], len(X.columns))
            return X
        if not reset and hasattr(self, "formula_") and is_frame(X):
            X = design_frame(self.formula_, X)
        if reset and is_frame(X):
            refuse_names(X)
        refuse_dates(X)
        if is_frame(X):
            X = with_plain_columns(X, () if reset else tuple(self.levels_))
        elif is_sparse(X):
            refuse_places(X)
        if reset:
            self._frame_names = names_of(X) if is_frame(X) else None
        elif self._frame_names is not None and is_frame(X) and not _are_strings(self._frame_names):
            X = in_order(X, self._frame_names)  # scikit-learn compares names that are strings
        if has_levels(X) if reset else self.levels_:
            validate_data(self, X, reset=reset, skip_check_array=True)
            ignore = getattr(self, "handle_unknown", "error") == "ignore"
            return coded(X, None if reset else self.levels_, ignore_unknown=ignore)
        if is_plain(X, 2, "biuf"):
            if reset:
                self.n_features_in_ = X.shape[1]
                self.__dict__.pop("feature_names_in_", None)
                return X
            if X.shape[1] == self.n_features_in_ and not hasattr(self, "feature_names_in_"):
                return X
        checked = validate_data(
            self,
            X if is_frame(X) or is_sparse(X) else plain_table(X),
            reset=reset,
            dtype="numeric",
            accept_sparse=["csr", "csc"],
            accept_large_sparse=True,
            ensure_all_finite=False,
        )
        # Frames of other libraries than pandas pass as arrays of objects.
        return checked.astype(np.float64) if checked.dtype.kind == "O" else checked

    def _stored(self, X: StoredArray, *, reset: bool) -> StoredArray:
        """Return rows in a file, checked: numbers, and in predictions as wide as the fit's."""
        if X.ndim != 2 or X.dtype.kind not in "biuf":
            raise DataError(
                f"{X.path} holds an array of shape {X.shape} ({X.dtype}); expected a table of "
                "numbers, one row per example"
            )
        if reset:
            self._set_names(X.names, X.shape[1])
        elif X.shape[1] != self.n_features_in_:
            raise DataError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )
        return X

    def _set_names(self, names: Sequence[str] | None, n_features: int) -> None:
        """Keep the names of the columns of rows in files, or that they have none."""
        self.n_features_in_ = n_features
        self._frame_names = None if names is None else list(names)
        self.__dict__.pop("feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)

    def _check_common_parameters(self) -> None:
        """Raise ValueError for a parameter of the engine that has no meaning."""
        if not isinstance(self.tol, Real) or not float(self.tol) >= 0:
            raise ValueError(f"tol must be a number >= 0, not {self.tol!r}")
        if not _is_integer(self.max_iter) or self.max_iter < 0:
            raise ValueError(f"max_iter must be an integer >= 0, not {self.max_iter!r}")
        if self.fit_intercept not in (True, False):
            raise ValueError(f"fit_intercept must be True or False, not {self.fit_intercept!r}")
        if self.n_jobs is not None and not (_is_integer(self.n_jobs) and self.n_jobs):
            raise ValueError(
                "n_jobs must be None, a number of threads, or -1 for one per core, not "
                f"{self.n_jobs!r}"
            )
        if self.solver not in SOLVERS:
            raise ValueError(f"solver must be one of {', '.join(SOLVERS)}, not {self.solver!r}")


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _are_strings(names: Sequence[Hashable]) -> bool:
    return all(isinstance(name, str) for name in names)
