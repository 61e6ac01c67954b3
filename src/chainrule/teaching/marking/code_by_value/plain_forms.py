"""Plain forms of code: no lists of drawn weights, and a name for the prediction in a gradient."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from chainrule.teaching.marking.code_by_value.naming import is_label, is_objective, words_in
from chainrule.teaching.marking.code_by_value.words import word_of

PREDICTION = "prediction_"
_DRAWS = frozenset({"randn", "rand", "normal", "uniform", "standard_normal", "zeros", "ones"})
_GRADIENTS = frozenset({"grad", "grads", "gradient", "gradients"})


class _WithoutDrawnLists(ast.NodeTransformer):
    """Leave out lists of weights that a constructor draws, and the lists of their lengths.

    Of ``[np.random.randn(y, x) for x, y in zip(sizes[:-1], sizes[1:])]`` nothing but the number of
    layers is known, and that is as open as without the constructor. Lists that no loop runs over
    stay: their entries are those of the numbers that the code writes.

    Parameters
    ----------
    looped : set of str
        The names in the heads of loops.
    """

    def __init__(self, looped: set[str]) -> None:
        self.looped = looped

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Return a constructor without these lists."""
        if node.name != "__init__":
            return node
        drawn = [
            one for one in node.body
            if isinstance(one, ast.Assign) and _is_drawn(one.value)
            and word_of(one.targets[0]) in self.looped
        ]  # fmt: skip
        lengths = {arg.arg for arg in node.args.args} & {
            name.id
            for one in drawn if isinstance(one.value, ast.ListComp)
            for name in ast.walk(one.value.generators[0].iter) if isinstance(name, ast.Name)
        }  # fmt: skip
        kept = [one for one in node.body if one not in drawn and not _is_of(one, lengths)]
        node.body = kept or [ast.copy_location(ast.Pass(), node.body[0])]
        return node


def _is_drawn(value: ast.expr) -> bool:
    """Whether a list has a drawn array per layer."""
    return isinstance(value, ast.ListComp) and any(
        isinstance(node, ast.Call) and word_of(node.func) in _DRAWS for node in ast.walk(value.elt)
    )


def _is_of(statement: ast.stmt, lists: set[str]) -> bool:
    """Whether a statement keeps one of these lists, or its length."""
    value = statement.value if isinstance(statement, ast.Assign) else None
    if isinstance(value, ast.Call) and word_of(value.func) == "len" and value.args:
        value = value.args[0]
    return isinstance(value, ast.Name) and value.id in lists


class _NamedPrediction(ast.NodeTransformer):
    """Write ``grad = X.T @ (X @ w - y)`` as two statements, of which one is the prediction."""

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        """Return the prediction and the gradient."""
        if len(node.targets) != 1 or word_of(node.targets[0]) not in _GRADIENTS:
            return node
        errors = [
            part for part in ast.walk(node.value)
            if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub)
            and isinstance(part.right, ast.Name) and is_label(part.right.id)
            and isinstance(part.left, ast.Call | ast.BinOp)
        ]  # fmt: skip
        if len(errors) != 1:
            return node
        (error,) = errors
        made = ast.Assign([ast.Name(PREDICTION, ast.Store())], error.left)
        error.left = ast.copy_location(ast.Name(PREDICTION, ast.Load()), error.left)
        return [ast.fix_missing_locations(ast.copy_location(made, node)), node]


def in_plain_forms(statements: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Return the statements of a text of code in the forms that are evaluated.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The code.
    """
    heads = [node.iter for one in statements for node in ast.walk(one) if isinstance(node, ast.For)]
    without = _WithoutDrawnLists({word for head in heads for word in words_in(head)})
    found: list[ast.stmt] = [without.visit(one) for one in statements]
    stored = {node.id for one in found for node in ast.walk(one)
              if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}  # fmt: skip
    if any(map(is_objective, stored)):
        return found
    module = _NamedPrediction().visit(ast.Module(found, []))
    return list(module.body)


__all__ = ["in_plain_forms"]
