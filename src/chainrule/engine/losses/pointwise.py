"""The emitted formulas of one example, compiled so that they run over several examples at once.

The formulas call np.exp and np.log1p, which a compiler can only call, one number at a time. Here
they get versions of plain arithmetic, which it can run over whole registers; everything else in
the formulas stays as it is.

- exp: Cody and Waite's reduction to |r| <= log(2)/2, the Taylor polynomial of degree 13 in the
  order of Estrin (1960), whose parts do not wait for each other, and a power of two put together
  bit by bit. For arguments <= 0, as the formulas have them; below -708, where the answer would
  leave the normal numbers, it stays 3.3e-308.
- log1p: for 0 <= t <= 1, the reduction and the polynomial of fdlibm's `log1p` (Sun Microsystems
  1993), its error below 2^-58.

Products are added in one rounding where the machine can. Both err by at most `ERROR` units of
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

from chainrule.engine.losses import _emitted_scalar

Vector = npt.NDArray[np.float64]
Function = TypeVar("Function", bound=Callable[..., Any])

ERROR: Final = 2.0
"""What `exp` and `log1p` err at most, in units of roundoff of the result."""

_LOG2E: Final = 1.4426950408889634
_LN2_HIGH: Final = 0.6931471803691238
_LN2_LOW: Final = 1.9082149292705877e-10
_ROUND: Final = 1.5 * 2.0**52  # adding it rounds to an integer, held in the lowest bits
_LOWEST: Final = -708.0
_SPLIT: Final = 2.0**0.5 - 1
_E2, _E3, _E4, _E5, _E6, _E7 = (1.0 / factorial(k) for k in range(2, 8))
_E8, _E9, _E10, _E11, _E12, _E13 = (1.0 / factorial(k) for k in range(8, 14))
_L1, _L2, _L3, _L4 = 0.6666666666666735, 0.3999999999940942, 0.2857142874366239, 0.22222198432149784
_L5, _L6, _L7 = 0.1818357216161805, 0.15313837699209373, 0.14798198605116586


def compiled(function: Function, **options: Any) -> Function:  # noqa: ANN401
    """Compile, and keep the result on disk."""
    try:
        jitted = njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:  # nowhere to write: compile in every process
        jitted = njit(nogil=True, **options)(function)
    return cast(Function, jitted)


def exact(function: Function) -> Function:
    """Compile a formula as it is written."""
    return compiled(function, error_model="numpy")


def summing(function: Function) -> Function:
    """Compile a sum of products, whose terms may be taken in any order and fused."""
    return compiled(function, fastmath={"reassoc", "contract", "nsz"})


def inlined(function: Function) -> Function:
    """Compile as a part of whatever calls it."""
    return cast(Function, njit(inline="always", error_model="numpy")(function))


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
def exp(x: float) -> Any:  # noqa: ANN401
    """Return e^x for x <= 0."""
    x = max(x, _LOWEST)
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
def log1p(t: float) -> Any:  # noqa: ANN401
    """Return log(1 + t) for 0 <= t <= 1."""
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
def _same(x: float) -> Any:  # noqa: ANN401
    return x


def with_our_functions(function: Any, **others: Any) -> Any:  # noqa: ANN401
    """Return a function of an emitted file whose `np` has our exp and log1p, or others given."""
    names = ModuleType("numpy with vectorised functions")
    for name in function.__code__.co_names:
        if hasattr(np, name):
            setattr(names, name, getattr(np, name))
    names.exp, names.log1p, names.asarray = exp, log1p, _same  # type: ignore[attr-defined]
    for name, other in others.items():
        setattr(names, name, other)
    return FunctionType(function.__code__, {"np": names}, function.__name__)


_binary = inlined(with_our_functions(_emitted_scalar.binary))


@exact
def pointwise(
    raw: Vector, y: Vector, weight: Vector, loss: Vector, gradient: Vector, hessian: Vector
) -> None:
    """Fill in weighted losses and their two derivatives of some examples of a binary problem."""
    for i in range(raw.shape[0]):
        one, slope, bend = _binary(raw[i], y[i])
        loss[i] = weight[i] * one
        gradient[i] = weight[i] * slope
        hessian[i] = weight[i] * bend


@exact
def line_sums(
    raw: Vector, change: Vector, step: float, y: Vector, weight: Vector
) -> tuple[float, float, float]:
    """Return a binary problem's loss at raw + step * change, and its derivatives by the step."""
    inner = 256
    there, loss = np.empty(inner), np.empty(inner)
    slope, bend = np.empty(inner), np.empty(inner)
    total, rise, curve = 0.0, 0.0, 0.0
    for start in range(0, raw.shape[0], inner):
        count = min(inner, raw.shape[0] - start)
        for i in range(count):
            there[i] = raw[start + i] + step * change[start + i]
        part = slice(start, start + count)
        pointwise(there[:count], y[part], weight[part], loss, slope, bend)
        total += loss[:count].sum()
        for i in range(count):
            along = change[start + i]
            rise += slope[i] * along
            curve += bend[i] * along * along
    return total, rise, curve
