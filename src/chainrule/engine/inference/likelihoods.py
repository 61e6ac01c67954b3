"""Terms of one example in likelihood, score and information, for one score or several classes.

Of several classes one is the base: the parameters are those of the others less the base's, as far
as the data tell them apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.families import Family
from chainrule.engine.losses.classes import SoftmaxLoss
from chainrule.engine.losses.facts import LossRow


@dataclass(frozen=True)
class RowTerms:
    """Terms of each example of a piece, with n_outputs scores.

    Attributes
    ----------
    loss : ndarray of shape (n_rows,)
    slope : ndarray of shape (n_rows, n_outputs)
        dl/dz.
    curvature : ndarray of shape (n_rows, n_outputs, n_outputs)
        The information: the expected d2l/dz2.
    slope_square : ndarray of shape (n_rows, n_outputs, n_outputs)
        slope slope^T, averaged over the labels where y is a proportion.
    """

    loss: FloatArray
    slope: FloatArray
    curvature: FloatArray
    slope_square: FloatArray


class Likelihood(Protocol):
    """A loss as inference uses it."""

    @property
    def n_outputs(self) -> int:
        """Scores per example that parameters belong to."""

    def terms(self, scores: FloatArray, y: FloatArray) -> RowTerms:
        """Return what each example adds, at scores (n_rows, n_outputs)."""


@dataclass(frozen=True)
class ScoreLikelihood:
    """A loss of one score.

    Attributes
    ----------
    row : LossRow
    family : Family or None
        None for losses that no distribution has: their information is the observed one.
    """

    row: LossRow
    family: Family | None
    n_outputs: int = 1

    def terms(self, scores: FloatArray, y: FloatArray) -> RowTerms:
        """Return what each example adds."""
        z = scores[:, 0]
        loss, slope, bend = (np.asarray(part) for part in self.row.kernels.terms(z, y))
        square = slope**2
        if self.family is not None:
            if not self.family.is_canonical:
                bend = self.family.information(z)
            spread = y * (1 - y) if self.family.name == "binomial" else np.zeros(1)
            if spread.any():  # proportions
                square = square + spread * self.family.slope_in_target(z) ** 2
        return RowTerms(loss, slope[:, None], bend[:, None, None], square[:, None, None])


@dataclass(frozen=True)
class ClassLikelihood:
    """Several classes, in parameters against class number `base`."""

    n_classes: int
    base: int = 0

    @property
    def n_outputs(self) -> int:
        """One less than there are classes."""
        return self.n_classes - 1

    def terms(self, scores: FloatArray, y: FloatArray) -> RowTerms:
        """Return what each example adds."""
        raw = np.insert(scores, self.base, 0.0, axis=1)
        loss = SoftmaxLoss(self.n_classes)
        value, slope, bend = loss.terms(raw, y, with_hessian=True)
        assert bend is not None
        others = np.delete(np.arange(self.n_classes), self.base)
        table = bend[:, others[:, None], others]
        slope, share = slope[:, others], y[:, others]
        square = slope[:, :, None] * slope[:, None, :] - share[:, :, None] * share[:, None, :]
        k = np.arange(self.n_outputs)
        square[:, k, k] += share
        return RowTerms(value, slope, table, square)
