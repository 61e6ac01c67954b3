"""Problem sets: questions on some topics, each with the key that grades it.

The key is plain data and whole: forward pass, variable, form of the answer, right answer. A
set that was handed out can be graded by any later version that reads its schema.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import count as counting
from random import Random
from typing import Any

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.answer_readers import READERS, AnswerKey
from chainrule.teaching.exercises.balance import balanced
from chainrule.teaching.exercises.difficulty import difficulty
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.variants import variant

SCHEMA = 1
MOST = 500
EMPTY_ROUNDS = 3
STRIDE = 1000
"""The difference between the seeds of two sets, of which each uses one per round."""

REACH = 12
"""The largest difference in difficulty between a variant and its base."""


@dataclass(frozen=True)
class Problem:
    """One question of a set: its number, the question, its points."""

    number: int
    question: Question
    points: int


@dataclass(frozen=True)
class ProblemSet:
    """A problem set.

    Parameters
    ----------
    title : str
        The title of the handout.
    seed : int
        From which it was made.
    problems : tuple of Problem
        In order.
    """

    title: str
    seed: int
    problems: tuple[Problem, ...]

    def data(self) -> dict[str, Any]:
        """Return the key, ready for ``json.dumps``."""
        return {
            "schema": SCHEMA,
            "title": self.title,
            "seed": self.seed,
            "problems": [_data(problem) for problem in self.problems],
        }


def new_set(
    pool: Sequence[Exercise],
    count: int,
    seed: int = 0,
    kinds: Sequence[str] = ("gradient",),
    hardness: tuple[int, int] | None = None,
    title: str = "Backpropagation",
) -> ProblemSet:
    """Make a problem set.

    Parameters
    ----------
    pool : sequence of Exercise
        The exercises to draw from. Where there are fewer than `count`, variants follow.
    count : int
        The number of questions.
    seed : int, optional
        Another seed, another set.
    kinds : sequence of str, optional
        The kinds of question, drawn at random; exercises that are for other kinds keep theirs.
    hardness : (int, int), optional
        The least and the largest difficulty of an exercise.
    title : str, optional
        The title of the handout.

    Raises
    ------
    ExerciseError
        When there are not so many questions.
    """
    if not 1 <= count <= MOST:
        raise ExerciseError(f"a set holds 1 to {MOST} questions, not {count}")
    rng = Random(f"set {seed}")
    drawn: list[tuple[Question, int]] = []
    for pair in _questions(pool, seed, kinds, hardness, rng):
        drawn.append(pair)
        if len(drawn) == count:
            break
    found = balanced([question for question, _ in drawn], [number for _, number in drawn], rng)
    if len(found) < count:
        raise ExerciseError(
            f"only {len(found)} such questions were found, {count} were asked for; take more "
            "topics, other kinds, or a wider difficulty"
        )
    found.sort(key=lambda q: (q.exercise.level, difficulty(q.exercise.derivation).score))
    problems = (
        Problem(number, question, points_of(question)) for number, question in enumerate(found, 1)
    )
    return ProblemSet(title, seed, tuple(problems))


def read_key(data: Mapping[str, Any]) -> dict[int, tuple[AnswerKey, int]]:
    """Read the key of a set: number to key and points.

    Raises
    ------
    ExerciseError
        When it is no such key, or of another schema; the message names the field.
    """
    if data.get("schema") != SCHEMA:
        raise ExerciseError(f"key, field schema: {data.get('schema')}, and this reads {SCHEMA}")
    found: dict[int, tuple[AnswerKey, int]] = {}
    problems = data.get("problems")
    if not isinstance(problems, list):
        raise ExerciseError("key, field problems: must be a list")
    for place, problem in enumerate(problems, start=1):
        try:
            fields = dict(problem["key"])
            fields["choices"] = tuple(fields["choices"])
            fields["mistakes"] = tuple(tuple(each) for each in fields.get("mistakes", ()))
            key, number, points = (
                AnswerKey(**fields),
                int(problem["number"]),
                int(problem["points"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ExerciseError(f"key, problem {place}: {error}") from None
        if key.reader not in READERS:
            raise ExerciseError(f"key, problem {place}, field reader: unknown {key.reader!r}")
        found[number] = (key, points)
    return found


def _questions(
    pool: Sequence[Exercise],
    seed: int,
    kinds: Sequence[str],
    hardness: tuple[int, int] | None,
    rng: Random,
) -> Iterator[tuple[Question, int]]:
    """Yield questions, each with its seed: on the exercises, then on variants, round by round.

    An exercise of which no variant is as hard as asked is left out from then on.
    """
    empty = 0
    left = list(pool)
    for round_ in counting():
        exercises = list(left)
        rng.shuffle(exercises)
        before = True
        for exercise in exercises:
            question = _question(exercise, STRIDE * seed + round_, round_, kinds, hardness, rng)
            if question is not None:
                before = False
                yield question, STRIDE * seed + round_
            elif round_ or not _reaches(exercise, hardness):
                left.remove(exercise)
        empty = empty + 1 if before else 0
        if empty == EMPTY_ROUNDS:
            return


def _reaches(exercise: Exercise, hardness: tuple[int, int] | None) -> bool:
    """Whether a variant of this base can be as hard as asked."""
    score = difficulty(exercise.derivation).score
    return hardness is None or hardness[0] - REACH <= score <= hardness[1] + REACH


def _question(
    exercise: Exercise,
    number: int,
    round_: int,
    kinds: Sequence[str],
    hardness: tuple[int, int] | None,
    rng: Random,
) -> Question | None:
    try:
        chosen = exercise if round_ == 0 else variant(exercise, number, hardness)
    except ExerciseError:
        return None
    if hardness is not None:
        low, high = hardness
        if not low <= difficulty(chosen.derivation).score <= high:
            return None
    names = list(exercise.kinds or kinds)
    rng.shuffle(names)
    return next((q for name in names if (q := ask(chosen, name, number)) is not None), None)


def points_of(question: Question) -> int:
    """Return one point for a choice, one per part, and more for a formula, by its difficulty."""
    if question.key.reader in ("parts", "values"):
        return len(question.key.choices) if question.key.reader == "parts" else 2
    if question.key.reader not in ("formula", "code", "maths"):
        return 1
    return 2 + difficulty(question.exercise.derivation).score // 8


def _data(problem: Problem) -> dict[str, Any]:
    question = problem.question
    exercise = question.exercise
    return {
        "number": problem.number,
        "points": problem.points,
        "exercise": exercise.id,
        "kind": question.kind,
        "title": exercise.title,
        "level": exercise.level,
        "difficulty": difficulty(exercise.derivation).score,
        "rules": list(question.rules),
        "key": {**asdict(question.key), "choices": list(question.key.choices)},
    }
