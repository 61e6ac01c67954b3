"""Indices in code: the places of ``x[i, :n]``, ``p[range(n), y]`` and ``d[mask]``."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from chainrule.teaching.marking.code_by_value.algebra import (
    Algebra,
    Chosen,
    Label,
    Misfit,
    NewAxis,
    Part,
    Place,
    Rows,
    Size,
)
from chainrule.teaching.marking.code_by_value.naming import Names
from chainrule.teaching.marking.code_by_value.words import is_new_axis, word_of

V = TypeVar("V")


class Indices(ABC, Generic[V]):
    """The places that an index stands for."""

    algebra: Algebra[V]
    names: Names

    @abstractmethod
    def value(self, node: ast.expr) -> object:
        """Return the value of an expression."""

    @abstractmethod
    def flat(self, node: ast.expr) -> str | None:
        """Return the name that an expression stands for."""

    @abstractmethod
    def lifted(self, value: object) -> V:
        """Return a number as a value."""

    @abstractmethod
    def size_of(self, node: ast.expr) -> object:
        """Return a length."""

    def index(self, node: ast.expr) -> tuple[Place[V], ...]:
        """Return the places of an index."""
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        return tuple(self._place(part, alone=len(parts) == 1) for part in parts)

    def _place(self, node: ast.expr, *, alone: bool) -> Place[V]:
        if isinstance(node, ast.Slice):
            if node.step is not None:
                raise Misfit("a part of an axis with steps")
            return Part(*(None if bound is None else self._bound(bound)
                          for bound in (node.lower, node.upper)))  # fmt: skip
        if is_new_axis(node):
            return NewAxis()
        if isinstance(node, ast.Call) and word_of(node.func) in ("range", "arange"):
            return Rows()
        found = self.value(node)
        if isinstance(found, int | Label):
            return found
        compared = isinstance(node, ast.Compare | ast.UnaryOp) or (
            isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr)
        )
        mask = alone and (compared or "mask" in (self.flat(node) or "").lower())
        return Chosen(self.lifted(found), mask)

    def _bound(self, node: ast.expr) -> object:
        if isinstance(node, ast.Name | ast.Attribute):
            return self.size_of(node)
        found = self.value(node)
        if isinstance(found, int | Size):
            return found
        raise Misfit("a part of an axis that is not read")

    def rows_and(self, labels: V) -> tuple[Place[V], ...]:
        """Return the index of one entry per row."""
        return (Rows(), Chosen(labels))

    def chosen(self, labels: V) -> Place[V]:
        """Return the place that labels give."""
        return Chosen(labels)

    def is_open_or_vector(self, labels: V) -> bool:
        """Whether labels are one number per row, or may be."""
        return self.rank(labels, 1) == 1

    def rank(self, value: V, least: int) -> int:
        """Return the number of axes; an open value gets the least number."""
        return self.algebra.rank(value, least)

    def class_axis(self, value: V) -> int:
        """Return the axis of a softmax whose call does not name it."""
        if self.rank(value, 2) != 2:
            return -1
        return 0 if self.algebra.is_column(value) else self.names.class_axis


__all__ = ["Indices"]
