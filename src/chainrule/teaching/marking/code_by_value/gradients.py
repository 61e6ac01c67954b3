"""Gradients of the loss by differences, and the gradients that the code computes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event, Misfit
from chainrule.teaching.marking.code_by_value.naming import Names
from chainrule.teaching.marking.code_by_value.numeric import Array, Numbers
from chainrule.teaching.marking.code_by_value.readings import Reading
from chainrule.teaching.marking.code_by_value.walk import Walk

STEP = 1e-5


CLOSE = 1e-6


DIRECTIONS = 3


@dataclass
class Slopes:
    """Derivatives of the terms of a loss along random directions."""

    reading: Reading
    walk: Walk[Array]
    seed: int
    kept: dict[int, tuple[list[Array], list[dict[str, float]]]] = field(default_factory=dict)
    wholes: dict[tuple[int, str], Array] = field(default_factory=dict)
    still: set[int] = field(default_factory=set)  # rows whose gradient is zero, and is claimed so
    moving: set[int] = field(default_factory=set)  # rows whose gradient is not

    @property
    def numbers(self) -> Numbers:
        """The algebra of the walk."""
        assert isinstance(self.walk.algebra, Numbers)
        return self.walk.algebra

    def along(self, place: int) -> tuple[list[Array], list[dict[str, float]]]:
        """Return directions of a value, and the slopes of all terms along them."""
        if place not in self.kept:
            shape = self.numbers.seen[place][1].shape
            random = np.random.default_rng(place + 1)
            ways = [random.normal(size=shape) for _ in range(DIRECTIONS)]
            slopes = []
            for way in ways:
                up = self.reading.terms(self.reading.walk(self.seed, place, STEP * way))
                down = self.reading.terms(self.reading.walk(self.seed, place, -STEP * way))
                slopes.append({k: (up[k] - down[k]) / (2 * STEP) for k in up if k in down})
            self.kept[place] = ways, slopes
        return self.kept[place]

    def ratio(self, value: Array, place: int, term: str, event: Event) -> float | None:
        """Return by which number a value exceeds the gradient; None where it is none of it."""
        shape = self.numbers.seen[place][1].shape
        if np.squeeze(value).shape != np.squeeze(np.empty(shape)).shape:
            return None
        ways, slopes = self.along(place)
        claimed = [float(np.sum(value.reshape(shape) * way)) for way in ways]
        true = [slope.get(term, 0.0) for slope in slopes]
        if not np.isfinite(true).all():
            raise Misfit("a loss that is not finite")
        size = max(max(map(abs, true)), 1e-9)
        if max(map(abs, true)) < 1e-9:
            if max(map(abs, claimed)) < 1e-9 and not self.reading.open_output:
                self.still.add(event.line)
                return 1.0  # as a shift of the scores does not change a softmax
            return None
        self.moving.add(event.line)
        found = float(np.dot(claimed, true) / np.dot(true, true))
        if not np.isfinite(found):
            return None
        far = max(abs(c - found * t) for c, t in zip(claimed, true, strict=True))
        return found if far <= CLOSE * max(size * abs(found), 1e-6) * 10 else None

    def whole(self, place: int, term: str) -> Array:
        """Return the gradient, entry by entry."""
        if (place, term) in self.wholes:
            return self.wholes[place, term]
        shape = self.numbers.seen[place][1].shape
        found = np.zeros(shape)
        for at in np.ndindex(*shape):
            way = np.zeros(shape)
            way[at] = STEP
            up = self.reading.terms(self.reading.walk(self.seed, place, way))
            down = self.reading.terms(self.reading.walk(self.seed, place, -way))
            found[at] = (up.get(term, 0.0) - down.get(term, 0.0)) / (2 * STEP)
        self.wholes[place, term] = found
        return found


@dataclass
class Backward:
    """The gradients of the code, evaluated one after another."""

    walk: Walk[Array]
    reading: Reading

    def __post_init__(self) -> None:
        self.walk.known.update(self.reading.upstream)
        self.before: dict[str, object] = dict(self.walk.known)

    @property
    def numbers(self) -> Numbers:
        """The algebra of the walk."""
        assert isinstance(self.walk.algebra, Numbers)
        return self.walk.algebra

    def apply(self, event: Event) -> object:
        """Return the value of a name after an event.

        Raises
        ------
        Misfit
            When it has none.
        """
        walk = self.walk
        walk.scope = dict(event.scope)
        algebra = walk.algebra
        if event.places is not None:
            return self._placed(event)
        value = walk.value(event.value)
        if event.operation == "=":
            return value
        old = walk.known.get(event.target)
        if old is None:
            raise Misfit(f"{event.target} has no value yet")
        sign = {"+=": "add", "-=": "subtract", "*=": "multiply", "/=": "divide"}[event.operation]
        return algebra.elementwise(sign, walk.lifted(old), walk.lifted(value))

    def _placed(self, event: Event) -> object:
        walk = self.walk
        places = event.places
        assert places is not None
        old = walk.known.get(event.target)
        if old is None:
            raise Misfit(f"{event.target} has no value yet")
        amount = walk.lifted(walk.value(event.value))
        return walk.algebra.entry_changed(walk.lifted(old), walk.index(places), event.operation,
                                          amount)  # fmt: skip


def places_of(slopes: Slopes, event: Event, names: Names, walk: Walk[Array]) -> list[int]:
    """Return the numbers of the values that a name may be the gradient of."""
    numbers = slopes.numbers
    stem = names.stem(event.target)
    found: list[int] = []
    for name in names.values_of(stem) if stem else []:
        at = dict(event.scope)
        for full in (name, *(f"{name}[{k}]" for k in at.values())):
            if full in numbers.places:
                found.append(numbers.places[full])
                found += [k for k, (n, _v) in enumerate(numbers.seen) if n == full]
        if name not in numbers.places and isinstance(walk.known.get(name), np.ndarray):
            value = walk.known[name]
            found += [k for k, (_n, v) in enumerate(numbers.seen) if v is value][:1]
    return list(dict.fromkeys(found))


def is_close(ratio: float | None, number: float) -> bool:
    """Whether a ratio is a number, up to the error of differences."""
    return ratio is not None and abs(ratio - number) <= 1e-5 * max(abs(number), 1e-12)


__all__ = ["Backward", "Slopes", "is_close", "places_of"]
