"""The whole course: exercises with forward passes, and those made by templates."""

from __future__ import annotations

from functools import cache

from chainrule.teaching.exercises.exercise import Exercise, Topic
from chainrule.teaching.exercises.loading import bank, exercises, find
from chainrule.teaching.exercises.templates.topics import template_topics


@cache
def topics() -> tuple[Topic, ...]:
    """Return all topics, easiest first."""
    return tuple(sorted((*bank(), *template_topics()), key=lambda topic: topic.level))


def course_exercises(topic: str | None = None, level: str | None = None) -> tuple[Exercise, ...]:
    """Return the exercises of some topics and levels, easiest level first.

    Raises
    ------
    ExerciseError
        When there is no such topic or level; the message lists those there are.

    Examples
    --------
    >>> [each.id for each in course_exercises("counting")][:2]
    ['count-differences', 'count-dense']
    """
    found = exercises(topic, level, topics)
    return tuple(sorted(found, key=lambda exercise: exercise.level))


def course_exercise(identifier: str) -> Exercise:
    """Find an exercise of the course by its id; ``ID:SEED`` is its variant of that seed.

    Raises
    ------
    ExerciseError
        When there is none; the message names the nearest ones.
    """
    return find(identifier, topics)
