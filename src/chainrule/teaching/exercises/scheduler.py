"""Scheduling of exercises by spaced repetition (Leitner boxes), with a reason per choice.

Every derivative rule has a box. A right answer without hints moves the rules that it used one box
up, a wrong one puts them back into box 0. A rule that went wrong comes again after a question on
something else; a rule in box k is due after 3 times 2^k other questions. When nothing is due, the
next exercise of the bank is asked until it was right twice, taking turns with the one after it, and
after three right answers in a row a harder one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from chainrule.calculus.graph.node import Apply, Expr, walk
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.history import Answer

TOP_BOX = 5
PAUSE = 1
NEAR = 4
"""The number of easiest exercises among which the least seen one is taken."""

SPACING = 3
IN_A_ROW = 3
LEAP = 4
RIGHT = 2
"""The right answers that an exercise needs; one with a single kind of question needs one."""

FIRST = ("factor", "gradient")
"""The kinds of question that a new exercise begins with."""


@dataclass
class LeitnerBox:
    """The results of one rule so far."""

    box: int = 0
    seen: int = 0
    missed: int = 0
    last: int = -1

    def due(self, now: int) -> bool:
        """Whether the rule is due again."""
        since = now - self.last - 1
        if self.missed and self.box == 0:
            return since >= PAUSE
        return self.missed > 0 and since >= SPACING * 2**self.box


@dataclass(frozen=True)
class ScheduledExercise:
    """The next exercise, and the reason for it.

    Parameters
    ----------
    exercise : Exercise
        The exercise of the bank.
    kinds : tuple of str
        Kinds of question, the wanted ones first.
    rule : str
        The rule that it is for, or nothing.
    times : int
        How often the exercise was answered before; a variant is due when it was.
    why : str
        In one sentence.
    """

    exercise: Exercise
    kinds: tuple[str, ...]
    rule: str
    times: int
    why: str


def boxes(history: Iterable[Answer]) -> dict[str, LeitnerBox]:
    """Return the Leitner box of every rule, by replaying the answers.

    Examples
    --------
    >>> right, wrong = (Answer("e", "k", 0, ("log rule",), r) for r in (True, False))
    >>> found = boxes([right, wrong, right, right])["log rule"]
    >>> found.box, found.seen, found.missed
    (2, 4, 1)
    """
    found: dict[str, LeitnerBox] = {}
    for number, answer in enumerate(history):
        for rule in answer.rules:
            box = found.setdefault(rule, LeitnerBox())
            box.seen += 1
            box.last = number
            if not answer.right:
                box.box = 0
                box.missed += 1
            elif not answer.hints:
                box.box = min(box.box + 1, TOP_BOX)
    return found


class Scheduler:
    """Chooses the next exercise.

    Parameters
    ----------
    pool : sequence of Exercise
        To choose from, easiest first.
    kinds : sequence of str
        The kinds of question to choose from.
    rng : Random
        Where choices come from that do not matter.
    """

    def __init__(self, pool: Sequence[Exercise], kinds: Sequence[str], rng: Random) -> None:
        self.pool = pool
        self.kinds = tuple(kinds)
        self.rng = rng
        self._rules: dict[str, frozenset[str]] = {}

    def choose(self, history: Sequence[Answer], skipped: Iterable[str] = ()) -> ScheduledExercise:
        """Choose the next exercise.

        Parameters
        ----------
        history : sequence of Answer
            The answers so far.
        skipped : iterable of str
            Exercises that shall not come now.
        """
        left = [e for e in self.pool if e.id not in set(skipped)] or list(self.pool)
        last = history[-1].exercise if history else ""
        others = [e for e in left if e.id != last] or left
        for rule, box in self._due(history):
            why = _because(rule, box)
            found = self._with_rule(others, rule, history)
            if found is not None:
                return self._choice(found, history, why, rule)
            kind = next(a.kind for a in reversed(history) if rule in a.rules)
            if kind in self.kinds:  # no derivative rule: what is asked for is the way of asking
                least = min(others[:NEAR], key=lambda e: _times(e, history))
                return self._choice(least, history, why, kinds=(kind,))
        return self._new(others, history)

    def _due(self, history: Sequence[Answer]) -> list[tuple[str, LeitnerBox]]:
        found = [(rule, box) for rule, box in boxes(history).items() if box.due(len(history))]
        return sorted(found, key=lambda pair: (pair[1].box, -pair[1].missed, pair[1].last))

    def _with_rule(
        self, exercises: Sequence[Exercise], rule: str, history: Sequence[Answer]
    ) -> Exercise | None:
        """Return exercises with a rule: among the easiest few, the least seen first."""
        found: list[Exercise] = []
        for exercise in exercises:
            if rule in self.rules(exercise):
                found.append(exercise)
            if len(found) == NEAR:
                break
        return min(found, key=lambda e: _times(e, history), default=None)

    def _new(self, exercises: Sequence[Exercise], history: Sequence[Answer]) -> ScheduledExercise:
        right = Counter(answer.exercise for answer in history if answer.right)
        left = [e for e in exercises if right[e.id] < (1 if e.kinds else RIGHT)]
        if not left:
            chosen = min(exercises, key=lambda e: _times(e, history))
            return self._choice(chosen, history, "all were right; this one is a variant")
        row = history[-IN_A_ROW:]
        if len(row) == IN_A_ROW and all(answer.right and not answer.hints for answer in row):
            ahead = min(LEAP, len(left) - 1)
            why = f"{IN_A_ROW} right in a row: a step ahead" if ahead else "the last new one"
            return self._choice(left[ahead], history, why)
        if not _times(left[0], history):
            return self._choice(left[0], history, "new: the next in the bank")
        why = "right once: another side of it" if right[left[0].id] else "not right yet: once more"
        return self._choice(left[0], history, why)

    def _choice(
        self,
        exercise: Exercise,
        history: Sequence[Answer],
        why: str,
        rule: str = "",
        kinds: Sequence[str] = (),
    ) -> ScheduledExercise:
        asked = [a.kind for a in history if a.exercise == exercise.id]
        names = list(exercise.kinds) or list(self.kinds)
        self.rng.shuffle(names)
        first = () if exercise.kinds else [k for k in FIRST if k in names and k not in asked]
        fresh = [k for k in names if k not in asked]
        order = tuple(dict.fromkeys([*kinds, *first, *fresh, *names]))
        return ScheduledExercise(exercise, order, rule, _times(exercise, history), why)

    def rules(self, exercise: Exercise) -> frozenset[str]:
        """Return the rules of the operations on the way to the asked variables."""
        if exercise.id not in self._rules:
            moved: set[Expr] = {exercise.model.symbol(name) for name in exercise.variables}
            found: set[str] = set()
            for definition in exercise.model.definitions:
                for node in walk(definition.value):
                    if isinstance(node, Apply) and moved.intersection(node.args):
                        moved.add(node)
                        found.add(node.op.rule)
                if definition.value in moved:
                    moved.add(definition.target)
            self._rules[exercise.id] = frozenset(found)
        return self._rules[exercise.id]


def _times(exercise: Exercise, history: Sequence[Answer]) -> int:
    return sum(answer.exercise == exercise.id for answer in history)


def _because(rule: str, box: LeitnerBox) -> str:
    times = f"{box.missed} of {box.seen} times" if box.seen > 1 else "last time"
    name = f"the {rule}" if rule.endswith("rule") else f"“{rule}”"
    if box.box == 0:
        return f"{name} went wrong {times}; here it is again"
    return f"{name} went wrong {times}; it is time to see whether it stays"
