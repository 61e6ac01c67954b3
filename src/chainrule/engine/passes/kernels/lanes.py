"""Sums of products in lanes of a fixed number, so that they have the same bits on any vector width.

A compiler that may take a sum in any order cuts it into as many parts as the processor's registers
hold, and the last bits depend on that. Here the parts are written down: entry k of a vector goes
to lane k modulo 32 (8 or 16 where several sums are taken at a time), the lanes are added in one
tree, and the up to seven entries that fill no group of eight are summed alone. The compiler chooses
the registers, not the order. Products are fused into sums where the processor can, as in
`losses.vectorised`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils as builders
from numba.core.errors import TypingError
from numba.extending import intrinsic

_cgutils: Any = builders  # numba ships no types
_types: Any = types

_LANES: Final = 8
_GROUPS: Final = 4
_NUMBER: Final = ir.DoubleType()
_INDEX: Final = ir.IntType(64)

Builder = Any
Value = Any
Term = Callable[..., Value]
"""(arithmetic, sum, entry of each vector) -> the sum with a term; numbers or vectors of them."""


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
            _cgutils.get_or_insert_function(self.builder.module, kind, name), values
        )


def _in_lanes(*terms: Term, groups: int = _GROUPS) -> Callable[..., Any]:
    """Return the code of sums of terms over the entries of vectors of one length."""

    def build(context: Any, builder: Builder, signature: Any, arguments: Any) -> Value:  # noqa: ANN401
        views = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        ]
        vectors = [view.data for view in views]
        count = builder.extract_value(views[0].shape, 0)
        wide, single = _Arithmetic(builder, _LANES), _Arithmetic(builder, 1)
        lanes = [[_zero(builder, wide) for _ in terms] for _ in range(groups)]
        sums = [_zero(builder, single) for _ in terms]

        def over(start: Value, stop: Value, of: _Arithmetic, places: list[list[Value]]) -> None:
            step = _INDEX(of.width * len(places))
            with _cgutils.for_range_slice(builder, start, stop, step, _INDEX) as (index, _):
                for k, group in enumerate(places):
                    at = builder.add(index, _INDEX(k * of.width))
                    values = [of.loaded(vector, at) for vector in vectors]
                    for place, term in zip(group, terms, strict=True):
                        builder.store(term(of, builder.load(place), *values), place)

        whole = builder.and_(count, _INDEX(-_LANES))
        over(whole, count, single, [sums])
        with builder.if_then(builder.icmp_signed("!=", whole, _INDEX(0))):
            long = builder.and_(count, _INDEX(-_LANES * groups))
            over(_INDEX(0), long, wide, lanes)
            over(long, whole, wide, lanes[:1])
            for k, place in enumerate(sums):
                total = _added(builder, [builder.load(group[k]) for group in lanes])
                builder.store(builder.fadd(total, builder.load(place)), place)
        found = [builder.load(place) for place in sums]
        return found[0] if len(found) == 1 else _cgutils.pack_array(builder, found)

    return build


def _zero(builder: Builder, of: _Arithmetic) -> Value:
    return _cgutils.alloca_once_value(builder, of.kind(None if of.width > 1 else 0.0))


def _added(builder: Builder, vectors: list[Value]) -> Value:
    """Return the sum of the entries of a power of two of vectors, in one tree."""
    while len(vectors) > 1:
        pairs = zip(vectors[::2], vectors[1::2], strict=True)
        vectors = [builder.fadd(left, right) for left, right in pairs]
    total, width = vectors[0], _LANES
    while width > 1:  # halves on each other, down to one number
        width //= 2
        low, high = (_half(builder, total, width, at) for at in (0, width))
        total = builder.fadd(low, high)
    return builder.extract_element(total, ir.IntType(32)(0))


def _half(builder: Builder, vector: Value, width: int, start: int) -> Value:
    places = ir.Constant(
        ir.VectorType(ir.IntType(32), width), [ir.IntType(32)(start + k) for k in range(width)]
    )
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), places)


def _typed(count: int, *kinds: Any) -> Any:  # noqa: ANN401
    """Return the signature of so many sums over vectors."""
    if any(not isinstance(kind, _types.Array) or kind.layout != "C" for kind in kinds):
        raise TypingError("lanes take vectors in one piece")
    result = _types.float64 if count == 1 else _types.UniTuple(_types.float64, count)
    return result(*kinds)


@intrinsic
def _dot(_: Any, x: Any, v: Any) -> Any:  # noqa: ANN401
    """Return the sum of x v."""
    return _typed(1, x, v), _in_lanes(lambda of, total, x, v: of.fma(x, v, total))


@intrinsic
def _total_of(_: Any, x: Any) -> Any:  # noqa: ANN401
    """Return the sum of x."""
    return _typed(1, x), _in_lanes(lambda of, total, x: of.builder.fadd(total, x))


@intrinsic
def _sizes(_: Any, x: Any, v: Any, w: Any) -> Any:  # noqa: ANN401
    """Return the sums of |x| v and of (w x)^2."""

    def square(of: _Arithmetic, total: Value, x: Value, _: Value, w: Value) -> Value:
        product = of.builder.fmul(x, w)
        return of.fma(product, product, total)

    terms = (lambda of, total, x, v, _: of.fma(of.size(x), v, total)), square
    return _typed(2, x, v, w), _in_lanes(*terms, groups=2)


@intrinsic
def _four_dots(_: Any, u: Any, a: Any, b: Any, c: Any, d: Any) -> Any:  # noqa: ANN401
    """Return the sums of u a, u b, u c and u d, in eight lanes each."""

    def times(k: int) -> Term:
        return lambda of, total, u, *others: of.fma(others[k], u, total)

    return _typed(4, u, a, b, c, d), _in_lanes(*map(times, range(4)), groups=1)


# as seen from Python they lack the first argument, which numba supplies
dot: Any = _dot
total_of: Any = _total_of
sizes: Any = _sizes
four_dots: Any = _four_dots
