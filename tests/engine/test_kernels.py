"""The emitted formulas against 50-digit arithmetic."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule.engine.arrays import UNIT
from chainrule.engine.losses import _emitted as kernels
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.loss import KERNEL_ERROR

SMALL = [0.0, 1e-300, 1e-9, 0.3, -0.3, 1.0, 5.0, -5.0]
CANCELLING = [18.0, 20.5, 25.0, 33.0, 33.5, 37.0, -37.5]
HUGE = [100.0, -100.0, 700.0, -700.0, 709.9, -744.0, 1e4, -1e4]
SCORES = np.array([*SMALL, *CANCELLING, *HUGE])
TINY = 1e-300
ROWS = np.array(
    [
        [0.0, 0.0, 0.0],
        [1.0, -2.0, 0.5],
        [40.0, 0.0, -3.0],
        [-18.0, 18.0, 17.9],
        [1e4, -1e4, 0.0],
        [-1e4, -1e4, -1e4],
        [700.0, -700.0, 699.0],
        [3.0, 3.0, -60.0],
    ]
)


def binary_truth(z: float, y: float) -> tuple[Any, Any, Any, Any]:
    with mpmath.workdps(50):
        score, label = mpmath.mpf(float(z)), mpmath.mpf(float(y))
        # 1 - a is computed apart, so that 50 digits are enough at score 1e4
        a, b = 1 / (1 + mpmath.exp(-score)), 1 / (1 + mpmath.exp(score))
        loss = -(label * mpmath.log(a) if label else 0) - ((1 - label) * mpmath.log(b))
        if label == 1:
            loss = mpmath.log1p(mpmath.exp(-score))
        elif label == 0:
            loss = mpmath.log1p(mpmath.exp(score))
        return loss, (1 - label) * a - label * b, a * b, a


def agree(computed: float, true: Any, units: float = KERNEL_ERROR / UNIT) -> bool:
    return bool(abs(mpmath.mpf(float(computed)) - true) <= units * UNIT * abs(true) + TINY)


@pytest.mark.parametrize("y", [0.0, 1.0])
def test_binary_kernels_keep_their_digits(y: float) -> None:
    labels = np.full_like(SCORES, y)
    loss = kernels.binary_loss(SCORES, labels)
    gradient = kernels.binary_gradient(SCORES, labels)
    hessian = kernels.binary_hessian(SCORES)
    proba = kernels.binary_proba(SCORES)
    for i, z in enumerate(SCORES):
        true = binary_truth(z, y)
        assert agree(loss[i], true[0]), (z, loss[i], true[0])
        assert agree(gradient[i], true[1]), (z, gradient[i], true[1])
        assert agree(hessian[i], true[2]), (z, hessian[i], true[2])
        assert agree(proba[i], true[3]), (z, proba[i], true[3])


def test_binary_kernels_take_fractional_labels() -> None:
    labels = np.full_like(SCORES, 0.3)
    loss = kernels.binary_loss(SCORES, labels)
    gradient = kernels.binary_gradient(SCORES, labels)
    for i, z in enumerate(SCORES):
        true = binary_truth(z, 0.3)
        allowed = BinaryLoss().loss_error(SCORES[:, None], labels)[i]
        assert abs(float(loss[i] - true[0])) <= allowed
        assert abs(float(gradient[i] - true[1])) <= KERNEL_ERROR


@pytest.mark.parametrize("label", [0, 1, 2])
def test_softmax_kernels_err_no_more_than_the_certificate_allows(label: int) -> None:
    y = np.zeros_like(ROWS)
    y[:, label] = 1.0
    soft = SoftmaxLoss(3)
    loss, gradient = kernels.softmax_loss(ROWS, y), kernels.softmax_gradient(ROWS, y)
    proba = kernels.softmax_proba(ROWS)
    for i, row in enumerate(ROWS):
        with mpmath.workdps(50):
            others, p = softmax_truth(row, label)
            allowed = soft.loss_error(ROWS, y)[i] + TINY
            assert abs(float(loss[i] - mpmath.log1p(others))) <= allowed
            for k in range(3):
                true = -others / (1 + others) if k == label else p[k]
                allowed = soft.gradient_error(ROWS, y)[i, k] + TINY
                assert abs(gradient[i, k] - true) <= allowed, (row, k)
                assert agree(proba[i, k], p[k], 14 + 4 * float(np.ptp(row)))


def softmax_truth(row: Any, label: int) -> tuple[Any, list[Any]]:
    """Return the odds against the label, and all probabilities."""
    z = [mpmath.mpf(float(v)) for v in row]
    e = [mpmath.exp(v - z[label]) for v in z]
    others = mpmath.fsum(v for k, v in enumerate(e) if k != label)
    return others, [v / (1 + others) for v in e]


@pytest.mark.parametrize("lead", [20.0, 37.0, 60.0, 300.0, 700.0])
def test_a_confident_row_keeps_its_digits(lead: float) -> None:
    row = np.array([[lead, 0.5, -1.0]])
    y, unit = np.array([[1.0, 0.0, 0.0]]), np.eye(3)
    loss, gradient = kernels.softmax_loss(row, y), kernels.softmax_gradient(row, y)
    bend = [kernels.softmax_hessian_product(row, unit[k : k + 1])[0] for k in range(3)]
    with mpmath.workdps(400):
        others, p = softmax_truth(row[0], 0)
        units = 16 + 2 * lead
        assert agree(loss[0], mpmath.log1p(others), units)
        assert agree(gradient[0, 0], -others / (1 + others), units)
        for k in range(3):
            for other in range(3):
                true = p[k] * (int(k == other) - p[other])
                assert agree(bend[other][k], true, units)


@pytest.mark.parametrize("seed", range(4))
def test_the_softmax_hessian_errs_no_more_than_the_certificate_allows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(8, 3)) * 10.0 ** rng.uniform(-1, 2.5, (8, 1))
    soft, y = SoftmaxLoss(3), np.eye(3)[rng.integers(0, 3, 8)]
    hessian, allowed = soft.pointwise_hessian(rows, y), soft.hessian_error(rows, y, np.zeros(8))
    for i, row in enumerate(rows):
        with mpmath.workdps(400):
            _, p = softmax_truth(row, 0)
            true = [[p[k] * (int(k == other) - p[other]) for other in range(3)] for k in range(3)]
            error = [[float(hessian[i, k, o] - true[k][o]) for o in range(3)] for k in range(3)]
        assert np.linalg.norm(error, 2) <= allowed[i] + TINY


def test_gradient_is_the_slope_of_the_loss_by_differences() -> None:
    z, step = np.linspace(-8, 8, 33), 1e-6
    for y in (0.0, 0.4, 1.0):
        label = np.full_like(z, y)
        rise = kernels.binary_loss(z + step, label) - kernels.binary_loss(z - step, label)
        np.testing.assert_allclose(
            kernels.binary_gradient(z, label), rise / (2 * step), rtol=1e-6, atol=1e-9
        )
        bend = kernels.binary_gradient(z + step, label) - kernels.binary_gradient(z - step, label)
        np.testing.assert_allclose(
            kernels.binary_hessian(z), bend / (2 * step), rtol=1e-5, atol=1e-9
        )


@pytest.mark.parametrize("label", [0.0, 0.25, 1.0])
def test_what_is_computed_together_has_the_bits_of_what_is_computed_alone(label: float) -> None:
    scores, labels = SCORES[:, None], np.full(len(SCORES), label)
    shares = np.full((len(ROWS), 3), (1 - label) / 2)
    shares[:, 1] = label
    cases: list[tuple[Any, Any, Any]] = [
        (BinaryLoss(), scores, labels),
        (SoftmaxLoss(3), ROWS, shares),
    ]
    for loss, raw, y in cases:
        value, slope, bend = loss.terms(raw, y, with_hessian=True)
        np.testing.assert_array_equal(value, loss.pointwise_loss(raw, y))
        np.testing.assert_array_equal(slope, loss.pointwise_gradient(raw, y))
        np.testing.assert_array_equal(bend, loss.pointwise_hessian(raw, y))
        assert loss.terms(raw, y, with_hessian=False)[2] is None


@pytest.mark.parametrize("loss", [BinaryLoss(), SoftmaxLoss(3)], ids=["binary", "softmax"])
@pytest.mark.parametrize("size", [1e-6, 1e-2, 1.0, 5.0])
def test_no_change_of_scores_moves_a_gradient_farther_than_bounded(loss: Any, size: float) -> None:
    rng = np.random.default_rng(5)
    raw = rng.normal(size=(4000, loss.n_outputs)) * 6
    y = rng.integers(0, 3, 4000)
    labels = (y > 0).astype(float) if loss.n_outputs == 1 else np.eye(3)[y]
    change = size * rng.choice([-1.0, 1.0, 0.3], size=raw.shape)
    there, here = (loss.pointwise_gradient(at, labels) for at in (raw + change, raw))
    bound = loss.gradient_change(raw, labels, np.abs(change).max(axis=1))
    assert (np.abs(there - here) <= bound * (1 + 1e-9) + 1e-15).all()
    assert (np.abs(there - here) > 0.4 * bound).any()  # and it is no wider than it need be
