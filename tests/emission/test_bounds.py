"""Rounding bounds and enclosures, operation by operation and end to end, against many digits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from scipy import special

from chainrule.calculus.graph.node import Symbol
from chainrule.emission.check import check
from chainrule.emission.deriving import derive_loss
from chainrule.emission.operations import OPERATIONS
from chainrule.emission.samples import sample_scores, samples, true_values
from chainrule.emission.tape import Tape
from chainrule.engine.losses import intervals, roundings
from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.engine.losses.modules import row_of_source
from chainrule.engine.losses.table import TABLE
from chainrule.errors import ProofError

NAMES = {"np": np, "roundings": roundings, "intervals": intervals, "special": special}
COMPOSED = {"fold", "exp_between", "log_gumbel_cdf", "gumbel_mills"}
"""Operations that are exact only with the arguments that a tape gives them."""

DOMAINS: dict[str, tuple[float, float]] = {
    "log": (1e-8, 50.0),
    "log1p": (-0.999, 50.0),
    "sqrt": (0.0, 50.0),
    "exp": (-40.0, 40.0),
    "exp_clamped": (-40.0, 40.0),
    "expm1": (-40.0, 40.0),
}
SINGLE = sorted(set(OPERATIONS) - COMPOSED)


def arguments(name: str, rng: np.random.Generator) -> list[np.ndarray]:
    low, high = DOMAINS.get(name, (-20.0, 20.0))
    count = 1 + ("{1}" in OPERATIONS[name].code)
    return [rng.uniform(low, high, 400) * 10.0 ** rng.integers(-3, 1, 400) for _ in range(count)]


@pytest.mark.parametrize("name", SINGLE)
def test_the_bound_of_an_operation_covers_errors_of_its_arguments(name: str) -> None:
    rng, row = np.random.default_rng(1), OPERATIONS[name]
    exact = arguments(name, rng)
    errors = [np.abs(a) * 10.0 ** rng.uniform(-14, -9, a.shape) for a in exact]
    moved = [a + e * rng.uniform(-0.9, 0.9, a.shape) for a, e in zip(exact, errors, strict=True)]
    if name == "log":
        moved = [np.maximum(a, 1e-12) for a in moved]
    names = NAMES | {f"a{k}": a for k, a in enumerate(moved)}
    names |= {f"b{k}": e for k, e in enumerate(errors)}
    texts = [f"a{k}" for k in range(len(moved))]
    with np.errstate(all="ignore"):
        value = eval(row.code.format(*texts), names)
        bound = eval(
            row.rounding.format(*texts, v="v", **{f"e{k}": f"b{k}" for k in range(len(moved))}),
            names | {"v": value},
        )
        bound = roundings.settled(bound, value)
    with mpmath.workdps(50):
        for k in range(len(value)):
            true = row.value(*(mpmath.mpf(a[k]) for a in exact))
            assert abs(mpmath.mpf(value[k]) - true) <= bound[k], [a[k] for a in exact]


@pytest.mark.parametrize("name", SINGLE)
def test_the_enclosure_of_an_operation_holds_inside(name: str) -> None:
    rng, row = np.random.default_rng(2), OPERATIONS[name]
    centres = arguments(name, rng)
    lowest = DOMAINS.get(name, (-np.inf, np.inf))[0]
    lows = [np.maximum(c - rng.uniform(0, 2, c.shape), lowest) for c in centres]
    highs = [c + rng.uniform(0, 2, c.shape) for c in centres]
    pairs = {f"p{k}": pair for k, pair in enumerate(zip(lows, highs, strict=True))}
    with np.errstate(all="ignore"):
        low, high = eval(row.interval.format(*pairs), NAMES | pairs)
    low, high = (np.broadcast_to(end, centres[0].shape) for end in (low, high))
    with mpmath.workdps(50):
        for k in range(len(low)):
            for share in (0.0, 0.3, 1.0):
                inside = [
                    min(a[k] + (b[k] - a[k]) * share, b[k])
                    for a, b in zip(lows, highs, strict=True)
                ]
                value = row.value(*map(mpmath.mpf, inside))
                assert low[k] <= value <= high[k], inside


def median_ratio(row: LossRow) -> float:
    """How much wider the bounds are than four roundings of the largest term, in the median."""
    z, y = samples(row.targets)
    near = (np.abs(z) > 1e-3) & (np.abs(z) < 30)
    value, bound = row.kernels.terms(z, y)[0][near], row.kernels.errors(z, y)[0][near]
    size = np.maximum(np.abs(value), np.abs(z * y)[near])
    usable = (size > 1e-3) & np.isfinite(bound) & np.isfinite(size)
    return float(np.median(bound[usable] / (4 * 2.0**-53 * size[usable])))


@pytest.mark.parametrize("name", TABLE)
def test_bounds_are_not_absurdly_wide(name: str) -> None:
    assert median_ratio(TABLE[name]) < 20


# In each of these the form as written, or multiplied out, has no digit left at some of the places.
DELICATE: tuple[tuple[str, float, float, Callable[[Any], Any]], ...] = (
    ("sqrt(1 + (z - y)^2) - 1", 1e4, 1e-3, lambda d: mpmath.sqrt(1 + d * d) - 1),
    ("sqrt(1 + (z - y)^2) - 1", 1e8, 1.0, lambda d: mpmath.sqrt(1 + d * d) - 1),
    ("sqrt(1 + (z - y)^2) - 1", 1.0, 1e-9, lambda d: mpmath.sqrt(1 + d * d) - 1),
    ("log(1 + (z - y)^2)", 1e4, 1e-6, lambda d: mpmath.log1p(d * d)),
    ("log(cosh(z - y))", 0.0, 900.0, lambda d: mpmath.log(mpmath.cosh(d))),
)


@pytest.mark.parametrize(("text", "z", "gap", "loss"), DELICATE)
def test_digits_are_kept_where_terms_cancel(
    text: str, z: float, gap: float, loss: Callable[[Any], Any]
) -> None:
    row = derive_loss(text)
    y = z + gap
    (found,), _, _ = row.kernels.terms(np.array([z]), np.array([y]))
    with mpmath.workdps(60):
        true = loss(mpmath.mpf(z) - mpmath.mpf(y))
    assert found == pytest.approx(float(true), rel=1e-13)


BROKEN = (
    ("slope = t1 - y", "slope = t1 - 1.0000001 * y"),
    ("curvature = t1", "curvature = t1 + 1e-9"),
    ("loss = t1 - (y * z)", "loss = t1 + (y * z)"),
    ("loss = t1 - (y * z)", "loss = t1 - (y * z) + 1e-12"),
    ("np.exp(z)", "np.exp(np.minimum(z, 300))"),
)


@pytest.mark.parametrize(("right", "wrong"), BROKEN)
def test_a_wrong_module_does_not_ship(right: str, wrong: str) -> None:
    row = TABLE["poisson"]
    assert right in row.source
    head, tail = row.source.split("def terms", 1)
    broken = row_of_source(head + "def terms" + tail.replace(right, wrong, 1))
    tape = Tape({Symbol("z"): "z", Symbol("y"): "y"})
    from chainrule.emission.derivatives import differentiate
    from chainrule.emission.formula import read_formula

    forms = differentiate(read_formula("exp(z) - y z").value).forms
    roots = [tape.record(form) for form in forms[:3]]
    z, y = samples(row.targets)
    true = [true_values(tape, roots, *at) for at in zip(z, y, strict=True)]
    check(row, z, y, true)
    with pytest.raises(ProofError, match="z = "):
        check(broken, z, y, true)


def test_scores_cover_both_signs_and_the_neighbourhood_of_the_target() -> None:
    z = sample_scores(3.0)
    assert {0.0, 3.0, 1e4, -1e4, 1e-300, -1e-300} <= set(z.tolist())
    assert np.any((z != 3.0) & (np.abs(z - 3.0) < 1e-11))
    with pytest.raises(Exception, match="none of the usual"):
        samples(Targets(1.2, 1.9))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "slope"),
    [
        ("sqrt(1 + (z - y)^2) - 1", 1),
        ("2^2 (sqrt(1 + ((z - y)/2)^2) - 1)", 2),
        ("sqrt(2 + (z - y)^2)", 1),
        ("sqrt((z - y)^2 + 0.25)", 1),
    ],
)
def test_a_root_of_a_sum_of_squares_is_known_where_squares_overflow(
    text: str, slope: float
) -> None:
    kernels = derive_loss(text).kernels
    z, y = np.array([1e154, -1e155, 1e200, -1e300]), np.array([0.5, 2.0, -3.0, 0.0])
    found, bounds = kernels.terms(z, y), kernels.errors(z, y)
    np.testing.assert_allclose(found[0], slope * np.abs(z), rtol=1e-12)
    np.testing.assert_allclose(found[1], slope * np.sign(z), rtol=1e-12)
    np.testing.assert_allclose(found[2], 0.0, atol=1e-150)
    assert all(np.isfinite(bound).all() for bound in bounds)
