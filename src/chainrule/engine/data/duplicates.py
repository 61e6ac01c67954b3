"""Rows that occur many times, as one row with a weight each.

A weight of k is k repetitions of a row, so nothing changes but the time. Whether it pays is asked
of a random sample: a few times the square root of the number of rows is enough, since among so many
rows some are bound to be equal if most rows occur several times (the birthday problem).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import FloatArray, IntArray, is_sparse
from chainrule.engine.data.coded_rows import CodedRows
from chainrule.engine.data.rows import RowBlock, stratified_rows
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.passes.fused_blocks import FusedBlock
from chainrule.engine.passes.fused_sparse_blocks import FusedSparseBlock
from chainrule.engine.runtime.executors import map_in_order
from chainrule.engine.runtime.native import NativeModule

FEWER: Final[int] = 4
"""Rows occur so many times on average, at least, where merging them pays."""

_SAMPLED: Final[float] = 4.0
_SEED: Final[int] = 20_260
_PAIRS: Final[int] = 24
_RARE: Final[int] = 3
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
"""Steps of 2^64 through the golden ratio: multiples are far apart in all digits."""

_PIECES: Final[int] = 2**16

Keys = npt.NDArray[np.uint64]


_grouping = NativeModule("grouping")


def merged(source: InMemorySource, n_threads: int = 1) -> InMemorySource | None:
    """Return the same problem with equal rows merged into weights; None where it does not pay.

    Finding the equal rows takes as long as some reads of X. A fit to dense rows of two classes
    hardly takes more.
    """
    X, *_ = source.given
    reads_little = source.is_dense and source.n_classes == 2
    if not source.is_fused or reads_little or getattr(X, "format", "") == "csc":
        return None
    if not _seems_repetitive(source):
        return None
    keys, groups = _keys(source, n_threads), np.empty(source.n_samples, dtype=np.intp)
    firsts = np.empty(source.n_samples // FEWER, dtype=np.intp)
    slots = np.empty(2 ** max(4, int(2 * len(firsts) - 1).bit_length()), dtype=np.int64)
    n_groups = _grouping.group(keys, len(firsts), groups, firsts, slots)
    if n_groups < 0:
        return None
    found = source.take_rows(firsts[:n_groups].copy())
    if not _are_equal(source, found, groups):
        return None
    weights = np.bincount(groups, _weights(source), minlength=n_groups)
    found.set_weights(weights.astype(np.float64, copy=False))
    return found


def _seems_repetitive(source: InMemorySource) -> bool:
    """Tell by a sample whether rows occur several times on average."""
    size = int(_SAMPLED * np.sqrt(source.n_samples))
    if size >= source.n_samples // FEWER:
        return False
    sample = source.take_rows(stratified_rows(source.n_samples, size, _SEED))
    if _have_many_patterns(sample):
        return False
    counts = np.unique(_keys(sample, 1), return_counts=True)[1]
    if len(counts) <= size // 2:
        return True
    rare = counts[counts <= _RARE]  # one row that is everywhere does not make others repeat
    return int((rare * (rare - 1)).sum()) // 2 >= _PAIRS


def _have_many_patterns(sample: InMemorySource) -> bool:
    """Tell whether few sparse rows have their entries in the same columns; else nothing is told.

    It takes less time than keys of numbers, which take a random number for each column.
    """
    X = sample.given[0]
    if getattr(X, "format", "") != "csr":
        return False
    mixed = X.indices.astype(np.uint64) * _ODD
    mixed ^= mixed >> np.uint64(31)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed * _ODD)])
    patterns = sums[X.indptr[1:]] - sums[X.indptr[:-1]]
    counts = np.unique(patterns, return_counts=True)[1]
    pairs = int((counts * (counts - 1)).sum()) // 2
    return len(counts) > len(patterns) // 2 and pairs < _PAIRS


def _keys(source: InMemorySource, n_threads: int) -> Keys:
    """Return a key a row, of its numbers, label and offset."""
    rng = np.random.default_rng(_SEED)
    width = source.n_features + 2 * max(2, source.n_classes)
    odd = rng.integers(0, 2**63, size=width, dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    keys = np.zeros(source.n_samples, dtype=np.uint64)

    def one(index: int) -> None:
        block = source.block(index)
        _add(block, odd, keys[block.rows])

    for _ in map_in_order(one, source.n_blocks, n_threads):
        pass
    return keys


def _add(block: RowBlock, odd: Keys, keys: Keys) -> None:
    X: Any = block.X
    n_features = X.shape[1]
    if isinstance(X, FusedSparseBlock):
        _grouping.add_sparse(_bits(X.data), *X.places, odd, keys)
    else:
        assert isinstance(X, FusedBlock)
        _grouping.add_dense(_bits(X.values), odd, keys)
    rest = [np.atleast_2d(block.y.T).T]
    if isinstance(block.offset, np.ndarray):
        rest.append(block.offset)
    labels = np.ascontiguousarray(np.hstack(rest), dtype=np.float64)
    _grouping.add_dense(_bits(labels), odd[n_features:], keys)


def _bits(numbers: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return numbers.view(np.dtype(f"u{numbers.itemsize}"))


def _weights(source: InMemorySource) -> FloatArray:
    return np.concatenate([source.labels(index)[2] for index in range(source.n_blocks)])


def _are_equal(source: InMemorySource, found: InMemorySource, groups: IntArray) -> bool:
    """Tell whether each row equals the one that stands for its group: keys alone prove nothing."""
    for start in range(0, source.n_samples, _PIECES):
        rows = slice(start, min(start + _PIECES, source.n_samples))
        for one, other in zip(source.given, found.given, strict=True):
            if one is not None and not _same(one[rows], other[groups[rows]]):
                return False
    return True


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401
    if isinstance(one, CodedRows):
        pairs = zip(one.columns, other.columns, strict=True)
        return all(np.array_equal(a.values, b.values) for a, b in pairs)
    if is_sparse(one):
        parts = ("indptr", "indices", "data")
        return all(np.array_equal(getattr(one, part), getattr(other, part)) for part in parts)
    return np.array_equal(one, other)
