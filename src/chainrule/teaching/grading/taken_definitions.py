"""Audits with a definition that a text leaves out: the one that makes the most lines right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol, TypeVar

from chainrule.errors import ChainruleError
from chainrule.teaching.grading.line_verdicts import FOLLOWS, Verdict
from chainrule.teaching.marking.by_value.points import SPENT

MOST = 8
"""The most definitions that are tried."""

FRUITLESS = 4
"""The most definitions that are tried while none makes a line right."""

MANY_RIGHT = 2
"""How many right lines per wrong one bear a definition out."""

_UNDECIDED = ("unreadable", "unproven")


class Judged(Protocol):
    """A text with a verdict per line."""

    @property
    def lines(self) -> tuple[Verdict, ...]:
        """The verdicts."""


Found = TypeVar("Found", bound=Judged)


def most_right(
    candidates: Iterable[tuple[str, str]],
    judge: Callable[[str], Found],
    *,
    fruitless: int = FRUITLESS,
) -> tuple[Found, str, str] | None:
    """Return the audit with the most right lines, its note and its text; None where none has any.

    Parameters
    ----------
    candidates : iterable of tuple of str and str
        Texts with one more definition, each with the note that says so. The first with nearly
        every line right and none wrong is taken.
    judge : callable
        The audit of a text.
    fruitless : int
        How many definitions are tried of which none makes a line right.
    """
    best: tuple[Found, str, str] | None = None
    most = 0
    for number, (text, note) in enumerate(islice(candidates, MOST)):
        try:
            found = judge(text)
        except (ChainruleError, RecursionError):
            continue
        right = right_in(found.lines)
        wrong = sum(line.accused for line in found.lines)
        if right > most:
            most, best = right, (found, note, text)
        nearly = right >= MANY_RIGHT * (len(found.lines) - right)
        spent = any(line.why == SPENT for line in found.lines)
        if not most and number + 1 >= fruitless:
            break
        if spent or (right and nearly and (not wrong or number)):
            break
    return best


def is_borne_out(lines: Sequence[Verdict], before: Sequence[Verdict]) -> bool:
    """Whether a definition makes more lines right, and is not what makes others wrong.

    Parameters
    ----------
    lines : sequence of Verdict
        The verdicts with it.
    before : sequence of Verdict
        The verdicts without it.
    """
    wrong = sum(line.accused for line in lines) - sum(line.accused for line in before)
    right = right_in(lines)
    return right > right_in(before) and (wrong <= 0 or right >= MANY_RIGHT * wrong)


def right_in(lines: Iterable[Verdict]) -> int:
    """Return the number of right lines."""
    return sum(line.verdict in ("proven", FOLLOWS) for line in lines)


def is_open(lines: Iterable[Verdict]) -> bool:
    """Whether some line is not decided."""
    return any(line.verdict in _UNDECIDED for line in lines)


def noted(
    lines: Iterable[Verdict], note: str, before: Iterable[Verdict] = ()
) -> tuple[Verdict, ...]:
    """Return lines whose evidence quotes the definition that was taken, where it decides them.

    Parameters
    ----------
    lines : iterable of Verdict
        The verdicts with the definition.
    note : str
        The definition that was taken, in words.
    before : iterable of Verdict
        The verdicts without it; what these settle needs no note.
    """
    settled = {(line.line, line.text) for line in before if line.verdict not in _UNDECIDED}
    return tuple(
        line
        if line.verdict in _UNDECIDED or (line.line, line.text) in settled
        else replace(line, why=f"{line.why}; {note}")
        for line in lines
    )


__all__ = ["is_borne_out", "is_open", "most_right", "noted", "right_in"]
