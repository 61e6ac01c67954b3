"""The tutor with simulated students: what it names, what it practises, whom it blames."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random

import pytest
from tests.teaching.exercises.students import Student, study

from chainrule.calculus.ops import TABLE
from chainrule.teaching.diagnosis.catalogue import errors_between
from chainrule.teaching.exercises.history import Answer
from chainrule.teaching.exercises.kinds import KINDS
from chainrule.teaching.exercises.loading import find
from chainrule.teaching.exercises.mastery import masteries
from chainrule.teaching.exercises.pool import course_exercises
from chainrule.teaching.exercises.practice import PracticeSession
from chainrule.teaching.exercises.scheduler import PLACED, Scheduler, level_of, standing
from chainrule.teaching.exercises.skills import SKILLS, skill_of_mistake

POOL = course_exercises()
KIND_NAMES = [kind.name for kind in KINDS]
CORE = ("transposes and shapes", "signs", "mask of ReLU", "constants and powers", "chain order")

CORRUPTIONS = {
    "transposes and shapes": lambda text: re.sub(r"\^T|\.T", "", text),
    "signs": lambda text: f"-({text})",
    "mask of ReLU": lambda text: re.sub(r"\[[^]]*> 0\] ?(\.\* )?| \.\* \[[^]]*\]", "", text),
    "constants and powers": lambda text: f"2 ({text})",
}
"""What a misconception does to a right formula."""


# ---- with real questions ------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("skill", CORRUPTIONS)
def test_a_misconception_is_named_within_six_questions_and_practised(skill: str) -> None:
    session = PracticeSession(POOL, seed=1)
    study(Student(skill, CORRUPTIONS[skill]), session, 14)
    blamed = [answer.blamed for answer in session.history]
    first = next(place for place, names in enumerate(blamed) if skill in names)
    assert first < 6
    later = [answer.skills for answer in session.history[first + 1 :]]
    assert sum(skill in skills for skills in later) >= 2
    assert {name for names in blamed for name in names} == {skill}


def test_one_who_is_always_right_reaches_level_d_and_nothing_is_blamed() -> None:
    session = PracticeSession(POOL, seed=3)
    asked = study(Student(), session, 25)
    assert all(answer.right for answer in session.history)
    assert standing(session.history).level >= 3
    assert max(level_of(question.exercise) for question in asked) >= 3
    assert not any(answer.blamed for answer in session.history)
    kinds = Counter(question.kind for question in asked)
    assert len(kinds) >= 12
    assert all(a.exercise is not b.exercise for a, b in pairwise(asked))


def test_one_who_guesses_masters_little() -> None:
    session = PracticeSession(POOL, seed=5)
    study(Student(guesses=True, seed=5), session, 20)
    assert standing(session.history).level <= 2
    assert sum(each.mastered for each in masteries(session.history).values()) <= 2


# ---- with the scheduler alone -------------------------------------------------------------------


def simulated(skill: str, slips: float, seed: int, count: int) -> Iterator[tuple[Answer, str]]:
    """Answer by the skills of an exercise, without making the question."""
    rng = Random(seed)
    scheduler = Scheduler(POOL, KIND_NAMES, Random(f"t{seed}"))
    history: list[Answer] = []
    for _ in range(count):
        choice = scheduler.choose(history)
        skills = scheduler.skills(choice.exercise)
        slipped = rng.random() < slips
        blamed = (skill,) if skill in skills else ("signs",) if slipped else ()
        history.append(
            Answer(
                choice.exercise.id,
                choice.kinds[0],
                0,
                (),
                not blamed,
                skills=skills,
                blamed=blamed,
            )
        )
        yield history[-1], choice.skill


@pytest.mark.parametrize("skill", CORE)
@pytest.mark.parametrize("seed", [1, 2])
def test_practice_returns_to_a_misconception(skill: str, seed: int) -> None:
    answers = list(simulated(skill, 0.0, seed, 30))
    assert sum(chosen == skill for _, chosen in answers) >= 8
    assert {chosen for _, chosen in answers} <= {"", skill}


@pytest.mark.parametrize("seed", range(4))
def test_one_who_slips_gets_on(seed: int) -> None:
    answers = [answer for answer, _ in simulated("", 0.1, seed, 40)]
    assert standing(answers).level >= 3
    assert {name for answer in answers for name in answer.blamed} <= {"signs"}


@pytest.mark.parametrize("seed", range(2))
def test_placement_is_five_questions_on_rising_levels(seed: int) -> None:
    scheduler = Scheduler(POOL, KIND_NAMES, Random(seed))
    history: list[Answer] = []
    levels = []
    for number in range(PLACED):
        choice = scheduler.choose(history)
        assert f"question {number + 1} of {PLACED}" in choice.why
        levels.append(choice.exercise.level)
        history.append(Answer(choice.exercise.id, choice.kinds[0], 0, (), True))
    assert levels == ["B", "C", "D", "E", "E"]
    assert "placement" not in scheduler.choose(history).why


# ---- mistakes and skills ------------------------------------------------------------------------


def test_every_mistake_of_the_catalogue_has_a_skill() -> None:
    names = {mistake.name for op in TABLE.values() for mistake in op.mistakes}
    for identifier in ("two-layers", "hinge-batch", "logistic-ridge", "attention"):
        model = find(identifier).model
        for symbol in model.parameters():
            names |= {e.name for e in errors_between(model, model.objective, symbol, None)}
    assert [name for name in sorted(names) if not skill_of_mistake(name)] == []


def test_skills_have_names_of_their_own() -> None:
    assert len({skill.name for skill in SKILLS}) == len(SKILLS)
    starts = Counter(start for skill in SKILLS for start in skill.mistakes)
    assert max(starts.values()) == 1
