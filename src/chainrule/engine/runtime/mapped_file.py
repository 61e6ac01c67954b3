"""A file mapped into memory for reading, of which few pages are held at a time.

What is read through a map is not copied: compiled passes take the numbers from the page cache of
the system. Mapped pages count as memory of the process, so a thread that begins with a part gives
back the part that it had before; the beginning of the file may stay mapped from pass to pass. To
give pages back is safe while others read them: they are mapped again. The system is told of the
parts that come next, so that it reads them while there is arithmetic.
"""

from __future__ import annotations

import mmap
import os
from threading import local
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from chainrule.engine.runtime.allowance import Allowance

_AHEAD: Final[int] = 1
"""How many parts of the size of this one lie between it and the part that is read ahead.

Other threads have begun with those. To ask for pages that are there costs a tenth of reading them.
"""

_CAN_RELEASE: Final[bool] = hasattr(mmap.mmap, "madvise") and hasattr(mmap, "MADV_DONTNEED")


class MappedFile:
    """The first bytes of an open file, mapped.

    Parameters
    ----------
    file : int
        Descriptor.
    n_bytes : int
        At least 1; the file holds as many.
    allowance : Allowance, optional
        As many bytes at the beginning as it has for pages stay mapped; none, if not given.
    """

    def __init__(self, file: int, n_bytes: int, allowance: Allowance | None) -> None:
        self._file = file
        self._map = mmap.mmap(file, n_bytes, access=mmap.ACCESS_READ)
        self._allowance = allowance
        self._own = local()

    def array(self, start: int, shape: tuple[int, ...], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
        """Return an array at a byte of the file, in place and read-only.

        It stays valid; but the next call of the same thread gives its pages back, to be read anew.
        """
        self._release()
        count = int(np.prod(shape))
        stop = start + count * dtype.itemsize
        self._own.part = start, stop
        ahead = stop + _AHEAD * (stop - start)
        if hasattr(os, "posix_fadvise") and ahead < len(self._map):
            os.posix_fadvise(self._file, ahead, stop - start, os.POSIX_FADV_WILLNEED)
        return np.frombuffer(self._map, dtype, count, start).reshape(shape)

    def _release(self) -> None:
        """Give back the pages of the part that this thread had before."""
        start, stop = getattr(self._own, "part", (0, 0))
        kept = 0 if self._allowance is None else self._allowance.pages
        start = -(-max(start, kept) // mmap.PAGESIZE) * mmap.PAGESIZE
        if _CAN_RELEASE and stop > start:
            self._map.madvise(mmap.MADV_DONTNEED, start, stop - start)
