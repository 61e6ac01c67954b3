"""Expressions in columns: read into a tree, checked against a list, and computed."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from chainrule.errors import DataError
from chainrule.formulas.columns import Floats

FUNCTIONS: Final[Mapping[str, Callable[[Floats], Floats]]] = MappingProxyType(
    {
        "log": np.log,
        "log2": np.log2,
        "log10": np.log10,
        "log1p": np.log1p,
        "exp": np.exp,
        "expm1": np.expm1,
        "sqrt": np.sqrt,
        "abs": np.abs,
        "I": np.asarray,
    }
)
"""The functions of one number."""

OF_COLUMNS: Final = ("C", "bs", "poly", "center", "scale")
"""The functions of a whole column, which learn something from it."""

_OPERATORS: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = MappingProxyType(
    {
        ast.Add: np.add,
        ast.Sub: np.subtract,
        ast.Mult: np.multiply,
        ast.Div: np.divide,
        ast.Pow: np.power,
    }
)
_QUOTED: Final = re.compile("`([^`]+)`")
_MOST_DEEP: Final = 50


@dataclass(frozen=True)
class Expression:
    """An expression in columns.

    Parameters
    ----------
    text : str
        As it was written; a name in backticks may hold any characters.
    """

    text: str

    @cached_property
    def tree(self) -> ast.expr:
        """The syntax tree, whose quoted names are placeholders."""
        marked = _QUOTED.sub(lambda found: f"_quoted{self._quoted.index(found[1])}", self.text)
        try:
            tree = ast.parse(marked.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise DataError(
                f"the formula holds {self.text!r}, which is not an expression."
            ) from None
        if _depth(tree) > _MOST_DEEP:
            raise DataError(f"the formula nests {self.text[:40]!r}... too deeply.")
        return tree

    @cached_property
    def _quoted(self) -> list[str]:
        return list(dict.fromkeys(_QUOTED.findall(self.text)))

    def name_of(self, node: ast.Name) -> str:
        """Return the column that a name means."""
        if node.id.startswith("_quoted") and node.id[7:].isdigit():
            return self._quoted[int(node.id[7:])]
        return node.id

    @property
    def call(self) -> tuple[str, list[ast.expr], dict[str, ast.expr]] | None:
        """The function of a whole column, its arguments and its options; None for a number."""
        tree = self.tree
        if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
            return None
        if tree.func.id not in OF_COLUMNS:
            return None
        if any(word.arg is None for word in tree.keywords):
            raise DataError(f"{self.text}: write the options of {tree.func.id} one by one.")
        return tree.func.id, tree.args, {str(word.arg): word.value for word in tree.keywords}

    def names(self, node: ast.expr | None = None) -> Iterator[str]:
        """Yield the columns of an expression of numbers; reject what is no such expression."""
        node = self.tree if node is None else node
        match node:
            case ast.Name():
                yield self.name_of(node)
            case ast.Constant(value=int() | float()) if not isinstance(node.value, bool):
                return
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                yield from self.names(node.operand)
            case ast.BinOp() if type(node.op) in _OPERATORS:
                yield from self.names(node.left)
                yield from self.names(node.right)
            case ast.Call(args=[argument], keywords=[]) if _function(node) is not None:
                yield from self.names(argument)
            case _:
                raise DataError(
                    f"the formula holds {self.text!r}, which is not allowed: an expression is "
                    f"made of columns, numbers, + - * / **, {', '.join(FUNCTIONS)}; and "
                    f"{', '.join(OF_COLUMNS)} stand on the outside."
                )

    def value(self, columns: Mapping[str, Floats], node: ast.expr | None = None) -> Floats:
        """Compute an expression that `names` accepts; NaN and infinities as they come."""
        node = self.tree if node is None else node
        with np.errstate(all="ignore"):
            match node:
                case ast.Name():
                    return columns[self.name_of(node)]
                case ast.Constant():
                    return np.asarray(node.value, dtype=np.float64)
                case ast.UnaryOp():
                    inner = self.value(columns, node.operand)
                    return -inner if isinstance(node.op, ast.USub) else inner
                case ast.BinOp():
                    left, right = (self.value(columns, n) for n in (node.left, node.right))
                    return np.asarray(_OPERATORS[type(node.op)](left, right), dtype=np.float64)
                case ast.Call():
                    function = _function(node)
                    assert function is not None
                    return np.asarray(function(self.value(columns, node.args[0])))
        raise AssertionError(node)


def literal(node: ast.expr, text: str) -> Any:  # noqa: ANN401
    """Return a number, a string or a list of them."""
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        raise DataError(f"{text}: an option is a number, a text or a list of numbers.") from None
    return value


def _function(node: ast.Call) -> Callable[[Floats], Floats] | None:
    """Return the function of a call, by its name or with the ``np.`` in front."""
    match node.func:
        case ast.Name(id=name):
            return FUNCTIONS.get(name)
        case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name):
            return FUNCTIONS.get(name)
    return None


def _depth(tree: ast.AST) -> int:
    """Return how deeply a tree is nested, without recursion."""
    deepest, waiting = 0, [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting += [(child, depth + 1) for child in ast.iter_child_nodes(node)]
    return deepest
