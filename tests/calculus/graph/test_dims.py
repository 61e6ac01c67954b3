"""Sizes computed from names: a ring in one normal form, found again from numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chainrule.calculus.graph.dims import Dim, base_names, measured, minus, plus, solved, times
from chainrule.calculus.graph.sizes import assigned
from chainrule.language.reading import read_model

NAMES = ("h", "k", "m", "n")
dims = st.recursive(
    st.sampled_from(NAMES) | st.integers(-3, 5),
    lambda inner: st.builds(
        lambda build, a, b: build(a, b), st.sampled_from([plus, minus, times]), inner, inner
    ),
    max_leaves=6,
)
sizes = st.fixed_dictionaries({name: st.integers(1, 50) for name in NAMES})
OF_NUMBERS: list[tuple[Callable[[Dim, Dim], Dim], Callable[[int, int], int]]] = [
    (plus, int.__add__),
    (minus, int.__sub__),
    (times, int.__mul__),
]


@pytest.mark.parametrize(("build", "same"), OF_NUMBERS)
@given(a=dims, b=dims, at=sizes)
def test_arithmetic_of_sizes_is_that_of_numbers(
    build: Callable[[Dim, Dim], Dim],
    same: Callable[[int, int], int],
    a: Dim,
    b: Dim,
    at: dict[str, int],
) -> None:
    assert measured(build(a, b), at) == same(measured(a, at), measured(b, at))


@given(a=dims, b=dims, c=dims)
def test_equal_sizes_are_equal_values(a: Dim, b: Dim, c: Dim) -> None:
    assert plus(a, b) == plus(b, a)
    assert times(a, plus(b, c)) == plus(times(a, b), times(a, c))
    assert minus(plus(a, b), b) == a


@given(dim=dims)
def test_a_size_reads_back_as_it_is_written(dim: Dim) -> None:
    assume(base_names(dim))
    assume(measured(dim, dict.fromkeys(NAMES, 50)) > 0)
    model = read_model(f"X : ({dim}, 1)\nJ = sum(X)")
    assert model.inputs[0].shape == (dim, 1)


@given(factor=st.integers(-4, 4).filter(bool), rest=dims, at=sizes)
def test_a_name_is_found_from_a_size_that_holds_it_once(
    factor: int, rest: Dim, at: dict[str, int]
) -> None:
    dim = plus(times(factor, "q"), rest)
    size = measured(dim, {**at, "q": 7})
    assert solved(dim, size, at) == ("q", 7)


def test_what_no_whole_number_makes_is_said() -> None:
    with pytest.raises(ValueError, match="no size h makes 2h equal 5"):
        solved(times(2, "h"), 5, {})
    with pytest.raises(ValueError, match="no size m makes m - 1 equal -1"):
        solved(minus("m", 1), -1, {})
    assert solved(times("h", "k"), 6, {}) is None
    assert solved(times("h", "k"), 6, {"h": 2, "k": 3}) is None
    assert solved(times("h", "k"), 6, {"h": 2}) == ("k", 3)


def test_computed_sizes_are_unlike_all_others() -> None:
    computed = [dim for dim in (minus("m", "k"), times(2, "k")) if not isinstance(dim, int | str)]
    for turn in range(4):
        found = assigned(["k", "m"], computed, [2, 3, 5, 7], [11, 13], turn)
        everything = [*found.values(), *(measured(dim, found) for dim in computed)]
        assert len(set(everything)) == len(everything)
        assert min(everything) >= 2
