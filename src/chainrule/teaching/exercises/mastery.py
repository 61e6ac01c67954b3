"""Mastery of skills by Bayesian knowledge tracing, with the evidence behind each estimate.

The model is that of Corbett and Anderson (1995), Knowledge tracing: modeling the acquisition of
procedural knowledge, User Modeling and User-Adapted Interaction 4, 253-278. For each skill it keeps
the probability that the student has it. A right answer without hints counts for every skill of its
question, a wrong one against the skills of the named mistake alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from chainrule.teaching.exercises.history import Answer
from chainrule.teaching.exercises.skills import skill_named, skill_of_mistake

PRIOR = 0.3
"""The probability that a student has a skill before the first question on it."""

LEARNED = 0.15
"""The probability that a skill is learned at a question on it."""

SLIP = 0.1
"""The probability of a wrong answer by a student who has the skill."""

GUESSED = 0.05
"""The probability of a right answer without the skill, where nothing is to choose from."""

GUESSED_IN = {
    "verify": 0.5,
    "factor": 0.25,
    "rule": 0.25,
    "next": 0.25,
    "concept": 0.25,
    "wrong-line": 0.2,
    "debug": 0.2,
}
"""The same for kinds of question with options."""

MASTERED = 0.95
"""The probability from which on a skill counts as mastered, as in the paper."""

TOP_BOX = 5
SPACING = 3
PAUSE = 1


@dataclass
class Mastery:
    """Evidence of the answers about one skill.

    Parameters
    ----------
    skill : str
        Its name.
    probability : float
        The probability that the student has it.
    seen, missed : int
        The questions on it, and those whose mistake was one of this skill.
    box : int
        Its box of spaced repetition: a skill in box k is due after 3 times 2^k other questions.
    last : int
        The number of the last question on it.
    mistakes : Counter of str
        The names of its mistakes.
    """

    skill: str
    probability: float = PRIOR
    seen: int = 0
    missed: int = 0
    box: int = 0
    last: int = -1
    mistakes: Counter[str] = field(default_factory=Counter)

    @property
    def mastered(self) -> bool:
        """Whether the skill counts as mastered."""
        return self.probability >= MASTERED

    @property
    def evidence(self) -> str:
        """The evidence in words: ``you lost a sign in 4 of 6 answers``."""
        known = skill_named(self.skill)
        fault = f"missed “{self.skill}”" if known is None else known.fault
        if self.seen == 1:
            return f"you {fault} last time"
        return f"you {fault} in {self.missed} of {self.seen} answers"

    def due(self, now: int) -> bool:
        """Whether the skill went wrong, and is to be asked again."""
        since = now - self.last - 1
        if not self.missed:
            return False
        return since >= (PAUSE if self.box == 0 else SPACING * 2**self.box)

    def right(self, guess: float) -> None:
        """Count a right answer without hints."""
        known = self.probability * (1 - SLIP)
        self._learn(known / (known + (1 - self.probability) * guess))
        self.box = min(self.box + 1, TOP_BOX)

    def wrong(self, guess: float) -> None:
        """Count a mistake of this skill."""
        known = self.probability * SLIP
        self._learn(known / (known + (1 - self.probability) * (1 - guess)))
        self.box = 0
        self.missed += 1

    def _learn(self, probability: float) -> None:
        self.probability = probability + (1 - probability) * LEARNED


def masteries(history: Iterable[Answer]) -> dict[str, Mastery]:
    """Return the mastery of every skill that was asked, by replaying the answers.

    Examples
    --------
    >>> right = Answer("e", "gradient", 0, (), True, skills=("signs",))
    >>> wrong = Answer("e", "gradient", 0, (), False, skills=("signs",), blamed=("signs",))
    >>> found = masteries([wrong, right, right])["signs"]
    >>> found.evidence, found.box, round(found.probability, 2)
    ('you lost a sign in 1 of 3 answers', 2, 0.99)
    """
    found: dict[str, Mastery] = {}
    for number, answer in enumerate(history):
        guess = GUESSED_IN.get(answer.kind, GUESSED)
        for skill in dict.fromkeys((*answer.skills, *answer.blamed)):
            if not answer.right and skill not in answer.blamed:
                continue  # another mistake was made; nothing is said of this skill
            mastery = found.setdefault(skill, Mastery(skill))
            mastery.seen += 1
            mastery.last = number
            if answer.right and not answer.hints:
                mastery.right(guess)
            elif not answer.right:
                mastery.wrong(guess)
                own = [m for m in answer.mistakes if skill_of_mistake(m) in ("", skill)]
                mastery.mistakes.update(own)
    return found
