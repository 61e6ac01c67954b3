"""Sums over products against NumPy's einsum, and without an array over all indices."""

from __future__ import annotations

from functools import reduce

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Symbol, Total, entry
from chainrule.calculus.ops import mul
from chainrule.calculus.ops.summed_products import summed_product

SIZES = (2, 3, 4, 5)
LETTERS = "abcd"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sets(st.sampled_from(range(4))), min_size=1, max_size=5),
    st.sets(st.sampled_from(range(4))),
)
def test_is_einsum(factors: list[set[int]], summed: set[int]) -> None:
    rng = np.random.default_rng(len(factors))
    arrays = [rng.normal(size=[SIZES[at] for at in sorted(own)]) for own in factors]
    laid_out = [
        array.reshape([SIZES[at] if at in own else 1 for at in reversed(range(4))])
        for array, own in zip((array.transpose() for array in arrays), factors, strict=True)
    ]
    found = summed_product(laid_out, {at: SIZES[at] for at in summed}, np)
    letters = ["".join(LETTERS[at] for at in sorted(own)) for own in factors]
    everywhere = [np.ones(size) for size in SIZES]  # an axis that no factor has counts its terms
    free = "".join(LETTERS[at] for at in range(4) if at not in summed)
    text = ",".join([*letters, *LETTERS]) + "->" + free
    wanted = np.einsum(text, *arrays, *everywhere)
    shape = [SIZES[at] if at not in summed else 1 for at in range(4)]
    np.testing.assert_allclose(
        np.broadcast_to(found, shape[::-1]), wanted.reshape(shape).transpose(), rtol=1e-12
    )


def test_a_chain_of_twelve_matrices() -> None:
    """The array over all thirteen indices would have 9^13 entries."""
    matrices = [Symbol(f"M{at}", ("n", "n")) for at in range(12)]
    indices = [Index(f"i{at}", "n") for at in range(13)]
    body = mul(*(entry(m, indices[at], indices[at + 1]) for at, m in enumerate(matrices)))
    for index in indices:
        body = Total(index, body)
    rng = np.random.default_rng(0)
    values = {matrix: rng.normal(size=(9, 9)) for matrix in matrices}
    product = reduce(np.matmul, values.values())
    found = Evaluator(values, {"n": 9}).value(body)
    np.testing.assert_allclose(found.item(), product.sum(), rtol=1e-9)
