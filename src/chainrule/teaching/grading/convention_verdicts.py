"""Verdicts before and in a convention: which lines it makes right, and which it makes wrong."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chainrule.teaching.grading.line_verdicts import FOLLOWS, OPEN, Verdict

Verdicts = list[Verdict | None]
"""A verdict per statement; None for one that is no claim."""


def cleared(first: Verdicts, again: Verdicts) -> list[int]:
    """Return which wrong lines, or lines that follow by a claim of their own, are right again."""
    return [
        number
        for number, (before, after) in enumerate(zip(first, again, strict=True))
        if before is not None
        and after is not None
        and (_is_accused(before) or (before.verdict == FOLLOWS and before.alone))
        and after.verdict == "proven"
    ]


def spoiled(first: Verdicts, again: Verdicts) -> bool:
    """Whether a convention makes a right line wrong."""
    return any(
        before is not None and after is not None and after.accused and not before.accused
        for before, after in zip(first, again, strict=True)
    )


def in_convention(before: Verdict | None, after: Verdict | None, note: str) -> Verdict | None:
    """Return the verdict in a convention; a line that is right in it alone says so."""
    if before is None or after is None or before.verdict == after.verdict == "proven":
        return before
    if after.verdict == "proven":
        return replace(after, why=note)
    if after.verdict in ("unreadable", "unproven"):
        return before  # read by a forward pass of its own
    return after


def accused(lines: Iterable[Verdict | None]) -> int:
    """Return how many lines are wrong, or do not hold for every objective where none is defined."""
    return sum(line is not None and _is_accused(line) for line in lines)


def faults(lines: Iterable[Verdict | None]) -> int:
    """Return how many lines are wrong, or follow from one that is."""
    return sum(line is not None and (line.accused or line.verdict == FOLLOWS) for line in lines)


def _is_accused(line: Verdict) -> bool:
    return line.accused or line.why == OPEN


__all__ = ["accused", "cleared", "faults", "in_convention", "spoiled"]
