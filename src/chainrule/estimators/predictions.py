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
        """Return the scores: log odds of the second class, or one score per class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            The columns of the fit, in their order.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Added to the scores. Required if the fit had one; 0 for none.

        Returns
        -------
        ndarray of shape (n_samples,) for two classes, else (n_samples, n_classes)
            X coef^T + intercept + offset, in natural logarithms.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            When the offset is missing, or a value or a level cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.decision_function([[0.5], [2.5]]).round(2)
        array([-0.45,  0.45])
        """
        raw = self._raw_prediction(X, offset)
        return raw[:, 0] if raw.shape[1] == 1 else raw

    def predict(self, X: Matrix, offset: Matrix | None = None) -> Labels:
        """Return the most probable label of each row.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            The columns of the fit, in their order.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Added to the scores. Required if the fit had one; 0 for none.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels of `classes_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            When the offset is missing, or a value or a level cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.predict([[0.5], [2.5]]).tolist()
        ['no', 'yes']
        """
        raw = self._raw_prediction(X, offset)
        codes = (raw[:, 0] > 0).astype(np.intp) if raw.shape[1] == 1 else raw.argmax(axis=1)
        return np.asarray(self._labels()[codes])

    def predict_proba(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            The columns of the fit, in their order.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Added to the scores. Required if the fit had one; 0 for none.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`; each row adds to one.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            When the offset is missing, or a value or a level cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.predict_proba([[0.5]]).round(2).tolist()
        [[0.61, 0.39]]
        """
        return self._probabilities(X, offset)

    def predict_log_proba(self, X: Matrix, offset: Matrix | None = None) -> FloatArray:
        """Return the natural logarithms of the probabilities, with all their digits.

        The loss of a label is minus its log-probability, also where the probability underflows.

        Parameters
        ----------
        X : array-like, sparse matrix or data frame of shape (n_samples, n_features)
            The columns of the fit, in their order.
        offset : array-like of shape (n_samples,) or (n_samples, n_classes), optional
            Added to the scores. Required if the fit had one; 0 for none.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.

        Raises
        ------
        NotFittedError
            Before `fit`.
        DataError
            When the offset is missing, or a value or a level cannot be used; the message names the
            row.

        Examples
        --------
        >>> from chainrule import LogisticRegression
        >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["no", "yes", "no", "yes"]
        >>> model = LogisticRegression().fit(X, y)
        >>> model.predict_log_proba([[-4000.0]]).round(1)[0, 1]
        np.float64(-1812.2)
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
