"""No import circles: no module needs itself through others, not even inside a function.

Imports are read from the source, wherever they stand: at the top, under `TYPE_CHECKING`, inside
functions. Imports by name (`import_module`) are listed one by one, with a reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

import chainrule

ROOT = Path(chainrule.__file__).parent
BY_NAME = {
    "chainrule": "public names and the renderer of notebooks, loaded at first use",
    "chainrule.cli.main": "commands, loaded when they are called",
    "chainrule.engine.losses.table": "the generated module of a loss, loaded when it is chosen",
    "chainrule.engine.inference.tables": "pandas, which only frames need",
    "chainrule.estimators.coefficient_paths": "pandas, which only frames need",
    "chainrule.engine.runtime.native": "kernels by the name of their module, compiled or loaded",
    "chainrule.engine.runtime.workers": "Dask or Spark, loaded for a client of theirs",
    "chainrule.engine.fitting": "solvers, loaded when they are chosen",
}
"""The modules that import others by name, where no parser sees it, with the reason."""


@cache
def parsed(path: Path) -> ast.Module:
    """Parse a module once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(tree: ast.AST, known: Mapping[str, object]) -> Iterator[str]:
    """Yield the modules that a module imports, wherever it does."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in known else str(node.module)


def graph(root: Path = ROOT) -> dict[str, set[str]]:
    """Return what each module imports."""
    paths = {module_name(path): path for path in root.rglob("*.py")}
    found = {}
    for name, path in paths.items():
        found[name] = {other for other in imported(parsed(path), paths) if other != name}
    return found


def circles(edges: Mapping[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one module (Tarjan 1972)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = low[name] = len(order)
        stack.append(name)
        for other in sorted(edges.get(name, ())):
            if other not in order:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], order[other])
        if low[name] == order[name]:
            cut = stack.index(name)
            component, stack[cut:] = stack[cut:], []
            if len(component) > 1:
                found.append(sorted(component))

    for name in sorted(edges):
        if name not in order:
            visit(name)
    return found


@pytest.mark.slow
def test_no_module_imports_itself_through_others() -> None:
    assert circles(graph()) == []


@pytest.mark.slow
def test_imports_by_name_are_known() -> None:
    found = {
        module_name(path)
        for path in ROOT.rglob("*.py")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).rpartition(".")[2] in ("import_module", "__import__")
    }
    assert found == set(BY_NAME)


def test_a_circle_is_found_wherever_its_imports_stand() -> None:
    sources = {
        "a": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from b import x\n",
        "b": "def f():\n    import c\n",
        "c": "from a import y\n",
        "d": "import a\n",
    }
    edges = {name: set(imported(ast.parse(text), sources)) for name, text in sources.items()}
    assert circles(edges) == [["a", "b", "c"]]
