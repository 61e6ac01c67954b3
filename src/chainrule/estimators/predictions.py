"""What a fitted classifier says of new rows: everything follows from their raw predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss

Matrix = Any
Labels = npt.NDArray[Any]


class Predictions(ABC):
    """The methods of a classifier that has `classes_` and knows raw predictions."""

    classes_: Labels

    @abstractmethod
    def _raw_prediction(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        """Return raw predictions, (n_samples, n_outputs)."""

    def decision_function(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return raw predictions: (n_samples,) for two classes, else (n_samples, n_classes)."""
        raw = self._raw_prediction(X, offset)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def predict(self, X: Matrix, offset: Matrix | None = None) -> Labels:
        """Return the most probable label of each row, shape (n_samples,)."""
        raw = self._raw_prediction(X, offset)
        codes = (raw[:, 0] > 0).astype(np.intp) if raw.shape[1] == 1 else raw.argmax(axis=1)
        return np.asarray(self.classes_[codes])

    def predict_proba(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the probability of each class, shape (n_samples, n_classes)."""
        raw = self._raw_prediction(X, offset)
        return self._loss().proba(raw)

    def predict_log_proba(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the logarithms of the probabilities, with all their digits.

        The loss of a label is minus its log-probability, also where the probability underflows.
        """
        raw, loss = self._raw_prediction(X, offset), self._loss()
        n_samples, n_classes = len(raw), len(self.classes_)
        columns = []
        for k in range(n_classes):
            y = np.zeros((n_samples, n_classes))
            y[:, k] = 1.0
            columns.append(-loss.pointwise_loss(raw, y[:, 1] if n_classes == 2 else y))
        return np.stack(columns, axis=1)

    def _loss(self) -> BinaryLoss | SoftmaxLoss:
        n_classes = len(self.classes_)
        return BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
