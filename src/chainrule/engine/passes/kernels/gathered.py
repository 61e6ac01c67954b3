"""Sums of rows of a table that entries of a sparse matrix point to, times the entries.

A compiler turns the loop over the entries of a sparse row into scalar code, or gathers single
numbers. Here the numbers of a row of the table, which lie side by side, are a vector: each of its
places has sums of its own, of even and of odd entries, which are added at the end. So bits do not
depend on the registers of a machine.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils as builders
from numba.extending import intrinsic

from chainrule.engine.losses.vectorised import exact

Array = npt.NDArray[Any]
Index = int | np.int64

_cgutils: Any = builders  # numba ships no types
_types: Any = types

_NUMBER: Final = ir.DoubleType()
_INDEX: Final = ir.IntType(64)
_SUMS: Final = 2
"""Sums that do not wait for each other."""

Value = Any
Kind = Any


def _adding(width: int, *, squared: bool) -> Any:  # noqa: ANN401
    """Return the code of sums of so many numbers side by side."""
    kind = ir.VectorType(_NUMBER, width)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Value:  # noqa: ANN401
        of = dict(zip(("values", "places", "table", "out"), arguments[:4], strict=True))
        views = {
            name: context.make_array(signature.args[k])(context, builder, of[name])
            for k, name in enumerate(of)
        }
        first, last, row, at = arguments[4:]
        apart = builder.extract_value(views["table"].shape, 1)
        sums = [_cgutils.alloca_once_value(builder, kind(None)) for _ in range(_SUMS)]

        def vector(view: Value, line: Value) -> Value:
            place = builder.gep(view.data, [builder.add(builder.mul(line, apart), at)])
            return builder.bitcast(place, kind.as_pointer())

        def add(entry: Value, total: Value) -> None:
            value = builder.load(builder.gep(views["values"].data, [entry]))
            if value.type != _NUMBER:
                value = builder.uitofp(value, _NUMBER)
            if squared:
                value = builder.fmul(value, value)
            line = builder.zext(builder.load(builder.gep(views["places"].data, [entry])), _INDEX)
            numbers = builder.load(vector(views["table"], line), align=8)
            wide = builder.insert_element(ir.Constant(kind, ir.Undefined), value, _INDEX(0))
            mask = ir.Constant(ir.VectorType(ir.IntType(32), width), [0] * width)
            wide = builder.shuffle_vector(wide, ir.Constant(kind, ir.Undefined), mask)
            function = _cgutils.get_or_insert_function(
                builder.module, ir.FunctionType(kind, [kind] * 3), f"llvm.fmuladd.v{width}f64"
            )
            builder.store(builder.call(function, [wide, numbers, builder.load(total)]), total)

        count = builder.sub(last, first)
        whole = builder.add(first, builder.and_(count, _INDEX(-_SUMS)))
        with _cgutils.for_range_slice(builder, first, whole, _INDEX(_SUMS), _INDEX) as (entry, _):
            for k, total in enumerate(sums):
                add(builder.add(entry, _INDEX(k)), total)
        with _cgutils.for_range_slice(builder, whole, last, _INDEX(1), _INDEX) as (entry, _):
            add(entry, sums[0])
        found = builder.fadd(*(builder.load(total) for total in sums))
        target = vector(views["out"], row)
        builder.store(builder.fadd(builder.load(target, align=8), found), target, align=8)
        return context.get_dummy_value()

    return build


def _typed(*kinds: Any) -> Any:  # noqa: ANN401
    integers = [_types.int64] * 4
    return _types.none(*kinds[:4], *integers)


@intrinsic
def _add_eight(
    _: Kind, values: Kind, places: Kind, table: Kind, out: Kind, a: Kind, b: Kind, i: Kind, k: Kind
) -> Kind:
    """Add sum_e values[e] table[places[e], k : k + 8], e from a to b, to out[i, k : k + 8]."""
    return _typed(values, places, table, out), _adding(8, squared=False)


@intrinsic
def _add_four(
    _: Kind, values: Kind, places: Kind, table: Kind, out: Kind, a: Kind, b: Kind, i: Kind, k: Kind
) -> Kind:
    """Do the same for four numbers."""
    return _typed(values, places, table, out), _adding(4, squared=False)


@intrinsic
def _add_squares(
    _: Kind, values: Kind, places: Kind, table: Kind, out: Kind, a: Kind, b: Kind, i: Kind, k: Kind
) -> Kind:
    """Do the same with the squares of the values."""
    return _typed(values, places, table, out), _adding(4, squared=True)


# as seen from Python they lack the first argument, which numba supplies
_eight: Any = _add_eight
_four: Any = _add_four
_squares: Any = _add_squares


@exact
def add_rows(
    values: Array, places: Array, table: Array, out: Array, first: Index, last: Index, row: int
) -> None:
    """Add sum_e values[e] table[places[e]] over some entries to a row of `out`.

    Rows of both tables have a multiple of four places.
    """
    at, width = 0, out.shape[1]
    while at + 8 <= width:
        _eight(values, places, table, out, first, last, row, at)
        at += 8
    if at < width:
        _four(values, places, table, out, first, last, row, at)


@exact
def add_squares(
    values: Array, places: Array, table: Array, out: Array, first: Index, last: Index, row: int
) -> None:
    """Do the same with the squares of the values."""
    for at in range(0, out.shape[1], 4):
        _squares(values, places, table, out, first, last, row, at)
