"""Compiled: products of matrices by BLAS, whose `dgemm` is called through its address."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_allocate: Any = cgutils.alloca_once
_NUMBER, _INTEGER = ir.DoubleType(), ir.IntType(32)


@intrinsic
def _gemm(
    _: Any,  # noqa: ANN401
    address: Any,  # noqa: ANN401
    turned: Any,  # noqa: ANN401
    other_turned: Any,  # noqa: ANN401
    m: Any,  # noqa: ANN401
    n: Any,  # noqa: ANN401
    k: Any,  # noqa: ANN401
    a: Any,  # noqa: ANN401
    lda: Any,  # noqa: ANN401
    b: Any,  # noqa: ANN401
    ldb: Any,  # noqa: ANN401
    beta: Any,  # noqa: ANN401
    c: Any,  # noqa: ANN401
    ldc: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    def build(_: Any, builder: Any, __: Any, arguments: Any) -> Any:  # noqa: ANN401
        def held(value: Any, kind: Any) -> Any:  # noqa: ANN401
            """Return where a value lies: everything is passed by reference."""
            place = _allocate(builder, kind)
            builder.store(value, place)
            return place

        def letter(is_turned: Any) -> Any:  # noqa: ANN401
            yes, no = (ir.Constant(ir.IntType(8), ord(text)) for text in "TN")
            return held(builder.select(is_turned, yes, no), ir.IntType(8))

        def integer(value: Any) -> Any:  # noqa: ANN401
            return held(builder.trunc(value, _INTEGER), _INTEGER)

        def array(value: Any) -> Any:  # noqa: ANN401
            return builder.inttoptr(value, _NUMBER.as_pointer())

        function, first, second, *sizes = arguments[:6]
        A, lda, B, ldb, beta, C, ldc = arguments[6:]
        text, number, whole = (kind.as_pointer() for kind in (ir.IntType(8), _NUMBER, _INTEGER))
        matrix = [number, whole]
        places = [text, text, whole, whole, whole, number, *matrix, *matrix, number, *matrix]
        kind = ir.FunctionType(ir.VoidType(), places)
        builder.call(
            builder.inttoptr(function, kind.as_pointer()),
            [
                *(letter(builder.trunc(value, ir.IntType(1))) for value in (first, second)),
                *(integer(value) for value in sizes),
                held(ir.Constant(_NUMBER, 1.0), _NUMBER),
                array(A),
                integer(lda),
                array(B),
                integer(ldb),
                held(beta, _NUMBER),
                array(C),
                integer(ldc),
            ],
        )
        return ir.Constant(ir.IntType(64), 0)

    whole, number = types.int64, types.float64
    return whole(*[whole] * 10, number, whole, whole), build


gemm: Callable[..., int] = cast(Any, _gemm)
"""``gemm(address, turned, other_turned, m, n, k, a, lda, b, ldb, beta, c, ldc)``.

C = A B + beta C for matrices in Fortran order; `a`, `b` and `c` are where they lie, and a factor is
transposed where 1 says so.
"""
