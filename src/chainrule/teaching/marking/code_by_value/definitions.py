"""Rows of code that define and claim nothing: values, starts at zero, other branches."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from chainrule.teaching.marking.code_by_value.naming import Names, names_of
from chainrule.teaching.marking.code_by_value.source import source
from chainrule.teaching.marking.code_by_value.words import word_of

_STARTS = frozenset({"zeros_like", "zeros", "copy", "clone", "empty_like"})


def defining_rows(text: str) -> frozenset[int]:
    """Return the rows of code that claim no gradient, and those of an ``else``.

    Parameters
    ----------
    text : str
        The text as posted.
    """
    code = source(text)
    if code is None:
        return frozenset()
    names = names_of(code.statements)
    found: set[int] = set()
    for statement in code.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.If):
                found.update(_rows(node.orelse))
            elif isinstance(node, ast.Assign):
                if _defines(node, names) or _steps(node, names):
                    found.add(node.lineno)
            elif isinstance(node, ast.AugAssign | ast.AnnAssign) and not names.uses_gradients(
                node.target
            ):
                found.add(node.lineno)
    return frozenset(found)


def _steps(assignment: ast.Assign, names: Names) -> bool:
    """Whether a row is a step such as ``W = W - lr * dW`` or ``v = beta * v + dW``."""
    target = assignment.targets[0]
    if names.uses_gradients(target) and not (
        isinstance(target, ast.Name) and not names.is_named_gradient(target.id)
    ):  # fmt: skip
        return False
    return any(ast.unparse(node) == ast.unparse(target) for node in ast.walk(assignment.value)
               if isinstance(node, ast.Name | ast.Attribute | ast.Subscript))  # fmt: skip


def _rows(statements: list[ast.stmt]) -> Iterator[int]:
    for statement in statements:
        yield from range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)


def _defines(assignment: ast.Assign, names: Names) -> bool:
    """Whether an assignment gives a value to a name, and says nothing of a gradient."""
    value = assignment.value
    if isinstance(value, ast.Call) and word_of(value.func) in _STARTS:
        return True
    targets = [node for target in assignment.targets for node in ast.walk(target)]
    words = [node.id if isinstance(node, ast.Name) else node.attr
             for node in targets if isinstance(node, ast.Name | ast.Attribute)]  # fmt: skip
    keys = [node.value for node in targets if isinstance(node, ast.Constant)]
    named = [*words, *(key for key in keys if isinstance(key, str))]
    return not (any(map(names.is_gradient, named)) or names.uses_gradients(value))


__all__ = ["defining_rows"]
