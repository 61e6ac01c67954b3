"""Arithmetic, entry by entry.

The builders keep expressions in the order written, and apply silently only what nobody would
write as a step: a sum in a sum is one sum, ``0 + x``, ``1 x``, ``-(-x)``, numbers multiply into
one number in front, a minus sign in a product comes to the front, and ``1/u`` times ``x`` is
``x/u``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import prod
from typing import Any

from chainrule.calculus.graph.dims import SCALAR, Shape, written
from chainrule.calculus.graph.node import Apply, Expr, Number, Operand
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op
from chainrule.calculus.ops.reduction import broadcast
from chainrule.errors import ShapeError

POSITIVE = Domain(0.2, 2.0)
ONE = Fraction(1)


def lift(x: Operand) -> Expr:
    """Turn a Python number into a constant; leave expressions alone."""
    return x if isinstance(x, Expr) else Number(x)


def align(operands: Iterable[Operand]) -> tuple[Expr, ...]:
    """Give all operands one shape by explicit broadcasts.

    Raises
    ------
    ShapeError
        When two of them differ in a dimension that is 1 in neither.
    """
    exprs = tuple(lift(x) for x in operands)
    if len({x.shape for x in exprs}) == 1:
        return exprs
    shape = common_shape(x.shape for x in exprs)
    return tuple(broadcast(x, shape) for x in exprs)


def common_shape(shapes: Iterable[Shape]) -> Shape:
    """Return the shape that all of `shapes` broadcast to."""
    result: Shape = SCALAR
    for shape in shapes:
        if shape == result:
            continue
        longest = max(len(result), len(shape))
        ahead = ((1,) * (longest - len(one)) + one for one in (result, shape))
        pairs = list(zip(*ahead, strict=True))
        if any(a != b and 1 not in (a, b) for a, b in pairs):
            raise ShapeError(
                f"{written(result)} and {written(shape)} do not meet entry by entry",
                "{0}^T" if shape == result[::-1] else None,
            )
        result = tuple(b if a == 1 else a for a, b in pairs)
    return result


def add(*operands: Operand) -> Expr:
    """Add; sums within sums become one sum."""
    terms: list[Expr] = []
    for term in align(operands):
        if isinstance(term, Apply) and term.op is ADD:
            terms.extend(term.args)
        elif not (isinstance(term, Number) and term.value == 0):
            terms.append(term)
    if all(isinstance(term, Number) for term in terms):
        shape = common_shape(lift(x).shape for x in operands)
        return Number(sum(t.value for t in terms if isinstance(t, Number)), shape)
    return terms[0] if len(terms) == 1 else Apply(ADD, tuple(terms))


def sub(a: Operand, b: Operand) -> Expr:
    """Subtract: add the negative."""
    return add(a, neg(lift(b)))


def neg(x: Expr) -> Expr:
    """Change the sign."""
    if isinstance(x, Number):
        return Number(-x.value, x.shape)
    if isinstance(x, Apply) and x.op is NEG:
        return x.args[0]
    if isinstance(x, Apply) and x.op is MUL and isinstance(x.args[0], Number):
        head, *rest = x.args
        assert isinstance(head, Number)
        if head.value < 0:
            return mul(Number(-head.value), *rest)
    return Apply(NEG, (x,))


def mul(*operands: Operand) -> Expr:
    """Multiply entry by entry; a scalar scales. Products within products become one product."""
    sign, coefficient = 1, ONE
    factors: list[Expr] = []
    below: list[Expr] = []
    aligned = align(operands)
    shape = aligned[0].shape
    pending = list(aligned)
    while pending:
        factor = pending.pop(0)
        if isinstance(factor, Number):
            coefficient = factor.value if coefficient is ONE else coefficient * factor.value
        elif isinstance(factor, Apply) and factor.op is NEG:
            sign = -sign
            pending.insert(0, factor.args[0])
        elif isinstance(factor, Apply) and factor.op is MUL:
            pending[:0] = factor.args
        elif is_reciprocal(factor):
            below.append(factor.args[1])
        else:
            factors.append(factor)
    if coefficient < 0:
        sign, coefficient = -sign, -coefficient
    if below and coefficient != 0:
        top = mul(Number(coefficient, shape), *factors)
        quotient = div(top, mul(*below))
        return quotient if sign > 0 else neg(quotient)
    if coefficient == 0 or not factors:
        return Number(sign * coefficient, shape)
    if coefficient != 1:
        factors.insert(0, Number(coefficient, shape))
    product = factors[0] if len(factors) == 1 else Apply(MUL, tuple(factors))
    return product if sign > 0 else Apply(NEG, (product,))


def is_reciprocal(factor: Expr) -> bool:
    """Tell whether a factor is one over something; in a product that goes below the line."""
    reciprocal = isinstance(factor, Apply) and factor.op is DIV
    return reciprocal and isinstance(factor.args[0], Number) and factor.args[0].value == 1


def div(a: Operand, b: Operand) -> Expr:
    """Divide entry by entry."""
    top, bottom = align((a, b))
    if isinstance(bottom, Apply) and bottom.op is NEG:
        return neg(div(top, bottom.args[0]))
    if isinstance(top, Apply) and top.op is NEG:
        return neg(div(top.args[0], bottom))
    if isinstance(top, Number) and top.value < 0 and not isinstance(bottom, Number):
        return neg(div(Number(-top.value), bottom))
    if isinstance(bottom, Number) and bottom.value != 0:
        if isinstance(top, Number):
            return Number(top.value / bottom.value, top.shape)
        if bottom.value == 1:
            return top
    if isinstance(top, Number) and top.value == 0:
        return top
    return Apply(DIV, (top, bottom))


def power(x: Expr, exponent: int | Fraction) -> Expr:
    """Raise to a fixed number."""
    exponent = Fraction(exponent)
    if exponent == 1:
        return x
    if exponent == 0:
        return Number(1, x.shape)
    if isinstance(x, Number) and exponent.denominator == 1 and (x.value or exponent > 0):
        return Number(x.value ** int(exponent), x.shape)
    return Apply(POWER, (x,), (exponent,))


def _same(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    return common_shape(shapes)


def _others(args: tuple[Expr, ...], skip: int) -> list[Expr]:
    return [arg for k, arg in enumerate(args) if k != skip]


def _summed_code(texts: tuple[str, ...]) -> str:
    """Write ``a - b`` for a sum with a bracketed negative."""
    joined = texts[0]
    for text in texts[1:]:
        negative = text.startswith("(-")
        joined += f" - {text[2:-1]}" if negative else f" + {text}"
    return joined


def _folded(first: Any, *rest: Any) -> Any:  # noqa: ANN401
    for x in rest:
        first = first + x
    return first


ADD: Op = Op(
    name="add",
    shape=_same,
    value=lambda xp, *xs, out_shape, attrs: _folded(*xs),
    vjp=lambda g, out, args, attrs: tuple(g for _ in args),
    notation=Notation(Layout.SUM, " + ", " + ", spoken="plus"),
    code=lambda *xs, attrs: _summed_code(xs),
    rule="sum rule",
    because="the derivative of a sum is the sum of the derivatives",
    elementwise=True,
    domain=(Domain(), Domain()),
    laws=(
        Law("the order does not matter", lambda a, b: add(a, b), lambda a, b: add(b, a)),
        Law("doubling", lambda a, b: add(a, b, a, b), lambda a, b: 2 * add(a, b)),
    ),
)

NEG: Op = Op(
    name="neg",
    shape=_same,
    value=lambda xp, x, *, out_shape, attrs: -x,
    vjp=lambda g, out, args, attrs: (-g,),
    notation=Notation(Layout.PREFIX, "-", "-", spoken="minus"),
    code=lambda x, *, attrs: f"-{x}",
    rule="sign rule",
    because="a minus sign is a constant factor of -1",
    elementwise=True,
    laws=(Law("it is its own inverse", lambda x: -Apply(NEG, (x,)), lambda x: x),),
    mistakes=(Mistake("sign", "a minus sign got lost", lambda g, out, args, attrs: (g,)),),
)

MUL: Op = Op(
    name="mul",
    shape=_same,
    value=lambda xp, *xs, out_shape, attrs: prod(xs[1:], start=xs[0]),
    vjp=lambda g, out, args, attrs: tuple(mul(g, *_others(args, k)) for k in range(len(args))),
    notation=Notation(Layout.PRODUCT, " .* ", r" \odot ", " ⊙ ", "times"),
    code=lambda *xs, attrs: " * ".join(xs),
    rule="product rule",
    because="with the other factors held fixed, a product is linear in each factor",
    elementwise=True,
    domain=(Domain(), Domain()),
    laws=(
        Law("the order does not matter", lambda a, b: mul(a, b), lambda a, b: mul(b, a)),
        Law(
            "it distributes over a sum",
            lambda a, b: mul(a, add(a, b)),
            lambda a, b: add(mul(a, a), mul(a, b)),
        ),
    ),
    mistakes=(
        Mistake(
            "the other factor dropped",
            "a factor that does not contain the variable stays in the derivative",
            lambda g, out, args, attrs: tuple(g for _ in args),
        ),
        Mistake(
            "wrong variable",
            "this is the derivative with respect to the other factor",
            lambda g, out, args, attrs: tuple(mul(g, arg) for arg in args),
        ),
    ),
)

DIV: Op = Op(
    name="div",
    shape=_same,
    value=lambda xp, a, b, *, out_shape, attrs: a / b,
    vjp=lambda g, out, args, attrs: (g / args[1], -(g * args[0] / args[1] ** 2)),
    notation=Notation(Layout.FRACTION, "/", r"\frac", spoken="over"),
    code=lambda a, b, *, attrs: f"{a} / {b}",
    rule="quotient rule",
    because="d(u/v) = du/v - u dv/v^2",
    elementwise=True,
    domain=(Domain(), POSITIVE),
    laws=(
        Law("dividing undoes multiplying", lambda a, b: div(mul(a, b), b), lambda a, b: a),
        Law(
            "the denominator distributes",
            lambda a, b: div(add(a, b), b),
            lambda a, b: add(div(a, b), div(b, b)),
        ),
    ),
    mistakes=(
        Mistake(
            "sign",
            "the denominator's part of the quotient rule carries a minus sign",
            lambda g, out, args, attrs: (g / args[1], g * args[0] / args[1] ** 2),
        ),
        Mistake(
            "square missing",
            "the denominator is squared in the quotient rule",
            lambda g, out, args, attrs: (g / args[1], -(g * args[0] / args[1])),
        ),
    ),
)

POWER: Op = Op(
    name="power",
    shape=_same,
    value=lambda xp, x, *, out_shape, attrs: _powered(xp, x, attrs[0]),
    vjp=lambda g, out, args, attrs: (_power_vjp(g, args[0], attrs[0]),),
    notation=Notation(Layout.POWER, "^", "^", spoken="to the power"),
    code=lambda x, *, attrs: (
        f"np.square({x})" if attrs[0] == 2 else f"{x} ** {_exponent(attrs[0])}"
    ),
    rule="power rule",
    because="the exponent comes down and is lowered by one",
    elementwise=True,
    domain=(POSITIVE,),
    polynomial=lambda attrs: attrs[0].denominator == 1 and attrs[0] > 0,
    laws=(
        Law("a square is a product", lambda x: power(x, 2), lambda x: mul(x, x)),
        Law("exponents add", lambda x: mul(power(x, 2), power(x, 3)), lambda x: power(x, 5)),
    ),
    mistakes=(
        Mistake(
            "the exponent not brought down",
            "the exponent must come down as a factor",
            lambda g, out, args, attrs: (g * power(args[0], attrs[0] - 1),),
        ),
        Mistake(
            "the exponent not lowered",
            "the exponent must be lowered by one",
            lambda g, out, args, attrs: (g * attrs[0] * out,),
        ),
    ),
)


def _exponent(value: Fraction) -> str:
    """Write an exponent in Python: a negative one as a float, which whole numbers accept too."""
    if value.denominator != 1:
        return f"({value})"
    return str(value) if value > 0 else f"({float(value)})"


def _power_vjp(g: Expr, x: Expr, exponent: Fraction) -> Expr:
    return mul(Number(exponent), g, power(x, exponent - 1))


def _powered(xp: Any, x: Any, exponent: Fraction) -> Any:  # noqa: ANN401
    if exponent.denominator == 1:
        return x ** int(exponent) if exponent > 0 else 1 / x ** int(-exponent)
    return xp.exp(xp.log(x) * float(exponent))


ROWS_HERE = (ADD, NEG, MUL, DIV, POWER)
"""The rows of this file, for the table."""
