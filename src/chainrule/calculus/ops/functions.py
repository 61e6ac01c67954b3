"""Functions of one argument, entry by entry: exp and log, roots, activations and their masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from chainrule.calculus.graph.node import Apply, Expr, Number
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op, Spelling
from chainrule.calculus.ops.elementwise import DIV, POSITIVE, lift

SMOOTH = Domain()
AWAY_FROM_ZERO = Domain(kink=0.0)


def function(
    name: str,
    value: Callable[..., Any],
    derivative: Callable[[Expr, Expr], Expr],
    *,
    code: str,
    helper: str = "",
    helpers: tuple[Op, ...] = (),
    targets: Mapping[str, Spelling] = MappingProxyType({}),
    rule: str,
    because: str,
    glyph: str = "",
    latex: str = "",
    plain: str = "",
    mathml: str = "",
    spoken: str = "",
    layout: Layout = Layout.FUNCTION,
    domain: Domain = SMOOTH,
    activation: bool = False,
    corner: str = "",
    margin: Callable[..., Any] | None = None,
    laws: tuple[Law, ...] = (),
    mistakes: tuple[tuple[str, str, Callable[[Expr, Expr], Expr]], ...] = (),
) -> Op:
    """Make the row of an elementwise function from ``derivative(x, out)``."""

    def vjp_from(slope: Callable[[Expr, Expr], Expr]) -> Callable[..., tuple[Expr, ...]]:
        return lambda g, out, args, attrs: (_times(g, slope(args[0], out)),)

    return Op(
        name=name,
        shape=lambda shapes, attrs: shapes[0],
        value=lambda xp, x, *, out_shape, attrs: value(xp, x),
        vjp=vjp_from(derivative),
        notation=Notation(
            layout,
            plain or name,
            latex or rf"\{name}",
            glyph or name,
            spoken or f"{name} of",
            mathml,
        ),
        code=lambda x, *, attrs: code.format(x),
        helper=helper,
        helpers=helpers,
        targets=targets,
        rule=rule,
        because=because,
        elementwise=True,
        activation=activation,
        corner=corner,
        margin=margin,
        domain=(domain,),
        laws=laws,
        mistakes=tuple(Mistake(n, message, vjp_from(slope)) for n, message, slope in mistakes),
    )


def slope_dropped(message: str) -> tuple[str, str, Callable[[Expr, Expr], Expr]]:
    """Return the mistake of an activation whose slope is left out."""
    return "activation derivative dropped", message, lambda x, out: Number(1, x.shape)


def mask(
    name: str,
    value: Callable[..., Any],
    comparison: tuple[str, str, str],
    *,
    code: str,
    because: str,
    spoken: str,
    laws: tuple[Law, ...],
    domain: Domain = SMOOTH,
    corner: str = "",
) -> Op:
    """Make the registry entry of a mask in brackets, ``[z > 0]``, whose slope is 0.

    `comparison` is its sign in text, in LaTeX and in MathML.
    """
    plain, latex, mathml = comparison
    return function(
        name,
        value,
        lambda x, out: Number(0, x.shape),
        code=code,
        rule="mask",
        because=because,
        layout=Layout.FENCE,
        plain=f"[| {plain} 0]",
        spoken=spoken,
        mathml=f"<mrow><mo>[</mo>{{}}<mo>{mathml}</mo><mn>0</mn><mo>]</mo></mrow>",
        glyph=f"[| {plain} 0]",
        latex=f"[| {latex} 0]",
        domain=domain,
        corner=corner,
        laws=laws,
    )


def apply(op: Op, x: Expr | int) -> Expr:
    """Apply a function of one argument."""
    return Apply(op, (lift(x),))


def _times(g: Expr, slope: Expr) -> Expr:
    """Multiply, keeping one fraction line: g times 1/u is g/u."""
    if isinstance(slope, Apply) and slope.op is DIV:
        return g * slope.args[0] / slope.args[1]
    return g * slope


EXP: Op = function(
    "exp",
    lambda xp, x: xp.exp(x),
    lambda x, out: out,
    code="np.exp({})",
    rule="exp rule",
    because="exp is its own derivative",
    laws=(Law("exp(x) exp(-x) = 1", lambda x: apply(EXP, x) * apply(EXP, -x), lambda x: lift(1)),),
    mistakes=(
        (
            "treated as a power",
            "exp is its own derivative; nothing comes down",
            lambda x, out: x * out,
        ),
    ),
)

LOG: Op = function(
    "log",
    lambda xp, x: xp.log(x),
    lambda x, out: 1 / x,
    code="np.log({})",
    rule="log rule",
    because="the derivative of log u is 1/u",
    domain=POSITIVE,
    laws=(Law("exp undoes it", lambda x: apply(EXP, apply(LOG, x)), lambda x: x),),
    mistakes=(
        ("reciprocal missing", "the derivative of log u is 1/u, not u", lambda x, out: x),
        ("argument squared", "the derivative of log u is 1/u, not 1/u^2", lambda x, out: 1 / x**2),
    ),
)

SQRT: Op = function(
    "sqrt",
    lambda xp, x: xp.sqrt(x),
    lambda x, out: 1 / (2 * out),
    code="np.sqrt({})",
    rule="root rule",
    because="the square root is the power 1/2: the half comes down, the root goes below",
    layout=Layout.FENCE,
    plain="sqrt(|)",
    spoken="the square root of",
    mathml="<msqrt>{}</msqrt>",
    glyph="√(|)",
    latex=r"\sqrt",
    domain=POSITIVE,
    corner="where its argument is 0; its slope is infinite there and no other is used",
    laws=(Law("squaring undoes it", lambda x: apply(SQRT, x) ** 2, lambda x: x),),
    mistakes=(("the 2 dropped", "the root rule has a factor 1/2", lambda x, out: 1 / out),),
)

SIGN: Op = function(
    "sign",
    lambda xp, x: xp.sign(x),
    lambda x, out: Number(0, x.shape),
    code="np.sign({})",
    rule="sign function",
    because="the sign is constant away from 0, where its derivative is taken as 0",
    latex=r"\operatorname{sign}",
    domain=AWAY_FROM_ZERO,
    corner="where its two sides are equal; it jumps there, and the slope 0 is used",
    laws=(Law("it is odd", lambda x: apply(SIGN, -x), lambda x: -apply(SIGN, x)),),
)

ABS: Op = function(
    "abs",
    lambda xp, x: xp.abs(x),
    lambda x, out: apply(SIGN, x),
    code="np.abs({})",
    rule="absolute-value rule",
    because="|u| has slope +1 or -1 with the sign of u; at 0 the convention is 0",
    layout=Layout.FENCE,
    plain="abs(|)",
    spoken="the absolute value of",
    mathml='<mrow><mo fence="true">|</mo>{}<mo fence="true">|</mo></mrow>',
    glyph="abs(|)",
    latex=r"\lvert|\rvert",
    domain=AWAY_FROM_ZERO,
    corner="where its argument is 0; there the slope 0 is used",
    laws=(Law("it is even", lambda x: apply(ABS, -x), lambda x: apply(ABS, x)),),
    mistakes=(
        (
            "sign dropped",
            "the slope is -1 for negative arguments",
            lambda x, out: Number(1, x.shape),
        ),
    ),
)

STEP: Op = mask(
    "step",
    lambda xp, x: xp.where(x > 0, 1.0, 0.0),
    (">", ">", "&gt;"),
    # Not a comparison: its outcome would be of another precision in some libraries.
    code="np.maximum(np.sign({}), 0)",
    because="the mask is constant away from 0, where its derivative is taken as 0",
    spoken="the mask of positive",
    domain=AWAY_FROM_ZERO,
    corner="where its two sides are equal; it jumps there, and the slope 0 is used",
    laws=(Law("a mask is idempotent", lambda x: apply(STEP, x) ** 2, lambda x: apply(STEP, x)),),
)

SIGMOID: Op = function(
    "sigmoid",
    # No exponent is ever positive: no overflow at any score, and no digit lost far to the left.
    lambda xp, x: xp.exp(-xp.maximum(-x, 0)) / (xp.exp(-xp.abs(x)) + 1),
    lambda x, out: out * (1 - out),
    code="sigmoid({})",
    helper='''
def sigmoid(z):
    """Return 1 / (1 + e^(-z)); no exponent is ever positive, so nothing overflows."""
    return np.exp(-np.maximum(-z, 0)) / (1 + np.exp(-np.abs(z)))
''',
    rule="sigmoid rule",
    because="σ(z) = 1/(1 + e^(-z)), and its slope is the value times one minus the value",
    glyph="σ",
    latex=r"\sigma",
    activation=True,
    laws=(
        Law("σ(-z) = 1 - σ(z)", lambda x: apply(SIGMOID, -x), lambda x: 1 - apply(SIGMOID, x)),
        Law(
            "σ(z) = 1/(1 + e^(-z))",
            lambda x: apply(SIGMOID, x),
            lambda x: 1 / (1 + apply(EXP, -x)),
        ),
    ),
    mistakes=(
        slope_dropped("the slope a(1 - a) of the sigmoid is missing"),
        (
            "half of the activation derivative",
            "the slope of the sigmoid is a(1 - a), not a",
            lambda x, out: out,
        ),
        (
            "the other half of the activation derivative",
            "the slope of the sigmoid is a(1 - a), not 1 - a",
            lambda x, out: 1 - out,
        ),
        (
            "activation derivative of the wrong variable",
            "a(1 - a) is written in the value a = σ(z), not in its argument",
            lambda x, out: x * (1 - x),
        ),
        (
            "activation derivative doubled",
            "the slope a(1 - a) appears twice",
            lambda x, out: (out * (1 - out)) ** 2,
        ),
    ),
)

TANH: Op = function(
    "tanh",
    lambda xp, x: xp.tanh(x),
    lambda x, out: 1 - out**2,
    code="np.tanh({})",
    rule="tanh rule",
    because="the slope of tanh is one minus the square of its value",
    activation=True,
    laws=(
        Law("it is odd", lambda x: apply(TANH, -x), lambda x: -apply(TANH, x)),
        Law(
            "tanh z = 2σ(2z) - 1",
            lambda x: apply(TANH, x),
            lambda x: 2 * apply(SIGMOID, 2 * x) - 1,
        ),
    ),
    mistakes=(
        slope_dropped("the slope 1 - t^2 of tanh is missing"),
        ("square missing", "the slope of tanh is 1 - t^2, not 1 - t", lambda x, out: 1 - out),
        (
            "taken for the sigmoid",
            "t(1 - t) is the slope of the sigmoid; tanh has 1 - t^2",
            lambda x, out: out * (1 - out),
        ),
    ),
)

RELU: Op = function(
    "relu",
    lambda xp, x: xp.maximum(x, 0),
    lambda x, out: apply(STEP, x),
    code="np.maximum({}, 0)",
    rule="ReLU rule",
    because="ReLU has slope 1 where its argument is positive and 0 elsewhere; at 0 we take 0",
    glyph="ReLU",
    latex=r"\operatorname{ReLU}",
    activation=True,
    domain=AWAY_FROM_ZERO,
    corner="where its argument is 0; there the slope 0 is used",
    laws=(
        Law(
            "|z| = ReLU(z) + ReLU(-z)",
            lambda x: apply(ABS, x),
            lambda x: apply(RELU, x) + apply(RELU, -x),
        ),
        Law("ReLU(z) = z [z > 0]", lambda x: apply(RELU, x), lambda x: x * apply(STEP, x)),
    ),
    mistakes=(
        slope_dropped("the mask [z > 0] is missing"),
        (
            "value in place of the mask",
            "the slope of ReLU is the mask [z > 0], not its value",
            lambda x, out: out,
        ),
    ),
)

LOG1P: Op = function(
    "log1p",
    lambda xp, x: xp.log1p(x),
    lambda x, out: 1 / (1 + x),
    code="np.log1p({})",
    rule="log rule",
    because="log(1 + u) has derivative 1/(1 + u)",
    latex=r"\operatorname{log1p}",
    domain=POSITIVE,
    laws=(Law("log1p(u) = log(1 + u)", lambda x: apply(LOG1P, x), lambda x: apply(LOG, 1 + x)),),
)

EXPM1: Op = function(
    "expm1",
    lambda xp, x: xp.expm1(x),
    lambda x, out: apply(EXP, x),
    code="np.expm1({})",
    rule="exp rule",
    because="e^u - 1 has the derivative of e^u: the constant drops out",
    latex=r"\operatorname{expm1}",
    laws=(Law("expm1(u) = e^u - 1", lambda x: apply(EXPM1, x), lambda x: apply(EXP, x) - 1),),
    mistakes=(
        (
            "taken for the exponential",
            "the derivative of e^u - 1 is e^u, not e^u - 1 itself",
            lambda x, out: out,
        ),
    ),
)

SOFTPLUS: Op = function(
    "softplus",
    lambda xp, x: xp.maximum(x, 0) + xp.log1p(xp.exp(-xp.abs(x))),
    lambda x, out: apply(SIGMOID, x),
    code="softplus({})",
    helper='''
def softplus(z):
    """Return log(1 + e^z); no exponent is ever positive, so nothing overflows."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))
''',
    rule="softplus rule",
    because="softplus is log(1 + e^z), and its slope is the sigmoid",
    latex=r"\operatorname{softplus}",
    activation=True,
    laws=(
        Law(
            "softplus(z) = log(1 + e^z)",
            lambda x: apply(SOFTPLUS, x),
            lambda x: apply(LOG, 1 + apply(EXP, x)),
        ),
    ),
    mistakes=(
        slope_dropped("the slope of softplus is σ(z)"),
        (
            "taken for the sigmoid's slope",
            "the slope of softplus is σ(z), not σ(z)(1 - σ(z))",
            lambda x, out: apply(SIGMOID, x) * (1 - apply(SIGMOID, x)),
        ),
    ),
)

SIN: Op = function(
    "sin",
    lambda xp, x: xp.sin(x),
    lambda x, out: apply(COS, x),
    code="np.sin({})",
    rule="sine rule",
    because="the slope of the sine is the cosine",
    laws=(Law("it is odd", lambda x: apply(SIN, -x), lambda x: -apply(SIN, x)),),
    mistakes=(
        ("sign", "the slope of the sine carries no minus sign", lambda x, out: -apply(COS, x)),
    ),
)

COS: Op = function(
    "cos",
    lambda xp, x: xp.cos(x),
    lambda x, out: -apply(SIN, x),
    code="np.cos({})",
    rule="cosine rule",
    because="the slope of the cosine is minus the sine",
    laws=(
        Law(
            "squares of sine and cosine add to one",
            lambda x: apply(SIN, x) ** 2 + apply(COS, x) ** 2,
            lambda x: lift(1),
        ),
    ),
    mistakes=(
        ("sign", "the slope of the cosine carries a minus sign", lambda x, out: apply(SIN, x)),
    ),
)

ROWS_HERE = (EXP, LOG, SQRT, SIGN, ABS, STEP, SIGMOID, TANH, RELU, LOG1P, EXPM1, SOFTPLUS, SIN, COS)
"""The rows of this file, for the table."""
