"""What the README and the docs quote is what the commands print."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tools import speed

from chainrule.cli.main import cli
from tests.loss_definitions import DEFINITIONS

ROOT = Path(__file__).parents[1]


def quoted() -> Iterator[tuple[str, list[str]]]:
    """Yield the commands of the README's console blocks with the lines quoted below each."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            wanted = [line for line in lines if line and line != "..."]
            if command.startswith("chainrule ") and wanted:
                yield command, wanted


@pytest.mark.parametrize(("command", "lines"), list(quoted()), ids=lambda value: str(value)[:40])
def test_readme_quotes_real_output(
    command: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, shlex.split(command)[1:])
    assert done.exit_code == 0, done.output
    place = 0
    for line in lines:
        found = done.output.find(line, place)
        assert found >= 0, f"not printed after what stands before it: {line!r}"
        place = found + len(line)


def test_the_list_of_losses_is_that_of_their_definitions() -> None:
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    found = re.search(r"(\w+) losses ship: ([^;.]*); ([^;.]*) are not convex", text)
    assert found is not None
    listed, not_convex = (re.split(", | and ", part) for part in found.groups()[1:])
    assert sorted(listed) == sorted(loss.title for loss in DEFINITIONS.values())
    assert sorted(not_convex) == sorted(x.title for x in DEFINITIONS.values() if not x.convex)
    assert _NUMBERS[found[1].lower()] == len(DEFINITIONS)


_NUMBERS = dict(
    zip(
        ("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"),
        range(14, 21),
        strict=True,
    )
)


@pytest.mark.parametrize("page", ["README.md", "docs/install.md"])
def test_the_table_of_extras_has_all_of_them(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8").split("## Extras")[1]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", text, re.MULTILINE)
    listed = {name: libraries for names, libraries in rows for name in re.findall("`(.+?)`", names)}
    assert listed.keys() == project["optional-dependencies"].keys()
    for extra, requirements in project["optional-dependencies"].items():
        if extra not in ("docs", "test"):
            named = {requirement.split(">=")[0] for requirement in requirements}
            assert named == set(listed[extra].split(", ")), extra


def test_something_is_quoted() -> None:
    assert len(list(quoted())) >= 3


@pytest.mark.slow
def test_the_page_of_derivations_is_what_the_engine_says() -> None:
    spec = importlib.util.spec_from_file_location("render_docs", ROOT / "tools/render_docs.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.DERIVATIONS.read_text(encoding="utf-8") == tool.derivations()


def test_the_figures_of_speed_are_those_of_the_file() -> None:
    for path, text in speed.written().items():
        assert path.read_text(encoding="utf-8") == text, "run `make docs`"
        assert text.count("| chainrule |") == 1


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", (ROOT / "README.md").read_text()))
def test_links_of_the_readme_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
