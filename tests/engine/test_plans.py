"""Which method is chosen, and what is said about its cost."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, get_args

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

from chainrule import LogisticRegression
from chainrule.engine import fitting
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.runtime import machine
from chainrule.engine.runtime.constants import MachineConstants
from chainrule.engine.runtime.machine import memory, single_threaded_algebra
from chainrule.engine.solvers.plans import (
    UNPENALISED_LIMIT,
    Method,
    Plan,
    choose_plan,
    expected_costs,
)
from chainrule.estimators.base import SOLVERS


@dataclass
class Shape:
    """What a plan asks of a source."""

    n_samples: int
    n_features: int
    per_row: int = 0
    n_classes: int = 2
    is_fused: bool = False
    n_blocks: int = 4
    is_coded: bool = False
    is_stored: bool = False

    @property
    def is_dense(self) -> bool:
        return not self.per_row

    @property
    def has_codes(self) -> bool:
        return self.n_classes > 2

    @property
    def n_entries(self) -> int:
        return self.n_samples * (self.per_row or self.n_features)

    @property
    def n_bytes(self) -> float:
        return self.n_entries * (8.0 if self.is_dense else 12.0)


SHAPES = [
    (Shape(569, 30), "newton-cholesky"),
    (Shape(300, 20_000), "newton-rows"),
    (Shape(500_000, 100_000, per_row=30), "newton-cg"),
    (Shape(300_000, 300, per_row=6), "newton-cholesky"),
    (Shape(300_000, 1_500, per_row=30), "newton-cg"),
    (Shape(20_000, 1_900), "newton-cg"),
    (Shape(5_000, 10, n_classes=4), "newton-classes"),
]


def plan(shape: Any, *, penalised: bool = True, constants: MachineConstants | None = None) -> Any:
    n_outputs = 1 if shape.n_classes == 2 else shape.n_classes
    parameters = (shape.n_features + 1) * n_outputs
    return choose_plan("auto", shape, parameters, penalised=penalised, constants=constants)


def test_a_solver_has_a_name_a_cost_and_an_estimator() -> None:
    known = set(fitting._SOLVERS)
    assert set(get_args(Method)) == {"auto", *known}
    assert set(expected_costs(SHAPES[0][0], 31)) == known
    assert known <= set(SOLVERS)


def test_blocks_are_offered_for_several_classes_alone() -> None:
    def offered(n_classes: int) -> set[str]:
        shape = Shape(6_000, 784, n_classes=n_classes, is_fused=True)
        return {each.method for each in plan(shape).alternatives}

    assert "newton-blocks" in offered(10)
    assert "newton-blocks" not in offered(2)


CODED = [
    (Shape(262_000, 128, per_row=11, n_blocks=64), "newton-cholesky"),
    (Shape(2_000_000, 40, per_row=30, n_blocks=64), "newton-sampled"),
    (Shape(100_000, 1_243, per_row=5, n_blocks=8), "newton-cg"),
    (Shape(100_000, 408, per_row=11, n_blocks=17), "newton-cholesky"),
]
"""The method that took the least time where it was measured, on seeded columns of codes."""


@pytest.mark.parametrize(("shape", "method"), CODED)
def test_the_method_for_codes_is_the_one_that_took_least(shape: Shape, method: str) -> None:
    shape = replace(shape, is_fused=True, is_coded=True)
    assert plan(shape).method == method


@pytest.mark.parametrize(("shape", "method"), SHAPES)
def test_the_method_is_the_one_for_the_shape(shape: Shape, method: str) -> None:
    assert plan(shape).method == method


@pytest.mark.parametrize(
    ("n_samples", "n_features", "method", "drawn"),
    [
        (50_000, 500, "newton-sampled", "6250 rows"),
        (10_000, 100, "newton-sampled", "1250 rows"),
        (7_500, 150, "newton-sampled", "1875 rows"),
        (4_000, 20, "newton-cholesky", "small enough"),
        (4_000, 400, "newton-cg", "products"),
    ],
)
def test_fewer_rows_are_sampled_where_hessians_cost_more(
    n_samples: int, n_features: int, method: str, drawn: str
) -> None:
    chosen = plan(Shape(n_samples, n_features, is_fused=True))
    assert chosen.method == method
    assert drawn in chosen.reason


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_fit_in_one_call_is_said_to_form_hessians(n_classes: int) -> None:
    shape = Shape(30_000, 32, n_classes=n_classes, is_fused=True)
    found = choose_plan("auto", shape, 33, penalised=True, in_one_call=True)
    assert found.method == "newton-cholesky"
    assert "the Hessian is cheap" in found.reason


@pytest.mark.parametrize(
    ("n_samples", "n_features", "n_classes", "method"),
    [
        (6_000, 784, 10, "newton-blocks"),
        (2_000, 1_875, 3, "newton-blocks"),
        (10_000, 20, 100, "newton-blocks"),
        (54_000, 22, 5, "newton-sampled"),
        (20_000, 9_000, 20, "newton-cg"),  # the blocks would fill 13 GB
    ],
)
def test_several_classes_are_compiled_by_class(
    n_samples: int, n_features: int, n_classes: int, method: str
) -> None:
    shape = Shape(n_samples, n_features, n_classes=n_classes, is_fused=True)
    assert plan(shape).method == method
    assert "newton-blocks" not in (plan(shape, penalised=False).method)


@pytest.mark.parametrize(("shape", "method"), SHAPES)
def test_a_slow_machine_gets_the_same_method_and_longer_seconds(shape: Shape, method: str) -> None:
    shipped = MachineConstants()
    slow = MachineConstants(**{name: 50 * value for name, value in vars(shipped).items()})
    found = [plan(shape, constants=constants) for constants in (shipped, slow)]
    assert [one.method for one in found] == [method, method]
    assert found[1].seconds == pytest.approx(50 * found[0].seconds)
    assert found[0].seconds > 0


@pytest.mark.parametrize(("shape", "method"), SHAPES)
def test_the_table_lists_what_the_problem_admits(shape: Shape, method: str) -> None:
    found = plan(shape)
    lines = found.table().splitlines()[1:]
    assert [line.split()[0] for line in lines if line.endswith("chosen")] == [method]
    assert len(lines) == len(found.alternatives)
    assert found.seconds in [one.seconds for one in found.alternatives]


@pytest.mark.parametrize(("shape", "_"), SHAPES)
def test_without_a_penalty_what_the_proof_needs_is_formed(shape: Shape, _: str) -> None:
    small = (shape.n_features + 1) * (1 if shape.n_classes == 2 else shape.n_classes)
    forms = plan(shape, penalised=False).method in ("newton-cholesky", "newton-classes")
    assert forms == (small <= UNPENALISED_LIMIT)


def test_the_seconds_of_a_scattered_hessian_are_those_of_its_operations() -> None:
    shape = Shape(262_000, 128, per_row=11, is_fused=True)
    constants = MachineConstants(scattered_operation=1.0)
    found = {one.method: one.seconds for one in plan(shape, constants=constants).alternatives}
    assert 1 < found["newton-cholesky"] / (6 * 262_000 * 11**2) < 1.1


def test_more_columns_cost_more_and_more_rows_too() -> None:
    source: Any = InMemorySource(np.eye(40, 6), np.arange(40) % 2)
    wide: Any = InMemorySource(np.eye(40, 12), np.arange(40) % 2)
    tall: Any = InMemorySource(np.eye(80, 6), np.arange(80) % 2)
    for method, cost in expected_costs(source, 7).items():
        for other in (expected_costs(wide, 13)[method], expected_costs(tall, 7)[method]):
            assert other.hessian + other.factor >= cost.hessian + cost.factor
            assert other.megabytes >= cost.megabytes


def test_the_explanation_holds_both_what_was_expected_and_what_it_took() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 5))
    model = LogisticRegression().fit(X, X[:, 0] + rng.logistic(size=400) > 0)
    text = model.explain()
    assert f"X was read {model.n_passes_:.1f} times" in text
    assert "Expected were about 8 reads" in text
    assert model.n_passes_ <= 2 * 8


def test_the_machine_is_asked_and_not_guessed() -> None:
    before = memory()
    if before is None:
        pytest.skip("this system does not tell")
    held = np.ones(8_000_000)
    after = memory()
    assert after is not None
    assert after[0] - before[0] > 30
    assert after[1] >= after[0] - 1
    assert held.any()


def test_the_threads_of_linear_algebra_come_back_once_nobody_needs_them_asleep() -> None:
    def threads() -> list[int]:
        found = threadpool_info()
        return [library["num_threads"] for library in found if library["user_api"] == "blas"]

    before = threads()
    with single_threaded_algebra():
        with single_threaded_algebra():
            assert set(threads()) <= {1}
        assert set(threads()) <= {1}  # the inner one did not wake what the outer one holds
    assert threads() == before
    with pytest.raises(ValueError, match="inside"), single_threaded_algebra():
        raise ValueError("inside")
    assert threads() == before


def test_any_thread_limits_linear_algebra_and_the_last_to_leave_wakes_it() -> None:
    def threads() -> set[int]:
        found = threadpool_info()
        return {library["num_threads"] for library in found if library["user_api"] == "blas"}

    def inside() -> set[int]:
        with single_threaded_algebra():
            return threads()

    with threadpool_limits(2, "blas"), ThreadPoolExecutor(1) as pool:
        before = threads()
        assert pool.submit(inside).result() == {1}
        assert inside() == {1}
        assert pool.submit(inside).result() == {1}
        first, second = single_threaded_algebra(), single_threaded_algebra()
        first.__enter__()
        pool.submit(second.__enter__).result()
        first.__exit__(None, None, None)
        assert threads() == {1}
        pool.submit(second.__exit__, None, None, None).result()
        assert threads() == before


def test_linear_algebra_that_was_loaded_later_sleeps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Later(ThreadpoolController):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            seen.append(self.info())

    seen: list[Any] = []
    monkeypatch.setattr(machine, "ThreadpoolController", Later)
    monkeypatch.setitem(sys.modules, "the first of these", ModuleType("first"))
    for _ in range(2):
        with single_threaded_algebra():
            pass
    assert len(seen) == 1  # nothing was loaded in between
    monkeypatch.setitem(sys.modules, "one with algebra", ModuleType("one"))
    with single_threaded_algebra():
        pass
    assert len(seen) == 2


@pytest.mark.parametrize("patience", [3.0, 8.0])
def test_a_plan_that_takes_far_longer_than_expected_hands_over(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    rng = np.random.default_rng(3)
    X = rng.normal(size=(500, 12)) * np.logspace(-2, 2, 12)
    y = (X @ rng.normal(size=12) * 0.1 + rng.logistic(size=500) > 0).astype(int)

    def wrong(*arguments: Any, **how: Any) -> Plan:
        found = replace(choose_plan(*arguments, **how), method="newton-cg", passes=2.0)
        return replace(found, fallback="newton-cholesky", patience=patience)

    monkeypatch.setattr(fitting, "choose_plan", wrong)
    monkeypatch.setattr(fitting, "suits", lambda _: False)
    model = LogisticRegression(tol=1e-10).fit(X, y)
    assert model.solver_ == "newton-cholesky"
    assert model.certificate_.relative_bound <= 1e-10
    assert "2 had been expected, newton-cholesky went on from the best point" in model.explain()
    assert len(model.history_) == model.n_iter_[0]
    values = [record.objective for record in model.history_]
    assert values == sorted(values, reverse=True)  # what was learned is not lost


def test_only_a_plan_that_was_not_asked_for_hands_over() -> None:
    wide = Shape(20_000, 1_900)
    assert plan(wide).fallback == "newton-cholesky"
    assert plan(wide).patience >= 2 * plan(wide).passes
    asked = choose_plan("newton-cg", wide, 1_901, penalised=True)
    assert not asked.fallback
    assert asked.patience == np.inf
