"""Compiled kernels of pointwise losses, called through their addresses.

A kernel fills in three numbers for each of some examples: a loss and its two derivatives, each
times the example's weight. The passes over X are given its address, so that they are compiled once,
whatever the loss, and a new loss costs no more than the compilation of its own formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy.typing as npt
from llvmlite import ir
from numba import cfunc, errors, types
from numba.extending import intrinsic
from numba.np.numpy_support import carray

from chainrule.engine.losses import _emitted_scalar
from chainrule.engine.losses.vectorised import (
    Vector,
    exact,
    exp_nonpositive,
    inlined,
    log1p_unit,
    with_functions,
)

_NUMBERS: Any = cast(Any, types).CPointer(types.float64)

SIGNATURE = types.void(types.intp, *[_NUMBERS] * 6)
"""Of a kernel: the number of examples; scores, targets and weights; three arrays to fill in."""

_logistic = inlined(with_functions(_emitted_scalar.binary, exp=exp_nonpositive, log1p=log1p_unit))


def _fill_in(
    n_examples: Any,  # noqa: ANN401
    scores: Any,  # noqa: ANN401
    targets: Any,  # noqa: ANN401
    weights: Any,  # noqa: ANN401
    losses: Any,  # noqa: ANN401
    gradients: Any,  # noqa: ANN401
    hessians: Any,  # noqa: ANN401
) -> None:
    """Fill in weighted logistic losses and their two derivatives."""
    raw, y, weight = (
        carray(scores, n_examples),
        carray(targets, n_examples),
        carray(weights, n_examples),
    )
    loss, gradient, hessian = (
        carray(losses, n_examples),
        carray(gradients, n_examples),
        carray(hessians, n_examples),
    )
    for i in range(n_examples):
        one, slope, bend = _logistic(raw[i], y[i])
        loss[i] = weight[i] * one
        gradient[i] = weight[i] * slope
        hessian[i] = weight[i] * bend


def logistic() -> Any:  # noqa: ANN401
    """Return the compiled kernel of the logistic loss."""
    return cfunc(SIGNATURE, error_model="numpy")(_fill_in)


@intrinsic
def _call(_: Any, address: Any, arrays: Any) -> Any:  # noqa: ANN401
    """Call the kernel at an address on six arrays of one length."""
    if any(array.layout != "C" for array in arrays.types):
        raise errors.TypingError("a kernel takes arrays in one piece")

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ANN401
        numbers, count = ir.DoubleType().as_pointer(), ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [count, *[numbers] * 6])
        kernel = builder.inttoptr(arguments[0], kind.as_pointer())
        values = [builder.extract_value(arguments[1], k) for k in range(6)]
        views = [
            context.make_array(array)(context, builder, value)
            for array, value in zip(signature.args[1].types, values, strict=True)
        ]
        builder.call(kernel, [views[0].nitems, *(view.data for view in views)])
        return context.get_dummy_value()

    return types.void(types.int64, arrays), build


call_kernel: Callable[..., None] = cast(Any, _call)
"""``call_kernel(address, (raw, y, weight, first, second, third))``."""


@exact
def pointwise(
    kernel: int,
    raw: Vector,
    y: Vector,
    weight: Vector,
    first: Vector,
    second: Vector,
    third: Vector,
) -> None:
    """Fill in what a kernel computes of some examples."""
    call_kernel(kernel, (raw, y, weight, first, second, third))


@exact
def weighted_sums(
    kernel: int, raw: Vector, y: Vector, weight: Vector, room: npt.NDArray[Any]
) -> tuple[float, float, float]:
    """Return the sums of the first, of |the second| and of the third of a kernel's numbers.

    `room` has three rows, as long as the examples that are worked on at a time.
    """
    first, second, third = room[0], room[1], room[2]
    total, size, last = 0.0, 0.0, 0.0
    for start in range(0, raw.shape[0], room.shape[1]):
        part = slice(start, min(start + room.shape[1], raw.shape[0]))
        count = part.stop - start
        call_kernel(kernel, (raw[part], y[part], weight[part], first, second, third))
        for i in range(count):
            total += first[i]
            size += abs(second[i])
            last += third[i]
    return total, size, last


@exact
def line_sums(
    kernel: int,
    raw: Vector,
    change: Vector,
    step: float,
    y: Vector,
    weight: Vector,
    room: npt.NDArray[Any],
) -> tuple[float, float, float]:
    """Return the sum of losses at raw + step * change, and its derivatives w.r.t. the step.

    `room` has four rows, as long as the examples that are worked on at a time.
    """
    there, loss, slope, bend = room[0], room[1], room[2], room[3]
    total, rise, curve = 0.0, 0.0, 0.0
    for start in range(0, raw.shape[0], room.shape[1]):
        count = min(room.shape[1], raw.shape[0] - start)
        for i in range(count):
            there[i] = raw[start + i] + step * change[start + i]
        part = slice(start, start + count)
        call_kernel(kernel, (there[:count], y[part], weight[part], loss, slope, bend))
        total += loss[:count].sum()
        for i in range(count):
            along = change[start + i]
            rise += slope[i] * along
            curve += bend[i] * along * along
    return total, rise, curve
