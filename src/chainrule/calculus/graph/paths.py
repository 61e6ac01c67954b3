"""Paths: the place of a sub-expression, since one interned node may stand at several places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from chainrule.calculus.graph.expression import Expr

Path: TypeAlias = tuple[int, ...]
"""The position of an argument at each level; empty for the whole expression."""
Placed: TypeAlias = tuple[Path, Expr]
"""A sub-expression and its path."""


def subexpression(root: Expr, path: Path) -> Expr:
    """Return the sub-expression at a path.

    Raises
    ------
    IndexError
        When the path leads out of the expression.
    """
    for position in path:
        root = root.args[position]
    return root


def places(root: Expr, at: Path = ()) -> Iterator[Placed]:
    """Yield every sub-expression with its path, in reading order."""
    yield at, root
    for k, arg in enumerate(root.args):
        yield from places(arg, (*at, k))


def path_text(path: Path) -> str:
    """Return a path as text, as the attribute ``data-path`` has it: ``0.1.2``."""
    return ".".join(map(str, path))


__all__ = ["Path", "Placed", "path_text", "places", "subexpression"]
