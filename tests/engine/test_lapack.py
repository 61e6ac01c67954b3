"""LAPACK without the package around it: the same functions, and the same bits in every fit."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from scipy.linalg import lapack as whole

from chainrule.engine.runtime import lapack

FITS = """
import numpy as np
from chainrule.engine.data.coded_rows import CodedColumn, CodedRows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
rng = np.random.default_rng(3)
levels = np.arange(70)
codes = [rng.integers(0, 70, 40_000).astype(np.int8) for _ in range(3)]
X = CodedRows([CodedColumn(str(k), c, levels, levels.astype("i4")) for k, c in enumerate(codes)])
y = (codes[0] % 2 + rng.logistic(size=40_000) > 0).astype(np.int64)
for _ in range(2):
    fit = fit_linear_model(InMemorySource(X, y, center=True), C=1.0, n_threads=2)
    print(fit.point.coef.sum().hex())
"""


def test_the_first_fit_of_a_process_has_the_bits_of_the_next() -> None:
    told = os.environ | {"OPENBLAS_NUM_THREADS": "4"}
    done = subprocess.run(
        [sys.executable, "-c", FITS], capture_output=True, text=True, env=told, check=True
    )
    first, second = done.stdout.splitlines()
    assert first == second


@pytest.mark.parametrize("name", ["dpotrf", "dtrtri"])
def test_functions_are_those_of_the_package(name: str) -> None:
    A = np.array([[4.0, 2.0, 0.5], [2.0, 3.0, 0.1], [0.5, 0.1, 1.0]])
    for ours, theirs in zip(
        getattr(lapack._alone(), name)(A), getattr(whole, name)(A), strict=True
    ):
        assert np.array_equal(ours, theirs)


def test_a_package_without_the_module_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> None:
        raise ImportError

    monkeypatch.setattr(lapack, "_alone", nowhere)
    monkeypatch.delitem(sys.modules, "scipy.linalg")
    assert lapack.lapack.__wrapped__().dposv is whole.dposv
