"""A loss of one score, from its record of facts and generated kernels, as the engine uses it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray
from chainrule.engine.losses.compiled import evaluate, kernel_of, weighted_sums
from chainrule.engine.losses.facts import Facts, LossRow
from chainrule.engine.losses.loss import Terms, TotalErrors

_UNDERFLOW: Final[float] = 1e-300
"""What any kernel may err beside its rounding bound, where numbers leave the normal range."""


@dataclass(frozen=True, eq=False)
class ScoreLoss:
    """A loss of one score; y is (n_samples,).

    The Hessian that solvers see is never negative: of a loss that is not convex, they see the
    positive part.

    Attributes
    ----------
    row : LossRow
    compiled : bool
        Whether its formulas are compiled where that is possible: for very many examples.
    """

    row: LossRow
    compiled: bool = False
    n_outputs: int = 1
    level: float | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs: addresses of compiled kernels mean nothing there."""
        return {name: getattr(self, name) for name in ("row", "compiled", "n_outputs", "level")}

    @property
    def facts(self) -> Facts:
        """Its proven facts."""
        return self.row.facts

    @property
    def predicts_target(self) -> bool:
        """Whether the score is itself the prediction of the target: an identity link."""
        return self.row.link_name == "identity" and self.row.kernels.link is not None

    @cached_property
    def kernel(self) -> int:
        """The address of the compiled kernel; 0 where it is not used."""
        return self._kernel_of("terms")

    @cached_property
    def errors_kernel(self) -> int:
        """The address of the compiled kernel of the rounding bounds; 0 where it is not used."""
        return self._kernel_of("errors")

    @cached_property
    def least_kernel(self) -> int:
        """The address of the compiled kernel of the least loss; 0 where it is not used."""
        return self._kernel_of("least")

    def _kernel_of(self, function: str) -> int:
        return kernel_of(self.row.source, function) if self.compiled and self.row.source else 0

    def pointwise_loss(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the loss of each example, shape (n_samples,)."""
        return self._terms(raw_prediction, y)[0]

    def pointwise_gradient(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return d loss / d raw_prediction, shape (n_samples, 1)."""
        return self._terms(raw_prediction, y)[1][:, None]

    def pointwise_hessian(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the second derivatives, shape (n_samples, 1, 1)."""
        return self._terms(raw_prediction, y)[2][:, None, None]

    def terms(self, raw_prediction: FloatArray, y: FloatArray, *, with_hessian: bool) -> Terms:
        """Return loss, gradient and Hessian of each example."""
        loss, slope, bend = self._terms(raw_prediction, y)
        return loss, slope[:, None], bend[:, None, None] if with_hessian else None

    def hessian_product(
        self, raw_prediction: FloatArray, y: FloatArray, direction: FloatArray
    ) -> FloatArray:
        """Return the pointwise Hessian times `direction`, shape (n_samples, 1)."""
        return self._terms(raw_prediction, y)[2][:, None] * direction

    def link(self, mean: FloatArray) -> FloatArray:
        """Return the score of a prediction; NaN where the loss has no such function."""
        link = self.row.kernels.link
        return np.full_like(mean, np.nan) if link is None else link(mean)

    def least(self, y: FloatArray) -> FloatArray:
        """Return a lower bound of each example's loss, (n_samples,)."""
        assert self.row.kernels.least is not None
        return self.row.kernels.least(y)

    def least_sums(self, y: FloatArray, weight: FloatArray) -> tuple[float, float]:
        """Return the weighted sums of the least losses and of their sizes."""
        if self.least_kernel:
            total, size, _ = weighted_sums(self.least_kernel, y, y, weight)
            return total, size
        least = self.least(y)
        return float(weight @ least), float(weight @ np.abs(least))

    def log_curvature_change(self, raw_direction: FloatArray) -> FloatArray:
        """Return M |raw_direction|, shape (n_samples,); M = 1 where no constant is proven."""
        constant = self.facts.self_concordance
        return (1.0 if constant is None else constant) * np.abs(raw_direction[:, 0])

    def margin(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the raw prediction in the direction in which the loss falls for ever.

        Rows whose loss has a minimum must stay: minus the size of their raw prediction.
        """
        score = raw_prediction[:, 0]
        up, down = np.isin(y, self.facts.falls_up), np.isin(y, self.facts.falls_down)
        return np.where(up, score, np.where(down, -score, -np.abs(score)))

    def widest_lead(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the same: there is one score."""
        return self.margin(raw_prediction, y)

    def has_share(self, y: FloatArray) -> BoolArray:
        """Return whether each row must not go up, and whether it must not go down."""
        up, down = np.isin(y, self.facts.falls_up), np.isin(y, self.facts.falls_down)
        return np.stack([~up, ~down], axis=1)

    def gradient_change(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Bound |change of gradient| by the curvature in between, shape (n_samples, 1).

        A self-concordant curvature h grows at most to h exp(M |change|).
        """
        if self.facts.self_concordance is None:
            low, high = self.curvature_range(raw_prediction, y, error)
            return (np.maximum(np.abs(low), np.abs(high)) * error)[:, None]
        bend = self._terms(raw_prediction, y)[2] + self._errors(raw_prediction, y)[2]
        return self._change(bend, error)

    def _change(self, bend: FloatArray, error: FloatArray) -> FloatArray:
        grown: FloatArray = bend * self._growth(error)
        return grown[:, None]

    def _growth(self, error: Any) -> Any:  # noqa: ANN401
        """Return the integral of exp(M t) from 0 to `error`."""
        constant = self.facts.self_concordance
        return np.expm1(np.minimum(constant * error, 50.0)) / constant if constant else error

    def curvature_range(
        self, raw_prediction: FloatArray, y: FloatArray, width: FloatArray | float
    ) -> tuple[FloatArray, FloatArray]:
        """Enclose the curvature of each example for scores within `width`, (n_samples,) each."""
        raw = raw_prediction[:, 0]
        low, high = self.row.kernels.curvature_range(raw - width, raw + width, y)
        return low, high + _UNDERFLOW

    def steepest_bend(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Return the curvature, shape (n_samples,)."""
        return self._terms(raw_prediction, y)[2]

    def gradient_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding, shape (n_samples, 1)."""
        return self._errors(raw_prediction, y)[1][:, None]

    def loss_error(self, raw_prediction: FloatArray, y: FloatArray) -> FloatArray:
        """Bound the rounding, shape (n_samples,)."""
        return self._errors(raw_prediction, y)[0]

    def curvature_error(self, error: float) -> float:
        """Bound the relative error of the curvature if raw predictions err by `error`.

        0 where no self-concordance constant is proven: then all is in `hessian_error`.
        """
        constant = self.facts.self_concordance
        return 0.0 if constant is None else float(np.expm1(min(constant * error, 50.0)))

    def hessian_error(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> FloatArray:
        """Bound what the curvature errs beyond that, shape (n_samples,)."""
        return self._rounding_errors(raw_prediction, y, error)[2]

    def error_sums(
        self, raw_prediction: FloatArray, y: FloatArray, weight: FloatArray, error: float
    ) -> TotalErrors:
        """Bound the weighted sums over some examples whose raw predictions err by `error`."""
        constant = self.facts.self_concordance
        if constant is not None and self.kernel and self.errors_kernel:
            vectors = raw_prediction[:, 0], y, weight
            least = _UNDERFLOW * float(weight.sum())
            of_terms = weighted_sums(self.errors_kernel, *vectors)
            loss, slope, bend = (least + total for total in of_terms)
            _, steepest, curvature = weighted_sums(self.kernel, *vectors)
            grown = (curvature + bend) * float(self._growth(error))
            return TotalErrors(slope, loss, bend, steepest + slope, curvature, grown)
        errors = np.full(len(y), error)
        of_loss, of_slope, of_bend, change = self._rounding_errors(raw_prediction, y, errors)
        _, slopes, bends = self._terms(raw_prediction, y)
        of_gradient = of_slope[:, 0]
        steep = np.abs(slopes) + of_gradient
        of_each = of_gradient, of_loss, of_bend, steep, bends, change[:, 0]
        return TotalErrors(*(float(weight @ values) for values in of_each))

    def total_errors(
        self, loss: float, weight: float, largest: float, error: float, pure: bool
    ) -> None:
        """Return None: the losses need not bound their derivatives."""

    def _terms(
        self, raw_prediction: FloatArray, y: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        if self.kernel:
            return evaluate(self.kernel, raw_prediction[:, 0], y)
        loss, slope, bend = self.row.kernels.terms(raw_prediction[:, 0], y)
        return loss, slope, np.maximum(bend, 0.0)

    def _errors(
        self, raw_prediction: FloatArray, y: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        loss, slope, bend = self.row.kernels.errors(raw_prediction[:, 0], y)
        return loss + _UNDERFLOW, slope + _UNDERFLOW, bend + _UNDERFLOW

    def _rounding_errors(
        self, raw_prediction: FloatArray, y: FloatArray, error: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return loss_error, gradient_error, hessian_error and gradient_change, all in one go."""
        loss, slope, bend = self._errors(raw_prediction, y)
        if self.facts.self_concordance is not None:
            change = self._change(self._terms(raw_prediction, y)[2] + bend, error)
            return loss, slope[:, None], bend, change
        low, high = self.curvature_range(raw_prediction, y, error)
        change = (np.maximum(np.abs(low), np.abs(high)) * error)[:, None]
        return loss, slope[:, None], bend + (high - low), change
