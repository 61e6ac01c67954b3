"""Verdicts by values, for lines that the forward pass of a text does not reach.

A posted text seldom declares its shapes and may leave names open. Its lines are then evaluated as
they stand, under every plausible reading (`teaching.marking.by_value`).
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import replace
from math import isfinite

from chainrule.errors import ChainruleError
from chainrule.teaching.grading.corroboration import Declared, guarded
from chainrule.teaching.grading.line_verdicts import FOLLOWS, Verdict
from chainrule.teaching.marking.by_value.claims import FOR_NUMBERS, Judged, by_value
from chainrule.teaching.marking.code_by_value.definitions import defining_rows
from chainrule.teaching.marking.code_by_value.judge import NO_LOSS, OTHER_READING
from chainrule.teaching.marking.code_by_value.source import is_code
from chainrule.teaching.marking.code_verdicts import code_judged, is_program
from chainrule.teaching.marking.posted_notation import in_plain_notation

NOTHING = Declared()
_UNDECIDED = ("unreadable", "unproven")
_CLASS = re.compile(r"_\{?\s*[a-z]_\{?[a-z]\}?\s*\}?")
"""The index of the class of an example, as in ``w_{y_i}``."""

_ERROR_LEFT = re.compile(r"[\s$&]*(?:\\delta|δ)(?:[_^](?:\{[^{}]*\}|\w))*[\s&]*=")

_TIMED = re.compile(r"(?<![A-Za-z\\])(\\?[A-Za-z]+)_\{\s*t\s*[-+]\s*1\s*\}")


def with_values(
    lines: Sequence[Verdict], text: str, *, failed: bool, declared: Declared = NOTHING
) -> tuple[Verdict, ...]:
    """Judge by values what was not read, and clear what a plausible reading makes right.

    Parameters
    ----------
    lines : sequence of Verdict
        The verdicts by the forward pass.
    text : str
        The text, without layout.
    failed : bool
        Whether the text has no forward pass.
    declared : Declared
        What it says of its shapes.
    """
    open_lines = {line.line for line in lines if line.verdict in _UNDECIDED or line.accused}
    if not (open_lines or failed):
        return tuple(lines)
    open_lines |= _rows_of_errors(text) - {line.line for line in lines}
    found: dict[int, list[Judged]] = {}
    values = _judged(text, None if failed else open_lines)
    for judged in values:
        found.setdefault(judged.line, []).append(judged)
    kept: list[Verdict] = []
    known = {line.line for line in lines}
    errors = {at for at in found if at in _rows_of_errors(text) and at not in known}
    numbers = sorted(known | (set(found) if failed else errors))
    timed = {match[1] for match in _TIMED.finditer(in_plain_notation(text))}
    for number in numbers:
        here = [line for line in lines if line.line == number]
        for line in _merged(here, found.get(number, [])):
            kept.append(_held_back(line, timed))
    return guarded(kept, values, declared)


def _rows_of_errors(text: str) -> frozenset[int]:
    r"""Return the rows that give a value to an error, ``\delta_k = y_k - t_k``."""
    rows = enumerate(text.split("\n"), 1)
    return frozenset(at for at, row in rows if _ERROR_LEFT.match(row))


def _held_back(line: Verdict, timed: set[str]) -> Verdict:
    """Return a verdict without an accusation that rests on an index which may mean another thing.

    Parameters
    ----------
    line : Verdict
    timed : set of str
        The names whose index is a time somewhere in the text: ``h`` beside ``h_{t-1}``.
    """
    if not line.accused:
        return line
    if line.numbers is not None and not all(map(isfinite, line.numbers)):
        why = "a side of this line has no finite value as it is read here; write its powers in full"
        return replace(line, verdict="unproven", why=why, mistakes=(), right="", sign=0)
    mixed = [
        name
        for name in timed
        if re.search(rf"(?<![A-Za-z]){re.escape(name)}_\{{?[a-su-z]\}}?(?![\w,])", line.text)
    ]
    if mixed and "=" in line.text:
        why = f"the index of {mixed[0]} is a time and a place here; write both, as in h_{{t,j}}"
        return replace(line, verdict="unproven", why=why, mistakes=(), right="", sign=0)
    return line


def _merged(here: list[Verdict], values: list[Judged]) -> list[Verdict]:
    """Return the verdicts of one line from those by the forward pass and those by values."""
    if not values or (here and all(_is_settled(line) for line in here)):
        return here
    if not here:
        return [_verdict(judged) for judged in values]
    if len(here) == len(values):
        return [_one(*both) for both in zip(here, values, strict=True)]
    if any(line.accused for line in here):
        if all(judged.usual for judged in values):
            return [_verdict(judged) for judged in values]
        right = next((judged for judged in values if judged.verdict == "proven"), None)
        if right is not None and all(judged.verdict == "proven" for judged in values):
            return [_doubtful(line, right) if line.accused else line for line in here]
        return here
    if all(judged.verdict != "unproven" for judged in values):
        return [_verdict(judged) for judged in values]
    return here


def _is_settled(line: Verdict) -> bool:
    return line.verdict not in _UNDECIDED and not line.accused


def _one(line: Verdict, judged: Judged) -> Verdict:
    if _is_settled(line):
        return line
    if not line.accused:
        return line if judged.verdict == "unproven" else _verdict(judged)
    if judged.verdict == "proven":
        return _verdict(judged) if judged.usual else _doubtful(line, judged)
    if judged.verdict == "wrong" and line.verdict in ("scope", "shape") and not line.mistakes:
        return _verdict(judged)
    if judged.why == FOR_NUMBERS and line.verdict == "shape":
        return replace(_verdict(judged), why=judged.why)
    if _CLASS.search(line.text) and line.verdict in ("scope", "shape"):
        why = "the index of a class is not followed here; write its sum out, or its indicator"
        return replace(line, verdict="unproven", why=why, mistakes=(), right="", sign=0)
    return line


def _doubtful(line: Verdict, judged: Judged) -> Verdict:
    """Return an accused line that another reading of its names makes right."""
    _, _, note = judged.why.partition("; read with ")
    meant = f"with {note}" if note else "where its names are numbers"
    why = f"not right as it is read first, and right {meant}; say on a line above which is meant"
    return Verdict(line.line, line.text, "unproven", why)


def _verdict(judged: Judged) -> Verdict:
    return Verdict(
        judged.line,
        judged.text,
        judged.verdict,
        judged.why,
        sign=judged.sign,
        numbers=judged.numbers,
    )


def _judged(text: str, lines: Container[int] | None = None) -> list[Judged]:
    try:
        return by_value(text, lines)
    except ChainruleError:
        return []


def by_values_alone(text: str) -> tuple[Verdict, ...] | None:
    """Judge a text without a forward pass; None where no line is decided."""
    judged = _judged(text)
    if all(one.verdict == "unproven" for one in judged):
        return None
    return guarded([_verdict(one) for one in judged], judged, NOTHING)


def with_code(lines: Sequence[Verdict], text: str) -> tuple[Verdict, ...]:
    """Judge the gradients in the code of a text by differences of its loss.

    Parameters
    ----------
    lines : sequence of Verdict
        The verdicts by the forward pass and by values.
    text : str
        The text as posted.
    """
    kept = list(lines)
    found = code_judged(text)
    undecided = all(one.why == NO_LOSS for one in found)
    by_chain_rule = undecided and any(line.verdict == "proven" for line in lines)
    code = is_code(text) and not by_chain_rule
    if found and code:  # its rows are no equations: only what agrees with them counts
        program = is_program(text)
        lines, kept = (), [line for line in kept if line.verdict == "proven" and not program]
    settled = (OTHER_READING, NO_LOSS)
    open_rows = [one for one in found if one.verdict == "unproven" and one.why not in settled]
    doubtful = {one.line for one in open_rows}
    defining = defining_rows(text) if kept else frozenset()
    if any(line.accused for line in kept):
        doubtful |= defining
    if found:  # a row that gives a value claims nothing; one that is not read is among the found
        kept = [line for line in kept
                if line.verdict not in _UNDECIDED or line.line not in defining]  # fmt: skip
    kept = [_spared(line) if line.accused and line.line in doubtful else line for line in kept]
    for judged in found:
        here = [line for line in kept if line.line == judged.line]
        agreed = all(line.verdict in ("proven", FOLLOWS) for line in here)
        proven = bool(here) and agreed and not code
        accused = any(line.accused for line in here)
        unread = all(line.verdict in _UNDECIDED for line in here)
        match judged.verdict:
            case "proven" | "follows":
                changes = not proven
            case "wrong":
                changes = not accused and (judged.sure or not proven)
            case _:
                changes = unread and (
                    (not here and (judged.why != NO_LOSS or not lines))
                    or any(line.verdict == "unreadable" for line in here)
                )
        if changes:
            kept = [line for line in kept if line.line != judged.line]
            kept.append(Verdict(judged.line, judged.text, judged.verdict, judged.why,
                                sign=1 if judged.verdict == "wrong" else 0,
                                numbers=judged.numbers))  # fmt: skip
    return tuple(sorted(kept, key=lambda line: line.line))


def _spared(line: Verdict) -> Verdict:
    """Return an accused line of code as one that its values do not settle."""
    return Verdict(line.line, line.text, "unproven",
                   "the shapes inferred for the text refute it, and the code as it stands "
                   "does not")  # fmt: skip


def by_code_alone(text: str, *, undecided: bool = False) -> tuple[Verdict, ...] | None:
    """Judge the code of a text without a forward pass; None where no row is decided.

    Parameters
    ----------
    text : str
        The text as posted.
    undecided : bool
        Whether rows that are read and not decided are enough.
    """
    lines = with_code((), text)
    if not lines or (not undecided and all(line.verdict == "unproven" for line in lines)):
        return None
    return lines
