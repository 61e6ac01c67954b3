"""Learning-rate schedules: factors of the rate, by the number of the step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi

from chainrule.errors import DataError

FACTORS: Mapping[str, tuple[str, Callable[[float, int], float]]] = {
    "half": ("the rate is halved every {n:g} steps", lambda n, t: 0.5 ** (t // n)),
    "inverse": ("the rate is divided by 1 + t/{n:g} at step t", lambda n, t: 1 / (1 + t / n)),
    "cosine": (
        "the rate follows half a cosine down to 0 at step {n:g}",
        lambda n, t: 0.5 * (1 + cos(pi * min(t, n) / n)),
    ),
    "warmup": (
        "the rate rises evenly over the first {n:g} steps",
        lambda n, t: min(1, (t + 1) / n),
    ),
}


@dataclass(frozen=True)
class Schedule:
    """Factors of the learning rate, multiplied; none for a constant rate.

    Parameters
    ----------
    parts : tuple of (str, float)
        The name of each factor, and its number of steps.
    """

    parts: tuple[tuple[str, float], ...] = ()

    def factor(self, step: int) -> float:
        """Return the factor at a step, counted from 0; it depends on no number of steps to come."""
        found = 1.0
        for name, steps in self.parts:
            found *= FACTORS[name][1](steps, step)
        return found

    def __str__(self) -> str:
        return ", ".join(FACTORS[name][0].format(n=steps) for name, steps in self.parts)

    @property
    def text(self) -> str:
        """The schedule as it is written on the command line."""
        return ",".join(f"{name}:{steps:g}" for name, steps in self.parts)


def read_schedule(text: str) -> Schedule:
    """Return a schedule from text such as ``half:200`` or ``warmup:50,cosine:2000``.

    Raises
    ------
    DataError
        When there is no such factor, or its number of steps is not a whole number above 0.
    """
    parts: list[tuple[str, float]] = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, number = (piece.strip() for piece in part.partition(":"))
        if name not in FACTORS:
            raise DataError(f"no schedule {name!r}; there are {', '.join(FACTORS)}")
        if not number.isdecimal() or int(number) < 1:
            raise DataError(f"{part}: give a number of steps, such as {name}:200")
        parts.append((name, float(number)))
    return Schedule(tuple(parts))
