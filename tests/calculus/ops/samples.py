"""Uses of a row: arguments of every shape that it takes, drawn where it has a slope."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import SCALAR, Shape, Size, measured, minus, plus, times
from chainrule.calculus.graph.node import Apply, Expr, Symbol
from chainrule.calculus.graph.op import Layout, Op
from chainrule.errors import ShapeError

SIZES: tuple[dict[str, int], ...] = (
    {"n": 2, "m": 3, "h": 5},
    {"n": 5, "m": 2, "h": 3},
    {"n": 1, "m": 4, "h": 2},
)
ONE: tuple[Shape, ...] = (("n", "m"), (1, "m"), ("n", 1), SCALAR, ("n", "n"), ("n", 4))
TWO: tuple[tuple[Shape, Shape], ...] = (
    (("n", "h"), ("h", "m")),
    ((1, "h"), ("h", "m")),
    (("n", "h"), ("h", 1)),
    (("n", 1), (1, "m")),
    (("n", "m"), ("h", "m")),
    (("n", "h"), ("n", "m")),
    (("n", "m"), (1, "h")),
    (("n", "m"), (1, "m")),
    (("n", "m"), ("n", 1)),
    (("n", "m"), ("h", 1)),
    (("n", "m"), ("n", "m")),
    ((1, "m"), (1, "m")),
)
TENSORS: tuple[Shape, ...] = (("h", "n", "m"), ("n", 1, "m"), (2, "n", "m", "h"))
PAIRS_OF_TENSORS: tuple[tuple[Shape, Shape], ...] = (
    (("h", "n", "m"), ("h", "m", 4)),
    (("h", "n", "m"), ("m", 4)),
    (("n", "m"), ("h", "m", 1)),
    ((2, "h", "n", "m"), (1, "h", "m", "n")),
)
ATTRIBUTES: Mapping[str, tuple[tuple[Any, ...], ...]] = {
    "power": tuple((Fraction(*e),) for e in ((2, 1), (3, 1), (1, 2), (-1, 1), (-3, 2))),
    "sum": ((None,), (0,), (1,), (2,), ((0, 2),), (None, 3), (None, 4)),
    "mean": ((None,), (0,), (1,), (2,), (None, 3)),
    "broadcast": (("n", "m"), ("h", "n", "m"), (2, "n", "m", "h")),
    "transpose": ((), (3,), (4,)),
    "permute": ((1, 0), (2, 0, 1), (0, 2, 1), (1, 3, 0, 2)),
    "expand_dims": ((0,), (1,), (3,)),
    "squeeze": ((1,), (0,)),
    "einsum": (
        ((("ij", "jk"), "ik"),),
        ((("ij", "jk"), "kji"),),
        ((("ij", "jk"), ""),),
        ((("bij", "bjk"), "bik"),),
        ((("bij", "jk"), "ki"),),
        ((("ij", "ik"), "jk"),),
    ),
    "size": (("n",), ("h",)),
    "eye": (("n",), ("h",)),
    "part": (
        (0, 1, None, None),
        (None, None, minus("m", 1), "m"),
        (minus("n", 1), "n", 0, 1),
    ),
    "stack": ((0,), (1,)),
    "windows": ((1, 2, 1, 1), (1, 2, 1, 2), (1, 1, 1, 1), ("n", 1, 1, 1)),
    "fold": (
        ("n", 1, 1, 1, "n", "m"),
        (1, "n", 1, 1, 1, plus("m", minus("n", 1))),
        (2, 2, 2, 2, 2, times(2, "m")),
    ),
    "onehot": ((0, "n"), (1, "h")),
    "take": ((0, "m"), (1, "n")),
    "scatter_add": ((0, "h"), (1, "h")),
    "reshape": (("m", "n"), (times("n", "m"), 1), (1, "m")),
    "polygamma": ((1,), (2,), (3,)),
    "lower": (("n", "n", 0), ("n", "m", 0), ("n", "m", 1), ("m", "n", -1)),
    "interleave": (
        ("n", 1, "m", 1),
        (1, "n", "m", 1),
        ("n", 1, 1, "m"),
        ("n", 1, 2, 2),
        (1, "n", 2, 2),
        (1, "n", 1, 1),
    ),
    "top_mask": ((0, 1), (1, 1), (1, 2)),
    "prod": ((None,), (0,), (1,)),
    **dict.fromkeys(("sort", "sort_by", "unsort_by"), ((0,), (1,))),
    **dict.fromkeys(("max", "min", "argmax", "argmin"), ((None,), (0,), (1,))),
    **dict.fromkeys(("softmax", "logsumexp"), ((None,), (0,), (1,), (2,))),
}


@dataclass(frozen=True)
class Sample:
    """One use of a row: symbols for its arguments, and where to evaluate it."""

    row: Op
    node: Apply
    sizes: Mapping[str, int]
    arrays: tuple[np.ndarray, ...]

    @property
    def values(self) -> dict[Symbol, Any]:
        return dict(zip(self.arguments, self.arrays, strict=True))

    @property
    def arguments(self) -> tuple[Symbol, ...]:
        return tuple(arg for arg in self.node.args if isinstance(arg, Symbol))

    def at(self, expr: Expr, extra: Mapping[Symbol, Any] | None = None) -> np.ndarray:
        return np.asarray(Evaluator({**self.values, **(extra or {})}, self.sizes).value(expr))

    def size(self, shape: Shape) -> tuple[int, ...]:
        return numbers(shape, self.sizes)

    @property
    def attrs(self) -> tuple[Any, ...]:
        """The attributes with numbers for the sizes that they name."""
        return tuple(
            measured(a, self.sizes) if isinstance(a, str | Size) else a for a in self.node.attrs
        )


def numbers(shape: Shape, sizes: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(measured(dim, sizes) for dim in shape)


def draw(
    row: Op, place: int, shape: tuple[int, ...], rng: np.random.Generator, places: int = 1
) -> np.ndarray:
    domain = row.domain[min(place, len(row.domain) - 1)]
    if domain.whole:
        return rng.integers(0, places, shape)
    low, high = domain.low, domain.high
    values = rng.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low), shape)
    if domain.kink is not None:
        near = np.abs(values - domain.kink) < 0.1
        values = np.where(near, domain.kink + rng.choice([-1, 1], shape) * 0.3, values)
    return values


def shapes_for(row: Op) -> Iterator[tuple[Shape, ...]]:
    arity = len(row.domain)
    if arity == 0:
        yield ()
    elif arity == 1:
        yield from ((shape,) for shape in ONE)
        if row.elementwise or row.tensors:
            yield from ((shape,) for shape in TENSORS)
        if row.name == "trim":
            yield ((1, "n", "m"),)
    elif row.elementwise:
        yield from ((shape,) * arity for shape in (*ONE, *TENSORS))
        if row.notation.layout in (Layout.SUM, Layout.PRODUCT):
            yield (("n", "m"),) * 3
    else:
        yield from TWO
        if row.tensors:
            yield from PAIRS_OF_TENSORS


def samples(row: Op) -> list[Sample]:
    found = []
    rng = np.random.default_rng(crc32(row.name.encode()))
    for attrs in ATTRIBUTES.get(row.name, ((),)):
        for shapes, sizes in product(shapes_for(row), SIZES):
            arguments = tuple(Symbol(f"x{k}", shape) for k, shape in enumerate(shapes))
            try:
                node = Apply(row, arguments, attrs)
            except ShapeError:
                continue
            if min(numbers(node.shape, sizes)) < 1:
                continue
            regular = only_square(row, attrs)
            places = measured(attrs[-1], sizes) if any(d.whole for d in row.domain) else 1
            arrays = apart(row, [numbers(s, sizes) for s in shapes], attrs, rng, regular, places)
            found.append(Sample(row, node, sizes, arrays))
    return found


def only_square(row: Op, attrs: tuple[Any, ...]) -> bool:
    if len(row.domain) != 1 or row.domain[0].whole or row.tensors:
        return False
    try:
        row.shape((("n", "m"),), attrs)
    except ShapeError:
        return True
    return False


def apart(
    row: Op,
    shapes: list[tuple[int, ...]],
    attrs: tuple[Any, ...],
    rng: np.random.Generator,
    regular: bool,
    places: int = 1,
) -> tuple[np.ndarray, ...]:
    """Draw arguments clear of ties; a square matrix far from singular where only those will do."""
    while True:
        arrays = tuple(draw(row, k, shape, rng, places) for k, shape in enumerate(shapes))
        if regular:
            arrays = tuple(x + 3 * len(x) * np.eye(*x.shape) / 2 for x in arrays)
        if row.margin is None or np.min(row.margin(np, *arrays, attrs=attrs)) > 0.05:
            return arrays


def quotient(f: Callable[[np.ndarray], Any], at: np.ndarray) -> np.ndarray:
    """Central differences of a scalar, entry by entry: five points, written here."""
    at = at.astype(float)
    slopes = np.zeros_like(at)
    h = 1e-3
    for place in np.ndindex(*at.shape):
        unit = np.zeros_like(at)
        unit[place] = h
        slopes[place] = (
            f(at - 2 * unit) - 8 * f(at - unit) + 8 * f(at + unit) - f(at + 2 * unit)
        ) / (12 * h)
    return slopes


def close(a: Any, b: Any, tolerance: float = 1e-7) -> bool:
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.shape != b.shape or not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    return bool(np.all(np.abs(a - b) <= tolerance * (1 + np.abs(b))))
