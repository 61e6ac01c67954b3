"""The hyperbolic sine and cosine, entry by entry."""

from __future__ import annotations

from chainrule.calculus.graph.op import Law, Op
from chainrule.calculus.ops.elementwise import lift
from chainrule.calculus.ops.functions import EXP, apply, function

SINH: Op = function(
    "sinh",
    lambda xp, x: xp.sinh(x),
    lambda x, out: apply(COSH, x),
    code="np.sinh({})",
    rule="hyperbolic sine rule",
    because="the slope of the hyperbolic sine is the hyperbolic cosine, without a minus sign",
    laws=(
        Law("it is odd", lambda x: apply(SINH, -x), lambda x: -apply(SINH, x)),
        Law(
            "sinh x = (e^x - e^(-x))/2",
            lambda x: apply(SINH, x),
            lambda x: (apply(EXP, x) - apply(EXP, -x)) / 2,
        ),
    ),
    mistakes=(
        ("sign", "the slope of sinh carries no minus sign", lambda x, out: -apply(COSH, x)),
        ("left as it is", "sinh is not its own derivative: its slope is cosh", lambda x, out: out),
    ),
)

COSH: Op = function(
    "cosh",
    lambda xp, x: xp.cosh(x),
    lambda x, out: apply(SINH, x),
    code="np.cosh({})",
    rule="hyperbolic cosine rule",
    because="the slope of the hyperbolic cosine is the hyperbolic sine, without a minus sign",
    laws=(
        Law("it is even", lambda x: apply(COSH, -x), lambda x: apply(COSH, x)),
        Law(
            "cosh^2 - sinh^2 = 1",
            lambda x: apply(COSH, x) ** 2 - apply(SINH, x) ** 2,
            lambda x: lift(1),
        ),
    ),
    mistakes=(
        (
            "taken for the cosine",
            "the cosine has the slope -sin; cosh has the slope +sinh",
            lambda x, out: -apply(SINH, x),
        ),
    ),
)

ROWS_HERE = (SINH, COSH)
"""The rows of this file, for the table."""
