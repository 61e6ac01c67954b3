"""The type of a registry entry: everything chainrule defines about one operation.

Interpreters walk a graph *through* these entries and never name an operation. A new operation is
one entry in `chainrule.calculus.ops`, and the tests, parametrised over the table, cover it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from chainrule.calculus.graph.dims import Dim, Shape
from chainrule.calculus.graph.expression import Applied, Expr, Position, Positions, entry


class Layout(Enum):
    """The layout of an operation on the page."""

    SUM = "sum"  # terms joined by + and -
    PRODUCT = "product"  # elementwise; juxtaposed where a factor is a scalar
    CHAIN = "chain"  # matrix product by juxtaposition
    FRACTION = "fraction"
    POWER = "power"
    PREFIX = "prefix"
    POSTFIX = "postfix"
    FUNCTION = "function"
    CONSTANT = "constant"  # a letter by itself, without arguments
    FENCE = "fence"
    PART = "part"  # a range of rows and of columns
    STACK = "stack"  # blocks below each other or side by side
    HIDDEN = "hidden"  # present in the graph, silent on the page


def axis_option(attrs: tuple[Any, ...]) -> str:
    """Return the axis option of an operation along an axis."""
    return f"axis={attrs[0]}" if attrs and attrs[0] is not None else ""


@dataclass(frozen=True)
class Notation:
    """The notation of an operation: its layout, and its glyphs in each medium.

    `plain` is the glyph of the language of forward passes, so that plain text reads back. For
    a fence each glyph is a pattern: ``|`` stands for the argument, in MathML ``{}``.
    `leading` options stand before the arguments in text, as the subscripts of an einsum do.
    `cell` is the letter of one entry, where it has its own: the δ of the identity. `options`
    writes the attributes behind the arguments of a function, and `places`, called with the shape
    of the argument, the attributes, a row and a column, says where an entry stands in the argument.
    """

    layout: Layout
    plain: str
    latex: str
    unicode: str = ""
    spoken: str = ""
    mathml: str = ""
    cell: str = ""
    leading: bool = False
    options: Callable[[tuple[Any, ...]], str] = axis_option
    places: Callable[..., tuple[str, ...] | None] | None = None


@dataclass(frozen=True)
class Mistake:
    """A wrong derivative rule that people use, of the same signature as the right one."""

    name: str
    message: str
    vjp: VJP


@dataclass(frozen=True)
class Domain:
    """Where an argument may be sampled: an open interval, and a distance to keep from kinks.

    `whole` arguments are numbers of places, from 0, of which the last attribute says how many.
    """

    low: float = -2.0
    high: float = 2.0
    kink: float | None = None
    whole: bool = False


@dataclass(frozen=True)
class Law:
    """An identity of the operation: two builders of expressions over generic arguments."""

    name: str
    left: Callable[..., Expr]
    right: Callable[..., Expr]


@dataclass(frozen=True)
class Spelling:
    """The code of an op for one target, where that target has a function of its own for it.

    Parameters
    ----------
    code : callable
        ``code(*texts, attrs)``: an expression in Python over the names of the target.
    imports : tuple of str
        The import statements that the code needs beside those of every module of the target.
    helper : str
        The definition, in the language of the target, of the function that `code` calls, where
        it calls one.
    """

    code: Callable[..., str]
    imports: tuple[str, ...] = ()
    helper: str = ""


class ReadEntry(Protocol):
    """Returns the index form of one argument at a place."""

    def __call__(self, arg: int, /, *places: Position) -> Expr:
        """Return the entry at `places` of argument number `arg`."""


ShapeRule: TypeAlias = Callable[[tuple[Shape, ...], tuple[Any, ...]], Shape]
VJP: TypeAlias = Callable[[Expr, Expr, tuple[Expr, ...], tuple[Any, ...]], tuple[Expr, ...]]
"""``vjp(cotangent, out, args, attrs)``: one expression for each argument, of its shape. `out` may
be a name for the value, so a rule that speaks of its own value speaks in the lecture's letter."""
IndexRule: TypeAlias = Callable[[ReadEntry, Applied, Positions, Callable[[Dim], Position]], Expr]
"""``index(read, node, places, fresh)``: the entry at `places` of the node as an index form.
`fresh` gives a new running index for a dimension, and nothing for a dimension of 1."""


def closed(
    read: ReadEntry, node: Applied, places: Positions, fresh: Callable[[Dim], Position]
) -> Expr:
    """Leave an entry closed: the index rule of operations that are not a sum of a few entries."""
    return entry(node, *places)


@dataclass(frozen=True, eq=False)
class Op:
    """One operation: a registry entry.

    Parameters
    ----------
    name : str
        The name in the language and in code.
    shape : callable
        ``shape(shapes, attrs) -> Shape``; raises `ShapeError` in words.
    value : callable
        ``value(xp, *arrays, out_shape, attrs)`` for any array namespace `xp`.
    vjp : callable
        ``vjp(cotangent, out, args, attrs)``: expressions, so that second derivatives come free.
    notation : Notation
        The notation.
    code : callable
        ``code(*texts, attrs)``: a NumPy expression over the texts of the arguments. Other targets
        are spelled from it, so it keeps to names that array libraries share.
    targets : mapping of str to Spelling
        The code for targets that have a function of their own for this op, by their names;
        elsewhere `code` and `helper` are translated.
    helper : str
        The definition, in NumPy, of the function that `code` calls, where it calls one: a stable
        form of `value`.
    corner : str
        Where the op has no slope, and which one is used there: ``"at 0; there the slope is 0"``.
    helpers : tuple of Op
        The rows whose helpers this row's helper calls.
    rule, because : str
        The name of the derivative rule, and the reason in one sentence.
    index : callable, optional
        The result as an index form; elementwise operations need none.
    elementwise : bool
        Acts on each entry by itself.
    activation : bool
        A function whose argument and value deserve names of their own on the board.
    moves : bool
        Puts entries in other places without changing them, and gradients back.
    tensors : bool
        Takes operands of more than two dimensions, as elementwise operations do.
    regular : bool
        Takes a square matrix that must have an inverse.
    keeps_symmetry : bool
        Makes a symmetric matrix of a symmetric one, without acting entry by entry.
    domain : tuple of Domain
        Where each argument may be sampled.
    polynomial : callable, optional
        ``polynomial(attrs)``: whether the value is a polynomial of the arguments, and so has no
        pole at the border of `domain`, which holds for other attributes.
    margin : callable, optional
        ``margin(xp, *arrays, attrs)``: how far the arguments are from where the slope jumps, for
        rows in which that depends on several entries at once.
    laws : tuple of Law
        Identities that the tests hold the row to.
    mistakes : tuple of Mistake
        The wrong rules that people use in its place.
    """

    name: str
    shape: ShapeRule
    value: Callable[..., Any]
    vjp: VJP
    notation: Notation
    code: Callable[..., str]
    rule: str
    because: str
    index: IndexRule | None = None
    elementwise: bool = False
    activation: bool = False
    moves: bool = False
    tensors: bool = False
    regular: bool = False
    keeps_symmetry: bool = False
    helper: str = ""
    domain: tuple[Domain, ...] = (Domain(),)
    laws: tuple[Law, ...] = field(default=())
    mistakes: tuple[Mistake, ...] = field(default=())
    margin: Callable[..., Any] | None = None
    polynomial: Callable[[tuple[Any, ...]], bool] = lambda attrs: False
    helpers: tuple[Op, ...] = ()
    corner: str = ""
    targets: Mapping[str, Spelling] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def in_pieces(self) -> bool:
        """Whether the derivative has a jump."""
        return self.margin is not None or any(d.kink is not None for d in self.domain)

    def __repr__(self) -> str:
        return f"<op {self.name}>"
