"""Activations of today's networks: SiLU, GELU, ELU, leaky ReLU and clip, and what is made of them.

An entry where a lesson uses the derivative under the function's own name; a macro where the parts
already give the form that a teacher would write (swish with a scale, SELU, mish, hinge).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from chainrule.calculus.graph.node import Apply, Expr, Number, Operand
from chainrule.calculus.graph.op import Domain, Law, Layout, Mistake, Notation, Op, Spelling
from chainrule.calculus.ops.constants import pi
from chainrule.calculus.ops.elementwise import POSITIVE, align, common_shape, lift, power
from chainrule.calculus.ops.functions import (
    AWAY_FROM_ZERO,
    EXP,
    EXPM1,
    RELU,
    SIGMOID,
    SOFTPLUS,
    SQRT,
    STEP,
    TANH,
    apply,
    function,
    slope_dropped,
)
from chainrule.calculus.ops.gaussian import INVERSE_MILLS, NORMAL_CDF, normal_density

LEAK = Fraction(1, 100)
"""The slope of a leaky ReLU for negative scores, where none is given."""

SELU_SCALE, SELU_ALPHA = Fraction("1.0507009873554805"), Fraction("1.6732632423543772")
"""For which layers of standard normal scores keep mean 0 and variance 1 (Klambauer et al. 2017)."""

CUBIC = Fraction("0.044715")
"""The cubic term of the tanh form of GELU (Hendrycks & Gimpel 2016)."""


def silu(x: Expr) -> Expr:
    """Return x σ(x) for every entry."""
    return apply(SILU, x)


def swish(x: Expr, scale: Operand = 1) -> Expr:
    """Return x σ(scale x): SiLU where the scale is 1."""
    return apply(SILU, x) if _is(scale, 1) else x * apply(SIGMOID, lift(scale) * x)


def gelu(x: Expr) -> Expr:
    """Return x Φ(x) for every entry."""
    return apply(GELU, x)


def gelu_tanh(x: Expr) -> Expr:
    """Return the approximation of GELU by a tanh."""
    inner = apply(SQRT, 2 / pi()) * (x + Number(CUBIC) * power(x, 3))
    return x * (1 + apply(TANH, inner)) / 2


def elu(x: Expr, alpha: Operand = 1) -> Expr:
    """Return x where it is positive and alpha (e^x - 1) elsewhere."""
    return Apply(ELU, align((x, alpha)))


def selu(x: Expr) -> Expr:
    """Return the self-normalising ELU."""
    return Number(SELU_SCALE) * elu(x, Number(SELU_ALPHA))


def leaky_relu(x: Expr, slope: Operand = LEAK) -> Expr:
    """Return x where it is positive and slope x elsewhere; the slope may be learned."""
    return Apply(LEAKY_RELU, align((x, slope)))


def mish(x: Expr) -> Expr:
    """Return x tanh(softplus(x))."""
    return x * apply(TANH, apply(SOFTPLUS, x))


def scaled_softplus(x: Expr, scale: Operand = 1) -> Expr:
    """Return log(1 + e^(scale x))/scale."""
    return apply(SOFTPLUS, x) if _is(scale, 1) else apply(SOFTPLUS, lift(scale) * x) / scale


def clip(x: Expr, low: Operand, high: Operand) -> Expr:
    """Return the nearest number between two bounds."""
    return Apply(CLIP, align((x, low, high)))


def hinge(margin: Expr, scores: Expr | None = None) -> Expr:
    """Return max(0, 1 - margin); of labels ±1 and scores, the margin is their product."""
    return apply(RELU, 1 - (margin if scores is None else margin * scores))


def _is(x: Operand, value: int) -> bool:
    return x == value or (isinstance(x, Number) and x.value == value)


def _positive(x: Expr) -> Expr:
    return apply(STEP, x)


def _call(torch: str, jax: str) -> MappingProxyType[str, Spelling]:
    """Return the code for libraries that have the function."""
    return MappingProxyType(
        {
            "torch": Spelling(lambda *xs, attrs: torch.format(*xs)),
            "jax": Spelling(lambda *xs, attrs: jax.format(*xs)),
        }
    )


def _gated(
    name: str,
    word: str,
    gate: tuple[Op, str, str],
    second: Callable[[Expr, Expr], Expr],
    last: tuple[str, str, Callable[[Expr, Expr], Expr]],
    *,
    because: str,
    article: str,
    helpers: tuple[Op, ...],
    targets: Mapping[str, Spelling] = MappingProxyType({}),
) -> Op:
    """Make the registry entry of z times a distribution function of z.

    `gate` is that function, its letter and the word for its slope; `second` the second term of the
    product rule, and `last` a mistake of this entry alone.
    """
    function_of, letter, slope = gate
    product = f"z {letter}(z)"
    return function(
        name,
        lambda xp, x: x * function_of.value(xp, x, out_shape=x.shape, attrs=()),
        lambda x, out: apply(function_of, x) + second(x, out),
        code=f"{name}({{}})",
        helper=f'''
def {name}(z):
    """Return z times the {article} of z."""
    return z * {function_of.name}(z)
''',
        helpers=helpers,
        targets=targets,
        rule=f"{word} rule",
        because=because,
        glyph=word,
        latex=rf"\operatorname{{{word}}}",
        activation=True,
        laws=(
            Law(
                f"{word}(z) = {product}",
                lambda x: _named(name, x),
                lambda x: x * apply(function_of, x),
            ),
            Law(
                f"{word}(z) - {word}(-z) = z",
                lambda x: _named(name, x) - _named(name, -x),
                lambda x: x,
            ),
        ),
        mistakes=(
            slope_dropped(f"the slope of {word} is missing"),
            (
                "a term of the product rule dropped",
                f"both factors of {product} move: the {slope} of {letter} gives a second term",
                lambda x, out: apply(function_of, x),
            ),
            last,
        ),
    )


def _named(name: str, x: Expr) -> Expr:
    return apply(GATED[name], x)


SILU: Op = _gated(
    "silu",
    "SiLU",
    (SIGMOID, "σ", "slope"),
    lambda x, out: out * (1 - apply(SIGMOID, x)),
    (
        "the other term of the product rule dropped",
        "both factors of z σ(z) move: the slope of z gives the term σ(z)",
        lambda x, out: out * (1 - apply(SIGMOID, x)),
    ),
    because="SiLU is z σ(z): by the product rule the slope is σ(z) + z σ(z)(1 - σ(z))",
    article="sigmoid",
    helpers=(SIGMOID,),
)

GELU: Op = _gated(
    "gelu",
    "GELU",
    (NORMAL_CDF, "Φ", "density"),
    lambda x, out: x * normal_density(x),
    (
        "the factor z dropped",
        "the slope of Φ is multiplied by z: the second term is z φ(z)",
        lambda x, out: apply(NORMAL_CDF, x) + normal_density(x),
    ),
    because="GELU is z Φ(z): by the product rule the slope is Φ(z) + z φ(z), φ the normal density",
    article="standard normal distribution function",
    helpers=(INVERSE_MILLS, NORMAL_CDF),
    targets=_call("torch.nn.functional.gelu({})", "jax.nn.gelu({}, approximate=False)"),
)

GATED: Mapping[str, Op] = MappingProxyType({"silu": SILU, "gelu": GELU})
"""The activations that are z times a distribution function of z."""


def _parametric(
    name: str,
    value: Callable[..., Any],
    slopes: Callable[[Expr, Expr, Expr], tuple[Expr, Expr]],
    *,
    code: str,
    helper: str = "",
    rule: str,
    because: str,
    glyph: str,
    laws: tuple[Law, ...],
    mistakes: tuple[tuple[str, str, Callable[[Expr, Expr, Expr], tuple[Expr, Expr]]], ...],
) -> Op:
    """Make the row of an activation of scores and one parameter from ``slopes(x, a, out)``."""

    def vjp_from(of: Callable[..., tuple[Expr, Expr]]) -> Callable[..., Any]:
        return lambda g, out, args, attrs: tuple(g * slope for slope in of(*args, out))

    return Op(
        name=name,
        shape=lambda shapes, attrs: common_shape(shapes),
        value=lambda xp, x, a, *, out_shape, attrs: value(xp, x, a),
        vjp=vjp_from(slopes),
        notation=Notation(
            Layout.FUNCTION, name, rf"\operatorname{{{glyph}}}", glyph, f"{glyph} of"
        ),
        code=lambda x, a, *, attrs: code.format(x, a),
        helper=helper,
        rule=rule,
        because=because,
        elementwise=True,
        activation=True,
        corner="where its argument is 0; there the slope from the left is used",
        domain=(AWAY_FROM_ZERO, POSITIVE),
        laws=laws,
        mistakes=tuple(Mistake(n, message, vjp_from(wrong)) for n, message, wrong in mistakes),
    )


LEAKY_RELU: Op = _parametric(
    "leaky_relu",
    lambda xp, x, a: xp.maximum(x, 0) + a * xp.minimum(x, 0),
    lambda x, a, out: (_positive(x) + a * (1 - _positive(x)), x * (1 - _positive(x))),
    code="leaky_relu({}, {})",
    helper='''
def leaky_relu(z, a):
    """Return z where it is positive and a z elsewhere."""
    return np.maximum(z, 0) + a * np.minimum(z, 0)
''',
    rule="leaky ReLU rule",
    because="leaky ReLU has slope 1 where its argument is positive and its parameter elsewhere",
    glyph="LeakyReLU",
    laws=(
        Law(
            "it is ReLU(z) - a ReLU(-z)",
            lambda x, a: leaky_relu(x, a),
            lambda x, a: apply(RELU, x) - a * apply(RELU, -x),
        ),
    ),
    mistakes=(
        (
            "taken for ReLU",
            "where the argument is negative the slope is the leak, not 0",
            lambda x, a, out: (_positive(x), x * (1 - _positive(x))),
        ),
        (
            "activation derivative dropped",
            "the slope is 1 only where the argument is positive",
            lambda x, a, out: (Number(1, x.shape), x * (1 - _positive(x))),
        ),
        (
            "value in place of the slope",
            "the slope is 1 or the leak, not the value",
            lambda x, a, out: (out, x * (1 - _positive(x))),
        ),
    ),
)

ELU: Op = _parametric(
    "elu",
    lambda xp, x, a: xp.maximum(x, 0) + a * xp.expm1(xp.minimum(x, 0)),
    lambda x, a, out: (
        _positive(x) + (1 - _positive(x)) * (out + a),
        apply(EXPM1, -apply(RELU, -x)),
    ),
    code="elu({}, {})",
    helper='''
def elu(z, a):
    """Return z where it is positive and a (e^z - 1) elsewhere; no exponent is ever positive."""
    return np.maximum(z, 0) + a * np.expm1(np.minimum(z, 0))
''',
    rule="ELU rule",
    because=(
        "ELU has slope 1 where its argument is positive; elsewhere its value is α(e^z - 1) and its "
        "slope α e^z, the value plus α"
    ),
    glyph="ELU",
    laws=(
        Law(
            "it is ReLU(z) + a(e^min(z, 0) - 1)",
            lambda x, a: elu(x, a),
            lambda x, a: apply(RELU, x) + a * (apply(EXP, -apply(RELU, -x)) - 1),
        ),
    ),
    mistakes=(
        (
            "taken for ReLU",
            "where the argument is negative the slope is α e^z, not 0",
            lambda x, a, out: (_positive(x), apply(EXPM1, -apply(RELU, -x))),
        ),
        (
            "the α dropped",
            "the slope for negative arguments is the value plus α, which is α e^z",
            lambda x, a, out: (
                _positive(x) + (1 - _positive(x)) * out,
                apply(EXPM1, -apply(RELU, -x)),
            ),
        ),
    ),
)


def _clip_vjp(
    g: Expr, out: Expr, args: tuple[Expr, ...], attrs: tuple[Any, ...]
) -> tuple[Expr, ...]:
    x, low, high = args
    above, below = _positive(x - low), _positive(high - x)
    return g * above * below, g * (1 - above), g * (1 - below)


CLIP: Op = Op(
    name="clip",
    shape=lambda shapes, attrs: common_shape(shapes),
    value=lambda xp, x, low, high, *, out_shape, attrs: xp.minimum(xp.maximum(x, low), high),
    vjp=_clip_vjp,
    notation=Notation(Layout.FUNCTION, "clip", r"\operatorname{clip}", spoken="the clipped"),
    code=lambda x, low, high, *, attrs: f"np.minimum(np.maximum({x}, {low}), {high})",
    rule="clip rule",
    because=(
        "between its bounds a clipped value equals its argument, slope 1; beyond them it is "
        "constant, slope 0, and the bound receives the gradient"
    ),
    elementwise=True,
    domain=(Domain(), Domain(-1.5, -0.5), Domain(0.5, 1.5)),
    margin=lambda xp, x, low, high, *, attrs: xp.minimum(xp.abs(x - low), xp.abs(x - high)),
    corner="at its bounds; there the slope 0 is used",
    laws=(
        Law(
            "it is the lower bound and two rectified differences",
            lambda x, low, high: clip(x, low, high),
            lambda x, low, high: low + apply(RELU, x - low) - apply(RELU, x - high),
        ),
    ),
    mistakes=(
        Mistake(
            "mask dropped",
            "beyond the bounds the value is constant: the slope is 0 there",
            lambda g, out, args, attrs: (g, *_clip_vjp(g, out, args, attrs)[1:]),
        ),
        Mistake(
            "one bound forgotten",
            "beyond the upper bound the value is constant as well",
            lambda g, out, args, attrs: (
                g * _positive(args[0] - args[1]),
                *_clip_vjp(g, out, args, attrs)[1:],
            ),
        ),
    ),
)

ROWS_HERE = (SILU, GELU, LEAKY_RELU, ELU, CLIP)
"""The rows of this file, for the table."""

__all__ = [
    "CLIP",
    "ELU",
    "GELU",
    "LEAKY_RELU",
    "ROWS_HERE",
    "SILU",
    "clip",
    "elu",
    "gelu",
    "gelu_tanh",
    "hinge",
    "leaky_relu",
    "mish",
    "scaled_softplus",
    "selu",
    "silu",
    "swish",
]
