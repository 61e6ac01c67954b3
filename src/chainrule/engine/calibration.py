"""Measure the constants of this machine: what passes, blocks, entries and operations take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter
from typing import Any, Final

import numpy as np

from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes import small_newton
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.runtime.constants import MachineConstants
from chainrule.engine.runtime.native import can_compile
from chainrule.engine.solvers.plans import hessian_operations

_LEAST: Final[float] = 1e-12
_TIMES: Final[int] = 7
_READS: Final[float] = 9.0
"""Reads of X in a tiny fit."""


def calibrate(n_threads: int) -> MachineConstants:
    """Return this machine's constants; where numba is absent, those of compiled passes as shipped.

    Parameters
    ----------
    n_threads : int
        Threads that compiled passes use.
    """
    found = MachineConstants()
    tiny = _labelled(np.random.default_rng(0).normal(size=(60, 2)))
    plain = _fastest(lambda: fit_linear_model(InMemorySource(*tiny), on_iteration=lambda _: None))
    found = replace(found, call=plain / _READS)
    one = _pass(*_labelled(_table(8_000, 1)))
    example = _positive(one / 8_000)
    blocks = [_pass(*_labelled(_table(m, 1))) for m in (8_192, 8 * 8_192)]
    found = replace(found, example=example, block=_positive((blocks[1] - 8 * blocks[0]) / 7))
    found = replace(found, **_of_kind(_table(8_000, 60), example, "", 1, compiled=False))
    found = replace(found, **_of_kind(_sparse(20_000, 400), example, "sparse_", 1, compiled=False))
    found = replace(found, factor=_factor(600))
    if not can_compile():
        return found
    small_newton.load()
    small = _fastest(lambda: fit_linear_model(InMemorySource(*tiny)))
    found = replace(found, small=small)
    large = _table(200_000, 40)
    found = replace(found, **_of_kind(large, example / 4, "compiled_", n_threads, compiled=True))
    wide = _of_kind(
        _sparse(100_000, 400), example / 4, "compiled_sparse_", n_threads, compiled=True
    )
    return replace(found, **wide)


def _of_kind(
    X: Any,  # noqa: ANN401
    example: float,
    kind: str,
    n_threads: int,
    *,
    compiled: bool,
) -> dict[str, float]:
    """Return the time of an entry of a kind of X, and that of an operation in its Hessian."""
    table = _labelled(X)
    gradient = _pass(*table, n_threads=n_threads, compiled=compiled)
    hessian = _pass(*table, n_threads=n_threads, compiled=compiled, with_hessian=True)
    entries = float(X.size)
    found = {f"{kind}entry": _positive((gradient - X.shape[0] * example) / entries)}
    operations = hessian_operations(InMemorySource(*table, compiled=compiled), X.shape[1])
    operation = _positive((hessian - gradient) / operations)
    if "sparse" not in kind:
        found[f"{kind}operation"] = operation
    elif compiled:
        found["scattered_operation"] = operation
    return found


def _pass(
    X: Any,  # noqa: ANN401
    y: Any,  # noqa: ANN401
    *,
    n_threads: int = 1,
    compiled: bool = False,
    with_hessian: bool = False,
) -> float:
    """Return the seconds of one pass over X."""
    source = InMemorySource(X, y, compiled=compiled, n_threads=n_threads)
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    objective = Objective(source, BinaryLoss(compiled), penalty, n_threads=n_threads)
    at = Point(np.full((X.shape[1], 1), 1e-2), np.zeros(1))
    return _fastest(lambda: objective.evaluate(at, with_hessian=with_hessian))


def _factor(size: int) -> float:
    """Return the seconds of an operation in Cholesky's factor."""
    matrix = np.eye(size) + 1e-3
    return _positive(_fastest(lambda: np.linalg.cholesky(matrix)) / (size**3 / 3))


def _fastest(function: Callable[[], Any]) -> float:
    function()
    times = []
    for _ in range(_TIMES):
        clock = perf_counter()
        function()
        times.append(perf_counter() - clock)
    return min(times)


def _positive(seconds: float) -> float:
    return max(seconds, _LEAST)


def _table(n_samples: int, n_features: int) -> Any:  # noqa: ANN401
    return np.random.default_rng(1).normal(size=(n_samples, n_features))


def _sparse(n_samples: int, n_features: int) -> Any:  # noqa: ANN401
    from scipy import sparse

    rng = np.random.default_rng(2)
    return sparse.random(n_samples, n_features, density=0.04, format="csr", random_state=rng)


def _labelled(X: Any) -> tuple[Any, Any]:  # noqa: ANN401
    return X, np.random.default_rng(3).integers(0, 2, X.shape[0])
