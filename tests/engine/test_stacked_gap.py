"""Bounds of many points at once, against optima found to 1e-12 and the proofs one by one."""

import numpy as np
import pytest

from chainrule.engine.arrays import IntArray
from chainrule.engine.certificates.stacked_gap import Candidate, Stack
from chainrule.engine.certificates.strong_convexity import sum_of_curvatures
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.gram import Snapshot, gram
from chainrule.engine.paths import PathSolver
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.solvers import compiled_proximal
from chainrule.engine.whole_paths import geometric, path_of

RNG = np.random.default_rng(5)
X = RNG.normal(size=(300, 9)) * np.array([1, 1, 1, 3, 0.2, 1, 10, 1, 1])
Y = (X[:, 0] - 0.5 * X[:, 3] + RNG.logistic(size=300) > 0.4).astype(int)


def _solver(
    l1_ratio: float, *, fit_intercept: bool, bounds: tuple[float, float] | None = None
) -> PathSolver:
    source = InMemorySource(X, Y, None, n_classes=2)
    shape = Shape.checked(9, l1_ratio, None, bounds)
    return PathSolver(source, None, shape, fit_intercept=fit_intercept)


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("bounds", [None, (0.0, 0.3)])
def test_no_bound_is_below_the_distance_to_the_optimum(
    l1_ratio: float, fit_intercept: bool, bounds: tuple[float, float] | None
) -> None:
    solver = _solver(l1_ratio, fit_intercept=fit_intercept, bounds=bounds)
    objective = solver.objective
    candidates, distances = [], []
    for share in (0.8, 0.2, 0.02):
        best = solver.solve(share * solver.largest, tol=1e-12, max_iter=200)
        penalty = solver._penalty(best.strength)
        here = solver._here.point
        for size in (1e-6, 1e-3, 1e-2):
            coef = penalty.nearest(here.coef[:, 0] + size * RNG.normal(size=9))
            level = here.intercept + (size * RNG.normal() if fit_intercept else 0.0)
            found = objective.evaluate(Point(coef[:, None], level))
            corner = sum_of_curvatures(objective, found)
            candidates.append(Candidate(penalty, found, corner, 0.0))
            distances.append(found.value + penalty.value(coef) - best.value)
    found_bounds = Stack(objective, candidates).scaled_bounds()
    for bound, distance in zip(found_bounds, distances, strict=True):
        assert bound >= distance > 0
    assert found_bounds[0] < np.inf


@pytest.mark.parametrize("l1_ratio", [1.0, 0.5])
@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("part", [np.arange(9), np.array([0, 1, 3, 4, 6])])
def test_tangents_with_a_hessian_from_elsewhere(
    l1_ratio: float, fit_intercept: bool, part: IntArray
) -> None:
    solver = _solver(l1_ratio, fit_intercept=fit_intercept)
    objective = solver.objective
    candidates, distances = [], []
    for share in (0.5, 0.3):
        best = solver.solve(share * solver.largest, tol=1e-12, max_iter=200)
        penalty, here = solver._penalty(best.strength), solver._here
        known = Snapshot(part, gram(objective, here, part, bound=None), here.raw_prediction)
        for size in (1e-6, 1e-4, 1e-3, 0.3):
            off = np.zeros(9)
            off[part] = size * RNG.normal(size=len(part)) * (here.point.coef[part, 0] != 0)
            level = here.point.intercept + (size * RNG.normal() if fit_intercept else 0.0)
            found = objective.evaluate(Point(here.point.coef + off[:, None], level))
            candidates.append(Candidate.of(penalty, found, known))
            distances.append(found.value + penalty.value(found.point.coef[:, 0]) - best.value)
    stack = Stack(objective, candidates)
    bounds = stack.tangent_bounds()
    for bound, distance in zip(bounds, distances, strict=True):
        assert bound + 1e-15 * solver.null.value >= distance > 0  # of two rounded values
    near = np.array([0, 1, 4, 5])  # second order: some times the distance itself
    assert (bounds[near] <= 10 * np.array(distances)[near] + 1e-12 * solver.null.value).all()
    best_of, by_tangents = stack.bounds(0.0)
    assert (best_of <= bounds).all()
    for claim, bound, way in zip(
        stack.certificates(best_of, by_tangents), best_of, by_tangents, strict=True
    ):
        assert claim.suboptimality_bound == pytest.approx(bound)
        assert ("tangents" in claim.because) == way


def test_a_corner_from_elsewhere_proves_less() -> None:
    solver = _solver(1.0, fit_intercept=True)
    solver.solve(0.1 * solver.largest, tol=1e-9, max_iter=100)
    penalty, here = solver._penalty(0.1 * solver.largest), solver._here
    moved = solver.objective.evaluate(Point(here.point.coef, here.point.intercept + 1e-4))
    corner = sum_of_curvatures(solver.objective, here)
    near, far, none = (
        Stack(solver.objective, [Candidate(penalty, moved, top, drift)]).scaled_bounds()[0]
        for top, drift in ((corner, 1e-4), (corner, 1.0), (0.0, 0.0))
    )
    assert near < far
    assert none == np.inf


@pytest.mark.parametrize("tol", [1e-4, 1e-8, 1e-11])
def test_a_path_ends_where_fits_one_by_one_do(tol: float) -> None:
    solver, alone = (_solver(1.0, fit_intercept=True) for _ in range(2))
    strengths = geometric(solver.largest, 30, 1e-3)
    points, _ = path_of(solver, strengths, tol=tol, max_iter=100)
    for point, strength in zip(points, strengths.tolist(), strict=True):
        best = alone.solve(strength, tol=1e-12, max_iter=100)
        assert point.met
        assert point.certificate.relative_bound <= tol
        above = point.value - best.value
        assert above <= point.certificate.suboptimality_bound + 1e-12 * best.value


def test_a_wide_path_is_proven_stretch_by_stretch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_proximal, "is_at_hand", lambda: True)  # compiled if it is not
    rng = np.random.default_rng(3)
    X = rng.normal(size=(120, 600))
    y = (X[:, 0] - X[:, 1] + rng.logistic(size=120) > 0).astype(int)
    solver, alone = (
        PathSolver(InMemorySource(X, y, None, n_classes=2), None, Shape.checked(600, 1.0))
        for _ in range(2)
    )
    strengths = geometric(solver.largest, 24, 0.1)
    points, _ = path_of(solver, strengths, tol=1e-6, max_iter=100)
    for point, strength in zip(points[::3], strengths[::3].tolist(), strict=True):
        best = alone.solve(strength, tol=1e-11, max_iter=100)
        assert point.met
        assert -1e-10 <= point.value - best.value <= point.certificate.suboptimality_bound
    n_steps = sum(point.n_iter for point in points)
    assert n_steps < 3 * len(points)  # second order: 1e-6 takes no step of its own
