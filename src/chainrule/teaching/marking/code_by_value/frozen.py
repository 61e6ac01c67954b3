"""Expressions in which the names that a loop changes stand for their values of one round."""

from __future__ import annotations

import ast
from typing import Any

from chainrule.teaching.marking.code_by_value.algebra import Misfit
from chainrule.teaching.marking.code_by_value.evaluation import Evaluation


class Frozen(ast.NodeTransformer):
    """Replace names that later rounds of a loop change by names of their values now."""

    def __init__(self, walk: Evaluation[Any], held: list[str]) -> None:
        self.walk = walk
        self.held = held

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return the name of the value that a name has now."""
        walk = self.walk
        if node.id in walk.scope:
            return ast.Constant(walk.scope[node.id])
        name = walk.flat(node) or node.id
        changes = walk.looping > 0 or name in walk.names.states
        if not changes or walk.names.is_gradient(name) or name not in walk.known:
            return ast.Name(name, ast.Load()) if name != node.id else node
        return self._held(name)

    def _held(self, name: str) -> ast.expr:
        known = self.walk.known
        held = f"{name}@{len(self.held)}"
        self.held.append(held)
        known[held] = known[name]
        return ast.Name(held, ast.Load())

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Return the name of an entry of a list."""
        walk = self.walk
        try:
            name = walk.flat(node)
        except Misfit:
            name = None
        if name is None:
            base = walk.flat(node.value)
            at = node.slice.id if isinstance(node.slice, ast.Name) else ""
            if base is not None and base not in walk.known and at in walk.scope and (
                at not in walk.counted
            ):  # fmt: skip
                node.value = self.visit(node.value)
                return node
            return self.generic_visit(node)
        if walk.looping and name in walk.known and not walk.names.is_gradient(name):
            return self._held(name)
        return ast.Name(name, ast.Load())

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        """Return the name of an attribute of an object."""
        walk = self.walk
        if isinstance(node.value, ast.Name) and node.attr not in ("T", "shape", "size"):
            name = walk.flat(node)
            if name is not None and walk.looping and name in walk.known and not (
                walk.names.is_gradient(name)
            ):  # fmt: skip
                return self._held(name)
            return node
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Return a call with its arguments replaced."""
        if isinstance(node.func, ast.Attribute):
            module = isinstance(node.func.value, ast.Name) and (
                self.walk.flat(node.func.value) not in self.walk.known
            )
            if not module:
                node.func.value = self.visit(node.func.value)
        node.args = [self.visit(one) for one in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return node


__all__ = ["Frozen"]
