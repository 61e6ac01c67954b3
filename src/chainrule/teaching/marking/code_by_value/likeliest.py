"""The readings of a text of code, the likeliest first."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Misfit
from chainrule.teaching.marking.code_by_value.functions import SLOPES
from chainrule.teaching.marking.code_by_value.gradients import Backward, Slopes, places_of
from chainrule.teaching.marking.code_by_value.naming import Names
from chainrule.teaching.marking.code_by_value.narrowing import narrowed
from chainrule.teaching.marking.code_by_value.readings import (
    COUNTS,
    FAULTS,
    Budget,
    Reading,
    find_upstream,
    shapes_of,
)
from chainrule.teaching.marking.code_by_value.shapes import Shapes
from chainrule.teaching.marking.code_by_value.source import Source

_SOFT = frozenset({"exp", "softmax", "log_softmax"})

MOST_WIDE = 2
"""The number of readings whose open lengths are tried as 1."""


def readings(code: Source, names: Names, budget: Budget, most: int) -> Iterator[Reading]:
    """Yield the readings under which the forward pass has values, the likeliest first.

    Parameters
    ----------
    code : Source
        The code.
    names : Names
        Its names.
    budget : Budget
        The walks that are left.
    most : int
        How many are yielded before those in which an open length is 1.
    """
    found: list[tuple[int, int, Shapes]] = []
    idle: dict[int, int] = {}
    seen: set[object] = set()
    labelled = False
    for shapes in shapes_of(code, names):
        labelled = labelled or bool(set(names.labels) & shapes.inputs.keys())
        if (sign := shapes.signature()) in seen:
            continue
        seen.add(sign)
        reading = Reading(code, names, shapes, "free", None, budget)
        try:
            count, idle[len(found)] = _mismatches(reading)
        except FAULTS:
            continue
        found.append((count, len(found), shapes))
    if not found:
        return
    found.sort(key=lambda one: one[:2])
    least = found[0][0]
    wide = [(shapes, idle[at]) for count, at, shapes in found if count == least][:MOST_WIDE]
    narrow = _Narrow(code, names, wide, seen, misfits=least > 0)
    if least:  # a reading without mismatches is likelier than one with some
        found += [(count, -1, shapes) for count, shapes in narrow.all() if count < least]
        found.sort(key=lambda one: one[:2])
    kinds = ["free"]
    if labelled and not names.picks and names.called & _SOFT:
        kinds += ["shares 1", "shares 0"]
    own = {node.name for one in code.statements for node in ast.walk(one)
           if isinstance(node, ast.FunctionDef)}  # fmt: skip
    open_slopes = any(SLOPES.fullmatch(word) for word in names.called - own)
    slopes = (False, True) if open_slopes else (False,)
    best = found[0][0]

    def versions(shapes: Shapes) -> Iterator[Reading]:
        open_count = any(shapes.inputs[name].dims == () for name in COUNTS & shapes.inputs.keys())
        axes: tuple[int | None, ...] = (None, 0, 1) if open_count else (None,)
        for axis, kind, by_output in itertools.product(axes, kinds, slopes):
            yield Reading(code, names, shapes, kind, axis, budget, of_outputs=by_output)

    likely = (one for count, _, shapes in found if count <= best + 1 for one in versions(shapes))
    yield from itertools.islice(likely, most)
    budget = narrow.budget
    for count, shapes in narrow.all():
        if count == best:
            yield from versions(shapes)


class _Narrow:
    """Readings in which an open length is 1, and nothing is summed or counted along it."""

    def __init__(
        self,
        code: Source,
        names: Names,
        wide: Sequence[tuple[Shapes, int]],
        seen: set[object],
        *,
        misfits: bool,
    ) -> None:
        self.misfits = misfits
        self.code, self.names, self.wide, self.seen = code, names, wide, seen
        self.budget = Budget()
        self.found: list[tuple[int, Shapes]] | None = None

    def all(self) -> list[tuple[int, Shapes]]:
        """Return the shapes with their numbers of mismatches."""
        if self.found is None:
            self.found = list(self._all())
        return self.found

    def _all(self) -> Iterator[tuple[int, Shapes]]:
        for shapes, idle in self.wide:
            for again in narrowed(shapes, misfits=self.misfits):
                if (sign := again.signature()) in self.seen:
                    continue
                self.seen.add(sign)
                reading = Reading(self.code, self.names, again, "free", None, self.budget)
                try:
                    count, more = _mismatches(reading)
                except FAULTS:
                    continue
                if more <= idle:
                    yield count, again


def _mismatches(reading: Reading) -> tuple[int, int]:
    """Return how many gradients have another shape than their value, and the idle sums."""
    walk = reading.walk(1)
    find_upstream(reading, walk, walk.events)
    backward = Backward(reading.walk(1), reading)
    slopes = Slopes(reading, walk, 1)
    count = 0
    last = {event.target: at for at, event in enumerate(walk.events)}
    for at, event in enumerate(walk.events):
        places = places_of(slopes, event, reading.names, walk)
        held = [slopes.numbers.seen[place][1] for place in places]
        try:
            value = backward.apply(event)
        except Misfit:
            fits = False
        else:
            backward.walk.known[event.target] = value
            shapes = {np.squeeze(one).shape for one in held}
            fits = at < last[event.target] or not held or (
                np.squeeze(np.asarray(value)).shape in shapes
            )  # fmt: skip
        if not fits:  # the rows after it get a value of the right shape, so that one fault is one
            count += 1
            backward.walk.known.pop(event.target, None)
            if held:
                backward.walk.known[event.target] = np.ones(held[0].shape)
    return count, backward.numbers.idle


__all__ = ["readings"]
