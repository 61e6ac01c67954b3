"""Gradients of the losses of a program, measured by differences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.program import Program
from chainrule.teaching.marking.code_as_program.runs import Run, losses_of
from chainrule.teaching.marking.code_as_program.trace import Event

DIRECTIONS = 2
STEP = 1e-5
OUTSIDE = "upstream"
_LEAST = 1e-9
Loss = Callable[[Run], float]


@dataclass
class Measured:
    """Slopes of the losses of a run, per value that they may depend on.

    Parameters
    ----------
    program : Program
        The program.
    run : Run
        A run of it.
    losses : mapping
        What to compute from a run, by name.
    last : int
        The number of the last event that they need.
    """

    program: Program
    run: Run
    losses: Mapping[str, Loss]
    last: int
    slopes: dict[int, np.ndarray] = field(default_factory=dict)
    wholes: dict[tuple[int, str], np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        same: dict[tuple[tuple[int, ...], bytes], list[int]] = {}
        for event in self.run.trace.events:
            key = (event.value.shape, event.value.tobytes())
            same.setdefault(key, []).append(event.index)
        self.copies = {places[0]: places for places in same.values()}
        self.firsts = [0] * len(self.run.trace.events)  # of each event the first of its value
        for places in same.values():
            for place in places:
                self.firsts[place] = places[0]

    def directions(self, index: int) -> list[np.ndarray]:
        """Return the directions along which a value is moved."""
        shape = self.run.trace.events[index].value.shape
        source = np.random.default_rng(1000 + index)
        return [source.standard_normal(shape) for _ in range(DIRECTIONS)]

    def slope(self, index: int) -> np.ndarray:
        """Return the slopes of all losses along the directions, one row per loss."""
        if index not in self.slopes:
            found = [self._along(index, one) for one in self.directions(index)]
            self.slopes[index] = np.array(found).T
        return self.slopes[index]

    def _along(self, index: int, direction: np.ndarray) -> list[float]:
        if not (self.program.budget.spend() and self.program.budget.spend()):
            return [np.nan] * len(self.losses)
        event = self.run.trace.events[index]
        same = self.copies[self.firsts[index]]
        up, down = (
            self.program.run(
                dict.fromkeys(same, _set_to(event.value + sign * STEP * direction)), self.last
            )
            for sign in (1, -1)
        )  # copies of a value, and what is computed as it was, move with it
        count = min(len(self.run.trace.events), self.last + 1)
        if len(up.trace.events) != count or len(down.trace.events) != count:
            return [np.nan] * len(self.losses)
        return [(loss(up) - loss(down)) / (2 * STEP) for loss in self.losses.values()]

    def is_affordable(self, index: int) -> bool:
        """Whether all entries of a gradient can be measured with the steps that are left."""
        size = self.run.trace.events[index].value.size
        return 2 * size * self.run.steps <= self.program.budget.steps

    def along(self, value: np.ndarray, index: int, loss: int) -> tuple[float, float]:
        """Return what a value and the gradient of a loss are along a direction."""
        direction = self.directions(index)[0]
        given = float(np.sum(value.reshape(direction.shape) * direction))
        return given, float(self.slope(index)[loss][0])

    def whole(self, index: int, loss: str) -> np.ndarray:
        """Return the gradient of a loss with respect to a value, entry by entry."""
        if (index, loss) not in self.wholes:
            shape = self.run.trace.events[index].value.shape
            at = list(self.losses).index(loss)
            found = np.zeros(shape)
            for place in np.ndindex(*shape):
                unit = np.zeros(shape)
                unit[place] = 1.0
                found[place] = self._along(index, unit)[at]
            self.wholes[index, loss] = found
        return self.wholes[index, loss]

    def ratio(self, value: np.ndarray, index: int, loss: int) -> float | None:
        """Return how many times the gradient of a loss a value is; None for another value."""
        directions = self.directions(index)
        if value.size != directions[0].size:
            return None
        slopes = self.slope(index)[loss]
        given = np.array([float(np.sum(value.reshape(one.shape) * one)) for one in directions])
        size = float(slopes @ slopes)
        if not np.isfinite(slopes).all() or size < _LEAST**2 or not np.isfinite(given).all():
            return None
        found = float(given @ slopes) / size
        near = np.max(np.abs(given - found * slopes)) <= 2e-5 * np.max(np.abs(given)) + _LEAST
        return found if near and abs(found) > _LEAST else None

    def moves(self, index: int, loss: int) -> bool:
        """Whether a loss depends on a value."""
        return bool(np.max(np.abs(np.nan_to_num(self.slope(index)[loss]))) > _LEAST)


def _set_to(value: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    return lambda _: value.copy()


def losses_in(
    run: Run, labels: Sequence[np.ndarray], outputs: Sequence[Event],
    differences: Sequence[np.ndarray],
) -> dict[str, Loss]:  # fmt: skip
    """Return the losses of a run: its own, that of a gradient from outside, or usual ones.

    Parameters
    ----------
    run : Run
        The run.
    labels : sequence of ndarray
        Values with names of labels.
    outputs : sequence of Event
        Values that a usual loss may be of.
    differences : sequence of ndarray
        Values that may be the difference of an output and a label.
    """
    found: dict[str, Loss] = {}
    if run.incoming:
        index, upstream = run.incoming[0]
        rest = run.incoming[1:]
        others = [output.index for output in outputs
                  if output.value.shape == upstream.shape and output.index != index]  # fmt: skip
        for at in (index, *([] if rest else others)):
            name = run.trace.events[at].name.removeprefix("return ")
            key = f"the gradient from outside as that of {name}" if at != index else OUTSIDE
            found.setdefault(key, _against([(at, upstream), *rest]))
        return found
    for name, at in sorted(losses_of(run).items(), key=lambda item: -item[1]):
        found[name] = lambda one, at=at: float(np.sum(one.trace.events[at].value))  # type: ignore[misc]
    return found or usual_losses(labels, outputs, differences)


def _against(incoming: Sequence[tuple[int, np.ndarray]]) -> Loss:
    """Return the sum of the products of what a layer returns and the gradients from outside."""
    return lambda run: float(sum(
        np.sum(run.trace.events[at].value * upstream) for at, upstream in incoming))  # fmt: skip


def usual_losses(
    labels: Sequence[np.ndarray], outputs: Sequence[Event], differences: Sequence[np.ndarray]
) -> dict[str, Loss]:
    """Return the losses that code leaves out: of its outputs, with its labels."""
    found: dict[str, Loss] = {}
    entries = np.concatenate([one.ravel() for one in labels]) if labels else np.zeros(0)
    for output in outputs:
        near = [one for one in labels if one.size == output.value.size]
        for one in differences:  # an example of its own: error = y[i] - a
            if one.shape == output.value.shape:
                near += [label for label in (output.value - one, output.value + one)
                         if _is_among(label, entries)]  # fmt: skip
        for at, label in enumerate(near):
            for kind, loss in USUAL.items():
                if "squared" in kind or (output.value > 0).all():
                    number = f" ({at + 1})" if at else ""
                    name = output.name.removeprefix("return ") or "the prediction"
                    found[f"{kind} of {name}{number}"] = _usual(loss, output.index, label)
    return dict(list(found.items())[:40])


def _is_among(label: np.ndarray, entries: np.ndarray) -> bool:
    """Whether every entry of an array is one of the labels."""
    if not len(entries):
        return bool(np.all(np.isclose(label, 0) | np.isclose(label, 1)))
    return all(bool(np.any(np.isclose(entries, one))) for one in label.ravel())


def _usual(
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray], index: int, label: np.ndarray
) -> Loss:
    def of(run: Run) -> float:
        value = run.trace.events[index].value
        with np.errstate(all="ignore"):
            return float(np.sum(loss(value, label.reshape(value.shape))))

    return of


USUAL: Mapping[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "cross-entropy": lambda a, y: -(y * np.log(a) + (1 - y) * np.log(1 - a)),
    "cross-entropy of classes": lambda a, y: -y * np.log(a),
    "half the squared error": lambda a, y: (a - y) ** 2 / 2,
    "the squared error": lambda a, y: (a - y) ** 2,
}
"""Losses that code leaves out, by name."""

__all__ = ["Loss", "Measured", "losses_in", "usual_losses"]
