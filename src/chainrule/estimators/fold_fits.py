"""The data of a cross-validation: the grid of penalties, the rows, the fits of each fold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import _safe_indexing

from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.runtime.stored_arrays import StoredArray
from chainrule.estimators.base import Matrix
from chainrule.estimators.inputs import are_implied
from chainrule.estimators.selection import Selection


@dataclass(frozen=True)
class Grid:
    """The penalties to try.

    Attributes
    ----------
    strengths : ndarray
        Values of C, or of alpha, in the user's order.
    l1_ratios : tuple of float
    in_alpha : bool
        Whether the strengths are alphas: of a penalty on the *mean* of the losses. The same alpha
        is another C in a fold than in all rows.
    gammas : tuple of float
        Shares of the penalised fit in mixtures with a refit of its columns, the largest first. The
        rows of the grid are the l1_ratios, and within each the gammas.
    """

    strengths: FloatArray
    l1_ratios: tuple[float, ...]
    in_alpha: bool
    gammas: tuple[float, ...] = (1.0,)

    @property
    def shape(self) -> tuple[int, int]:
        """How many rows and strengths there are."""
        return len(self.l1_ratios) * len(self.gammas), len(self.strengths)

    @property
    def is_relaxed(self) -> bool:
        """Whether there are refits."""
        return self.gammas != (1.0,)

    def at(self, row: int) -> tuple[float, float]:
        """Return l1_ratio and gamma of a row."""
        ratio, gamma = divmod(row, len(self.gammas))
        return self.l1_ratios[ratio], self.gammas[gamma]

    def unfolded(self, values: npt.NDArray[Any], axis: int) -> npt.NDArray[Any]:
        """Return values with an axis of l1_ratios and one of gammas, if there are refits."""
        if not self.is_relaxed:
            return values
        sizes = (len(self.l1_ratios), len(self.gammas))
        return values.reshape((*values.shape[:axis], *sizes, *values.shape[axis + 1 :]))

    @property
    def order(self) -> IntArray:
        """The places from the strongest penalty to the weakest."""
        return np.argsort(-self.strengths if self.in_alpha else self.strengths, kind="stable")


@dataclass(frozen=True)
class Rows:
    """Rows with everything that a fit to them takes.

    Attributes
    ----------
    X : array-like
    y : ndarray of shape (n_samples,)
    weights : ndarray of shape (n_samples,)
        By which scores count.
    offset : ndarray or None
    weights_of_fit : ndarray or None
        The weights times those of the classes; None where they are `weights`.
    """

    X: Matrix
    y: npt.NDArray[Any]
    weights: FloatArray
    offset: FloatArray | None
    weights_of_fit: FloatArray | None = None

    def take(self, rows: IntArray) -> Rows:
        """Return some of the rows."""
        weights, X = self.weights, self.X
        return Rows(
            X.rows_at(rows) if isinstance(X, StoredArray) else _safe_indexing(X, rows),
            self.y[rows],
            weights[: len(rows)] if are_implied(weights) else weights[rows],
            None if self.offset is None else self.offset[rows],
            None if self.weights_of_fit is None else self.weights_of_fit[rows],
        )

    @property
    def given_weights(self) -> FloatArray | None:
        """The weights, None where nobody gave any."""
        return None if are_implied(self.weights) else self.weights

    def for_fit(self) -> Rows:
        """Return the rows with the weights that they have in a fit."""
        if self.weights_of_fit is None:
            return self
        return replace(self, weights=self.weights_of_fit, weights_of_fit=None)


@dataclass(frozen=True)
class FoldFits:
    """The fits of all folds.

    Attributes
    ----------
    selection : Selection
        Their scores.
    coef, intercept : list of list of list
        By fold, l1_ratio and strength: shapes (n_outputs, n_coefficients) and (n_outputs,).
    n_iter : ndarray of int32, shape (n_folds, n_l1_ratios, n_strengths)
    certificates : ndarray of the same shape
        Of each fit; None where a fold lacks all classes but one.
    """

    selection: Selection
    coef: list[list[list[FloatArray]]]
    intercept: list[list[list[FloatArray]]]
    n_iter: npt.NDArray[np.int32]
    certificates: npt.NDArray[Any]

    def points(self) -> Iterator[tuple[list[list[FloatArray]], list[list[FloatArray]]]]:
        """Yield coefficients and intercepts of each fold."""
        yield from zip(self.coef, self.intercept, strict=True)

    def table(self, *, with_intercept: bool) -> FloatArray:
        """Return coefficients, and the intercept last if asked for.

        Returns
        -------
        ndarray of shape (n_folds, n_l1_ratios, n_strengths, n_outputs, n_coefficients)
        """
        coef, intercept = np.array(self.coef), np.array(self.intercept)
        return np.concatenate([coef, intercept[..., None]], axis=-1) if with_intercept else coef


@dataclass(frozen=True)
class FoldFit:
    """The fits to the training rows of one fold, by l1_ratio and strength, and their scores."""

    weight: float
    scores: FloatArray
    coef: list[list[FloatArray]]
    intercept: list[list[FloatArray]]
    n_iter: npt.NDArray[np.int32]
    certificates: npt.NDArray[Any]
    without_refit: npt.NDArray[np.bool_]
    shortfalls: list[str]

    @classmethod
    def empty(cls, shape: tuple[int, int], weight: float) -> FoldFit:
        """Return room for the fits of a grid."""
        coef, intercept = ([[np.empty(0)] * shape[1] for _ in range(shape[0])] for _ in range(2))
        n_iter, certificates = np.zeros(shape, dtype=np.int32), np.empty(shape, dtype=object)
        without = np.zeros(shape, dtype=bool)
        return cls(weight, np.empty(shape), coef, intercept, n_iter, certificates, without, [])
