"""Group lasso against 50 digits, a closed form and the lasso; its bounds against the truth."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from tests.engine.elastic_net_oracle import LOSSES, Loss

from chainrule.engine.certificates.group_gap import certify_groups
from chainrule.engine.class_paths import path_solver
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.table import find_loss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.penalties.groups import GroupNorms, GroupShape
from chainrule.engine.results import PathPoint
from chainrule.engine.whole_paths import geometric, path_of
from chainrule.errors import DataError

Array = npt.NDArray[Any]


def data(seed: int, n_samples: int, n_features: int, n_groups: int) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(seed)
    labels = np.unique(rng.permutation(np.arange(n_features) % n_groups), return_inverse=True)[1]
    X = rng.normal(size=(n_samples, n_features))
    w = rng.normal(size=n_features) * (rng.random(n_groups) < 0.5)[labels]
    return X, (X @ w + rng.logistic(size=n_samples) > 0).astype(float), labels


def solver_of(X: Any, y: Array, shape: Shape, **choices: Any) -> PathSolver:
    of_source = {k: choices.pop(k) for k in ("sample_weight", "offset") if k in choices}
    row = choices.pop("row", None)
    return path_solver(InMemorySource(X, y, **of_source), row, shape, **choices)


def fit(X: Any, y: Array, shape: Shape, strength: float, tol: float, **choices: Any) -> PathPoint:
    return solver_of(X, y, shape, **choices).solve(strength, tol=tol, max_iter=200)


class Oracle:
    """sum_i s_i loss_i + sum_g l1_g |w_g| + l2_g |w_g|^2 / 2 in 50 digits, from the definitions."""

    def __init__(
        self, X: Array, y: Array, labels: Array, l1: Array, l2: Array, loss: Loss, **given: Any
    ) -> None:
        self.rows = [[mpmath.mpf(float(v)) for v in row] for row in X]
        self.y = [mpmath.mpf(float(v)) for v in y]
        self.s = given.get("weights", np.ones(len(y))).tolist()
        self.offset = given.get("offset", np.zeros(len(y))).tolist()
        self.l1, self.l2 = ([mpmath.mpf(float(v)) for v in part] for part in (l1, l2))
        self.members = [np.flatnonzero(labels == g).tolist() for g in range(labels.max() + 1)]
        self.loss = loss

    def value(self, w: Any, b: Any) -> Any:
        total = mpmath.mpf(0)
        for x, y, s, offset in zip(self.rows, self.y, self.s, self.offset, strict=True):
            total += s * self.loss.value(offset + b + mpmath.fdot(x, w), y)
        for g, places in enumerate(self.members):
            square = mpmath.fsum(mpmath.mpf(w[j]) ** 2 for j in places)
            total += self.l1[g] * mpmath.sqrt(square) + self.l2[g] * square / 2
        return total

    def slopes(self, w: Any, b: Any) -> tuple[list[Any], Any]:
        found, level = [mpmath.mpf(0)] * len(w), mpmath.mpf(0)
        for x, y, s, offset in zip(self.rows, self.y, self.s, self.offset, strict=True):
            pull = s * self.loss.slope(offset + b + mpmath.fdot(x, w), y)
            level += pull
            found = [total + pull * v for total, v in zip(found, x, strict=True)]
        return found, level

    def polished(self, coef: Array, intercept: float) -> tuple[Any, Any]:
        """f at the optimum with these groups, and the largest violation of its conditions."""
        groups = [g for g, places in enumerate(self.members) if coef[places].any()]
        moving = [j for g in groups for j in self.members[g]]
        w = [mpmath.mpf(0)] * len(coef)

        def residual(*values: Any) -> list[Any]:
            for j, value in zip(moving, values[:-1], strict=True):
                w[j] = value
            slope, level = self.slopes(w, values[-1])
            found = []
            for g in groups:
                size = mpmath.sqrt(mpmath.fsum(w[j] ** 2 for j in self.members[g]))
                found += [
                    slope[j] + self.l1[g] * w[j] / size + self.l2[g] * w[j] for j in self.members[g]
                ]
            return [*found, level]

        start = [mpmath.mpf(float(coef[j])) for j in moving] + [mpmath.mpf(float(intercept))]
        solution = mpmath.findroot(residual, start, tol=1e-60, maxsteps=4, verify=False)
        left = max(abs(v) for v in residual(*solution))
        b = solution[len(moving)]
        slope, _ = self.slopes(w, b)
        for g, places in enumerate(self.members):
            if g not in groups:
                size = mpmath.sqrt(mpmath.fsum(slope[j] ** 2 for j in places))
                left = max(left, size - self.l1[g])
        return self.value(w, b), left


@pytest.mark.parametrize("seed", range(10))
def test_optimum_in_fifty_digits(seed: int) -> None:
    X, y, labels = data(seed, 18, 5 + seed % 2, 2 + seed % 2)
    rng = np.random.default_rng(100 + seed)
    name = "poisson" if seed % 5 == 4 else "logistic"
    if name == "poisson":
        y = rng.poisson(np.exp(0.5 * X[:, 0])).astype(float)
    weights = rng.integers(1, 4, size=18).astype(float) if seed % 2 else np.ones(18)
    offset = 0.3 * rng.normal(size=18) if seed % 3 == 1 else np.zeros(18)
    own = np.array([1.0, 0.6, 1.5])[labels]
    shape = GroupShape.grouped(Shape.checked(len(labels), [1.0, 0.5][seed % 4 == 3], own), labels)
    choices: dict[str, Any] = {"sample_weight": weights, "offset": offset[:, None]}
    if name == "poisson":
        choices["row"] = find_loss("poisson")
    solver = solver_of(sparse.csr_matrix(X) if seed % 2 else X, y, shape, **choices)
    strength = solver.largest * [0.5, 0.2, 0.05][seed % 3]
    found = solver.solve(strength, tol=1e-11, max_iter=200)
    penalty = shape.penalty(strength, np.ones(len(labels)))
    with mpmath.workdps(50):
        oracle = Oracle(
            X, y, labels, *penalty.strengths, LOSSES[name], weights=weights, offset=offset
        )
        coef, intercept = found.point.coef[:, 0], float(found.point.intercept[0])
        best, left = oracle.polished(coef, intercept)
        assert left < 1e-25
        excess = float(oracle.value(coef.tolist(), intercept) - best)
    assert coef.any()
    assert excess <= 1e-14 * abs(float(best))
    assert found.met
    assert excess <= found.certificate.suboptimality_bound


def test_orthonormal_columns_are_soft_thresholded_by_group() -> None:
    rng = np.random.default_rng(0)
    X = np.linalg.qr(rng.normal(size=(50, 6)))[0]
    y, labels = 3 * rng.normal(size=50), np.array([0, 1, 1, 2, 2, 2])
    shape = GroupShape.grouped(Shape.checked(6), labels)
    found = fit(X, y, shape, 1.0, 1e-12, row=find_loss("squared"), fit_intercept=False)
    z, sizes = X.T @ y, np.array([1, 2, 3])
    norms = np.sqrt(np.bincount(labels, z * z))
    shrunk = np.maximum(1 - np.sqrt(sizes) / norms, 0.0)
    np.testing.assert_allclose(found.point.coef[:, 0], shrunk[labels] * z, atol=1e-10)
    assert found.met


@pytest.mark.parametrize("l1_ratio", [1.0, 0.4])
def test_groups_of_one_column_are_an_elastic_net(l1_ratio: float) -> None:
    X, y, _ = data(3, 90, 8, 4)
    plain = Shape.checked(8, l1_ratio, penalty_factor=np.linspace(0.5, 2, 8))
    ours = fit(X, y, GroupShape.grouped(plain, np.arange(8)), 6.0, 1e-11)
    theirs = fit(X, y, plain, 6.0, 1e-11)
    np.testing.assert_allclose(ours.point.coef, theirs.point.coef, atol=1e-7)
    assert ours.value == pytest.approx(theirs.value, rel=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_gap_is_never_below_the_truth(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y, labels = data(seed, 60, int(rng.integers(6, 150)), int(rng.integers(2, 6)))
    X = X * 10.0 ** rng.uniform(-1, 1, X.shape[1])
    form = sparse.csr_matrix if seed % 3 == 0 else np.asarray
    shape = GroupShape.grouped(Shape.checked(len(labels), [1.0, 0.3][seed % 2]), labels)
    solver = solver_of(form(X), y, shape)
    strength = solver.largest * float(10 ** rng.uniform(-1.5, -0.1))
    rough = solver.solve(strength, tol=[1e-2, 1e-5][seed % 2], max_iter=200)
    fine = fit(X, y, shape, strength, 1e-10)
    assert rough.met
    assert rough.value - fine.value <= rough.certificate.suboptimality_bound + 1e-10 * fine.value


def test_the_bound_of_a_point_far_from_the_optimum_holds() -> None:
    X, y, labels = data(7, 80, 9, 3)
    shape = GroupShape.grouped(Shape.checked(9, 0.8), labels)
    solver = solver_of(X, y, shape)
    best = fit(X, y, shape, 4.0, 1e-11).value
    penalty = shape.penalty(4.0, np.ones(9))
    rng = np.random.default_rng(1)
    for _ in range(20):
        w = 0.3 * rng.normal(size=(9, 1)) * (rng.random(3) < 0.6)[labels][:, None]
        here = solver.objective.evaluate(Point(w, 0.1 * rng.normal(size=1)))
        found = certify_groups(solver.objective, penalty, here)
        assert here.value + penalty.value(w[:, 0]) - best <= found.suboptimality_bound


@pytest.mark.parametrize("seed", range(8))
def test_the_bound_of_a_point_near_the_optimum_holds_and_is_of_second_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X, y, labels = data(20 + seed, 70, 12, 4)
    X = X * 10.0 ** rng.uniform(-1, 1, 12)
    own = np.where(labels == 0, 0.0, 1.0) if seed % 2 else None
    shape = GroupShape.grouped(Shape.checked(12, [1.0, 0.7][seed // 4], own), labels)
    solver = solver_of(sparse.csr_matrix(X) if seed % 3 == 0 else X, y, shape)
    strength = 0.2 * solver.largest
    best = solver.solve(strength, tol=1e-12, max_iter=200)
    penalty = shape.penalty(strength, solver.source.column_scale)
    w = best.point.coef * solver.source.column_scale[:, None]
    level = best.point.intercept + solver.source.column_shift @ best.point.coef
    for size in (1e-2, 1e-3, 1e-5):
        moved = w * (1 + size * rng.normal(size=w.shape))
        here = solver.objective.evaluate(Point(moved, level + size * rng.normal(size=1)))
        found = certify_groups(solver.objective, penalty, here)
        excess = here.value + penalty.value(moved[:, 0]) - best.value
        assert excess <= found.suboptimality_bound + 1e-13 * best.value
        if size == 1e-5:
            assert found.suboptimality_bound <= 3 * excess + 1e-10 * best.value


@pytest.mark.slow
def test_a_path_with_many_columns_is_proven_and_the_same_for_any_threads() -> None:
    X, y, labels = data(11, 120, 120, 30)
    shape = GroupShape.grouped(Shape.checked(120), labels)
    paths = []
    for n_threads, form in ((1, np.asarray), (3, np.asarray), (1, sparse.csr_matrix)):
        solver = solver_of(form(X), y, shape, n_threads=n_threads)
        points, _ = path_of(solver, geometric(solver.largest, 8, 0.1), tol=1e-8, max_iter=100)
        assert all(point.met for point in points)
        paths.append(np.array([point.point.coef[:, 0] for point in points]))
    np.testing.assert_array_equal(paths[0], paths[1])
    np.testing.assert_allclose(paths[0], paths[2], atol=1e-3)
    assert not paths[0][0].any()
    taken = paths[0] != 0
    for g in range(30):
        own = taken[:, labels == g]
        assert (own.all(axis=1) | ~own.any(axis=1)).all()


def test_a_group_without_penalty_is_fitted_and_proven() -> None:
    X, y, labels = data(2, 100, 6, 3)
    own = np.where(labels == 0, 0.0, 1.0)
    shape = GroupShape.grouped(Shape.checked(6, penalty_factor=own), labels)
    found = fit(X, y, shape, 1e4, 1e-8)
    free = np.flatnonzero(labels == 0)
    alone = fit(X[:, free], y, Shape.checked(len(free), penalty_factor=0.0), 1.0, 1e-10)
    np.testing.assert_allclose(found.point.coef[free], alone.point.coef, atol=1e-6)
    assert found.met
    assert alone.met


def test_conjugate_and_parts_of_the_penalty() -> None:
    labels = np.array([0, 1, 0, 1, 2])
    shape = GroupShape.grouped(Shape.checked(5, 0.5), labels)
    penalty = shape.penalty(2.0, np.ones(5))
    u = np.array([3.0, 0.1, -2.0, 0.1, 5.0])
    rng = np.random.default_rng(0)
    trials = [rng.normal(size=5) * 3 for _ in range(300)]
    highest = max(float(u @ v) - penalty.value(v) for v in trials)
    conjugate = float(penalty.conjugate(u).sum())
    assert conjugate >= highest
    v = np.zeros(5)  # where it is reached: u minus its projection on the ball, by the squares
    first, second = penalty.strengths
    norms = penalty.norms(u)
    v = (np.maximum(1 - first / norms, 0) / second)[labels] * u
    assert float(u @ v) - penalty.value(v) == pytest.approx(conjugate)
    part = penalty.of(np.array([1, 3, 4]))
    assert isinstance(part, GroupNorms)
    assert part.value(u[[1, 3, 4]]) == pytest.approx(penalty.value(np.where(labels > 0, u, 0.0)))


def test_refusals() -> None:
    labels = np.array([0, 0, 1])
    with pytest.raises(DataError, match="same for all columns of a group"):
        GroupShape.grouped(Shape.checked(3, penalty_factor=[1, 2, 1]), labels)
    with pytest.raises(DataError, match="no bounds"):
        GroupShape.grouped(Shape.checked(3, positive=True), labels)
    X, _, _ = data(0, 30, 3, 2)
    source = InMemorySource(X, np.arange(30) % 3, n_classes=3)
    with pytest.raises(DataError, match="3 classes"):
        path_solver(source, None, GroupShape.grouped(Shape.checked(3), labels))
