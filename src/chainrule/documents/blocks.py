"""A document as data: a tree of blocks, which every renderer writes in its medium.

Builders make the blocks from a derivation, an exercise, an audit or a fit. A renderer knows blocks
and expressions alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr


class Style(Enum):
    """The style of a run of words."""

    STRONG = "strong"
    SMALL = "small"
    CODE = "code"


@dataclass(frozen=True)
class Styled:
    """Words in a style of their own."""

    text: str
    style: Style


Inline: TypeAlias = str | Styled | Expr
"""A run of words, or an expression among them."""


class Role(Enum):
    """The purpose of a paragraph, which decides how it looks."""

    BODY = "body"
    LEAD = "lead"
    READING = "reading"  # how the forward pass was read
    NOTE = "note"  # what is to be kept in mind
    POINTS = "points"
    SENTENCE = "sentence"  # the statement that a page is about


@dataclass(frozen=True)
class Prose:
    """A paragraph.

    Parameters
    ----------
    words : tuple of str, Styled or Expr
        Its runs, in order.
    role : Role, optional
        Its purpose.
    """

    words: tuple[Inline, ...]
    role: Role = Role.BODY


def prose(text: str, role: Role = Role.BODY) -> Prose:
    """Return a paragraph of plain words."""
    return Prose((text,), role)


@dataclass(frozen=True)
class Heading:
    """A heading below that of its section."""

    text: str
    id: str = ""


@dataclass(frozen=True)
class Equation:
    """Sides that are equal, from left to right.

    Parameters
    ----------
    sides : tuple of Expr or None
        One side is an expression by itself; None is what is asked for.
    label : str
        The number or letter in front.
    note : str
        The rule behind it.
    """

    sides: tuple[Expr | None, ...]
    label: str = ""
    note: str = ""


@dataclass(frozen=True)
class Question:
    """A derivative that is asked for: ``∂J/∂a = ?``."""

    asked: Expr


@dataclass(frozen=True)
class Proof:
    """The evidence for a line: shapes, certificates. It may be folded away."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A table of words, numbers and expressions; the first cell of each row is its header.

    Parameters
    ----------
    caption : str
        The caption.
    head : tuple of str
        The names of the columns; none where they need none.
    rows : tuple of tuple of str, Styled or Expr
        The cells.
    numeric : frozenset of int
        The columns of numbers.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Inline, ...], ...]
    numeric: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Data:
    """The numbers behind a figure: the name of a file, and its text as CSV."""

    name: str
    text: str


@dataclass(frozen=True)
class Figure:
    """A drawing as SVG, what it shows in words, and the numbers behind it.

    Parameters
    ----------
    svg, caption : str
        The drawing, and its caption.
    data : Data, optional
        The numbers behind it.
    text : str
        The drawing as lines of text, for media without drawings.
    """

    svg: str
    caption: str
    data: Data | None = None
    text: str = ""


@dataclass(frozen=True)
class Fact:
    """A name, its value, and a remark."""

    name: str
    value: str
    remark: str = ""


@dataclass(frozen=True)
class Facts:
    """Facts at a glance."""

    items: tuple[Fact, ...]


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Fold:
    """Blocks that may be folded away below their title."""

    title: str
    blocks: tuple[Block, ...]
    is_open: bool = False


@dataclass(frozen=True)
class Beside:
    """Blocks that stand side by side where there is room."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Code:
    """Lines of code."""

    text: str


@dataclass(frozen=True)
class NameRow:
    """One name of a forward pass.

    Parameters
    ----------
    left : Expr or None
        The name, or an application of a function; None where `text` says all.
    shape : str
        Its shape, where it is shown.
    right : Expr or None
        The definition.
    text : str
        The note of an input, or a function as it was written.
    entrywise : Expr or None
        The definition of a number as a sum over entries, as a lecture sets a loss.
    """

    left: Expr | None
    shape: str = ""
    right: Expr | None = None
    text: str = ""
    entrywise: Expr | None = None


@dataclass(frozen=True)
class Names:
    """A forward pass: its names with shapes and meanings.

    Parameters
    ----------
    title : str
        The title; empty where the document has it already.
    rows : tuple of NameRow
        Inputs, functions and definitions, in order.
    """

    title: str
    rows: tuple[NameRow, ...]


@dataclass(frozen=True)
class Step:
    """One step of a derivation.

    Parameters
    ----------
    number : int
        Counted from 1.
    phase : str
        Its purpose.
    equation : Equation
        What it says.
    rule, why : str
        The rule and the reason.
    question : Question or None
        What it answers.
    shapes, check : str
        The shapes on the line, and its certificate.
    numbers : Prose or None
        The values of the line at a point.
    forms : tuple of str
        The forms that show it: ``index``, ``matrix``.
    """

    number: int
    phase: str
    equation: Equation
    rule: str
    why: str
    question: Question | None = None
    shapes: str = ""
    check: str = ""
    numbers: Prose | None = None
    forms: tuple[str, ...] = ("index", "matrix")


@dataclass(frozen=True)
class Steps:
    """Steps under one heading."""

    title: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Remark:
    """A further form of a result, or a sentence about it."""

    label: str
    expr: Expr | None = None


@dataclass(frozen=True)
class Result:
    """A gradient or a factor: its equation, what is said of it, and its evidence.

    Parameters
    ----------
    equation : Equation
        Its sides; the note is the rule behind it.
    shape : str
        Its shape.
    like : str
        The variable whose shape it has.
    remarks : tuple of Remark
        Its other forms.
    proof : Proof or None
        Its evidence, where it is shown.
    """

    equation: Equation
    shape: str = ""
    like: str = ""
    remarks: tuple[Remark, ...] = ()
    proof: Proof | None = None


@dataclass(frozen=True)
class Results:
    """Results under one heading, and what follows from them."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Options:
    """Choices with letters."""

    choices: tuple[Block, ...]


@dataclass(frozen=True)
class Space:
    """Room to write in: a line with a label, or an answer."""

    label: str = ""
    brief: bool = False


@dataclass(frozen=True)
class Finding:
    """A fact: its name, what it says, its proof."""

    name: str
    says: str
    because: str
    proven: bool


@dataclass(frozen=True)
class Findings:
    """Facts with their proofs."""

    lead: str
    items: tuple[Finding, ...]


@dataclass(frozen=True)
class Board:
    """A derivation that can be revealed step by step.

    Parameters
    ----------
    blocks : tuple of Block
        The forward pass, the steps, the results.
    prefix : str
        The prefix of its ids, unique on a page.
    reveal : bool
        Whether it is meant to be revealed.
    """

    blocks: tuple[Block, ...]
    prefix: str = "step"
    reveal: bool = True


Block: TypeAlias = (
    Prose
    | Heading
    | Equation
    | Question
    | Proof
    | Table
    | Figure
    | Facts
    | Bullets
    | Fold
    | Beside
    | Code
    | Names
    | Steps
    | Result
    | Results
    | Options
    | Space
    | Findings
    | Board
)


@dataclass(frozen=True)
class Section:
    """A section of a document: an anchor, a heading, blocks."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    model: Model | None = None
    """The forward pass that its symbols belong to; by default that of the document."""


@dataclass(frozen=True)
class Document:
    """A document.

    Parameters
    ----------
    title, lead : str
        The title, and the paragraph below it.
    sections : tuple of Section
        Its sections, in order.
    model : Model or None
        The forward pass that its symbols belong to.
    closing : str
        The last sentence, for media that have no lead.
    place : str
        The point at which numbers are shown.
    board : str
        The address of its forward pass on a board; empty for none.
    """

    title: str
    lead: str
    sections: tuple[Section, ...]
    model: Model | None = None
    closing: str = ""
    place: str = ""
    board: str = ""
