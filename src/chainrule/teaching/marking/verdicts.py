"""Verdicts on answers and explanations of wrong ones, as plain data and as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from chainrule.calculus.graph.dims import Shape
from chainrule.display import DisplayedAsPage


@dataclass(frozen=True)
class NamedMistake:
    """A mistake that explains an answer.

    Parameters
    ----------
    name : str
        The name in the catalogue.
    step : str
        The step in which it was made.
    message : str
        The mistake in a sentence.
    """

    name: str
    step: str
    message: str

    def __str__(self) -> str:
        return f"{self.name} ({self.step}): {self.message}"


Explanation: TypeAlias = tuple[NamedMistake, ...]
"""One mistake, or several made together."""


@dataclass(frozen=True)
class Diagnosis:
    """The explanations of a wrong answer; none is asserted to be the one that was made.

    Parameters
    ----------
    explanations : tuple of tuple of NamedMistake
        Each gives exactly this answer by itself; a pair is two mistakes made together.
    more : int
        The number of further explanations.
    complete : bool
        Whether everything was tried that there is to try.
    """

    explanations: tuple[Explanation, ...] = ()
    more: int = 0
    complete: bool = True

    @property
    def mistakes(self) -> tuple[NamedMistake, ...]:
        """The mistakes of all explanations, each once."""
        return tuple(dict.fromkeys(m for found in self.explanations for m in found))

    @property
    def tied(self) -> int:
        """The number of explanations."""
        return len(self.explanations) + self.more

    @property
    def head(self) -> str:
        """The sentence about all explanations together."""
        cut = "" if self.complete else "; not every pair of mistakes was tried"
        if not self.explanations:
            return f"no known mistake gives exactly this{cut}"
        if self.tied > 1:
            return "each of these gives exactly this answer; it does not tell which was made"
        together = len(self.explanations[0]) > 1
        return f"these together give exactly this answer{cut}" if together else _ONE

    @property
    def lines(self) -> list[str]:
        """One line per explanation."""
        said = ["; and ".join(map(str, explanation)) for explanation in self.explanations]
        return [*said, f"{self.more} more"] if self.more else said

    @property
    def paragraphs(self) -> list[str]:
        """The explanations in several lines."""
        if self.tied == 1 and len(self.explanations[0]) == 1:
            return [self.lines[0], self.head]
        if self.tied == 1:
            return [f"{self.head}:", *(f"- {mistake}" for mistake in self.explanations[0])]
        return (
            [f"{self.head}:", *(f"- {line}" for line in self.lines)] if self.tied else [self.head]
        )

    def __str__(self) -> str:
        """Return the explanations in one line."""
        if self.tied == 1:
            return f"{self.lines[0]} ({self.head})"
        return f"{self.head}: {'; or '.join(self.lines)}" if self.explanations else self.head

    def data(self) -> list[dict[str, str]]:
        """Return every mistake; companions and ties are in its message."""
        found = []
        for explanation in self.explanations:
            for mistake in explanation:
                said = [mistake.message]
                others = [other.name for other in explanation if other is not mistake]
                if others:
                    said.append(f"together with: {', '.join(others)}")
                if self.tied > 1:
                    said.append(f"one of {self.tied} explanations of exactly this answer")
                message = "; ".join(said)
                found.append({"name": mistake.name, "step": mistake.step, "message": message})
        return found


_ONE = "this gives exactly this answer"
NOTHING = Diagnosis()


@dataclass(frozen=True, repr=False)
class Grade(DisplayedAsPage):
    """The verdict on an answer; shown as text or in a notebook it does not tell the right one.

    Parameters
    ----------
    verdict : str
        ``correct``, ``correct_other_form``, ``wrong``, ``wrong_shape``, ``unreadable``, ``unsure``.
    understood : str
        What was read, typeset; the place of the error when it was unreadable.
    shape : Shape or None
        The shape of the answer.
    method : str
        The verification method that decided.
    why : str
        The evidence, or the reason, in a sentence.
    diagnosis : Diagnosis
        The explanations of a wrong answer.
    short_form : str
        The right answer as one would write it.
    numbers : tuple of float
        The right value and the answer's value at one place, where they differ.
    """

    verdict: str
    understood: str = ""
    shape: Shape | None = None
    method: str = ""
    why: str = ""
    diagnosis: Diagnosis = NOTHING
    short_form: str = ""
    numbers: tuple[float, float] | None = None

    def __repr__(self) -> str:
        return f"Grade({self.verdict!r}, understood={self.understood!r}, said={self.said!r})"

    @property
    def correct(self) -> bool:
        """Whether the answer is right, in this form or another."""
        return self.verdict.startswith("correct")

    @property
    def mistakes(self) -> tuple[NamedMistake, ...]:
        """Every named mistake."""
        return self.diagnosis.mistakes

    @property
    def said(self) -> str:
        """The feedback in one line, without the right answer."""
        if self.correct:
            return "right" if self.verdict == "correct" else f"right, in another form: {self.why}"
        if not self.verdict.startswith("wrong"):
            return self.why or self.understood
        return "; ".join(part for part in (str(self.diagnosis), self.evidence) if part)

    @property
    def lines(self) -> list[str]:
        """The feedback for a wrong answer in several lines."""
        return (
            [*self.diagnosis.paragraphs, self.evidence]
            if self.evidence
            else self.diagnosis.paragraphs
        )

    @property
    def evidence(self) -> str:
        """Two numbers that differ, where a wrong answer has them."""
        if self.numbers is None:
            return self.why
        right, found = self.numbers
        return f"at one sample point this is {found:.4g}, and the gradient is {right:.4g}"

    def data(self) -> dict[str, Any]:
        """Return the grade as plain data, as ``--json`` prints it."""
        return {
            "verdict": self.verdict,
            "understood": self.understood,
            "shape": None if self.shape is None else [str(dim) for dim in self.shape],
            "rung": self.method,
            "mistakes": self.diagnosis.data(),
            "short_form": self.short_form,
        }
