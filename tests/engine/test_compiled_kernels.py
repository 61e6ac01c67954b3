"""Compiled kernels of losses: the same numbers as the plain formulas, also from disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chainrule.engine.losses.compiled import evaluate
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


@pytest.mark.parametrize("name", TABLE)
def test_a_compiled_kernel_is_the_plain_formula(name: str) -> None:
    row = TABLE[name]
    rng = np.random.default_rng(3)
    z, y = rng.normal(size=400) * 3, rng.choice([0.0, 1.0], 400)
    y = y if row.targets.holds(np.zeros(1))[0] else 2 * y - 1 if name == "squared_hinge" else y + 1
    loss = ScoreLoss(row, compiled=True)
    if not loss.kernel:
        assert "special." in row.source
        return
    for found, plain, error in zip(
        evaluate(loss.kernel, z, y), row.kernels.terms(z, y), row.kernels.errors(z, y), strict=True
    ):
        clipped = np.maximum(plain, 0.0) if found.min() >= 0 else plain
        assert (np.abs(found - clipped) <= 2 * error + 1e-300).all()


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
