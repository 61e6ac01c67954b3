"""Statements and expressions in JavaScript, and the ops that have none."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Set

from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.op import Op
from chainrule.errors import DerivationError
from chainrule.language.codegen.javascript.functions import functions
from chainrule.language.codegen.javascript.statements import INDENT, definition
from chainrule.language.codegen.javascript.translation import expression, signature
from chainrule.language.codegen.javascript.words import RESERVED, local
from chainrule.language.codegen.javascript.written import Kind, Scope, UntranslatableError
from chainrule.language.codegen.lines import shape_text
from chainrule.language.codegen.target import Target


class JavaScript(Target):
    """An ECMAScript module over arrays that are ``{ shape, data }``."""

    name = "javascript"

    def __init__(self) -> None:
        self.reserved = RESERVED | set(functions())

    def expression(self, tree: ast.expr, sizes: Set[str], helpers: Mapping[str, str]) -> str:
        """Write an expression in NumPy as calls of the runtime."""
        kinds = dict.fromkeys(sizes, Kind.NUMBER)
        return expression(tree, Scope(kinds, signatures(helpers))).text

    def statement(self, name: str, code: str, shape: Shape, *, given: bool = False) -> str:
        """Write a constant, or a default, with the shape as a comment."""
        head = f"{name} ??=" if given else f"const {name} ="
        return f"{INDENT}{head} {code}; // {shape_text(shape)}"

    def function_name(self, name: str) -> str:
        """Return the name of a helper, which no function of the runtime has."""
        return local(name)

    def verify(self, row: Op, code: ast.expr) -> None:
        """Raise `DerivationError` when an op has no JavaScript."""
        spelled = row.targets.get(self.name)
        helpers = {} if spelled else helpers_of(row)
        known = signatures(helpers)
        try:
            expression(code, Scope(signatures=known))
            for source in helpers.values():
                definition(source, known)
        except UntranslatableError as error:
            raise DerivationError(
                f"{row.name} has no JavaScript: {error} has no counterpart there. Choose another "
                f"target, or give the entry of {row.name} a Spelling for javascript"
            ) from None


JAVASCRIPT = JavaScript()
"""The target."""


def signatures(helpers: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the parameters of helpers, by the names of the functions."""
    return dict(signature(source) for source in helpers.values())


def helpers_of(row: Op) -> dict[str, str]:
    """Return the definitions that the code of an op calls, directly or through others."""
    found = {row.name: row.helper} if row.helper else {}
    for other in row.helpers:
        found |= helpers_of(other)
    return found
