"""The elementary operations of emitted kernels: one entry per operation.

An entry says how an operation is written, how its rounding error follows from the errors of its
arguments (`chainrule.engine.losses.roundings`), how an enclosure follows from enclosures
(`chainrule.engine.losses.intervals`), and what its value is with any number of digits. The writers
of a module walk a tape through these entries and name no operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import mpmath

_FAR = 20
"""Beyond it e^(-e^x) is below 1e-200000000, which no float64 and no bound can tell from 0."""


@dataclass(frozen=True)
class Operation:
    """One entry.

    Attributes
    ----------
    name : str
    code : str
        The expression, with ``{0}`` and ``{1}`` for its arguments.
    rounding : str
        The bound: ``{v}`` is the value, ``{0}``, ``{e0}`` an argument and the bound on its error.
    interval : str
        The enclosure, with ``{0}``, ``{1}`` for those of the arguments.
    value : callable
        On mpmath numbers.
    strength : int
        How tightly its code binds: 1 for a sum, 2 for a product, 3 for a call.
    """

    name: str
    code: str
    rounding: str
    interval: str
    value: Callable[..., Any]
    strength: int = 3


def _call(
    name: str, code: str, rounding: str, interval: str, value: Callable[..., Any]
) -> Operation:
    return Operation(name, f"np.{code}({{0}})", rounding, f"intervals.{interval}({{0}})", value)


def _of_two(name: str, code: str, value: Callable[..., Any]) -> Operation:
    return Operation(
        name,
        f"np.{code}({{0}}, {{1}})",
        "roundings.larger({e0}, {e1})",
        f"intervals.{code}({{0}}, {{1}})",
        value,
    )


_ROWS = (
    Operation(
        "add",
        "{0} + {1}",
        "roundings.added({v}, {e0}, {e1})",
        "intervals.added({0}, {1})",
        lambda a, b: a + b,
        1,
    ),
    Operation(
        "sub",
        "{0} - {1}",
        "roundings.added({v}, {e0}, {e1})",
        "intervals.subtracted({0}, {1})",
        lambda a, b: a - b,
        1,
    ),
    Operation("neg", "-{0}", "{e0}", "intervals.negated({0})", lambda a: -a, 1),
    Operation(
        "mul",
        "{0} * {1}",
        "roundings.multiplied({v}, {0}, {e0}, {1}, {e1})",
        "intervals.multiplied({0}, {1})",
        lambda a, b: a * b,
        2,
    ),
    Operation(
        "square",
        "{0} * {0}",
        "roundings.multiplied({v}, {0}, {e0}, {0}, {e0})",
        "intervals.squared({0})",
        lambda a: a * a,
        2,
    ),
    Operation(
        "div",
        "{0} / {1}",
        "roundings.divided({v}, {e0}, {1}, {e1})",
        "intervals.divided({0}, {1})",
        lambda a, b: a / b,
        2,
    ),
    _call("abs", "abs", "{e0}", "absolute", abs),
    Operation(
        "step",
        "np.maximum(np.sign({0}), 0)",
        "roundings.stepped({0}, {e0})",
        "intervals.step({0})",
        lambda a: mpmath.mpf(1 if a > 0 else 0),
    ),
    # e^(min(x, 0)) from the mask [-x > 0], from e^(-|x|) and, for the bounds alone, from x: where
    # the sign of x is uncertain, both exponentials are close to 1
    Operation(
        "fold",
        "1 - {0} + ({0} * {1})",
        "roundings.folded({2}, {e2}, {e1})",
        "intervals.exponential(intervals.minimum({2}, intervals.point(0.0)))",
        lambda mask, decay, x: 1 - mask + mask * decay,
        1,
    ),
    _call("sign", "sign", "roundings.signed({0}, {e0})", "sign", mpmath.sign),
    # sqrt(a^2 + b^2), where a square may be too large for float64
    Operation(
        "hypot",
        "np.hypot({0}, {1})",
        "roundings.hypotenuse({v}, {e0}, {e1})",
        "intervals.hypotenuse({0}, {1})",
        mpmath.hypot,
    ),
    _of_two("max", "maximum", max),
    _of_two("min", "minimum", min),
    _call("exp", "exp", "roundings.exponential({v}, {e0})", "exponential", mpmath.exp),
    Operation(
        "exp_clamped",
        "np.exp(np.minimum({0}, 709))",
        "roundings.exponential_to({v}, {0}, {e0}, 709)",
        "intervals.exponential({0})",
        mpmath.exp,
    ),
    _call(
        "expm1",
        "expm1",
        "roundings.exponential_minus_one({v}, {e0})",
        "exponential_minus_one",
        mpmath.expm1,
    ),
    _call("log", "log", "roundings.logarithm({v}, {0}, {e0})", "logarithm", mpmath.log),
    _call(
        "log1p",
        "log1p",
        "roundings.logarithm_of_one_plus({v}, {0}, {e0})",
        "logarithm_of_one_plus",
        mpmath.log1p,
    ),
    _call("sqrt", "sqrt", "roundings.root({v}, {e0})", "root", mpmath.sqrt),
    _call(
        "tanh",
        "tanh",
        "roundings.hyperbolic_tangent({v}, {0}, {e0})",
        "hyperbolic_tangent",
        mpmath.tanh,
    ),
)

_SPECIAL = (
    # e^x within limits that the next two need, which take x itself for their bounds
    Operation(
        "exp_between",
        "np.exp(np.minimum(np.maximum({0}, -700), 6.5))",
        "0.0",
        "{0}",
        lambda x: x,
    ),
    Operation(
        "log_gumbel_cdf",
        "np.minimum({1} + 700, 0) + np.log(-np.expm1(-{0}))",
        "roundings.log_gumbel_cdf({v}, {e1})",
        "intervals.log_gumbel_cdf({1})",
        lambda _, x: mpmath.log(-mpmath.expm1(-mpmath.exp(x))) if x < _FAR else mpmath.mpf(0),
        1,
    ),
    Operation(
        "gumbel_mills",
        "{0} / np.expm1({0})",
        "roundings.gumbel_mills({v}, {0}, {1}, {e1})",
        "intervals.gumbel_mills({1})",
        lambda _, x: mpmath.exp(x) / mpmath.expm1(mpmath.exp(x)) if x < _FAR else mpmath.mpf(0),
        2,
    ),
    Operation(
        "log_normal_cdf",
        "special.log_ndtr({0})",
        "roundings.log_normal_cdf({v}, {0}, {e0})",
        "intervals.log_normal_cdf({0})",
        lambda x: mpmath.log1p(-mpmath.ncdf(-x)) if x > 0 else mpmath.log(mpmath.ncdf(x)),
    ),
    Operation(
        "inverse_mills",
        "np.sqrt(2 / np.pi) / special.erfcx({0} / -np.sqrt(2))",
        "roundings.inverse_mills({v}, {0}, {e0})",
        "intervals.inverse_mills({0})",
        lambda x: mpmath.npdf(x) / mpmath.ncdf(x),
        2,
    ),
)

OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType(
    {row.name: row for row in (*_ROWS, *_SPECIAL)}
)
"""Every operation by name."""
