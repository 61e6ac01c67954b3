r"""Scopes of a text: from a second definition of a name on, the first one counts no more.

Posts derive linear regression and then logistic regression, both with ``h`` and ``J``. A line that
is not judged by the definitions of the whole text is judged by those of its own scope.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from chainrule.teaching.grading.line_verdicts import Verdict
from chainrule.teaching.marking.posted_notation import in_plain_notation
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs, statements

MOST_SCOPES = 3
"""The most scopes of one text that are judged apart."""

_UNSETTLED = ("unreadable", "unproven")
_NAME = re.compile(r"[\s$&]*(\\?[A-Za-z]+(?:_(?:\\?\w+|\{[^{}]*\}))?)\s*(\([^()=]*\))?[\s&]*")


def scopes(text: str, lines: Sequence[Verdict]) -> list[tuple[int, int, str]]:
    r"""Return the scopes behind the first: the first row, the row after the last, the text.

    A scope opens at a definition that was not read, of a name that is defined before, and at one
    with other arguments: ``\ell(p)`` behind ``\ell(\mu, \sigma)``. Its text keeps its rows;
    those of the other scopes are empty.

    Parameters
    ----------
    text : str
        The text, without layout.
    lines : sequence of Verdict
        The verdicts by the whole text.

    Returns
    -------
    list of tuple of int, int and str
    """
    unsettled = {line.line for line in lines if line.verdict in _UNSETTLED}
    if not unsettled:
        return []
    rows = text.split("\n")
    starts: list[int] = []
    seen: dict[str, str] = {}
    for said in statements(in_plain_notation(text)):
        name, arguments = _defined(said)
        again = name in seen and (
            said.line in unsettled
            or ("" not in (arguments, seen[name]) and arguments != seen[name])
        )
        if name and again and len(starts) < MOST_SCOPES:
            starts.append(said.line)
            seen.clear()
        if name:
            seen.setdefault(name, arguments)
    ends = [*starts[1:], len(rows) + 1] if starts else []
    return [
        (start, end, "\n".join(row if start <= at < end else "" for at, row in enumerate(rows, 1)))
        for start, end in zip(starts, ends, strict=True)
    ]


def merged(
    whole: Iterable[Verdict], own: Sequence[Verdict], start: int, end: int
) -> tuple[Verdict, ...]:
    """Return verdicts in which a scope settles what the whole text leaves open."""
    whole = list(whole)
    refused = any(line.line == start and line.verdict in _UNSETTLED for line in whole)
    kept = [line for line in whole if not start <= line.line < end]
    for number in sorted({line.line for line in (*whole, *own) if start <= line.line < end}):
        before = [line for line in whole if line.line == number]
        after = [line for line in own if line.line == number]
        settled = bool(before) and all(line.verdict not in _UNSETTLED for line in before)
        proven = bool(after) and all(line.verdict == "proven" for line in after)
        kept += before if settled or not (refused or proven) else after
    return tuple(sorted(kept, key=lambda line: line.line))


def _defined(said: TranscriptStatement) -> tuple[str, str]:
    """Return the name on the left of a statement, and its arguments; empty for none."""
    cuts = [] if said.code or said.continues else equals_signs(said.text)
    match = _NAME.fullmatch(said.text[: cuts[0]]) if cuts else None
    if match is None:
        return "", ""
    return re.sub(r"[{}\s]", "", match[1]), re.sub(r"\s", "", match[2] or "")


__all__ = ["merged", "scopes"]
