"""The history of practice: one record per answered question, and where records may be kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


@dataclass(frozen=True)
class Answer:
    """One answered question.

    Parameters
    ----------
    exercise, kind : str
        The identifier of the question.
    seed : int
        The seed of the variant; 0 for the exercise of the bank itself.
    rules : tuple of str
        The rules that it took.
    right : bool
        Whether the first answer was right.
    hints : int
        The number of hints before it.
    at : str
        When, in ISO format.
    skills : tuple of str
        The skills that it exercised.
    blamed : tuple of str
        The skills whose mistake was named; none for a right answer or an unnamed mistake.
    mistakes : tuple of str
        The names of the mistakes.
    """

    exercise: str
    kind: str
    seed: int
    rules: tuple[str, ...]
    right: bool
    hints: int = 0
    at: str = field(default_factory=_now)
    skills: tuple[str, ...] = ()
    blamed: tuple[str, ...] = ()
    mistakes: tuple[str, ...] = ()


class AnswerStore(Protocol):
    """A place that keeps answers: `PracticeLog` is one, in a file."""

    def history(self) -> list[Answer]:
        """Return all answers, oldest first."""

    def record(self, answer: Answer) -> None:
        """Store an answer."""
