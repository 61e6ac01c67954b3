"""The bytes that rows in a file may take of memory, shared by everything that is read from it.

One number bounds several holders: vectors over all rows, selections of rows, and pages of the file
that stay mapped. Vectors come first, as no fit is without them. Half of the rest is for selections,
which are given back when they are freed, and half for pages.
"""

from __future__ import annotations

from threading import Lock
from typing import Any


class Allowance:
    """So many bytes of memory.

    Parameters
    ----------
    n_bytes : int

    Attributes
    ----------
    reserved : int
        Bytes of vectors over all rows.
    """

    def __init__(self, n_bytes: int) -> None:
        self.n_bytes = n_bytes
        self.reserved = 0
        self._taken = 0
        self._lock = Lock()

    def __reduce__(self) -> tuple[type[Allowance], tuple[Any, ...]]:
        """Return what another process, which holds nothing yet, makes its own of."""
        return Allowance, (self.n_bytes,)

    @property
    def pages(self) -> int:
        """Bytes of a file that may stay mapped."""
        return max(0, self.n_bytes - self.reserved) // 2

    def take(self, n_bytes: int) -> bool:
        """Take bytes for a selection of rows, if they are there; `give` returns them."""
        with self._lock:
            if self._taken + n_bytes > self.pages:
                return False
            self._taken += n_bytes
            return True

    def give(self, n_bytes: int) -> None:
        """Return bytes of a selection that is no longer held."""
        with self._lock:
            self._taken -= n_bytes
