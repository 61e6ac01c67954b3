"""Rows that arrive some at a time, as one table: in memory, or in a file where they are many."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

HELD_BYTES: Final = 1 << 25
"""Rows of up to so many bytes are held in memory."""


class Spool:
    """Takes the batches of a table, and returns it; more than a few are mapped from a file.

    Parameters
    ----------
    schema : pyarrow.Schema
    """

    def __init__(self, schema: Any) -> None:  # noqa: ANN401 - pyarrow ships no types
        self.schema = schema
        self._held: list[Any] = []
        self._n_bytes = 0
        self._path: Path | None = None
        self._writer: Any = None

    def add(self, batch: Any) -> None:  # noqa: ANN401
        """Take the next rows."""
        if self._writer is not None:
            self._writer.write_batch(batch)
            return
        self._held.append(batch)
        self._n_bytes += batch.nbytes
        if self._n_bytes <= HELD_BYTES:
            return
        handle, name = tempfile.mkstemp(prefix="chainrule-query-", suffix=".part")
        os.close(handle)
        self._path = Path(name)
        self._writer = pa.ipc.new_file(name, self.schema)
        for held in self._held:
            self._writer.write_batch(held)
        self._held = []

    def table(self) -> Any:  # noqa: ANN401
        """Return all rows."""
        if self._writer is None or self._path is None:
            return pa.Table.from_batches(self._held, self.schema)
        self._writer.close()
        found = pa.ipc.open_file(pa.memory_map(str(self._path))).read_all()
        self.discard()
        return found

    def discard(self) -> None:
        """Remove the file; what is mapped stays readable."""
        if self._path is None:
            return
        try:
            self._path.unlink(missing_ok=True)
        except OSError:  # a system that removes no file in use
            atexit.register(_remove, self._path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
