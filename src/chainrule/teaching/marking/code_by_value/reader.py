"""Interface between the functions of a library and the evaluation of their arguments."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from chainrule.teaching.marking.code_by_value.indices import Indices

V = TypeVar("V")

Arguments = Sequence[ast.expr]
Keywords = Mapping[str, ast.expr]


class Reader(Indices[V], ABC, Generic[V]):
    """Readers of the arguments of a call."""

    @abstractmethod
    def array(self, node: ast.expr) -> V:
        """Return the value of an expression that is an array."""

    @abstractmethod
    def argued(self, node: ast.expr) -> V:
        """Return the argument of a function that is applied to every entry."""

    @abstractmethod
    def times(self, one: object, other: object) -> object:
        """Return the product of two values, entry by entry."""

    @abstractmethod
    def length(self, node: ast.expr) -> object:
        """Return the length of a list or of the first axis of an array."""


__all__ = ["Arguments", "Keywords", "Reader"]
