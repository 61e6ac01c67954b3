"""The modules of the shipped losses are what their forward passes derive to, byte for byte."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from chainrule.emission.shipped import FORWARD_PASSES, MODULES, SHIPPED, shipped_module
from chainrule.engine.losses.table import TABLE

ALLOWED = {"__future__", "typing", "numpy", "scipy", "chainrule.engine.losses"}


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_the_file_is_what_is_derived(name: str) -> None:
    assert (MODULES / f"{name}.py").read_text(encoding="utf-8") == shipped_module(name)


def test_every_loss_has_an_entry_a_forward_pass_and_a_module() -> None:
    passes = {path.stem for path in FORWARD_PASSES.glob("*.cr")}
    assert set(SHIPPED) == passes == set(TABLE)


@pytest.mark.parametrize("path", sorted(MODULES.glob("[a-z]*.py")), ids=lambda path: path.stem)
def test_a_module_imports_numpy_and_the_arithmetic_of_bounds_alone(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert "do not edit" in (ast.get_docstring(tree) or "")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= ALLOWED
        if isinstance(node, ast.ImportFrom):
            assert node.module in ALLOWED
