"""The expression graph: interned, immutable nodes, so that equal is identical.

Six kinds of node, and one more for lines about loops. `Symbol` is a matrix by name, `Number` a
constant, and `Apply`, in `node`, an op over arguments; with these a matrix form is built. `Entry`
is one cell of a matrix or a tensor, ``X[p, i]``, and `Total` a sum over a running index; with
these, and elementwise ops, an index form is built, which is a scalar. `Partial` is a derivative
that has been asked for and not yet answered. One set of rules and interpreters serves both forms.
`RoundSum` adds up what every round of a loop contributes; it is written and checked round by
round, and never rewritten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from threading import RLock
from typing import Any, ClassVar, Self, TypeAlias, cast
from weakref import WeakValueDictionary

from chainrule.calculus.graph.dims import SCALAR, Index, Shape

Operand: TypeAlias = "Expr | int | Fraction"
Position: TypeAlias = Index | int | None
"""Where an entry sits along a dimension: a running index, a fixed place counted from 1, or
nothing when the dimension is 1."""
Positions: TypeAlias = tuple[Position, ...]
"""Where an entry sits: a position for each dimension."""


SHOWN_DEEP = 4
"""Levels of an expression that its ``repr`` shows."""

_INTERNING = RLock()  # collection may free another node while one is being made


class Expr:
    """A node of the graph, built by the functions of `chainrule.calculus.ops` or operators."""

    __slots__ = ("__weakref__", "key", "shape")

    key: tuple[Any, ...]
    shape: Shape

    _interned: ClassVar[WeakValueDictionary[tuple[Any, ...], Expr]] = WeakValueDictionary()
    operators: ClassVar[Mapping[str, Callable[..., Expr]]] = {}
    """Python's operators, filled in by `chainrule.calculus.ops`, which knows the rows."""

    @classmethod
    def _intern(cls, key: tuple[Any, ...], shape: Shape, **parts: object) -> Self:
        """Return the one node of this key; made whole before another thread can meet it."""
        with _INTERNING:
            known = Expr._interned.get((cls, *key))
            if known is not None:
                return cast(Self, known)
            node = object.__new__(cls)
            write = object.__setattr__
            write(node, "key", key)
            write(node, "shape", shape)
            for name, part in parts.items():
                write(node, name, part)
            Expr._interned[(cls, *key)] = node
            return node

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"expressions do not change: build a new one ({name} was to be set)")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"expressions do not change: build a new one ({name} was to go)")

    @property
    def args(self) -> tuple[Expr, ...]:
        """The expressions this one is built from."""
        return ()

    def rebuilt(self, args: tuple[Expr, ...]) -> Expr:
        """Return the same node over other arguments."""
        return self

    def __repr__(self) -> str:
        # A graph that shares its parts is small, and the tree that it stands for may be endless.
        return _brief(self, SHOWN_DEEP)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self  # interned: a copy would not be equal to its original

    def __reduce__(self) -> str:
        raise TypeError("expressions are interned and do not pickle; send the model's text instead")

    def __add__(self, other: Operand) -> Expr:
        return self.operators["add"](self, other)

    def __radd__(self, other: Operand) -> Expr:
        return self.operators["add"](other, self)

    def __sub__(self, other: Operand) -> Expr:
        return self.operators["sub"](self, other)

    def __rsub__(self, other: Operand) -> Expr:
        return self.operators["sub"](other, self)

    def __mul__(self, other: Operand) -> Expr:
        return self.operators["mul"](self, other)

    def __rmul__(self, other: Operand) -> Expr:
        return self.operators["mul"](other, self)

    def __truediv__(self, other: Operand) -> Expr:
        return self.operators["div"](self, other)

    def __rtruediv__(self, other: Operand) -> Expr:
        return self.operators["div"](other, self)

    def __matmul__(self, other: Operand) -> Expr:
        return self.operators["matmul"](self, other)

    def __pow__(self, exponent: int | Fraction) -> Expr:
        return self.operators["power"](self, exponent)

    def __neg__(self) -> Expr:
        return self.operators["neg"](self)

    @property
    def T(self) -> Expr:
        """The transpose."""
        return self.operators["transpose"](self)


class Symbol(Expr):
    """A matrix with a name and a shape. `name` keeps the way it was written.

    A `symmetric` one is its own transpose wherever it stands.
    """

    __slots__ = ("name", "symmetric")
    name: str
    symmetric: bool

    def __new__(cls, name: str, shape: Shape = SCALAR, *, symmetric: bool = False) -> Self:
        """Intern by name, shape and symmetry."""
        shape = tuple(shape)
        key = (name, shape, *(("symmetric",) if symmetric else ()))
        return cls._intern(key, shape, name=name, symmetric=symmetric)


class Number(Expr):
    """A number, at any shape: a constant takes the shape of what it meets."""

    __slots__ = ("value",)
    value: Fraction

    def __new__(cls, value: int | Fraction, shape: Shape = SCALAR) -> Self:
        """Intern by exact value and shape."""
        exact = value if type(value) is Fraction else Fraction(value)
        return cls._intern((exact, shape), shape, value=exact)


class Entry(Expr):
    """One cell of a matrix or a tensor, a scalar: ``X[p, i]``. Build it with `entry`."""

    __slots__ = ("matrix", "places")
    matrix: Expr
    places: Positions

    def __new__(cls, matrix: Expr, *places: Position) -> Self:
        """Intern by matrix and positions; a dimension of size 1 has no position."""
        sizes = zip(matrix.shape, places, strict=True)
        kept = tuple(None if dim == 1 else place for dim, place in sizes)
        return cls._intern((matrix, *kept), SCALAR, matrix=matrix, places=kept)

    @property
    def row(self) -> Position:
        """The position along the rows, the last dimension but one."""
        return self.places[-2]

    @property
    def col(self) -> Position:
        """The position along the columns, the last dimension."""
        return self.places[-1]

    @property
    def args(self) -> tuple[Expr, ...]:
        """The matrix."""
        return (self.matrix,)

    def rebuilt(self, args: tuple[Expr, ...]) -> Expr:
        """Take the same cell of another matrix."""
        return entry(args[0], *self.places)


class Partial(Expr):
    """A derivative that has been asked for: ``∂a_i/∂z_i``.

    `of` and `wrt` are symbols or entries of symbols. As an atom it stands for its answer.
    """

    __slots__ = ("of", "wrt")
    of: Expr
    wrt: Expr

    def __new__(cls, of: Expr, wrt: Expr) -> Self:
        """Intern by both sides."""
        return cls._intern((of, wrt), SCALAR, of=of, wrt=wrt)


class Total(Expr):
    """A sum over a running index: ``sum_i body``."""

    __slots__ = ("body", "index")
    index: Index
    body: Expr

    def __new__(cls, index: Index, body: Expr) -> Self:
        """Intern by index and body."""
        return cls._intern((index, body), SCALAR, index=index, body=body)

    @property
    def args(self) -> tuple[Expr, ...]:
        """The body."""
        return (self.body,)

    def rebuilt(self, args: tuple[Expr, ...]) -> Expr:
        """Sum another body over the same index."""
        return Total(self.index, args[0])


class RoundSum(Expr):
    """A sum over the rounds of a loop: ``sum_{t=1}^{T} dz_t h_{t-1}^T``.

    It stands on lines for all rounds alone. The names in `body` have the counter in their index;
    the ends are written as the author counts, ``1`` and ``T-1``.
    """

    __slots__ = ("body", "counter", "first", "last")
    counter: str
    first: str
    last: str
    body: Expr

    def __new__(cls, counter: str, first: str, last: str, body: Expr) -> Self:
        """Intern by counter, ends and body."""
        key = (counter, first, last, body)
        return cls._intern(key, body.shape, counter=counter, first=first, last=last, body=body)

    @property
    def args(self) -> tuple[Expr, ...]:
        """The body."""
        return (self.body,)

    def rebuilt(self, args: tuple[Expr, ...]) -> Expr:
        """Sum another body over the same rounds."""
        return RoundSum(self.counter, self.first, self.last, args[0])


class Applied(Expr):
    """An operation over arguments, as far as the type of an op needs it; always an `Apply`."""

    __slots__ = ("attrs", "operands")
    operands: tuple[Expr, ...]
    attrs: tuple[Any, ...]

    @property
    def args(self) -> tuple[Expr, ...]:
        """The operands."""
        return self.operands


def entry(matrix: Expr, *places: Position) -> Expr:
    """Return one cell; a scalar is its own cell, and so is a constant."""
    if matrix.shape == SCALAR:
        return matrix
    if isinstance(matrix, Number):
        return Number(matrix.value)
    return Entry(matrix, *places)


def _brief(part: object, deep: int) -> str:
    """Write a node or a part of its key, `deep` levels of it."""
    if isinstance(part, tuple):
        comma = "," if len(part) == 1 else ""
        return f"({', '.join(_brief(inner, deep) for inner in part)}{comma})"
    if not isinstance(part, Expr):
        return repr(part)
    return f"{type(part).__name__}{_brief(part.key, deep - 1) if deep else '(...)'}"
