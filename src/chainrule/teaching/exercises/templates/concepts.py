"""Concept questions: multiple choice and true or false with reasons, from data files.

A file names its topic, a title and a level, and holds ``[[question]]`` tables. Every wrong option
is a misconception with a name and an answer to it; every claim has a source, or its proof in
`because`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.content import Prose
from chainrule.teaching.exercises.exercise import LEVELS, Topic
from chainrule.teaching.exercises.skills import skill_named
from chainrule.teaching.exercises.templates.template import (
    NO_FORWARD_PASS,
    Draft,
    Option,
    TemplateExercise,
    choice,
)

FOLDER = Path(__file__).parent / "concepts"
KIND = "concept"
TEXTS = ("id", "title", "skill", "ask", "right", "because", "source")
"""The fields of a question that are texts; all are needed."""

FIELDS = (*TEXTS, "wrong", "hints", "level")
HINTS = 2


def load_concepts(paths: Iterable[Path]) -> tuple[Topic, ...]:
    """Read and validate files of concept questions.

    Raises
    ------
    ExerciseError
        At the first thing that is wrong: the file, the question, the field.
    """
    return tuple(_topic(path) for path in paths)


def _topic(path: Path) -> Topic:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExerciseError(f"{path.name}: cannot be read as TOML: {error}") from None
    for field in ("topic", "title", "level"):
        if not isinstance(data.get(field), str):
            raise ExerciseError(f'{path.name}, field {field}: missing; add {field} = "..." on top')
    questions = data.get("question")
    if not isinstance(questions, list) or not questions:
        raise ExerciseError(f"{path.name}: holds no question; begin one with [[question]]")
    made = tuple(
        _exercise(f"{path.name}, question {table.get('id', number)}", table, data)
        for number, table in enumerate(questions, start=1)
    )
    return Topic(data["topic"], data["title"], data["level"], made)


def _exercise(where: str, table: Mapping[str, Any], data: Mapping[str, Any]) -> TemplateExercise:
    for field in table:
        if field not in FIELDS:
            raise ExerciseError(f"{where}, field {field}: unknown; there are {', '.join(FIELDS)}")
    for field in TEXTS:
        if not isinstance(table.get(field), str) or not table[field].strip():
            raise ExerciseError(f"{where}, field {field}: must be a text")
    if skill_named(table["skill"]) is None:
        raise ExerciseError(f"{where}, field skill: there is no skill {table['skill']!r}")
    level = table.get("level", data["level"])
    if level not in LEVELS:
        raise ExerciseError(f"{where}, field level: levels are {', '.join(LEVELS)}")
    hints = table.get("hints")
    if not isinstance(hints, list) or len(hints) != HINTS or not all(map(_is_text, hints)):
        raise ExerciseError(f"{where}, field hints: must be {HINTS} texts")
    wrong = table.get("wrong")
    if not isinstance(wrong, list) or not wrong or not all(map(_is_option, wrong)):
        raise ExerciseError(
            f"{where}, field wrong: must list [option, misconception, answer to it], as texts"
        )
    options = tuple(Option(*each) for each in wrong)
    texts = [table["right"], *(option.text for option in options)]
    if len(set(texts)) < len(texts):
        raise ExerciseError(f"{where}, field wrong: two options are equal")
    return TemplateExercise(
        table["id"],
        table["title"],
        level,
        data["topic"],
        NO_FORWARD_PASS,
        table["ask"],
        table["source"],
        kinds=(KIND,),
        template=partial(
            _draft, table["ask"], table["right"], options, table["because"], tuple(hints)
        ),
        skills=(table["skill"],),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_option(value: object) -> bool:
    return isinstance(value, list) and len(value) == 3 and all(map(_is_text, value))


def _draft(
    ask: str,
    right: str,
    wrong: tuple[Option, ...],
    because: str,
    hints: tuple[str, ...],
    rng: Random,
) -> Draft:
    """Return a question; the third hint rules out a wrong option."""
    out = rng.choice(wrong)
    last = f"Not “{out.text.rstrip('.')}”: {out.message}"
    return choice((Prose(ask),), right, wrong, because, (*hints, last), rng)
