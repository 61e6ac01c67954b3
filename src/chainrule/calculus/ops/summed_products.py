"""Sums over a product of factors, one index at a time: no array has all indices at once.

The value of ``sum_i sum_j a_i b_ij c_j`` needs an array over i and j; that of a chain of factors
through many layers would need one over every index. Each index is therefore summed as soon as the
factors that have it are multiplied, the cheapest first (variable elimination).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import zip_longest
from typing import Any


def summed_product(factors: Sequence[Any], indices: Mapping[int, int], xp: Any) -> Any:  # noqa: ANN401
    """Return the product of arrays, summed along some axes.

    Parameters
    ----------
    factors : sequence of array
        Arrays that broadcast against one another.
    indices : mapping of int to int
        The axes to sum, counted from the right, each with its size. An axis that no factor has
        counts its terms.
    xp : namespace
        Where ``sum`` comes from.
    """
    left = list(factors)
    waiting = dict(indices)
    while waiting:
        having = {at: [f for f in left if _has(f, at)] for at in waiting}
        at = min(waiting, key=lambda one: _cost(having[one]))
        size, among = waiting.pop(at), having[at]
        if not among:
            left[0] = left[0] * size
            continue
        product = reduce(operator.mul, among)
        kept = {id(f) for f in among}
        summed = xp.sum(product, axis=product.ndim - 1 - at, keepdims=True)
        left = [summed, *(f for f in left if id(f) not in kept)]
    return reduce(operator.mul, left)


def _has(factor: Any, at: int) -> bool:  # noqa: ANN401
    return bool(factor.ndim > at and factor.shape[-1 - at] != 1)


def _cost(factors: Sequence[Any]) -> int:
    """Return the number of entries of a product, before it is summed."""
    axes = zip_longest(*(reversed(f.shape) for f in factors), fillvalue=1)
    return math.prod(max(sizes) for sizes in axes)
