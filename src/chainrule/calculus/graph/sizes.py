"""Numbers for the names of dimensions, such that computed sizes are valid."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, permutations

from chainrule.calculus.graph.dims import Size, measured
from chainrule.errors import ModelError

MOST_TRIED = 5000
LARGEST = 1000


def assigned(
    names: Sequence[str],
    computed: Sequence[Size],
    usable: Sequence[int],
    more: Sequence[int] = (),
    turn: int = 0,
) -> dict[str, int]:
    """Return a number for each name.

    Parameters
    ----------
    names : sequence of str
        The names of the dimensions.
    computed : sequence of Size
        Sizes that shall be at least 2 and, where that can be, unlike all others.
    usable : sequence of int
        The numbers, taken in turn.
    more : sequence of int
        Larger ones, for when the computed sizes need them.
    turn : int
        Where to begin among the numbers.

    Raises
    ------
    ModelError
        When no numbers make all computed sizes at least 2.

    >>> from chainrule.calculus.graph.dims import minus
    >>> assigned(["k", "m"], [minus("m", "k")], [2, 3, 5, 7])
    {'k': 2, 'm': 5}
    """
    if not computed:
        return {name: usable[(k + turn) % len(usable)] for k, name in enumerate(names)}
    among = [*usable, *more]
    start = turn % len(among)
    possible: dict[str, int] | None = None
    for numbers in islice(permutations([*among[start:], *among[:start]], len(names)), MOST_TRIED):
        sizes = dict(zip(names, numbers, strict=True))
        found = [measured(dim, sizes) for dim in computed]
        if min(found) < 2 or max(found) > LARGEST:
            continue
        possible = possible or sizes
        if len({*found, *numbers}) == len(found) + len(numbers):
            return sizes
    if possible is None:
        said = " and ".join(sorted(str(dim) for dim in computed))
        raise ModelError(
            f"no sizes were found that make {said} at least 2 and at most {LARGEST}; "
            "mend the shapes"
        )
    return possible
