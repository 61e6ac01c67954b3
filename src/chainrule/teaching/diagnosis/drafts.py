"""Finished lines with two oversights: what every pair of them comes to at one point.

A line with one oversight is worked out once. For the second, only what stands above the changed
part is worked out again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.calculus.evaluation.numeric import Point
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.effects import near
from chainrule.teaching.diagnosis.slips import Edit, Slip, edited, height, rewritten

Array = npt.NDArray[np.float64]

MOST = 4000
"""How many pairs are worked out; those of two wrong letters come last."""


class Drafts:
    """The finished line with oversights.

    Parameters
    ----------
    finished : Expr
        The line.
    slips : sequence of Slip
        The oversights, each with its edit.
    point : Point
        Where.
    """

    def __init__(self, finished: Expr, slips: Sequence[Slip], point: Point) -> None:
        self.finished, self.point = finished, point
        letters = [isinstance(_edit(slip).old, Symbol) for slip in slips]
        order = sorted(range(len(slips)), key=lambda k: letters[k])
        self.slips = [slips[k] for k in order]
        self._letters = [letters[k] for k in order]
        self.cut = False
        self._shape = point.shape(finished.shape)
        self._bases: dict[int, tuple[Expr, list[Apply], dict[Expr, Any]] | None] = {}

    def pairs(self, answer: Array) -> Iterator[tuple[Slip, Slip]]:
        """Yield the pairs that give an answer at the point."""
        places, outcomes = self._all
        if answer.shape == self._shape and places:
            for found in near(outcomes, answer.ravel(), self.point.value(self.finished)):
                one, two = places[found]
                yield self.slips[one], self.slips[two]

    @cached_property
    def _all(self) -> tuple[list[tuple[int, int]], Array]:
        places: list[tuple[int, int]] = []
        rows: list[Array] = []
        heights = [height(_edit(slip).old) for slip in self.slips]
        tried = 0
        with np.errstate(all="ignore"):
            for one, two in self._in_order():
                if tried >= MOST:
                    self.cut = True
                    break
                big, small = (two, one) if heights[two] > heights[one] else (one, two)
                value = self._both(big, small)
                if value is None:
                    continue
                tried += 1
                if value.shape == self._shape and np.isfinite(value).all():
                    places.append((big, small))
                    rows.append(value.ravel())
        return places, np.stack(rows) if rows else np.zeros((0, 1))

    def _in_order(self) -> Iterator[tuple[int, int]]:
        """Yield pairs of oversights, the more letters the later."""
        for letters in (0, 1, 2):
            for two in range(len(self.slips)):
                for one in range(two):
                    if self._letters[one] + self._letters[two] == letters:
                        yield one, two

    def _both(self, big: int, small: int) -> Array | None:
        """Return the value of the line with both, or nothing where they cannot both be made."""
        first, second = _edit(self.slips[big]), _edit(self.slips[small])
        try:
            if first.old is second.old:
                return self._above(
                    self._base(None), first.old, rewritten(first.old, (first, second))
                )
            return self._above(self._base(big), second.old, rewritten(second.old, (second,)))
        except (ChainruleError, ValueError):
            return None

    def _base(self, number: int | None) -> tuple[Expr, list[Apply], dict[Expr, Any]] | None:
        """Return a line with one oversight, its parts in order, and their values."""
        key = -1 if number is None else number
        if key not in self._bases:
            self._bases[key] = None
            edits = [] if number is None else [_edit(self.slips[number])]
            line = edited(self.finished, edits)
            values = {node: self.point.value(node) for node in walk(line)}
            parts = [node for node in walk(line) if isinstance(node, Apply)]
            self._bases[key] = line, parts, values
        return self._bases[key]

    def _above(
        self, base: tuple[Expr, list[Apply], dict[Expr, Any]] | None, old: Expr, new: Expr
    ) -> Array | None:
        if base is None or old.shape != new.shape:
            return None
        line, parts, values = base
        if old not in values:
            return None
        known = {old: self.point.value(new)}
        for node in parts:
            if node not in known and any(arg in known for arg in node.args):
                arguments = [known[a] if a in known else values[a] for a in node.args]
                known[node] = self.point.applied(node, arguments)
        return np.asarray(known[line], float)


def _edit(slip: Slip) -> Edit:
    assert slip.edit is not None
    return slip.edit
