"""Elastic nets of several classes, against 50 digits and scikit-learn; bounds against the truth."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression as Theirs

from chainrule import LogisticRegression
from chainrule.engine.certificates.class_gap import certify_class_elastic_net
from chainrule.engine.class_paths import ClassPathSolver
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.penalties.elastic_net import ElasticNet, Shape
from chainrule.engine.results import PathPoint

Array = npt.NDArray[Any]


def data(seed: int, n_samples: int, n_features: int, n_classes: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n_samples, n_features))
    W = rng.normal(size=(n_features, n_classes)) * (rng.random((n_features, n_classes)) < 0.5)
    return X, (X @ W + rng.gumbel(size=(n_samples, n_classes))).argmax(axis=1)


def fit(X: Any, y: Array, shape: Shape, strength: float, tol: float, **choices: Any) -> PathPoint:
    source_choices = {k: choices.pop(k) for k in ("sample_weight", "offset") if k in choices}
    source = InMemorySource(X, y, n_classes=int(y.max()) + 1, **source_choices)
    solver = ClassPathSolver(source, None, shape, **choices)
    return solver.solve(strength, tol=tol, max_iter=200)


class Oracle:
    """sum_i s_i (lse(z_i) - z_i[y_i]) + sum l1 |w| + l2 w^2 / 2 in 50 digits."""

    def __init__(
        self, X: Array, y: Array, weights: Array, offset: Array, l1: Array, l2: Array
    ) -> None:
        self.rows = [[mpmath.mpf(float(v)) for v in row] for row in X]
        self.y, self.s, self.offset = y, weights, offset
        self.l1, self.l2 = ([mpmath.mpf(float(v)) for v in part] for part in (l1, l2))

    def terms(self, W: list[list[Any]], b: list[Any]) -> tuple[Any, list[list[Any]], list[Any]]:
        """Value with the penalty, and derivatives of the losses alone."""
        n_classes, n_features = len(b), len(W)
        total, slope = mpmath.mpf(0), [[mpmath.mpf(0)] * n_classes for _ in W]
        level = [mpmath.mpf(0)] * n_classes
        for x, y, s, offset in zip(self.rows, self.y, self.s, self.offset, strict=True):
            z = [
                b[k] + mpmath.mpf(float(offset[k])) + sum(x[j] * W[j][k] for j in range(n_features))
                for k in range(n_classes)
            ]
            partition = sum(mpmath.exp(v) for v in z)
            total += s * (mpmath.log(partition) - z[y])
            for k in range(n_classes):
                pull = s * (mpmath.exp(z[k]) / partition - int(k == y))
                level[k] += pull
                for j in range(n_features):
                    slope[j][k] += pull * x[j]
        for j, of_column in enumerate(W):
            total += sum(self.l1[j] * abs(w) + self.l2[j] * w * w / 2 for w in of_column)
        return total, slope, level

    def polished(self, coef: Array, intercept: Array) -> tuple[Any, Any]:
        """f near the optimum with these signs, and the largest violation of its conditions."""
        W = [[mpmath.mpf(float(w)) for w in row] for row in coef]
        b = [mpmath.mpf(float(v)) for v in intercept]
        moving = [(int(j), int(k)) for j, k in np.argwhere(coef != 0)]
        signs = {(j, k): int(np.sign(coef[j, k])) for j, k in moving}
        unknowns = [*moving, *((-1, k) for k in range(len(b) - 1))]

        def residual(*values: Any) -> list[Any]:
            for (j, k), value in zip(unknowns, values, strict=True):
                if j < 0:
                    b[k] = value
                else:
                    W[j][k] = value
            _, slope, level = self.terms(W, b)
            found = [
                slope[j][k] + self.l1[j] * signs[j, k] + self.l2[j] * W[j][k] for j, k in moving
            ]
            return [*found, *level[:-1]]

        start = [W[j][k] if j >= 0 else b[k] for j, k in unknowns]
        solution = mpmath.findroot(residual, start, tol=1e-60, maxsteps=4, verify=False)
        left = max(abs(v) for v in residual(*solution))
        value, slope, _ = self.terms(W, b)
        for j, k in np.argwhere(coef == 0):
            left = max(left, abs(slope[j][k]) - self.l1[j])
        return value, left


@pytest.mark.parametrize(("l1_ratio", "given"), [(1.0, False), (0.5, True)])
def test_optimum_in_fifty_digits(l1_ratio: float, given: bool) -> None:
    X, y = data(1, 20, 3, 3)
    rng = np.random.default_rng(2)
    weights = rng.integers(1, 4, size=20).astype(float) if given else np.ones(20)
    offset = rng.normal(size=(20, 3)) if given else np.zeros((20, 3))
    shape = Shape.checked(3, l1_ratio, penalty_factor=[1.0, 0.5, 2.0] if given else None)
    found = fit(X, y, shape, 1.5, 1e-10, sample_weight=weights, offset=offset if given else None)
    penalty = shape.penalty(1.5, np.ones(3))
    with mpmath.workdps(50):
        oracle = Oracle(X, y, weights, offset, penalty.l1, penalty.l2)
        best, left = oracle.polished(found.point.coef, found.point.intercept)
        assert left < 1e-25
        W, b = found.point.coef.tolist(), found.point.intercept.tolist()
        excess = float(oracle.terms(W, b)[0] - best)
    assert 0 < np.count_nonzero(found.point.coef) < 9
    assert excess <= 1e-14 * float(best)
    assert found.met
    assert excess <= found.certificate.suboptimality_bound


@pytest.mark.parametrize("tol", [1e-2, 1e-6])
@pytest.mark.parametrize("seed", range(5))
def test_gap_is_never_below_the_truth(seed: int, tol: float) -> None:
    rng = np.random.default_rng(seed)
    X, y = data(seed, 80, int(rng.integers(2, 60)), 3 + seed % 3)
    shape = Shape.checked(X.shape[1], [1.0, 0.3][seed % 2], positive=seed == 4)
    strength = float(10 ** rng.uniform(-0.5, 1))
    rough = fit(X, y, shape, strength, tol)
    fine = fit(X, y, shape, strength, 1e-11)
    assert rough.met
    assert rough.value - fine.value <= rough.certificate.suboptimality_bound + 1e-11 * fine.value
    assert rough.certificate.relative_bound <= tol


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_coefficients_are_those_of_scikit_learn(form: Any, l1_ratio: float) -> None:
    X, y = data(3, 120, 6, 3)
    X[np.abs(X) < 0.7] = 0.0
    labels = np.array(["low", "mid", "top"])[y]
    weights = 1.0 + np.arange(len(y)) % 3
    ours = LogisticRegression(l1_ratio=l1_ratio, C=0.2).fit(form(X), labels, weights)
    theirs = Theirs(solver="saga", l1_ratio=l1_ratio, C=0.2, tol=1e-10, max_iter=5000)
    theirs.fit(X, labels, weights)
    np.testing.assert_allclose(ours.coef_, theirs.coef_, atol=1e-7)
    np.testing.assert_allclose(ours.predict_proba(form(X)), theirs.predict_proba(X), atol=1e-7)
    np.testing.assert_array_equal(ours.coef_ != 0, np.abs(theirs.coef_) > 1e-9)
    assert ours.certificate_.proven
    assert ours.certificate_.relative_bound < 1e-8


def test_bits_do_not_depend_on_threads_and_bounds_hold() -> None:
    X, y = data(5, 6000, 20, 3)
    shape = Shape.checked(20, bounds=(-0.1, 0.2))
    points = [fit(X, y, shape, 40.0, 1e-8, n_threads=n).point for n in (1, 3)]
    np.testing.assert_array_equal(points[0].coef, points[1].coef)
    assert points[0].coef.min() == -0.1
    assert points[0].coef.max() == 0.2


def test_columns_without_penalty_are_proven() -> None:
    X, y = data(6, 100, 3, 3)
    free = fit(X, y, Shape.checked(3, penalty_factor=[0.0, 1.0, 1.0]), 1e4, 1e-8)
    alone = Theirs(C=np.inf, tol=1e-12, solver="newton-cholesky").fit(X[:, :1], y).coef_
    found = free.point.coef[0] - free.point.coef[0].mean()
    np.testing.assert_allclose(found, alone[:, 0] - alone.mean(), atol=1e-7)
    assert free.met


@pytest.mark.parametrize("n_classes", [3, 4, 6])
@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
def test_weak_strengths_are_proven(n_classes: int, l1_ratio: float, fit_intercept: bool) -> None:
    X, y = data(n_classes, 300, 6, n_classes)
    X[:, 5] = X[:, 5] > 0.8
    shape = Shape.checked(6, l1_ratio)
    for strength in (1e-1, 1e-3, 1e-5):
        found = fit(X, y, shape, strength, 1e-9, fit_intercept=fit_intercept)
        assert found.met, str(found.certificate)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [0.3, 1e-2, 1e-4])
def test_bounds_near_an_optimum_hold_and_are_near_the_truth(seed: int, size: float) -> None:
    """Any point has a bound; where only coefficients that are not 0 moved, it is nearly the gap."""
    rng = np.random.default_rng(seed)
    n_classes, l1_ratio = 3 + seed % 3, [1.0, 0.6][seed % 2]
    X, y = data(seed, 200, 8, n_classes)
    weights = rng.uniform(0.5, 2.0, len(y))
    shape = Shape.checked(8, l1_ratio, penalty_factor=[0.0, *[1.0] * 7] if seed == 5 else None)
    source = InMemorySource(X, y, weights, n_classes=n_classes)
    solver = ClassPathSolver(source, None, shape)
    best = solver.solve(2.0, tol=1e-12, max_iter=200)
    one = shape.penalty(2.0, np.ones(8))
    penalty = ElasticNet(*(np.repeat(p, n_classes) for p in (one.l1, one.l2, one.lower, one.upper)))
    moved = best.point.coef + size * rng.normal(size=(8, n_classes)) * (best.point.coef != 0)
    level = best.point.intercept + size * rng.normal(size=n_classes)
    here = solver.objective.evaluate(Point(moved, level))
    found = certify_class_elastic_net(solver.objective, penalty, here)
    truth = here.value + penalty.value(moved.ravel()) - best.value
    assert truth <= found.suboptimality_bound + 1e-12 * best.value
    if size == 1e-4 and l1_ratio == 1.0:
        assert found.suboptimality_bound <= 1.2 * truth


@pytest.mark.parametrize("seed", [2, 7, 8])
def test_strengths_of_very_different_sizes_are_proven(seed: int) -> None:
    X, y = data(seed, 150, 20, 3 + seed % 2)
    factors = 10.0 ** np.random.default_rng(seed).uniform(-2, 4, 20)
    shape = Shape.checked(20, penalty_factor=factors)
    for strength in (10.0, 1.0, 0.1):
        assert fit(X, y, shape, strength, 1e-8).met
