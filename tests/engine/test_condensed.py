"""Condensed rows against SciPy and dense linear algebra, and fits that go through them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule.engine import fitting
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.monitor import Progress
from chainrule.engine.objective import condensed as condensed_objective
from chainrule.engine.objective.accumulators import SparseObjective
from chainrule.engine.objective.condensed import CondensedObjective, CondensedPoint
from chainrule.engine.passes import condensed_rows, fused_blocks
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.results import Fit
from chainrule.engine.solvers import condensed_newton
from chainrule.engine.solvers.leading_columns import NONE, LeadingColumns

KINDS = ["counts", "numbers", "float32", "no shared column", "empty rows and columns", "one heavy"]
CLOSE: Any = {"rtol": 1e-10, "atol": 1e-10}


@pytest.fixture(autouse=True)
def always_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile passes for problems of any size."""
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)


def table(kind: str, m: int = 60) -> Any:
    """Return rows of which some columns have one entry."""
    rng = np.random.default_rng(len(kind))
    shared = sparse.random_array((m, 15), density=0.3, rng=rng, format="csr")
    alone = sparse.random_array((m, 200), density=0.01, rng=rng, format="csr")
    X = sparse.csr_array(sparse.hstack([alone, shared, alone[::-1] * -1.5]))
    if kind == "counts":
        X.data = np.ceil(9 * np.abs(X.data))
    elif kind == "float32":
        X = X.astype(np.float32)
    elif kind == "no shared column":
        X = sparse.csr_array(sparse.diags_array(rng.normal(size=m)))
    elif kind == "empty rows and columns":
        keep = sparse.diags_array((rng.random(m) < 0.6).astype(float))
        X = sparse.csr_array(keep @ X)
        X.eliminate_zeros()
    elif kind == "one heavy":
        X = sparse.csr_array(sparse.hstack([X, 50 * rng.random((m, 1))]))
    X.sum_duplicates()
    return X


def problem(kind: str, *, fit_intercept: bool = True) -> tuple[CondensedObjective, Any, Any]:
    """Return a condensed problem with weights and several strengths, its X and its y."""
    rng = np.random.default_rng(3)
    X = table(kind)
    m, n = X.shape
    y, weight = (rng.random(m) < 0.4).astype(float), rng.uniform(0.5, 2, m)
    source = InMemorySource(X, y, weight, compiled=True)
    penalty = L2Penalty(rng.uniform(0.3, 3, n))
    loss = BinaryLoss(compiled=True)
    objective = SparseObjective(source, loss, penalty, fit_intercept=fit_intercept)
    return CondensedObjective(objective), X.toarray().astype(float), y


def objective_of(X: Any, y: Any) -> SparseObjective:
    source = InMemorySource(X, y, compiled=True)
    return SparseObjective(source, BinaryLoss(compiled=True), L2Penalty(np.ones(X.shape[1])))


@pytest.mark.parametrize("kind", KINDS)
def test_products_and_grams_are_those_of_dense_arrays(kind: str) -> None:
    condensed, dense, _ = problem(kind)
    rows, rng = condensed.rows, np.random.default_rng(0)
    shared = dense[:, rows.kept]
    m, n = shared.shape
    single = (dense != 0).sum(axis=0) == 1
    strength = condensed.whole.penalty.strength
    assert sorted(rows.kept) == list(np.flatnonzero((dense != 0).sum(axis=0) > 1))
    own = np.sqrt((dense[:, single] ** 2 / strength[single]).sum(axis=1))
    np.testing.assert_allclose(rows.own, own, **CLOSE)
    v, bend, travelled, found = rng.normal(size=n), rng.random(m), np.zeros(m), np.empty(n)
    level = rows.product(v, 0.3, bend, condensed.strength, found, (0.0, travelled))
    scores = shared @ v + 0.3
    np.testing.assert_allclose(found, shared.T @ (bend * scores) + condensed.strength * v, **CLOSE)
    assert level == pytest.approx(bend @ scores)
    rows.travel(2.0, travelled)
    np.testing.assert_allclose(travelled, 2 * scores, **CLOSE)
    np.testing.assert_allclose(rows.scores(v, 0.3), scores, **CLOSE)
    k = min(4, n)
    with_ones = np.column_stack([shared[:, :k], np.ones(m)])
    gram = with_ones.T @ (bend[:, None] * with_ones)
    np.testing.assert_allclose(rows.leading_gram(bend, k), np.tril(gram), **CLOSE)


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_step_is_newtons_on_all_columns(kind: str, fit_intercept: bool) -> None:
    """The full Hessian, formed and solved, gives the step that condensation gives."""
    condensed, dense, y = problem(kind, fit_intercept=fit_intercept)
    rows, rng = condensed.rows, np.random.default_rng(1)
    n_samples, n_columns = len(dense), rows.n_columns
    at = CondensedPoint(
        0.3 * rng.normal(size=condensed.n_packed), np.zeros(n_samples), np.zeros(n_samples)
    )
    at = CondensedPoint(at.packed, 0.4 * rng.normal(size=n_samples) * (rows.own > 0), at.raw)
    point = condensed.whole_point(at)
    coef, intercept = point.coef[:, 0], float(point.intercept[0])
    raw = dense @ coef + intercept
    evaluation = condensed.evaluate(CondensedPoint(at.packed, at.alone, raw))
    weight, strength = (
        condensed.whole.source.weights(slice(0, n_samples)),
        (condensed.whole.penalty.strength),
    )
    value = weight @ (np.logaddexp(0, raw) - y * raw) + 0.5 * strength @ coef**2
    assert evaluation.value == pytest.approx(value, rel=1e-12)
    p = 1 / (1 + np.exp(-raw))
    full = np.column_stack([dense, np.ones(n_samples)]) if fit_intercept else dense
    stiff = np.append(strength, 0.0)[: full.shape[1]]
    packed = np.append(coef, intercept)[: full.shape[1]]
    gradient = full.T @ (weight * (p - y)) + stiff * packed
    gap = (gradient[: len(coef)] ** 2 / (2 * strength)).sum()
    assert evaluation.gap == pytest.approx(gap, rel=1e-9)
    hessian = full.T @ ((weight * p * (1 - p))[:, None] * full) + np.diag(stiff)
    expected = -np.linalg.solve(hessian, gradient)
    size = min(3, n_columns)
    leading = LeadingColumns(condensed)
    leading.size = size
    parts = [NONE] if size == 0 else [NONE, leading.inverse(evaluation)]
    for part in parts:
        for limit in (0, 10**6):
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(condensed_newton, "ONE_CALL", limit)
                vector, travelled = condensed_newton._inner(
                    condensed, evaluation, evaluation.diagonal, part, (1e-18, 0.0, 500)
                )
            step, slope, _ = condensed.direction(evaluation, vector, travelled)
            whole = condensed.whole_point(step)
            found = np.append(whole.coef, whole.intercept)[: full.shape[1]]
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)
            assert slope == pytest.approx(gradient @ expected, rel=1e-6)
            np.testing.assert_allclose(step.raw, full @ expected, rtol=1e-6, atol=1e-8)
            trial, _ = condensed.along(evaluation, step)(0.7)
            moved, there = coef + 0.7 * expected[: len(coef)], raw + 0.7 * (full @ expected)
            value = weight @ (np.logaddexp(0, there) - y * there) + 0.5 * strength @ moved**2
            assert trial == pytest.approx(value, rel=1e-9)


def text(m: int = 600, n: int = 4000, seed: int = 5) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    columns = ((n + 1.0) ** rng.random(m * 25) - 1).astype(np.int32)
    X = sparse.csr_array((np.ones(m * 25), columns, 25 * np.arange(m + 1)), shape=(m, n))
    X.sum_duplicates()
    return X, (rng.random(m) < 1 / (1 + np.exp(-(X @ rng.normal(size=n))))).astype(int)


def fitted(X: Any, y: Any, **choices: Any) -> Fit:
    source = InMemorySource(X, y, compiled=True)
    return fitting.fit_linear_model(source, method="newton-cg", **{"tol": 1e-10} | choices)


@pytest.mark.parametrize("C", [1e-3, 1.0, 1e4])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_fits_agree_with_those_on_rows_as_given(
    C: float, fit_intercept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = text()
    through = fitted(X, y, C=C, fit_intercept=fit_intercept)
    assert through.met
    monkeypatch.setattr(condensed_objective, "can_condense", lambda _: False)
    plain = fitted(X, y, C=C, fit_intercept=fit_intercept)
    assert through.value == pytest.approx(plain.value, rel=2e-10)
    bounds = through.certificate.distance_bound + plain.certificate.distance_bound
    assert np.linalg.norm(through.point.coef - plain.point.coef) <= bounds


def test_a_fit_says_how_it_read_the_rows_and_counts_what_it_read() -> None:
    X, y = text()
    fit = fitted(X, y)
    entries = np.diff(sparse.csc_array(X).indptr)
    share = entries[entries > 1].sum() / entries.sum()
    assert f"with the {100 * share:.0f} % of the entries whose columns several rows share" in (
        fit.explain()
    )
    condensed = CondensedObjective(objective_of(X, y))
    before = condensed.whole.passes
    condensed.evaluate(condensed.start(np.zeros(1)))
    assert condensed.whole.passes - before == pytest.approx(share)


def test_bits_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(condensed_newton, "ONE_CALL", 0)
    monkeypatch.setattr(condensed_rows, "_CHUNK_ENTRIES", 1000)
    X, y = text()
    one, three = fitted(X, y, n_threads=1), fitted(X, y, n_threads=3)
    assert one.point.coef.tobytes() == three.point.coef.tobytes()


@pytest.mark.parametrize("when", ["never", "before", "meanwhile", "afterwards"])
def test_bits_do_not_depend_on_whether_a_thread_comes_to_help(
    when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call of a Newton step, whose chunks another thread may take, or come too late for."""
    monkeypatch.setattr(condensed_rows, "_SHARED_ENTRIES", 300)
    X, y = text()
    alone = fitted(X, y, n_threads=1)
    asked: list[Callable[[], None]] = []
    helpers: list[Thread] = []

    def ask(task: Callable[[], None], n_threads: int) -> None:
        asked.append(task)
        if when in ("before", "meanwhile"):
            helpers.append(Thread(target=task))
            helpers[-1].start()
        if when == "before":
            helpers[-1].join()  # there is nothing to do yet, and it goes again

    monkeypatch.setattr(condensed_rows, "beside", ask)
    together = fitted(X, y, n_threads=2)
    for one in helpers:
        one.join()
    if when == "afterwards":
        for task in asked:
            task()
    assert asked
    assert together.point.coef.tobytes() == alone.point.coef.tobytes()


def test_what_lay_in_memory_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Room that comes full of NaN gives the same bits."""
    X, y = text()
    before = fitted(X, y)

    def spoilt(shape: Any, dtype: Any = float, *rest: Any, **more: Any) -> Any:
        kind = np.dtype(dtype)
        return np.full(shape, np.nan if kind.kind == "f" else 77, kind)

    monkeypatch.setattr("chainrule.engine.passes.condensed_rows.np.empty", spoilt)
    after = fitted(X, y)
    assert before.point.coef.tobytes() == after.point.coef.tobytes()


def test_progress_is_told_and_may_end_the_fit() -> None:
    X, y = text()
    told: list[Progress] = []

    def stop(progress: Progress) -> bool:
        told.append(progress)
        return len(told) == 3

    fit = fitted(X, y, on_iteration=stop)
    assert fit.stop == "interrupted"
    assert not fit.met
    values = [progress.objective for progress in told[:3]]
    assert values == sorted(values, reverse=True)
    assert told[1].point().coef.shape == (X.shape[1], 1)


def test_ctrl_c_hands_back_the_best_point() -> None:
    X, y = text()
    told: list[float] = []

    def interrupt(progress: Progress) -> bool:
        told.append(progress.objective)
        if len(told) == 3:
            raise KeyboardInterrupt
        return False

    fit = fitted(X, y, on_iteration=interrupt)
    assert fit.interrupted
    assert fit.value <= told[2]
