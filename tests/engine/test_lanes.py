"""Sums in fixed lanes: right to the last digits, and the same bits on narrower vectors."""

from __future__ import annotations

import hashlib
import json
import math
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

import chainrule
from chainrule.engine.arrays import UNIT
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.runtime.native import can_compile

pytestmark = pytest.mark.skipif(not can_compile(), reason="numba is not installed")

SIZES: Final = (1, 3, 8, 10, 31, 32, 33, 100, 1001)
LAYOUTS: Final[dict[str, Any]] = {
    "C": np.ascontiguousarray,
    "Fortran": np.asfortranarray,
    "single": lambda X: np.ascontiguousarray(X, np.float32),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", SIZES)
def test_sums_are_right(layout: str, size: int) -> None:
    rng = np.random.default_rng(size)
    X = LAYOUTS[layout](rng.normal(size=(300, size)) * np.exp(rng.normal(size=size)))
    v, u = rng.normal(size=(size, 1)), rng.normal(size=(300, 1))
    block, wide = FusedBlock(X), X.astype(np.float64)
    enough = (size + 300) * UNIT
    for found, terms in (
        (block.matvec(v)[:, 0], wide * v[:, 0]),
        (block.rmatvec(u)[:, 0], (wide * u).T),
        (block.row_sizes(np.abs(v), v[:, 0])[0][:, 0], np.abs(wide * v[:, 0])),
        (block.row_sizes(np.abs(v), v[:, 0])[1], (wide * v[:, 0]) ** 2),
    ):
        exact = np.array([math.fsum(row) for row in terms])
        assert (np.abs(found - exact) <= enough * np.abs(terms).sum(axis=1)).all()


def bits() -> dict[str, str]:
    """Return the digests of sums over rows of each size and layout."""
    found = {}
    for layout in ("C", "Fortran"):
        for size in SIZES:
            rng = np.random.default_rng(size)
            block = FusedBlock(LAYOUTS[layout](rng.normal(size=(700, size))))
            v, u = rng.normal(size=(size, 1)), rng.normal(size=(700, 1))
            parts = block.matvec(v), block.rmatvec(u), *block.row_sizes(np.abs(v), v[:, 0])
            data = b"".join(np.ascontiguousarray(part).tobytes() for part in parts)
            found[f"{layout} {size}"] = hashlib.sha256(data).hexdigest()
    return found


def has_fused_products() -> bool:
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return False
    import llvmlite.binding as llvm

    return bool(llvm.get_host_cpu_features().get("avx2"))


def test_narrower_vectors_have_the_same_bits() -> None:
    if not has_fused_products():
        pytest.skip("promised for x86-64 with AVX2")
    code = f"import json, runpy; print(json.dumps(runpy.run_path({__file__!r})['bits']()))"
    here = str(Path(chainrule.__file__).parent.parent)
    narrow = {"NUMBA_CPU_NAME": "x86-64-v3", "NUMBA_CPU_FEATURES": "", "PYTHONPATH": here}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ
        | narrow
        | {"PYTHONPATH": str(Path(sys.modules["chainrule"].__path__[0]).parent)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout) == bits()
