"""What the page on exercises quotes is what the commands print, with what is typed behind ``>``."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.teaching.exercises.kinds import KINDS

PAGE = Path(__file__).parents[3] / "docs" / "exercises.md"


def quoted() -> Iterator[tuple[str, tuple[str, ...]]]:
    text = PAGE.read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            yield command, tuple(line for line in lines if line and line != "...")


@pytest.mark.parametrize(("command", "lines"), list(quoted()), ids=lambda value: str(value)[:40])
def test_the_page_quotes_real_output(
    command: str, lines: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    typed = "".join(f"{line[2:]}\n" for line in lines if line.startswith("> "))
    done = CliRunner().invoke(cli, shlex.split(command)[1:], input=typed)
    assert done.exit_code == 0, done.output
    place = 0
    for line in lines:
        found = done.output.find(line, place)
        assert found >= 0, f"not printed: {line!r}\n{done.output}"
        place = found + len(line)


def test_the_page_names_every_kind_of_question() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE) == [kind.name for kind in KINDS]
