"""Every fact against dense sampling in 50 digits: a proof of something false fails here."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest
from tests.emission.test_losses import precise
from tests.loss_definitions import DEFINITIONS

from chainrule.emission.deriving import derive_loss
from chainrule.emission.formula import exact
from chainrule.emission.shipped import shipped_loss
from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.engine.losses.table import TABLE, find_loss

COUNTS = Targets(0, has_low=True)
SIGNS = Targets.of(-1, 1)
SHARES = Targets(0, 1, has_low=True, has_high=True)


@pytest.mark.parametrize("name", TABLE)
def test_facts_are_the_known_ones(name: str) -> None:
    facts, known = find_loss(name).facts, DEFINITIONS[name]
    assert facts.convex == known.convex
    assert facts.has_least
    assert facts.self_concordance == known.self_concordance
    assert facts.curvature[1] == known.curvature[1]
    assert facts.curvature[0] in (known.curvature[0], -np.inf)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "constants", "constant"),
    [
        ("tweedie", {"p": 1.2}, 0.8),
        ("tweedie", {"p": 1.9}, 0.9),
        ("tweedie", {"p": 1.37}, 0.63),
        ("quantile", {"tau": 0.9, "width": 0.25}, 4.0),
        ("negative_binomial", {"alpha": 0.7}, 1.0),
    ],
)
def test_constants_of_a_loss_enter_its_facts(
    name: str, constants: dict[str, float], constant: float
) -> None:
    facts = shipped_loss(name, constants).facts
    assert facts.convex
    assert facts.has_least
    assert facts.self_concordance == pytest.approx(constant, rel=1e-12)


CONVEX: tuple[tuple[str, Targets, float | None], ...] = (
    ("log(cosh(z - y))", Targets(), 2.0),
    ("sqrt(1 + (z - y)^2) - 1", Targets(), 1.5),
    ("9 (sqrt(1 + ((z - y)/3)^2) - 1)", Targets(), 0.5),
    ("sqrt((z - y + 1)^2 + 4)", Targets(), 0.75),
    ("sqrt((z - y)^2 + 0.01)", Targets(), 15.0),
    ("exp(-y z)", SIGNS, 1.0),
    ("log(1 + exp(-y z))", SIGNS, 1.0),
    ("(z - y)^4/4", Targets(), None),
    ("cosh(z - y)", Targets(), 1.0),
    ("max(z - y, 0)^2 + exp(-z)", Targets(), None),
    ("0.3 max(y - z, 0) + 0.7 max(z - y, 0)", Targets(), None),
    ("abs(z - y)", Targets(), None),
)
NOT_CONVEX: tuple[tuple[str, Targets], ...] = (
    ("log(1 + (z - y)^2)", Targets()),
    ("1/(1 + exp(y z))", SIGNS),
    ("(y - sigmoid(z))^2", SHARES),
    ("-abs(z - y)", Targets()),
    ("min(z, 0)^2 - max(z, 0)", Targets()),
    ("y exp(z)", Targets()),
    ("(z - y)^2 - 0.01 max(z - y - 3, 0)", Targets()),
    ("[z > 0]", Targets()),  # l jumps where l'' = 0
    ("(z - y)^2 + sign(z - y)", Targets()),
    ("1/(z - 2.6)^2", Targets()),  # l'' > 0 on both sides of a pole
    ("-log((z - 2.6)^2)", Targets()),
)


@pytest.mark.parametrize(("text", "targets", "constant"), CONVEX)
def test_convex_losses_are_proven_convex(
    text: str, targets: Targets, constant: float | None
) -> None:
    facts = derive_loss(text, targets=targets).facts
    assert facts.convex
    assert facts.self_concordance == constant
    names = [name for name, _ in facts.because]
    assert "convex" in names
    assert ("self_concordance" in names) == (constant is not None)


@pytest.mark.parametrize(
    ("text", "largest"),
    [
        ("sqrt(1 + (z - y)^2) - 1", 1.0),
        ("9 (sqrt(1 + ((z - y)/3)^2) - 1)", 1.0),
        ("2 sqrt((z - y)^2 + 4)", 1.0),
        ("sqrt((z - y + 1)^2 + 4)", 0.5),
        ("sqrt((z - y)^2 + 0.01)", 10.0),
        ("sqrt(2 + (z - y)^2)", 0.70710678),  # 1/sqrt(2), rounded up
    ],
)
def test_a_root_of_a_sum_of_squares_has_bounded_curvature(text: str, largest: float) -> None:
    low, high = derive_loss(text).facts.curvature
    assert low == 0
    assert largest <= high <= largest * 1.001


@pytest.mark.parametrize(("text", "targets"), NOT_CONVEX)
def test_nothing_is_claimed_of_other_losses(text: str, targets: Targets) -> None:
    facts = derive_loss(text, targets=targets).facts
    assert not facts.convex
    assert facts.self_concordance is None
    assert facts.curvature[0] < 0


def places(row: LossRow, count: int) -> Iterator[tuple[Any, Any]]:
    rng = np.random.default_rng(5)
    ends = [max(row.targets.low, -30.0), min(row.targets.high, 60.0)]
    for k in range(count):
        y = rng.uniform(ends[0], ends[1]) if k % 4 else ends[k // 4 % 2]
        y = float(rng.choice(row.targets.values) if row.targets.values else y)
        if not row.targets.holds(np.array(y)):
            y = 0.5 * (ends[0] + ends[1])
        spread = 10.0 ** rng.uniform(-3, 1.6)
        centre = y if row.link_name == "identity" else 0.0
        yield mpmath.mpf(centre + rng.normal() * spread), mpmath.mpf(y)


def derivatives(name: str, z: Any, y: Any) -> tuple[Any, Any, Any, bool]:
    """l, l'' and l''' by differences, and whether no kink is near."""
    loss, h = DEFINITIONS[name].value, mpmath.mpf(10) ** -40
    a, b, c, d, e = (loss(z + k * h, y) for k in (-2, -1, 0, 1, 2))
    second, third = (d - 2 * c + b) / h**2, (e - 2 * d + 2 * b - a) / (2 * h**3)
    return c, second, third, abs(third) < mpmath.mpf(10) ** 20


@pytest.mark.parametrize("name", TABLE)
def test_facts_hold_at_random_places(name: str) -> None:
    row = find_loss(name)
    facts = row.facts
    tolerance = mpmath.mpf(10) ** -30
    with mpmath.workdps(300):
        for z, y in places(row, 300):
            value, second, third, smooth = derivatives(name, z, y)
            if row.kernels.least is not None:
                assert value >= row.kernels.least(np.array([float(y)]))[0], (z, y)
            if not smooth:
                continue
            assert second >= facts.curvature[0] - tolerance, (z, y)
            assert second <= facts.curvature[1] + tolerance, (z, y)
            assert not facts.convex or second >= -tolerance, (z, y)
            if facts.self_concordance is not None:
                allowed = facts.self_concordance * second * (1 + tolerance)
                assert abs(third) <= allowed + tolerance, (z, y)


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_the_range_of_the_curvature_holds_inside_an_interval(name: str) -> None:
    row = find_loss(name)
    rng = np.random.default_rng(3)
    with mpmath.workdps(300):
        for z, y in places(row, 80):
            half = 10.0 ** rng.uniform(-9, 1.3)
            low, high = float(z) - half, float(z) + half
            at = (np.array([low]), np.array([high]), np.array([float(y)]))
            least, largest = (float(end[0]) for end in row.kernels.curvature_range(*at))
            for share in (0.0, 0.1, 0.5, 0.77, 1.0):
                inside = mpmath.mpf(low) + (mpmath.mpf(high) - low) * mpmath.mpf(share)
                _, second, _, smooth = derivatives(name, inside, y)
                if smooth:
                    tolerance = mpmath.mpf(10) ** -35 * (1 + abs(second))
                    assert least - tolerance <= second <= largest + tolerance, (inside, y)


@pytest.mark.parametrize("name", ["logistic", "poisson", "gamma", "log_cosh", "quantile"])
def test_a_narrow_interval_gives_a_narrow_range(name: str) -> None:
    row = find_loss(name)
    z, y = np.linspace(-3, 3, 41), np.full(41, 1.0)
    second = row.kernels.terms(z, y)[2]
    least, largest = row.kernels.curvature_range(z - 1e-6, z + 1e-6, y)
    constant = row.facts.self_concordance
    assert constant is not None
    np.testing.assert_allclose(least, second, rtol=3e-6 * constant)
    np.testing.assert_allclose(largest, second, rtol=3e-6 * constant)


@pytest.mark.parametrize("name", TABLE)
def test_an_optimum_is_missing_only_where_it_can_be(name: str) -> None:
    assert find_loss(name).facts.optimum_may_be_missing != DEFINITIONS[name].has_minimum


def test_the_least_value_of_a_count_model_is_that_of_the_saturated_model() -> None:
    y = np.array([0.0, 0.5, 1.0, 3.0, 250.0])
    row = find_loss("poisson")
    assert row.kernels.least is not None
    saturated = y - np.array([k * np.log(k) if k else 0.0 for k in y])
    np.testing.assert_allclose(row.kernels.least(y), saturated, rtol=1e-13, atol=1e-300)


@pytest.mark.parametrize("name", TABLE)
def test_the_targets_without_a_minimum_are_known(name: str) -> None:
    facts, known = find_loss(name).facts, DEFINITIONS[name]
    assert (facts.falls_down, facts.falls_up) == (known.falls_down, known.falls_up)
    assert ("no minimum" in dict(facts.because)) == bool(known.falls_down or known.falls_up)


@pytest.mark.parametrize("name", [name for name, row in DEFINITIONS.items() if row.falls_down])
def test_a_loss_falls_without_end_at_these_targets(name: str) -> None:
    facts = find_loss(name).facts
    scores = np.linspace(-6.0, 3.0, 40)
    for side, targets in ((1, facts.falls_down), (-1, facts.falls_up)):
        for y in targets:
            loss = [precise(DEFINITIONS[name].value, side * z, y) for z in scores.tolist()]
            assert all(a < b for a, b in pairwise(loss))


@pytest.mark.parametrize(("low", "high"), [(0, np.inf), (-np.inf, 0)])
def test_a_slope_that_becomes_zero_is_not_endless(low: float, high: float) -> None:
    targets = Targets(low, high, has_low=low == 0, has_high=high == 0)
    facts = derive_loss("max(0, z - y)^2", targets=targets).facts
    assert (facts.falls_down, facts.falls_up) == ((), ())


@pytest.mark.slow
@pytest.mark.parametrize("tau", [0.001, 0.1, 0.25, 1 / 3, 0.5, 0.9, 0.99999])
@pytest.mark.parametrize("width", [1e-3, 0.1, 0.5, 40.0])
def test_the_least_value_of_a_smoothed_quantile_loss_is_its_entropy(
    tau: float, width: float
) -> None:
    row = shipped_loss("quantile", {"tau": tau, "width": width})
    assert row.facts.has_least
    assert not row.facts.optimum_may_be_missing
    assert row.kernels.least is not None
    with mpmath.workdps(50):
        # the constants are the numbers that their decimal digits mean, where those are few
        t, w = (mpmath.mpf(exact(c).numerator) / exact(c).denominator for c in (tau, width))
        true = -w * (t * mpmath.log(t) + (1 - t) * mpmath.log(1 - t))
        for y in (-1e3, 0.0, 2.5):
            (found,) = row.kernels.least(np.array([y])).tolist()
            assert true - 1e-13 * (width + abs(y)) <= found <= true
