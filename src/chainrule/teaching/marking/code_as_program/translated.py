"""Functions that stand in the rows of Python which Octave, R and Julia are rewritten as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chainrule.teaching.marking.code_as_program.values import Value


def _is_vector(value: np.ndarray) -> bool:
    return len([length for length in value.shape if length != 1]) < 2


def _reduced(call: Callable[..., Any]) -> Callable[[Value], Value]:
    """Return a reduction of every column, which of a vector is that of all its entries."""

    def of(value: Value) -> Value:
        array = np.asarray(value, dtype=float)
        return call(array) if _is_vector(array) else call(array, axis=0, keepdims=True)

    return of


def _bound(axis: int) -> Callable[..., np.ndarray]:
    """Return blocks joined along an axis; a number fills its block."""

    def of(*blocks: Value) -> np.ndarray:
        arrays = [np.asarray(one, dtype=float) for one in blocks]
        if axis == 0 and all(one.ndim <= 1 for one in arrays):
            columns = [one.reshape(-1, 1) for one in arrays]
            return np.concatenate(columns, axis=0)
        arrays = [one.reshape(-1, 1) if one.ndim == 1 else one for one in arrays]
        others = [one.shape[1 - axis] for one in arrays if one.ndim]
        other = others[0] if others else 1
        full = [np.full((other, 1) if axis else (1, other), one) if not one.ndim else one
                for one in arrays]  # fmt: skip
        return np.concatenate(full, axis=axis)

    return of


def _reshaped(value: Value, *shape: Value) -> np.ndarray:
    """Return a new shape, filled column by column."""
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
    return np.reshape(np.asarray(value), tuple(int(one) for one in sizes), order="F")


TRANSLATED: Mapping[str, Callable[..., Any]] = {
    "octave_sum": _reduced(np.sum), "octave_mean": _reduced(np.mean),
    "bind_rows": _bound(0), "bind_columns": _bound(1), "reshape": _reshaped,
}  # fmt: skip
"""The functions by their names; ``mtimes``, a product of numbers or of matrices, is not here."""

__all__ = ["TRANSLATED"]
