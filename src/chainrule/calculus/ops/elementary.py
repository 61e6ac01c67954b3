"""Elementary functions beside exp and log: other bases, tan and its inverse, floor, free exponents.

A free exponent is an expression, ``x^a``: its base must be positive, since its slope with respect
to the exponent has the logarithm of the base in it. A fixed number as exponent is `power`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op
from chainrule.calculus.ops.elementwise import ADD, POSITIVE, add, align, common_shape, lift, power
from chainrule.calculus.ops.functions import COS, EXP, LOG, SIN, SQRT, apply, function, mask
from chainrule.calculus.ops.reduction import BROADCAST


def raised(base: Expr, exponent: Expr) -> Expr:
    """Raise to an exponent that is an expression; to a fixed number, where it is one."""
    if isinstance(exponent, Number) and exponent.shape == SCALAR:
        return power(base, exponent.value)
    return Apply(POW, align((base, exponent)))


def ceil(x: Expr) -> Expr:
    """Return the least whole number that is not below, for every entry."""
    return -apply(FLOOR, -x)


def zero_mask(x: Expr) -> Expr:
    """Mark the entries that are 0."""
    return apply(IS_ZERO, x)


def _logarithm(name: str, base: int) -> Op:
    """Make the row of the logarithm to a base."""
    row: Op = function(
        name,
        lambda xp, x: getattr(xp, name)(x),
        lambda x, out: 1 / (x * apply(LOG, base)),
        code=f"np.{name}({{}})",
        rule="log rule",
        because=f"log u to the base {base} is log u over log {base}: its slope is 1/(u log {base})",
        latex=rf"\log_{{{base}}}",
        domain=POSITIVE,
        laws=(
            Law(
                f"it is log x over log {base}",
                lambda x: apply(row, x),
                lambda x: apply(LOG, x) / apply(LOG, base),
            ),
        ),
        mistakes=(
            (
                "taken for the natural logarithm",
                f"the slope has the factor 1/log {base}, since the base is {base} and not e",
                lambda x, out: 1 / x,
            ),
            (
                "the base on the wrong side",
                f"log {base} stands below the line",
                lambda x, out: apply(LOG, base) / x,
            ),
        ),
    )
    return row


LOG2: Op = _logarithm("log2", 2)
LOG10: Op = _logarithm("log10", 10)

TAN: Op = function(
    "tan",
    lambda xp, x: xp.tan(x),
    lambda x, out: 1 + out**2,
    code="np.tan({})",
    rule="tangent rule",
    because="the slope of the tangent is one plus the square of its value, which is 1/cos^2",
    domain=Domain(-1.2, 1.2),
    laws=(
        Law("it is odd", lambda x: apply(TAN, -x), lambda x: -apply(TAN, x)),
        Law(
            "it is sine over cosine",
            lambda x: apply(TAN, x),
            lambda x: apply(SIN, x) / apply(COS, x),
        ),
    ),
    mistakes=(
        (
            "taken for tanh",
            "1 - t^2 is the slope of tanh; tan has 1 + t^2",
            lambda x, out: 1 - out**2,
        ),
        ("square missing", "the slope of tan is 1 + t^2, not 1 + t", lambda x, out: 1 + out),
    ),
)

ARCTAN: Op = function(
    "arctan",
    lambda xp, x: xp.arctan(x),
    lambda x, out: 1 / (1 + x**2),
    code="np.arctan({})",
    rule="arctangent rule",
    because="the slope of the inverse tangent is 1/(1 + u^2)",
    laws=(
        Law("it is odd", lambda x: apply(ARCTAN, -x), lambda x: -apply(ARCTAN, x)),
        Law("tan undoes it", lambda x: apply(TAN, apply(ARCTAN, x)), lambda x: x),
    ),
    mistakes=(
        (
            "square root taken",
            "the slope is 1/(1 + u^2), without a root",
            lambda x, out: 1 / apply(SQRT, 1 + x**2),
        ),
        (
            "value in place of the argument",
            "the square is that of the argument, not that of the value",
            lambda x, out: 1 / (1 + out**2),
        ),
    ),
)

FLOOR: Op = function(
    "floor",
    lambda xp, x: xp.floor(x),
    lambda x, out: Number(0, x.shape),
    code="np.floor({})",
    rule="floor function",
    because="between two whole numbers the floor is constant, so its derivative is 0",
    layout=Layout.FUNCTION,
    latex=r"\operatorname{floor}",
    spoken="the floor of",
    margin=lambda xp, x, *, attrs: xp.abs(x - xp.floor(x + 0.5)),
    corner="where its argument is a whole number; it jumps there, and the slope 0 is used",
    laws=(
        Law(
            "a whole number may be added before or after",
            lambda x: apply(FLOOR, x + 3),
            lambda x: apply(FLOOR, x) + 3,
        ),
    ),
    mistakes=(
        (
            "taken for the argument",
            "rounding is constant between its jumps: the slope is 0 (straight-through is 1)",
            lambda x, out: Number(1, x.shape),
        ),
    ),
)

IS_ZERO: Op = mask(
    "is_zero",
    # The square of a sign is 0 at 0 alone, in every kind of arithmetic.
    lambda xp, x: -(xp.sign(x) ** 2) + 1,
    ("==", "=", "="),
    code="1 - np.square(np.sign({}))",
    because="the mask is 0 around every place where both sides differ, so its derivative is 0",
    spoken="the mask of zeros of",
    laws=(
        Law("a mask is idempotent", lambda x: zero_mask(x - x) ** 2, lambda x: lift(1)),
        Law("both sides may swap", lambda x: zero_mask(x), lambda x: zero_mask(-x)),
    ),
)


def _less_one(exponent: Expr) -> Expr:
    """Return an exponent less one, the numbers in it added up: of ``2 - p``, ``1 - p``."""
    if isinstance(exponent, Apply) and exponent.op is BROADCAST:
        return Apply(BROADCAST, (_less_one(exponent.args[0]),), exponent.attrs)
    terms = exponent.args if isinstance(exponent, Apply) and exponent.op is ADD else ()
    for term in terms:
        if isinstance(term, Number):
            return add(*(other - 1 if other is term else other for other in terms))
    return exponent - 1


def _pow_vjp(of: Callable[..., tuple[Expr, Expr]]) -> Callable[..., Any]:
    return lambda g, out, args, attrs: tuple(g * slope for slope in of(*args, out))


POW: Op = Op(
    name="pow",
    shape=lambda shapes, attrs: common_shape(shapes),
    value=lambda xp, x, a, *, out_shape, attrs: xp.exp(xp.log(x) * a),
    vjp=_pow_vjp(lambda x, a, out: (a * raised(x, _less_one(a)), apply(LOG, x) * out)),
    notation=Notation(Layout.POWER, "^", "^", spoken="to the power"),
    code=lambda x, a, *, attrs: f"{x} ** {a}",
    rule="power rule",
    because=(
        "x^a is e^(a log x): its slope is a x^(a-1) with respect to the base and x^a log x with "
        "respect to the exponent"
    ),
    elementwise=True,
    domain=(POSITIVE, Domain()),
    corner="where its base is not positive; x^a log x has no value there",
    laws=(
        Law(
            "it is e^(a log x)",
            lambda x, a: raised(x, a),
            lambda x, a: apply(EXP, a * apply(LOG, x)),
        ),
        Law(
            "exponents add",
            lambda x, a: raised(x, a) * raised(x, 2 * a),
            lambda x, a: raised(x, 3 * a),
        ),
    ),
    mistakes=(
        Mistake(
            "the exponent not lowered",
            "the exponent must be lowered by one",
            _pow_vjp(lambda x, a, out: (a * out, apply(LOG, x) * out)),
        ),
        Mistake(
            "the exponent not brought down",
            "the exponent must come down as a factor",
            _pow_vjp(lambda x, a, out: (raised(x, a - 1), apply(LOG, x) * out)),
        ),
        Mistake(
            "the logarithm dropped",
            "with respect to the exponent, x^a has the slope x^a log x",
            _pow_vjp(lambda x, a, out: (a * raised(x, a - 1), out)),
        ),
        Mistake(
            "taken for a power of the base",
            "the exponent moves here, not the base: the slope is x^a log x, not a x^(a-1)",
            _pow_vjp(lambda x, a, out: (a * raised(x, a - 1), a * raised(x, a - 1))),
        ),
    ),
)


ROWS_HERE = (LOG2, LOG10, TAN, ARCTAN, FLOOR, IS_ZERO, POW)
"""The rows of this file, for the table."""
