"""`CrossValidated`: the fits on folds over a grid of penalties, and the choice among them.

The classes that choose their penalty by cross-validation share this. Each point of the grid is a
fit by the estimator without cross-validation, from the last point's coefficients, and has a
certificate of its own.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from numbers import Integral, Real
from threading import Event
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.metadata_routing import MetadataRouter, MethodMapping
from sklearn.utils.validation import _check_method_params

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.frames import coded, has_levels
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.refits import is_separated
from chainrule.engine.runtime.executors import map_in_order
from chainrule.engine.runtime.machine import single_threaded_algebra
from chainrule.errors import DataError
from chainrule.estimators.base import LinearEstimator, Matrix
from chainrule.estimators.fold_fits import FoldFit, FoldFits, Grid, Rows
from chainrule.estimators.inputs import n_cores, n_threads
from chainrule.estimators.penalties import checked_strength
from chainrule.estimators.relaxed_folds import mix, mixtures
from chainrule.estimators.selection import Selection
from chainrule.estimators.solving import Course
from chainrule.estimators.time_folds import Folds

_NEVER_COPIED: Final = ("warm_start", "verbose")
_SMALL_BYTES: Final[float] = 5e7
"""Bytes of X up to which threads fit one fold each: every one of them holds a copy of its rows."""

_CONSTRAINTS: Final = ("penalty_factor", "positive", "bounds")
"""Parameters of the fits that restrict or weight single coefficients."""


class CrossValidated(LinearEstimator):
    """Mixin of estimators that choose their penalty; comes before the class of a single fit."""

    _single: ClassVar[type[LinearEstimator]]
    """The class whose fits are compared."""

    l1_ratios: npt.ArrayLike | None
    cv: Any
    scoring: Any
    rule: str
    penalty_factor: Any
    positive: bool
    bounds: Any

    @abstractmethod
    def _set_strength(self, model: Any, strength: float, in_alpha: bool, rows: Rows) -> None:  # noqa: ANN401
        """Set the strength of the penalty of a model for a fit to some rows."""

    @abstractmethod
    def _inverse_strength_of(self, model: Any, rows: Rows) -> float:  # noqa: ANN401
        """Return C of a model for a fit to some rows."""

    @abstractmethod
    def _score(
        self,
        model: Any,  # noqa: ANN401
        rows: Rows,
        params: Mapping[str, Any],
    ) -> float:
        """Return the score of a fitted model on held-out rows."""

    @abstractmethod
    def _can_score_together(self, params: Mapping[str, Any]) -> bool:
        """Return whether the scores follow from the scores of rows, for all points in one go."""

    @abstractmethod
    def _scores_together(
        self,
        model: Any,  # noqa: ANN401
        rows: Rows,
        params: Mapping[str, Any],
        coef: FloatArray,
        intercept: FloatArray,
    ) -> FloatArray:
        """Return the scores of all points on held-out rows.

        Parameters
        ----------
        model : LinearEstimator
            Fitted to the training rows.
        rows : Rows
        params : dict
            Metadata of the rows for the scorer.
        coef : ndarray of shape (n_l1_ratios, n_strengths, n_outputs, n_coefficients)
        intercept : ndarray of shape (n_l1_ratios, n_strengths, n_outputs)
        """

    def _model(self) -> Any:  # noqa: ANN401
        """Return an estimator of one fit with the parameters of this one."""
        names = set(self._single._get_param_names()) & set(self.get_params(deep=False))
        kept = {name: getattr(self, name) for name in names - {*_NEVER_COPIED, "penalty", "alpha"}}
        for name in _CONSTRAINTS:
            given = getattr(self, name)
            if name not in kept and given is not None and given is not False:
                raise ValueError(f"{self._single.__name__} has no {name}; omit it")
        return self._single(**kept, warm_start=True, verbose=0)

    def _model_of_fold(self) -> Any:  # noqa: ANN401
        """Return an estimator for fits to rows that have their `weights_of_fit`."""
        return self._model()

    def _set_point(self, model: Any, grid: Grid, ratio: int, strength: int, rows: Rows) -> None:  # noqa: ANN401
        self._set_strength(model, float(grid.strengths[strength]), grid.in_alpha, rows)
        l1_ratio, _ = grid.at(ratio)
        if "l1_ratio" in vars(model):
            model.l1_ratio = l1_ratio
        elif l1_ratio != 0:
            raise ValueError(
                f"l1_ratio must be 0 in {type(self).__name__}: its penalty is L2, not {l1_ratio!r}"
            )

    def _fit_folds(
        self, rows: Rows, folds: Folds, grid: Grid, params: Mapping[str, Any]
    ) -> FoldFits:
        """Fit every point of the grid in every fold."""
        together = self._can_score_together(params)
        workers, per_fit = self._shared_threads(rows, len(folds), together=together)
        is_over = Event()

        def one(k: int) -> FoldFit:
            try:
                return self._fit_fold(k, folds[k], rows, grid, params, per_fit, is_over.is_set)
            except BaseException:
                is_over.set()  # other threads need not go on
                raise

        with single_threaded_algebra() if workers > 1 else nullcontext():
            try:
                found = list(map_in_order(one, len(folds), workers, leaving=is_over.set))
            except DataError:
                self._refuse_numbers(rows.X)
                raise
        short = [(k, said) for k, fold in enumerate(found) for said in fold.shortfalls]
        certificates = np.array([fold.certificates for fold in found])
        if short:
            warnings.warn(
                f"{len(short)} of the {certificates.size} fits on folds have no proven optimum "
                f"within tol, the first in fold {short[0][0]}: {short[0][1]} See certificates_.",
                ConvergenceWarning,
                stacklevel=3,
            )
        without = np.array([fold.without_refit for fold in found])
        if without.any():
            warnings.warn(
                f"{int(without.any(axis=0).sum())} of {without[0].size} points have chosen columns "
                "in some fold that separate the classes: no finite refit exists there, so these "
                "points have the score -inf.",
                ConvergenceWarning,
                stacklevel=3,
            )
        scores, weights = (np.array([getattr(f, n) for f in found]) for n in ("scores", "weight"))
        scores[:, without.any(axis=0)] = -np.inf
        return FoldFits(
            Selection(scores, weights, grid.order, len(grid.gammas)),
            [fold.coef for fold in found],
            [fold.intercept for fold in found],
            np.array([fold.n_iter for fold in found], dtype=np.int32),
            certificates,
        )

    def _refuse_numbers(self, X: Matrix) -> None:
        """Raise DataError for a number of X that no fit can use, by its row in X, not in a fold."""
        table = coded(X).occurring() if has_levels(X) else X
        names = getattr(self, "feature_names_in_", None)
        InMemorySource(table, np.zeros(table.shape[0]), column_names=names)

    def _shared_threads(
        self, rows: Rows, n_folds: int, *, together: bool
    ) -> tuple[int, int | None]:
        """Return how many folds are fitted at once, and the `n_jobs` of each fit.

        Folds of few rows share the threads: passes over them are too short to do so. Scorers of
        others than this package may not be called by two threads.
        """
        threads = n_threads(self.n_jobs, default=n_cores())
        values = rows.X.data if hasattr(rows.X, "indptr") else rows.X
        is_small = getattr(values, "nbytes", np.inf) <= _SMALL_BYTES
        if threads == 1 or not (together and is_small):
            return 1, self.n_jobs
        workers = min(threads, n_folds)
        return workers, threads // workers

    def _fit_fold(
        self,
        k: int,
        fold: tuple[IntArray, IntArray],
        rows: Rows,
        grid: Grid,
        params: Mapping[str, Any],
        n_jobs: int | None,
        is_over: Callable[[], bool],
    ) -> FoldFit:
        """Fit every point of the grid to the training rows of a fold, and score them."""
        train, test = fold
        counted = test[rows.weights[test] > 0]  # a weight of 0 is the absence of the row
        if not len(counted):
            raise DataError(f"the held-out rows of fold {k} all have weight 0: use fewer folds")
        held = rows.take(counted)
        held_params = _check_method_params(rows.X, params, counted)
        found = FoldFit.empty(grid.shape, float(held.weights.sum()))
        together = self._can_score_together(params)
        training = rows.take(train).for_fit()
        for j, i, model, n_steps in self._fold_models(k, training, grid, n_jobs):
            found.coef[j][i] = np.atleast_2d(np.array(model.coef_))
            found.intercept[j][i] = np.atleast_1d(np.array(model.intercept_))
            found.n_iter[j, i] = n_steps
            found.certificates[j, i] = getattr(model, "certificate_", None)
            found.without_refit[j, i] = getattr(model, "_has_no_refit", False)
            if not together:
                found.scores[j, i] = self._score(model, held, held_params)
            fit = getattr(model, "_fit", None)
            if fit is not None and not fit.met:
                found.shortfalls.append(fit.shortfall(self.tol, self.max_iter))
            if is_over():
                return found
        if together:
            of_points = self._scores_together(
                model, held, held_params, np.array(found.coef), np.array(found.intercept)
            )
            found.scores[:] = of_points.reshape(found.scores.shape)
        for j, i in np.argwhere(found.without_refit).tolist():
            found.coef[j][i] = np.full_like(found.coef[j][i], np.nan)
            found.intercept[j][i] = np.full_like(found.intercept[j][i], np.nan)
        return found

    def _fold_models(
        self, k: int, rows: Rows, grid: Grid, n_jobs: int | None
    ) -> Iterator[tuple[int, int, Any, int]]:
        """Yield the places of l1_ratio and strength, the model fitted there, and its iterations."""
        for j in range(len(grid.l1_ratios)):
            model = self._model_of_fold()
            model.n_jobs, model._course = n_jobs, None
            Cs = list[float]()
            for i in grid.order.tolist():
                self._set_point(model, grid, j * len(grid.gammas), i, rows)
                Cs.append(self._inverse_strength_of(model, rows))
            for i in grid.order.tolist():
                self._set_point(model, grid, j * len(grid.gammas), i, rows)
                if model._course is not None:
                    model._course.go_on(model, self._inverse_strength_of(model, rows))
                    yield from self._mixtures(j, i, model, grid)
                    continue
                model._course = Course(Cs)
                try:
                    model.fit(rows.X, rows.y, rows.given_weights, rows.offset)
                except DataError as error:
                    raise DataError(f"the training rows of fold {k}: {error}") from error
                yield from self._mixtures(j, i, model, grid)

    def _mixtures(
        self,
        ratio: int,
        strength: int,
        model: Any,  # noqa: ANN401
        grid: Grid,
    ) -> Iterator[tuple[int, int, Any, int]]:
        """Yield a fit with its place; if there are refits, its mixtures."""
        n_steps = int(np.max(model.n_iter_))
        if not grid.is_relaxed:
            yield ratio, strength, model, n_steps
            return
        refit, first = model._course.refit(model), ratio * len(grid.gammas)
        for place, mixture in enumerate(mixtures(model, refit, grid.gammas, self._place)):
            yield first + place, strength, mixture, n_steps

    def _refit(
        self, X: Matrix, rows: Rows, grid: Grid, fits: FoldFits, ratio: int, strength: int
    ) -> None:
        """Fit all rows at the chosen point, and keep what that fit keeps.

        It starts at the mean of the coefficients of the folds, if all have the same columns.
        """
        model = self._model()
        self._set_point(model, grid, ratio, strength, rows.for_fit())
        model.verbose = self.verbose
        start = [(c[ratio][strength], b[ratio][strength]) for c, b in fits.points()]
        if len({coef.shape for coef, _ in start}) == 1 and not has_levels(X):
            coef, intercept = (np.mean(part, axis=0) for part in zip(*start, strict=True))
            if np.isfinite(intercept).all():
                self._place(model, coef, intercept)
        _, gamma = grid.at(ratio)
        if gamma == 1:
            model.fit(X, rows.y, rows.given_weights, rows.offset)
        else:
            gamma = self._fit_mixture(model, X, rows, gamma)
        self._adopt(model)
        if grid.is_relaxed:
            self.gammas_, self.gamma_ = np.array(grid.gammas), gamma

    def _fit_mixture(self, model: Any, X: Matrix, rows: Rows, gamma: float) -> float:  # noqa: ANN401
        """Fit a model and mix it with the refit of its columns; return gamma, 1 where it has none.

        The certificate stays that of the penalised fit; that of the refit is set beside it.
        """
        model._course = Course()
        model.fit(X, rows.y, rows.given_weights, rows.offset)
        refit = model._course.refit(model)
        model._course = None
        if refit is None:
            return gamma
        model.relaxed_certificate_ = refit.certificate
        if is_separated(refit):
            warnings.warn(
                f"The columns chosen from all rows have no finite refit, so the penalised fit is "
                f"kept (gamma_ is 1). {refit.certificate}",
                ConvergenceWarning,
                stacklevel=4,
            )
            return 1.0
        if not refit.met:
            warnings.warn(
                f"The refit of the chosen columns: {refit.shortfall(self.tol, self.max_iter)}",
                ConvergenceWarning,
                stacklevel=4,
            )
        mix(model, refit, gamma, self._place)
        return gamma

    def _place(self, model: Any, coef: FloatArray, intercept: FloatArray) -> None:  # noqa: ANN401
        """Set the coefficients that a fit starts at."""
        model.coef_, model.intercept_ = coef, intercept

    def _adopt(self, model: LinearEstimator) -> None:
        """Keep a fitted model, with its coefficients and everything it says of its data."""
        own = model.get_params(deep=False)
        self.__dict__.update({n: value for n, value in vars(model).items() if n not in own})
        self.best_estimator_ = model

    def _data(self, X: Matrix) -> Matrix:
        """Return X checked, in a form whose rows can be taken."""
        checked = self._matrix(X, reset=True)
        if has_levels(X):
            return X
        return checked.tocsr() if hasattr(checked, "tocsr") else checked

    def get_metadata_routing(self) -> MetadataRouter:
        """Return how scikit-learn routes metadata: to the splitter and to the scorer.

        Returns
        -------
        MetadataRouter
        """
        router = MetadataRouter(owner=self).add_self_request(self)
        router.add(
            splitter=self.cv, method_mapping=MethodMapping().add(caller="fit", callee="split")
        )
        scorer = self._get_scorer()
        if scorer is None:
            return router
        to_scorer = MethodMapping().add(caller="fit", callee="score")
        return router.add(
            scorer=scorer, method_mapping=to_scorer.add(caller="score", callee="score")
        )

    @abstractmethod
    def _get_scorer(self) -> Any:  # noqa: ANN401
        """Return scikit-learn's scorer, None if the score is this class's own."""


def as_strengths(values: Any, name: str, *, least: float = 0.0) -> FloatArray:  # noqa: ANN401
    """Return a grid of strengths: the values, or so many from 1e-4 to 1e4 on a logarithmic scale.

    Parameters
    ----------
    values : int or sequence of float
    name : str
        Of the parameter, for errors.
    least : float
        The values must be larger; inf is allowed.
    """
    if isinstance(values, Integral) and not isinstance(values, bool):
        if values < 1:
            raise ValueError(f"{name} must be a number of values, 1 or more, not {values!r}")
        return np.logspace(-4, 4, int(values))
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        found = np.empty((0, 0))
    if found.ndim != 1 or not found.size or not (found > least).all():
        raise ValueError(
            f"{name} must be an integer or a sequence of numbers > {least:g}, not {values!r}"
        )
    if name == "Cs":
        for C in found.tolist():
            checked_strength(C)
    elif np.isinf(found).any():
        raise ValueError(f"{name} must be finite, not {values!r}")
    return found


def as_l1_ratios(values: Any) -> tuple[float, ...]:  # noqa: ANN401
    """Return the l1_ratios to try; None is L2 alone."""
    if values is None:
        return (0.0,)
    is_list = isinstance(values, Sequence | np.ndarray) and not isinstance(values, str)
    if (
        not is_list
        or not len(values)
        or not all(isinstance(v, Real) and 0 <= float(v) <= 1 for v in values)
    ):
        raise ValueError(
            f"l1_ratios must be a sequence of numbers between 0 and 1; got (l1_ratios={values!r})"
        )
    return tuple(float(value) for value in values)


def has_own_columns(data: Matrix) -> bool:
    """Tell whether the number of coefficients depends on the rows: on their levels."""
    return hasattr(data, "columns")
