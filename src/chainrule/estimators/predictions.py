"""Predictions of a fitted classifier for new rows: everything follows from their scores."""

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
    """The methods of a classifier that computes scores."""

    @abstractmethod
    def _labels(self) -> Labels:
        """Return the labels, in the order of their probabilities."""

    @abstractmethod
    def _raw_prediction(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        """Return raw predictions, (n_samples, n_outputs)."""

    @abstractmethod
    def _probabilities(self, X: Matrix, offset: Matrix | None) -> FloatArray:
        """Return the probability of each class, (n_samples, n_classes)."""

    def decision_function(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return raw predictions: (n_samples,) for two classes, else (n_samples, n_classes)."""
        raw = self._raw_prediction(X, offset)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def predict(self, X: Matrix, offset: Matrix | None = None) -> Labels:
        """Return the most probable label of each row, shape (n_samples,)."""
        raw = self._raw_prediction(X, offset)
        codes = (raw[:, 0] > 0).astype(np.intp) if raw.shape[1] == 1 else raw.argmax(axis=1)
        return np.asarray(self._labels()[codes])

    def predict_proba(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the probability of each class, shape (n_samples, n_classes)."""
        return self._probabilities(X, offset)

    def predict_log_proba(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the logarithms of the probabilities, with all their digits.

        The loss of a label is minus its log-probability, also where the probability underflows.
        """
        raw, n_classes = self._raw_prediction(X, offset), len(self._labels())
        loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
        n_samples = len(raw)
        columns = []
        for k in range(n_classes):
            y = np.zeros((n_samples, n_classes))
            y[:, k] = 1.0
            columns.append(-loss.pointwise_loss(raw, y[:, 1] if n_classes == 2 else y))
        return np.stack(columns, axis=1)
