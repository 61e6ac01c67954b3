"""`chainrule calibrate`: what it measures, where it is kept, and what is wrong with a bad file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.engine import calibration
from chainrule.engine.runtime import constants
from chainrule.engine.runtime.constants import MachineConstants, machine_constants


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    machine_constants.cache_clear()
    yield tmp_path / "chainrule"
    machine_constants.cache_clear()


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, ["calibrate", *arguments])


@pytest.mark.slow
def test_constants_are_measured_kept_shown_and_deleted(folder: Path) -> None:
    assert "shipped constants" in run("--show").output
    done = run()
    assert done.exit_code == 0, done.output
    assert [path.name for path in folder.iterdir()] == ["machine.json"]
    kept = json.loads((folder / "machine.json").read_text())
    assert set(kept) == set(vars(MachineConstants()))
    assert all(0 < value < 1 for value in kept.values())
    assert vars(machine_constants()) == kept
    assert str(folder / "machine.json") in run("--show").output
    assert "deleted" in run("--reset").output
    assert machine_constants() == MachineConstants()
    assert "no constants" in run("--reset").output


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"call": 1}', '{"call": "x"}', json.dumps({"call": -1.0})]
)
def test_a_damaged_file_is_named_with_the_way_out(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "machine.json").write_text(text)
    assert machine_constants() == MachineConstants()  # fits go on
    done = run("--show")
    assert done.exit_code == 1
    assert "machine.json" in done.output
    assert "--reset" in done.output
    assert run("--reset").exit_code == 0


def test_a_place_that_cannot_be_written_to_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_text("a file where the folder would be")
    monkeypatch.setattr(calibration, "calibrate", lambda _: MachineConstants())
    done = run()
    assert done.exit_code == 1
    assert "cannot be written" in done.output


def test_options_that_contradict_each_other_are_refused() -> None:
    assert run("--show", "--reset").exit_code == 2


def test_constants_lie_where_the_system_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("APPDATA")
    assert constants.constants_file().parts[-2:] == ("chainrule", "machine.json")
    assert constants.constants_file().is_relative_to(Path.home())
