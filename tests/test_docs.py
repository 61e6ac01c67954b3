"""The examples in the docs run, and their links lead somewhere."""

from __future__ import annotations

import doctest
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from tools.book.written import OUTSIDE

from chainrule.cli.main import cli

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LESSONS = (
    *("install", "first_gradient", "tutorial", "code", "fitting", "lms", "verified"),
    *("presenting", "gradient_descent", "predicting"),
)
"""Pages whose commands run one after the other and print what is quoted."""
OPTIONS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
_FENCE = re.compile(r"```(\w+)(?: (\S+))?\n(.*?)```", re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_on_a_page_prints_what_it_says(page: Path) -> None:
    failed, _ = doctest.testfile(str(page), module_relative=False, optionflags=OPTIONS)
    assert failed == 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        there = Path(os.path.normpath(page.parent / link))
        if there.is_relative_to(DOCS) and is_generated(there.relative_to(DOCS)):
            continue  # the build of the site checks it
        assert there.exists(), link


def test_the_tests_that_hold_a_fault_exist() -> None:
    page = (DOCS / "robustness.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)+\w+\.py)(?:::(\w+))?` \|$", page, re.MULTILINE)
    assert len(named) > 30
    for file, name in named:
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text if name else text, (file, name)


def is_generated(page: Path) -> bool:
    """Whether a page is made when the site is built."""
    return page.parts[0] in ("reference", "gallery", "notebooks") or page.stem in OUTSIDE.values()


PACKAGES = sorted(p for p in (ROOT / "docs/packages").glob("*.md") if p.stem != "engine")
FOLDERS = {
    "language": ("language", "calculus/evaluation", "calculus/ops"),
    "marking": ("teaching/marking", "teaching/diagnosis", "teaching/grading"),
    "exercises": ("teaching/exercises",),
    "lecture": (".",),
    "README": (),
    **{name: (f"calculus/{name}",) for name in ("derivation", "graph", "indexing", "ops", "proof")},
    "rewriting": ("calculus/rewriting",),
}


@pytest.mark.parametrize("page", PACKAGES, ids=lambda page: page.stem)
def test_the_files_that_a_package_page_names_exist(page: Path) -> None:
    folders = [ROOT / "src/chainrule" / part for part in FOLDERS.get(page.stem, (page.stem,))]
    known = {file.name for folder in folders for file in folder.rglob("*.py")}
    known |= {file.name for file in (ROOT / "src/chainrule").glob("*.py")}
    named = set(re.findall(r"`(?:\w+/)*(\w+\.py)`", page.read_text(encoding="utf-8")))
    assert named <= known, named - known


def lessons(page: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the fences of a page: kind, name of the file if it has one, text."""
    yield from _FENCE.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", LESSONS)
def test_the_commands_of_a_page_print_what_it_quotes(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = 0
    for kind, name, text in lessons(DOCS / f"{page}.md"):
        if name:
            Path(name).write_text(text, encoding="utf-8")
        elif kind == "console":
            for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
                command, *lines = part.rstrip("\n").split("\n")
                if not lines and "table.csv" in command:
                    continue  # a file of the reader's
                done = CliRunner().invoke(cli, shlex.split(command)[1:])
                assert done.exit_code in (0, 1), done.output
                place = 0
                for line in (line.removesuffix("...").rstrip() for line in lines):
                    found = done.output.find(line, place)
                    assert found >= 0, f"{command}: not printed: {line!r}\n{done.output}"
                    place = found + len(line)
                ran += 1
    assert ran >= (8 if page == "tutorial" else 1)
