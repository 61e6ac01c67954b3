"""The interface of a target: how expressions and statements are written."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping, Set

from chainrule.calculus.graph.dims import Shape
from chainrule.calculus.graph.op import Op

WIDTH = 88
"""The narrowest line length in common use."""


class Target(ABC):
    """A language and library that modules are written in.

    Attributes
    ----------
    name : str
        The name that users choose it by, and rows spell their code for.
    reserved : set of str
        Identifiers that a module of the target cannot give to a matrix.
    """

    name: str
    reserved: Set[str] = frozenset()

    @abstractmethod
    def expression(self, tree: ast.expr, sizes: Set[str], helpers: Mapping[str, str]) -> str:
        """Write an expression in NumPy on one line.

        Parameters
        ----------
        tree : ast.expr
            In NumPy; the names in it are identifiers of the module.
        sizes : set of str
            The names that are sizes.
        helpers : mapping of str to str
            The definitions, in NumPy, of the functions that it may call.
        """

    @abstractmethod
    def statement(self, name: str, code: str, shape: Shape, *, given: bool = False) -> str:
        """Write the line that computes a matrix, with its shape as a comment.

        A matrix that may be given is computed only when it is not.
        """

    def function_name(self, name: str) -> str:
        """Return the name of a function that the code of an op calls."""
        return name

    @abstractmethod
    def verify(self, row: Op, code: ast.expr) -> None:
        """Raise `DerivationError` when the target has no counterpart of the code of an op."""
