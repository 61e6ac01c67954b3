"""Losses of classes: the cross-entropy of a sigmoid and of a softmax.

Their formulas are the generated kernels; here they only get the shapes of the engine. Bounds on
their rounding follow from 1 - p <= -log p: where the label has probability p, no derivative of the
loss exceeds 1 - p, so that none exceeds the loss.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray
from chainrule.engine.losses import _emitted as kernels
from chainrule.engine.losses import _emitted_scalar as joint
from chainrule.engine.losses.compiled import evaluate, logistic_kernel
from chainrule.engine.losses.facts import Facts
from chainrule.engine.losses.loss import KERNEL_ERROR, Terms, TotalErrors

LOGISTIC_FACTS = Facts(
    convex=True,
    self_concordance=1.0,
    curvature=(0.0, 0.25),
    has_least=True,
    of_classes=True,
    falls_down=(0.0,),
    falls_up=(1.0,),
    because=(
        ("convex", "the curvature is a (1 - a), and 0 < a < 1"),
        (
            "self-concordance constant 1",
            "the third derivative is (1 - 2a) times the curvature, and |1 - 2a| < 1",
        ),
        ("least value 0", "the loss is minus the logarithm of a probability"),
    ),
)

SOFTMAX_FACTS = Facts(
    convex=True,
    self_concordance=2.0,
    curvature=(0.0, 0.5),
    has_least=True,
    of_classes=True,
    because=(
        ("convex", "the Hessian diag(p) - p p^T is a covariance"),
        (
            "self-concordance constant 2",
            "the third derivative is a third central moment: at most the range of a direction "
            "times its variance",
        ),
        ("least value 0", "the loss is minus the logarithm of a probability"),
    ),
)


@dataclass(frozen=True)
class BinaryLoss:
    """Cross-entropy of a sigmoid; y is (n_samples,) in [0, 1].

    Attributes
    ----------
    compiled : bool
        Whether its compiled kernel is used: for very many examples.
    """

    compiled: bool = False
    n_outputs: int = 1
    facts: Facts = LOGISTIC_FACTS
    predicts_target: bool = False

    @property
    def kernel(self) -> int:
        """The address of the compiled kernel; 0 where it is not used."""
        return logistic_kernel() if self.compiled else 0

    def pointwise_loss(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the loss of each example, shape (n_samples,)."""
        if self.compiled:
            return self.terms(raw_prediction, y, with_hessian=False)[0]
        return kernels.binary_loss(raw_prediction[:, 0], y)

    def pointwise_gradient(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return d loss / d raw_prediction, shape (n_samples, 1)."""
        if self.compiled:
            return self.terms(raw_prediction, y, with_hessian=False)[1]
        return kernels.binary_gradient(raw_prediction[:, 0], y)[:, None]

    def pointwise_hessian(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives, shape (n_samples, 1, 1)."""
        return self._curvature(raw_prediction, y)[:, None, None]

    def terms(self, raw_prediction: FloatArray, y: FloatArray, *, with_hessian: bool) -> Terms:
        """Return loss, gradient and Hessian of each example."""
        if self.compiled:
            loss, slope, bend = evaluate(self.kernel, raw_prediction[:, 0], y)
        else:
            loss, slope, bend = joint.binary(raw_prediction[:, 0], y)
        return loss, slope[:, None], bend[:, None, None] if with_hessian else None

    def hessian_product(
        self, raw_prediction: FloatArray, y: FloatArray, direction: FloatArray
    ) -> FloatArray:
        """Return the pointwise Hessian times `direction`, shape (n_samples, 1)."""
        return self._curvature(raw_prediction, y)[:, None] * direction

    def proba(self, raw_prediction: FloatArray) -> FloatArray:
        """Return the probabilities of both classes, shape (n_samples, 2)."""
        score = raw_prediction[:, 0]
        return np.stack([kernels.binary_proba(-score), kernels.binary_proba(score)], axis=1)

    @property
    def level(self) -> float:
        """The loss of any example at a raw prediction of zero: log 2."""
        return float(self.pointwise_loss(np.zeros((1, 1)), np.ones(1))[0])

    def link(self, mean: FloatArray) -> FloatArray:
        """Return log(mean / (1 - mean))."""
        return np.asarray(np.log(mean) - np.log1p(-mean))

    def least(self, y: FloatArray) -> float:
        """Return 0; the least loss of a proportion is higher."""
        return 0.0

    def least_sums(self, y: FloatArray, weight: FloatArray) -> tuple[float, float]:
        """Return zeros."""
        return 0.0, 0.0

    def log_curvature_change(self, raw_direction: FloatArray) -> FloatArray:
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

    def gradient_change(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Return a (1 - a) expm1(error): the slope of a changes by at most a factor exp(error)."""
        moved = np.expm1(np.minimum(error, 50.0))[:, None]
        return self._curvature(raw_prediction, y)[:, None] * moved

    def curvature_range(
        self, raw_prediction: FloatArray, y: FloatArray, width: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        """Return a (1 - a) exp(-+width), at most 1/4."""
        bend = self._curvature(raw_prediction, y)
        change = np.exp(np.minimum(width, 50.0)) * (1 + 2 * KERNEL_ERROR)
        return bend / change, np.minimum(bend * change, 0.25)

    def steepest_bend(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
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

    def curvature_error(self, error: float) -> float:
        """Bound the relative error of a (1 - a) if raw predictions err by `error`."""
        return float(np.expm1(min(error, 50.0))) + KERNEL_ERROR

    def hessian_error(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Return 0: the error is relative."""
        return np.zeros(len(raw_prediction))

    def error_sums(
        self, raw_prediction: FloatArray, y: FloatArray, weight: FloatArray, error: float
    ) -> None:
        """Return None: the losses bound their derivatives."""

    def total_errors(
        self, loss: float, weight: float, largest: float, error: float, pure: bool
    ) -> TotalErrors:
        """Bound sums over all examples, by their losses."""
        between = 0.0 if pure else weight
        return TotalErrors(
            gradient=KERNEL_ERROR * (loss + between),
            loss=KERNEL_ERROR * (loss + largest * between),
            hessian=0.0,
            steepest=loss,
            bend=loss,
            change=float(np.expm1(min(error, 50.0))) * loss,
        )

    def _curvature(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        if self.compiled:
            return evaluate(self.kernel, raw_prediction[:, 0], y)[2]
        return kernels.binary_hessian(raw_prediction[:, 0])


@dataclass(frozen=True)
class SoftmaxLoss:
    """Cross-entropy of a softmax, symmetric in the classes; y is (n_samples, n_classes)."""

    n_outputs: int
    facts: Facts = SOFTMAX_FACTS
    predicts_target: bool = False
    kernel: int = 0

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

    @property
    def level(self) -> float:
        """The loss of any example at raw predictions of zero: the logarithm of n_outputs."""
        return float(
            self.pointwise_loss(np.zeros((1, self.n_outputs)), np.eye(self.n_outputs)[:1])[0]
        )

    def link(self, mean: FloatArray) -> FloatArray:
        """Return the logarithms of the probabilities."""
        return np.asarray(np.log(mean))

    def least(self, y: FloatArray) -> float:
        """Return 0."""
        return 0.0

    def least_sums(self, y: FloatArray, weight: FloatArray) -> tuple[float, float]:
        """Return zeros."""
        return 0.0, 0.0

    def log_curvature_change(self, raw_direction: FloatArray) -> FloatArray:
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

    def gradient_change(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Return min(p, 1 - p) expm1(2 error): both change by at most a factor exp(2 error)."""
        odds = _Odds.of(raw_prediction)
        moved = np.expm1(2.0 * np.minimum(error, 50.0))[:, None]
        return np.asarray(np.minimum(odds.p, odds.rest) * moved)

    def curvature_range(
        self, raw_prediction: FloatArray, y: FloatArray, width: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        """Return 0 and 1/2: bounds of the eigenvalues of diag(p) - p p^T."""
        n_samples = len(raw_prediction)
        return np.zeros(n_samples), np.full(n_samples, 0.5)

    def steepest_bend(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the largest variance of numbers in [-1, 1], of which one has probability p."""
        odds = _Odds.of(raw_prediction)
        return np.asarray(np.minimum(1.0, 4 * (odds.rest * odds.top_class).sum(axis=1)))

    def gradient_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding: relative for pure labels, but for what score differences lose."""
        odds = _Odds.of(raw_prediction)
        size = odds.p * (1 - y) + y * odds.rest
        lost = odds.p * (odds.gap + odds.lost) + odds.top_class * odds.lost
        return self._units * size + UNIT * lost

    def loss_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding: relative, but for what score differences lose."""
        lost = _Odds.of(raw_prediction).lost[:, 0]
        return np.asarray(self._units * self.pointwise_loss(raw_prediction, y) + UNIT * lost)

    def curvature_error(self, error: float) -> float:
        """Bound the relative error of pointwise Hessians if raw predictions err by `error`."""
        return float(np.expm1(2.0 * min(error, 50.0))) + KERNEL_ERROR

    def hessian_error(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Bound it by row sums: none is more than the probability of not being the top class."""
        odds = _Odds.of(raw_prediction)
        others = (odds.rest * odds.top_class).sum(axis=1)
        return np.asarray(4 * (self._units * others + 2 * UNIT * odds.lost[:, 0]))

    def error_sums(
        self, raw_prediction: FloatArray, y: FloatArray, weight: FloatArray, error: float
    ) -> None:
        """Return None: the losses bound their derivatives."""

    def total_errors(
        self, loss: float, weight: float, largest: float, error: float, pure: bool
    ) -> TotalErrors:
        """Bound sums over all examples; p_k gap_k <= 1/e, for p_k <= exp(-gap_k)."""
        lost = UNIT * self.n_outputs * weight
        return TotalErrors(
            gradient=self._units * loss + 2 * lost,
            loss=self._units * loss + lost,
            hessian=4 * (self._units * loss + 2 * lost),
            steepest=loss,
            bend=4 * loss,
            change=float(np.expm1(2 * min(error, 50.0))) * loss,
        )

    @property
    def _units(self) -> float:
        return KERNEL_ERROR + 2 * self.n_outputs * UNIT


@dataclass(frozen=True)
class _Odds:
    """Quantities behind the rounding of a softmax; all but `lost` are (n_samples, n_classes).

    Attributes
    ----------
    p : ndarray
    rest : ndarray
        1 - p, with its digits.
    gap : ndarray
        By how much a score is below the top class's: rounding this difference scales p.
    top_class : ndarray
        1 at the top class, else 0.
    lost : ndarray of shape (n_samples, 1)
        sum_k p_k gap_k.
    """

    p: FloatArray
    rest: FloatArray
    gap: FloatArray
    top_class: FloatArray
    lost: FloatArray

    @classmethod
    def of(cls, raw_prediction: FloatArray) -> _Odds:
        n_classes = raw_prediction.shape[1]
        top_class = np.eye(n_classes)[np.argmax(raw_prediction, axis=1)]
        p = kernels.softmax_proba(raw_prediction)
        doubt = -kernels.softmax_gradient(raw_prediction, top_class)
        gap = raw_prediction.max(axis=1, keepdims=True) - raw_prediction
        return cls(
            p,
            np.where(top_class == 1, doubt, 1 - p),
            gap,
            top_class,
            (p * gap).sum(axis=1, keepdims=True),
        )
