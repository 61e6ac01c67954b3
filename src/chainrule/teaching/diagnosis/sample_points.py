"""Values of answers and of candidate explanations at a few sample points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import SCALAR, Shape
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Position, Symbol, symbols, walk
from chainrule.errors import ChainruleError

Array = npt.NDArray[np.float64]

POINTS = 3
DRAWS = 8
"""How often points are drawn until there are some on both sides of every kink."""
CLOSE = 1e-9


class SamplePoints:
    """Sample points of a forward pass, at different sizes.

    Parameters
    ----------
    model : Model
        The forward pass.
    seed : int, optional
        Seed for the points.
    """

    def __init__(self, model: Model, seed: int = 1) -> None:
        self.sizes: list[Mapping[str, int]] = list(assignments(model, POINTS))
        for draw in range(DRAWS):
            draws = np.random.default_rng(seed + draw)
            self.values: list[dict[Symbol, Any]] = [sample(model, s, draws) for s in self.sizes]
            self.points = [
                Evaluator(values, sizes, FLOATS)
                for values, sizes in zip(self.values, self.sizes, strict=True)
            ]
            if _on_both_sides(model, self.points):
                break

    def answered(
        self, expr: Expr, shape: Shape, row: Position, col: Position
    ) -> tuple[Array, ...] | None:
        """Evaluate an answer; its values are not cached."""
        fresh = [
            Evaluator(values, sizes, FLOATS)
            for values, sizes in zip(self.values, self.sizes, strict=True)
        ]
        return _evaluated(fresh, expr, shape, row, col)

    def matrices(
        self,
        expr: Expr,
        shape: Shape = SCALAR,
        row: Position = None,
        col: Position = None,
        *,
        points: int = POINTS,
    ) -> tuple[Array, ...] | None:
        """Evaluate a matrix, or the matrix of `shape` whose entry (row, col) an index form gives.

        Return None where a value is not finite or cannot be computed.
        """
        return _evaluated(self.points[:points], expr, shape, row, col)

    def at_first_point(self, expr: Expr) -> Array | None:
        """Evaluate a matrix at the first point alone."""
        found = _evaluated(self.points[:1], expr)
        return None if found is None else found[0]


def _on_both_sides(model: Model, points: Sequence[Evaluator]) -> bool:
    """Whether every kink has arguments on both of its sides: else a slope of 0 hides mistakes."""
    nodes = (node for d in model.definitions for node in walk(d.value) if isinstance(node, Apply))
    for node in nodes:
        for argument, domain in zip(node.args, node.op.domain, strict=False):
            if domain.kink is None or not symbols(argument):
                continue
            signs = [np.sign(np.ravel(p.value(argument)) - domain.kink) for p in points]
            if len(set(np.concatenate(signs))) < 2:
                return False
    return True


def _evaluated(
    points: list[Evaluator],
    expr: Expr,
    shape: Shape = SCALAR,
    row: Position = None,
    col: Position = None,
) -> tuple[Array, ...] | None:
    found: list[Array] = []
    for point in points:
        point.forget_indices()
        with np.errstate(all="ignore"):
            try:
                value = np.asarray(point.value(expr), float)
            except (ChainruleError, ValueError, ZeroDivisionError):
                return None
        if row is not None or col is not None:
            try:
                value = _laid_out(point, value, point.shape(shape), row, col)
            except ValueError:
                return None  # an index is left over: this is no entry of that matrix
        elif value.ndim != 2:
            value = value.reshape(1, 1) if value.size == 1 else value
        if value.ndim != 2 or not np.isfinite(value).all():
            return None
        found.append(value)
    return tuple(found)


def _laid_out(
    point: Evaluator, value: Array, shape: tuple[int, ...], row: Position, col: Position
) -> Array:
    """Order the axes of two running indices as rows and columns."""
    places = [place for place in (row, col) if place is not None]
    axes = [point.axis(place) for place in places]  # type: ignore[arg-type]
    full = value.reshape((1,) * max(0, max(axes) + 1 - value.ndim) + value.shape)
    moved = np.moveaxis(full, [full.ndim - 1 - axis for axis in axes], range(len(axes)))
    moved = moved.reshape(moved.shape[: len(axes)])
    laid = moved if len(axes) == 2 else (moved[:, None] if row is not None else moved[None, :])
    return np.broadcast_to(laid, shape).copy()


def alike(one: Array, other: Array) -> bool:
    """Whether two values agree at a point, shape included."""
    if one.shape != other.shape:
        return False
    return bool(np.abs(one - other).max() <= CLOSE * max(np.abs(one).max(), np.abs(other).max()))


def same(one: tuple[Array, ...], other: tuple[Array, ...]) -> bool:
    """Whether two values agree at every point."""
    return all(alike(a, b) for a, b in zip(one, other, strict=True))


def ratios(one: tuple[Array, ...], other: tuple[Array, ...]) -> list[float] | None:
    """Return one/other at every point, where each is a single number; else None."""
    found = [ratio(a, b) for a, b in zip(one, other, strict=True)]
    known = [number for number in found if number is not None]
    return known if len(known) == len(found) else None


def ratio(one: Array, other: Array) -> float | None:
    """Return one/other at a point, where it is a single number; else None."""
    if one.shape != other.shape or not np.abs(other).max() > 0:
        return None
    place = np.unravel_index(np.abs(other).argmax(), other.shape)
    number = float(one[place] / other[place])
    return number if np.abs(one - number * other).max() <= CLOSE * np.abs(one).max() else None
