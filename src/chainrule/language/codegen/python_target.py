"""Modules in Python: statements and expressions for NumPy, PyTorch and JAX."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set

from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.op import Op
from chainrule.language.codegen.dialects import Dialect, spelled
from chainrule.language.codegen.lines import shape_text
from chainrule.language.codegen.target import Target

INDENT = "    "


class PythonTarget(Target):
    """A library of Python."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.name = dialect.name

    def expression(self, tree: ast.expr, sizes: Set[str], helpers: Mapping[str, str]) -> str:
        """Write an expression in NumPy in the names of the library."""
        return spelled(tree, self.dialect, sizes, follow=True)

    def statement(self, name: str, code: str, shape: Shape, *, given: bool = False) -> str:
        """Write an assignment with the shape as a comment."""
        ending = f" if {name} is None else {name}" if given else ""
        return f"{INDENT}{name} = {code}{ending}{comment(shape)}"

    def verify(self, row: Op, code: ast.expr) -> None:
        """Accept any code: an op keeps to names that libraries of arrays share."""


def comment(shape: Shape) -> str:
    """Write a shape behind a statement."""
    return f"  # {shape_text(shape)}"
