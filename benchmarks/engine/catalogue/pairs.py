"""Both members of a kind of data, from one generator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final
from zlib import crc32

from benchmarks.engine.problems import Member, Problem

Size = tuple[str, int, Mapping[str, Any]]
"""Name, rows, and what else the generator takes."""

MEMBERS: Final[tuple[Member, Member]] = ("tuned", "held-out")
SEED: Final = 20_260
"""Seed of the sets that earlier figures were measured on."""

_FEWEST: Final = 400


def fewer(rows: int, scale: int) -> int:
    """Return the rows of a data set at a scale: not fewer than 400, unless there are fewer."""
    return max(rows // scale, min(rows, _FEWEST))


def pair(
    generate: Callable[..., Any],
    tuned: Size,
    held_out: Size,
    *,
    after: Callable[[Any], Any] | None = None,
    seed: int | None = None,
    **fields: Any,  # noqa: ANN401
) -> list[Problem]:
    """Return both members of a kind of data.

    Parameters
    ----------
    generate : callable
        (rows, seed, **keywords) -> data.
    tuned, held_out : tuple
        Name, rows, keywords.
    after : callable, optional
        Changes the data.
    seed : int, optional
        Seed of the tuned member; by default each member's follows from its name.
    **fields
        Of `Problem`.
    """
    problems = []
    for member, (name, rows, size) in zip(MEMBERS, (tuned, held_out), strict=True):
        own = seed if seed is not None and member == "tuned" else crc32(name.encode())
        build = _builder(generate, rows, own, size, after)
        problems.append(Problem(name, build, member=member, **fields))
    return problems


def _builder(
    generate: Callable[..., Any],
    rows: int,
    seed: int,
    size: Mapping[str, Any],
    after: Callable[[Any], Any] | None,
) -> Callable[[int], Any]:
    def build(scale: int) -> Any:  # noqa: ANN401
        if "fits" in size:  # a smaller loop has fewer fits, not smaller ones
            data = generate(rows, seed, **{**size, "fits": max(20, size["fits"] // scale)})
        else:
            data = generate(fewer(rows, scale), seed, **size)
        return data if after is None else after(data)

    return build
