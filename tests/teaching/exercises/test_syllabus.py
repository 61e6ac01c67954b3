"""The courses: every question is there, and one command writes the handouts of a course."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.sets import read_key
from chainrule.teaching.exercises.syllabus import COURSES, course_of, handout


@pytest.mark.parametrize("weeks", COURSES)
def test_a_course_has_no_question_twice_and_its_lectures_are_commands(weeks: int) -> None:
    units = course_of(weeks).units
    for unit in units:
        made = handout(unit, seed=1)
        assert [problem.number for problem in made.problems] == list(
            range(1, len(unit.questions) + 1)
        )
        assert len({problem.question.kind for problem in made.problems}) >= 4
        for line in unit.lecture:
            program, command = line.split()[:2]
            assert program == "chainrule"
            assert command in cli.list_commands(click.Context(cli))
    questions = [question for unit in units for question in unit.questions]
    assert len(set(questions)) == len(questions)


def test_one_command_writes_the_handouts_of_every_unit(tmp_path: Path) -> None:
    out = tmp_path / "course"
    args = ["exercise", "syllabus", "--weeks", "1", "--out", str(out)]
    result = CliRunner().invoke(cli, args)
    assert result.exit_code == 0, result.output
    assert len(list(out.iterdir())) == 5
    for folder in out.iterdir():
        key = read_key(json.loads((folder / "key.json").read_text(encoding="utf-8")))
        assert len(key) >= 7
        handed = (folder / "handout.html").read_text(encoding="utf-8")
        assert "<svg" in handed or folder.name != "day-1"
        assert not re.search(r"follows from your earlier", handed)
    again = CliRunner().invoke(cli, [*args, "--seed", "2"])
    assert again.exit_code == 1
    assert "holds another set" in again.output


def test_a_course_that_is_not_there_is_refused_in_words() -> None:
    with pytest.raises(ExerciseError, match="courses of 1 and 4"):
        course_of(3)
