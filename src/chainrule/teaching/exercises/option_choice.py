"""Choice among wrong options, so that neither they nor the right one stand out.

Each is the right answer with one mistake, or with two. Three that have one mistake each would show
the right answer as the one that all the others resemble, so that one need not know it to find it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from random import Random

OPTIONS = 4
CENTRE = 0.1
"""How often the right option is chosen to be the one that is most like the others.

In about one choice in six there is no other way, so that in all it is one in four, as by chance.
"""


@dataclass(frozen=True)
class WrongOption:
    """A wrong option before it is chosen.

    Parameters
    ----------
    text : str
        The option as it is read.
    names : tuple of str
        The mistakes made in it.
    """

    text: str
    names: tuple[str, ...]


def chosen(right: str, wrong: Sequence[WrongOption], rng: Random) -> tuple[int, ...]:
    """Return the places of three wrong options, or nothing where there are fewer.

    Parameters
    ----------
    right : str
        The text of the right option.
    wrong : sequence of WrongOption
        All different, the most likely first.
    rng : Random
        Source of the choice.
    """
    texts = [*(each.text for each in wrong), right]
    alike = [[SequenceMatcher(None, a, b).ratio() for b in texts] for a in texts]
    groups = sorted(combinations(range(len(wrong)), OPTIONS - 1), key=lambda g: _cost(g, wrong))
    as_centre = rng.random() < CENTRE
    for group in groups:
        if _is_centre(len(wrong), group, alike) == as_centre:
            return group
    return groups[0] if groups else ()


def _cost(group: Sequence[int], wrong: Sequence[WrongOption]) -> int:
    """Return how far a group is from the most likely mistakes, each of another kind."""
    names = [name for place in group for name in wrong[place].names]
    again = len(names) - len(set(names))
    return sum(group) + len(wrong) * again


def _is_centre(place: int, others: Sequence[int], alike: Sequence[Sequence[float]]) -> bool:
    """Whether an option is more like the others than any of them is."""
    group = (place, *others)
    sums = [sum(alike[a][b] for b in group if b != a) for a in group]
    return sums[0] == max(sums)
