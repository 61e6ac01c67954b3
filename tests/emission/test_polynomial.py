"""Proofs that polynomials are nowhere negative, against values at many places."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import pytest

from chainrule.emission import polynomial as p
from chainrule.emission.polynomial import Poly, Variables

KNOWN = Variables(frozenset({"t", "s"}), frozenset({"t"}), {})
ROOT = Variables(
    frozenset({"t", "q"}), frozenset({"t", "q"}), {"q": {(): Fraction(1), (("v", 2),): Fraction(1)}}
)


def poly(terms: Mapping[tuple[int, ...], int], names: str) -> Poly:
    """Terms by their exponents."""
    total: Poly = {}
    for powers, value in terms.items():
        monomial = tuple((n, k) for n, k in zip(names, powers, strict=True) if k)
        total = p.added(total, {tuple(sorted(monomial)): Fraction(value)})
    return total


PROVEN = (
    ({(2,): 1, (1,): -2, (0,): 1}, "v"),
    ({(4,): 1, (2,): -2, (0,): 1}, "v"),
    ({(1,): 1, (0,): 3}, "t"),
    ({(2,): 1, (1,): -3, (0,): 3}, "t"),
    ({(1, 1): 1, (0, 2): 2}, "ts"),
    ({(2, 0): 1, (1, 1): -2, (0, 2): 1}, "ts"),
    ({(2, 1): 1, (1, 1): -2, (0, 1): 1}, "ts"),
    ({(2, 3): 5, (1, 3): -2, (0, 3): 1}, "ts"),
)
NOT_TRUE = (
    ({(1,): 1}, "v"),
    ({(2,): 1, (1,): -3, (0,): 1}, "t"),
    ({(3,): 1, (0,): 1}, "v"),
    ({(1, 0): 1, (0, 1): -1}, "ts"),
    ({(2, 0): 1, (1, 1): -3, (0, 2): 1}, "ts"),
    ({(0,): -1}, "v"),
)


@pytest.mark.parametrize(("terms", "names"), PROVEN)
def test_what_is_nowhere_negative_is_proven(terms: dict[tuple[int, ...], int], names: str) -> None:
    assert p.nonnegative(poly(terms, names), KNOWN)


@pytest.mark.parametrize(("terms", "names"), NOT_TRUE)
def test_what_is_somewhere_negative_is_not(terms: dict[tuple[int, ...], int], names: str) -> None:
    assert p.nonnegative(poly(terms, names), KNOWN) is None


def test_no_random_polynomial_that_is_negative_somewhere_is_proven() -> None:
    rng = np.random.default_rng(0)
    t, s, v = (rng.uniform(0, 4, 4000) ** 2, rng.uniform(0, 4, 4000) ** 2, rng.normal(0, 3, 4000))
    proven = 0
    for _ in range(1500):
        terms = {
            tuple(rng.integers(0, 3, 3).tolist()): int(rng.integers(-2, 5))
            for _ in range(rng.integers(1, 5))
        }
        values = sum(c * t**i * s**j * v**k for (i, j, k), c in terms.items())
        if p.nonnegative(poly(terms, "tsv"), KNOWN):
            proven += 1
            assert np.min(values) >= -1e-9, terms
    assert proven > 100


@pytest.mark.parametrize("ends", [(None, None), (0, None), (None, 1), (-1, 2)])
def test_sturm_agrees_with_values(ends: tuple[int | None, int | None]) -> None:
    rng = np.random.default_rng(1)
    low, high = (None if end is None else Fraction(end) for end in ends)
    x = np.concatenate([np.linspace(-40, 40, 8001), np.linspace(-3, 3, 6001)])
    x = x[
        (x >= (-np.inf if low is None else float(low)))
        & (x <= (np.inf if high is None else float(high)))
    ]
    for _ in range(300):
        dense = rng.integers(-4, 5, rng.integers(1, 6)).astype(float)
        if rng.random() < 0.5:  # a root of even order
            dense = np.convolve(dense, np.convolve(*2 * (rng.integers(-3, 4, 2).astype(float),)))
        if not dense.any():
            continue
        least = np.polyval(dense[::-1], x).min()
        assert p.keeps_sign([Fraction(c) for c in dense], low, high) == (least >= -1e-6)


def test_powers_of_a_root_are_reduced() -> None:
    square = p.power(p.variable("q"), 2, ROOT)
    assert square == {(): 1, (("v", 2),): 1}
    # 3/2 q^2 - 3 v >= 0, the self-concordance of the pseudo-Huber loss
    gap = p.added(p.multiplied(p.number(Fraction(3, 2)), square, ROOT), p.variable("v"), -3)
    assert p.nonnegative(gap, ROOT)
    assert p.nonnegative(p.added(p.variable("q"), p.variable("v")), ROOT) is None


@pytest.mark.parametrize(
    ("terms", "names", "wanted"),
    [
        ({(1,): 1}, "t", True),
        ({(1,): 1}, "s", False),
        ({(2,): 1}, "v", False),
        ({(2,): 1, (0,): 1}, "v", True),
        ({(2,): 1, (1,): -4, (0,): 4}, "v", False),  # a pole at v = 2
        ({(1, 1): 1, (1, 0): 1}, "ts", True),
    ],
)
def test_a_denominator_has_no_zero(
    terms: dict[tuple[int, ...], int], names: str, wanted: bool
) -> None:
    assert p.positive(poly(terms, names), KNOWN) is wanted
