"""Small fits of several classes in one compiled call: against 40-digit optima, and other paths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import optimize, special
from tests.engine.conftest import Problem

from chainrule import LogisticRegression
from chainrule.engine.arrays import FloatArray, IntArray
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.fitting import fit_linear_model
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.passes import small_class_newton
from chainrule.engine.results import Fit
from chainrule.engine.small import fit_small, suits

pytestmark = pytest.mark.usefixtures("compiled")


@pytest.fixture(scope="module")
def compiled() -> None:
    pytest.importorskip("numba")
    small_class_newton.load()
    assert small_class_newton.is_at_hand()


def table(seed: int, n: int, p: int, n_classes: int) -> tuple[FloatArray, IntArray]:
    """Draw rows and codes of classes, each of which occurs."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    y = (X @ rng.normal(size=(p, n_classes)) + rng.gumbel(size=(n, n_classes))).argmax(axis=1)
    y[:n_classes] = np.arange(n_classes)
    return X, y


def source_of(X: FloatArray, y: IntArray, weights: FloatArray | None = None, **how: Any) -> Any:
    source = InMemorySource(X, y, weights, n_classes=int(y.max()) + 1, **how)
    assert suits(source)
    return source


def small(source: InMemorySource, **how: Any) -> Fit:
    settings: dict[str, Any] = {"C": 1.0, "fit_intercept": True, "tol": 1e-8, "max_iter": 100}
    fit = fit_small(source, **settings | how)
    assert fit is not None
    return fit


def separable(X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
    return X, np.digitize(X[:, 0], np.quantile(X[:, 0], [0.3, 0.7]))


def rare(X: FloatArray, y: IntArray) -> tuple[FloatArray, IntArray]:
    label = (X[:, 0] > 0).astype(int)
    label[3] = 2
    return X, label


KINDS: list[dict[str, Any]] = [
    {},
    {"C": 1e-4},
    {"C": 1e6},
    {"fit_intercept": False, "C": 0.3},
    {"weighted": True},
    {"weighted": True, "C": 100.0, "fit_intercept": False},
    {"turn": separable},
    {"turn": separable, "C": 1e4},
    {"turn": rare, "C": 10.0},
    {"turn": lambda X, y: (X * [1e-4, 1e5], y)},
    {"turn": lambda X, y: (X * [1e-40, 1.0], y)},
    {"turn": lambda X, y: (np.c_[X[:, 0], X[:, 0]], y)},
    {"turn": lambda X, y: (np.c_[X[:, 0], np.zeros(len(X))], y)},
    {"turn": lambda X, y: (X + 4096.0, y)},
    {"n_classes": 5, "n": 24},
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(kind) or "plain")
def test_every_bound_holds_against_forty_digits(kind: dict[str, Any]) -> None:
    X, y = table(3, kind.get("n", 18), 2, kind.get("n_classes", 3))
    X, y = kind.get("turn", lambda X, y: (X, y))(X, y)
    weights = np.random.default_rng(4).uniform(0.2, 3, len(X)) if kind.get("weighted") else None
    C, fit_intercept = kind.get("C", 1.0), kind.get("fit_intercept", True)
    source = source_of(X, y, weights, center=fit_intercept)
    fit = small(source, C=C, fit_intercept=fit_intercept)
    assert fit.certificate.proven
    assert fit.certificate.relative_bound <= 1e-8
    s = np.ones(len(X)) if weights is None else weights
    p = Problem(X, y, s, C, fit_intercept, source.n_classes)
    best, coef, _ = p.solve(fit.point)
    with mpmath.workdps(40):
        error = float(p.value(fit.point.coef, fit.point.intercept) - best)
    assert error <= fit.certificate.suboptimality_bound
    distance = float(np.linalg.norm(fit.point.coef - coef))
    assert distance <= fit.certificate.distance_bound * (1 + 1e-12) + 1e-15
    assert fit.value == pytest.approx(float(best), rel=1e-8)


@pytest.mark.parametrize(("n", "p", "n_classes"), [(150, 4, 3), (400, 10, 4), (300, 5, 12)])
@pytest.mark.parametrize("weighted", [False, True])
def test_it_ends_where_scipy_and_the_general_method_do(
    n: int, p: int, n_classes: int, weighted: bool
) -> None:
    X, y = table(n, n, p, n_classes)
    s = np.random.default_rng(5).uniform(0.2, 3, n) if weighted else np.ones(n)
    source = source_of(X, y, s if weighted else None, center=True)
    fit = small(source, tol=1e-10)
    general = fit_linear_model(source, tol=1e-10, on_iteration=lambda _: None)
    assert fit.value == pytest.approx(general.value, rel=1e-10)
    apart = fit.certificate.distance_bound + general.certificate.distance_bound
    assert np.linalg.norm(fit.point.coef - general.point.coef) <= apart

    def objective(vector: FloatArray) -> tuple[float, FloatArray]:
        coef, intercept = vector[n_classes:].reshape(p, n_classes), vector[:n_classes]
        raw = X @ coef + intercept
        pull = special.softmax(raw, axis=1)
        pull[np.arange(n), y] -= 1
        pull *= s[:, None]
        value = s @ (special.logsumexp(raw, axis=1) - raw[np.arange(n), y])
        slope = (X.T @ pull + coef).ravel()
        return value + 0.5 * (coef**2).sum(), np.append(pull.sum(axis=0), slope)

    found = np.append(fit.point.intercept, fit.point.coef.ravel())
    value, gradient = objective(found)
    assert np.abs(gradient).max() < 1e-6
    best = optimize.minimize(
        objective, np.zeros(len(found)), jac=True, method="L-BFGS-B", options={"ftol": 0, "gtol": 0}
    )
    assert value - best.fun <= fit.certificate.suboptimality_bound + 1e-12 * value


def test_what_the_fit_says_of_itself() -> None:
    X, y = table(6, 120, 3, 3)
    model = LogisticRegression(tol=1e-9).fit(X, y)
    fit = small(source_of(X, y, center=True), tol=1e-9)
    assert model.solver_ == fit.plan.method == "newton-cholesky"
    assert fit.n_iter == len(fit.history)
    assert fit.history[0].objective == pytest.approx(120 * np.log(3), rel=1e-12)
    assert "3 classes" in model.explain()
    assert np.abs(model.coef_.sum(axis=0)).max() < 1e-12
    assert fit.certificate == model.certificate_


def test_a_start_shortens_the_way() -> None:
    X, y = table(7, 200, 4, 3)
    source = source_of(X, y, center=True)
    cold = small(source)
    warm = small(source, start=Point(cold.point.coef + 0.3, cold.point.intercept - 7.0))
    assert warm.n_iter < cold.n_iter
    assert warm.value == pytest.approx(cold.value, rel=1e-9)


def test_what_it_does_not_solve_is_left_to_the_general_method() -> None:
    X, y = table(8, 60, 2, 3)
    settings: dict[str, Any] = {"C": 1.0, "fit_intercept": True, "tol": 1e-8, "max_iter": 100}
    source = source_of(X, y)
    assert fit_small(source, **settings | {"max_iter": 1}) is None
    assert fit_small(source, **settings | {"tol": 0.0}) is None
    assert fit_small(source_of(*separable(X, y)), **settings | {"C": np.inf}) is None
    nobody = source_of(X, y, (y > 0).astype(float))  # the intercept of class 0 runs off
    assert fit_small(nobody, **settings) is None
    offset = InMemorySource(X, y, n_classes=3, offset=np.ones((60, 3)))
    shares = InMemorySource(X, special.softmax(X @ np.ones((2, 3)), axis=1), n_classes=3)
    assert not suits(offset)
    assert not suits(shares)


@pytest.mark.parametrize(
    "turn",
    [
        np.asfortranarray,
        lambda X: X.astype(np.float32),
        lambda X: X[::-1],
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: np.rint(4 * X).astype(np.int16),
    ],
)
def test_any_layout_and_number_type(turn: Callable[[FloatArray], Any]) -> None:
    X, y = table(9, 90, 3, 4)
    X = turn(X)
    fast = LogisticRegression(tol=1e-12).fit(X, y)
    plain = LogisticRegression(tol=1e-12).fit(np.array(X, dtype=np.float64, order="C"), y)
    general = LogisticRegression(tol=1e-12, solver="newton-cg").fit(X, y)
    np.testing.assert_array_equal(fast.coef_, plain.coef_)
    np.testing.assert_allclose(fast.coef_, general.coef_, atol=1e-5)


def test_equal_data_get_equal_bits() -> None:
    X, y = table(10, 500, 6, 4)
    fits = [LogisticRegression(n_jobs=n, verbose=v).fit(X, y) for n in (1, 2) for v in (None, 0)]
    for other in fits[1:]:
        np.testing.assert_array_equal(other.coef_, fits[0].coef_)
