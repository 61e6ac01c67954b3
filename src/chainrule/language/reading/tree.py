"""Syntax tree of the text: nothing is decided here that needs a shape."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """Where a node was written, and how deep the tree below it is."""

    start: int
    end: int
    depth: int = 1


@dataclass(frozen=True, slots=True)
class Literal(Written):
    """A number."""

    value: Fraction


@dataclass(frozen=True, slots=True)
class Name(Written):
    """A name, in canonical form.

    `example` says that a column or an entry of it was written, `marked` that the index stood above.
    """

    name: str
    example: bool = field(default=False, kw_only=True)
    marked: bool = field(default=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Ones(Written):
    """A vector of ones, as long as what it meets; `digit` when it was written as a plain 1."""

    digit: bool = False


@dataclass(frozen=True, slots=True)
class Bracket(Written):
    """A part in brackets."""

    inner: Node


@dataclass(frozen=True, slots=True)
class Minus(Written):
    """A part with its sign changed."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Joined:
    """One operand of a chain with the operator before it; juxtaposition is the empty operator."""

    operator: str
    at: int
    operand: Node
    dotted: bool = False  # written ./, so that nothing but entry by entry can be meant


@dataclass(frozen=True, slots=True)
class Chain(Written):
    """Operands of one level of precedence, joined from left to right.

    A chain is flat, however long, so that a long sum is not a deep tree.
    """

    level: int
    first: Node
    rest: tuple[Joined, ...]


@dataclass(frozen=True, slots=True)
class Power(Written):
    """A base and its exponent; `sign` is ``^``, or ``.^`` for entries, or ``@^`` for matrices."""

    base: Node
    exponent: Node
    sign: str = "^"


@dataclass(frozen=True, slots=True)
class Transposed(Written):
    """A part transposed."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Fence(Written):
    """A part between bars: an absolute value, or a norm with its order."""

    norm: bool
    inner: Node
    order: str = ""


@dataclass(frozen=True, slots=True)
class Compared(Written):
    """A comparison in brackets: a mask of ones and zeros."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True, slots=True)
class Call(Written):
    """A function applied, with the primes and the power that its name carried."""

    function: str
    arguments: tuple[Node, ...]
    options: tuple[tuple[str, Node], ...] = ()
    primes: int = 0
    power: Node | None = None
    column: int = field(default=0, kw_only=True)


@dataclass(frozen=True, slots=True)
class Derivative(Written):
    """A derivative asked for, ``∂a/∂z``, in an answer."""

    of: Node
    wrt: Node


@dataclass(frozen=True, slots=True)
class Summation(Written):
    """A sum over running indices, ``∑_{i=1}^m``: `high` is where it ends, `apart` an index ≠ it."""

    indices: tuple[str, ...]
    body: Node
    high: Node | None = None
    apart: str = ""


@dataclass(frozen=True, slots=True)
class Indexed(Written):
    """A part of a matrix, ``X[p, i]``, ``x_ij``; nothing stands for all along an axis."""

    base: Node
    places: tuple[Node | None, ...]


@dataclass(frozen=True, slots=True)
class Extent(Written):
    """The size of a matrix along an axis, ``X.shape[1]``, in an answer."""

    base: Node
    axis: int


@dataclass(frozen=True, slots=True)
class Quoted(Written):
    """A text in quotes: the subscripts of an ``einsum``."""

    text: str


@dataclass(frozen=True, slots=True)
class Range:
    """A range of places, from 0, without its end; a single place has no end."""

    first: Node | None = None
    end: Node | None = None
    single: bool = False


@dataclass(frozen=True, slots=True)
class Part(Written):
    """A part of a matrix: a range of its rows and one of its columns."""

    base: Node
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True)
class Blocks(Written):
    """Matrices in square brackets: lines below each other, each with its blocks side by side."""

    lines: tuple[tuple[Node, ...], ...]


Node: TypeAlias = (
    Literal
    | Name
    | Ones
    | Bracket
    | Minus
    | Chain
    | Power
    | Transposed
    | Fence
    | Compared
    | Call
    | Derivative
    | Summation
    | Indexed
    | Extent
    | Quoted
    | Part
    | Blocks
)
