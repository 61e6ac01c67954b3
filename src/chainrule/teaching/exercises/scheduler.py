"""The tutor's choice of the next question, with its reason.

Five questions place the student on a level. After that three right answers in a row go up a level
and two wrong ones down. A skill whose mistake was named is asked again after another question, in
other kinds of question, and after it was put right after 6, 12, 24 ... others (spaced repetition,
Leitner boxes). An exercise that went wrong without a named mistake comes again. In between, kinds
of question take turns, and skills that are not mastered come first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from chainrule.teaching.exercises.exercise import LEVELS, Exercise
from chainrule.teaching.exercises.history import Answer
from chainrule.teaching.exercises.kinds import TEMPLATES
from chainrule.teaching.exercises.mastery import Mastery, masteries
from chainrule.teaching.exercises.skills import IN_CODE, OF_KIND, skills_of_model
from chainrule.teaching.exercises.templates.template import TemplateExercise

RIGHT = 2
"""The right answers after which an exercise comes as a variant."""

PLACED = 5
"""The number of questions that place a student."""

FIRST_LEVEL = 1
"""Placement begins at level B."""

TOP_PLACED = 4
"""Placement ends at level E at most; the last level is for curiosity, not for placement."""

UP, DOWN = 3, 2
"""Right answers in a row for the next level, wrong ones in a row for the one before."""

PLACING = ("gradient", "circuit", "gradient", "number", "gradient")
"""The kinds of the questions that place a student: nothing to choose from, nothing to guess."""

WHOLE = ("gradient", "number", "debug", "verify")
"""Kinds of question that take every skill of a gradient, those whose answers tell most first."""

EASIER = ("factor", "next", "rule", "wrong-line", "order")
"""Kinds of question for an exercise that went wrong: one line at a time."""

AGAIN = 2
"""The number of other questions before such an exercise comes again."""

LETTERS = tuple(letter for letter in LEVELS if letter != "G")
"""The levels by difficulty; level G asks about derivations of any level."""

ABOUT_DERIVATIONS = 3
"""The level with which exercises about derivations are asked: D."""

SPAN = 3
"""The least number of levels that placement needs."""


@dataclass(frozen=True)
class ScheduledExercise:
    """The next exercise, and the reason for it.

    Parameters
    ----------
    exercise : Exercise
        The exercise of the bank.
    kinds : tuple of str
        Kinds of question, the wanted ones first.
    times : int
        How often the exercise was answered before; a variant is due when it was.
    why : str
        In one sentence.
    skill : str
        The skill that it is for, or nothing.
    """

    exercise: Exercise
    kinds: tuple[str, ...]
    times: int
    why: str
    skill: str = ""


@dataclass(frozen=True)
class Standing:
    """The level of a student, and how many answers in a row were right or wrong."""

    level: int
    right: int = 0
    wrong: int = 0
    moved: str = ""

    @property
    def letter(self) -> str:
        """The letter of the level."""
        return LETTERS[self.level]


def standing(history: Iterable[Answer], *, placing: bool = True) -> Standing:
    """Return the level after some answers.

    Parameters
    ----------
    history : iterable of Answer
        The answers, oldest first.
    placing : bool, optional
        Whether the first five answers place the student.

    Examples
    --------
    >>> right, wrong = (Answer("e", "gradient", 0, (), r) for r in (True, False))
    >>> standing([right] * 5).letter, standing([wrong] * 5).letter
    ('D', 'A')
    >>> standing([right] * 8).letter, standing([right] * 5 + [wrong] * 2).letter
    ('E', 'C')
    """
    now = Standing(FIRST_LEVEL if placing else 0)
    for number, answer in enumerate(history, start=1):
        good = answer.right and not answer.hints
        if placing and number <= PLACED:
            level = now.level + (1 if good else -1 if not answer.right else 0)
            if number == PLACED:
                level -= 1  # what was reached once is practised from below
            now = Standing(min(max(level, 0), TOP_PLACED if number < PLACED else TOP_PLACED - 1))
        elif good:
            now = _up(now) if now.right + 1 == UP else Standing(now.level, now.right + 1)
        elif not answer.right:
            now = _down(now) if now.wrong + 1 == DOWN else Standing(now.level, 0, now.wrong + 1)
        else:
            now = Standing(now.level)
    return now


def _up(now: Standing) -> Standing:
    level = min(now.level + 1, len(LETTERS) - 1)
    return Standing(level, moved=f"{UP} right in a row: level {LETTERS[level]}")


def _down(now: Standing) -> Standing:
    level = max(now.level - 1, 0)
    return Standing(level, moved=f"{DOWN} wrong in a row: level {LETTERS[level]}")


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
        self.kinds = tuple(kinds)
        wanted = [e for e in pool if not set(e.kinds) or set(e.kinds) & set(self.kinds)]
        self.pool = tuple(wanted) or tuple(pool)
        self.rng = rng
        self.placing = len({e.level for e in self.pool}) >= SPAN
        self._skills: dict[str, tuple[str, ...]] = {}
        self._place = {exercise.id: place for place, exercise in enumerate(self.pool)}

    def choose(self, history: Sequence[Answer], skipped: Iterable[str] = ()) -> ScheduledExercise:
        """Choose the next exercise.

        Parameters
        ----------
        history : sequence of Answer
            The answers so far.
        skipped : iterable of str
            Exercises that shall not come now.
        """
        out = set(skipped)
        left = [e for e in self.pool if e.id not in out] or list(self.pool)
        last = history[-1].exercise if history else ""
        others = [e for e in left if e.id != last] or left
        found = masteries(history)
        now = standing(history, placing=self.placing)
        if self.placing and len(history) < PLACED:
            return self._placement(others, history, now)
        return (
            self._again(others, history, found, now)
            or self._retry(others, history)
            or self._new(others, history, found, now)
        )

    def skills(self, exercise: Exercise) -> tuple[str, ...]:
        """Return the skills that an exercise can ask for."""
        if exercise.id not in self._skills:
            if isinstance(exercise, TemplateExercise):
                self._skills[exercise.id] = exercise.skills
            else:
                self._skills[exercise.id] = skills_of_model(exercise.model)
        return self._skills[exercise.id]

    # ---- placement -----------------------------------------------------------------------------

    def _placement(
        self, left: Sequence[Exercise], history: Sequence[Answer], now: Standing
    ) -> ScheduledExercise:
        asked = {skill for answer in history for skill in answer.skills}
        seen = {answer.exercise for answer in history}
        near = _nearest(left, now.level)
        why = f"placement, question {len(history) + 1} of {PLACED}, level {now.letter}"
        for kind in (PLACING[len(history)], *PLACING, *self.kinds):
            options = [e for e in near if kind in self.kinds and _asks(e, kind)]
            if options:
                exercise = max(
                    options,
                    key=lambda e: (
                        e.id not in seen,
                        len(set(self.skills(e)) - asked),
                        -self._place[e.id],
                    ),
                )
                return self._choice(exercise, history, why, kinds=(kind,))
        return self._choice(near[0], history, why)

    # ---- what went wrong -----------------------------------------------------------------------

    def _again(
        self,
        left: Sequence[Exercise],
        history: Sequence[Answer],
        found: dict[str, Mastery],
        now: Standing,
    ) -> ScheduledExercise | None:
        """Choose a question on a skill that went wrong and is due, the weakest first."""
        due = [mastery for mastery in found.values() if mastery.due(len(history))]
        for mastery in sorted(due, key=lambda each: (each.probability, each.last)):
            options = [e for e in left if mastery.skill in self.skills(e)]
            options = options or [e for e in left if self._kinds_about(e, mastery.skill)]
            if not options:
                continue
            reach = [e for e in options if level_of(e) <= now.level]
            seen = Counter(answer.exercise for answer in history)
            used = Counter(a.kind for a in history if mastery.skill in (*a.skills, *a.blamed))
            level = min(now.level, max(level_of(e) for e in reach or options))
            ranked = [
                (
                    seen[e.id],
                    used[kind],
                    abs(level_of(e) - level),
                    len(self.skills(e)),
                    self._place[e.id],
                    kind,
                    e,
                )
                for e in reach or options
                for kind in self._kinds_for(e, mastery.skill)
            ]
            if not ranked:
                continue
            *_, kind, exercise = min(ranked, key=lambda each: each[:5])
            again = "here it is again" if mastery.box == 0 else "is it still right?"
            why = f"{mastery.skill}: {mastery.evidence}; {again}"
            return self._choice(exercise, history, why, mastery.skill, (kind,))
        return None

    def _kinds_about(self, exercise: Exercise, skill: str) -> list[str]:
        """Return the kinds of question that are about a skill whatever the exercise."""
        kinds = [kind for kind, skills in OF_KIND.items() if skill in skills]
        return [kind for kind in kinds if kind in self.kinds and _asks(exercise, kind)]

    def _kinds_for(self, exercise: Exercise, skill: str) -> list[str]:
        """Return the kinds that ask for a skill: of a gradient, those that take it whole."""
        if exercise.kinds:
            return [kind for kind in exercise.kinds if kind in self.kinds]
        if skill not in self.skills(exercise):
            return self._kinds_about(exercise, skill)
        told = [kind for kind, skills in IN_CODE.items() if skill in skills]
        return [kind for kind in (*WHOLE, *told) if kind in self.kinds] or [
            kind for kind in self.kinds if kind not in TEMPLATES
        ]

    def _retry(
        self, left: Sequence[Exercise], history: Sequence[Answer]
    ) -> ScheduledExercise | None:
        """Choose an exercise that went wrong without a named mistake, one line at a time."""
        last: dict[str, tuple[int, Answer]] = {}
        for number, answer in enumerate(history):
            last[answer.exercise] = (number, answer)
        for exercise in left:
            if exercise.id not in last:
                continue
            number, answer = last[exercise.id]
            if answer.right or answer.blamed:
                continue
            if len(history) - number - 1 >= AGAIN:
                kinds = tuple(kind for kind in EASIER if kind in self.kinds)
                part = "with other numbers" if exercise.kinds else "one line of it"
                why = f"this one went wrong; here is {part}"
                return self._choice(exercise, history, why, kinds=kinds)
        return None

    # ---- what is new ---------------------------------------------------------------------------

    def _new(
        self,
        left: Sequence[Exercise],
        history: Sequence[Answer],
        found: dict[str, Mastery],
        now: Standing,
    ) -> ScheduledExercise:
        """Choose a question of the level: kinds take turns, what is not mastered comes first."""
        used = Counter(answer.kind for answer in history)
        seen = Counter(answer.exercise for answer in history)
        near = _nearest(left, now.level)
        kinds = sorted(self.kinds, key=lambda kind: (used[kind], self.rng.random()))
        least = min(seen[e.id] for e in near)
        for kind in kinds:
            options = [e for e in near if _asks(e, kind) and seen[e.id] <= least + 1]
            if not options:
                continue
            exercise = min(
                options, key=lambda e: (seen[e.id], self._mastered(e, found), self._place[e.id])
            )
            return self._choice(
                exercise, history, now.moved or _reason(seen[exercise.id], exercise), kinds=(kind,)
            )
        exercise = min(near, key=lambda e: (seen[e.id], self._place[e.id]))
        return self._choice(exercise, history, now.moved or _reason(seen[exercise.id], exercise))

    def _mastered(self, exercise: Exercise, found: dict[str, Mastery]) -> float:
        """Return the part of the skills of an exercise that are mastered."""
        skills = self.skills(exercise)
        done = sum(skill in found and found[skill].mastered for skill in skills)
        return done / len(skills) if skills else 0.0

    def _choice(
        self,
        exercise: Exercise,
        history: Sequence[Answer],
        why: str,
        skill: str = "",
        kinds: Sequence[str] = (),
    ) -> ScheduledExercise:
        asked = Counter(a.kind for a in history if a.exercise == exercise.id)
        names = list(exercise.kinds) or [kind for kind in self.kinds if kind not in TEMPLATES]
        self.rng.shuffle(names)
        names.sort(key=lambda kind: asked[kind])
        times = sum(answer.exercise == exercise.id for answer in history)
        return ScheduledExercise(
            exercise, tuple(dict.fromkeys([*kinds, *names])), times, why, skill
        )


def _asks(exercise: Exercise, kind: str) -> bool:
    """Whether an exercise may have questions of a kind."""
    return kind in exercise.kinds if exercise.kinds else kind not in TEMPLATES


def level_of(exercise: Exercise) -> int:
    """Return the number of the level with which an exercise is asked, from 0."""
    return LETTERS.index(exercise.level) if exercise.level in LETTERS else ABOUT_DERIVATIONS


def _nearest(left: Sequence[Exercise], level: int) -> list[Exercise]:
    """Return the exercises of the nearest level that there is, the lower one where two tie."""
    away = min({level_of(e) for e in left}, key=lambda at: (abs(at - level), at))
    return [e for e in left if level_of(e) == away]


def _reason(seen: int, exercise: Exercise) -> str:
    return f"level {exercise.level}, another time" if seen else f"level {exercise.level}, new"
