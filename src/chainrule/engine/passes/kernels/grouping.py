"""Compiled keys of rows, and the groups of equal keys.

A key is a sum over the entries of a row, mixed with one random odd number a column, modulo 2^64
(multilinear hashing; Lemire and Kaser 2014). Equal rows have equal keys; that rows of equal keys
are equal is for the caller to see.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.losses.vectorised import exact

Array = npt.NDArray[Any]
Keys = npt.NDArray[np.uint64]

INNER_ROWS: Final = 256
"""Rows whose keys are added to column by column, whichever way the rows lie in memory."""


@exact
def _mixed(bits: Any) -> Any:  # noqa: ANN401
    bits = (bits ^ (bits >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return bits ^ (bits >> np.uint64(29))


@exact
def add_dense(bits: Array, odd: Keys, keys: Keys) -> None:
    """Add the entries of dense rows, given as unsigned integers, to the keys."""
    for start in range(0, bits.shape[0], INNER_ROWS):
        stop = min(start + INNER_ROWS, bits.shape[0])
        for j in range(bits.shape[1]):
            for i in range(start, stop):
                keys[i] += _mixed(np.uint64(bits[i, j])) * odd[j]


@exact
def add_sparse(bits: Array, indices: Array, indptr: Array, odd: Keys, keys: Keys) -> None:
    """Add the entries of CSR rows to the keys."""
    for i in range(indptr.shape[0] - 1):
        key = keys[i]
        for e in range(indptr[i], indptr[i + 1]):
            key += _mixed(np.uint64(bits[e])) * odd[indices[e]]
        keys[i] = key


@exact
def group(keys: Keys, most: int, groups: Array, firsts: Array, slots: Array) -> int:
    """Give groups of equal keys their numbers as they come; return how many, or -1 for too many.

    Parameters
    ----------
    keys : ndarray of shape (n_samples,)
    most : int
        Groups beyond this are too many.
    groups : ndarray of shape (n_samples,)
        Filled in: the number of the group of each row.
    firsts : ndarray of shape (most,)
        Filled in: the first row of each group.
    slots : ndarray
        Room: a power of two of them, and twice as many as groups at least.
    """
    slots[:] = -1
    last, found = np.uint64(slots.shape[0] - 1), 0
    for i in range(keys.shape[0]):
        slot = _mixed(keys[i]) & last
        while slots[slot] >= 0 and keys[firsts[slots[slot]]] != keys[i]:
            slot = (slot + np.uint64(1)) & last
        if slots[slot] < 0:
            if found == most:
                return -1
            firsts[found], slots[slot] = i, found
            found += 1
        groups[i] = slots[slot]
    return found
