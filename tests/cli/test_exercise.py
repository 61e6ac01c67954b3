"""``chainrule exercise`` as a student, a section leader and an author meet it."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.teaching.exercises.pool import course_exercises
from chainrule.teaching.exercises.sets import read_key


def run(*args: str) -> Result:
    return CliRunner().invoke(cli, ["exercise", *args])


@pytest.mark.slow
def test_the_bank_is_listed() -> None:
    result = run("list", "--json")
    assert result.exit_code == 0
    rows = json.loads(result.output)
    assert [row["id"] for row in rows] == [each.id for each in course_exercises()]
    assert all(row["difficulty"] > 0 for row in rows if row["variables"])
    assert "board-b4" in run("list", "--topic", "vectors").output


def test_an_exercise_is_shown_and_its_answer_when_asked() -> None:
    shown = run("show", "logistic-batch", "--seed", "1")
    assert "difficulty 15" in shown.output
    assert "kinds of question: gradient, factor" in shown.output
    assert "Answer" not in shown.output
    assert "Answer: (A - Y) X^T" in run("show", "logistic-batch", "--answer").output


def test_a_variant_is_shown_by_its_seed() -> None:
    assert "logistic-batch:7" in run("show", "logistic-batch:7").output


def test_one_question_is_shown() -> None:
    result = run("show", "two-layers", "--kind", "wrong-line", "--answer")
    assert "One line is wrong" in result.output
    assert "Answer: " in result.output


def test_a_set_is_written(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "set"
    result = run("new", "--topic", "vectors", "--count", "4", "--kind", "all", "--out", str(out))
    assert result.exit_code == 0, result.output
    names = {path.name for path in out.iterdir()}
    assert names == {
        "handout.html", "handout.tex", "solutions.html", "solutions.tex", "key.json"
    }  # fmt: skip
    assert len(read_key(json.loads((out / "key.json").read_text(encoding="utf-8")))) == 4


def test_an_own_exercise_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "my.cr"
    file.write_text(
        "# mine\nx : (n, 1)\nw : (1, n)\nt : (1, 1)\nz = w x\nL = (tanh(z) - t)^2\nwrt: w\n"
    )
    result = run("check", str(file))
    assert result.exit_code == 0, result.output
    assert "every one verified" in result.output
    assert "single mistakes are recognised" in result.output
    data = json.loads(run("check", str(file), "--json").output)
    assert set(data["key"]) == {"w"}
    assert data["mistakes"] > 5
    assert all(len(tie["mistakes"]) > 1 for tie in data["ties"])


@pytest.mark.parametrize(
    ("args", "status", "words"),
    [
        (["show", "bord-b1"], 1, "did you mean board-b1"),
        (["show", "norm", "--kind", "order"], 1, "no question of the kind order; it has gradient"),
        (["new", "--count", "0", "--out", "x"], 1, "1 to 500 questions"),
        (["new", "--difficulty", "hard", "--out", "x"], 2, "a range such as 8-16"),
        (["new", "--kind", "riddle", "--out", "x"], 1, "no kind of question 'riddle'"),
        (["list", "--level", "Z"], 1, "there is no level 'Z'"),
        (["check", "nowhere.cr"], 1, "there is no file nowhere.cr"),
    ],
)
def test_what_is_wrong_is_named(args: list[str], status: int, words: str) -> None:
    result = run(*args)
    assert result.exit_code == status
    assert words in result.output


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("new", "--topic", "scalars", "--count", "1", "--out", str(tmp_path / "file" / "x"))
    assert result.exit_code == 1
    assert "this folder cannot be made" in result.output


def test_the_key_of_another_set_is_not_lost(tmp_path: Path) -> None:
    typed = ["exercise", "new", "--topic", "scalars", "--out", str(tmp_path), "--count"]
    assert CliRunner().invoke(cli, [*typed, "2"]).exit_code == 0
    assert CliRunner().invoke(cli, [*typed, "2"]).exit_code == 0  # the same set again
    key = (tmp_path / "key.json").read_bytes()
    refused = CliRunner().invoke(cli, [*typed, "3"])
    assert refused.exit_code == 1
    assert "holds another set" in refused.output
    assert (tmp_path / "key.json").read_bytes() == key
    assert CliRunner().invoke(cli, [*typed, "3", "--replace"]).exit_code == 0
    assert (tmp_path / "key.json").read_bytes() != key


def test_a_range_that_nothing_reaches_is_refused_soon(tmp_path: Path) -> None:
    begun = process_time()
    typed = ["exercise", "new", "--out", str(tmp_path), "--topic", "scalars,vectors"]
    refused = CliRunner().invoke(cli, [*typed, "--difficulty", "900-999"])
    assert refused.exit_code == 1
    assert "a wider difficulty" in refused.output
    assert process_time() - begun < 10


def test_a_trivial_exercise_of_ones_own_is_called_so(tmp_path: Path) -> None:
    file = tmp_path / "flat.cr"
    file.write_text("x, w : (1, 1)\nL = 3 w + x\nwrt: w\n")
    found = CliRunner().invoke(cli, ["exercise", "check", str(file)])
    assert "This is trivial" in found.output
