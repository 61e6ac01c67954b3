"""The gradient check: derived entries against finite differences at the start of the descent.

The steps of the derivation are proven at random points of random sizes. This compares the numbers
at the very place, of the very sizes, with the data that are descended on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.calculus.evaluation.differences import STEP, along
from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.node import Symbol
from chainrule.descent.objective import DescentObjective, Values
from chainrule.lecture import Array

TOLERANCE = 1e-5
_ENTRIES = 20
_EXAMPLES = 200
_SINGLE_EXAMPLES = 5
_FINEST = 1e-3  # of the step that suits data of size 1, for each unit of the largest datum
_AGREE = 1e-9
_UNSETTLED = 1e-4


@dataclass(frozen=True)
class GradientCheck:
    """The result of the comparison.

    Parameters
    ----------
    error : float
        The largest relative disagreement; infinite where no difference could be taken.
    worst : str
        The entry where that was.
    derived, measured : float
        The two numbers there.
    entries, examples : int
        The numbers of compared entries and of examples.
    left_out : int
        Entries with nothing to compare: the objective has a kink there, or is too rough for
        differences to settle on a number.
    """

    error: float
    worst: str
    derived: float
    measured: float
    entries: int
    examples: int
    left_out: int = 0

    @property
    def passed(self) -> bool:
        """Whether there are comparable entries and all agree."""
        return self.entries > 0 and not self.failed

    @property
    def failed(self) -> bool:
        """Whether an entry disagrees."""
        return not self.error <= TOLERANCE

    def __str__(self) -> str:
        entries = "1 entry" if self.entries == 1 else f"{self.entries} entries"
        at = f"{entries}, {self.examples} example{'s' if self.examples != 1 else ''}"
        left = ""
        if self.left_out:
            left = f"; {self.left_out} left out, at a kink or where differences do not settle"
        if self.entries == 0:
            return f"nothing compared{left}"
        if self.passed:
            return f"passed: {at}, largest relative difference {self.error:.1e}{left}"
        return (
            f"FAILED at {self.worst}: derived {self.derived:.6g}, differences say "
            f"{self.measured:.6g} ({at}{left})"
        )


def check_gradient(objective: DescentObjective, values: Values, seed: int) -> GradientCheck:
    """Compare derived gradients with finite differences of the objective.

    Parameters
    ----------
    objective : DescentObjective
        With its data; a bounded random part of the examples is taken.
    values : mapping of Symbol to array
        Where.
    seed : int
        Chooses the examples, and the entries where a variable has many.
    """
    binding = objective.binding
    rng = np.random.default_rng((seed, 2))
    most = _SINGLE_EXAMPLES if binding.roles.examples is None else _EXAMPLES
    rows = rng.permutation(binding.count)[:most]
    here = objective.evaluate(values, rows)
    reach = max(
        [1.0, *(float(np.abs(table[rows]).max(initial=0)) for table in binding.data.values())]
    )
    largest = max(float(np.abs(g).max()) for g in here.gradient.values())
    floor = max(1e-3 * largest, 1e-6 * abs(here.cost), 1e-300)
    worst = GradientCheck(0.0, "", 0.0, 0.0, 0, len(rows))
    entries = left_out = 0
    for symbol, gradient in here.gradient.items():
        for flat in np.sort(rng.permutation(gradient.size)[:_ENTRIES]):
            place = np.unravel_index(int(flat), gradient.shape)

            def moved(
                by: Array, symbol: Symbol = symbol, place: tuple[np.intp, ...] = place
            ) -> Array:
                array = values[symbol].copy()
                array[place] += float(by)
                return np.asarray(objective.cost({**values, symbol: array}, rows))

            derived = float(gradient[place])
            measured, doubt = _measured(moved, reach)
            scale = max(abs(derived), abs(measured), floor)
            error = float(np.maximum(abs(derived - measured) - doubt, 0.0)) / scale
            if not error <= TOLERANCE and (
                doubt > _UNSETTLED * scale or _at_kink(moved, reach, derived)
            ):
                left_out += 1
                continue
            entries += 1
            if not error <= worst.error:
                error = error if np.isfinite(error) else np.inf
                name = symbol.name + ("" if gradient.size == 1 else written_place(place))
                worst = GradientCheck(error, name, derived, measured, 0, len(rows))
    return GradientCheck(
        worst.error, worst.worst, worst.derived, worst.measured, entries, len(rows), left_out
    )


def written_place(place: tuple[np.intp, ...]) -> str:
    """Return the indices of an entry as text, counted from 1."""
    return written(int(at) + 1 for at in place)


def _measured(moved: Callable[[Array], Array], reach: float) -> tuple[float, float]:
    """Return the derivative by shrinking steps, and the distance of the best pair."""
    best, gap, before = 0.0, np.inf, np.nan
    size = 1.0
    while size > 0.5 * _FINEST / reach and gap > _AGREE * abs(best):
        found = float(along(moved, np.asarray(0.0), np.asarray(size))) / size
        distance = abs(found - before)
        if distance < gap:
            best, gap = found, distance
        before = found
        size /= 10
    return best, gap


def _at_kink(moved: Callable[[Array], Array], reach: float, derived: float) -> bool:
    """Whether the one-sided slopes differ, and the derived slope is one of them."""
    step = 1e-3 * STEP / reach
    middle = float(moved(np.asarray(0.0)))
    right = (float(moved(np.asarray(step))) - middle) / step
    left = (middle - float(moved(np.asarray(-step)))) / step
    if not np.isfinite([left, right]).all():
        return False
    slack = 1e-3 * max(abs(left), abs(right))
    low, high = min(left, right) - slack, max(left, right) + slack
    return abs(right - left) > 4 * slack and low <= derived <= high
