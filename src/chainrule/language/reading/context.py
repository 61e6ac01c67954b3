"""The context in which a line is read: what is known there, and the reader of its parts.

The files that build chains, calls and places take a `Context`; `elaboration` implements it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction

from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.graph.node import Expr
from chainrule.errors import ParseError
from chainrule.language.reading.functions import Functions
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.tree import Node


class Star(Enum):
    """Meaning of ``*`` between matrices: settled, or a question where both are possible."""

    ASK = "ask"
    ENTRIES = "entry by entry"
    MATRIX = "matrix product"
    LOOSE = "entry by entry, repeating both where needed; side by side too where shapes agree"


@dataclass(frozen=True)
class Context(ABC):
    """The surroundings of an expression on one line.

    Parameters
    ----------
    line : Line
        Where the tree was written.
    scope : mapping of str to Expr
        The known symbols by canonical name; inside a function, also what its arguments are.
    dims : container of str
        The names of dimensions, which stand for their sizes unless a symbol has that name.
    later : mapping of str to int
        The lines on which names are defined further down, for the error that says so.
    star : Star
        What ``*`` between matrices means.
    functions : Functions
        The functions that the forward pass defines.
    starts : mapping of str to int
        Names that come before the first round of a loop, with its line.
    answer : bool
        Whether this is somebody's answer, in which nothing can be declared.
    indices : dict of str to Dim
        The indices in a formula of entries met so far, and what each runs over.
    """

    line: Line
    scope: Mapping[str, Expr]
    dims: Container[str] = frozenset()
    later: Mapping[str, int] = field(default_factory=dict)
    star: Star = Star.ASK
    functions: Functions = field(default_factory=Functions)
    starts: Mapping[str, int] = field(default_factory=dict)
    answer: bool = False
    indices: dict[str, Dim] = field(default_factory=dict)

    @abstractmethod
    def expr(self, node: Node) -> Expr:
        """Build the expression of a node."""

    @abstractmethod
    def exponent(self, node: Node) -> Fraction:
        """Read an exponent: a number within the limit."""

    @abstractmethod
    def raised(self, node: Node, base: Expr, exponent: Fraction) -> Expr:
        """Raise to a fixed number, within the limits."""

    @abstractmethod
    def bounded(self, node: Node, value: Expr) -> Expr:
        """Hold a folded number to the limit on its length."""

    def error(self, node: Node, message: str) -> ParseError:
        """Return an error that points at a node."""
        return self.line.error(message, node.start)

    def text(self, node: Node) -> str:
        """Return a node as it was written."""
        return self.line.text[node.start : node.end]
