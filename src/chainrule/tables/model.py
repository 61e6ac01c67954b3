"""The fitted model of a table, as plain data, and its predictions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import ModelFileError
from chainrule.tables import model_file
from chainrule.tables.encoding import Matrix
from chainrule.tables.metrics import predicted_codes
from chainrule.tables.predictors import designed
from chainrule.tables.records import Floats, ModelRecord
from chainrule.tables.scores import score_columns
from chainrule.tables.specs import Feature
from chainrule.tables.table import Table


@dataclass(frozen=True)
class CoefficientRow:
    """One row of the coefficient table.

    Parameters
    ----------
    feature : Feature
        The feature that it multiplies.
    label : str
        The class whose odds it changes; empty where the target is a number.
    per_deviation : float
        For a number: the change of the score for one standard deviation, which the penalty acts
        on. For an indicator: the coefficient.
    own_scale : float
        The change of the score for one unit as it stands in the file.
    """

    feature: Feature
    label: str
    per_deviation: float
    own_scale: float

    @property
    def ratio(self) -> float:
        """Factor of the odds, or of a mean with a log link: per deviation, or against the base."""
        try:
            return math.exp(self.per_deviation)
        except OverflowError:
            return math.inf


@dataclass(frozen=True, eq=False, kw_only=True)
class TableModel(ModelRecord):
    """A logistic regression on named columns: one row of coefficients per class, one for two."""

    @property
    def is_binary(self) -> bool:
        """Whether there are two classes and one row of coefficients."""
        return len(self.classes) == 2

    def predict_proba(self, table: Table, *, blank: bool = False) -> Floats:
        """Return one probability per class for each row.

        Parameters
        ----------
        table : Table
            Rows with the columns of the model.
        blank : bool
            Give NaN to rows with a missing value or a category never seen; otherwise they raise.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            The rows sum to one.
        """
        self.check_columns(list(table.columns), table.source)
        design = designed(self, table, blank=blank)
        scored = score_columns(self.specs, self.coef, self.intercept, design, blank=blank)
        shift = self.offsets.of(table, blank=blank) if self.offsets.names else 0.0
        proba = class_probabilities(scored.score, shift)
        if not scored.usable.all():
            proba[~scored.usable] = np.nan
        return proba

    def proba_of(self, X: Matrix, offset: Floats | float = 0.0) -> Floats:
        """Return the probabilities of encoded rows; an offset shifts the score of two classes."""
        raw_prediction: Floats = np.asarray(X @ self.coef.T) + self.intercept
        return class_probabilities(raw_prediction, offset)

    def label_codes(self, proba: Floats) -> NDArray[np.int64]:
        """Return the predicted class of each row: by the threshold, or the most probable one."""
        return predicted_codes(proba, self.threshold)

    def coefficients(self) -> Iterator[CoefficientRow]:
        """Yield the coefficient table, class by class in the order of the features.

        For more than two classes the coefficients are centred over the classes, which changes no
        probability: each speaks for the odds of its class against the (geometric) mean class.
        """
        rows = self.coef if self.is_binary else self.coef - self.coef.mean(axis=0)
        labels = self.classes[1:] if self.is_binary else self.classes
        for label, row in zip(labels, rows, strict=True):
            for feature, value in zip(self.features, row, strict=True):
                yield CoefficientRow(feature, label, float(value), float(value / feature.scale))

    def own_intercepts(self) -> dict[str, float]:
        """Return the intercepts on the scale of the file, by class."""
        centred = self.coef if self.is_binary else self.coef - self.coef.mean(axis=0)
        intercept = self.intercept if self.is_binary else self.intercept - self.intercept.mean()
        mean = np.array([feature.mean for feature in self.features])
        scale = np.array([feature.scale for feature in self.features])
        labels = self.classes[1:] if self.is_binary else self.classes
        own = intercept - centred @ (mean / scale)
        return {label: float(value) for label, value in zip(labels, own, strict=True)}

    def save(self, path: str | Path) -> None:
        """Write the model as JSON; see `chainrule.tables.model_file`."""
        model_file.save(self, path)

    @classmethod
    def load(cls, path: str | Path) -> TableModel:
        """Read a model of classes that `save` wrote, and check it."""
        record = model_file.load(path)
        if not isinstance(record, ModelRecord):
            raise ModelFileError(f"{path}: this is the model of a regression, not of classes.")
        return cls(**vars(record))


def class_probabilities(raw_prediction: Floats, offset: Floats | float = 0.0) -> Floats:
    """Return the probability of each class from scores: one per row for two classes."""
    if raw_prediction.shape[1] == 1:
        z = raw_prediction[:, 0] + offset
        # Each side by its own formula: 1 - p would lose the digits of a small probability.
        tail = np.exp(-np.abs(z))
        total = 1.0 + tail
        above, sides = z >= 0, np.empty((2, len(z)))
        np.divide(np.where(above, tail, 1.0), total, out=sides[0])
        np.divide(np.where(above, 1.0, tail), total, out=sides[1])
        return sides.T
    proba: Floats = np.exp(raw_prediction - raw_prediction.max(axis=1, keepdims=True))
    proba /= proba.sum(axis=1, keepdims=True)
    return proba
