"""Expressions in JavaScript while they are written: text, precedence and kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from chainrule.errors import DerivationError
from chainrule.language.codegen.javascript.words import CALL


class UntranslatableError(DerivationError):
    """Code that has no counterpart in JavaScript; the message names it."""


class Kind(Enum):
    """The type of an expression, as far as it follows from the code."""

    NUMBER = "number"
    NUMBERS = "list of numbers"
    LIST = "list"
    UNKNOWN = "array or number"


@dataclass(frozen=True)
class Written:
    """An expression in JavaScript: its text, how tightly it binds, and its kind."""

    text: str
    level: int = CALL
    kind: Kind = Kind.UNKNOWN

    def inside(self, level: int) -> str:
        """Return the text, in brackets where it binds less tightly than its surroundings."""
        return self.text if self.level >= level else f"({self.text})"


@dataclass(frozen=True)
class Scope:
    """The names around an expression.

    Parameters
    ----------
    kinds : mapping of str to Kind
        The kinds of variables that have one.
    signatures : mapping of str to sequence of str
        The parameters of the functions that the module defines.
    """

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    signatures: Mapping[str, Sequence[str]] = field(default_factory=dict)
