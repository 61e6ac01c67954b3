"""Steps with the curvature of a sample: the same optimum in few reads of X."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from chainrule import LogisticRegression
from chainrule.engine import fitting
from chainrule.engine.data.rows import stratified_rows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss, SoftmaxLoss
from chainrule.engine.objective.objective import Objective
from chainrule.engine.passes import fused_blocks
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.solvers import sampled
from chainrule.engine.solvers.limits import sample_fraction
from chainrule.engine.solvers.newton import newton


@pytest.fixture(autouse=True)
def _always_fused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compile passes for problems of any size: only those are sampled."""
    monkeypatch.setattr(fused_blocks, "FUSED_FROM", 0)
    monkeypatch.setattr(fitting, "suits", lambda _: False)  # the general method alone


def tall(seed: int, n_samples: int = 6000, n_features: int = 5) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features)) * 10.0 ** np.linspace(-3, 3, n_features)
    score = X @ (rng.normal(size=n_features) / np.abs(X).mean(axis=0))
    return X, score + rng.logistic(size=n_samples) > 0.3


@pytest.mark.parametrize("C", [1e-4, 1.0, np.inf])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_it_reaches_the_optimum_of_full_newton(C: float, fit_intercept: bool) -> None:
    X, y = tall(1)
    weight = np.random.default_rng(2).random(len(y))
    common: dict[str, Any] = {"C": C, "fit_intercept": fit_intercept, "tol": 1e-11}
    full = LogisticRegression(solver="newton-cholesky", **common).fit(X, y, weight)
    model = LogisticRegression(**common).fit(X, y, weight)
    assert model.solver_ == "newton-sampled"
    assert model.certificate_.proven
    assert model.objective_ == pytest.approx(full.objective_, rel=1e-11)
    np.testing.assert_allclose(model.coef_, full.coef_, rtol=1e-4)


def test_it_reads_the_data_few_times_and_says_so() -> None:
    X, y = tall(3, n_samples=40_000)
    model = LogisticRegression().fit(X, y)
    assert model.n_passes_ <= 12
    text = model.explain()
    assert text.startswith("newton-sampled: 40000 rows for 6 parameters: 2500 rows drawn at random")
    assert f"X was read {model.n_passes_:.1f} times" in text
    assert str(model.certificate_) in text


FORMS: list[tuple[Any, str]] = [
    (np.asarray, "newton-sampled"),
    (np.asfortranarray, "newton-sampled"),
    (sparse.csr_array, "newton-cholesky"),
    (sparse.csr_array, "newton-cg"),
]


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("form", "solver"), FORMS)
def test_collinear_columns_are_held_where_they_are(form: Any, solver: Any, n_classes: int) -> None:
    X, _ = tall(7, n_samples=20_000, n_features=4)
    X = np.round(X / np.abs(X).max(axis=0) * 100)
    rng = np.random.default_rng(8)
    y = np.argmax(X[:, :n_classes] / 20 + rng.gumbel(size=(len(X), n_classes)), axis=1)
    wide = np.column_stack([X[:, 0] - 3 * X[:, 2], X, np.full(len(X), 7.0)])
    fewer = LogisticRegression(C=np.inf, tol=1e-12).fit(X, y)
    model = LogisticRegression(C=np.inf, tol=1e-12, solver=solver).fit(form(wide), y)
    assert model.solver_ == solver
    assert model.certificate_.proven
    assert "column 0, column 1, column 3, column 5 are collinear" in str(model.certificate_)
    assert model.objective_ == pytest.approx(fewer.objective_, rel=1e-11)
    raw = wide @ model.coef_.T
    spread = wide - wide.mean(axis=0)
    least = np.linalg.lstsq(spread, raw - raw.mean(axis=0), rcond=1e-10)[0]
    np.testing.assert_allclose(model.coef_, least.T, atol=1e-8)


def test_a_column_that_the_sample_never_sees_is_fitted_all_the_same() -> None:
    X, y = tall(4)
    rare = np.zeros(len(y))
    rare[[17, 2900, 5100, 5101]] = 1.0
    y[[17, 2900, 5100]], y[5101] = True, False
    X = np.column_stack([X, rare])
    full = LogisticRegression(solver="newton-cholesky", tol=1e-11).fit(X, y)
    model = LogisticRegression(tol=1e-11).fit(X, y)
    assert model.certificate_.proven
    np.testing.assert_allclose(model.coef_[0, -1], full.coef_[0, -1], rtol=1e-4)


def test_separation_is_found_as_by_full_newton() -> None:
    X, _ = tall(5)
    with pytest.warns(match="separates the classes"):
        model = LogisticRegression(C=np.inf).fit(X, X[:, 0] > 0)
    assert model.certificate_.kind == "separation"


def test_a_warm_start_at_the_optimum_stays_there() -> None:
    X, y = tall(6)
    model = LogisticRegression(warm_start=True, tol=1e-11).fit(X, y)
    objective = model.objective_
    model.fit(X, y)
    assert model.objective_ == pytest.approx(objective, rel=1e-13)
    assert len(model.history_) <= 3


def test_where_steps_shrink_too_slowly_full_newton_takes_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    called = []

    def counted(*args: Any, **settings: Any) -> Any:
        called.append(args[0])
        return newton(*args, **settings)

    monkeypatch.setattr(sampled, "newton", counted)
    monkeypatch.setattr(sampled, "_SLOW", 1e-12)
    X, y = tall(7)
    source = InMemorySource(X, y.astype(float))
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    objective = Objective(source, BinaryLoss(), penalty)
    outcome = sampled.sampled_newton(objective, objective.origin(), tolerance=1e-12, max_iter=50)
    assert called[-1] is objective
    assert outcome.stop == "converged"


def test_several_classes_are_handed_to_the_solver_of_few_hessians(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sampled, "_SLOW", 1e-12)
    X, _ = tall(7)
    scores = X / np.abs(X).mean(axis=0) + np.random.default_rng(8).gumbel(size=X.shape)
    y = scores[:, :3].argmax(axis=1)
    source = InMemorySource(X, y, n_classes=3)
    penalty = L2Penalty.from_inverse(1.0, source.column_scale)
    objective = Objective(source, SoftmaxLoss(3), penalty)
    outcome = sampled.sampled_newton(objective, objective.origin(), tolerance=1e-12, max_iter=50)
    full = newton(objective, objective.origin(), tolerance=1e-14, max_iter=50)
    assert outcome.stop == "converged"
    assert outcome.evaluation.value == pytest.approx(full.evaluation.value, rel=1e-12)


@pytest.mark.parametrize(
    ("n_samples", "fraction"), [(1_920, 16), (1_919, 8), (576, 8), (575, 4), (288, 4), (287, 0)]
)
def test_fewer_rows_are_drawn_more_densely(n_samples: int, fraction: int) -> None:
    X, y = tall(12, n_samples=n_samples)
    assert sample_fraction(InMemorySource(X, y.astype(float)), 6) == fraction
    full = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(X, y)
    model = LogisticRegression(solver="newton-sampled", tol=1e-11).fit(X, y)
    assert model.solver_ == ("newton-sampled" if fraction else "newton-cholesky")
    assert model.certificate_.proven
    assert model.objective_ == pytest.approx(full.objective_, rel=2e-11)


def test_too_few_rows_are_not_sampled() -> None:
    X, y = tall(8, n_samples=250)
    model = LogisticRegression(solver="newton-sampled").fit(X, y)
    assert model.solver_ == "newton-cholesky"
    assert "too few rows" in model.explain()


@pytest.mark.parametrize("tol", [1e-3, 1e-6, 1e-8, 1e-10])
@pytest.mark.parametrize("C", [1.0, 1e-3])
def test_a_proof_needs_no_hessian_of_all_rows_at_any_tolerance(tol: float, C: float) -> None:
    X, y = tall(9, n_samples=40_000)
    X = np.column_stack([X, X[:, 0] - 3 * X[:, 1]])  # flat but for the penalty
    model = LogisticRegression(C=C, tol=tol).fit(X, y)
    assert model.solver_ == "newton-sampled"
    assert model.certificate_.relative_bound <= tol
    assert model.certificate_.kind == "Newton decrement"
    assert model.n_passes_ <= 10


def test_uneven_weights_are_shared_out_among_the_samples() -> None:
    X, y = tall(10, n_samples=40_000)
    weight = np.random.default_rng(3).pareto(1.0, size=len(y))
    full = LogisticRegression(solver="newton-cholesky", tol=1e-12).fit(X, y, weight)
    model = LogisticRegression(tol=1e-12).fit(X, y, weight)
    assert model.certificate_.proven
    assert model.objective_ == pytest.approx(full.objective_, rel=1e-11)


@pytest.mark.parametrize(("n_samples", "n_rows"), [(10, 10), (1000, 7), (12_345, 771)])
def test_a_sample_has_one_row_of_each_part(n_samples: int, n_rows: int) -> None:
    seen = np.zeros(n_samples)
    for seed in range(20):
        rows = stratified_rows(n_samples, n_rows, seed)
        parts = rows * n_rows // n_samples
        assert len(rows) == n_rows
        assert (np.diff(rows) > 0).all()
        assert rows[0] >= 0
        assert rows[-1] < n_samples
        assert (np.abs(parts - np.arange(n_rows)) <= 1).all()
        seen[rows] += 1
    assert seen.max() <= 20 * n_rows / n_samples + 15  # no row is preferred


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_rows_that_stay_where_they_are_read_as_their_copy_does(order: Any, dtype: Any) -> None:
    X, y = tall(11)
    source = InMemorySource(np.asarray(X, dtype=dtype, order=order), y.astype(float))
    rows = stratified_rows(len(y), 700, 0)
    there, copied = source.take_rows(rows, copied=False), source.take_rows(rows)
    there.rows_per_block = 300
    parts = [p.copy() for i in range(there.n_blocks) for p in there.block(i).X.dense_rows()]
    np.testing.assert_array_equal(np.concatenate(parts), X[rows].astype(dtype))
    for few in (there, copied):
        objective = Objective(few, BinaryLoss(), L2Penalty(np.ones(5)))
        assert objective.evaluate(objective.origin()).value == pytest.approx(700 * np.log(2))
        gradient = objective.evaluate(objective.origin()).gradient.coef[:, 0]
        expected = X[rows].astype(dtype).astype(float).T @ (0.5 - y[rows])
        np.testing.assert_allclose(gradient, expected, rtol=1e-9, atol=1e-9)
