"""What is released: one version everywhere, and an archive that has the examples."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tools.matrix import lowest

import chainrule

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_version_is_the_same_everywhere() -> None:
    cited = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    changes = re.search(r"^## (\S+?),", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert cited is not None
    assert changes is not None
    assert {cited[1], changes[1], PROJECT["project"]["version"]} == {chainrule.__version__}


def test_the_source_archive_takes_the_examples_where_they_are() -> None:
    # hatchling visits a folder once: by the link at the root, the package would lack them.
    assert (ROOT / "examples").is_symlink()
    archive = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert "include" not in archive
    assert "src" in archive["only-include"]
    assert all((ROOT / name).exists() for name in archive["only-include"])


def test_every_dependency_has_a_lower_bound_that_can_be_pinned() -> None:
    pinned = lowest(PROJECT["project"]["dependencies"])
    assert "numpy==1.26.*" in pinned
    assert all("==" in each for each in pinned)
