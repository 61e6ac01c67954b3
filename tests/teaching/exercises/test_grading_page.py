"""What the page on grading quotes is what the command prints."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from click.testing import CliRunner

from chainrule.cli.main import cli

PAGE = Path(__file__).parents[3] / "docs" / "grading.md"


def test_the_page_quotes_real_output() -> None:
    text = PAGE.read_text(encoding="utf-8")
    parts = [
        part
        for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL)
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    ]
    assert len(parts) >= 5
    for part in parts:
        command, *lines = part.rstrip("\n").split("\n")
        done = CliRunner().invoke(cli, shlex.split(command)[1:])
        place = 0
        for line in lines:
            if line == "...":
                continue
            found = done.output.find(line, place)
            assert found >= 0, f"{command}: not printed: {line!r}\n{done.output}"
            place = found + len(line)
