"""``chainrule practice`` and ``chainrule progress`` as a student meets them."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.cli.progress import progress_file
from chainrule.teaching.exercises.kinds import KINDS


def run(*args: str, typed: str = "") -> Result:
    return CliRunner().invoke(cli, list(args), input=typed)


def practise(path: Path, *args: str, typed: str) -> Result:
    return run("practice", "--progress", str(path), *args, typed=typed)


def test_a_sitting_by_pipe(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    result = practise(path, "--topic", "vectors", "--kind", "shape", typed="(7, 7)\nhint\nshow\n")
    assert result.exit_code == 0
    assert "logistic regression, one example" in result.output
    assert "understood: (7, 7)" in result.output
    assert "The gradient of a scalar has the shape of its variable." in result.output
    assert "0 of 1 right." in result.output


def test_the_tests_keep_a_log_of_their_own() -> None:
    assert progress_file(None) != Path(click.get_app_dir("chainrule")) / "progress.sqlite"
    shown = run("practice", "--kind", "shape", "--count", "1", typed="show\n")
    assert f"Kept in {progress_file(None)}" in shown.output


def test_the_end_of_the_input_ends_the_sitting(tmp_path: Path) -> None:
    result = practise(tmp_path / "p.sqlite", typed="")
    assert result.exit_code == 0
    assert "0 of 0 right." in result.output


def test_words_are_explained_and_quit_leaves(tmp_path: Path) -> None:
    result = practise(tmp_path / "p.sqlite", typed="help\nskip\nquit\nx\n")
    assert result.exit_code == 0
    assert result.output.count("hint, show, skip, quit, help") == 2


def test_the_help_names_every_kind_of_question() -> None:
    words = run("practice", "--help").output.replace(",", " ").replace(".", " ").split()
    assert {kind.name for kind in KINDS} <= set(words)


def test_parts_are_read_one_by_one_and_kept(tmp_path: Path) -> None:
    first = ["A + Y", "dZ X^", "dZ X^T + l w", "?"]
    second = ["", "", "sum(dZ)"]
    third = ["A - Y", "", ""]
    result = practise(
        tmp_path / "p.sqlite",
        *("--kind", "parts", "--level", "C", "--count", "1"),
        typed="\n".join([*first, *second, *third]) + "\n",
    )
    assert result.exit_code == 0
    assert "? dw: the expression stops here" in result.output
    assert "(b) dw = [dZ X^T + l w]" in result.output
    assert "2 of 3 parts get their marks" in result.output
    assert "✓ right" in result.output


@pytest.mark.parametrize("typed", ["", "A + Y\n", "A + Y\n\n\n", "\n\n\n", "A - Y\n?\nexit\n"])
def test_the_end_of_the_input_ends_a_problem_in_parts(tmp_path: Path, typed: str) -> None:
    args = ("--kind", "parts", "--level", "C", "--count", "1")
    result = practise(tmp_path / "p.sqlite", *args, typed=typed)
    assert result.exit_code == 0
    assert result.output.count("parts get their marks") <= 1


def test_an_empty_line_and_a_question_mark_are_answered(tmp_path: Path) -> None:
    result = practise(tmp_path / "p.sqlite", "--kind", "verify", typed="\n?\nexit\n")
    assert "Nothing was typed" in result.output
    assert "Type an answer, or one of" in result.output
    assert "0 of 0 right." in result.output


def test_count_stops(tmp_path: Path) -> None:
    typed = "show\n" * 10
    result = practise(tmp_path / "p.sqlite", "--kind", "rule", "--count", "2", typed=typed)
    assert "0 of 2 right." in result.output


def test_fading_asks_for_a_blank(tmp_path: Path) -> None:
    result = practise(
        tmp_path / "p.sqlite",
        "--kind",
        "fading",
        "--topic",
        "batches",
        "--count",
        "1",
        typed="show\n",
    )
    assert "= ?" in result.output
    assert "marked with >" in result.output or "question mark at >" in result.output


def test_nothing_is_kept_when_nothing_shall_be(tmp_path: Path) -> None:
    result = CliRunner().invoke(
        cli,
        ["practice", "--no-progress", "--kind", "rule"],
        input="show\n",
        env={"CHAINRULE_PROGRESS": str(tmp_path / "p.sqlite")},
    )
    assert result.exit_code == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--topic", "vector"], "did you mean vectors"),
        (["--level", "Q"], "there is no level 'Q'"),
        (["--kind", "riddle"], "no kind of question 'riddle'"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, args: list[str], words: str) -> None:
    result = practise(tmp_path / "p.sqlite", *args, typed="")
    assert result.exit_code == 1
    assert words in result.output


def test_progress_is_shown_exported_and_deleted(tmp_path: Path) -> None:
    path, out = tmp_path / "p.sqlite", tmp_path / "out.json"
    assert "nothing has been practised yet" in run("progress", "--progress", str(path)).output
    practise(path, "--kind", "rule", typed="show\n")
    shown = run("progress", "--progress", str(path))
    assert "0 of 1 right" in shown.output
    assert "missed" in shown.output
    run("progress", "--progress", str(path), "--export", str(out))
    assert len(json.loads(out.read_text())["answers"]) == 1
    assert json.loads(run("progress", "--progress", str(path), "--export", "-").output)
    deleted = run("progress", "--progress", str(path), "--delete")
    assert "held 1 answers" in deleted.output
    assert not path.exists()
