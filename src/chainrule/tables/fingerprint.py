"""A fingerprint of the rows of a fit: which rows of another file are among them, about.

Each row is hashed over the columns that the model reads; the order of rows does not matter. The
fingerprint is a bitmap: the hash of each row, or of a sample of rows chosen by their hashes, sets
one bit. A row of the fit meets a bit that is set; another row does so by chance, at a known rate.
So the share of rows of the fit among many rows is known well, whereas a model file does not tell
whether a single row was among those that trained.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chainrule.tables.table import Column, NumberColumn, Table

Hashes = NDArray[np.uint64]

_MOST_ROWS: Final = 8192
"""About how many rows set a bit at most: the bitmap of more rows is that of a sample."""

_BITS_PER_ROW: Final = 4
_LEAST_BITS: Final = 64
_CHUNK: Final = 1 << 16
_MISSING: Final = np.uint64(0x9E3779B97F4A7C15)

_RARE: Final = 1e-3
_MANY: Final = 0.1


@dataclass(frozen=True)
class Fingerprint:
    """The bitmap of the rows of a fit.

    Parameters
    ----------
    n_rows : int
    halvings : int
        Rows whose hash ends in so many zero bits are in the sample.
    bits : bytes
        The bitmap; the number of bits is a power of two.
    repeats : float
        Share of rows in the sample that equal another row in all columns: so many new rows equal a
        row of the fit by chance, about (Good and Turing).
    """

    n_rows: int
    halvings: int
    bits: bytes
    repeats: float

    @property
    def filled(self) -> float:
        """The share of bits that are set."""
        return sum(byte.bit_count() for byte in self.bits) / (8 * len(self.bits))


class FingerprintMaker:
    """Takes the hashes of the rows of a fit, part by part.

    Parameters
    ----------
    n_rows : int
        Of all parts.
    """

    def __init__(self, n_rows: int) -> None:
        self._n_rows = n_rows
        self._halvings = max(0, math.ceil(math.log2(max(1, n_rows) / _MOST_ROWS)))
        self._kept: list[Hashes] = []

    def add(self, hashes: Hashes) -> None:
        """Take the hashes of some rows."""
        self._kept.append(_sampled(hashes, self._halvings))

    def fingerprint(self) -> Fingerprint:
        """Return the fingerprint of the rows that were taken."""
        kept = np.concatenate(self._kept) if self._kept else np.empty(0, dtype=np.uint64)
        distinct, counts = np.unique(kept, return_counts=True)
        n_bits = max(_LEAST_BITS, 1 << math.ceil(math.log2(max(1, _BITS_PER_ROW * len(distinct)))))
        bitmap = np.zeros(n_bits, dtype=np.bool_)
        bitmap[_places(distinct, n_bits)] = True
        repeats = float(counts[counts > 1].sum() / len(kept)) if len(kept) else 0.0
        return Fingerprint(self._n_rows, self._halvings, np.packbits(bitmap).tobytes(), repeats)


class Overlap:
    """Counts the rows of another table that a fingerprint holds, part by part.

    Parameters
    ----------
    fingerprint : Fingerprint
    columns : sequence of str
        The columns that the model reads.
    """

    def __init__(self, fingerprint: Fingerprint, columns: Sequence[str]) -> None:
        self._fingerprint, self._columns = fingerprint, columns
        self._bitmap = np.unpackbits(np.frombuffer(fingerprint.bits, dtype=np.uint8)).astype(bool)
        self._n_rows = self._n_set = 0

    def add(self, table: Table) -> None:
        """Count the rows of a table."""
        hashes = row_hashes(table, self._columns)
        distinct = np.unique(_sampled(hashes, self._fingerprint.halvings))
        self._n_rows += len(distinct)
        self._n_set += int(self._bitmap[_places(distinct, len(self._bitmap))].sum())

    @property
    def share(self) -> float | None:
        """The share of distinct rows that are rows of the fit; None where chance explains it."""
        if self._n_rows == 0:
            return None
        by_chance = self._fingerprint.filled
        share = (self._n_set / self._n_rows - by_chance) / max(1 - by_chance, 1e-9)
        repeats = self._fingerprint.repeats
        expected = by_chance + (1 - by_chance) * repeats
        from scipy.special import betainc  # a fit, which only makes fingerprints, is over before

        # The tail of the binomial distribution, as the incomplete beta function.
        is_rare = self._n_set > 0 and (
            betainc(self._n_set, self._n_rows - self._n_set + 1, expected) < _RARE
        )
        return min(1.0, share) if is_rare and share - repeats >= _MANY else None


def row_hashes(table: Table, names: Sequence[str]) -> Hashes:
    """Return a hash of each row over some columns; missing values are equal to each other."""
    found = np.zeros(table.n_rows, dtype=np.uint64)
    columns = [(table.columns[name], np.uint64(_digest(f"column {name}") | 1)) for name in names]
    for start in range(0, table.n_rows, _CHUNK):  # temporaries stay in the cache
        rows = slice(start, start + _CHUNK)
        for column, multiplier in columns:
            found[rows] += _spread(_values(column, rows)) * multiplier
        found[rows] = _spread(found[rows])
    return found


def _values(column: Column, rows: slice) -> Hashes:
    """Return a number of 64 bits for each value."""
    if isinstance(column, NumberColumn):
        # -0.0 is 0.0, and a missing value has one pattern of bits.
        found = (column.take(rows).values + 0.0).view(np.uint64)
        found[column.missing[rows]] = _MISSING
        return found
    words = np.array([*map(_digest, column.words), _MISSING], dtype=np.uint64)
    return words[column.codes[rows]]


def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="surrogatepass"), digest_size=8).digest())


def _spread(bits: Hashes) -> Hashes:
    """Return a bijection of 64 bits in which each bit depends on all (splitmix64's)."""
    found: Hashes = bits ^ (bits >> np.uint64(30))
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found *= np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found


def _sampled(hashes: Hashes, halvings: int) -> Hashes:
    return np.asarray(hashes[(hashes & np.uint64((1 << halvings) - 1)) == 0])


def _places(hashes: Hashes, n_bits: int) -> NDArray[np.intp]:
    """Return the bit of each hash: its leading bits, which the choice of the sample leaves free."""
    return (hashes >> np.uint64(65 - n_bits.bit_length())).astype(np.intp)


__all__ = ["Fingerprint", "FingerprintMaker", "Overlap", "row_hashes"]
