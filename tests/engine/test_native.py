"""Machine code without its compiler: kept, loaded, and the same as what numba calls."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("numba")

from numba import njit

from chainrule.engine.runtime import native

FIT = """
import sys
import numpy as np
from chainrule.engine.runtime import native
if sys.argv[1] == "llvmlite":
    native.linked = lambda *_: None
from scipy import sparse
from chainrule import LogisticRegression
rng = np.random.default_rng(5)
X = rng.normal(size=(6000, 20))
y = X @ rng.normal(size=20) + rng.logistic(size=6000) > 0
dense = LogisticRegression(n_jobs=2).fit(X, y)
thin = LogisticRegression(solver="newton-cg").fit(sparse.csr_array(X), y)
print("numba" in sys.modules, "llvmlite" in sys.modules)
print(dense.coef_.sum().hex(), thin.coef_.sum().hex())
"""


@pytest.mark.slow
def test_a_second_process_fits_without_the_compiler_and_to_the_same_bits(tmp_path: Path) -> None:
    told = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    first, second, third = (
        subprocess.run(
            [sys.executable, "-c", FIT, who],
            capture_output=True,
            text=True,
            env=told,
            check=True,
        ).stdout.split()
        for who in ("ours", "ours", "llvmlite")
    )
    assert first[:2] == ["True", "True"]
    links_here = (sys.platform, platform.machine()) == ("linux", "x86_64")
    assert second[:2] == ["False", str(not links_here)]
    assert third[:2] == ["False", "True"]
    assert first[2:] == second[2:] == third[2:]


@pytest.fixture(autouse=True)
def _apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))


def test_a_damaged_file_is_compiled_again(tmp_path: Path) -> None:
    kernels = native.NativeModule("vectors")
    ones = [np.ones(3) for _ in range(7)]
    assert kernels.advance(0.5, *ones) == (0.75, 0.75)
    (path,) = tmp_path.rglob("*.o")
    for content in (b"", b"{}\nnothing", b"[]\nnothing", b"7\n", path.read_bytes()[:200]):
        path.write_bytes(content)
        again = [np.ones(3) for _ in range(7)]
        assert native.NativeModule("vectors").advance(0.5, *again) == (0.75, 0.75)


@pytest.mark.parametrize("layout", ["C", "F", "rows of F"])
@pytest.mark.parametrize("dtype", ["float64", "float32", "uint32"])
def test_arrays_of_any_layout_and_type_arrive(layout: str, dtype: str) -> None:
    module: Any = ModuleType("kernels_of_a_test")

    @njit
    def total(table: Any, line: Any, pair: Any, twice: bool, start: int) -> Any:
        found = 0.0
        for i in range(table.shape[0]):
            for j in range(table.shape[1]):
                found += (i + 1) * table[i, j]
        for k in range(start, line.shape[0]):
            found += line[k] * (2.0 if twice else 1.0)
        return found, pair[0].shape[0] + pair[1].shape[0], found > 0

    module.total = total
    sys.modules["chainrule_test.kernels"] = module
    table = np.arange(35).reshape(7, 5).astype(dtype)
    given = {"C": table, "F": np.asfortranarray(table), "rows of F": np.asfortranarray(table)}
    part = given[layout][2:5] if layout == "rows of F" else given[layout]
    line = np.arange(30.0).reshape(10, 3)[:, 1]
    kernels = native.NativeModule("chainrule_test.kernels")
    expected = float((np.arange(1, len(part) + 1) @ part.astype(float)).sum()) + 2 * line[4:].sum()
    found = kernels.total(part, line, (np.ones(3), np.ones(4, "f4")), True, 4)
    assert found == (expected, 7, True)
    derived: Any = part.view(type("Table", (np.ndarray,), {}))
    numbers = np.bool_(True), np.int64(4)
    assert kernels.total(derived, line, (np.ones(3), np.ones(4, "f4")), *numbers) == found


def test_a_kernel_that_allocates_is_refused() -> None:
    module: Any = ModuleType("kernels_of_a_test")

    @njit
    def greedy(line: Any) -> Any:
        return np.sort(line)[0]

    module.greedy = greedy
    sys.modules["chainrule_test.greedy"] = module
    with pytest.raises(RuntimeError, match="allocates memory"):
        native.NativeModule("chainrule_test.greedy").greedy(np.ones(3))


def test_a_kernel_has_the_bits_that_numba_compiles_by_itself() -> None:
    module: Any = ModuleType("kernels_of_a_test")

    @njit(error_model="numpy")
    def mean(line: Any, start: int) -> Any:
        total = 0.0
        for k in range(start, line.shape[0]):
            total += np.log1p(line[k])
        return total / (line.shape[0] - start)

    @njit(error_model="numpy")
    def spread(line: Any) -> Any:
        middle, total = mean(line, 0), 0.0
        for k in range(line.shape[0]):
            total += (line[k] - middle) ** 2
        return middle, np.sqrt(total / mean(line, 1))

    module.spread = spread
    sys.modules["chainrule_test.spread"] = module
    line = np.random.default_rng(3).random(101)
    found = native.NativeModule("chainrule_test.spread").spread(line)

    @njit(error_model="numpy")
    def by_numba(line: Any) -> Any:
        return spread(line)

    assert found == by_numba(line)


def test_an_array_that_is_no_part_of_a_table_is_refused() -> None:
    with pytest.raises(TypeError, match="in one piece"):
        native.NativeModule("vectors").advance(0.5, np.ones((4, 6))[:, ::2])


RACE = """
from threading import Thread
from time import sleep
from chainrule.engine.losses.compiled import logistic_kernel
from chainrule.engine.runtime import native

made = []
class Slow(native._Machine):
    def __init__(self):
        made.append(self)
        sleep(0.1)
        super().__init__()

native._Machine, found = Slow, []
threads = [Thread(target=lambda: found.append(logistic_kernel())) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(made), len(set(found)))
"""


def test_threads_that_load_code_at_once_share_it() -> None:
    """A second linker would be freed with its code, which a thread may be running."""
    told = subprocess.run([sys.executable, "-c", RACE], capture_output=True, check=True, text=True)
    assert told.stdout.split() == ["1", "1"]
