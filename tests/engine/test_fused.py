"""The compiled passes against plain NumPy, and fits that use them against fits that do not."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.losses.loss import Loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes import fused_blocks
from chainrule.engine.passes.blocks import DenseBlock
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.errors import DataError

RNG = np.random.default_rng(11)
SHAPES = [(1, 1), (3, 2), (257, 5), (700, 9), (1030, 130)]
FORMS = ["C", "F", "C float32", "F float32"]


@pytest.fixture
def always_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile passes for problems of any size."""
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)


def formed(X: Any, form: str) -> Any:
    order, _, dtype = form.partition(" ")
    numbers = np.asarray(X, dtype=dtype or "float64")
    return np.asfortranarray(numbers) if order == "F" else np.ascontiguousarray(numbers)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_verbs_agree_with_those_of_a_dense_block(shape: tuple[int, int], form: str) -> None:
    n_rows, n_features = shape
    X = formed(RNG.normal(size=shape), form)
    fused, dense = FusedBlock(X), DenseBlock(X.astype(np.float64))
    V, U = RNG.normal(size=(n_features, 2)), RNG.normal(size=(n_rows, 3))
    close: Any = {"rtol": 1e-12, "atol": 1e-10}
    np.testing.assert_allclose(fused.matvec(V), dense.matvec(V), **close)
    np.testing.assert_allclose(fused.rmatvec(U), dense.rmatvec(U), **close)
    np.testing.assert_allclose(fused.sandwich(U[:, 0]), dense.sandwich(U[:, 0]), **close)
    np.testing.assert_allclose(fused.sandwich_diagonal(U), dense.sandwich_diagonal(U), **close)
    for one, other in zip(
        fused.row_sizes(abs(V), V[:, 0]), dense.row_sizes(abs(V), V[:, 0]), strict=True
    ):
        np.testing.assert_allclose(one, other, **close)
    np.testing.assert_allclose(fused.column_sizes(U), dense.column_sizes(U), **close)
    np.testing.assert_array_equal(fused.column_maxima(), dense.column_maxima())
    np.testing.assert_array_equal(np.vstack(list(fused.dense_rows())), dense.values)
    assert fused.shape == dense.shape


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_a_fused_pass_is_the_plain_pass(form: str, fit_intercept: bool, n_classes: int) -> None:
    X = formed(RNG.normal(size=(700, 7)) * 20, form)  # scores far into both tails
    y, weight = RNG.integers(0, n_classes, 700), RNG.random(700)
    loss: Loss = BinaryLoss() if n_classes == 2 else SoftmaxLoss(n_classes)
    shift: Any = 0.3 * fit_intercept * np.arange(1, loss.n_outputs + 1)
    point = Point(RNG.normal(size=(7, loss.n_outputs)), shift)
    found = []
    for least in (0, X.size + 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fused_blocks, "FUSED_FROM", least)
            source = InMemorySource(X, y, weight, n_classes=n_classes)
        assert source.is_fused == (least == 0)
        penalty = L2Penalty.from_inverse(1.0, source.column_scale)
        objective = Objective(source, loss, penalty, fit_intercept=fit_intercept)
        found.append(objective.evaluate(point, with_hessian=True))
    one, other = found
    assert one.value == pytest.approx(other.value, rel=1e-14)
    close: Any = {"rtol": 1e-11, "atol": 1e-9}
    np.testing.assert_allclose(one.gradient.coef, other.gradient.coef, **close)
    np.testing.assert_allclose(one.gradient.intercept, other.gradient.intercept, **close)
    np.testing.assert_allclose(one.raw_prediction, other.raw_prediction, rtol=1e-11, atol=1e-13)
    assert one.hessian is not None
    assert other.hessian is not None
    np.testing.assert_allclose(one.hessian, other.hessian, rtol=1e-10, atol=1e-10)


@pytest.mark.usefixtures("always_fused")
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(C: float, n_classes: int) -> None:
    X = RNG.normal(size=(5000, 6))
    y = np.digitize(X[:, 0] + RNG.logistic(size=5000), np.arange(n_classes - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(InMemorySource, "_rows_per_block", lambda _: 256)
        models = [LogisticRegression(C=C, n_jobs=n).fit(X, y) for n in (1, 2, 8)]
    for model in models:
        assert model.certificate_.relative_bound <= 1e-8
        np.testing.assert_array_equal(model.coef_, models[0].coef_)
        np.testing.assert_array_equal(model.intercept_, models[0].intercept_)


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_a_fused_fit_reaches_the_optimum_of_the_plain_one(form: str) -> None:
    X = formed(RNG.normal(size=(900, 6)) * 10.0 ** np.arange(-3, 3), form)
    y = X[:, 2] * 10 + RNG.logistic(size=900) > 0
    plain = LogisticRegression(tol=1e-12).fit(X, y)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_blocks, "FUSED_FROM", 0)
        fused = LogisticRegression(tol=1e-12).fit(X, y)
    assert fused.certificate_.proven
    assert fused.objective_ == pytest.approx(plain.objective_, rel=1e-12)
    np.testing.assert_allclose(fused.coef_, plain.coef_, rtol=1e-6)


@pytest.mark.usefixtures("always_fused")
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_bad_numbers_are_named_by_row_and_column(bad: float) -> None:
    X = np.ones((900, 3))
    X[611, 1] = bad
    with pytest.raises(DataError, match="row 611, column 1"):
        InMemorySource(X, np.zeros(900))


@pytest.mark.usefixtures("always_fused")
def test_columns_of_extreme_scale_are_left_to_the_plain_pass() -> None:
    X = RNG.normal(size=(300, 2)) * [1.0, 1e60]
    y = X[:, 0] + RNG.logistic(size=300) > 0
    assert not InMemorySource(X, y).is_fused
    assert LogisticRegression().fit(X, y).certificate_.proven


@pytest.mark.slow
def test_small_problems_never_import_numba() -> None:
    code = (
        "import sys, numpy as np; from chainrule import LogisticRegression\n"
        "X = np.random.default_rng(0).normal(size=(6000, 30))\n"
        "LogisticRegression().fit(X, X[:, 0] + X[:, 1] ** 2 > 0.5)\n"
        "assert 'numba' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_without_numba_the_plain_pass_serves() -> None:
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "import numpy as np; from chainrule import LogisticRegression\n"
        "from chainrule.engine.passes import fused_blocks\n"
        "fused_blocks.FUSED_FROM = 0\n"
        "X = np.random.default_rng(0).normal(size=(300, 3))\n"
        "assert LogisticRegression().fit(X, X[:, 0] + X[:, 1] ** 2 > 0.5).certificate_.proven"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
