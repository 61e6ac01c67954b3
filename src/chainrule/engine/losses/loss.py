"""Interface of a loss for objectives, solvers and certificates.

A loss is pointwise: one example in, one number (or one small row) out. It does not depend on sums,
weights or coefficients. `raw_prediction` is always (n_samples, n_outputs): one score per example,
or one per class for more than two classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from chainrule.engine.arrays import UNIT, BoolArray, FloatArray
from chainrule.engine.losses.facts import Facts

Terms = tuple[FloatArray, FloatArray, FloatArray | None]
"""Loss, gradient and Hessian of each example, in the shapes of `Loss`; no Hessian if not asked."""

KERNEL_ERROR: Final[float] = 8 * UNIT
"""What one evaluation of a kernel for classes may err, relative to the largest term in it."""


@dataclass(frozen=True)
class TotalErrors:
    """Bounds on sums over all examples, of whatever the example's bound is multiplied with.

    Attributes
    ----------
    gradient, loss, hessian : float
        Of `gradient_error` (for any output), `loss_error` and `hessian_error`.
    steepest : float
        Of the absolute values of the gradients themselves.
    bend : float
        Of `steepest_bend`.
    change : float
        Of `gradient_change`.
    """

    gradient: float
    loss: float
    hessian: float
    steepest: float
    bend: float
    change: float


class Loss(Protocol):
    """A loss as the engine uses it. All shapes are per block of rows."""

    @property
    def n_outputs(self) -> int:
        """Number of raw predictions per example."""

    @property
    def facts(self) -> Facts:
        """Its proven facts."""

    @property
    def kernel(self) -> int:
        """The address of its compiled kernel; 0 where there is none."""

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

    @property
    def level(self) -> float | None:
        """The loss of any example at raw predictions of zero; None where targets matter there."""

    @property
    def predicts_target(self) -> bool:
        """Whether the score is itself the prediction of the target: an identity link."""

    def link(self, mean: FloatArray) -> FloatArray:
        """Return the score of a prediction; NaN where the loss has no such function."""

    def least(self, y: FloatArray) -> FloatArray | float:
        """Return a lower bound of each example's loss, (n_samples,), or one number for all.

        Only where `facts.has_least`.
        """

    def least_sums(self, y: FloatArray, weight: FloatArray) -> tuple[float, float]:
        """Return the weighted sums of the least losses and of their sizes."""

    def log_curvature_change(self, raw_direction: FloatArray) -> FloatArray:
        """Return how far a change of raw prediction moves log(curvature), (n_samples,).

        |loss'''| <= M |direction| loss'' for self-concordant losses in the sense of Bach (2010).
        Where no constant M is proven it is an estimate, with M = 1, and proves nothing.
        """

    def margin(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return how far each row goes, at least, in directions of ever lower loss, (n_samples,).

        For classes, by how much each class with a share leads all others. A row whose loss has a
        minimum has a margin of zero at most: it must stay where it is.
        """

    def widest_lead(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return how far each row goes at most in such directions, shape (n_samples,)."""

    def has_share(self, y: FloatArray) -> BoolArray:
        """Return which classes have a share in each row, shape (n_samples, n_classes).

        For losses of one score: whether a row must not go up, and whether it must not go down.
        """

    def gradient_change(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Bound |change of gradient| if raw predictions err by `error`, (n_samples, n_outputs)."""

    def curvature_range(
        self, raw_prediction: FloatArray, y: FloatArray, width: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        """Bound the curvature of each example for raw predictions within `width`, (n,) each."""

    def steepest_bend(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound u^T h u for the pointwise Hessian h and every |u_k| <= 1, shape (n_samples,)."""

    def gradient_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound |computed - true gradient| at exact raw predictions, (n_samples, n_outputs)."""

    def loss_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound |computed - true loss| at exact raw predictions, shape (n_samples,)."""

    def curvature_error(self, error: float) -> float:
        """Bound the relative error of pointwise Hessians if raw predictions err by `error`."""

    def hessian_error(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Bound the 2-norm of what pointwise Hessians err beyond that, shape (n_samples,)."""

    def total_errors(
        self, loss: float, weight: float, largest: float, error: float, pure: bool
    ) -> TotalErrors | None:
        """Bound what all examples together err, from the sum of their losses alone.

        Parameters
        ----------
        loss, weight : float
            Sums of s_i loss_i and of s_i.
        largest : float
            Bound on every |raw prediction|.
        error : float
            Bound on what each errs.
        pure : bool
            Whether every label is one class entirely.

        Returns
        -------
        TotalErrors or None
            None where the losses do not bound their derivatives.
        """

    def error_sums(
        self, raw_prediction: FloatArray, y: FloatArray, weight: FloatArray, error: float
    ) -> TotalErrors | None:
        """Bound what some examples together err, from the raw prediction of each.

        Parameters
        ----------
        raw_prediction, y, weight : ndarray
        error : float
            Bound on what each raw prediction errs.

        Returns
        -------
        TotalErrors or None
            None where `total_errors` bounds them.
        """
