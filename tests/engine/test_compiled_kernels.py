"""Compiled kernels of losses: the same numbers as the plain formulas, also from disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chainrule.emission.deriving import derive_loss
from chainrule.engine.arrays import FloatArray
from chainrule.engine.losses.compiled import evaluate, kernel_of
from chainrule.engine.losses.facts import LossRow
from chainrule.engine.losses.scores import ScoreLoss
from chainrule.engine.losses.table import TABLE

PROGRAM = """
import numpy as np
from chainrule.engine.losses.compiled import evaluate, kernel_of
from chainrule.engine.losses.table import find_loss
kernel = kernel_of(find_loss("gamma").source)
z = np.linspace(-2, 2, 9)
print(kernel != 0, evaluate(kernel, z, np.full(9, 1.5))[0].sum().hex())
"""


def examples_of(row: LossRow) -> tuple[FloatArray, FloatArray]:
    """Scores near zero and far away, some of them undefined; targets that the loss takes."""
    rng = np.random.default_rng(3)
    tried = np.concatenate([[0.0, 1.0, -1.0, 1e-320, 1e-9, 1e9], rng.normal(size=40), range(2, 40)])
    y = rng.choice(tried[row.targets.holds(tried)], 400)
    far = [0.0, -0.0, 30.0, -30.0, 800.0, -800.0, 1e200, -1e200, np.inf, -np.inf, np.nan]
    return np.concatenate([rng.normal(size=400 - len(far)) * 3, far]), y


@pytest.mark.parametrize("name", TABLE)
def test_a_compiled_kernel_is_the_plain_formula(name: str) -> None:
    row = TABLE[name]
    z, y = (values[:380] for values in examples_of(row))
    loss = ScoreLoss(row, compiled=True)
    if not loss.kernel:
        assert "special." in row.source
        return
    for found, plain, error in zip(
        evaluate(loss.kernel, z, y), row.kernels.terms(z, y), row.kernels.errors(z, y), strict=True
    ):
        clipped = np.maximum(plain, 0.0) if found.min() >= 0 else plain
        assert (np.abs(found - clipped) <= 2 * error + 1e-300).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_compiled_rounding_bounds_are_those_of_the_plain_formula(name: str) -> None:
    row = TABLE[name]
    z, y = examples_of(row)
    kernel = kernel_of(row.source, "errors")
    if not kernel:
        assert "special." in row.source
        return
    for found, plain in zip(evaluate(kernel, z, y), row.kernels.errors(z, y), strict=True):
        close: Any = {"rtol": 1e-6, "atol": 1e-300}
        np.testing.assert_allclose(found, plain, **close)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.kernels.least])
def test_a_compiled_least_loss_is_a_bound_too(name: str) -> None:
    row = TABLE[name]
    z, y = examples_of(row)
    assert row.kernels.least is not None
    found, again, _ = evaluate(kernel_of(row.source, "least"), z, y)
    np.testing.assert_array_equal(found, again)
    np.testing.assert_allclose(found, row.kernels.least(y), rtol=1e-12, atol=1e-12)
    attained = row.kernels.terms(np.linspace(-40, 40, 4001)[:, None], y[:50])
    assert (found[:50] <= attained[0].min(axis=0)).all()


@pytest.mark.parametrize("name", ["poisson", "gamma", "negative_binomial", "huber", "cauchy"])
def test_sums_of_rounding_bounds_are_the_same_compiled(name: str) -> None:
    row = TABLE[name]
    z, y = (values[:380] for values in examples_of(row))
    weight = np.random.default_rng(5).random(len(z)) + 0.5
    sums = [
        vars(ScoreLoss(row, compiled=compiled).error_sums(z[:, None], y, weight, 1e-9))
        for compiled in (False, True)
    ]
    assert sums[1] == pytest.approx(sums[0], rel=1e-9)


@pytest.mark.slow
def test_a_second_process_loads_what_the_first_compiled(tmp_path: Path) -> None:
    told = os.environ | {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    told.pop("NUMBA_CACHE_DIR", None)
    runs = [
        subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=told)
        for _ in range(2)
    ]
    assert [run.returncode for run in runs] == [0, 0], runs[1].stderr
    assert runs[0].stdout.startswith("True ")
    assert runs[0].stdout == runs[1].stdout
    assert list(tmp_path.rglob("*.o"))


def test_a_kernel_is_compiled_where_nothing_can_be_kept(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    told = os.environ | {"XDG_CACHE_HOME": str(blocked), "LOCALAPPDATA": str(blocked)}
    told.pop("NUMBA_CACHE_DIR", None)
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=told)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("True ")


@pytest.mark.parametrize("text", ["sqrt(1 + (z - y)^2) - 1", "sqrt(2 + (3 z - y)^2)"])
@pytest.mark.parametrize("name", ["terms", "errors"])
def test_a_kernel_of_ones_own_is_the_plain_formula(text: str, name: str) -> None:
    row = derive_loss(text)
    z = np.concatenate([np.random.default_rng(2).normal(size=200) * 20, [1e160, -1e250]])
    y = np.linspace(-3, 3, len(z))
    plain = getattr(row.kernels, name)(z, y)
    for found, wanted in zip(evaluate(kernel_of(row.source, name), z, y), plain, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-14)
