"""The content of a question as blocks: prose, equations, code, a forward pass.

Blocks are data. The terminal, a page and a LaTeX document each format them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr


@dataclass(frozen=True)
class Prose:
    """A paragraph of text.

    Parameters
    ----------
    text : str
        The paragraph.
    of_form : bool
        Whether it says how to type an answer of several values as one text; a page with a field
        for each value leaves it out.
    part : str
        The part of the answer that it asks for; a page with a field for each part states it there.
    """

    text: str
    of_form: bool = False
    part: str = ""


@dataclass(frozen=True)
class Equation:
    """The equation ``left = right``; without a right side, ``left = ?``.

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
class ForwardPassBlock:
    """A whole forward pass with its shapes."""

    model: Model


@dataclass(frozen=True)
class CircuitNode:
    """One value of a circuit.

    Parameters
    ----------
    name, formula : str
        Its name, and how it is computed; an input has no formula.
    value, gradient : str
        The number, or a question mark where it is asked for.
    uses : tuple of str
        The names of the values that it uses.
    """

    name: str
    formula: str
    value: str
    gradient: str
    uses: tuple[str, ...]


@dataclass(frozen=True)
class Circuit:
    """A computational graph with numbers, to be drawn.

    Parameters
    ----------
    nodes : tuple of CircuitNode
        In the order of computation.
    output : str
        The value whose gradient is taken.
    """

    nodes: tuple[CircuitNode, ...]
    output: str


Block: TypeAlias = Prose | Equation | Code | ForwardPassBlock | Circuit
Content: TypeAlias = tuple[Block, ...]
