"""Functions of plain arithmetic in place of np.exp, np.log and np.log1p, for compiled loops.

Generated formulas call these functions of NumPy, which a compiler can only call, one number at a
time. These versions are plain arithmetic, which it runs over whole vector registers.

- exp: Cody and Waite's reduction to |r| <= log(2)/2, the Taylor polynomial of degree 13 in the
  order of Estrin (1960), whose parts do not wait for each other, and a power of two put together
  bit by bit. Below -708, where the result would leave the normal numbers, it stays 3.3e-308; above
  709.4 it is inf.
- log, log1p: the reduction and the polynomial of fdlibm's `log1p` (Sun Microsystems 1993), its
  error below 2^-58.

Products are added in one rounding where the machine can. They err by at most `ERROR` units of
roundoff either way; tests compare them with 50 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from types import FunctionType, ModuleType
from typing import Any, Final, TypeVar, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

_NUMPY: Final = (
    "abs",
    "cosh",
    "expm1",
    "hypot",
    "float64",
    "inf",
    "isnan",
    "maximum",
    "minimum",
    "pi",
    "sign",
    "sinh",
    "sqrt",
    "square",
    "tanh",
)
"""What generated formulas may call beside the functions here."""

Vector = npt.NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])

ERROR: Final = 3.0
"""What `exp` and `log1p` err at most, in units of roundoff of the result; 2 where t >= -0.29."""

_LOG2E: Final = 1.4426950408889634
_LN2_HIGH: Final = 0.6931471803691238
_LN2_LOW: Final = 1.9082149292705877e-10
_ROUND: Final = 1.5 * 2.0**52  # adding it rounds to an integer, held in the lowest bits
_LOWEST: Final = -708.0
_HIGHEST: Final = 709.8  # e^x is inf from 2^1023.5 on
_LOW_SPLIT: Final = -0.29
_SPLIT: Final = 2.0**0.5 - 1
_SQRT_2: Final = 2.0**0.5
_NORMAL: Final = 2.0**-1022
_TWO_54: Final = 2.0**54
_E2, _E3, _E4, _E5, _E6, _E7 = (1.0 / factorial(k) for k in range(2, 8))
_E8, _E9, _E10, _E11, _E12, _E13 = (1.0 / factorial(k) for k in range(8, 14))
_L1, _L2, _L3, _L4 = 0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784
_L5, _L6, _L7 = 0.1818357216161805, 0.15313837699209373, 0.14798198605116586


_PART: Final[dict[str, Any]] = {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Kernels are called through `runtime.native`, their parts by them alone, none from Python."""


def exact(function: Function) -> Function:
    """Compile a formula as it is written."""
    return cast(Function, njit(nogil=True, error_model="numpy", **_PART)(function))


def summing(function: Function) -> Function:
    """Compile a sum of products, whose terms may be taken in any order and fused."""
    fast = {"reassoc", "contract", "nsz"}
    return cast(Function, njit(nogil=True, fastmath=fast, **_PART)(function))


def inlined(function: Function) -> Function:
    """Compile as a part of whatever calls it."""
    return cast(Function, njit(inline="always", error_model="numpy", **_PART)(function))


@intrinsic
def _bits(_: Any, number: Any) -> Any:  # noqa: ANN401
    """Return the bits of a float64 as an integer."""

    def build(_: Any, builder: Any, __: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


@intrinsic
def _from_bits(_: Any, number: Any) -> Any:  # noqa: ANN401
    """Return the float64 with these bits."""

    def build(_: Any, builder: Any, __: Any, arguments: Any) -> Any:  # noqa: ANN401
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic
def _multiply_add(_: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ANN401
    """Return a b + c, rounded once if the machine has an instruction for it."""

    def build(_: Any, builder: Any, __: Any, arguments: Any) -> Any:  # noqa: ANN401
        number = ir.DoubleType()
        kind = ir.FunctionType(number, [number] * 3)
        operation = builder.module.declare_intrinsic("llvm.fmuladd", [number], kind)
        return builder.call(operation, arguments)

    return types.float64(types.float64, types.float64, types.float64), build


# as seen from Python they lack the first argument, which numba supplies
as_bits: Callable[[Any], Any] = cast(Any, _bits)
as_float: Callable[[Any], Any] = cast(Any, _from_bits)
fma: Callable[[Any, Any, Any], Any] = cast(Any, _multiply_add)


@inlined
def exp_nonpositive(x: float) -> Any:  # noqa: ANN401
    """Return e^x for x <= 0."""
    return _exp(max(x, _LOWEST))


@inlined
def exp(x: float) -> Any:  # noqa: ANN401
    """Return e^x."""
    return _exp(min(max(x, _LOWEST), _HIGHEST))


@inlined
def _exp(x: float) -> Any:  # noqa: ANN401
    shifted = fma(x, _LOG2E, _ROUND)
    k = shifted - _ROUND
    r = fma(-k, _LN2_LOW, fma(-k, _LN2_HIGH, x))
    r2 = r * r
    r4 = r2 * r2
    low = fma(fma(_E5, r, _E4), r2, fma(_E3, r, _E2))
    middle = fma(fma(_E9, r, _E8), r2, fma(_E7, r, _E6))
    high = fma(fma(_E13, r, _E12), r2, fma(_E11, r, _E10))
    q = fma(high, r4 * r4, fma(middle, r4, low))
    return (1.0 + fma(r2, q, r)) * as_float((as_bits(shifted) + 1023) << 52)


@inlined
def log1p_unit(t: float) -> Any:  # noqa: ANN401
    """Return log(1 + t) for -0.29 <= t <= 1."""
    halved = t > _SPLIT
    f = (t - 1.0) * 0.5 if halved else t
    high = _LN2_HIGH if halved else 0.0
    low = _LN2_LOW if halved else 0.0
    s = f / (2.0 + f)
    z = s * s
    rest = fma(z, fma(z, fma(z, _L7, _L6), _L5), _L4)
    rest = z * fma(z, fma(z, fma(z, rest, _L3), _L2), _L1)
    half = 0.5 * f * f
    return high - ((half - fma(s, half + rest, low)) - f)


@inlined
def log1p_nonnegative(t: float) -> Any:  # noqa: ANN401
    """Return log(1 + t) for t >= 0.

    Beyond 1, a power of two is taken out of 1 + t, which has then no digits of t to lose.
    """
    more = t > 1.0
    bits = as_bits(1.0 + t)
    power = (bits >> 52) - 1023
    mantissa = as_float((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    n = float(power) if more else 0.0
    rest = log1p_unit(mantissa - 1.0 if more else t)
    return n * _LN2_HIGH + (rest + n * _LN2_LOW)


@inlined
def log1p(t: float) -> Any:  # noqa: ANN401
    """Return log(1 + t) for t > -1; of smaller normal numbers no more is asked."""
    apart = t > 1.0 or t < _LOW_SPLIT
    bits = as_bits(1.0 + t)
    power = (bits >> 52) - 1023
    mantissa = as_float((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    n = float(power) if apart else 0.0
    rest = log1p_unit(mantissa - 1.0 if apart else t)
    return n * _LN2_HIGH + (rest + n * _LN2_LOW)


@inlined
def log(x: float) -> Any:  # noqa: ANN401
    """Return log(x); -inf at 0, NaN below."""
    small = x < _NORMAL
    bits = as_bits(x * _TWO_54 if small else x)
    mantissa = as_float((bits & 0x000FFFFFFFFFFFFF) | 0x3FF0000000000000)
    above = mantissa > _SQRT_2
    n = float((bits >> 52) - (1077 if small else 1023) + (1 if above else 0))
    rest = log1p_unit((0.5 * mantissa if above else mantissa) - 1.0)
    found = n * _LN2_HIGH + (rest + n * _LN2_LOW)
    # what has no logarithm, or an infinite one, is neither below nor above
    return found if 0.0 < x < np.inf else (-np.inf if x == 0.0 else (x if x > 0.0 else np.nan))


@inlined
def _same(x: float) -> Any:  # noqa: ANN401
    return x


@inlined
def _where(condition: bool, x: float, y: float) -> Any:  # noqa: ANN401
    return x if condition else y


def namespace(**others: Any) -> ModuleType:  # noqa: ANN401
    """Return what generated formulas call `np`, with the vectorised functions, or others given."""
    found = ModuleType("numpy with vectorised functions")
    for name in _NUMPY:
        setattr(found, name, getattr(np, name))
    replaced = {"exp": exp, "log": log, "log1p": log1p, "asarray": _same, "where": _where} | others
    for name, function in replaced.items():
        setattr(found, name, function)
    return found


def with_functions(function: Any, **others: Any) -> Any:  # noqa: ANN401
    """Return a generated function that calls the vectorised functions, or others given."""
    return FunctionType(function.__code__, {"np": namespace(**others)}, function.__name__)
