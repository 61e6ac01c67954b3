"""Simulated students: each answers questions in its own way, by what is known of a question."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from chainrule.teaching.exercises.content import Code
from chainrule.teaching.exercises.practice import PracticeSession
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.skills import skill_of_mistake

FORMULAS = ("formula", "maths", "code")


def right_answer(question: Question) -> str:
    """Return an answer that is right, as a student types it."""
    if question.key.reader != "code":
        return question.key.example
    code = next(block.text for block in reversed(question.solution) if isinstance(block, Code))
    name = f"d{question.key.wrt}"
    lines = dict(re.findall(r"^ +(\w+) = (.*?)(?:  #.*)?$", code, re.MULTILINE))
    value: str = lines[next(key for key in lines if key.lower() == name.lower() or key == name)]
    for key, text in reversed(list(lines.items())):
        if not text.startswith("cache["):
            value = re.sub(rf"\b{key}\b", f"({text})", value) if key != name else value
    return value


Corruption = Callable[[str], str]


@dataclass
class Student:
    """A student.

    Parameters
    ----------
    misconception : str
        The skill that always goes wrong; empty for none.
    corruption : callable
        The misconception in a formula.
    slips : float
        The probability of a slip: the sign of a formula, another option.
    guesses : bool
        Whether every answer is a guess.
    seed : int
        Seed of slips and guesses.
    """

    misconception: str = ""
    corruption: Corruption | None = None
    slips: float = 0.0
    guesses: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        self.rng = Random(self.seed)

    def answer(self, question: Question) -> str:
        """Return the answer to a question."""
        if self.guesses:
            return self._guess(question)
        if self.slips and self.rng.random() < self.slips:
            return self._slip(question)
        for wrong, name, _ in question.key.mistakes:
            if self.misconception and skill_of_mistake(name) == self.misconception:
                return wrong
        right = right_answer(question)
        if self.corruption is not None and question.key.reader in (*FORMULAS, "parts"):
            return self.corruption(right)
        return right

    def _slip(self, question: Question) -> str:
        if question.key.reader in FORMULAS:
            return f"-({right_answer(question)})"
        return self._guess(question)

    def _guess(self, question: Question) -> str:
        key = question.key
        if key.reader == "choice":
            return self.rng.choice("abcdefg"[: len(key.choices)])
        if key.reader == "line":
            return self.rng.choice(key.choices)
        if key.reader == "yes or no":
            return self.rng.choice(("yes", "no"))
        if key.mistakes:
            return self.rng.choice([key.answer, *(wrong for wrong, _, _ in key.mistakes)])
        if key.reader in FORMULAS:
            return f"{self.rng.choice((2, 3, 5, 7))} ({right_answer(question)})"
        return {
            "shape": "(9, 9)",
            "number": "7.7",
            "names": key.choices[0] if key.choices else "",
        }.get(key.reader, key.answer)


def study(student: Student, session: PracticeSession, count: int) -> list[Question]:
    """Let a student answer some questions; return them."""
    asked = []
    for _ in range(count):
        question = session.ask().question
        asked.append(question)
        found = session.reply(student.answer(question))
        if not found.read:
            session.show()
    return asked
