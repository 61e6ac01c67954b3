"""Domains of inputs: numbers with the meaning given in the file, such as probabilities and counts.

A domain is one entry of `DOMAINS`. The bank names one per input, and numbers for questions are
drawn from it: short ones, with which one can calculate by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from chainrule.errors import ExerciseError

Array: TypeAlias = npt.NDArray[np.float64]
Draw: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], Array]

REAL = "real"
ENTRIES = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0)
POSITIVE = (0.5, 1.0, 1.5, 2.0, 3.0)
BETWEEN = (0.2, 0.25, 0.4, 0.6, 0.75, 0.8)
COUNTS = (0.0, 1.0, 2.0, 3.0, 4.0)
TENTHS = 10
HIDDEN = -20.0
"""The entry that an additive mask has where a position is hidden."""

EXACT = 1e-9


@dataclass(frozen=True)
class Domain:
    """The numbers that an input can be.

    Parameters
    ----------
    draw : callable
        Draws an array of a shape.
    holds : callable
        Whether an array lies in the domain.
    whole : bool
        Whether the input names positions, counted from 0.
    """

    draw: Draw
    holds: Callable[[Array], bool]
    whole: bool = False


def domain(name: str) -> Domain:
    """Return the domain of a name.

    Raises
    ------
    ExerciseError
        When there is none; the message lists those there are.

    Examples
    --------
    >>> domain("(0, 1)").holds(np.array([[0.5, 1.0]]))
    False
    """
    if name not in DOMAINS:
        raise ExerciseError(f"there is no domain {name!r}; domains are {', '.join(DOMAINS)}")
    return DOMAINS[name]


def turned(name: str) -> str:
    """Return the domain of the transposed input."""
    other = {"axis=0": "axis=1", "axis=1": "axis=0"}
    head, _, axis = name.rpartition(" ")
    return f"{head} {other[axis]}" if axis in other else name


def domain_in(note: str) -> str:
    """Return the domain that a note states; where it states none, all numbers."""
    return next((name for name in ("-1 or 1", "0 or 1") if name in note), REAL)


def _one_of(numbers: tuple[float, ...]) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        return np.asarray(rng.choice(numbers, shape), float)

    return draw


def _both_of(low: float, high: float) -> Draw:
    """Draw one of two numbers per entry; where there is room, both occur."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        flat = rng.choice((low, high), int(np.prod(shape)))
        if len(flat) > 1 and len(set(flat)) == 1:
            place = int(rng.integers(len(flat)))
            flat[place] = low + high - flat[place]
        return np.asarray(flat, float).reshape(shape)

    return draw


def _one_hot(axis: int) -> Draw:
    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        found = np.zeros(shape)
        others = shape[1 - axis]
        first = int(rng.integers(shape[axis]))  # neighbours are of different classes
        for k in range(others):
            place = (first + k) % shape[axis]
            found[(place, k) if axis == 0 else (k, place)] = 1.0
        return found

    return draw


def _shares(axis: int) -> Draw:
    """Draw probabilities in tenths that add to one along an axis."""

    def draw(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
        count, others = shape[axis], shape[1 - axis]
        columns = []
        for _ in range(others):
            cuts = np.sort(rng.choice(np.arange(1, TENTHS), count - 1, replace=False))
            columns.append(np.diff(np.concatenate([[0], cuts, [TENTHS]])) / TENTHS)
        found = np.array(columns).T
        return found if axis == 0 else found.T

    return draw


def _covariance(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw a symmetric matrix that is positive definite, since its diagonal dominates."""
    off = np.triu(rng.choice((-0.5, 0.5), shape), 1)
    return np.asarray(off + off.T + np.diag(rng.choice((1.0, 2.0, 3.0), shape[0]) * shape[0] / 2))


def _invertible(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    off = rng.choice((-0.5, 0.5, 1.0), shape) * (1 - np.eye(shape[0]))
    return np.asarray(off + np.diag(rng.choice((2.0, 3.0, 4.0), shape[0]) * shape[0] / 2))


def _hiding(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    found = np.zeros(shape)
    found[int(rng.integers(shape[0])), int(rng.integers(shape[1]))] = HIDDEN
    return found


def _positions(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draw positions among as many as there are entries; often one of them twice."""
    return np.asarray(rng.integers(max(2, int(np.prod(shape))), size=shape), float)


def _adds(axis: int) -> Callable[[Array], bool]:
    def holds(values: Array) -> bool:
        return bool((values >= 0).all() and np.allclose(values.sum(axis), 1, atol=EXACT))

    return holds


def _is_one_hot(axis: int) -> Callable[[Array], bool]:
    def holds(values: Array) -> bool:
        return bool(np.isin(values, (0, 1)).all()) and _adds(axis)(values)

    return holds


def _is_covariance(values: Array) -> bool:
    symmetric = np.isfinite(values).all() and np.allclose(values, values.T, atol=EXACT)
    return bool(symmetric) and bool(np.linalg.eigvalsh(values).min() > 0)


def _is_invertible(values: Array) -> bool:
    return bool(np.isfinite(values).all() and abs(np.linalg.det(values)) > EXACT)


def _is_whole(values: Array) -> bool:
    return bool((values >= 0).all() and (values == np.round(values)).all())


DOMAINS: Mapping[str, Domain] = {
    REAL: Domain(_one_of(ENTRIES), lambda a: bool(np.isfinite(a).all())),
    "positive": Domain(_one_of(POSITIVE), lambda a: bool((a > 0).all())),
    "(0, 1)": Domain(_one_of(BETWEEN), lambda a: bool(((a > 0) & (a < 1)).all())),
    "(-1, 1)": Domain(
        _one_of((-0.8, -0.5, -0.25, 0.25, 0.5, 0.8)), lambda a: bool((abs(a) < 1).all())
    ),
    "0 or 1": Domain(_both_of(0.0, 1.0), lambda a: bool(np.isin(a, (0, 1)).all())),
    "-1 or 1": Domain(_both_of(-1.0, 1.0), lambda a: bool(np.isin(a, (-1, 1)).all())),
    "count": Domain(_one_of(COUNTS), _is_whole),
    "one-hot axis=0": Domain(_one_hot(0), _is_one_hot(0)),
    "one-hot axis=1": Domain(_one_hot(1), _is_one_hot(1)),
    "probabilities axis=0": Domain(_shares(0), _adds(0)),
    "probabilities axis=1": Domain(_shares(1), _adds(1)),
    "covariance": Domain(_covariance, _is_covariance),
    "invertible": Domain(_invertible, _is_invertible),
    "0 or hidden": Domain(_hiding, lambda a: bool(np.isin(a, (0, HIDDEN)).all())),
    "position": Domain(_positions, _is_whole, whole=True),
}
"""The domains, one entry each. Axis 0 runs down a column, axis 1 along a row."""
