"""What a question is made of: words, lines of mathematics, code, a forward pass.

Pieces are data. The terminal, a page and a LaTeX document each set them in their own type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr


@dataclass(frozen=True)
class Prose:
    """Words."""

    text: str


@dataclass(frozen=True)
class Line:
    """``left = right``; without a right side, ``left = ?``.

    Parameters
    ----------
    left : Expr or None
        Nothing where the line is an expression by itself.
    right : Expr or None
        Nothing where it is asked for.
    label : str
        The number or letter in front.
    note : str
        The rule behind it.
    """

    left: Expr | None
    right: Expr | None
    label: str = ""
    note: str = ""


@dataclass(frozen=True)
class Code:
    """Lines of code."""

    text: str


@dataclass(frozen=True)
class Forward:
    """A whole forward pass with its shapes."""

    model: Model


Piece: TypeAlias = Prose | Line | Code | Forward
Pieces: TypeAlias = tuple[Piece, ...]
