"""Labels, weights and offsets of rows: what a source holds beside X."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray


class LabelledRows:
    """The labels and weights of rows, to which a source adds X.

    Attributes
    ----------
    n_samples, n_classes : int
    offset : ndarray or None
    """

    n_samples: int
    n_classes: int
    offset: FloatArray | None
    _y: npt.NDArray[Any]
    _weight: FloatArray | None
    _numbers: tuple[Any, FloatArray] | None
    _ones: FloatArray

    @property
    def total_weight(self) -> float:
        """The sum of the sample weights."""
        return float(self.n_samples if self._weight is None else self._weight.sum())

    @property
    def has_pure_labels(self) -> bool:
        """Whether every label is known to be one class entirely."""
        return self._y.dtype.kind in "biu"

    @property
    def class_counts(self) -> FloatArray | None:
        """Sums of 1 - y and y, where they are whole numbers and cost nothing; None elsewhere."""
        if not (self.n_classes == 2 and self.has_pure_labels and self._weight is None):
            return None
        second = float(np.count_nonzero(self._y))
        return np.array([self.n_samples - second, second])

    @property
    def has_codes(self) -> bool:
        """Whether the labels are codes of more than two classes, without offsets."""
        return self.n_classes > 2 and self._y.ndim == 1 and self.offset is None

    def set_weights(self, sample_weight: FloatArray) -> None:
        """Weight the rows anew."""
        self._weight = sample_weight

    def labels_of(self, rows: slice) -> tuple[FloatArray, FloatArray]:
        """Return y and sample_weight of some rows, of however many blocks."""
        count = rows.stop - rows.start
        plain = self._weight is None and count > len(self._ones)
        return self._labels(rows), np.ones(count) if plain else self.weights(rows)

    def weights(self, rows: slice) -> FloatArray:
        """Return the sample_weight of some rows of one block."""
        if self._weight is None:
            return self._ones[: rows.stop - rows.start]
        return np.asarray(self._weight[rows], dtype=np.float64)

    def _labels(self, rows: slice) -> FloatArray:
        if self._numbers is not None and self._numbers[0] is self._y:
            return self._numbers[1][rows]
        y = self._y[rows]
        if self.n_classes == 2 or y.ndim == 2:
            return np.asarray(y, dtype=np.float64)
        one_hot = np.zeros((len(y), self.n_classes), order="F")
        one_hot[np.arange(len(y)), y] = 1.0
        return one_hot
