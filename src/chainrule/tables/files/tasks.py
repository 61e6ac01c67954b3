"""Arrow's threads after an error: what they had left to do is done before the process may end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import pyarrow as pa
import pyarrow.csv as pacsv

_SMALL: Final = b"a\n1\n"


@contextmanager
def all_tasks_done() -> Iterator[None]:
    """Wait, if reading in the block fails, until Arrow's threads have begun all that is queued.

    A reader that fails leaves tasks in the queue. Where the process ends first, Arrow drops them,
    and each waits for ever for the others of its group. The queue is first in, first out: a small
    read comes after them.
    """
    try:
        yield
    except BaseException:
        pacsv.read_csv(pa.BufferReader(_SMALL))
        raise
