"""Fits of a classifier on folds, and their scores: a fold may lack a class."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.metrics import get_scorer

from chainrule.engine.arrays import FloatArray
from chainrule.errors import DataError
from chainrule.estimators.cross_validation import CrossValidated
from chainrule.estimators.fold_fits import Grid, Rows
from chainrule.estimators.labels import Labels
from chainrule.estimators.lost_classes import lone_intercept, widened
from chainrule.estimators.scoring import (
    mean_log_proba,
    mean_log_probas,
    raw_at_points,
    with_labels,
)

LOG_LOSS: Final = "neg_log_loss"


class CrossValidatedClasses(CrossValidated):
    """Mixin of a classifier that chooses its penalty by cross-validation."""

    classes_: Labels
    _n_features: int | None

    @property
    def _n_outputs(self) -> int:
        return 1 if len(self.classes_) == 2 else len(self.classes_)

    def _model_of_fold(self) -> Any:  # noqa: ANN401
        model = self._model()
        model.class_weight = None  # it is in the weights of the rows: 'balanced' is of all rows
        return model

    def _set_strength(self, model: Any, strength: float, in_alpha: bool, rows: Rows) -> None:  # noqa: ANN401
        model.C = 1 / (strength * float(rows.weights.sum())) if in_alpha else strength

    def _inverse_strength_of(self, model: Any, rows: Rows) -> float:  # noqa: ANN401
        return float(model.C)

    def _fold_models(
        self, k: int, rows: Rows, grid: Grid, n_jobs: int | None
    ) -> Iterator[tuple[int, int, Any, int]]:
        """Yield the fits of a fold; a class without training rows gets the probability 0."""
        used = rows.y[rows.weights > 0]
        present = np.isin(self.classes_, used)
        if present.all():
            yield from super()._fold_models(k, rows, grid, n_jobs)
            return
        lost, kept = self.classes_[~present], self.classes_[present]
        self._tell_of_lost_class(k, lost)
        if len(kept) == 1:
            for j in range(grid.shape[0]):
                for i in range(grid.shape[1]):
                    yield j, i, self._constant(rows, present), 0
            return
        for j, i, model, n_steps in super()._fold_models(k, rows, grid, n_jobs):
            yield j, i, widened(model, self.classes_, present), n_steps

    def _tell_of_lost_class(self, k: int, lost: Labels) -> None:
        said = (
            f"class {lost[:1].tolist()[0]!r} has no row in the training rows of fold {k}, so it "
            "gets the probability 0 there: use StratifiedKFold, fewer folds or other groups"
        )
        if self.scoring == LOG_LOSS:
            raise DataError(f"{said}. The log-loss of such a fold is infinite.")
        warnings.warn(said, stacklevel=5)

    def _constant(self, rows: Rows, present: npt.NDArray[np.bool_]) -> Any:  # noqa: ANN401
        """Return a model that predicts the only class of a fold."""
        if self._n_features is None:
            raise DataError(
                "a fold has training rows of one class alone: use StratifiedKFold or fewer folds"
            )
        model: Any = self._model_of_fold()
        model._matrix(rows.X, reset=True)
        model.levels_, model.coef_names_ = {}, None
        model._has_offset = rows.offset is not None
        model.classes_, n_rows = self.classes_, len(present) if self._n_outputs > 1 else 1
        model.coef_ = np.zeros((n_rows, self._n_features))
        model.intercept_ = lone_intercept(present)
        return model

    def _get_scorer(self) -> Any:  # noqa: ANN401
        """Return scikit-learn's scorer."""
        return get_scorer("accuracy" if self.scoring is None else self.scoring)

    def _score(
        self,
        model: Any,  # noqa: ANN401
        rows: Rows,
        params: Mapping[str, Any],
    ) -> float:
        """Return the score of a model on held-out rows."""
        if self._can_score_together(params):
            log_proba = model.predict_log_proba(rows.X, rows.offset)
            return mean_log_proba(log_proba, rows.y, self.classes_, params.get("sample_weight"))
        if rows.offset is not None:
            raise DataError("with an offset, scoring must be 'neg_log_loss', the default")
        scorer = with_labels(self._get_scorer(), self.classes_)
        try:
            return float(scorer(model, rows.X, rows.y, **params))
        except ValueError as error:
            if np.isfinite(model.intercept_).all():
                raise
            raise DataError(
                f"scoring={self.scoring!r} takes no infinite scores, which rows have in a fold "
                "whose training rows lack a class: use StratifiedKFold, fewer folds or other groups"
            ) from error

    def _can_score_together(self, params: Mapping[str, Any]) -> bool:
        return self.scoring == LOG_LOSS and not set(params) - {"sample_weight"}

    def _scores_together(
        self,
        model: Any,  # noqa: ANN401
        rows: Rows,
        params: Mapping[str, Any],
        coef: FloatArray,
        intercept: FloatArray,
    ) -> FloatArray:
        raws = raw_at_points(model, rows.X, rows.offset, coef, intercept)
        return mean_log_probas(raws, rows.y, self.classes_, params.get("sample_weight"))
