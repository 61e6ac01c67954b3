"""The last handler of the command line: sentences, statuses, and nothing that a terminal runs."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from chainrule.cli import data_files, endings
from chainrule.cli.main import cli, main
from chainrule.cli.streams import VisibleStream
from chainrule.errors import DataError, ParseError, ProofError
from chainrule.visible import visible

ENDINGS: list[tuple[BaseException, int, str]] = [
    (DataError("a table"), 1, "Error: a table\n"),
    (ProofError("a step"), 3, "Error: a step\n"),
    (KeyboardInterrupt(), 130, "Error: stopped.\n"),
    (click.Abort(), 130, "Error: stopped.\n"),
    (SystemExit(endings.NO_READER), 141, ""),
    (OSError(errno.ENOSPC, "No space left on device"), 1, "cannot be written: No space left"),
    (PermissionError(errno.EACCES, "Permission denied", "key"), 1, "key: Permission denied."),
    (RecursionError("deep"), 1, "nested too deeply"),
    (MemoryError(), 1, "memory"),
    (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), 1, "a text cannot be read"),
    (ZeroDivisionError("division by zero"), 3, "a bug of chainrule (ZeroDivisionError"),
    (SystemExit(2), 2, ""),
    (SystemExit("words"), 1, "words"),
    (click.UsageError("no such option"), 2, "no such option"),
]


@pytest.mark.parametrize(("error", "status", "said"), ENDINGS, ids=lambda e: type(e).__name__)
def test_every_error_is_a_sentence_and_a_status(
    error: BaseException,
    status: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(sys, "argv", ["chainrule"])
    # A stream of its own would close pytest's when it is collected.
    monkeypatch.setattr(endings, "set_up_streams", lambda: None)
    assert endings.run_to_the_end(fails) == status
    found = capsys.readouterr().err
    assert said in found
    assert "Traceback" not in found


HOSTILE = ["\x1b[2J", "\x07", "\u009b31m", "\u202egnp.exe", "a\u200bb", "\x7f"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_terminal_would_run_is_shown(text: str) -> None:
    assert all(32 <= ord(c) < 127 for c in visible(text))
    assert str(DataError(f"column {text!r}"[:-1] + text)).isprintable()
    assert visible(text) in str(ParseError(f"near {text}", source=text))


def test_lines_tabs_and_other_scripts_stay() -> None:
    text = "größe\tŷ ∂L/∂w 日本 👩‍🔬\nnext"
    assert visible(text) == text


def test_streams_show_and_data_passes(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        stream = VisibleStream(file, encoding="utf-8")
        stream.write("\x1b[31mred\n")
        stream.is_data = True
        stream.write("\x1b\n")
        stream.flush()
        stream.detach()
    assert (tmp_path / "out").read_text() == "\\u001b[31mred\n\x1b\n"


def chainrule(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "chainrule", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_interrupt_while_modules_are_loaded_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(data_files, "import_arrow_alone", interrupted)
    monkeypatch.setattr(sys, "argv", ["chainrule", "fit", "table.csv"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "Error: stopped.\n"


@pytest.mark.slow
def test_escapes_in_a_table_reach_no_terminal_and_no_page(tmp_path: Path) -> None:
    rows = "".join(f"{k % 5},{'yn'[k % 3 % 2]}\x1b[2J\n" for k in range(60))
    (tmp_path / "t.csv").write_text(f"\x1b[31mred,t\n{rows}")
    fitted = chainrule(
        tmp_path, "fit", "t.csv", "--target", "t", "--out", "m.json", "--report", "r.html"
    )
    assert fitted.returncode == 0, fitted.stderr
    listed = chainrule(tmp_path, "columns", "t.csv")
    missing = chainrule(tmp_path, "fit", "t.csv", "--target", "\x1bno")
    predicted = chainrule(tmp_path, "predict", "m.json", "t.csv")
    for text in (
        fitted.stdout,
        listed.stdout,
        missing.stderr,
        (tmp_path / "r.html").read_text(),
        (tmp_path / "m.json").read_text(),
    ):
        assert "\x1b" not in text
        assert "\\u001b" in text
    # Data for another program are the labels themselves.
    assert "\x1b[2J" in predicted.stdout


def test_a_key_twice_in_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("x,t\n" + "1,a\n2,b\n3,a\n" * 9)
    assert chainrule(tmp_path, "fit", "t.csv", "--target", "t", "--out", "m.json").returncode == 0
    text = (tmp_path / "m.json").read_text()
    target = json.loads(text)["target"]
    (tmp_path / "m.json").write_text(text.replace("{", f'{{"target": "{target}",', 1))
    done = chainrule(tmp_path, "predict", "m.json", "t.csv")
    assert done.returncode == 1
    assert "'target' is there twice" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["derive", "examples/logistic_single", "--wrt", ","],
        ["derive", "examples/logistic_single", "--hvp", ""],
        ["check", "examples/logistic_single", "--wrt", " "],
        ["code", "examples/logistic_single", "--wrt", ","],
        ["practice", "--kind", ","],
    ],
)
def test_an_option_of_names_without_one_is_refused(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert "holds no name" in result.output


def test_the_place_of_a_package_is_checked_before_it_is_made(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["board", "--scorm", str(tmp_path)])
    assert result.exit_code == 1
    assert "this is a folder" in result.output
