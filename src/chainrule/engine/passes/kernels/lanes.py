"""Sums of products in lanes of a fixed number, so that they have the same bits on any vector width.

A compiler that may take a sum in any order cuts it into as many parts as the processor's registers
hold, and the last bits depend on that. Here the parts are written down: entry k of a vector goes
to lane k modulo 32, the 32 lanes are added in one tree, and the up to seven entries that fill no
group of eight are summed alone. The compiler chooses the registers, not the order. Products are
fused into sums where the processor can, as in `losses.vectorised`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import TypingError
from numba.extending import intrinsic

_LANES: Final = 8
_GROUPS: Final = 4
_NUMBER: Final = ir.DoubleType()
_INDEX: Final = ir.IntType(64)

Builder = Any
Value = Any
Term = Callable[["_Arithmetic", Value, Value, Value], Value]
"""(arithmetic, sum, x, v) -> the sum with a term added; numbers or vectors of them."""


class _Arithmetic:
    """Operations on float64 numbers, or on vectors of them."""

    def __init__(self, builder: Builder, width: int) -> None:
        self.builder, self.width = builder, width
        self.kind: Any = _NUMBER if width == 1 else ir.VectorType(_NUMBER, width)
        self._suffix = "f64" if width == 1 else f"v{width}f64"

    def fma(self, a: Value, b: Value, c: Value) -> Value:
        """Return a b + c."""
        return self._called("fmuladd", a, b, c)

    def size(self, a: Value) -> Value:
        """Return |a|."""
        return self._called("fabs", a)

    def loaded(self, data: Value, index: Value) -> Value:
        """Return the numbers of an array from an index on, as float64."""
        stored = data.type.pointee
        place = self.builder.gep(data, [index])
        kind = stored
        if self.width > 1:
            kind = ir.VectorType(stored, self.width)
            place = self.builder.bitcast(place, kind.as_pointer())
        found = self.builder.load(place)
        found.align = 4 if isinstance(stored, ir.FloatType) else 8
        return self.builder.fpext(found, self.kind) if kind != self.kind else found

    def _called(self, name: str, *values: Value) -> Value:
        kind = ir.FunctionType(self.kind, [self.kind] * len(values))
        name = f"llvm.{name}.{self._suffix}"
        return self.builder.call(
            cgutils.get_or_insert_function(self.builder.module, kind, name), values
        )


def _in_lanes(term: Term) -> Callable[..., Any]:
    """Return the code of a sum of terms over two vectors."""

    def build(context: Any, builder: Builder, signature: Any, arguments: Any) -> Value:  # noqa: ANN401
        views = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        x, v = views[0].data, views[-1].data
        count = builder.extract_value(views[0].shape, 0)
        wide, single = _Arithmetic(builder, _LANES), _Arithmetic(builder, 1)
        lanes = [cgutils.alloca_once_value(builder, wide.kind(None)) for _ in range(_GROUPS)]
        tail = cgutils.alloca_once_value(builder, _NUMBER(0.0))

        def over(start: Value, stop: Value, arithmetic: _Arithmetic, sums: list[Value]) -> None:
            step = _INDEX(arithmetic.width * len(sums))
            with cgutils.for_range_slice(builder, start, stop, step, _INDEX) as (index, _):
                for k, place in enumerate(sums):
                    at = builder.add(index, _INDEX(k * arithmetic.width))
                    pair = arithmetic.loaded(x, at), arithmetic.loaded(v, at)
                    builder.store(term(arithmetic, builder.load(place), *pair), place)

        long = builder.and_(count, _INDEX(-_LANES * _GROUPS))
        whole = builder.and_(count, _INDEX(-_LANES))
        over(_INDEX(0), long, wide, lanes)
        over(long, whole, wide, lanes[:1])
        over(whole, count, single, [tail])
        first, second, third, fourth = (builder.load(place) for place in lanes)
        total = builder.fadd(builder.fadd(first, second), builder.fadd(third, fourth))
        width = _LANES
        while width > 1:  # halves on each other, down to one number
            width //= 2
            low, high = (_half(builder, total, width, at) for at in (0, width))
            total = builder.fadd(low, high)
        total = builder.extract_element(total, ir.IntType(32)(0))
        return builder.fadd(total, builder.load(tail))

    return build


def _half(builder: Builder, vector: Value, width: int, start: int) -> Value:
    places = ir.Constant(
        ir.VectorType(ir.IntType(32), width), [ir.IntType(32)(start + k) for k in range(width)]
    )
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), places)


def _typed(*kinds: Any) -> Any:  # noqa: ANN401
    if any(not isinstance(kind, types.Array) or kind.layout != "C" for kind in kinds):
        raise TypingError("lanes take vectors in one piece")
    return types.float64(*kinds)


@intrinsic
def _dot(_: Any, x: Any, v: Any) -> Any:  # noqa: ANN401
    """Return the sum of x v."""
    return _typed(x, v), _in_lanes(lambda of, total, a, b: of.fma(a, b, total))


@intrinsic
def _size_dot(_: Any, x: Any, v: Any) -> Any:  # noqa: ANN401
    """Return the sum of |x| v."""
    return _typed(x, v), _in_lanes(lambda of, total, a, b: of.fma(of.size(a), b, total))


def _squared(of: _Arithmetic, total: Value, a: Value, b: Value) -> Value:
    product = of.builder.fmul(a, b)
    return of.fma(product, product, total)


@intrinsic
def _square_sum(_: Any, x: Any, v: Any) -> Any:  # noqa: ANN401
    """Return the sum of (x v)^2."""
    return _typed(x, v), _in_lanes(_squared)


@intrinsic
def _total_of(_: Any, x: Any) -> Any:  # noqa: ANN401
    """Return the sum of x."""
    return _typed(x), _in_lanes(lambda of, total, a, _: of.builder.fadd(total, a))


# as seen from Python they lack the first argument, which numba supplies
dot: Any = _dot
size_dot: Any = _size_dot
square_sum: Any = _square_sum
total_of: Any = _total_of
