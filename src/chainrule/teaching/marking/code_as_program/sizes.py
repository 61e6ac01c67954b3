"""How large the value of a function would be, before it is computed.

A program that is interpreted may ask for more memory than there is, by mistake or on purpose. What
would be large is refused beforehand; afterwards it would be too late.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from chainrule.teaching.marking.code_as_program.values import Value

MOST_ENTRIES = 50_000
"""The most entries of a value that is kept."""

MOST_AT_ONCE = 20_000_000
"""The most entries of a value on the way: 160 MB."""

MOST_BITS = 4_000
"""The most bits of a whole number."""

_SQUARES = frozenset({"eye", "identity", "triu_indices", "tril_indices"})
_COUNTED = frozenset({"split", "array_split", "bincount", "full", "linspace", "broadcast_to"})
_SPREAD = frozenset({"kron", "outer", "einsum", "tensordot", "meshgrid"})
_PRODUCTS = frozenset({"dot", "matmul", "matmult", "inner"})


def is_too_large(name: str, args: Sequence[Value], keys: Mapping[str, Value]) -> bool:
    """Whether a function of these arguments would have a value that is not made."""
    values = [*args, *keys.values()]
    if name != "len" and any(isinstance(o, range) and len(o) > MOST_ENTRIES for o in values):
        return True
    if name == "mult" and all(isinstance(one, int) for one in args):
        return sum(int(one).bit_length() for one in args) > MOST_BITS
    try:
        return _entries(name, args, values) > MOST_AT_ONCE
    except (TypeError, ValueError, OverflowError, ZeroDivisionError):
        return False  # the function itself will say what is wrong


def _entries(name: str, args: Sequence[Value], values: Sequence[Value]) -> float:
    """Return a bound of the number of entries."""
    arrays = [one for one in values if isinstance(one, np.ndarray)]
    counts = [abs(one) for value in values for one in _whole(value)]
    together = math.prod(one.size for one in arrays)
    if name == "arange":
        numbers = [float(one) for one in args]
        first, last = (0.0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])
        return abs((last - first) / (numbers[2] if len(numbers) > 2 else 1.0))
    if name in _SQUARES:
        return float(max(counts, default=0) ** 2)
    if name in _COUNTED:
        largest = max((int(one.max()) for one in arrays if one.size), default=0)
        return float(max(math.prod(counts), largest if name == "bincount" else 0))
    if name in ("tile", "repeat"):
        return float(max(together, 1) * max(math.prod(counts), 1))
    if name == "pad":
        return float(math.prod(n + 2 * max(counts, default=0) for n in arrays[0].shape))
    if name in _SPREAD:
        return float(together)
    if name in _PRODUCTS and len(arrays) == 2:
        one, other = arrays
        inner = other.shape[-2] if other.ndim > 1 else max(other.size, 1)
        return one.size / max(one.shape[-1] if one.ndim else 1, 1) * other.size / max(inner, 1)
    if len(arrays) > 1:
        return float(math.prod(np.broadcast_shapes(*(one.shape for one in arrays))))
    return 0.0


def _whole(value: Value) -> Iterator[int]:
    """Yield the whole numbers of an argument that says a length or lengths."""
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        yield int(value)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from _whole(one)


__all__ = ["MOST_ENTRIES", "is_too_large"]
