"""The public doors: what they are, and how little opens when one knocks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import chainrule

BLOCKER = """
import sys
from importlib.abc import MetaPathFinder

class Blocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")

sys.meta_path.insert(0, Blocked())
"""
HEAVY = {"numba", "sklearn", "dask", "pyarrow", "matplotlib", "pandas", "jinja2", "torch", "jax"}


def run(code: str, blocked: set[str]) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter that cannot import some libraries."""
    text = BLOCKER.format(blocked=blocked) + code
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True)


def test_import_is_light() -> None:
    done = run("import chainrule", HEAVY | {"numpy", "scipy", "rich", "click", "mpmath"})
    assert done.returncode == 0, done.stderr


def test_derive_works_without_the_heavy_libraries() -> None:
    code = (
        "import sys; sys.argv = ['chainrule', 'derive', 'examples/logistic_batch']\n"
        "from chainrule.cli.main import main; main()"
    )
    done = run(code, HEAVY)
    assert done.returncode == 0, done.stderr
    assert "(A - Y) X^T" in done.stdout


def test_the_blocker_blocks() -> None:
    assert run("import sklearn", HEAVY).returncode != 0


@pytest.mark.parametrize("name", chainrule.__all__)
def test_every_door_opens(name: str) -> None:
    assert getattr(chainrule, name) is not None
    assert name in dir(chainrule)


def typed_names() -> dict[str, str]:
    """Return the names that the package imports under `TYPE_CHECKING`, with their modules."""
    tree = ast.parse(Path(chainrule.__file__).read_text(encoding="utf-8"))
    blocks = [n for n in tree.body if isinstance(n, ast.If) and "TYPE_CHECKING" in ast.unparse(n)]
    return {
        alias.name: str(line.module)
        for block in blocks
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }


@pytest.mark.parametrize("name", chainrule.__all__)
def test_every_public_name_has_its_type(name: str) -> None:
    assert typed_names()[name] == chainrule._DOORS[name]


def test_there_are_no_other_doors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = chainrule.nothing
    assert set(chainrule._DOORS) == set(chainrule.__all__)


def test_symbols_have_their_operators_in_a_fresh_interpreter() -> None:
    done = run(
        "from chainrule import ModelBuilder, plain\n"
        "m = ModelBuilder(); x = m.input('x'); print(plain(x * x - x))",
        HEAVY,
    )
    assert done.stdout == "x x - x\n", done.stderr
