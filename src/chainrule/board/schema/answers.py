"""Judged answers and audited lines, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.board.schema.kinds import Shape, Verdict
from chainrule.board.schema.passes import Formula, Forward


@dataclass(frozen=True)
class UnderstoodArgs:
    """A formula while it is typed."""

    text: str
    typed: str
    wrt: str = ""


@dataclass(frozen=True)
class Understood:
    """The formula that was read; says nothing on whether it is right."""

    ok: bool
    math: Formula | None
    shape: Shape | None
    message: str
    column: int


@dataclass(frozen=True)
class GradeArgs:
    """An answer to "what is the gradient with respect to `wrt`?"."""

    text: str
    wrt: str
    answer: str
    reveal: bool = False


@dataclass(frozen=True)
class MistakeInfo:
    """A mistake that reproduces a wrong answer."""

    name: str
    step: str
    message: str


@dataclass(frozen=True)
class TwoNumbers:
    """The right value and the answer's value at one place."""

    right: float | None
    yours: float | None


@dataclass(frozen=True)
class GradeInfo:
    """The verdict on an answer; `short_form` is empty unless it was asked for."""

    verdict: Verdict
    correct: bool
    said: str
    lines: tuple[str, ...]
    understood: Formula | None
    understood_text: str
    shape: Shape | None
    method: str
    mistakes: tuple[MistakeInfo, ...]
    numbers: TwoNumbers | None
    short_form: str


@dataclass(frozen=True)
class AuditArgs:
    """A transcript, and the forward pass where it has none of its own."""

    transcript: str
    text: str = ""


@dataclass(frozen=True)
class LineVerdict:
    """The verdict on one line of a transcript."""

    line: int
    text: str
    verdict: str
    accused: bool
    why: str
    mistakes: tuple[MistakeInfo, ...]
    right: str
    sign: int
    numbers: TwoNumbers | None


@dataclass(frozen=True)
class AuditInfo:
    """The verdicts on a transcript; `source` is all of its lines."""

    convention: str
    forward: Forward
    lines: tuple[LineVerdict, ...]
    source: tuple[str, ...]
