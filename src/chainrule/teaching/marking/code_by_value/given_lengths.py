"""Lengths that code gives as numbers, such as 64 hidden units, made small ones that differ."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterable, Iterator, Sequence

from chainrule.teaching.marking.code_by_value.words import word_of

LARGEST = 6
"""The largest length that stays as it is."""

_SMALL = (5, 3, 4, 6, 7, 8, 9, 11, 10, 12)
_LISTED = frozenset({"randn", "rand", "zeros", "ones", "empty", "eye", "reshape", "view"})
"""Functions whose arguments are lengths."""

_OF_TUPLES = frozenset({"normal", "uniform", "randint", "standard_normal", "full", "random",
                        "random_sample"})  # fmt: skip
"""Functions of which a tuple, or the argument ``size``, gives the lengths."""


def with_small_lengths(statements: Sequence[ast.stmt]) -> None:
    """Replace large lengths in place: those of drawn arrays, and the names of the same numbers.

    Every length keeps its relation to others that are the same number or a product by a name, so
    that ``n_embd * block`` is still the number of rows of a weight.

    Parameters
    ----------
    statements : sequence of ast.stmt
        The code.
    """
    nodes = [node for whole in statements for node in ast.walk(whole)]
    places = list(_places(nodes))
    names = {word_of(node) for place in places for node in ast.walk(place)
             if isinstance(node, ast.Name | ast.Attribute)}  # fmt: skip
    given = [node for place in places for node in ast.walk(place) if _is_length(node)]
    assigned = list(_assigned(nodes))
    given += [node for name, node in assigned if name in names]
    values = list(dict.fromkeys(node.value for node in given if isinstance(node, ast.Constant)))
    large = [value for value in values if isinstance(value, int) and value > LARGEST]
    kept = {value for value in values if isinstance(value, int) and value <= LARGEST}
    free = itertools.chain((n for n in _SMALL if n not in kept), itertools.count(13))
    small = dict(zip(large, free, strict=False))
    if not small:
        return
    given += [node for _, node in assigned]
    given += [node.right for node in nodes
              if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)]  # fmt: skip
    for node in given:
        if isinstance(node, ast.Constant) and _is_length(node):
            node.value = small.get(node.value, node.value)  # type: ignore[arg-type]


def _is_length(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _places(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """Yield the expressions that are lengths."""
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        word = word_of(node.func)
        tuples: list[ast.expr] = [one for one in node.args if isinstance(one, ast.Tuple | ast.List)]
        tuples += [k.value for k in node.keywords if k.arg in ("size", "shape")]
        if word in _LISTED and node.args:
            yield from tuples or node.args
        elif word in _OF_TUPLES:
            yield from tuples


def _assigned(nodes: Iterable[ast.AST]) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the names that get a number, one by one or several at once."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef):  # def one_hot(y, classes=62)
            names = [one.arg for one in node.args.args]
            for name, given in zip(names[::-1], node.args.defaults[::-1], strict=False):
                if isinstance(given, ast.Constant) and _is_length(given):
                    yield name, given
        if not isinstance(node, ast.Assign):
            continue
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for one, value in pairs:
                if isinstance(value, ast.Constant) and _is_length(value):
                    yield word_of(one), value


__all__ = ["LARGEST", "with_small_lengths"]
