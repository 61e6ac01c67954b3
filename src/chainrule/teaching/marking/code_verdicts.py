"""Verdicts on the rows of code: of the program that it is, and of its rows by themselves.

A program that can be interpreted says itself what its gradients are of. What it does not reach, as
a function that nothing calls with known shapes, is judged by the shapes that its rows imply.
"""

from __future__ import annotations

from functools import lru_cache

from chainrule.teaching.marking.code_as_program.judging import (
    FEW,
    RowJudged,
    claimed_rows,
    rows_of_program,
)
from chainrule.teaching.marking.code_by_value.judge import CodeJudged
from chainrule.teaching.marking.code_by_value.judge import judged as by_value
from chainrule.teaching.marking.code_by_value.readings import FAULTS
from chainrule.teaching.marking.code_by_value.source import as_written

_DECIDED = ("proven", "wrong", "follows")


@lru_cache(maxsize=8)
def code_judged(text: str) -> tuple[CodeJudged, ...]:
    """Judge the gradients in the code of a text; empty where it has none.

    Parameters
    ----------
    text : str
        The text as posted.
    """
    rows = text.split("\n")
    program = _program(text)
    own = {line: _row(one, rows) for line, one in program.items() if 0 < line <= len(rows)}
    decided = {line for line, one in own.items() if one.verdict in _DECIDED}
    if decided and len(decided) == len(own) and _claimed(text) <= decided:
        return tuple(own[line] for line in sorted(own))
    merged = dict(own)
    doubted = {line for line, one in program.items() if one.sure and FEW in one.why}
    claimed = _claimed(text) if decided else set()
    for one in by_value(text):
        if (
            one.line in decided
            or one.line in doubted
            or (decided and one.verdict in ("wrong", "follows"))
        ):
            continue
        if decided and one.verdict == "unproven" and one.line not in claimed:
            continue  # the program was run past a row that only defines a value
        merged[one.line] = one
    return tuple(merged[line] for line in sorted(merged))


def is_program(text: str) -> bool:
    """Whether a text is a program of which a row was judged by running it."""
    return any(one.verdict in _DECIDED for one in _program(text).values())


@lru_cache(maxsize=8)
def _program(text: str) -> dict[int, RowJudged]:
    code = as_written(text)
    if code is None:
        return {}
    try:
        return rows_of_program(list(code.statements))
    except FAULTS:
        return {}


def _row(one: RowJudged, rows: list[str]) -> CodeJudged:
    return CodeJudged(one.line, rows[one.line - 1].strip(), one.verdict, one.why, one.numbers,
                      one.sure)  # fmt: skip


def _claimed(text: str) -> set[int]:
    """Return the rows that are named as gradients."""
    code = as_written(text)
    assert code is not None
    return claimed_rows(code.statements)


__all__ = ["code_judged", "is_program"]
