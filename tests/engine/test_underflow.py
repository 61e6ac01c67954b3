"""Weights near the ends of float64: the same fit and the same proof as with weights of 1.

Weights times t, with C divided by t, leave the optimum where it is and multiply f by t. For powers
of two nothing is rounded on the way, so bounds must be multiplied by t too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule import LogisticRegression
from chainrule.engine.certificates.certificate import certify
from chainrule.engine.certificates.duality_gap import relative_gap
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.losses.classes import BinaryLoss
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import Shape
from chainrule.engine.penalties.groups import GroupShape, norms_of_groups
from chainrule.engine.penalties.l2 import L2Penalty
from chainrule.engine.solvers.proximal_newton import Model
from chainrule.engine.solvers.steps import Outcome

GROUPS = [0, 1, 0, 1]


def data(seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(30, 4))
    return X, (X[:, 0] + rng.logistic(size=30) > 0).astype(int)


@pytest.mark.parametrize("exponent", [-510, -900, 400])
@pytest.mark.parametrize(
    "penalty",
    [
        {},
        {"l1_ratio": 1.0},
        {"l1_ratio": 0.5},
        {"l1_ratio": 1.0, "column_groups": GROUPS},
        {"l1_ratio": 0.1, "column_groups": GROUPS},
    ],
)
def test_tiny_and_huge_weights_change_neither_fit_nor_proof(penalty: Any, exponent: int) -> None:
    X, y = data()
    factor = 2.0**exponent
    plain = LogisticRegression(**penalty).fit(X, y)
    model = LogisticRegression(C=1 / factor, **penalty).fit(X, y, sample_weight=np.full(30, factor))
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-4)
    assert model.certificate_.proven
    assert model.certificate_.relative_bound <= 1e-8
    gap = model.objective_ / factor - plain.objective_
    assert gap <= model.certificate_.suboptimality_bound / factor


def test_gap_of_a_point_does_not_vanish_with_the_weights() -> None:
    X, y = data()
    found = []
    for factor in (1.0, 2.0**-600, 2.0**-900):
        source = InMemorySource(X, y, np.full(30, factor))
        penalty = L2Penalty.from_inverse(1 / factor, source.column_scale)
        objective = Objective(source, BinaryLoss(), penalty, fit_intercept=True)
        at = objective.evaluate(Point(np.full((4, 1), 0.5), np.zeros(1)))
        found.append(relative_gap(objective, at))
    assert found[0] > 0.1
    np.testing.assert_allclose(found, found[0], rtol=1e-6)


def test_a_bound_is_not_below_the_least_number() -> None:
    X, y = data()
    weights = np.where(np.arange(30) == 0, 1e-299, 1e-306)
    model = LogisticRegression(C=1e-6).fit(X, y, sample_weight=weights)
    assert model.certificate_.suboptimality_bound > 0
    assert model.certificate_.relative_bound <= 1e-8


def test_weights_and_penalties_near_the_least_number_are_warned_of_or_proven() -> None:
    rng = np.random.default_rng(1295)
    X = rng.normal(size=(9, 2)) * [1e-150, 1.0]
    y = (rng.random(9) < 0.5).astype(int)
    weights = 1e-290 * 10.0 ** rng.uniform(-16, 1, 9)
    model = LogisticRegression(C=1e295, tol=1e-4).fit(X, y, sample_weight=weights)
    assert model.certificate_.proven


def test_norms_and_conjugates_of_groups_far_apart() -> None:
    labels = np.array([0, 1, 1, 0, 2])
    u = np.array([3.0, 3e-200, 4e-200, 4.0, 0.0])
    np.testing.assert_allclose(norms_of_groups(u, labels, 3), [5.0, 5e-200, 0.0])
    shape = GroupShape.grouped(Shape.checked(5, 0.5), np.arange(5))
    penalty = shape.penalty(2e-200, np.ones(5))
    found = penalty.conjugates(np.full(5, 3e-200), np.zeros(5))
    np.testing.assert_allclose(found, 2e-200, rtol=1e-12)  # (3 - 1)^2 / 2 times 1e-200


@pytest.mark.parametrize("unit", [1e-170, 1e-300])
def test_a_group_without_penalty_is_fitted_in_any_unit(unit: float) -> None:
    X, y = data()
    groups: dict[str, Any] = {"l1_ratio": 1.0}
    groups |= {"column_groups": [1, 0, 0, 0], "penalty_factor": [0.0, 1, 1, 1]}
    plain = LogisticRegression(**groups).fit(X, y)
    model = LogisticRegression(**groups).fit(X * [unit, 1, 1, 1], y)
    assert model.certificate_.proven
    np.testing.assert_allclose(model.objective_, plain.objective_, rtol=1e-7)


@pytest.mark.parametrize("step", [1e-13, 1e-17, 1e-30])
def test_a_step_too_short_for_a_correction_leaves_the_model(step: float) -> None:
    matrix = 1e-290 * np.array([[2.0, 1.0], [1.0, 3.0]])
    model = Model(np.array([0]), matrix, None)
    moved = np.array([step, step])
    found = model.corrected(moved, 2 * matrix @ moved)
    assert np.isfinite(found.matrix).all()
    assert (np.linalg.eigvalsh(found.matrix * 1e290) > 0).all()


def test_the_least_strength_of_huge_slopes_is_no_warning_of_numpy() -> None:
    with np.errstate(over="raise"):
        assert Shape.checked(1, 1.0).largest(np.array([1e200]), np.array([1e150])) == np.inf


def test_a_penalty_below_the_range_of_float64_bounds_no_distance() -> None:
    X, y = data()
    source = InMemorySource(X * [1e140, 1, 1, 1], y)
    penalty = L2Penalty.from_inverse(1e244, source.column_scale)
    objective = Objective(source, BinaryLoss(), penalty, fit_intercept=True)
    at = objective.evaluate(Point(np.zeros((4, 1)), np.zeros(1)))
    certificate = certify(objective, Outcome(at, "converged"))
    assert np.isfinite(certificate.suboptimality_bound)
    assert certificate.distance_bound == np.inf
