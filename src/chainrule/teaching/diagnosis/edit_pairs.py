"""Values of the final line with every pair of edits, at one point.

A line with one edit is evaluated once. For the second, only the nodes above the edited part are
evaluated again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.errors import ChainruleError
from chainrule.teaching.diagnosis.effects import near
from chainrule.teaching.diagnosis.injection import Edit, InjectedError, edited, height, rewritten

Array = npt.NDArray[np.float64]

MOST = 4000
"""The most pairs that are evaluated; those of two wrong names come last."""


class EditPairs:
    """The final line with pairs of errors, evaluated at one point.

    Parameters
    ----------
    finished : Expr
        The right final line.
    errors : sequence of InjectedError
        The errors, each with its edit.
    point : Evaluator
        The point of evaluation.
    """

    def __init__(self, finished: Expr, errors: Sequence[InjectedError], point: Evaluator) -> None:
        self.finished, self.point = finished, point
        letters = [isinstance(_edit(error).old, Symbol) for error in errors]
        order = sorted(range(len(errors)), key=lambda k: letters[k])
        self.errors = [errors[k] for k in order]
        self._letters = [letters[k] for k in order]
        self.cut = False
        self._shape = point.shape(finished.shape)
        self._bases: dict[int, tuple[Expr, list[Apply], dict[Expr, Any]] | None] = {}

    def pairs(self, answer: Array) -> Iterator[tuple[InjectedError, InjectedError]]:
        """Yield the pairs that reproduce an answer at the point."""
        places, outcomes = self._all
        if answer.shape == self._shape and places:
            for found in near(outcomes, answer.ravel(), self.point.value(self.finished)):
                one, two = places[found]
                yield self.errors[one], self.errors[two]

    @cached_property
    def _all(self) -> tuple[list[tuple[int, int]], Array]:
        places: list[tuple[int, int]] = []
        rows: list[Array] = []
        heights = [height(_edit(error).old) for error in self.errors]
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
        """Yield pairs of edits, those that exchange names last."""
        for letters in (0, 1, 2):
            for two in range(len(self.errors)):
                for one in range(two):
                    if self._letters[one] + self._letters[two] == letters:
                        yield one, two

    def _both(self, big: int, small: int) -> Array | None:
        """Return the value of the line with both edits; None where they exclude each other."""
        first, second = _edit(self.errors[big]), _edit(self.errors[small])
        try:
            if first.old is second.old:
                return self._above(
                    self._base(None), first.old, rewritten(first.old, (first, second))
                )
            return self._above(self._base(big), second.old, rewritten(second.old, (second,)))
        except (ChainruleError, ValueError):
            return None

    def _base(self, number: int | None) -> tuple[Expr, list[Apply], dict[Expr, Any]] | None:
        """Return a line with one edit, its nodes in order, and their values."""
        key = -1 if number is None else number
        if key not in self._bases:
            self._bases[key] = None
            edits = [] if number is None else [_edit(self.errors[number])]
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


def _edit(error: InjectedError) -> Edit:
    assert error.edit is not None
    return error.edit
