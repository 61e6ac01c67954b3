"""Losses are pointwise: one example in, one number (or one small row) out.

They know no sums, no weights and no coefficients. Their formulas are the emitted kernels; here
they only get the shapes that the rest of the engine speaks: `raw_prediction` is always
(n_samples, n_outputs), with one output for two classes and one per class for more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray
from chainrule.engine.losses import _emitted as kernels
from chainrule.engine.losses import _emitted_scalar as joint

Terms = tuple[FloatArray, FloatArray, FloatArray | None]
"""Loss, gradient and Hessian of each example, in the shapes of `Loss`; no Hessian if not asked."""


class Loss(Protocol):
    """What the objective asks of a loss. All shapes are per block of rows."""

    @property
    def n_outputs(self) -> int:
        """Number of raw predictions per example."""

    @property
    def pace(self) -> float:
        """How fast curvatures and probabilities follow: a change c scales them by exp(pace |c|)."""

    def pointwise_loss(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the loss of each example, shape (n_samples,)."""

    def pointwise_gradient(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return d loss / d raw_prediction, shape (n_samples, n_outputs)."""

    def pointwise_hessian(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives, shape (n_samples, n_outputs, n_outputs)."""

    def terms(self, raw_prediction: FloatArray, y: FloatArray, *, with_hessian: bool) -> Terms:
        """Return all of these, to the bit, with what they share computed once."""

    def hessian_product(
        self, raw_prediction: FloatArray, y: FloatArray, direction: FloatArray
    ) -> FloatArray:
        """Return the pointwise Hessian times `direction`, shape (n_samples, n_outputs)."""

    def proba(self, raw_prediction: FloatArray) -> FloatArray:
        """Return class probabilities, shape (n_samples, n_classes)."""

    def spread(self, raw_direction: FloatArray) -> FloatArray:
        """Return how far a change of raw prediction moves the loss's curvature, (n_samples,).

        The logarithm of the curvature changes by at most this much: losses of logistic type are
        self-concordant in the sense of Bach (2010), |loss'''| <= spread * loss''.
        """

    def margin(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return by how much each class with a share leads all others at least, (n_samples,).

        A row of several classes has a margin of zero at most: they can only be level.
        """

    def widest_lead(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the lead of the classes with a share over the last one, shape (n_samples,)."""

    def has_share(self, y: FloatArray) -> BoolArray:
        """Return which classes have a share in each row, shape (n_samples, n_classes)."""

    def sensitivity(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound |change of gradient| by this times expm1(pace |change of raw prediction|)."""

    def steepest_bend(self, raw_prediction: FloatArray) -> FloatArray:
        """Bound u^T h u for the pointwise Hessian h and every |u_k| <= 1, shape (n_samples,)."""

    def gradient_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound |computed - true gradient| at exact raw predictions, (n_samples, n_outputs)."""

    def loss_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound |computed - true loss| at exact raw predictions, shape (n_samples,)."""

    def hessian_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the 2-norm of what the pointwise Hessian errs, beyond a relative error, (n,)."""

    def total_errors(self, loss: float, weight: float, largest: float, pure: bool) -> TotalErrors:
        """Bound what all examples together err, from the sum of their losses alone.

        Parameters
        ----------
        loss, weight : float
            Sums of s_i loss_i and of s_i.
        largest : float
            Bound on every |raw prediction|.
        pure : bool
            Whether every label is one class entirely.
        """


KERNEL_ERROR: Final[float] = 8 * UNIT
"""What one evaluation of a kernel may err, relative to the largest term in it."""


@dataclass(frozen=True)
class TotalErrors:
    """Bounds on sums over all examples, of whatever the example's bound is multiplied with.

    They follow from 1 - p <= -log p: where the label has probability p, no derivative of the loss
    exceeds 1 - p, so that none exceeds the loss.

    Attributes
    ----------
    gradient, loss, hessian : float
        Of `gradient_error` (for any output), `loss_error` and `hessian_error`.
    bend : float
        Of `steepest_bend`.
    """

    gradient: float
    loss: float
    hessian: float
    bend: float


@dataclass(frozen=True)
class BinaryLoss:
    """Cross-entropy of a sigmoid; y is (n_samples,) in [0, 1]."""

    n_outputs: int = 1
    pace: float = 1.0

    def pointwise_loss(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the loss of each example, shape (n_samples,)."""
        return kernels.binary_loss(raw_prediction[:, 0], y)

    def pointwise_gradient(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return d loss / d raw_prediction, shape (n_samples, 1)."""
        return kernels.binary_gradient(raw_prediction[:, 0], y)[:, None]

    def pointwise_hessian(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives, shape (n_samples, 1, 1)."""
        return kernels.binary_hessian(raw_prediction[:, 0])[:, None, None]

    def terms(self, raw_prediction: FloatArray, y: FloatArray, *, with_hessian: bool) -> Terms:
        """Return loss, gradient and Hessian of each example."""
        loss, slope, bend = joint.binary(raw_prediction[:, 0], y)
        return loss, slope[:, None], bend[:, None, None] if with_hessian else None

    def hessian_product(
        self, raw_prediction: FloatArray, y: FloatArray, direction: FloatArray
    ) -> FloatArray:
        """Return the pointwise Hessian times `direction`, shape (n_samples, 1)."""
        return kernels.binary_hessian(raw_prediction[:, 0])[:, None] * direction

    def proba(self, raw_prediction: FloatArray) -> FloatArray:
        """Return the probabilities of both classes, shape (n_samples, 2)."""
        score = raw_prediction[:, 0]
        return np.stack([kernels.binary_proba(-score), kernels.binary_proba(score)], axis=1)

    def spread(self, raw_direction: FloatArray) -> FloatArray:
        """Return |raw_direction|, shape (n_samples,)."""
        return np.abs(raw_direction[:, 0])

    def margin(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the signed raw prediction, or minus its size where both classes have a share."""
        score = raw_prediction[:, 0]
        return np.where(y == 1, score, np.where(y == 0, -score, -np.abs(score)))

    def widest_lead(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the signed raw prediction: there is only one other class."""
        return self.margin(raw_prediction, y)

    def has_share(self, y: FloatArray) -> BoolArray:
        """Return which of both classes have a share, shape (n_samples, 2)."""
        return np.stack([y < 1, y > 0], axis=1)

    def sensitivity(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return a (1 - a): the gradient's slope changes by at most a factor exp(|change|)."""
        return kernels.binary_hessian(raw_prediction[:, 0])[:, None]

    def steepest_bend(self, raw_prediction: FloatArray) -> FloatArray:
        """Return a (1 - a), shape (n_samples,)."""
        return kernels.binary_hessian(raw_prediction[:, 0])

    def gradient_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding: relative for pure labels, absolute for labels in between."""
        size = np.abs(self.pointwise_gradient(raw_prediction, y))
        pure = (y == 0) | (y == 1)
        return KERNEL_ERROR * np.where(pure[:, None], size, 1.0)

    def loss_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding: relative for pure labels, of the raw prediction in between."""
        between = np.where((y == 0) | (y == 1), 0.0, np.abs(raw_prediction[:, 0]))
        return KERNEL_ERROR * (self.pointwise_loss(raw_prediction, y) + between)

    def hessian_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return 0: the error is relative."""
        return np.zeros(len(raw_prediction))

    def total_errors(self, loss: float, weight: float, largest: float, pure: bool) -> TotalErrors:
        """Bound sums over all examples, by their losses."""
        between = 0.0 if pure else weight
        return TotalErrors(
            gradient=KERNEL_ERROR * (loss + between),
            loss=KERNEL_ERROR * (loss + largest * between),
            hessian=0.0,
            bend=loss,
        )


class CompiledBinaryLoss(BinaryLoss):
    """The same formulas, compiled: for very many examples."""

    def pointwise_loss(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the loss of each example, shape (n_samples,)."""
        return _compiled(raw_prediction, y)[0]

    def pointwise_gradient(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return d loss / d raw_prediction, shape (n_samples, 1)."""
        return _compiled(raw_prediction, y)[1][:, None]

    def pointwise_hessian(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives, shape (n_samples, 1, 1)."""
        return _compiled(raw_prediction, y)[2][:, None, None]

    def terms(self, raw_prediction: FloatArray, y: FloatArray, *, with_hessian: bool) -> Terms:
        """Return loss, gradient and Hessian of each example."""
        loss, slope, bend = _compiled(raw_prediction, y)
        return loss, slope[:, None], bend[:, None, None] if with_hessian else None

    def hessian_product(
        self, raw_prediction: FloatArray, y: FloatArray, direction: FloatArray
    ) -> FloatArray:
        """Return the pointwise Hessian times `direction`, shape (n_samples, 1)."""
        return _compiled(raw_prediction, y)[2][:, None] * direction

    def sensitivity(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return a (1 - a)."""
        return _compiled(raw_prediction, y)[2][:, None]


def _compiled(raw_prediction: FloatArray, y: FloatArray) -> tuple[FloatArray, ...]:
    """Return loss, gradient and curvature of each example, (n_samples,) each."""
    from chainrule.engine.losses import pointwise

    found = tuple(np.empty(len(y)) for _ in range(3))
    ones = np.broadcast_to(np.ones(1), len(y))
    pointwise.pointwise(np.ascontiguousarray(raw_prediction[:, 0]), y, ones, *found)
    return found


@dataclass(frozen=True)
class SoftmaxLoss:
    """Cross-entropy of a softmax, symmetric in the classes; y is (n_samples, n_classes)."""

    n_outputs: int
    pace: float = 2.0

    def pointwise_loss(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the loss of each example, shape (n_samples,)."""
        return kernels.softmax_loss(raw_prediction, y)

    def pointwise_gradient(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return d loss / d raw_prediction, shape (n_samples, n_classes)."""
        return kernels.softmax_gradient(raw_prediction, y)

    def pointwise_hessian(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives, shape (n_samples, n_classes, n_classes)."""
        hessian = np.empty((*raw_prediction.shape, self.n_outputs))
        for k in range(self.n_outputs):
            unit = np.zeros_like(raw_prediction)
            unit[:, k] = 1.0
            hessian[:, :, k] = kernels.softmax_hessian_product(raw_prediction, unit)
        return hessian

    def terms(self, raw_prediction: FloatArray, y: FloatArray, *, with_hessian: bool) -> Terms:
        """Return loss, gradient and Hessian of each example."""
        return (
            self.pointwise_loss(raw_prediction, y),
            self.pointwise_gradient(raw_prediction, y),
            self.pointwise_hessian(raw_prediction, y) if with_hessian else None,
        )

    def hessian_product(
        self, raw_prediction: FloatArray, y: FloatArray, direction: FloatArray
    ) -> FloatArray:
        """Return the pointwise Hessian times `direction`, shape (n_samples, n_classes)."""
        return kernels.softmax_hessian_product(raw_prediction, direction)

    def proba(self, raw_prediction: FloatArray) -> FloatArray:
        """Return the class probabilities, shape (n_samples, n_classes)."""
        return kernels.softmax_proba(raw_prediction)

    def spread(self, raw_direction: FloatArray) -> FloatArray:
        """Return max_k - min_k of the direction, shape (n_samples,).

        The third derivative of log-sum-exp is a third central moment, so
        |E[(U - EU)(V - EV)^2]| <= (max U - min U) Var V.
        """
        return np.asarray(raw_direction.max(axis=1) - raw_direction.min(axis=1))

    def margin(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the least lead of a class with a share over the best other one."""
        ranked = np.sort(raw_prediction, axis=1)
        first, second = ranked[:, -1:], ranked[:, -2:-1]
        others = np.where(raw_prediction == first, second, first)
        leads = np.where(y > 0, raw_prediction - others, np.inf)
        return np.asarray(leads.min(axis=1))

    def widest_lead(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the lead of the classes with a share over the class with the lowest score."""
        shared = np.where(y > 0, raw_prediction, np.inf)
        return np.asarray(shared.min(axis=1) - raw_prediction.min(axis=1))

    def has_share(self, y: FloatArray) -> BoolArray:
        """Return which classes have a share, shape (n_samples, n_classes)."""
        return y > 0

    def sensitivity(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return min(p, 1 - p): a change c scales p and 1 - p by at most exp(2|c|)."""
        odds = _Odds.of(raw_prediction)
        return np.minimum(odds.p, odds.rest)

    def steepest_bend(self, raw_prediction: FloatArray) -> FloatArray:
        """Return the largest variance of numbers in [-1, 1], of which one has probability p."""
        odds = _Odds.of(raw_prediction)
        return np.asarray(np.minimum(1.0, 4 * (odds.rest * odds.favourite).sum(axis=1)))

    def gradient_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding: relative for pure labels, but for what score differences lose."""
        odds = _Odds.of(raw_prediction)
        size = odds.p * (1 - y) + y * odds.rest
        lost = odds.p * (odds.gap + odds.lost) + odds.favourite * odds.lost
        return self._units * size + UNIT * lost

    def loss_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding: relative, but for what score differences lose."""
        lost = _Odds.of(raw_prediction).lost[:, 0]
        return np.asarray(self._units * self.pointwise_loss(raw_prediction, y) + UNIT * lost)

    def hessian_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound it by row sums: none is more than the probability of not being the favourite."""
        odds = _Odds.of(raw_prediction)
        others = (odds.rest * odds.favourite).sum(axis=1)
        return np.asarray(4 * (self._units * others + 2 * UNIT * odds.lost[:, 0]))

    def total_errors(self, loss: float, weight: float, largest: float, pure: bool) -> TotalErrors:
        """Bound sums over all examples; p_k gap_k <= 1/e, for p_k <= exp(-gap_k)."""
        lost = UNIT * self.n_outputs * weight
        return TotalErrors(
            gradient=self._units * loss + 2 * lost,
            loss=self._units * loss + lost,
            hessian=4 * (self._units * loss + 2 * lost),
            bend=4 * loss,
        )

    @property
    def _units(self) -> float:
        return KERNEL_ERROR + 2 * self.n_outputs * UNIT


@dataclass(frozen=True)
class _Odds:
    """What the rounding of a softmax depends on; all but `lost` are (n_samples, n_classes).

    Attributes
    ----------
    p : ndarray
    rest : ndarray
        1 - p, with its digits.
    gap : ndarray
        By how much a score is below the favourite's: rounding this difference scales p.
    favourite : ndarray
        1 at the favourite, else 0.
    lost : ndarray of shape (n_samples, 1)
        sum_k p_k gap_k.
    """

    p: FloatArray
    rest: FloatArray
    gap: FloatArray
    favourite: FloatArray
    lost: FloatArray

    @classmethod
    def of(cls, raw_prediction: FloatArray) -> _Odds:
        n_classes = raw_prediction.shape[1]
        favourite = np.eye(n_classes)[np.argmax(raw_prediction, axis=1)]
        p = kernels.softmax_proba(raw_prediction)
        doubt = -kernels.softmax_gradient(raw_prediction, favourite)
        gap = raw_prediction.max(axis=1, keepdims=True) - raw_prediction
        return cls(
            p,
            np.where(favourite == 1, doubt, 1 - p),
            gap,
            favourite,
            (p * gap).sum(axis=1, keepdims=True),
        )
