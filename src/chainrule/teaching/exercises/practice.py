"""Practice: one question after the other, chosen by the tutor; no input or output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.answer_readers import Judgement, judge
from chainrule.teaching.exercises.content import Content
from chainrule.teaching.exercises.evidence import blamed_by, named_by, skills_of, skills_shown
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.fading import KIND as FADING
from chainrule.teaching.exercises.fading import faded
from chainrule.teaching.exercises.history import Answer, AnswerStore
from chainrule.teaching.exercises.kinds import KINDS
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.scheduler import ScheduledExercise, Scheduler
from chainrule.teaching.exercises.tickets import Ticket, telling_seed, varied

MOST_BLANKS = 4


@dataclass(frozen=True)
class ScheduledQuestion:
    """A question, and the reason for asking it now."""

    question: Question
    why: str


class PracticeSession:
    """A session of practice.

    Parameters
    ----------
    pool : sequence of Exercise
        The exercises to choose from, easiest first.
    progress : AnswerStore or None
        The log of answers; without it they last for this session alone.
    seed : int
        Seed for all random choices.
    kinds : sequence of str
        The kinds of question; by default all. ``"fading"`` asks for blank lines.
    history : sequence of Answer
        Earlier answers, where no log keeps them.
    """

    def __init__(
        self,
        pool: Sequence[Exercise],
        progress: AnswerStore | None = None,
        seed: int = 0,
        kinds: Sequence[str] = (),
        history: Sequence[Answer] = (),
    ) -> None:
        self.progress = progress
        self.history = progress.history() if progress is not None else list(history)
        self.before = len(self.history)
        self.seed = seed
        self.kinds = tuple(kinds) or tuple(kind.name for kind in KINDS)
        self.scheduler = Scheduler(pool, self.kinds, Random(f"practice {seed}"))
        self.skipped: set[str] = set()
        self._queue: list[Question] = []
        self._why = ""
        self._current: Question | None = None
        self._recorded = False
        self._hints = 0
        self._wrong = 0
        self._drawn = seed
        self._times = 0

    @property
    def question(self) -> Question:
        """The open question."""
        if self._current is None:
            raise ExerciseError("no question is open; ask first")
        return self._current

    @property
    def ticket(self) -> Ticket:
        """The ticket of the open question, unless it is one of several blank lines."""
        question = self.question
        return Ticket(_base(question.exercise), question.kind, self._drawn, self._times)

    @property
    def answered(self) -> tuple[int, int]:
        """Numbers of right answers and of all answers in this session."""
        session = self.history[self.before :]
        return sum(answer.right for answer in session), len(session)

    def ask(self) -> ScheduledQuestion:
        """Open the next question.

        Raises
        ------
        ExerciseError
            When none of the chosen exercises has a question of the chosen kinds.
        """
        if not self._queue:
            self._fill()
        self._current = self._queue.pop(0)
        self._recorded, self._hints, self._wrong = False, 0, 0
        return ScheduledQuestion(self._current, self._why)

    def reply(self, text: str) -> Judgement:
        """Judge an answer; the first readable one is recorded."""
        found = judge(self.question.key, text)
        if found.read:
            self._record(found, text)
            self._wrong += not found.right
        return found

    @property
    def spent(self) -> bool:
        """Whether only guesses among the remaining options are left."""
        key = self.question.key
        if key.reader == "yes or no":
            return self._wrong > 0
        return key.reader == "choice" and self._wrong >= max(1, len(key.choices) // 2)

    def hint(self) -> Content | None:
        """Return the next hint, or nothing when all three were given."""
        if self._hints == len(self.question.hints):
            return None
        self._hints += 1
        return self.question.hints[self._hints - 1]

    def show(self) -> Content:
        """Return the solution; a question without an answer counts as missed."""
        self._record(None)
        return self.question.solution

    def skip(self) -> None:
        """Drop the exercise for this session; nothing is recorded."""
        self.skipped.add(_base(self.question.exercise))
        self._queue.clear()

    def _record(self, found: Judgement | None, text: str = "") -> None:
        if self._recorded:
            return
        question = self.question
        right = found is not None and found.right
        answer = Answer(
            _base(question.exercise),
            question.kind,
            self._times,
            question.rules,
            right,
            self._hints,
            skills=skills_shown(question, found, text),
            blamed=blamed_by(question, found),
            mistakes=named_by(found),
        )
        if self.progress is not None:
            self.progress.record(answer)
        self.history.append(answer)
        self._recorded = True

    def _fill(self) -> None:
        """Choose an exercise, and make questions about it."""
        tried = set(self.skipped)
        for _ in range(len(self.scheduler.pool) + 1):
            choice = self.scheduler.choose(self.history, tried)
            self._queue = self._made(choice)
            if self._queue:
                self._why = choice.why
                return
            tried.add(choice.exercise.id)
        raise ExerciseError(
            f"none of these exercises has a question of the kind {', '.join(self.kinds)}; "
            "leave --kind out, or choose another --topic"
        )

    def _made(self, choice: ScheduledExercise) -> list[Question]:
        self._times, self._drawn = choice.times, self.seed
        if FADING in self.kinds:
            exercise = varied(choice.exercise, self.seed, choice.times)
            done = sum(a.right for a in self.history if a.exercise == exercise.id)
            seed = self.seed + choice.times
            return faded(exercise, min(1 + done // 2, MOST_BLANKS), seed)
        spare: tuple[Ticket, Question] | None = None
        for kind in choice.kinds:
            base = _base(choice.exercise)
            seed = telling_seed(choice.exercise, kind, self.seed, choice.times, choice.skill)
            ticket = Ticket(base, kind, seed, choice.times)
            question = ticket.question_about(choice.exercise)
            if question is None:
                continue
            if not choice.skill or choice.skill in skills_of(question):
                self._drawn = seed
                return [question]
            spare = spare or (ticket, question)
        if spare is None:
            return []
        self._drawn = spare[0].seed  # none asks for the skill by itself: the exercise does
        return [spare[1]]


def _base(exercise: Exercise) -> str:
    return exercise.base or exercise.id
