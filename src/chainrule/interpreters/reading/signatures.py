"""Functions of several matrices and sizes: what each takes, and its builder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from chainrule.graph.dims import Dim
from chainrule.graph.node import Expr, Number
from chainrule.ops import (
    cross_entropy,
    look_up,
    onehot,
    outer,
    reshape,
    scatter_add,
    stack,
    vec,
    where,
)
from chainrule.ops.reduction import COLUMNS, ROWS


class Kind(Enum):
    """What an argument is; the value is what an error calls it."""

    MATRIX = "matrix"
    SIZE = "size"
    AXIS = "axis"


@dataclass(frozen=True)
class Signature:
    """How a function is called.

    Parameters
    ----------
    takes : tuple of Kind
        Its arguments in order.
    example : str
        A call that is right.
    build : callable
        From the arguments, and the options by name, to the expression.
    needs : int, optional
        How many of the arguments cannot be left out; all of them by default.
    more : bool
        Whether the last kind of argument may come any number of times.
    options : mapping of str to Kind
        What may be given by name.
    """

    takes: tuple[Kind, ...]
    example: str
    build: Callable[..., Expr]
    needs: int | None = None
    more: bool = False
    options: Mapping[str, Kind] = field(default_factory=dict)

    @property
    def least(self) -> int:
        """The least number of arguments."""
        return len(self.takes) if self.needs is None else self.needs

    def kinds(self, given: int) -> tuple[Kind, ...] | None:
        """Return the kinds of this many arguments; nothing when they are too few or too many."""
        if given < self.least or (given > len(self.takes) and not self.more):
            return None
        return (*self.takes, *self.takes[-1:] * (given - len(self.takes)))[:given]


M, S, A = Kind.MATRIX, Kind.SIZE, Kind.AXIS


def _concatenated(*parts: Expr, axis: int = ROWS) -> Expr:
    return stack(parts, axis)


def _below(*parts: Expr) -> Expr:
    return stack(parts, ROWS)


def _beside(*parts: Expr) -> Expr:
    return stack(parts, COLUMNS)


def _reshaped(x: Expr, rows: Dim, columns: Dim) -> Expr:
    return reshape(x, (rows, columns))


def _constant(value: int) -> Callable[[Dim, Dim], Expr]:
    return lambda rows, columns: Number(value, (rows, columns))


_OUTER = Signature((M, M), "outer(a, b)", outer)
_CROSS = Signature((M, M), "cross_entropy(Y, P)", cross_entropy)
_LOOKUP = Signature((M, M), "lookup(E, ids)", look_up)
_CONCAT = Signature((M, M), "concat(A, B, axis=1)", _concatenated, more=True, options={"axis": A})

SIGNATURES: Mapping[str, Signature] = MappingProxyType(
    {
        "outer": _OUTER,
        "where": Signature((M, M, M), "where([z > 0], a, b)", where),
        "cross_entropy": _CROSS,
        "crossentropy": _CROSS,
        "ones": Signature((S, S), "ones(m, 1)", _constant(1)),
        "zeros": Signature((S, S), "zeros(m, 1)", _constant(0)),
        "concat": _CONCAT,
        "concatenate": _CONCAT,
        "vstack": Signature((M, M), "vstack(A, B)", _below, more=True),
        "hstack": Signature((M, M), "hstack(A, B)", _beside, more=True),
        "onehot": Signature((M, S), "onehot(ids, v)", onehot),
        "one_hot": Signature((M, S), "onehot(ids, v)", onehot),
        "lookup": _LOOKUP,
        "embedding": _LOOKUP,
        "gather": _LOOKUP,
        "scatter_add": Signature((M, M, S), "scatter_add(G, ids, v)", scatter_add),
        "reshape": Signature((M, S, S), "reshape(X, n, m)", _reshaped),
        "vec": Signature((M,), "vec(X)", vec),
    }
)
"""The functions, by every word for them."""
