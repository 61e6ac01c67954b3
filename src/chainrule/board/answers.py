"""The calls `understood`, `grade` and `audit`."""

from __future__ import annotations

from collections.abc import Iterable

from chainrule.board.coding import RequestError
from chainrule.board.formulas import formula, shape
from chainrule.board.forwards import forward_of, model_of
from chainrule.board.schema import (
    AuditArgs,
    AuditInfo,
    Forward,
    GradeArgs,
    GradeInfo,
    LineVerdict,
    MistakeInfo,
    TwoNumbers,
    Understood,
    UnderstoodArgs,
)
from chainrule.errors import ChainruleError, LimitError, ParseError
from chainrule.teaching.exercises.grading import grader_of
from chainrule.teaching.grading.audit import audit
from chainrule.teaching.grading.grader import Grader
from chainrule.teaching.grading.line_verdicts import Verdict
from chainrule.teaching.marking.verdicts import NamedMistake

MOST_LINES = 400
"""The most lines of a transcript on the board."""


NO_FORWARD = Forward("", "", (), (), (), (), (), (), ())
"""The forward pass of a text without one."""


def understood(args: UnderstoodArgs) -> Understood:
    """Read a formula while it is typed, without judging it."""
    grader = grader_of(args.text)
    wrt = args.wrt or _first(grader)
    if not args.typed.strip():
        return Understood(False, None, None, "", 0)
    try:
        expr = grader.read(wrt, args.typed)
    except ParseError as error:
        return Understood(False, None, None, error.message, error.column)
    return Understood(True, formula(expr, grader.model), shape(expr.shape), "", 0)


def grade(args: GradeArgs) -> GradeInfo:
    """Grade an answer; the right one is shown only when it is asked for."""
    grader = grader_of(args.text)
    wrt = args.wrt or _first(grader)
    found = grader.grade(wrt, args.answer)
    try:
        read = formula(grader.read(wrt, args.answer), grader.model)
    except ChainruleError:
        read = None
    return GradeInfo(
        found.verdict,  # type: ignore[arg-type]
        found.correct,
        found.said,
        (found.said,) if found.correct else tuple(found.lines),
        read,
        found.understood,
        None if found.shape is None else shape(found.shape),
        found.method,
        _mistakes(found.mistakes),
        None if found.numbers is None else TwoNumbers(*found.numbers),
        found.short_form if args.reveal else "",
    )


def audited(args: AuditArgs) -> AuditInfo:
    """Judge a transcript line by line."""
    source = args.transcript.splitlines()
    if len(source) > MOST_LINES:
        raise LimitError(
            f"the transcript has {len(source)} lines; at most {MOST_LINES} are read at once",
            line=MOST_LINES + 1,
        )
    found = audit(args.transcript, model_of(args.text) if args.text.strip() else None)
    return AuditInfo(
        found.convention,
        NO_FORWARD if found.model is None else forward_of(found.model),
        tuple(_verdict(each) for each in found.lines),
        tuple(source),
    )


def _verdict(found: Verdict) -> LineVerdict:
    return LineVerdict(
        found.line,
        found.text,
        found.verdict,
        found.accused,
        found.why,
        _mistakes(found.mistakes),
        found.right,
        found.sign,
        None if found.numbers is None else TwoNumbers(*found.numbers),
    )


def _mistakes(found: Iterable[NamedMistake]) -> tuple[MistakeInfo, ...]:
    return tuple(MistakeInfo(m.name, m.step, m.message) for m in found)


def _first(grader: Grader) -> str:
    """Return the variable that is meant where none is named."""
    for symbol in grader.model.parameters():
        return symbol.name
    raise RequestError('name the variable of the answer, as in "wrt": "w"')
