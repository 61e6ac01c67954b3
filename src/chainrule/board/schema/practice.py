"""Questions, replies and progress, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chainrule.board.schema.passes import Formula, Forward, Line


@dataclass(frozen=True)
class AnswerRecord:
    """One answered question, as the history holds it."""

    exercise: str
    kind: str
    seed: int
    rules: tuple[str, ...]
    right: bool
    hints: int = 0
    at: str = ""
    skills: tuple[str, ...] = ()
    blamed: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True)
class QuestionArgs:
    """The history so far, and the choice of exercises."""

    history: tuple[AnswerRecord, ...] = ()
    seed: int = 0
    topic: str = ""
    level: str = ""
    kinds: tuple[str, ...] = ()
    exercise: str = ""
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class CircuitValue:
    """One value of a circuit; a question mark where a number is asked for."""

    name: str
    formula: str
    value: str
    gradient: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class CircuitInfo:
    """A computational graph with numbers, in the order of computation."""

    nodes: tuple[CircuitValue, ...]
    output: str


@dataclass(frozen=True)
class Block:
    """A block of a question: ``prose``, ``equation``, ``code``, ``forward`` or ``circuit``."""

    type: Literal["prose", "equation", "code", "forward", "circuit"]
    text: str = ""
    line: Line | None = None
    label: str = ""
    note: str = ""
    forward: Forward | None = None
    circuit: CircuitInfo | None = None


@dataclass(frozen=True)
class QuestionInfo:
    """A question; `ticket` names it, so that the same question can be made again.

    `labels` has the words beside the field of each choice, where an answer has several fields.
    """

    ticket: str
    exercise: str
    title: str
    kind: str
    task: str
    why: str
    forward: Block
    prompt: tuple[Block, ...]
    options: tuple[Block, ...]
    reader: str
    choices: tuple[str, ...]
    labels: tuple[str, ...]
    hints: int
    rules: tuple[str, ...]
    text: str
    wrt: str


@dataclass(frozen=True)
class ReplyArgs:
    """An answer to the question of a ticket, after so many hints."""

    ticket: str
    answer: str
    hints: int = 0


@dataclass(frozen=True)
class PartInfo:
    """The mark of one part of an answer."""

    name: str
    held: bool
    answered: bool
    said: str


@dataclass(frozen=True)
class ReplyInfo:
    """The judgement of an answer; `record` joins the history at the first readable answer."""

    right: bool
    read: bool
    message: str
    lines: tuple[str, ...]
    understood: str
    understood_math: Formula | None
    credit: float
    record: AnswerRecord | None
    parts: tuple[PartInfo, ...] = ()


@dataclass(frozen=True)
class HintArgs:
    """Hint number 1, 2 or 3 of a question."""

    ticket: str
    number: int


@dataclass(frozen=True)
class HintInfo:
    """A hint."""

    hint: tuple[Block, ...]
    last: bool


@dataclass(frozen=True)
class ShowArgs:
    """The ticket of a question whose solution is wanted."""

    ticket: str
    hints: int = 0


@dataclass(frozen=True)
class Solution:
    """The solution; `record` counts the question as missed."""

    solution: tuple[Block, ...]
    record: AnswerRecord


@dataclass(frozen=True)
class ProgressArgs:
    """The history."""

    history: tuple[AnswerRecord, ...] = ()


@dataclass(frozen=True)
class RuleProgress:
    """The spaced-repetition box of one rule."""

    rule: str
    box: int
    seen: int
    missed: int


@dataclass(frozen=True)
class Progress:
    """Progress computed from the history of answers."""

    rules: tuple[RuleProgress, ...]
    answered: int
    right: int


@dataclass(frozen=True)
class NoArgs:
    """No arguments."""


@dataclass(frozen=True)
class NamedTitle:
    """A name and its title."""

    name: str
    title: str


@dataclass(frozen=True)
class TopicInfo:
    """A topic of the bank."""

    name: str
    title: str
    level: str
    exercises: tuple[NamedTitle, ...]


@dataclass(frozen=True)
class Topics:
    """The bank, and the kinds of question."""

    topics: tuple[TopicInfo, ...]
    kinds: tuple[NamedTitle, ...]
