"""The constants π and e: operations without arguments, exact until a namespace rounds them.

Each value is a function at a rational place, which every array namespace evaluates to its own
precision: 50 digits in mpmath, an opaque residue in modular arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, Expr
from chainrule.calculus.graph.op import Layout, Notation, Op


def _constant(
    name: str,
    value: Callable[..., Any],
    *,
    glyph: str,
    latex: str,
    spoken: str,
    because: str,
) -> Op:
    """Make the row of a constant; `value` is called with a namespace and a matrix of ones."""
    return Op(
        name=name,
        shape=lambda shapes, attrs: SCALAR,
        value=lambda xp, *, out_shape, attrs: value(xp, xp.full(out_shape, 1)),
        vjp=lambda g, out, args, attrs: (),
        index=lambda read, node, places, fresh: node,
        notation=Notation(Layout.CONSTANT, name, latex, glyph, spoken),
        code=lambda *, attrs: f"np.{name}",
        rule="constant rule",
        because=because,
        domain=(),
    )


PI: Op = _constant(
    "pi",
    lambda xp, ones: xp.arccos(-ones),
    glyph="π",
    latex=r"\pi",
    spoken="pi",
    because="π is a number: it does not depend on any variable",
)
E: Op = _constant(
    "e",
    lambda xp, ones: xp.exp(ones),
    glyph="e",
    latex="e",
    spoken="e",
    because="e is a number: it does not depend on any variable",
)


def pi() -> Expr:
    """Return the constant π, a scalar."""
    return Apply(PI, ())


def euler() -> Expr:
    """Return the constant e, a scalar."""
    return Apply(E, ())


ROWS_HERE = (PI, E)
"""The rows of this file, for the table."""

__all__ = ["PI", "ROWS_HERE", "E", "euler", "pi"]
