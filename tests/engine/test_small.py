"""Small fits in one compiled call: proven against 40-digit optima, and the general method's."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import optimize, special
from threadpoolctl import threadpool_info

from chainrule import LogisticRegression
from chainrule.engine import small as small_fits
from chainrule.engine.arrays import FloatArray
from chainrule.engine.certificates.certificate import certify
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.passes import small_newton
from chainrule.engine.results import Fit
from chainrule.engine.small import fit_small, suits

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.fixture(scope="module")
def compiled() -> None:
    pytest.importorskip("numba")
    small_newton.load()
    assert small_newton.is_at_hand()


def small(source: InMemorySource, **how: Any) -> Fit:
    settings: dict[str, Any] = {"C": 1.0, "fit_intercept": True, "tol": 1e-8, "max_iter": 100}
    fit = fit_small(source, **settings | how)
    assert fit is not None
    return fit


KINDS = [
    {},
    {"C": 1e-6},
    {"C": 1e6},
    {"C": np.inf},
    {"fit_intercept": False, "C": 0.3},
    {"weighted": True},
    {"weighted": True, "C": np.inf, "fit_intercept": False},
    {"scales": np.array([1e-4, 1.0, 1e5])},
    {"scales": np.array([1e-40, 1.0, 1.0])},
    {"n_features": 1, "n_samples": 12},
    {"n_features": 6, "n_samples": 40, "C": 10.0},
]


@pytest.mark.parametrize("seed", [3, 4])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_every_bound_holds_against_forty_digits(
    problem: Callable[..., Any], kind: dict[str, Any], seed: int
) -> None:
    p = problem(seed, **kind)
    weights = p.weights if kind.get("weighted") else None
    source = InMemorySource(p.X, p.y.astype(np.uint8), weights, center=p.fit_intercept)
    assert suits(source)
    fit = small(source, C=p.C, fit_intercept=p.fit_intercept)
    best, coef, _ = p.solve(fit.point)
    with mpmath.workdps(40):
        error = float(p.value(fit.point.coef, fit.point.intercept) - best)
    certificate = fit.certificate
    assert certificate.proven
    assert certificate.relative_bound <= 1e-8
    assert error <= certificate.suboptimality_bound
    distance = float(np.linalg.norm(fit.point.coef - coef))
    assert distance <= certificate.distance_bound * (1 + 1e-12) + 1e-15
    assert fit.value == pytest.approx(float(best), rel=1e-8)


@pytest.mark.parametrize(
    "turn",
    [
        np.asfortranarray,
        lambda X: X.astype(np.float32),
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X[::-1],
        lambda X: np.rint(4 * X).astype(np.int16),
        lambda X: X + 4096.0,
        lambda X: X.astype(">f8"),
    ],
)
def test_any_layout_and_number_type_gives_the_general_methods_optimum(turn: Any) -> None:
    rng = np.random.default_rng(5)
    X = turn(rng.normal(size=(90, 4)))
    y = (np.asarray(X)[:, 0] - np.median(X[:, 0]) + rng.logistic(size=90) > 0).astype(int)
    fast = LogisticRegression(tol=1e-12).fit(X, y)
    general = LogisticRegression(tol=1e-12, solver="newton-cg").fit(X, y)
    apart = fast.certificate_.distance_bound + general.certificate_.distance_bound
    assert np.linalg.norm(fast.coef_ - general.coef_) <= apart < 1e-4
    assert fast.certificate_.proven


def test_the_history_leads_where_the_general_method_does() -> None:
    rng = np.random.default_rng(6)
    X = rng.normal(size=(80, 3))
    y = (X[:, 0] + rng.logistic(size=80) > 0).astype(int)
    source = InMemorySource(X, y, center=True)
    fast = small(source)
    general = fit_linear_model(source, on_iteration=lambda _: None)
    assert fast.n_iter == len(fast.history) >= len(general.history)
    first, same = fast.history[0], general.history[0]
    assert first.objective == pytest.approx(np.log(2) * 80, rel=1e-12)
    assert general.history[-1].objective == pytest.approx(fast.history[-1].objective, rel=1e-9)
    assert first.gradient_norm > 1e3 * fast.history[-1].gradient_norm
    assert (np.diff([one.objective for one in fast.history]) <= 1e-13 * first.objective).all()
    assert first.step == same.step == 1.0
    assert fast.plan.method == general.plan.method == fast.method


def test_what_is_computed_later_does_not_see_later_changes_of_the_data() -> None:
    rng = np.random.default_rng(7)
    X, weights = rng.normal(size=(60, 3)), rng.uniform(0.5, 2, 60)
    y = (X[:, 0] + rng.logistic(size=60) > 0).astype(int)
    model = LogisticRegression().fit(X, y, weights)
    expected = LogisticRegression().fit(X.copy(), y, weights.copy()).certificate_
    X[:], weights[:], y[:] = 1e9, 1e9, 0
    assert model.certificate_ == expected


@pytest.mark.parametrize("copied", [deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_holds_certificate_history_and_explanation(copied: Any) -> None:
    rng = np.random.default_rng(8)
    X = rng.normal(size=(60, 3))
    model = LogisticRegression().fit(X, X[:, 0] + rng.logistic(size=60) > 0)
    twin = copied(model)
    assert twin.certificate_ == model.certificate_
    assert twin.history_ == model.history_
    assert twin.explain() == model.explain()
    assert pickle.dumps(twin)  # once more, from what was computed


def test_what_cannot_be_proven_so_is_left_to_the_general_method() -> None:
    rng = np.random.default_rng(9)
    X = rng.normal(size=(40, 2))
    settings: dict[str, Any] = {"C": np.inf, "fit_intercept": True, "tol": 1e-8, "max_iter": 100}
    separable = InMemorySource(X, (X[:, 0] > 0).astype(int))
    assert fit_small(separable, **settings) is None
    collinear = InMemorySource(np.c_[X, X[:, 0]], rng.integers(0, 2, 40))
    assert fit_small(collinear, **settings) is None
    assert fit_small(collinear, **settings | {"C": 1.0, "max_iter": 1}) is None
    assert fit_small(collinear, **settings | {"C": 1.0, "tol": 0.0}) is None
    assert fit_linear_model(collinear, C=np.inf).certificate.proven
    assert fit_linear_model(separable, C=np.inf).certificate.kind == "separation"


def test_equal_data_get_equal_bits() -> None:
    rng = np.random.default_rng(10)
    X = rng.normal(size=(200, 6))
    y = X[:, 0] + rng.logistic(size=200) > 0
    fits = [LogisticRegression(n_jobs=n, verbose=v).fit(X, y) for n in (1, 2) for v in (None, 0)]
    for other in fits[1:]:
        np.testing.assert_array_equal(other.coef_, fits[0].coef_)


@pytest.mark.parametrize("shape", [(4000, 30), (1500, 120)], ids=str)
@pytest.mark.parametrize("C", [1.0, np.inf])
@pytest.mark.parametrize("weighted", [False, True])
def test_middle_sized_fits_end_where_scipy_does(
    shape: tuple[int, int], C: float, weighted: bool
) -> None:
    rng = np.random.default_rng(9)
    X = rng.normal(size=shape) * rng.uniform(0.5, 2, size=shape[1])
    y = X[:, :3].sum(axis=1) + rng.logistic(size=len(X)) > 0
    weights = rng.uniform(0.2, 3, len(X)) if weighted else np.ones(len(X))
    source = InMemorySource(X, y.astype(np.uint8), weights if weighted else None, center=True)
    assert source.is_fused
    assert suits(source)
    fit = small(source, C=C)
    sign = np.where(y, 1.0, -1.0)

    def objective(vector: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (X @ vector[:-1] + vector[-1])
        pull = -sign * weights * special.expit(-margin)
        value = weights @ np.logaddexp(0, -margin) + vector[:-1] @ vector[:-1] / (2 * C)
        return value, np.append(X.T @ pull + vector[:-1] / C, pull.sum())

    found = np.append(fit.point.coef[:, 0], fit.point.intercept)
    value, gradient = objective(found)
    assert np.abs(gradient).max() < 1e-4
    best = optimize.minimize(
        objective, np.zeros(len(found)), jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 0}
    )
    assert value - best.fun <= fit.certificate.suboptimality_bound + 1e-11 * value


def test_rows_in_a_cycle_and_sorted_labels_do_not_mislead_the_sample() -> None:
    rng = np.random.default_rng(10)
    X = rng.normal(size=(3000, 20))
    X[:, 0] = np.arange(3000) % 8 == 0  # a column that every eighth row alone knows
    X[:, 1] = np.arange(3000) % 8 == 5
    y = np.sort(X[:, 2] + X[:, 0] - X[:, 1] + rng.logistic(size=3000) > 0)
    fit = small(InMemorySource(X, y.astype(np.uint8), center=True))
    general = fit_linear_model(
        InMemorySource(X, y.astype(np.uint8), center=True), on_iteration=lambda _: None
    )
    assert fit.value == pytest.approx(general.value, rel=1e-12)
    assert fit.certificate.relative_bound <= 1e-8


def test_factors_of_a_proof_are_computed_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """With two, a factor of 150 columns took up to 500 ms on a busy machine, in place of 2."""
    seen: list[int] = []

    def watched(*args: Any, **how: Any) -> Any:
        seen.extend(one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas")
        return certify(*args, **how)

    monkeypatch.setattr(small_fits, "certify", watched)
    rng = np.random.default_rng(8)
    X = rng.normal(size=(300, 12))
    fit = small(InMemorySource(X, (rng.random(300) < 0.5).astype(np.uint8)), C=np.inf)
    assert seen
    assert set(seen) == {1}
    seen.clear()
    assert small(InMemorySource(X, (rng.random(300) < 0.5).astype(np.uint8))).certificate.proven
    assert seen
    assert set(seen) == {1}
    assert fit.certificate.proven
