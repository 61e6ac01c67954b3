"""Compiled: chunks of one pass after another, shared by threads inside one compiled call.

A thread that asks Python for each pass waits for its lock and for the other threads' wake-up, which
takes as long as some passes. Here the others come once, with the call, and take chunks for as long
as it lasts. The one that calls never waits for a thread that has not come: it takes whatever chunk
nobody has taken, and waits at the end of a pass for those under way alone. Which thread takes which
chunk does not matter to the result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from chainrule.engine.losses.vectorised import exact

Board = npt.NDArray[np.int64]
"""What the threads tell each other, in 16 numbers, which are two lines of the cache. The first one
holds the number of the pass and, in its last 20 bits, how many of its chunks nobody has taken; it
is negative once all is over. The first of the second line holds how many are done."""

_DONE: Final = 8
_PASS: Final = 1 << 20
_LOOKS: Final = 1_000_000
"""How often a thread looks for a chunk before it goes: for about two milliseconds."""

OVER: Final = -2
NOTHING: Final = -1


def _place(context: Any, builder: Any, kind: Any, board: Any, place: Any) -> Any:  # noqa: ANN401
    return builder.gep(context.make_array(kind)(context, builder, board).data, [place])


@intrinsic
def _read_number(_: Any, board: Any, place: Any) -> Any:  # noqa: ANN401
    """Return a number of a board as the last thread left it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        at = _place(context, builder, signature.args[0], *arguments)
        return builder.load_atomic(at, "seq_cst", 8)

    return types.int64(board, types.int64), build


@intrinsic
def _write_number(_: Any, board: Any, place: Any, number: Any) -> Any:  # noqa: ANN401
    """Put a number on a board, after all that was written before."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        at = _place(context, builder, signature.args[0], *arguments[:2])
        builder.store_atomic(arguments[2], at, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(board, types.int64, types.int64), build


@intrinsic
def _count_number(_: Any, board: Any, place: Any) -> Any:  # noqa: ANN401
    """Add 1 to a number of a board; return what it was."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        at = _place(context, builder, signature.args[0], *arguments)
        return builder.atomic_rmw("add", at, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(board, types.int64), build


@intrinsic
def _swap_number(_: Any, board: Any, place: Any, old: Any, new: Any) -> Any:  # noqa: ANN401
    """Put a number in the place of another; tell whether that other one was there."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        at = _place(context, builder, signature.args[0], *arguments[:2])
        found = builder.cmpxchg(at, arguments[2], arguments[3], "seq_cst", "seq_cst")
        return builder.extract_value(found, 1)

    return types.boolean(board, types.int64, types.int64, types.int64), build


_read: Callable[..., int] = cast(Any, _read_number)
_write: Callable[..., None] = cast(Any, _write_number)
_count: Callable[..., int] = cast(Any, _count_number)
_swap: Callable[..., bool] = cast(Any, _swap_number)


@exact
def begin(board: Board, number: int, n_chunks: int) -> None:
    """Offer the chunks of pass `number`; those of the one before are done."""
    _write(board, _DONE, 0)
    _write(board, 0, number * _PASS + n_chunks)


@exact
def end(board: Board) -> None:
    """Let everybody go."""
    _write(board, 0, -1)


@exact
def take(board: Board) -> tuple[int, int]:
    """Return the pass and a chunk of it for this thread; (`NOTHING` or `OVER`, 0) for none."""
    while True:
        told = _read(board, 0)
        if told < 0:
            return OVER, 0
        if told % _PASS == 0:
            return NOTHING, 0
        if _swap(board, 0, told, told - 1):
            return told // _PASS, told % _PASS - 1


@exact
def await_chunk(board: Board) -> tuple[int, int]:
    """Return what `take` does, once there is something to take or it has been too long."""
    for _ in range(_LOOKS):
        number, chunk = take(board)
        if number != NOTHING:
            return number, chunk
    return OVER, 0


@exact
def tell(board: Board) -> None:
    """Tell that a chunk is done."""
    _count(board, _DONE)


@exact
def await_all(board: Board, n_chunks: int) -> None:
    """Return once all chunks of a pass are done."""
    while _read(board, _DONE) < n_chunks:
        pass
